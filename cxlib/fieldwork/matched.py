"""Answers beside the customers they are to stand for: by category on both sides, with the weights that make them alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.fieldwork.population import Crossed, Population, margins_of, named_margins
from cxlib.stats import weighting
from cxlib.survey.answers import Asked, Tally
from cxlib.survey.scoring import Score
from cxlib.tables import Table, TableError, ask, expression, need
from cxlib.tables.rows import alike

if TYPE_CHECKING:
    import ibis.expr.types as ir

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: People are told apart by a number from 0 that several may share: how many numbers there are.
NUMBERS, NUMBER = 1009, "cx_people"


@dataclass(frozen=True)
class Sample:
    """Answers beside the customers they are to stand for.

    ``plain`` counts them by group, as they came; ``fine`` by group, columns and people, with design weights; ``cell`` is
    the cell of the margins that each row of ``fine`` is in, and ``factor`` what the answers of each cell are weighted by.
    """

    plain: Tally
    fine: Tally
    margins: list[weighting.Margin]
    cell: Ints
    factor: Floats
    population: Population | None
    notes: list[str]
    reason: str = ""

    @property
    def group(self) -> Ints:
        """The row of ``plain`` that each row of ``fine`` belongs to."""
        names = self.plain.asked.names if self.plain.asked else []
        return alike([self.plain.groups, self.fine.groups], names)[1]

    @property
    def counted(self) -> Tally:
        """The answers of each group by score, as raking has weighted them."""
        factor, group = self.factor[self.cell], self.group
        weights, squares = np.zeros(self.plain.counts.shape), np.zeros(len(self.plain.counts))
        np.add.at(weights[:, : self.fine.weights.shape[1]], group, self.fine.weights * factor[:, None])
        np.add.at(squares, group, self.fine.squares * factor**2)
        return replace(self.plain, weights=weights, squares=squares)


def crossed_of(margins: Sequence[str | Crossed], asks: str) -> list[Crossed]:
    """The margins, each as the columns that it crosses."""
    names = [margins] if isinstance(margins, str) else list(margins)
    found = [(name,) if isinstance(name, str) else tuple(name) for name in names]
    if not found or not all(found):
        raise ValueError(f"{asks}: margins names no column; say which columns of customers the answers are to be weighted to")
    if len(set(found)) < len(found):
        raise ValueError(f"{asks}: margins names a column twice")
    return found


def asked_of(asks: str, responses: Table, *, measure: str | Score, names: list[str]) -> tuple[Asked, Score]:
    """What a score asks of the answers, without its weight, and the score."""
    score = Score.of(measure)
    if score.name == "ratings" and score.question is None:
        raise ValueError(f"{asks}: each question was answered by others; name one, measure=Score('ratings', question='…')")
    return replace(score, weight=None).asks(responses, names, by_whom=asks), score


def sampled(asked: Asked, score: Score, responses: Table, *, customers: Table, crossed: list[Crossed], also: Sequence[str] = ()) -> Sample:
    """The answers and the customers by category, and the weights that make the one look like the other."""
    plain = asked.tally(responses)
    expr = expression(responses)
    columns = list(dict.fromkeys([*(name for each in crossed for name in each), *also]))
    need(expr, columns, asks=asked.by_whom)
    window = (_bound(plain, "since", min), _bound(plain, "until", max))
    population = Population.of(customers, columns, window, asks=asked.by_whom)
    if reason := plain.reason or population.reason:
        return _none(plain, reason)
    unknown = _unknown(expr, population, columns)
    notes = [f"Weighted to {population.words}.", *(f"{why} Nothing is weighted to it." for why in unknown.values())]
    kept = [each for each in crossed if not unknown.keys() & set(each)]
    if not kept:
        return _none(plain, next(iter(unknown.values())))
    fine = _fine(asked, score, expr, [name for name in columns if name not in unknown])
    categories, inside = margins_of(population, fine.groups, kept)
    strange = np.any(inside >= np.array([len(known) for known in categories]), axis=1)
    if strange.any():
        left = int(fine.n[strange].sum())
        notes.append(f"{left:,} of {fine.n.sum():,} answers {'is' if left == 1 else 'are'} of nobody among these customers and left out.")
        plain = asked.tally(expr.filter(_others(expr, fine.groups.loc[strange], columns)))
        fine, inside = _rows(fine, ~strange), inside[~strange]
    if plain.reason or not len(fine.n):
        return _none(plain, "No answer is of one of these customers.")
    cells, cell = np.unique(inside, axis=0, return_inverse=True)
    margins, cell = named_margins(categories, kept, cells), cell.ravel()
    try:
        factor = weighting.rake(np.bincount(cell, fine.weights.sum(axis=1)), margins)
    except ValueError as letter:
        raise TableError(f"{asked.by_whom}: {letter}") from None
    return Sample(plain, fine, margins, cell, factor, population, notes)


def _none(plain: Tally, reason: str) -> Sample:
    return Sample(plain, plain, [], np.zeros(0, dtype="int64"), np.zeros(0), None, [], reason)


def _bound(counted: Tally, name: str, end: Callable[[Any], date]) -> date | None:
    """The first or the last day of all answers; missing where none carries a date."""
    days = [] if counted.reason else [each for each in counted.groups[name] if each is not None]
    return end(days) if days else None


def _unknown(expr: ir.Table, population: Population, columns: Sequence[str]) -> dict[str, str]:
    """Columns that are empty for all answers or for all customers, and the sentence that says so."""
    filled = ask(expr.aggregate(**{name: expr[name].count() for name in columns})).iloc[0]
    found = {}
    for name in columns:
        row = "customer" if population.cells[name].isna().all() else "answer" if not filled[name] else ""
        if row:
            found[name] = f"No {row} has {'an' if name[0] in 'aeiou' else 'a'} {name}."
    return found


def _fine(asked: Asked, score: Score, expr: ir.Table, columns: Sequence[str]) -> Tally:
    """The answers by group, columns and people, weighted by design."""
    import ibis

    who = asked.who(expr)
    number: Any = ibis.literal(-1)
    if who:
        # Which number is left to the engine's own hash; it spreads people evenly, whatever they are called.
        hashed = expr[who].cast("string").hash() % NUMBERS
        number = expr[who].isnull().ifelse(-1, (hashed + NUMBERS) % NUMBERS)
    names = list(dict.fromkeys([*asked.names, *columns, NUMBER]))
    fine = replace(asked, names=names, weight=score.weight).tally(expr.mutate(**{NUMBER: number.cast("int64")}))
    return _rows(fine, fine.n > 0)


def _rows(fine: Tally, which: npt.NDArray[np.bool_]) -> Tally:
    groups = fine.groups.loc[which].reset_index(drop=True)
    return replace(fine, groups=groups, counts=fine.counts[which], weights=fine.weights[which], squares=fine.squares[which])


def _others(expr: ir.Table, strange: pd.DataFrame, columns: Sequence[str]) -> Any:
    """Answers of none of these combinations of categories."""
    import ibis

    names = [name for name in columns if name in strange]

    def same(name: str, value: Any) -> Any:
        return expr[name].isnull() if pd.isna(value) else (expr[name] == value).fill_null(False)

    combinations = strange[names].drop_duplicates().itertuples(index=False, name=None)
    of_them = [ibis.and_(*map(same, names, values)) for values in combinations]
    return ~ibis.or_(*of_them)
