"""The score and the ratings that one person gave on one occasion, side by side, counted by the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.stats.missing import Sums
from cxlib.survey.answers import EXACT, PEOPLE, Asked
from cxlib.tables import TableError, ask
from cxlib.tables.rows import alike, restored, typed

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: People are resampled in so many groups, where there are more of them.
UNITS = 400
#: Rows multiplied out at once.
_AT_ONCE = 20_000
_WHAT = ("touchpoint", "question")
_OCCASION = "cx_occasion"


@dataclass(frozen=True)
class Occasions:
    """The occasions on which somebody gave the score and rated something, counted.

    ``groups`` has one row a group: the keys, how many ``occasions`` and ``people`` there are, of each driver the number of
    people (``p0`` …), ``since`` and ``until``. ``rows`` has one row for each group, unit of resampling, score ``y`` and set of
    ratings (``v0`` …, missing where not rated): their number ``n``, their weight ``w`` and the sum of its squares ``ww``.
    """

    drivers: int
    groups: pd.DataFrame
    rows: pd.DataFrame

    def of(self, place: int) -> pd.DataFrame:
        """The rows of one group."""
        return self.rows[self.rows["group"] == place]

    def seen(self, place: int) -> npt.NDArray[np.bool_]:
        """Which drivers each row of a group rated."""
        seen: npt.NDArray[np.bool_] = self.of(place)[_rated(self.drivers)].notna().to_numpy()
        return seen

    def together(self, place: int) -> npt.NDArray[np.int64]:
        """On how many occasions each two drivers were rated beside a score; on the diagonal, each."""
        seen = self.seen(place).astype("int64")
        together: npt.NDArray[np.int64] = (seen * self.of(place)["n"].to_numpy(dtype="int64")[:, None]).T @ seen
        return together

    @classmethod
    def asked(cls, expr: ir.Table, outcome: Asked, ratings: Asked, known: pd.DataFrame) -> Occasions:
        """Ask for the counts; refused where somebody answered a question more than once on one occasion."""
        wide = _wide(expr, outcome, ratings, known)
        keys = [f"k{position}" for position in range(len(outcome.names))]
        size = len(known)
        seen = {f"p{driver}": wide["person"].nunique(where=wide["used"] & wide[f"v{driver}"].notnull()) for driver in range(size)}
        used = wide["used"]
        counted = wide.aggregate(
            by=keys, times=wide.count(), twice=wide["twice"].sum(), unpaired=(wide["y"].notnull() & ~used).cast("int64").sum(),
            occasions=used.cast("int64").sum(), people=wide["person"].nunique(where=used), **seen,
            since=wide["day"].min(where=used), until=wide["day"].max(where=used),
        )  # fmt: skip
        groups = restored(ask(counted), outcome.prepared(expr), outcome.names)
        if twice := int(groups["twice"].sum()):
            times = int(groups["times"].sum())
            raise TableError(
                f"drivers: on {twice:,} of {times:,} occasions somebody answered one question more than once, so it is not known which "
                "answers belong together. Give each occasion a name of its own in the column 'wave'."
            )
        rows = restored(ask(_counted(wide, keys, size, weighed=outcome.weight is not None)), outcome.prepared(expr), outcome.names)
        columns = ["unit", "y", *_rated(size)]
        rows = rows.assign(group=alike([groups, rows], outcome.names)[1], **rows[[*columns, "w", "ww"]].astype("float64"))
        return cls(size, groups, rows.sort_values(["group", *columns], kind="stable").reset_index(drop=True))

    @staticmethod
    def sums(rows: pd.DataFrame, chosen: Sequence[int], boxes: npt.NDArray[np.float64] | None = None) -> Sums:
        """What the regression on the drivers chosen needs, from the rows of a group; occasions that rated none of them are left out.

        With ``boxes``, the lowest score of the top box and the highest of the bottom box of each driver chosen, the regression is
        on whether the rating lies in these boxes.
        """
        ratings = rows[[f"v{driver}" for driver in chosen]].to_numpy(dtype=float)
        some = ~np.isnan(ratings).all(axis=1)
        rows, ratings = rows[some], ratings[some]
        seen = ~np.isnan(ratings)
        columns = [ratings] if boxes is None else [ratings >= boxes[:, 0], ratings <= boxes[:, 1]]
        z = np.column_stack([rows["y"].to_numpy(dtype=float), *(np.where(seen, column, 0.0) for column in columns)])
        answered = np.column_stack([np.ones(len(z), dtype=bool), *([seen] * len(columns))])
        unit = np.unique(rows["unit"].to_numpy(), return_inverse=True)[1].reshape(-1)
        kinds, kind = np.unique(np.column_stack([unit, seen]), axis=0, return_inverse=True)
        n, first, second = np.zeros(len(kinds)), np.zeros((len(kinds), z.shape[1])), np.zeros((len(kinds), z.shape[1], z.shape[1]))
        kind, weight = kind.reshape(-1), rows["w"].to_numpy(dtype=float)
        for at in range(0, len(z), _AT_ONCE):
            part = slice(at, at + _AT_ONCE)
            weighed = z[part] * weight[part, None]
            np.add.at(n, kind[part], weight[part])
            np.add.at(first, kind[part], weighed)
            np.add.at(second, kind[part], weighed[:, :, None] * z[part, None, :])
        one_of = np.unique(kind, return_index=True)[1]
        return Sums(kinds[:, 0].astype("int64"), answered[one_of], n, first, second)

    @staticmethod
    def named(groups: pd.DataFrame) -> pd.DataFrame:
        """Every part that was rated, once, and its name: the touchpoint where it has one question, else the question."""
        known = groups[list(_WHAT)].drop_duplicates().sort_values(list(_WHAT), na_position="last", kind="stable").reset_index(drop=True)
        touchpoint, question = known["touchpoint"].astype(object), known["question"].astype(object)
        alone = touchpoint.notna() & ~touchpoint.duplicated(keep=False)
        name = touchpoint.where(alone, question)
        both = touchpoint.astype(str) + ": " + question.astype(str)
        name = name.where(~name.duplicated(keep=False) | touchpoint.isna(), both)
        return known.assign(driver=name.where(name.notna(), "not named"))


def _rated(size: int) -> list[str]:
    return [f"v{driver}" for driver in range(size)]


def _wide(expr: ir.Table, outcome: Asked, ratings: Asked, known: pd.DataFrame) -> Any:
    """One row an occasion: the score ``y``, and the rating ``v`` of each driver.

    Where low is good an answer counts from the other end, so that more is always better.
    """
    import ibis

    where = [PEOPLE, _OCCASION]
    spots = [f"k{position}" for position in range(len(outcome.names))]
    parts = []
    for asked, what in ((outcome, []), (ratings, list(_WHAT))):
        rows: Any = replace(asked, names=[*outcome.names, *where, *what]).rows(_prepared(expr))
        own = [rows[f"k{len(spots) + place}"] for place in range(len(where) + len(what))]
        code = ibis.literal(-1)
        if what:
            of_driver = [_same(own[len(where) :], values) for values in known[what].to_numpy()]
            code = ibis.cases(*[(each, driver) for driver, each in enumerate(of_driver)], else_=-2)
        good = rows["low_is_good"].ifelse(rows["scale_low"] + rows["scale_high"] - rows["score"], rows["score"]).cast("int64")
        side = rows.select(
            **{spot: rows[spot] for spot in spots}, respondent=own[0], occasion=own[1],
            who=rows["who"].cast("string"), weight=rows["weight"], day=rows["day"], code=code.cast("int64"), value=good,
        )  # fmt: skip
        parts.append(side.filter(side["value"].notnull() & side["respondent"].notnull() & (side["code"] > -2)))
    return _beside(ibis.union(*parts), spots, len(known))


def _prepared(expr: ir.Table) -> Any:
    """The table with both columns that name what is rated, one of them empty where it is absent, and the occasion.

    That is the wave, else when the question was asked, else the day of the answer; of answers without any, all of a person.
    """
    import ibis

    known = [expr[name].cast("string") for name in ("wave", "time_asked") if name in expr.columns]
    occasion = ibis.coalesce(*known, typed(expr, "time_answered", "date").cast("string"))
    return expr.mutate(**{name: ibis.null("string") for name in _WHAT if name not in expr.columns}, **{_OCCASION: occasion})


def _same(at: Sequence[Any], values: Any) -> Any:
    one, other = (column.isnull() if pd.isna(value) else column == str(value) for column, value in zip(at, values, strict=True))
    return one & other


def _beside(rows: Any, spots: list[str], size: int) -> Any:
    """The answers of an occasion side by side, and a number for the person."""
    import ibis

    def of(code: int, name: str) -> Any:
        return rows[name].max(where=rows["code"] == code)

    columns = {"y": of(-1, "value"), "weight": of(-1, "weight"), "day": of(-1, "day"), "who": rows["who"].min()}
    columns |= {name: of(driver, "value") for driver, name in enumerate(_rated(size))}
    where = ["respondent", "occasion"]
    wide = rows.group_by([*spots, *where]).agg(**columns, twice=(rows.count() > rows["code"].nunique()).cast("int64"))
    some = ibis.coalesce(*[wide[name] for name in _rated(size)]).notnull()
    # Without a name for people each occasion is a person's own.
    alone = [wide["who"].isnull().ifelse(wide[name].cast("string"), ibis.null("string")) for name in where]
    person = ibis.dense_rank().over(ibis.window(order_by=[wide["who"], *alone]))
    return wide.mutate(used=wide["y"].notnull() & some, person=person)


def _counted(wide: Any, keys: list[str], size: int, *, weighed: bool) -> Any:
    """The one count: of each unit of resampling, which score stood beside which ratings."""
    wide = wide.filter(wide["used"]).mutate(unit=(wide["person"] % UNITS).cast("int64"))
    weight, n = wide["weight"], wide.count()
    # Summed exactly, and only then as one number of the machine's own.
    sums = {"w": weight.cast(EXACT).sum(), "ww": (weight * weight).cast(EXACT).sum()} if weighed else {"w": n, "ww": n}
    return wide.group_by([*keys, "unit", "y", *_rated(size)]).agg(n=n, **{name: total.cast("float64") for name, total in sums.items()})
