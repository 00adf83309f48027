"""What a customer is worth a month, as it is known on a day; and the interval of a product of two estimates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from cxlib.churn.spells import Asked
from cxlib.tables import Table, TableError, ask, expression, need
from cxlib.tables.rows import examples, refuse_type, typed, whole

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: A customer's worth is the mean of so many months, the last ones that are over.
MONTHS = 3
DAYS_A_MONTH = 30.4375
#: An amount is counted in ten-thousandths, a mean of one, two or three of them in sixths of those: whole numbers, which add up
#: to the same sum in any order.
AMOUNT = 10_000
UNIT = 6 * AMOUNT
#: Squares of whole numbers are summed in full.
EXACT = "decimal(38, 0)"


@dataclass(frozen=True)
class Worth:
    """One row a customer with a value: ``customer``, ``worth`` (whole parts of ``UNIT``, a month); and what it is in."""

    rows: ir.Table
    what: str
    currency: str | None
    since: date
    until: date

    @property
    def said(self) -> dict[str, Any]:
        """What stands beside each number made of it."""
        return {"what": self.what, "currency": self.currency, "since": self.since, "until": self.until}

    def joined(self, spells: Any, customer: str) -> Any:
        """Spells with the ``worth`` of their customer, missing where there is none."""
        ours, theirs = spells[customer].type(), self.rows["customer"].type()
        if ours.is_string() != theirs.is_string():
            kinds = ["text" if each.is_string() else "a number" for each in (ours, theirs)]
            raise TableError(f"'customer' is {kinds[0]} among the customers and {kinds[1]} in the value history. Convert one of them.")
        valued = self.rows.rename(cx_customer="customer")
        return spells.left_join(valued, spells[customer] == valued["cx_customer"])


def worth(value_history: Table, *, as_of: date, asks: str) -> Worth | str:
    """The worth of each customer as it is known on a day, or why there is none.

    The mean ``margin`` of the last three months that are over; ``revenue`` where no customer has a margin in them. A month
    without a row is not recorded, and is no month of nothing.
    """
    import ibis

    until = _first(as_of + timedelta(days=1)) - timedelta(days=1)
    since = _first((pd.Timestamp(until) - pd.DateOffset(months=MONTHS - 1)).date())
    expr = expression(value_history)
    need(expr, ["customer", "valid_from"], asks=asks)
    if not {"margin", "revenue"} & set(expr.columns):
        raise TableError(f"{asks}: the value history has neither a column 'margin' nor a column 'revenue'.")
    for name, kind in (("valid_from", "date"), ("margin", "number"), ("revenue", "number")):
        refuse_type(value_history, expr, name=name, kind=kind, asks=asks)

    def recent(table: Any) -> Any:
        kept = ["customer", *(["cx_row"] if "cx_row" in table.columns else [])]
        amounts = {name: typed(table, name, "number") for name in ("margin", "revenue")}
        currency = table["currency"] if "currency" in table.columns else ibis.null("string")
        found = table.select(*kept, **amounts, month=typed(table, "valid_from", "date"), currency=currency)
        found = found.filter(found["month"].between(ibis.literal(since, "date"), ibis.literal(until, "date")))
        return found.mutate(odd=found["month"].day() != 1, shown=found["month"].cast("string"))

    rows = recent(expr)
    counted = ask(rows.aggregate(rows=rows.count(), odd=rows["odd"].sum(), margin=rows["margin"].count(), revenue=rows["revenue"].count()))
    known = counted.iloc[0].astype("float64").fillna(0).astype("int64")
    if odd := int(known["odd"]):
        words, _ = examples(value_history, recent, bad="odd", value="shown")
        raise TableError(f"{asks}: {odd:,} of {known['rows']:,} values of 'valid_from' are not the first day of a month ({words}).")
    what = next((name for name in ("margin", "revenue") if known[name]), "")
    if not what:
        return f"No customer has a margin or revenue in the three months up to {until}, so nothing can be said in money."
    rows = rows.filter(rows[what].notnull()).mutate(amount=rows[what])
    currency = _currency(rows, asks)
    return Worth(_by_customer(rows, asks), what, currency, since, until)


def _first(day: date) -> date:
    return day.replace(day=1)


def _by_customer(rows: Any, asks: str) -> Any:
    """The mean of each customer's months, refused where a month is there twice."""
    import ibis

    twice = rows.group_by("customer", "month").agg(times=rows.count())
    doubled = int(ask(twice.aggregate(n=(twice["times"] > 1).sum())).fillna(0)["n"].iloc[0])
    if doubled:
        raise TableError(f"{asks}: {doubled:,} months of a customer have more than one value. Add them up, or leave some out.")
    amount = (rows["amount"] * AMOUNT).round().cast("int64")
    found = rows.group_by("customer").agg(months=rows.count(), total=amount.sum())
    return found.select("customer", worth=found["total"].cast("int64") * (ibis.literal(UNIT // AMOUNT) // found["months"]).cast("int64"))


def _currency(rows: Any, asks: str) -> str | None:
    """The only currency of some values, all of which have an end; several are refused, as amounts of two cannot be added."""
    found = ask(rows.group_by("currency").agg(n=rows.count(), endless=rows["amount"].isinf().sum()))
    if endless := int(found["endless"].sum()):
        raise TableError(f"{asks}: {endless:,} of {int(found['n'].sum()):,} values are infinite. Correct them, or leave them out.")
    named = sorted(str(each) for each in found["currency"].dropna())
    nameless = len(found) > len(named)
    if len(named) + nameless > 1:
        words = ", ".join([*named, *(["not recorded"] if nameless else [])][:3]) + (", …" if len(named) + nameless > 3 else "")
        raise TableError(
            f"{asks}: the values are in {len(named) + nameless} currencies ({words}), which are never added. "
            "Keep the rows of one of them, or convert the others first."
        )
    return named[0] if named else None


def discount(discount_year: float, *, asks: str) -> float:
    """The yearly discount as a share; a letter where it is none."""
    if not 0 <= discount_year < 1:
        raise ValueError(f"{asks}: discount_year is {discount_year}, and must be a share a year from 0 to below 1; for 10 % write 0.10")
    return float(discount_year)


@dataclass(frozen=True)
class Estimate:
    """A number, its bounds and its standard error."""

    value: float
    low: float
    high: float
    error: float


def mean_worth(valued: int, total: float, squares: float, *, tail: float) -> Estimate:
    """The mean worth a month of so many customers in the currency, with its interval; no bounds from a single one.

    The t interval, on the scale of logarithms where it does not hold 0.
    """
    if not valued:
        return Estimate(np.nan, np.nan, np.nan, np.nan)
    mean = total / valued
    if valued < 2:
        return Estimate(mean / UNIT, np.nan, np.nan, np.nan)
    error = float(np.sqrt(max(squares - total * mean, 0.0) / (valued - 1) / valued)) / UNIT
    mean /= UNIT
    half = float(special.stdtrit(valued - 1, 1 - tail)) * error
    if half < abs(mean):
        # A few bring much more than most: on the scale of logarithms the bounds follow them, and the sign is kept.
        bounds = sorted(mean * np.exp(np.array([-half, half]) / abs(mean)))
        return Estimate(mean, float(bounds[0]), float(bounds[1]), error)
    # Away from 0 the bound stays where logarithms would have it at the least, so that a higher level never narrows.
    far = max(half, (np.e - 1) * abs(mean))
    down, up = (half, far) if mean > 0 else (far, half)
    return Estimate(mean, mean - down, mean + up, error)


def product(one: Estimate, other: Estimate, covariance: float) -> tuple[float, float, float]:
    """The product of two estimates with its interval, made from the bounds of both.

    The distances from the estimate to the bounds of either, times the other, are squared and added as errors are [1]_, with
    the correlation of the two; so that what is skewed in either stays skewed.

    .. [1] Zou, G. Y., Donner, A. (2008). Construction of confidence limits about effect measures. Statistics in
       Medicine 27(10), 1693-1702.
    """
    errors = one.error * other.error
    # Which way one goes with the other in the product turns with the sign of either.
    together = float(np.clip(covariance / errors, -1, 1)) if errors > 0 else 0.0
    together *= float(np.sign(one.value) * np.sign(other.value))
    down, up = zip(_distances(one, other.value), _distances(other, one.value), strict=True)
    low, high = (float(np.sqrt(max(a**2 + b**2 + 2 * together * a * b, 0.0))) for a, b in (down, up))
    value = one.value * other.value
    return value, value - low, value + high


def _distances(one: Estimate, times: float) -> tuple[float, float]:
    """How far the product can fall and rise with one of its factors."""
    ends = sorted([times * (one.low - one.value), times * (one.high - one.value)])
    return -ends[0], ends[1]


def valued(customers: Table, value: Worth, asked: Asked) -> tuple[Any, list[str]]:
    """The spells that were seen, with the ``worth`` of their customer beside the ``one`` that runs; and the keys inside the engine.

    Of two spells of a customer that run at a time, the later begun has the worth, so that none counts twice.
    """
    import ibis

    need(expression(customers), ["customer"], asks=asked.by_whom)
    mine = Asked(asked.by_whom, ["customer", *asked.names], asked.as_of)
    rows = mine.spells(customers)
    rows = rows.filter(rows["tenure"] >= rows["entry"]).rename(cx_customer_of="k0")
    keys = {f"k{place}": f"k{place + 1}" for place in range(len(asked.names))}
    rows = rows.rename(keys)
    order = [rows["start"].desc(), rows["tenure"].desc(), *(rows[name] for name in keys)]
    place = ibis.row_number().over(ibis.window(group_by=[rows["cx_customer_of"], rows["left"]], order_by=order))
    rows = rows.mutate(one=~rows["left"] & (place == 0))
    rows = value.joined(rows, "cx_customer_of")
    return rows.mutate(worth=rows["one"].ifelse(rows["worth"], ibis.null("int64"))), list(keys)


def sums(rows: Any) -> dict[str, Any]:
    """What is counted of spells alike: how many, how many of them run with a value and without, and the sums of their worth."""
    exact = rows["worth"].cast(EXACT)
    return {
        "spells": rows.count(),
        "valued": rows["worth"].count(),
        "without": (rows["one"] & rows["worth"].isnull()).sum(),
        "total": exact.sum(),
        "squares": (exact * exact).sum(),
    }


def counted(found: pd.DataFrame) -> pd.DataFrame:
    """The counts as whole numbers, the sums as numbers, 0 where nobody has a value."""
    found = whole(found, ["spells", "valued", "without"])
    return found.assign(**{name: pd.to_numeric(found[name]).astype("float64").fillna(0.0) for name in ("total", "squares")})


def left_out(groups: pd.DataFrame, value: Worth, *, who: str = "customers there") -> list[str]:
    """Who is there and has no value, in a sentence."""
    without = int(groups["without_value"].sum())
    there = without + int(groups["valued"].sum())
    words = f"{without:,} of {there:,} {who} have no {value.what} in the last three complete months: they are in no sum."
    return [words] if without else []
