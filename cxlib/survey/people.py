"""Who answered more than once, and what their answers are worth: sums per person, and sums of those, from the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.stats import variance
from cxlib.stats.intervals import Floats
from cxlib.stats.variance import Clusters
from cxlib.survey.answers import EXACT, PERIOD, Asked, Tally
from cxlib.tables import ask
from cxlib.tables.rows import restored

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: What each score is worth: one row a group, one column a score.
Worth = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Base:
    """What the answers of each group rest on.

    ``people`` is missing where nobody is named; ``n_eff`` is what the answers are worth, with ``freedom`` degrees of
    freedom; ``clusters`` the sums over people, where somebody is named.
    """

    people: pd.Series[Any]
    n_eff: Floats
    freedom: Floats
    clusters: Clusters | None = None

    @classmethod
    def of(cls, counted: Tally, worth: Worth) -> Base:
        """What the answers rest on: people where they are named, else every answer for itself."""
        asked, expr, groups = counted.asked, counted.expr, len(counted.groups)
        if asked is None or expr is None or asked.who(expr) is None:
            return cls(pd.Series(pd.NA, index=range(groups), dtype="Int64"), counted.n_eff, np.full(groups, np.inf))
        sums = _sums(_of_people(expr, asked, counted, worth), asked)
        named = restored(ask(sums), asked.prepared(expr), asked.names)
        columns = named[["number", "a", "b", "aa", "ab", "bb"]].astype("float64").fillna(0).to_numpy().T
        clusters = Clusters(*columns)
        total = counted.weights.sum(axis=1)
        mean = np.divide((counted.weights * worth).sum(axis=1), total, out=np.zeros_like(total), where=total > 0)
        square = np.divide((counted.weights * worth**2).sum(axis=1), total, out=np.zeros_like(total), where=total > 0)
        n_eff, freedom = variance.worth(clusters, spread=square - mean**2, n=counted.n, n_eff=counted.n_eff)
        people = pd.Series(columns[0].astype("int64"), dtype="Int64").mask(named["named"].fillna(0).astype("int64") == 0)
        return cls(people, n_eff, freedom, clusters)

    @staticmethod
    def in_both(counted: Tally, worth: Worth, lag: int) -> pd.DataFrame:
        """People who answered both in a period and ``lag`` periods before, one row a group and later period.

        ``both`` counts them; ``aa``, ``ab``, ``ba`` and ``bb`` are sums over them of products, the earlier period first: of
        answers (or weights) ``a`` and of what they are worth ``b``.
        """
        import ibis

        asked, expr = counted.asked, counted.expr
        if asked is None or expr is None or asked.who(expr) is None:
            return pd.DataFrame()
        keys = [f"k{position}" for position in range(len(asked.names))]
        period = keys[asked.names.index(PERIOD)]
        people = _of_people(expr, asked, counted, worth)
        people = people.filter(people["who"].notnull() & (people["n"] > 0) & people[period].notnull())
        zero = ibis.literal(0).cast(people["a"].type())
        roles: list[Any] = [
            people.select(
                *[name for name in keys if name != period], "who", **{period: people[period] + lag}, **_as(people, zero, "before")
            ),
            people.select(*[name for name in keys if name != period], "who", **{period: people[period]}, **_as(people, zero, "after")),
        ]
        united: Any = ibis.union(*roles)
        person = united.group_by([*keys, "who"]).agg(**{name: united[name].sum() for name in ("n1", "n2", "a1", "b1", "a2", "b2")})
        person = person.filter((person["n1"] > 0) & (person["n2"] > 0))
        products = {first + second: person[f"{first}1"] * person[f"{second}2"] for first in "ab" for second in "ab"}
        if asked.weight:
            products = {
                name: (person[f"{name[0]}1"].cast("float64") * person[f"{name[1]}2"].cast("float64")).cast(EXACT) for name in products
            }
        sums = person.group_by(keys).agg(both=person.count(), **{name: product.sum() for name, product in products.items()})
        found = restored(ask(sums), asked.prepared(expr), asked.names)
        return found.astype(dict.fromkeys(["both", "aa", "ab", "ba", "bb"], "float64"))


def _as(people: Any, zero: Any, role: str) -> dict[str, Any]:
    """The sums of a person in the columns of a role, and nothing in those of the other."""
    none = people["n"] * 0
    own, other = ("1", "2") if role == "before" else ("2", "1")
    return {
        f"n{own}": people["n"], f"a{own}": people["a"], f"b{own}": people["b"],
        f"n{other}": none, f"a{other}": zero, f"b{other}": zero,
    }  # fmt: skip


def _of_people(expr: ir.Table, asked: Asked, counted: Tally, worth: Worth) -> Any:
    """One row for each group and person: answers ``n``, sums ``a`` and ``b``, and of single answers ``aa``, ``ab``, ``bb``."""
    rows: Any = asked.rows(expr)
    rows = rows.mutate(value=_value(rows, counted, worth))
    value, weight, n = rows["value"], rows["weight"], rows["value"].count()
    keys = [f"k{position}" for position in range(len(asked.names))]
    if not asked.weight:
        return rows.group_by([*keys, "who"]).agg(n=n, a=n, b=value.sum(), aa=n, ab=value.sum(), bb=(value * value).sum())
    # Sums repeat to the byte where what is summed is whole, or a decimal number.
    of_one = {"a": weight, "b": weight * value}
    of_one |= {"aa": weight * weight, "ab": weight * weight * value, "bb": weight * weight * value * value}
    sums = {name: product.cast(EXACT).sum(where=value.notnull()) for name, product in of_one.items()}
    return rows.group_by([*keys, "who"]).agg(n=n, **sums)


def _sums(people: Any, asked: Asked) -> Any:
    """The sums over the people of each group; an answer that nobody signed is a person's only one."""
    keys = [f"k{position}" for position in range(len(asked.names))]
    known = people["who"].notnull()
    squares = {}
    for name in ("aa", "ab", "bb"):
        first, second = people[name[0]], people[name[1]]
        product = (first.cast("float64") * second.cast("float64")).cast(EXACT) if asked.weight else first * second
        squares[name] = known.ifelse(product, people[name]).sum()
    number = known.ifelse((people["n"] > 0).cast("int64"), people["n"]).sum()
    named = (known & (people["n"] > 0)).cast("int64").sum()
    return people.aggregate(by=keys, number=number, named=named, a=people["a"].sum(), b=people["b"].sum(), **squares)


def _value(rows: Any, counted: Tally, worth: Worth) -> Any:
    """What an answer is worth, in the engine: by its scale and score."""
    import ibis

    several = len(counted.groups[["scale_low", "scale_high", "low_is_good"]].drop_duplicates()) > 1
    branches: list[tuple[Any, Any]] = []
    for of_scale, scores in counted.scales():
        low, high = int(scores[0]), int(scores[-1])
        for reverse in sorted(set(counted.groups.loc[of_scale, "low_is_good"])):
            place = np.flatnonzero(of_scale & (counted.groups["low_is_good"] == reverse).to_numpy())[0]
            here = (rows["scale_low"] == low) & (rows["scale_high"] == high) & (rows["low_is_good"] == bool(reverse))
            values = worth[place, : len(scores)]
            if np.array_equal(values, scores):
                branches.append((here if several else rows["score"].notnull(), rows["score"].cast("int64")))
                continue
            for value in np.unique(values):
                given = rows["score"].isin(scores[values == value].tolist())
                branches.append((here & given if several else given, ibis.literal(int(value), "int64")))
    return ibis.cases(*branches, else_=ibis.null("int64"))
