"""Weights that make those who answered look like all customers: raking on counts, its price, and its error.

Simulated coverage at 95 % of a weighted Net Promoter Score: margins of three and four categories, some of which hold a
tenth of the customers and answer a fifth as often; margins tell nothing, some, or much of the score; people answer once
or up to four times (mean over 12 laws, 80 samples each, and the worst law):

===================================================  ==========  ==========  ==========
interval                                             40 people   100 people  400 people
===================================================  ==========  ==========  ==========
unweighted                                           .738, .394  .599, .029  .393, .000
weighted, Kish's effective n                         .925, .810  .917, .775  .920, .750
replicates raked anew, alone                         .820, .750  .883, .789  .931, .900
the wider of replicates and weights as given (used)  .961, .889  .966, .911  .972, .912
===================================================  ==========  ==========  ==========
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cxlib.stats import variance
from cxlib.stats.intervals import Floats, effective_n
from cxlib.stats.variance import Clusters

Ints: TypeAlias = npt.NDArray[np.int64]

#: A margin is met when no category is missed by more than this share of all customers; in a replicate, by this.
TOLERANCE, ROUGHLY = 1e-10, 1e-3
#: Raking that has a solution seldom takes 30 rounds.
ROUNDS = 500
#: Replicates of an interval, in blocks that fit the memory; and where their chance begins, the same for every table.
REPLICATES, BLOCK, SEED = 1000, 50, 2026


@dataclass(frozen=True)
class Margin:
    """What is known of all customers along one column: ``totals`` of its ``categories``; and the category of each cell of answers."""

    name: str
    categories: Sequence[str]
    totals: Floats
    places: Ints


def rake(cells: npt.ArrayLike, margins: Sequence[Margin], *, tolerance: float = TOLERANCE) -> Floats:
    """By how much each cell of answers is to be weighted so that every margin is that of the customers.

    Iterative proportional fitting (Deming and Stephan 1940): each margin in turn, until all are met. One crossed margin is
    post-stratification, and met at once. ``cells`` are counts of answers, or sums of their design weights, one column a
    cell; each row (a replicate) is raked by itself. Weights are not trimmed.
    """
    cells = np.asarray(cells, dtype=float)
    rows = np.atleast_2d(cells)
    _refuse(rows, margins)
    total = margins[0].totals.sum()
    inside = [np.eye(len(margin.totals))[margin.places] for margin in margins]
    fitted = rows.copy()
    missed = np.full(len(margins), np.inf)
    for _ in range(ROUNDS):
        for margin, within in zip(margins, inside, strict=True):
            # Not a product of matrices, whose last digit may depend on the number of threads.
            found = np.einsum("bc,ck->bk", fitted, within)
            fitted *= np.divide(margin.totals, found, out=np.zeros_like(found), where=found > 0)[:, margin.places]
        sums = [np.einsum("bc,ck->bk", fitted, within) for within in inside]
        missed = np.array([np.abs(found - margin.totals).max() for found, margin in zip(sums, margins, strict=True)])
        if missed.max() <= tolerance * total:
            factors: Floats = np.divide(fitted, rows, out=np.zeros_like(rows), where=rows > 0).reshape(cells.shape)
            return factors
    worst = int(missed.argmax())
    raise ValueError(
        f"the margins cannot be met together: after {ROUNDS} rounds '{margins[worst].name}' is still missed by "
        f"{100 * missed[worst] / total:.2g} % of the customers. Some combinations of their categories have no answers: "
        "leave a margin out, or join categories."
    )


def _refuse(rows: Floats, margins: Sequence[Margin]) -> None:
    """Raise the letter about margins that no weights can meet."""
    first = margins[0].totals.sum()
    for margin in margins:
        if not np.isclose(margin.totals.sum(), first, rtol=TOLERANCE, atol=0):
            raise ValueError(
                f"'{margins[0].name}' has {first:,.10g} customers and '{margin.name}' {margin.totals.sum():,.10g}: "
                "margins of the same customers add up to the same number."
            )
        answered = np.bincount(margin.places, rows.min(axis=0), minlength=len(margin.totals))
        empty = np.flatnonzero((margin.totals > 0) & (answered <= 0))
        if len(empty):
            words = [f"'{margin.categories[place]}', {100 * margin.totals[place] / first:.2g} % of the customers" for place in empty[:3]]
            raise ValueError(
                f"no answer is of {len(empty)} of the {len(margin.totals)} categories of '{margin.name}' that customers have "
                f"({'; '.join(words)}{'; …' if len(empty) > 3 else ''}), so nothing can be weighted to stand for them. "
                "Leave the margin out, or join these categories with others."
            )


def design_effect(n: npt.ArrayLike, weights: npt.ArrayLike, squares: npt.ArrayLike) -> Floats:
    """Kish's design effect of unequal weights, n Σw² / (Σw)²: of how many answers one is left. Missing where there are none."""
    n, worth = np.asarray(n, dtype=float), effective_n(weights, squares)
    effect: Floats = np.divide(n, worth, out=np.full_like(worth, np.nan), where=worth > 0)
    return effect


def standardised_difference(share: npt.ArrayLike, target: npt.ArrayLike) -> Floats:
    """Absolute standardised mean difference of a share from that of the customers, in standard deviations of one of these.

    Infinite where all customers are, or none is, of a category, and not so the answers.
    """
    share, target = np.asarray(share, dtype=float), np.asarray(target, dtype=float)
    apart, spread = np.abs(share - target), np.sqrt(target * (1 - target))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(apart > 0, apart / spread, 0.0)


@dataclass(frozen=True)
class Parts:
    """Answers of a sample in parts, one a row: of which ``cell`` of the margins, in which ``group``, given by which ``people``.

    People are numbered from 0, several of whom may share a number; -1 are answers that nobody signed, all of one score.
    ``weight`` sums the design weights of a part and ``alone`` is how many answers of equal weight that would be;
    ``worth`` are sums of weight times what an answer is worth, one row a number that is looked for.
    """

    cell: Ints
    group: Ints
    people: Ints
    weight: Floats
    alone: Floats
    worth: Floats


def replicates(parts: Parts, margins: Sequence[Margin], *, groups: int, number: int = REPLICATES) -> Floats:
    """The weighted means of every group in replicates of the sample, each raked anew: a row a replicate, then number, then group.

    In a replicate each person counts not once but as often as an exponential draw says (the Bayesian bootstrap of Rubin
    1981). Nobody is ever left out, so no category that has an answer is ever without one, and each replicate can be raked.
    The draws are the same for every table, and do not depend on the order of its rows.
    """
    from scipy import sparse

    chance = np.random.default_rng(SEED)
    signed = parts.people >= 0
    rows = np.arange(len(parts.cell))
    to_cell = sparse.csr_array((parts.weight, (parts.cell, rows)), shape=(len(margins[0].places), len(rows)))
    to_group = [sparse.csr_array((of, (parts.group, rows)), shape=(groups, len(rows))) for of in (parts.weight, *parts.worth)]
    found = []
    for _ in range(number // BLOCK):
        drawn = chance.standard_exponential((parts.people.max(initial=0) + 1, BLOCK))
        times = np.empty((len(rows), BLOCK))
        times[signed] = drawn[parts.people[signed]]
        each = parts.alone[~signed, None]
        times[~signed] = chance.standard_gamma(each, size=(len(each), BLOCK)) / each
        factors = rake((to_cell @ times).T, margins, tolerance=ROUGHLY)
        times *= factors.T[parts.cell]
        total, *sums = (of @ times for of in to_group)
        found.append(np.stack([np.divide(one, total, out=np.full_like(total, np.nan), where=total > 0) for one in sums]))
    return np.concatenate(found, axis=2).transpose(2, 0, 1)


def replicated_variance(found: Floats, number: npt.ArrayLike) -> Floats:
    """Variance of each mean over its replicates; missing below two people.

    Exponential draws make the variance of a mean of independent people too small by (n - 1) / (n + 1).
    """
    number = np.asarray(number, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(number > 1, found.var(axis=0) * (number + 1) / (number - 1), np.nan)


def clusters(parts: Parts, factors: Floats, position: int, *, groups: int) -> Clusters:
    """Sums over people of their weights after raking, and of what their answers are worth in one number; who did not sign is alone."""
    weight, value = parts.weight * factors[parts.cell], parts.worth[position] * factors[parts.cell]
    signed = parts.people >= 0
    size = int(parts.people.max(initial=0)) + 1
    person = parts.group[signed] * size + parts.people[signed]
    a, b = (np.bincount(person, each[signed], minlength=groups * size).reshape(groups, size) for each in (weight, value))
    own = [(a > 0).sum(axis=1), a.sum(axis=1), b.sum(axis=1), (a * a).sum(axis=1), (a * b).sum(axis=1), (b * b).sum(axis=1)]
    group = parts.group[~signed]
    weight, value, alone = (each[~signed] for each in (weight, value, parts.alone))
    others = [alone, weight, value, weight**2 / alone, weight * value / alone, value**2 / alone]
    return Clusters(*(one + np.bincount(group, other, minlength=groups) for one, other in zip(own, others, strict=True)))


def worth(of: Clusters, found: Floats, *, spread: npt.ArrayLike, n: npt.ArrayLike, n_eff: npt.ArrayLike) -> tuple[Floats, Floats]:
    """How many independent answers each group's weighted answers are worth, with how many degrees of freedom that is known.

    The fewer of two: by the variance over the replicates ``found``; and by `cxlib.stats.variance.worth`, with weights that
    do not change. Where margins foretell the score, replicates vary less than that. With few people they do so by chance.
    """
    given, freedom = variance.worth(of, spread=spread, n=n, n_eff=n_eff)
    spread, again = np.asarray(spread, dtype=float), replicated_variance(found, of.number)
    by_replicates = np.divide(spread, again, out=np.full_like(spread, np.nan), where=(again > 0) & (spread > 0))
    return np.fmin(given, by_replicates), freedom
