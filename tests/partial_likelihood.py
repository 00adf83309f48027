"""Cox's partial likelihood written out, event by event: slow, and without any model library. What R's fits are held against."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Spans:
    """Rows under observation from just after ``start`` up to ``stop``, with what is known of them."""

    start: np.ndarray
    stop: np.ndarray
    event: np.ndarray
    x: np.ndarray
    weight: np.ndarray
    stratum: np.ndarray
    efron: bool = True
    #: The covariates at a time, where they are not the same throughout.
    at: Callable[[float], np.ndarray] | None = field(default=None)


def spans(
    rows: pd.DataFrame, terms: list[str], *, stop: str, event: str, start=None, weight=None, stratum=None, efron=True, at=None
) -> Spans:
    """Rows of a table as spans; without ``start`` everybody is there from the beginning."""
    n = len(rows)
    return Spans(
        start=np.full(n, -np.inf) if start is None else np.asarray(start, dtype=float),
        stop=rows[stop].to_numpy(dtype=float),
        event=rows[event].to_numpy() == 1,
        x=rows[terms].to_numpy(dtype=float),
        weight=np.ones(n) if weight is None else rows[weight].to_numpy(dtype=float),
        stratum=np.zeros(n) if stratum is None else rows[stratum].to_numpy(),
        efron=efron,
        at=at,
    )


@dataclass
class Moment:
    """One time of events in one stratum: who leaves, and for each of them in turn the sums over who is at risk."""

    time: float
    dead: np.ndarray
    x: np.ndarray
    mean_weight: complex
    s0: np.ndarray
    means: np.ndarray
    spreads: np.ndarray


def moments(given: Spans, beta: np.ndarray, weight: np.ndarray) -> Iterator[Moment]:
    """The times of events in order; of d that are tied, Efron takes away k/d of them from the risk set of the k-th."""
    for stratum in np.unique(given.stratum):
        here = given.stratum == stratum
        for time in np.unique(given.stop[given.event & here]):
            x = given.x if given.at is None else given.at(time)
            risk = here & (given.start < time) & (given.stop >= time)
            dead = risk & given.event & (given.stop == time)
            r = weight * np.exp(x @ beta)
            gone = np.arange(dead.sum())[:, None] / dead.sum() * given.efron
            part = np.where(risk, r, 0) - gone * np.where(dead, r, 0)
            s0 = part.sum(axis=1)
            means = part @ x / s0[:, None]
            spreads = np.einsum("ki,ip,iq->kpq", part, x, x) / s0[:, None, None] - np.einsum("kp,kq->kpq", means, means)
            yield Moment(time, dead, x, weight[dead].mean(), s0, means, spreads)


def partial(given: Spans, beta: np.ndarray, weight: np.ndarray | None = None) -> tuple[complex, np.ndarray, np.ndarray]:
    """Log-likelihood, its gradient, and the information."""
    weight = given.weight if weight is None else weight
    log_likelihood, gradient, information = 0.0, np.zeros(len(beta), dtype=weight.dtype), np.zeros((len(beta),) * 2)
    for m in moments(given, beta, weight):
        log_likelihood += weight[m.dead] @ (m.x[m.dead] @ beta) - m.mean_weight * np.log(m.s0).sum()
        gradient = gradient + weight[m.dead] @ m.x[m.dead] - m.mean_weight * m.means.sum(axis=0)
        information = information + m.mean_weight * m.spreads.sum(axis=0)
    return log_likelihood, gradient, information


def influence(given: Spans, beta: np.ndarray) -> np.ndarray:
    """How the coefficients move with the weight of each row: the gradient's derivative, by a step into the complex plane."""
    step = 1e-20
    scores = np.empty((len(given.stop), len(beta)))
    for row in range(len(given.stop)):
        weight = given.weight.astype(complex)
        weight[row] += 1j * step
        scores[row] = partial(given, beta, weight)[1].imag / step
    return scores @ np.linalg.inv(partial(given, beta)[2])


def concordance(given: Spans, beta: np.ndarray) -> tuple[float, np.ndarray]:
    """Share of the comparable pairs that the model puts in their order, and how it moves with the weight of each row."""
    score = (given.x @ beta).round(12)  # equal rows stay equal, whatever the order of the sums
    pairs, right = np.zeros((len(score),) * 2), np.zeros((len(score),) * 2)
    for i in np.flatnonzero(given.event):
        time = given.stop[i]
        after = (given.stop > time) | ((given.stop == time) & ~given.event)
        with_i = (given.stratum == given.stratum[i]) & (given.start < time) & after
        pairs[i, with_i] = 1
        right[i, with_i] = np.where(score[with_i] < score[i], 1, np.where(score[with_i] == score[i], 0.5, 0))
    w = given.weight
    top, bottom = w @ right @ w, w @ pairs @ w
    return top / bottom, ((right + right.T) @ w * bottom - top * (pairs + pairs.T) @ w) / bottom**2
