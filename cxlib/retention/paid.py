"""Revenue by month, checked and counted: what became of last month's, and what is new."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from cxlib.tables import Table, TableError, ask, expression, need
from cxlib.tables.calendar import first_day, month_numbers
from cxlib.tables.rows import examples, key_columns, numbered, refuse_type, restored, typed, whole

#: More months than any gap.
_NEVER = 10**6
#: What the engine sums: in hundredths of the currency, and of squares and products of hundredths.
SUMS = ("start", "churned", "contraction", "expansion", "new", "paused")
SQUARES = ("aa", "al", "ll", "ak", "kk")
#: The same of two periods, and of one with the other.
PRODUCTS = ("a0a0", "a0b0", "b0b0", "a1a1", "a1b1", "b1b1", "a0a1", "a0b1", "b0a1", "b0b1")


def checked(value_history: Table, names: list[str], last: date, *, asks: str) -> Any:
    """One row per customer and month known by the last day: its keys, whose it is, its month, its revenue in hundredths."""
    expr = expression(value_history)
    need(expr, [*names, "customer", "valid_from", "revenue"], asks=asks)
    for name, kind in (("valid_from", "date"), ("revenue", "number")):
        refuse_type(value_history, expr, name=name, kind=kind, asks=asks)
    _refuse_currencies(expr, names, asks=asks)
    _refuse_gaps(value_history, _plain(expr), asks=asks)
    day_ = typed(expr, "valid_from", "date")
    hundredths = (typed(expr, "revenue", "number") * 100).round().cast("int64")
    # A customer in two currencies has two revenues, and neither is a change of the other.
    whose = {"currency": expr["currency"].cast("string")} if "currency" in names else {}
    rows = expr.select(**key_columns(expr, names), customer=expr["customer"], **whose, day=day_, hundredths=hundredths)
    rows = rows.filter(rows["day"] <= last)
    return rows.mutate(month=month_numbers(rows["day"]))


def _plain(expr: Any) -> Any:
    """What may be missing from a row, beside how it is shown."""
    rows = expr.mutate(
        cx_customer=expr["customer"].isnull(),
        cx_month=typed(expr, "valid_from", "date").isnull(),
        cx_revenue=~(typed(expr, "revenue", "number").abs() < 1e14).fill_null(False),
    )
    return rows.mutate(cx_shown=expr["customer"].cast("string"))


def _refuse_gaps(value_history: Table, rows: Any, *, asks: str) -> None:
    flags = {"cx_customer": "have no customer", "cx_month": "have no valid_from", "cx_revenue": "have no revenue"}
    counted = ask(rows.aggregate(rows=rows.count(), **{flag: rows[flag].sum() for flag in flags})).iloc[0]
    for flag, words in flags.items():
        bad = 0 if pd.isna(counted[flag]) else int(counted[flag])
        if bad:
            shown, _ = examples(value_history, _plain, bad=flag, value="cx_shown")
            raise TableError(f"{asks}: {bad:,} of {int(counted['rows']):,} rows {words} ({shown}). Correct them, or leave them out.")


def _refuse_currencies(expr: Any, names: list[str], *, asks: str) -> None:
    if "currency" in names:
        return
    found = _currencies(expr)
    if len(found) > 1:
        raise TableError(
            f"{asks}: revenue is in {len(found)} currencies ({', '.join(found[:3])}{', …' if len(found) > 3 else ''}), which cannot be "
            "added. Give by='currency', or convert them first."
        )


def _currencies(expr: Any) -> list[str]:
    return sorted(ask(expr.select("currency").distinct())["currency"].dropna()) if "currency" in expr.columns else []


def currency_of(expr: Any) -> str | None:
    """The only currency of some revenue; None where none is recorded."""
    return next(iter(_currencies(expr)), None)


def months_of(counted: pd.DataFrame, *, asks: str) -> list[int]:
    """The complete months that have rows; a letter where one between them has none."""
    months = sorted(counted["month"].astype("int64"))
    missing = sorted(set(range(months[0], months[-1])) - set(months)) if months else []
    if missing:
        raise TableError(
            f"{asks}: no row is of {first_day(missing[0]):%Y-%m}, so it is not known what became of the revenue before. "
            "Read that month too, or ask from the next on."
        )
    return months


def steps(rows: Any, names: list[str], months: list[int]) -> Any:
    """Of each customer and month ``place``: the revenue ``a`` of the month before, ``b`` of it now, and what of it is ``lost``.

    A customer may have several rows of a month: one of what was there, one after a pause, one of what is new.
    """
    import ibis

    of = [f"k{place}" for place in range(len(names))]
    theirs = ibis.window(group_by=["customer", *(["currency"] if "currency" in names else [])], order_by="month")
    rows = rows.mutate(paid=ibis.greatest(rows["hundredths"], 0))
    rows = rows.mutate(
        then=rows["paid"].lead().over(theirs), gap=(rows["month"].lead().over(theirs) - rows["month"]).fill_null(_NEVER),
        before=rows["paid"].lag().over(theirs), since=(rows["month"] - rows["month"].lag().over(theirs)).fill_null(_NEVER),
    )  # fmt: skip
    here, twice, none = rows["paid"], rows["gap"] == 0, ibis.literal(0, "int64")
    next_ = ibis.cases((rows["gap"] <= 1, rows["then"]), (rows["gap"] == 2, here), else_=none)
    gone, paused, no = rows["gap"] > 2, rows["gap"] == 2, ibis.literal(False)
    new = ((rows["since"] > 2) | (rows["before"] == 0)).ifelse(here, none)
    columns = [
        {"place": rows["month"] + 1, "a": here, "b": next_, "gone": gone, "rest": paused.ifelse(here, none), "new": none, "twice": none},
        # Who has paused is still there a month later, with the revenue of before.
        {
            "place": rows["month"] + 2,
            "a": paused.ifelse(here, none),
            "b": rows["then"],
            "gone": no,
            "rest": none,
            "new": none,
            "twice": none,
        },
        {"place": rows["month"], "a": none, "b": none, "gone": no, "rest": none, "new": new, "twice": twice.cast("int64")},
    ]
    moved = ibis.union(*(rows.select(*of, "customer", **part) for part in columns))
    moved = moved.filter(moved["place"].between(months[1] - 1, months[-1]))
    # Nobody is lost or kept of whom there was nothing.
    b = (moved["a"] > 0).ifelse(moved["b"].fill_null(0), 0)
    return moved.mutate(lost=ibis.greatest(moved["a"] - moved["b"], 0), b=b)


def changes(moved: Any, names: list[str], table: Any) -> pd.DataFrame:
    """One row for each group and month: the sums of what became of the revenue of the month before, and of what is new."""
    import ibis

    of = [f"k{place}" for place in range(len(names))]
    lost, b = moved["lost"], moved["b"]
    big = {name: moved[column].cast("decimal(18, 0)") for name, column in (("a", "a"), ("l", "lost"), ("k", "b"))}
    found = ask(
        moved.group_by([*of, "place"]).agg(
            n=(moved["a"] > 0).sum(), left=(moved["gone"] & (moved["a"] > 0)).sum(),
            less=(~moved["gone"] & (lost > 0)).sum(), start=moved["a"].sum(),
            churned=moved["gone"].ifelse(lost, 0).sum(), contraction=moved["gone"].ifelse(0, lost).sum(),
            expansion=ibis.greatest(b - moved["a"], 0).sum(), new=moved["new"].sum(), paused=moved["rest"].sum(),
            twice=moved["twice"].sum(), **{pair: (big[pair[0]] * big[pair[1]]).sum() for pair in SQUARES},
        )
    )  # fmt: skip
    found = found.astype(dict.fromkeys(SQUARES, float))
    found = whole(found, ["n", "left", "less", "twice", *SUMS])
    return restored(found, table, names)


def between(moved: Any, names: list[str], pairs: list[tuple[int, int, int, int]], *, amount: str, table: Any) -> pd.DataFrame:
    """One row for each group and ``pair`` of periods: of the customers of either and of both the sums, squares and products.

    Of a customer and period ``a`` is the revenue of the months before, and ``b`` the ``amount`` of it that is asked for;
    ``a0b1`` sums the products of the ``a`` of the earlier period and the ``b`` of the later one; of ``some0`` and
    ``some1`` customers anything was lost.
    """
    import ibis

    of, none, sides = [f"k{place}" for place in range(len(names))], ibis.literal(0, "int64"), []
    # Pairs of periods that follow each other overlap; within a side they never do.
    for side in (0, 1):
        inside = [(moved["place"].between(pair[2 * side], pair[2 * side + 1]), number) for number, pair in enumerate(pairs)]
        rows = moved.mutate(pair=ibis.cases(*inside, else_=ibis.null("int64")))
        rows = rows.filter(rows["pair"].notnull())
        amounts = {"a": rows["a"], "b": rows[amount], "l": rows["lost"]}
        columns = {f"{name}{here}": each if here == side else none for name, each in amounts.items() for here in (0, 1)}
        sides.append(rows.select(*of, "customer", "pair", "twice", **columns))
    both = ibis.union(*sides)
    sums = ["a0", "b0", "a1", "b1", "twice"]
    own = both.group_by([*of, "customer", "pair"]).agg(**{name: both[name].sum() for name in (*sums, "l0", "l1")})
    big = {name: own[name].cast("decimal(18, 0)") for name in sums}
    one, other = own["a0"] > 0, own["a1"] > 0
    counts = {"n0": one, "n1": other, "n_both": one & other, "some0": own["l0"] > 0, "some1": own["l1"] > 0}
    found = ask(
        own.group_by([*of, "pair"]).agg(
            **{name: each.sum() for name, each in counts.items()}, **{name: own[name].sum() for name in sums},
            **{name: (big[name[:2]] * big[name[2:]]).sum() for name in PRODUCTS},
        )
    )  # fmt: skip
    found = whole(found.astype(dict.fromkeys(PRODUCTS, float)), [*counts, *sums, "pair"])
    return restored(found, table, names)


def every_month(cells: pd.DataFrame, names: list[str], months: list[int]) -> pd.DataFrame:
    """The sums of every group in every month, 0 where it had nothing."""
    number, groups = numbered(cells, names)
    frame = groups.loc[groups.index.repeat(len(months))].reset_index(drop=True)
    inside = (cells["place"] >= months[0]).to_numpy()
    at = number[inside] * len(months) + (cells["place"].to_numpy(dtype="int64")[inside] - months[0])
    columns = {}
    for name in ("n", "left", "less", *SUMS, *SQUARES):
        found = cells[name].to_numpy()[inside]
        values = np.zeros(len(frame), dtype=found.dtype)
        values[at] = found
        columns[name] = values
    return frame.assign(**columns, place=np.tile(months, len(groups)))
