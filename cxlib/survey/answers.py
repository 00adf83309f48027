"""Answers counted: what every survey measure asks of its table, in one aggregation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.stats import intervals
from cxlib.tables import RESULT, Table, TableError, ask, did_you_mean, expression, need, nothing
from cxlib.tables.rows import absent_key, dates, examples, key_columns, numbered, plain, refuse_type, restored, typed, whole

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Sums of weights are exact between these bounds, so that they repeat to the byte; only ratios of weights count.
LIGHTEST, HEAVIEST = 1e-6, 1e9
EXACT = "decimal(38, 18)"

#: The column that names who answered, and the one that a comparison of periods makes.
PEOPLE, PERIOD = "respondent", "cx_period"

#: The kinds of question, and what to say where nobody was asked one.
KINDS = {
    "nps": "Nobody was asked how likely they are to recommend.",
    "csat": "Nobody was asked how satisfied they are.",
    "ces": "Nobody was asked how much effort it took.",
    "rating": "Nobody was asked for a rating.",
    "choice": "Nobody was asked a question with choices, or one with yes and no.",
    None: "There are no answers.",
}


@dataclass(frozen=True)
class Asked:
    """What a measure asks for: who asks, which answers, in which groups, on which scale; and what a ``row`` is called."""

    by_whom: str
    kind: str | None
    names: list[str]
    question: str | None = None
    weight: str | None = None
    scale: tuple[int, int] | None = None
    each_question: bool = False
    cluster: str | None = None
    period: Callable[[ir.Table], Any] | None = None
    row: str = "answer"

    def prepared(self, expr: ir.Table) -> ir.Table:
        """The table with the columns that are made and not read."""
        import ibis

        if self.each_question and "question" not in expr.columns:
            # A bare frame may hold the answers to one question that has no name.
            expr = expr.mutate(question=ibis.null("string"))
        return expr.mutate(**{PERIOD: self.period(expr)}) if self.period else expr

    def who(self, expr: ir.Table) -> str | None:
        """The column that tells people apart, where there is one. The usual one may be absent; one that was named may not."""
        return None if self.cluster == PEOPLE and PEOPLE not in expr.columns else self.cluster

    @property
    def single(self) -> list[str]:
        """What has to be the same for all the answers: one question, or of a named question the kind."""
        if self.question is not None:
            return ["kind"] if self.kind else []
        return [] if "question" in self.names else ["question"]

    def rows(self, expr: ir.Table) -> ir.Table:
        """The answers to what is asked, under the names used here; one row an answer, skipped ones too."""
        import ibis

        expr = self.prepared(expr)
        who = self.who(expr)
        if self.question is not None:
            expr = expr.filter(expr["question"] == self.question)
        elif "kind" in expr.columns:
            # What was chosen of several is no score on a scale, though it is kept as 1 or 0.
            expr = expr.filter(expr["kind"] == self.kind if self.kind else (expr["kind"] != "choice").fill_null(True))
        low, high = (
            expr[name].cast("int64") if name in expr.columns else ibis.literal(bound, "int64")
            for name, bound in zip(("scale_low", "scale_high"), self.scale or (None, None), strict=True)
        )
        weighed = typed(expr, self.weight, "number") if self.weight else ibis.literal(1.0)
        carried = [name for name in (*self.single, "cx_row") if name in expr.columns]
        return expr.select(
            **key_columns(expr, self.names),
            **{name: expr[name] for name in carried},
            scale_low=low,
            scale_high=high,
            low_is_good=ibis.coalesce(typed(expr, "low_is_good", "yes/no"), False),
            score=typed(expr, "score", "number"),
            day=typed(expr, "time_answered", "date"),
            weight=weighed,
            who=expr[who] if who else ibis.null("string"),
        )

    def tally(self, table: Table) -> Tally:
        """Count the answers, after refusing what cannot be counted."""
        expr = expression(table)
        prepared = self.prepared(expr)
        need(prepared, [*self.names, "score", *filter(None, [self.weight, self.who(expr)])], asks=self.by_whom)
        if self.question is not None:
            need(expr, ["question"], asks=self.by_whom)
        if self.scale is not None and "scale_low" in expr.columns:
            raise ValueError("scale: the table declares its scales itself (scale_low, scale_high)")
        for name, kind in (("score", "number"), ("time_answered", "date"), (self.weight or "", "number")):
            refuse_type(table, expr, name=name, kind=kind, asks=self.by_whom)
        cells = ask(_cells(expr, self))
        cells = whole(cells, [name for name in ("rows", "answers", "misfits", "weighted", "unweighted") if name in cells])
        if not cells["rows"].sum():
            _refuse_unknown_question(expr, self)
            return _no_groups(KINDS[self.kind])
        _refuse(table, cells, self)
        cells = restored(cells, prepared, self.names)
        made = {PERIOD, "question"} if self.each_question else {PERIOD}
        reason = absent_key(cells, [name for name in self.names if name not in made], row=self.row)
        if not self.weight:
            cells["weight"] = cells["square"] = cells["answers"]
        elif cells["answers"].sum() and cells["unweighted"].sum() == cells["answers"].sum():
            reason = reason or "No answer has a weight."
        return _no_groups(reason) if reason else replace(_grouped(cells, self), asked=self, expr=expr)

    def result(self, frame: pd.DataFrame, counts: Iterable[str], *, axis: Sequence[str] = (), level: float) -> pd.DataFrame:
        """A result in its shape; rows in order of the keys, those of one group in the order they came."""
        names = [*self.names, *axis]
        frame = frame.assign(level=level)
        if names:
            frame = frame.sort_values(names, na_position="last", kind="stable")
        return frame[[*names, *RESULT, *counts]].reset_index(drop=True)

    def nothing(self, counts: dict[str, str], *, axis: Sequence[str] = (), reason: str) -> pd.DataFrame:
        """A result without rows, its counts of the same types as ever."""
        return nothing(keys=[*self.names, *axis], counts=counts, reason=reason)


@dataclass(frozen=True)
class Tally:
    """The answers of each group by score.

    ``groups`` has the keys, ``scale_low``, ``scale_high``, ``low_is_good``, ``since``, ``until``, one row a group in
    order of the keys; ``counts`` and ``weights`` one column a score, the first for ``scale_low``; ``squares`` Σw².
    Without weights the weights are the counts. ``reason`` says why there is no group; ``asked`` and ``expr`` are what
    was asked of which table.
    """

    groups: pd.DataFrame
    counts: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]
    squares: npt.NDArray[np.float64]
    reason: str = ""
    asked: Asked | None = None
    expr: ir.Table | None = None

    @property
    def n(self) -> npt.NDArray[np.int64]:
        """Answers of each group."""
        total: npt.NDArray[np.int64] = self.counts.sum(axis=1)
        return total

    @property
    def n_eff(self) -> npt.NDArray[np.float64]:
        """Kish's effective number of answers of each group; ``n`` without weights."""
        return intervals.effective_n(self.weights.sum(axis=1), self.squares)

    def scaled(self, n: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Weighted answers by score, scaled to sum to ``n``: what the intervals are computed from."""
        total = self.weights.sum(axis=1)
        scale = np.divide(n, total, out=np.zeros_like(total), where=total > 0)
        found: npt.NDArray[np.float64] = self.weights * scale[:, None]
        return found

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

    def refuse_scales(self, asked: Asked, known: Iterable[tuple[int, int, bool]], wanted: str) -> None:
        """Raise the letter about a scale (lowest, highest, whether low is good) for which the measure has no meaning."""
        in_use = set(self.groups[["scale_low", "scale_high", "low_is_good"]].itertuples(index=False, name=None))
        for low, high, reverse in sorted(in_use - set(known)):
            words = f"{low} to {high}{', low is good' if reverse else ''}"
            raise TableError(
                f"{asked.by_whom}: these answers are on a scale of {words}; {asked.by_whom} is known on {wanted}. "
                "Use ratings for any other scale."
            )


def _judged(rows: Any) -> Any:
    """Whether a score ``fits`` its scale, or ``misfits``, beside it; a missing one does neither."""
    score = rows["score"]
    fits = ((score == score.floor()) & score.between(rows["scale_low"], rows["scale_high"])).fill_null(False)
    return rows.mutate(fits=fits, misfits=score.notnull() & ~fits)


def _usable(weight: Any) -> Any:
    return weight.between(LIGHTEST, HEAVIEST).fill_null(False)


def _cells(expr: ir.Table, asked: Asked) -> ir.Table:
    """The one aggregation: a row for each group and score, with what is needed to refuse."""
    import ibis

    rows: Any = asked.rows(expr)
    over = [name for name in rows.columns if name not in {"score", "day", "weight", "who"}]
    nothing_yet = ibis.null("float64")
    # First by the score as it stands: what follows then judges a few rows instead of millions.
    counted = {"rows": rows.count(), "since": rows["day"].min(), "until": rows["day"].max()}
    if asked.weight:
        exact = _usable(rows["weight"]).ifelse(rows["weight"], nothing_yet)
        counted |= {"weight": exact.cast(EXACT).sum(), "square": (exact * exact).cast(EXACT).sum()}
        counted |= {"weighted": exact.count(), "unweighted": rows["weight"].isnull().sum()}
    scores = _judged(rows.group_by([*over, "score"]).agg(**counted))
    # Then by the score if it fits: whatever else was written there, there are no more cells than scores.
    fits = scores["fits"]
    sums = {"rows": scores["rows"].sum(), "answers": fits.ifelse(scores["rows"], 0).sum()}
    sums |= {"misfits": scores["misfits"].ifelse(scores["rows"], 0).sum()}
    sums |= {"since": scores["since"].min(where=fits), "until": scores["until"].max(where=fits)}
    sums |= {name: scores[name].sum(where=fits) for name in counted if name not in sums}
    scores = scores.mutate(score=fits.ifelse(scores["score"], nothing_yet).cast("int64"))
    cells: ir.Table = scores.group_by([*over, "score"]).agg(**sums)
    return cells


def _refuse(table: Table, cells: pd.DataFrame, asked: Asked) -> None:
    """Raise the letter about the first thing that makes these counts meaningless."""
    who, answers = asked.by_whom, int(cells["answers"].sum())
    _refuse_mixed_questions(cells, asked)
    if cells["scale_low"].isna().any():
        raise TableError(f"{who}: the table does not say on which scale its answers are. Say it, for instance: scale=(1, 5)")
    if misfits := int(cells["misfits"].sum()):
        bad = cells.loc[cells["misfits"] > 0, ["scale_low", "scale_high"]].drop_duplicates().sort_values(["scale_low", "scale_high"])
        scales = " or ".join(f"{int(low)} to {int(high)}" for low, high in bad.itertuples(index=False))
        words, first = examples(table, lambda t: _judged(asked.rows(t)), bad="misfits", value="score")
        raise TableError(
            f"{who}: {misfits:,} of {answers + misfits:,} values of 'score' are not whole numbers from {scales} ({words}). "
            f"If one of them means 'no answer', declare it: no_answer = [{plain(first)}] under [tables.responses] in data/sources.toml."
        )
    if asked.weight and answers > (weighted := int(cells["weighted"].sum())) and answers > int(cells["unweighted"].sum()):
        words, _ = examples(table, lambda t: _misweighted(asked.rows(t)), bad="misweighted", value="weight")
        raise TableError(
            f"{who}: {answers - weighted:,} of {answers:,} answers have no '{asked.weight}' from {LIGHTEST:g} to {HEAVIEST:g} ({words}). "
            "Only the ratios of weights count: rescale them; leave out answers that have none."
        )


def _misweighted(rows: Any) -> Any:
    rows = _judged(rows)
    return rows.mutate(misweighted=rows["fits"] & ~_usable(rows["weight"]))


def _refuse_mixed_questions(cells: pd.DataFrame, asked: Asked) -> None:
    """Two questions of one kind, or a question of another kind, are not one measure."""
    for name in asked.single:
        found = sorted(cells[name].dropna().unique()) if name in cells else []
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
    number, groups = numbered(cells, over)
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
        np.add.at(matrix, place, cells[name].to_numpy()[answered].astype("float64"))
    return Tally(groups, counts.astype("int64"), weights, squares.sum(axis=1))
