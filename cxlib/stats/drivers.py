"""How much each driver of a score explains, from correlations alone; any number of samples at once.

Arrays end in their own axes: correlations among p drivers in (…, p, p), those with the score in (…, p). What stands
before, such as the replicates of a bootstrap, is carried along.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import special

from cxlib.stats.intervals import Floats, tails

#: So many drivers have 32,768 subsets; each more doubles them.
MOST = 15
#: What is left of a driver's variance beside others, where it is none of its own but their sum.
_ALIKE = 1e-7
#: Numbers held at once.
_ROOM = 2**19


def correlations(cov: Floats) -> Floats:
    """Correlations from covariances; 0 with what does not vary."""
    spread = np.sqrt(np.maximum(np.diagonal(cov, axis1=-2, axis2=-1), 0))
    scale = spread[..., :, None] * spread[..., None, :]
    found: Floats = np.divide(cov, scale, out=np.zeros_like(cov), where=scale > 0)
    return found


def explained(corr_xx: npt.ArrayLike, corr_xy: npt.ArrayLike) -> Floats:
    """R² of every subset of the drivers, (2^p, …): bit k of a subset's number says whether driver k is in it.

    All subsets grow together: at each step every state is kept as it is and also swept of the next driver. One
    that is a sum of those before it adds nothing.
    """
    corr_xx, corr_xy = np.asarray(corr_xx, dtype=float), np.asarray(corr_xy, dtype=float)
    p = corr_xy.shape[-1]
    if p > MOST:
        raise ValueError(f"drivers: {p} drivers have {2**p:,} subsets; at most {MOST} can be told apart")
    # What is carried along stands last in memory, next to itself.
    states = np.moveaxis(_joined(corr_xx, corr_xy), (-2, -1), (0, 1))[None]
    for _ in range(p):
        own, beside, rest = states[:, 0, 0], states[:, 0, 1:], states[:, 1:, 1:]
        grown = np.empty((2 * len(states), *rest.shape[1:]))
        grown[: len(states)], swept = rest, grown[len(states) :]
        np.multiply((beside * _inverse(own)[:, None])[:, :, None], beside[:, None], out=swept)
        np.subtract(rest, swept, out=swept)
        states = grown
    found: Floats = np.clip(1 - states[:, 0, 0], 0, 1)
    return found


def _joined(corr_xx: Floats, corr_xy: Floats) -> Floats:
    """All correlations in one matrix, the score last."""
    p = corr_xy.shape[-1]
    whole = np.ones((*corr_xy.shape[:-1], p + 1, p + 1))
    whole[..., :p, :p], whole[..., :p, p], whole[..., p, :p] = corr_xx, corr_xy, corr_xy
    return whole


def _inverse(own: Floats) -> Floats:
    """One by what is left of a driver's variance; nothing where it is the sum of others."""
    return np.divide(1.0, own, out=np.zeros_like(own), where=own > _ALIKE)


def lmg(corr_xx: npt.ArrayLike, corr_xy: npt.ArrayLike) -> Floats:
    """What each driver adds to R², the mean over all orders in which they could enter; it sums to R².

    Lindeman, Merenda and Gold (1980), also known as Shapley's values of R². A driver that is missing from the score's
    regression but resembles one that is not has a part of it.
    """
    corr_xx, corr_xy = np.asarray(corr_xx, dtype=float), np.asarray(corr_xy, dtype=float)
    *before, p = corr_xy.shape
    if not p:
        return np.zeros((*before, 0))
    flat_xx, flat_xy = corr_xx.reshape(-1, p, p), corr_xy.reshape(-1, p)
    size = max(1, _ROOM >> p)
    parts = [_lmg(flat_xx[at : at + size], flat_xy[at : at + size]) for at in range(0, len(flat_xy), size)]
    return np.concatenate(parts).reshape(corr_xy.shape)


def _lmg(corr_xx: Floats, corr_xy: Floats) -> Floats:
    p, replicates = corr_xy.shape[-1], len(corr_xy)
    found, weight = explained(corr_xx, corr_xy), _orders(p - 1)
    parts = np.empty((replicates, p))
    for driver in range(p):
        halves = found.reshape(2 ** (p - 1 - driver), 2, 2**driver, replicates)
        gain = (halves[:, 1] - halves[:, 0]).reshape(2 ** (p - 1), replicates)
        parts[:, driver] = weight @ gain
    return np.maximum(parts, 0)


def _orders(others: int) -> Floats:
    """For each subset of the other drivers, the share of all orders in which exactly these stand before one."""
    of_size = [math.factorial(k) * math.factorial(others - k) / math.factorial(others + 1) for k in range(others + 1)]
    return np.array([of_size[bin(subset).count("1")] for subset in range(2**others)])


def r_squared(corr_xx: npt.ArrayLike, corr_xy: npt.ArrayLike) -> Floats:
    """The share of the score's variance that all drivers explain together."""
    corr_xx, corr_xy = np.asarray(corr_xx, dtype=float), np.asarray(corr_xy, dtype=float)
    found: Floats = np.clip((corr_xy * slopes(corr_xx, corr_xy)).sum(axis=-1), 0, 1)
    return found


def slopes(corr_xx: npt.ArrayLike, corr_xy: npt.ArrayLike) -> Floats:
    """Coefficients of the regression on all drivers; of those that say the same, equal parts."""
    inverse = np.linalg.pinv(np.asarray(corr_xx, dtype=float), rcond=_ALIKE, hermitian=True)
    found: Floats = (inverse @ np.asarray(corr_xy, dtype=float)[..., None])[..., 0]
    return found


def relative_weights(corr_xx: npt.ArrayLike, corr_xy: npt.ArrayLike) -> Floats:
    """Johnson's relative weights: R² shared out by way of the nearest drivers that have nothing in common.

    With R = VDV' and Λ = VD^½V' the weight of driver j is Σ Λ²(j, k) β²(k), where β = Λ⁻¹r (Johnson 2000, Multivariate
    Behavioral Research 35(1)). A check beside `lmg`, not its equal: what it shares out has no meaning of its own
    (Thomas, Zumbo, Kwan and Schweitzer 2014, Multivariate Behavioral Research 49(4)).
    """
    values, vectors = np.linalg.eigh(np.asarray(corr_xx, dtype=float))
    root = np.sqrt(np.where(values > _ALIKE, values, 0))
    inverse = np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)
    turned = np.swapaxes(vectors, -1, -2)
    half = (vectors * root[..., None, :]) @ turned
    beta = ((vectors * inverse[..., None, :]) @ turned) @ np.asarray(corr_xy, dtype=float)[..., None]
    found: Floats = (half**2 @ beta**2)[..., 0]
    return found


def noise(corr_xx: npt.ArrayLike, corr_xy: npt.ArrayLike, *, draws: int = 10_000) -> Floats:
    """What a driver that is nothing but chance reaches beside these, times its number of ratings; sorted draws.

    The correlations of a column of chance with the score and the drivers are normal about 0, and covary as these
    correlate, divided by its number of ratings, whatever its own distribution: those of a column whose values were
    shuffled do, too. Its part is then the mean, over the orders, of the squared part of it that goes with what
    the drivers before it leave of the score: a quadratic form in those correlations.
    """
    corr_xx, corr_xy = np.asarray(corr_xx, dtype=float), np.asarray(corr_xy, dtype=float)
    p = len(corr_xy)
    # Of each subset, what the drivers that are left, and the score, are less by those that are in it.
    states, made_of = _joined(corr_xx, corr_xy)[None], np.eye(p + 1)[None]
    for _ in range(p):
        beside = states[:, 0, 1:]
        slope = beside * _inverse(states[:, 0, 0])[:, None]
        states = np.concatenate([states[:, 1:, 1:], states[:, 1:, 1:] - slope[:, :, None] * beside[:, None]])
        made_of = np.concatenate([made_of[:, 1:], made_of[:, 1:] - slope[:, :, None] * made_of[:, :1]])
    residual = made_of[:, 0]
    form = (residual * _orders(p)[:, None]).T @ residual
    values, vectors = np.linalg.eigh(_joined(corr_xx, corr_xy))
    root = vectors * np.sqrt(np.maximum(values, 0))
    spread = np.maximum(np.linalg.eigvalsh(root.T @ form @ root), 0)
    return np.sort(np.random.default_rng(1).chisquare(1, (draws, p + 1)) @ spread)


def rank_bounds(estimate: Floats, replicates: Floats, level: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The best and the worst rank that each driver may truly have, all at once in ``level`` of samples.

    One stands above another where the interval of their difference does; the intervals of all differences hold
    together, by the largest of them in each replicate.
    """
    p = len(estimate)
    gap = estimate[:, None] - estimate[None, :]
    moved = replicates[:, :, None] - replicates[:, None, :] - gap
    error = np.sqrt((moved**2).mean(axis=0))
    largest = np.divide(np.abs(moved), error, out=np.zeros_like(moved), where=error > 0).max(axis=(1, 2), initial=0.0)
    above = gap > np.quantile(largest, level) * error
    above &= gap > 1e-12
    best: npt.NDArray[np.int64] = 1 + above.sum(axis=0)
    worst: npt.NDArray[np.int64] = p - above.sum(axis=1)
    return best, worst


def bounds(estimate: Floats, replicates: Floats, *, silent: Floats, tail: float) -> tuple[Floats, Floats]:
    """Interval of each driver's part: between the tails of its replicates, from 0 where chance alone reaches as much.

    ``silent`` is what a driver that is nothing but chance stays below in as many samples as the upper end holds: without it no
    interval would ever hold 0, since a part of R² is never below it.
    """
    low, high = np.quantile(replicates, [tail, 1 - tail], axis=0)
    return np.where(estimate <= silent, 0.0, np.minimum(low, estimate)), np.maximum(high, estimate)


def tail_of(people: float, drivers: int, level: float) -> float:
    """The share of replicates beyond each end of an interval: fewer than (1 - level) / 2, as people are few for the drivers.

    Replicates spread as if the fit had cost nothing and the normal distribution held; the expanded percentiles put both
    right, as t does for a mean (Hesterberg 2015, The American Statistician 69(4)).
    """
    freedom = max(people - drivers - 1, 1.0)
    return float(special.ndtr(math.sqrt(people / freedom) * special.stdtrit(freedom, tails(level))))
