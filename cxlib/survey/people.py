"""Who answered more than once, and what their answers are worth: sums per person, and sums of those, from the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.stats import variance
from cxlib.stats.intervals import Floats
from cxlib.stats.variance import Clusters, Shared
from cxlib.survey.answers import EXACT, PERIOD, Asked, Tally
from cxlib.tables import ask
from cxlib.tables.rows import restored

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: What each score is worth: one row a group, one column a score.
Worth = npt.NDArray[np.int64]

_CLUSTERS = ("number", "a", "b", "aa", "ab", "bb")
_SHARED = ("both", "aa", "ab", "ba", "bb")
_ALL = ("part", "only", "aa_all", "ab_all", "ba_all", "bb_all")


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
        return cls.of_each(counted, [worth])[0]

    @classmethod
    def of_each(cls, counted: Tally, worths: Sequence[Worth]) -> list[Base]:
        """The same for several numbers that are made of the same answers: people are gathered once."""
        asked, expr, groups = counted.asked, counted.expr, len(counted.groups)
        if asked is None or expr is None or asked.who(expr) is None:
            nobody = cls(pd.Series(pd.NA, index=range(groups), dtype="Int64"), counted.n_eff, np.full(groups, np.inf))
            return [nobody] * len(worths)
        found = restored(
            ask(_sums(_of_people(expr, asked, counted, *worths), asked, numbers=len(worths))), asked.prepared(expr), asked.names
        )
        named = found["named"].fillna(0).to_numpy(dtype="int64") > 0
        made = []
        for place, worth in enumerate(worths):
            b, ab, bb = _columns(place)
            made.append(cls._made(counted, worth, Clusters(*_floats(found, ("number", "a", b, "aa", ab, bb))), named))
        return made

    @classmethod
    def _made(cls, counted: Tally, worth: Worth, clusters: Clusters, named: npt.NDArray[np.bool_]) -> Base:
        total = counted.weights.sum(axis=1)
        mean = np.divide((counted.weights * worth).sum(axis=1), total, out=np.zeros_like(total), where=total > 0)
        square = np.divide((counted.weights * worth**2).sum(axis=1), total, out=np.zeros_like(total), where=total > 0)
        n_eff, freedom = variance.worth(clusters, spread=square - mean**2, n=counted.n, n_eff=counted.n_eff)
        people = pd.Series(clusters.number.astype("int64"), dtype="Int64").mask(~named & (clusters.number > 0))
        return cls(people, n_eff, freedom, clusters)

    @classmethod
    def against_rest(cls, counted: Tally, rest: Tally, worth: Worth, within: npt.NDArray[np.int64]) -> tuple[Base, Base, Shared]:
        """What the answers of each group rest on, what those of the ``rest`` do, and the people who are in both.

        ``within`` numbers what each group has a rest in, such as its question: those of one number are all of one whole.
        The first sample of what is shared is the rest. From one aggregation: what a person gave to the rest is what they
        gave at all less what they gave to the group.
        """
        asked, expr = counted.asked, counted.expr
        if asked is None or expr is None or asked.who(expr) is None:
            nobody = Shared(*np.zeros((5, len(counted.groups))))
            return cls.of(counted, worth), cls.of(rest, worth), nobody
        sums = _sums_of_all(_of_people(expr, asked, counted, worth), asked)
        found = restored(ask(sums), asked.prepared(expr), asked.names)
        number, a, b, aa, ab, bb = _floats(found, _CLUSTERS)
        part, only, a_all, ab_all, ba_all, bb_all = _floats(found, _ALL)

        def whole(values: Floats) -> Floats:
            return np.bincount(within, weights=values).astype("float64")[within]

        others = Clusters(
            # Parts of people add up to people, but for rounding.
            np.rint(whole(part)) - only,
            whole(a) - a,
            whole(b) - b,
            whole(a_all) - 2 * a_all + aa,
            whole(ab_all) - ab_all - ba_all + ab,
            whole(bb_all) - 2 * bb_all + bb,
        )
        named = found["named"].fillna(0).to_numpy(dtype="int64")
        shared = Shared(number - only, a_all - aa, ba_all - ab, ab_all - ab, bb_all - bb)
        group = cls._made(counted, worth, Clusters(number, a, b, aa, ab, bb), named > 0)
        return group, cls._made(rest, worth, others, whole(named) > 0), shared

    @staticmethod
    def in_pairs(counted: Tally, worth: Worth) -> pd.DataFrame:
        """People who answered in two groups of one question, one row a pair of groups in either order, by place in the tally.

        ``both`` counts them; ``aa``, ``ab``, ``ba`` and ``bb`` are sums over them of products, the ``first`` group's first.
        """
        asked, expr = counted.asked, counted.expr
        if asked is None or expr is None or asked.who(expr) is None:
            return pd.DataFrame(columns=["first", "second", *_SHARED])
        keys = [f"k{position}" for position in range(len(asked.names))]
        people = _of_people(expr, asked, counted, worth)
        people = people.filter(people["who"].notnull() & (people["n"] > 0))
        one, other = (people.select("who", **{f"{name}{side}": people[name] for name in (*keys, "a", "b")}) for side in "12")
        same = [one[f"{key}1"].identical_to(other[f"{key}2"]) for key in keys]
        alike = [each for each, name in zip(same, asked.names, strict=True) if name == "question" and asked.each_question]
        apart = [~each for each, name in zip(same, asked.names, strict=True) if not (name == "question" and asked.each_question)]
        pairs: Any = one.join(other.rename(who2="who"), [one["who"] == other.rename(who2="who")["who2"], *alike, *apart])
        products = {first + second: _product(pairs[f"{first}1"], pairs[f"{second}2"], asked) for first in "ab" for second in "ab"}
        sums = pairs.group_by([f"{key}{side}" for side in "12" for key in keys])
        found = ask(sums.agg(both=pairs.count(), **{name: product.sum() for name, product in products.items()}))
        for side, name in (("1", "first"), ("2", "second")):
            found[name] = _places(found[[f"{key}{side}" for key in keys]].set_axis(keys, axis=1), counted, asked.prepared(expr))
        return found[["first", "second", *_SHARED]].astype(dict.fromkeys(_SHARED, "float64"))

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
        products = {first + second: _product(person[f"{first}1"], person[f"{second}2"], asked) for first in "ab" for second in "ab"}
        sums = person.group_by(keys).agg(both=person.count(), **{name: product.sum() for name, product in products.items()})
        found = restored(ask(sums), asked.prepared(expr), asked.names)
        return found.astype(dict.fromkeys(_SHARED, "float64"))


def _places(keys: pd.DataFrame, counted: Tally, table: ir.Table) -> npt.NDArray[np.int64]:
    """Where in the tally the groups of these keys stand; a missing key is a group of its own."""
    names = counted.asked.names if counted.asked else []
    named = restored(keys.assign(place=np.arange(len(keys))), table, names).sort_values("place")
    known = counted.groups[names]
    number = pd.concat([known, named[names]]).groupby(names, dropna=False, sort=False).ngroup().to_numpy()
    # The groups of the tally come first and each once, so their numbers are their places.
    return number[len(known) :].astype("int64")


def _as(people: Any, zero: Any, role: str) -> dict[str, Any]:
    """The sums of a person in the columns of a role, and nothing in those of the other."""
    none = people["n"] * 0
    own, other = ("1", "2") if role == "before" else ("2", "1")
    return {
        f"n{own}": people["n"], f"a{own}": people["a"], f"b{own}": people["b"],
        f"n{other}": none, f"a{other}": zero, f"b{other}": zero,
    }  # fmt: skip


def _columns(place: int) -> tuple[str, str, str]:
    """The columns of ``b``, ``ab`` and ``bb`` of one number among several that are made of the same answers."""
    nth = str(place) if place else ""
    return f"b{nth}", f"ab{nth}", f"bb{nth}"


def _of_people(expr: ir.Table, asked: Asked, counted: Tally, *worths: Worth) -> Any:
    """One row for each group and person: answers ``n``, sums ``a`` and ``b``, and of single answers ``aa``, ``ab``, ``bb``."""
    rows: Any = asked.rows(expr)
    rows = rows.mutate(**{f"value{place}": _value(rows, counted, worth) for place, worth in enumerate(worths)})
    weight, n = rows["weight"], rows["value0"].count()
    sums = {"n": n, "a": n, "aa": n}
    if asked.weight:
        # Sums repeat to the byte where what is summed is whole, or a decimal number.
        sums |= {
            name: product.cast(EXACT).sum(where=rows["value0"].notnull()) for name, product in (("a", weight), ("aa", weight * weight))
        }
    for place in range(len(worths)):
        value, (b, ab, bb) = rows[f"value{place}"], _columns(place)
        if asked.weight:
            of_one = {b: weight * value, ab: weight * weight * value, bb: weight * weight * value * value}
            sums |= {name: product.cast(EXACT).sum(where=value.notnull()) for name, product in of_one.items()}
        else:
            sums |= {b: value.sum(), ab: value.sum(), bb: (value * value).sum()}
    return rows.group_by([f"k{position}" for position in range(len(asked.names))] + ["who"]).agg(**sums)


def _sums(people: Any, asked: Asked, *, numbers: int = 1, **more: Any) -> Any:
    """The sums over the people of each group, for so many ``numbers``; an answer that nobody signed is a person's only one."""
    keys = [f"k{position}" for position in range(len(asked.names))]
    known = people["who"].notnull()
    sums = {"a": people["a"].sum(), "aa": known.ifelse(_product(people["a"], people["a"], asked), people["aa"]).sum()}
    for place in range(numbers):
        b, ab, bb = _columns(place)
        sums[b] = people[b].sum()
        sums[ab] = known.ifelse(_product(people["a"], people[b], asked), people[ab]).sum()
        sums[bb] = known.ifelse(_product(people[b], people[b], asked), people[bb]).sum()
    number = known.ifelse((people["n"] > 0).cast("int64"), people["n"]).sum()
    named = (known & (people["n"] > 0)).cast("int64").sum()
    return people.aggregate(by=keys, number=number, named=named, **sums, **more)


def _sums_of_all(people: Any, asked: Asked) -> Any:
    """The same, and beside it sums of products with what each person gave at all, in every group of the same question.

    ``part`` counts each person as the part of one that falls to each of their groups, ``only`` those who are in no other;
    ``ab_all`` is the sum of what people gave to the group (``a``) times what all their answers are worth.
    """
    import ibis

    keys = [f"k{position}" for position in range(len(asked.names))]
    one_whole = [key for key, name in zip(keys, asked.names, strict=True) if name == "question" and asked.each_question]
    all_of_them = ibis.window(group_by=[*one_whole, "who"])
    people = people.mutate(
        groups=(people["n"] > 0).cast("int64").sum().over(all_of_them),
        all_a=people["a"].sum().over(all_of_them),
        all_b=people["b"].sum().over(all_of_them),
    )
    known, answered = people["who"].notnull(), people["n"] > 0
    part = answered.ifelse(1 / people["groups"].cast("float64"), 0.0)
    only = (answered & (people["groups"] == 1)).cast("int64")
    more = {"part": known.ifelse(part, people["n"].cast("float64")).sum(), "only": known.ifelse(only, people["n"]).sum()}
    for own, whole, alone in (("a", "a", "aa"), ("a", "b", "ab"), ("b", "a", "ab"), ("b", "b", "bb")):
        more[f"{own}{whole}_all"] = known.ifelse(_product(people[own], people[f"all_{whole}"], asked), people[alone]).sum()
    return _sums(people, asked, **more)


def _product(one: Any, other: Any, asked: Asked) -> Any:
    """A product whose sums repeat to the byte."""
    return (one.cast("float64") * other.cast("float64")).cast(EXACT) if asked.weight else one * other


def _floats(found: pd.DataFrame, names: Sequence[str]) -> npt.NDArray[np.float64]:
    """Columns of sums, one row a column; over no row a sum is 0."""
    sums: npt.NDArray[np.float64] = found[list(names)].astype("float64").fillna(0).to_numpy().T
    return sums


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
