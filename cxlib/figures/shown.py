"""A result as it may be shown: read, small groups withheld, ready to be drawn, said, tabled and handed on."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial
from typing import Any

import pandas as pd

from cxlib.figures.lettered import TOTAL, columns_of, is_banner, unlettered
from cxlib.figures.measures import AXES, Measure, a_date, counted, family, label, listed, measure_of, moving, spoken
from cxlib.figures.moves import is_moves, names_of, way_of
from cxlib.figures.rests import UNPOOLED, is_rests, unpooled
from cxlib.figures.settings import CURRENT
from cxlib.figures.stretches import stretched, stretches_words
from cxlib.figures.withhold import OF_THE_CLOSE, PAIR, few_late, few_losses, few_words, sides_of, withheld
from cxlib.tables import RESULT

#: Keys along which a result is a curve, each of whose steps is somebody's.
ALONG = ("tenure_days", "gap_days", "after_days")


@dataclass(frozen=True)
class Row:
    """One number that may be shown, with everything that must stand beside it."""

    keys: tuple[tuple[str, object], ...]
    estimate: float
    low: float
    high: float
    level: float
    n: float
    counts: dict[str, Any]
    silent: tuple[str, ...] = ()
    #: The last day along its curve for which it is known to hold; missing where it is of no curve.
    holds: float = math.nan

    @property
    def label(self) -> str:
        return label(self.without(*self.silent))

    @property
    def spoken(self) -> str:
        """Its label inside a sentence, where "not recorded" must say what was not."""
        return spoken(self.without(*self.silent))

    def key(self, name: str) -> Any:
        return dict(self.keys)[name]

    def count(self, name: str) -> float:
        """One of its counts as a number; NaN where it is missing."""
        return _number(self.counts.get(name))

    def group(self, *axes: str) -> Row:
        """The same number of the group that a curve or a series belongs to: without the keys along it."""
        return replace(self, keys=self.without(*axes))

    def without(self, *names: str) -> tuple[tuple[str, object], ...]:
        """Its keys but for some of them."""
        return tuple((key, value) for key, value in self.keys if key not in names)

    @property
    def month(self) -> date:
        day = a_date(self.key("month"))
        return date.min if day is None else day


def by_group(rows: Iterable[Row], *axes: str) -> list[list[Row]]:
    """Rows by the group that a curve, a series or a whole belongs to: without the keys along it, in the order in which groups come."""
    found: dict[tuple[tuple[str, object], ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple((key, str(value)) for key, value in row.without(*axes)), []).append(row)
    return list(found.values())


@dataclass(frozen=True)
class Shown:
    """A result, withheld where a group is small.

    ``frame`` holds every row, numbers of withheld ones missing, and columns ``withheld`` and ``beside``; ``small``
    and ``beside`` are the labels of the groups withheld because they are small, and because a small
    one could be worked out from them; ``cut`` counts the rows of curves that were left out, and ``gone``
    are the groups of which no row is left; ``remarks`` is what the measure itself has left out;
    ``together`` counts the comparisons of a whole report, where its movements were corrected with all of them;
    ``stretched`` says of a curve that its steps were put together.
    """

    frame: pd.DataFrame
    keys: tuple[str, ...]
    counts: tuple[str, ...]
    measure: Measure
    name: str
    k: int
    as_of: date | None
    given: str | None
    small: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    cut: int = 0
    gone: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    together: int = 0
    stretched: str = ""

    @cached_property
    def rows(self) -> list[Row]:
        """The rows that are drawn: of the measure the result is about, not withheld, with an estimate or an interval."""
        return self.rows_of(self.measure.name)

    def rows_of(self, measure: str) -> list[Row]:
        """The rows of one measure that may be shown."""
        wanted = self.frame[(self.frame["measure"] == measure) & ~self.frame["withheld"] & (self.frame["n"] > 0)]
        records = [{str(name): value for name, value in record.items()} for record in wanted.to_dict("records")]
        return [self._row(record) for record in records]

    def _row(self, record: dict[str, Any]) -> Row:
        estimate, low, high, level, n = (_number(record[name]) for name in ("estimate", "low", "high", "level", "n"))
        keys = tuple((key, record[key]) for key in self.keys)
        return Row(
            keys, estimate, low, high, level, n, {count: record[count] for count in self.counts}, self.silent, _number(record.get("holds"))
        )

    @cached_property
    def silent(self) -> tuple[str, ...]:
        """Keys that a label leaves out, as the others tell the rows apart: the only tenure asked for, the question of a touchpoint."""
        kept = list(self.keys)
        for key in ("question", *AXES):
            others = [name for name in kept if name != key]
            shown = self.frame[self.frame["measure"] == self.measure.name]
            if key in kept and others and not shown.duplicated(subset=others).any():
                kept = others
        return tuple(key for key in self.keys if key not in kept)

    @property
    def level(self) -> float:
        return self.rows[0].level if self.rows else 0.95

    @property
    def reason(self) -> str | None:
        """Why there is nothing to draw, as a sentence; None where there is something."""
        if self.rows and ("month" not in self.keys or self.dated):
            return None
        if self.rows:
            return "No month can be shown: what is left carries no date."
        if self.given:
            return self.given
        fewer = few_words(self.measure, self.frame.columns, self.k)
        if self.beside:
            return f"Nothing is shown: what is left would give away a group of {fewer}."
        if self.small or self.cut:
            return f"Nothing is shown: {'every group has' if self.keys else 'there are'} {fewer}."
        return f"There are no {self.measure.base[1]} to show." if len(self.frame) else "There is nothing to show."

    @property
    def notes(self) -> list[str]:
        """What is not shown, and why, as sentences."""
        said = []
        fewer = f"fewer than {counted(self.k, *self.measure.base)}"
        if self.small:
            said.append(f"Not shown: {few_words(self.measure, self.frame.columns, self.k)} ({_some(self.small)}).")
        if self.beside:
            said.append(f"Not shown either, as the total would give a smaller group away: {_some(self.beside)}.")
        if self.gone:
            said.append(f"Not shown: {fewer} at risk ({_some(self.gone)}).")
        elif self.cut:
            said.append(f"Not shown: {'tenures' if 'tenure_days' in self.keys else 'days'} with {fewer} at risk.")
        said += self.remarks
        if self.empty and not is_moves(self.keys):
            nobody = f"No {self.measure.base[1]}{' on one of the two sides' if sides_of(self.counts) else ''}"
            said.append(f"{nobody}: {_some(self.empty)}.")
        return said

    @property
    def empty(self) -> tuple[str, ...]:
        """The groups nobody belongs to: they are in the table, and have nothing to draw."""
        nobody = self.frame[(self.frame["measure"] == self.measure.name) & (self.frame["n"] == 0).fillna(False)]
        if is_banner(self.keys):
            return columns_of(nobody)
        return _labels(nobody, [key for key in self.keys if key not in AXES]) if self.keys else ()

    @cached_property
    def dated(self) -> list[Row]:
        """The rows of a series that have a month and an estimate, in order."""
        rows = (row for row in self.rows if row.month != date.min and not math.isnan(row.estimate))
        return sorted(rows, key=lambda row: row.month)

    @property
    def withheld(self) -> int:
        return len(self.small) + len(self.beside)

    def payload(self) -> dict[str, Any]:
        """The result as the record of a run keeps it: unrounded, small groups flagged and empty."""
        columns = [*self.keys, *RESULT, *self.counts, "withheld"]
        records = self.frame[columns].to_dict("records")
        rows = [{str(name): _scalar(value) for name, value in record.items()} for record in records]
        return {
            "name": self.name,
            "keys": list(self.keys),
            "counts": list(self.counts),
            "rows": rows,
            "withheld": self.withheld,
            "reason": self.reason,
        }


def read(result: pd.DataFrame, *, asks: str, needs: Sequence[str] = ()) -> Shown:
    """Check that ``result`` is one, withhold its small groups, and say what it is about."""
    keys, counts = _columns(result, asks)
    missing = [key for key in needs if key not in keys]
    if missing and len(result):
        raise ValueError(f"{asks}: the result has no key '{missing[0]}'; its keys are {listed(keys) or 'none'}.")
    frame = result.reset_index(drop=True)
    k = CURRENT.smallest_group
    groups = [key for key in keys if key not in AXES]
    flags = withheld(frame, keys=keys, k=k)
    frame = frame.assign(withheld=flags["small"] | flags["beside"])
    few = few_late(frame, keys=keys, k=k) & ~frame["withheld"]
    few_labels = _labels(frame[few], groups)
    frame.loc[few, [name for name in OF_THE_CLOSE if name in frame.columns]] = None
    split = few_losses(frame, keys=keys, k=k) & ~frame["withheld"]
    frame.loc[split, [name for name in ("contraction", "churned") if name in frame.columns]] = None
    along = next((key for key in ALONG if key in keys), None)
    tail = (frame["n"] > 0) & (frame["n"] < k) & ~frame["withheld"] & (along is not None)
    names = partial(names_of, way=way_of(frame)) if is_moves(keys) else _columns_named if is_banner(keys) else _labels
    own = [key for key in groups if key not in PAIR] if is_moves(keys) else [*groups, *({"end_reason"} & set(keys))]
    small, beside = (names(frame[flags[column]], own) for column in ("small", "beside"))
    frame["beside"] = flags["beside"]
    left = _labels(frame[~tail], groups)
    gone = tuple(name for name in _labels(frame[tail], groups) if name not in left)
    remarks = list(result.attrs.get("notes", ()))
    if split.any():
        words = "by itself what those who left paid and what others pay less, where either is of fewer than"
        remarks.append(
            f"Not shown: {words} {counted(k, *measure_of(result).base)}, or would be given away ({_some(_labels(frame[split], groups))})."
        )
    if is_banner(keys):
        frame = unlettered(frame)
    elif is_rests(counts):
        frame, gave_away = unpooled(frame)
        remarks += [UNPOOLED] * gave_away
    whole, frame = frame[~tail], stretched(frame[~tail], keys=keys, k=k)
    put_together = stretches_words(whole, frame, keys=keys, k=k)
    # Of a withheld curve only the group stays: each of its steps is the tenure of somebody.
    steps = frame["withheld"] & (along is not None)
    steps &= frame.duplicated(subset=[key for key in keys if key != along] + ["measure", "withheld"])
    frame = _blanked(frame, keys, counts)[~steps].reset_index(drop=True)
    name, given = _name(result, keys, own, frame), result.attrs.get("reason")
    held: dict[str, Any] = {"small": small, "beside": beside, "cut": int(tail.sum()), "gone": gone, "remarks": tuple(remarks)}
    if few_labels:
        words = f"fewer than {counted(k, 'late answer', 'late answers')} changed, or would be given away"
        held["remarks"] += (f"Not shown: what {words} ({_some(few_labels)}).",)
    held["stretched"], held["together"] = put_together, int(result.attrs.get("together", 0))
    return Shown(frame, tuple(keys), tuple(counts), measure_of(result), name, CURRENT.smallest_group, CURRENT.as_of, given, **held)


def _columns(result: pd.DataFrame, asks: str) -> tuple[list[str], list[str]]:
    """Keys and counts of a result: what stands before and after its six fixed columns."""
    columns = [str(column) for column in result.columns]
    lacking = [name for name in RESULT if name not in columns]
    if lacking:
        raise ValueError(
            f"{asks}: this is not a result, it has no column '{lacking[0]}'. A result comes from a measure, such as survey.nps(responses)."
        )
    first = columns.index("measure")
    return columns[:first], [name for name in columns[first:] if name not in RESULT]


def _blanked(frame: pd.DataFrame, keys: Sequence[str], counts: Sequence[str]) -> pd.DataFrame:
    """The frame with no number left in a withheld row; whole numbers stay whole beside the gaps. How periods are paired is no number."""
    frame = frame.copy()
    for column in ["estimate", "low", "high", "level", "n", *(name for name in counts if name != "between")]:
        if pd.api.types.is_integer_dtype(frame[column].dtype):
            frame[column] = frame[column].astype("Int64")
        elif pd.api.types.is_bool_dtype(frame[column].dtype) or not pd.api.types.is_numeric_dtype(frame[column].dtype):
            frame[column] = frame[column].astype(object)
        frame.loc[frame["withheld"], column] = None
    for along in ALONG:
        if along in keys:
            frame[along] = frame[along].astype(float).mask(frame["withheld"])
    return frame


def _labels(frame: pd.DataFrame, groups: Sequence[str]) -> tuple[str, ...]:
    """The groups of some rows, each once, in their order."""
    if not len(frame):
        return ()
    if not groups:
        return ("all of them",)
    rows = frame[list(groups)].drop_duplicates().to_dict("records")
    return tuple(spoken((str(key), value) for key, value in row.items()) for row in rows)


def _columns_named(frame: pd.DataFrame, groups: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG001 - a column has one name
    return columns_of(frame)


def _name(result: pd.DataFrame, keys: Sequence[str], own: Sequence[str], frame: pd.DataFrame) -> str:
    """The file stem of a result, by what it holds and is grouped by."""
    if is_moves(keys):
        return _stem(family(result), [*own, *frame["between"].head(1)])
    if is_banner(keys):
        return _stem(f"{measure_of(result).name}_banner", [name for name in dict.fromkeys(frame["breakdown"]) if name != TOTAL])
    return _stem(family(result), keys)


def _stem(measure: str, keys: Sequence[str]) -> str:
    """The file stem of a result: the measure, ``_by_``, its keys."""
    stem = f"{measure}_by_{'_'.join(keys)}" if keys else measure
    return re.sub(r"[^a-z0-9_]+", "_", stem.lower()).strip("_")


def _some(labels: Sequence[str], most: int = 5) -> str:
    return listed(labels) if len(labels) <= most else f"{', '.join(labels[:most])} and {len(labels) - most} more"


def _number(value: Any) -> float:
    return math.nan if value is None or pd.isna(value) else float(value)


def _scalar(value: Any) -> Any:
    """A value as JSON has it: dates as ISO text, nothing for what is missing or infinite."""
    if value is None or pd.isna(value):
        return None
    if isinstance(value, (date, pd.Timestamp)):
        return value.isoformat()[:10]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (bool, int, float)) else str(value)


def only(result: pd.DataFrame | None, *, asks: str, of: Sequence[Shown]) -> Row | None:
    """The number of everybody that groups are set against; None where it is not there or may not be shown."""
    if result is None:
        return None
    shown = read(result, asks=asks)
    if len(shown.frame) > shown.frame["measure"].nunique():
        raise ValueError(f"{asks}: than must be the number of everybody, but it is grouped by {listed(shown.keys)}.")
    other = next((each.measure.name for each in of if each.rows and shown.rows and each.measure.name != shown.measure.name), None)
    if other is not None:
        raise ValueError(f"{asks}: the groups hold '{other}', but than holds '{shown.measure.name}'; only one measure can be compared.")
    return shown.rows[0] if shown.rows else None


def movement_of(shown: Shown, result: pd.DataFrame, *, asks: str) -> Shown:
    """A movement given beside the score that moved; a letter where it is none, or of another score."""
    move = read(result, asks=asks)
    if not is_moves(move.keys):
        raise ValueError(
            f"{asks}: what follows the score must be its movements, such as survey.movement(responses); this is '{move.name}'."
        )
    of = moving(move.measure)
    if len(result) and len(shown.frame) and of.name not in set(shown.frame["measure"]):
        raise ValueError(f"{asks}: this is the movement of '{of.name}', but the score is '{shown.measure.name}'.")
    return move
