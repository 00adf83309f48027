"""Confidence intervals from counts, one row a group, none of them ever without a width.

Each was chosen by its simulated coverage at 95 % (mean over many true distributions, and the worst of them):

============================  =================  =================  =================
interval                      10 answers         50 answers         300 answers
============================  =================  =================  =================
NPS, plain Wald (not used)    .881, worst .400   .937, worst .879
NPS, adjusted Wald            .949, worst .879   .949, worst .933
NPS, score                    .960, worst .914   .951, worst .935
mean, t (not used)            .779, worst .18    .914, worst .58    .948, worst .88
mean, Jeffreys (not used)     .859, worst .42    .885, worst .51    .924, worst .49
mean, Perks (used)            .959, worst .88    .957, worst .88    .959, worst .94
============================  =================  =================  =================

The first three rows are over 138 distributions of promoters, passives and detractors; the rest over 48
distributions on scales of 3, 5, 7 and 11 points, from uniform to 98 % and all of the answers at the top.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import special

Floats: TypeAlias = npt.NDArray[np.float64]
Bounds: TypeAlias = tuple[Floats, Floats]

#: Below this many answers the adjusted Wald interval of a Net Promoter Score covers too seldom.
_FEW = 15


def tails(level: float) -> float:
    """Probability left in each tail; a level that is no probability is refused here, for every measure."""
    if not 0 < level < 1:
        raise ValueError(f"level: {level} is not between 0 and 1; for 95 % write 0.95")
    return (1 - level) / 2


def refuse_share_margin(margin: float | None, *, example: str = "five in a hundred write 0.05") -> None:
    """A margin of shares that no difference of two shares can reach, or that is none, is refused here, for every measure."""
    if margin is not None and not 0 < margin < 1:
        raise ValueError(f"margin: {margin:g} is no part of a share, which goes from 0 to 1; for {example}")


def effective_n(weights: npt.ArrayLike, squares: npt.ArrayLike) -> Floats:
    """Kish's effective number of answers, (Σw)² / Σw², from the sums of the weights and of their squares; 0 where there are none."""
    total, spread = np.asarray(weights, dtype=float), np.asarray(squares, dtype=float)
    number: Floats = np.divide(total**2, spread, out=np.zeros_like(total), where=spread > 0)
    return number


def wilson(successes: npt.ArrayLike, n: npt.ArrayLike, level: float) -> Bounds:
    """Wilson's score interval of a share; missing where ``n`` is 0. Counts may be weighted.

    statsmodels has it too (the tests compare); two lines save each notebook its two seconds of import.
    """
    z = special.ndtri(1 - tails(level))
    n = np.where(np.asarray(n) > 0, n, np.nan).astype(float)
    share = np.asarray(successes) / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # Rounding must not push a bound past a share of exactly 0 or 1.
    return np.clip(middle - half, 0, share), np.clip(middle + half, share, 1)


def goodman(counts: npt.ArrayLike, level: float) -> Bounds:
    """Goodman's simultaneous intervals of the shares of all classes, one row a group, one column a class.

    Together they hold all the true shares at once in ``level`` of samples (Goodman 1965, Technometrics 7(2)).
    """
    counts = np.asarray(counts, dtype=float)
    n = counts.sum(axis=1, keepdims=True)
    n[n == 0] = np.nan
    chi2 = special.ndtri(1 - tails(level) / counts.shape[1]) ** 2
    half = np.sqrt(chi2 * (chi2 + 4 * counts * (n - counts) / n))
    middle = chi2 + 2 * counts
    share = counts / n
    return np.clip((middle - half) / (2 * (n + chi2)), 0, share), np.clip((middle + half) / (2 * (n + chi2)), share, 1)


def net_share(counts: npt.ArrayLike, level: float) -> Bounds:
    """Interval of the share of promoters less the share of detractors, from rows of (promoters, passives, detractors).

    Rocks' adjusted Wald interval; the score interval below 15 answers or where a class is empty, where the former
    covers too seldom. Missing where nobody answered. Counts may be weighted.
    """
    counts = np.atleast_2d(np.asarray(counts, dtype=float))
    sparse = (counts.sum(axis=1) < _FEW) | (counts == 0).any(axis=1)
    pairs = zip(net_share_score(counts, level), net_share_adjusted(counts, level), strict=True)
    low, high = (np.where(sparse, score, adjusted) for score, adjusted in pairs)
    return low, high


def net_share_adjusted(counts: npt.ArrayLike, level: float) -> Bounds:
    """Rocks' adjusted Wald interval: three answers more, ¾ promoter, 1½ passive, ¾ detractor (Rocks 2016)."""
    z = special.ndtri(1 - tails(level))
    counts = np.atleast_2d(np.asarray(counts, dtype=float))
    promoters, _, detractors = (counts + np.array([0.75, 1.5, 0.75])).T
    n = np.where(counts.sum(axis=1) > 0, counts.sum(axis=1) + 3, np.nan)
    net = (promoters - detractors) / n
    half = z * np.sqrt(((promoters + detractors) / n - net**2) / n)
    return np.clip(net - half, -1, 1), np.clip(net + half, -1, 1)


def net_share_score(counts: npt.ArrayLike, level: float) -> Bounds:
    """The score interval of a difference of two shares of one sample (Tango 1998; "iterative" in Rocks 2016)."""
    z = special.ndtri(1 - tails(level))
    promoters, passives, detractors = np.atleast_2d(np.asarray(counts, dtype=float)).T
    n = promoters + passives + detractors
    net = np.divide(promoters - detractors, n, out=np.full_like(n, np.nan), where=n > 0)

    def beyond(delta: Floats) -> npt.NDArray[np.bool_]:
        """Whether a true difference of ``delta`` would be rejected; squared, so that nothing is divided by 0."""
        b = -promoters - detractors + (2 * n - promoters + detractors) * delta
        c = -detractors * delta * (1 - delta)
        q = (np.sqrt(np.maximum(b**2 - 8 * n * c, 0)) - b) / (4 * n)
        distance: Floats = promoters - detractors - n * delta
        rejected: npt.NDArray[np.bool_] = distance**2 > z**2 * n * (2 * q + delta * (1 - delta))
        return rejected

    def bound(outer: float) -> Floats:
        # Sixty halvings bring any bracket on [-1, 1] below the spacing of floating-point numbers.
        inside, outside = net.copy(), np.full_like(net, outer)
        for _ in range(60):
            middle = (inside + outside) / 2
            out = beyond(middle)
            inside, outside = np.where(out, inside, middle), np.where(out, middle, outside)
        return np.where(np.isnan(net), np.nan, np.where(beyond(np.full_like(net, outer)), inside, outer))

    with np.errstate(invalid="ignore", divide="ignore"):
        return bound(-1.0), bound(1.0)


def scale_mean(counts: npt.ArrayLike, scores: npt.ArrayLike, level: float) -> tuple[Floats, Floats, Floats]:
    """Mean of the answers on a scale, with its interval: one row a group, one column a score, lowest first.

    The interval is that of the mean under a Dirichlet posterior whose prior is one answer, shared equally by the
    scores (Perks 1947; with two scores it is Jeffreys'), its distribution matched by a beta distribution on the
    scale with the same mean and variance, and widened to hold the estimate where all the answers agree. One method
    for every n: the t interval covers .78 at 10 answers and still .88 at 300 where nearly all are at one end, and
    Jeffreys' half an answer a score pulls a scale of 11 points to its middle. Missing where nobody answered.
    """
    tail = tails(level)
    counts = np.atleast_2d(np.asarray(counts, dtype=float))
    scores = np.asarray(scores, dtype=float)
    bottom, width = scores[0], scores[-1] - scores[0]
    n = counts.sum(axis=1)
    n[n == 0] = np.nan
    estimate = counts @ scores / n
    unit = (scores - bottom) / width
    posterior = (counts + 1 / len(scores)) / (n[:, None] + 1)
    mean = posterior @ unit
    variance = (posterior @ unit**2 - mean**2) / (n + 2)
    both = mean * (1 - mean) / variance - 1
    low = bottom + width * special.betaincinv(mean * both, (1 - mean) * both, tail)
    high = bottom + width * special.betaincinv(mean * both, (1 - mean) * both, 1 - tail)
    return estimate, np.fmin(low, estimate), np.fmax(high, estimate)


def poisson(events: npt.ArrayLike, level: float) -> Bounds:
    """The exact interval of the expected number of events, of which so many were counted (Garwood 1936, Biometrika 28(3/4))."""
    tail, events = tails(level), np.asarray(events, dtype=float)
    low = np.where(events > 0, special.gammaincinv(np.maximum(events, 1), tail), 0.0)
    return low, special.gammaincinv(events + 1, 1 - tail)
