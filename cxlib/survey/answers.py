"""Answers counted: what every survey measure asks of its table, in one aggregation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.stats import intervals
from cxlib.tables import RESULT, Table, TableError, ask, did_you_mean, expression, need, nothing
from cxlib.tables.rows import absent_key, dates, examples, key_columns, plain, refuse_type, restored, typed

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Sums of weights are exact between these bounds, so that they repeat to the byte; only ratios of weights count.
LIGHTEST, HEAVIEST = 1e-6, 1e9
_EXACT = "decimal(38, 18)"

_NOBODY = {
    "nps": "Nobody was asked how likely they are to recommend.",
    "csat": "Nobody was asked how satisfied they are.",
    "ces": "Nobody was asked how much effort it took.",
    "rating": "Nobody was asked for a rating.",
    None: "There are no answers.",
}


@dataclass(frozen=True)
class Asked:
    """What a measure asks for: who asks, which answers, in which groups, on which scale."""

    by_whom: str
    kind: str | None
    names: list[str]
    question: str | None = None
    weight: str | None = None
    scale: tuple[int, int] | None = None

    @property
    def single(self) -> list[str]:
        """What has to be the same for all the answers: one question, or of a named question the kind."""
        if self.question is not None:
            return ["kind"] if self.kind else []
        return [] if "question" in self.names else ["question"]


@dataclass(frozen=True)
class Tally:
    """The answers of each group by score.

    ``groups`` has the keys, ``scale_low``, ``scale_high``, ``low_is_good``, ``since``, ``until``, one row a group in
    order of the keys; ``counts`` and ``weights`` one column a score, the first for ``scale_low``; ``squares`` Σw².
    Without weights the weights are the counts. ``reason`` says why there is no group.
    """

    groups: pd.DataFrame
    counts: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]
    squares: npt.NDArray[np.float64]
    reason: str = ""

    @property
    def n(self) -> npt.NDArray[np.int64]:
        """Answers of each group."""
        total: npt.NDArray[np.int64] = self.counts.sum(axis=1)
        return total

    @property
    def n_eff(self) -> npt.NDArray[np.float64]:
        """Kish's effective number of answers of each group; ``n`` without weights."""
        return intervals.effective_n(self.weights.sum(axis=1), self.squares)

    @property
    def effective(self) -> npt.NDArray[np.float64]:
        """Weighted answers by score, scaled to sum to ``n_eff``: what the intervals are computed from."""
        total = self.weights.sum(axis=1)
        scale = np.divide(self.n_eff, total, out=np.zeros_like(total), where=total > 0)
        scaled: npt.NDArray[np.float64] = self.weights * scale[:, None]
        return scaled

    def between(self, low: npt.ArrayLike, high: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which cells hold a score from ``low`` to ``high``, bounds given for each group."""
        score = self.groups["scale_low"].to_numpy()[:, None] + np.arange(self.counts.shape[1])
        inside: npt.NDArray[np.bool_] = (score >= np.asarray(low)[..., None]) & (score <= np.asarray(high)[..., None])
        return inside

    def scales(self) -> Iterator[tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]]:
        """Each scale in use: which groups are on it, and its scores."""
        for low, high in sorted(set(self.groups[["scale_low", "scale_high"]].itertuples(index=False, name=None))):
            rows = (self.groups["scale_low"] == low) & (self.groups["scale_high"] == high)
            yield rows.to_numpy(), np.arange(low, high + 1)


def means(counted: Tally, level: float) -> tuple[npt.NDArray[np.float64], ...]:
    """Mean of each group's answers with its interval, in points of the group's own scale."""
    found = np.full((3, len(counted.groups)), np.nan)
    for rows, scores in counted.scales():
        found[:, rows] = intervals.scale_mean(counted.effective[rows, : len(scores)], scores, level)
    return tuple(found)


def refuse_scales(counted: Tally, by_whom: str, known: Iterable[tuple[int, int, bool]], wanted: str) -> None:
    """Raise the letter about a scale (lowest, highest, whether low is good) for which the measure has no meaning."""
    asked = set(counted.groups[["scale_low", "scale_high", "low_is_good"]].itertuples(index=False, name=None))
    for low, high, reverse in sorted(asked - set(known)):
        words = f"{low} to {high}{', low is good' if reverse else ''}"
        raise TableError(
            f"{by_whom}: these answers are on a scale of {words}; {by_whom} is known on {wanted}. Use ratings for any other scale."
        )


def tally(table: Table, asked: Asked) -> Tally:
    """Count the answers, after refusing what cannot be counted."""
    import ibis

    expr = expression(table)
    if asked.kind in ("rating", None) and "question" not in expr.columns:
        expr = expr.mutate(question=ibis.null("string"))
    need(expr, [*asked.names, "score", *([asked.weight] if asked.weight else [])], asks=asked.by_whom)
    if asked.question is not None:
        need(expr, ["question"], asks=asked.by_whom)
    if asked.scale is not None and "scale_low" in expr.columns:
        raise ValueError("scale: the table declares its scales itself (scale_low, scale_high)")
    cells = ask(_cells(expr, asked))
    if not cells["rows"].sum():
        _refuse_unknown_question(expr, asked)
        return _no_groups(_NOBODY[asked.kind])
    _refuse(table, cells, asked)
    cells = restored(cells, expr, asked.names)
    # A bare frame may hold one question that has no name; any other key that is missing throughout divides nothing.
    reason = absent_key(cells, [name for name in asked.names if name != "question"], row="answer")
    if not asked.weight:
        cells["weight"] = cells["square"] = cells["answers"]
    elif cells["answers"].sum() and cells["unweighted"].sum() == cells["answers"].sum():
        reason = reason or "No answer has a weight."
    return _no_groups(reason) if reason else _grouped(cells, asked)


def result(frame: pd.DataFrame, *, names: Sequence[str], counts: Sequence[str], level: float) -> pd.DataFrame:
    """A result in its shape; rows in order of the keys, those of one group in the order they came."""
    frame = frame.assign(level=level)
    if names:
        frame = frame.sort_values(list(names), na_position="last", kind="stable")
    return frame[[*names, *RESULT, *counts]].reset_index(drop=True)


def no_result(names: Sequence[str], counts: dict[str, str], reason: str) -> pd.DataFrame:
    """A result without rows, its counts of the same types as ever."""
    return nothing(keys=names, counts=counts, reason=reason).astype(counts)


def _prepared(expr: ir.Table, asked: Asked) -> ir.Table:
    """One row an answer: its group, its scale, its score, and what is wrong with it. Skipped answers stay as rows."""
    import ibis

    if asked.question is not None:
        expr = expr.filter(expr["question"] == asked.question)
    elif asked.kind is not None and "kind" in expr.columns:
        expr = expr.filter(expr["kind"] == asked.kind)
    score, no_number = typed(expr, "score", "number")
    answered_on, no_date = typed(expr, "time_answered", "date")
    reverse, _ = typed(expr, "low_is_good", "yes/no")
    low, high = (
        expr[name].cast("int64") if name in expr.columns else ibis.literal(bound, "int64")
        for name, bound in zip(("scale_low", "scale_high"), asked.scale or (None, None), strict=True)
    )
    fits = score.notnull() & (score == score.floor()) & score.between(low, high)
    heavy: Any = ibis.literal(1.0)
    no_weight: Any = ibis.literal(False)
    if asked.weight:
        heavy, no_weight = typed(expr, asked.weight, "number")
    text = ibis.null("string")
    numbered = {"cx_row": expr["cx_row"]} if "cx_row" in expr.columns else {}
    return expr.select(
        **numbered,
        **key_columns(expr, asked.names),
        scale_low=low,
        scale_high=high,
        low_is_good=ibis.coalesce(reverse, False),
        score=fits.ifelse(score, ibis.null("float64")).cast("int64"),
        value=score,
        no_number=no_number,
        misfit=score.notnull() & ~fits,
        day=fits.ifelse(answered_on, ibis.null("date")),
        no_date=no_date,
        weight=fits.ifelse(heavy, ibis.null("float64")),
        misweight=fits & ~ibis.coalesce(heavy.between(LIGHTEST, HEAVIEST), False),
        unweighted=fits & heavy.isnull() & ~no_weight,
        no_weight=no_weight,
        question=expr["question"].cast("string") if "question" in expr.columns else text,
        kind=expr["kind"].cast("string") if "kind" in expr.columns else text,
    )


def _cells(expr: ir.Table, asked: Asked) -> ir.Table:
    """The one aggregation: a row for each group and score, with what is needed to refuse."""
    import ibis

    rows: Any = _prepared(expr, asked)
    counted = {"rows": rows.count(), "answers": rows["score"].count(), "valued": rows["value"].count()}
    counted |= {flag: rows[flag].sum() for flag in ("no_number", "misfit", "no_date")}
    counted |= {"since": rows["day"].min(), "until": rows["day"].max()}
    if asked.weight:
        # What misfits is only counted: it need not fit the exact type.
        exact = rows["misweight"].ifelse(ibis.null("float64"), rows["weight"])
        counted |= {"weight": exact.cast(_EXACT).sum(), "square": (exact * exact).cast(_EXACT).sum()}
        counted |= {flag: rows[flag].sum() for flag in ("misweight", "unweighted", "no_weight")}
    # The alphabetically first and last are enough to see whether there are two.
    for name in asked.single:
        counted |= {f"first_{name}": rows[name].min(), f"last_{name}": rows[name].max()}
    groups = [f"k{position}" for position in range(len(asked.names))]
    cells: ir.Table = rows.group_by([*groups, "scale_low", "scale_high", "low_is_good", "score"]).agg(**counted)
    return cells


def _refuse(table: Table, cells: pd.DataFrame, asked: Asked) -> None:
    """Raise the letter about the first thing that makes these counts meaningless."""
    who, rows = asked.by_whom, int(cells["rows"].sum())
    _refuse_mixed_questions(cells, asked)
    refuse_type(table, "score", "number", asks=who, wrong=int(cells["no_number"].sum()), rows=rows)
    refuse_type(table, "time_answered", "date", asks=who, wrong=int(cells["no_date"].sum()), rows=rows)
    if asked.weight:
        refuse_type(table, asked.weight, "number", asks=who, wrong=int(cells["no_weight"].sum()), rows=rows)
    if cells["scale_low"].isna().any():
        raise TableError(f"{who}: the table does not say on which scale its answers are. Say it, for instance: scale=(1, 5)")
    if misfits := int(cells["misfit"].sum()):
        bad = cells.loc[cells["misfit"] > 0, ["scale_low", "scale_high"]].drop_duplicates()
        scales = " or ".join(f"{int(low)} to {int(high)}" for low, high in bad.itertuples(index=False))
        words, first = examples(table, lambda t: _prepared(t, asked), bad="misfit", value="value")
        raise TableError(
            f"{who}: {misfits:,} of {int(cells['valued'].sum()):,} values of 'score' are not whole numbers from {scales} ({words}). "
            f"If one of them means 'no answer', declare it: no_answer = [{plain(first)}] under [tables.responses] in data/sources.toml."
        )
    answers = int(cells["answers"].sum())
    if asked.weight and (misweighted := int(cells["misweight"].sum())) and int(cells["unweighted"].sum()) < answers:
        words, _ = examples(table, lambda t: _prepared(t, asked), bad="misweight", value="weight")
        bounds = f"from {LIGHTEST:g} to {HEAVIEST:g}"
        raise TableError(
            f"{who}: {misweighted:,} of {answers:,} answers have no weight {bounds} in '{asked.weight}' ({words}). "
            "Only the ratios of weights count: rescale them; leave out answers that have none."
        )


def _refuse_mixed_questions(cells: pd.DataFrame, asked: Asked) -> None:
    """Two questions of one kind, or a question of another kind, are not one measure."""
    for name in asked.single:
        found = sorted({*cells[f"first_{name}"].dropna(), *cells[f"last_{name}"].dropna()})
        if name == "kind" and found not in ([], [asked.kind]):
            raise TableError(f"{asked.by_whom}: the question '{asked.question}' is of kind {' and '.join(found)}, not {asked.kind}.")
        if name == "question" and len(found) > 1:
            known = ", ".join(f"'{question}'" for question in found[:3])
            raise TableError(
                f"{asked.by_whom}: the answers are to several questions ({known}, …). "
                f"Name one, question='{found[0]}', or group by='question'."
            )


def _refuse_unknown_question(expr: ir.Table, asked: Asked) -> None:
    """A question that nobody was ever asked is a misspelt one, where there are others."""
    if asked.question is not None:
        known = sorted(ask(expr.select(question=expr["question"].cast("string")).distinct())["question"].dropna())
        if known:
            raise TableError(f"{asked.by_whom}: there is no question '{asked.question}'.{did_you_mean(asked.question, known)}")


def _no_groups(reason: str) -> Tally:
    nobody = np.zeros((0, 1))
    return Tally(pd.DataFrame(), nobody.astype("int64"), nobody, np.zeros(0), reason)


def _grouped(cells: pd.DataFrame, asked: Asked) -> Tally:
    """The cells as one row a group; refused where a group mixes scales, which have no common meaning."""
    over = [*asked.names, "scale_low", "scale_high", "low_is_good"]
    number = cells.groupby(over, dropna=False, sort=False).ngroup().to_numpy()
    groups = cells.iloc[np.unique(number, return_index=True)[1]][over].reset_index(drop=True)
    twice = groups.duplicated(asked.names, keep=False) if asked.names else pd.Series(len(groups) > 1, index=groups.index)
    if twice.any():
        mixed = groups[twice][over[-3:]].drop_duplicates().itertuples(index=False)
        scales = ", ".join(sorted(f"{low} to {high}{' with low as good' * bool(reverse)}" for low, high, reverse in mixed))
        raise TableError(
            f"{asked.by_whom}: answers on different scales ({scales}) stand in one group. "
            "They have no common score: name one question=, or group by what tells them apart."
        )
    days = pd.DataFrame({name: pd.to_datetime(cells[name]) for name in ("since", "until")}).groupby(number)
    groups["since"], groups["until"] = dates(days["since"].min()), dates(days["until"].max())
    answered = cells["answers"].to_numpy() > 0
    place = (number[answered], (cells["score"] - cells["scale_low"]).to_numpy()[answered].astype("int64"))
    shape = (len(groups), int((groups["scale_high"] - groups["scale_low"]).max()) + 1)
    counts, weights, squares = (np.zeros(shape) for _ in range(3))
    for matrix, name in ((counts, "answers"), (weights, "weight"), (squares, "square")):
        # Each cell has its place, so what is summed, and in which order, never depends on the engine.
        matrix[place] = cells[name].to_numpy()[answered].astype("float64")
    return Tally(groups, counts.astype("int64"), weights, squares.sum(axis=1))
