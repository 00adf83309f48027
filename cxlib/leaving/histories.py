"""Start-stop rows: what was known of each customer from which tenure on, made by the engine and counted there.

A spell is cut wherever something was learned. In (start, stop] the customer is at risk with what was known on the evening
of ``start``: what is learned on a day counts from the day after, so that nobody has to stay in order to be told apart
from those who left. What is known by the first day on which the customer is seen counts from that day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd

from cxlib.churn.spells import Asked
from cxlib.leaving.states import COLUMNS
from cxlib.tables import Table, TableError, ask, did_you_mean, expression, kept, need
from cxlib.tables.rows import whole

NOT_RECORDED = "not recorded"

#: Who is at risk at the tenure of entry was not yet at risk half a day before.
BEFORE = 0.5


@dataclass(frozen=True)
class Histories:
    """What a model asks of customers and of what was learned of them, up to a day."""

    customers: Table
    learned: Sequence[Table]
    names: list[str]
    reason: str | None
    as_of: date | None

    @property
    def values(self) -> list[str]:
        """What is known, under the names it has inside the engine: ``v0``, ``v1``, …"""
        return [f"v{place}" for place in range(len(self.names))]

    def cells(self) -> pd.DataFrame:
        """How many spells are alike: one row for each cell, its number, what was known, ``start``, ``stop``, ``ended``, ``spells``."""
        counted = self._numbered.group_by(["cell", *self.values, "start", "stop", "ended"]).agg(spells=lambda rows: rows.count())
        found = whole(ask(counted), ["spells"])
        return found.sort_values([*self.values, "start", "stop", "ended"], kind="stable", ignore_index=True)

    def whose(self) -> pd.DataFrame:
        """Which customer, by a number, has a row in which cell, as often as there is one."""
        found = ask(self._numbered.select("who", "cell"))
        return found.sort_values(["who", "cell"], kind="stable", ignore_index=True)

    def exposed(self) -> pd.DataFrame:
        """For each ``name`` and ``value``: the ``spells`` that were ever at risk with it."""
        import ibis

        rows = self._at_risk
        each = [
            rows.group_by(value=rows[value]).agg(spells=rows["spell"].nunique()).mutate(name=ibis.literal(name))
            for value, name in zip(self.values, self.names, strict=True)
        ]
        return whole(ask(ibis.union(*each) if len(each) > 1 else each[0]), ["spells"])

    def there(self) -> pd.DataFrame:
        """The spells that go on, one row each: ``customer``, ``tenure_days``, and what is known at the end of the last day counted."""
        rows = self._rows.filter(self._rows["latest"] & ~self._rows["left"])
        found = ask(rows.select("customer", tenure_days="tenure", **{value: value for value in self.values}))
        return found.sort_values(list(found.columns), kind="stable", ignore_index=True)

    def spells(self) -> tuple[int, int, int]:
        """How many spells there are, how many of them were ever at risk, and how many have no start to date what was learned by."""
        rows = self._all
        sums = {"all": rows.count(), "seen": (rows["tenure"] >= rows["entry"]).sum(), "undated": rows["start"].isnull().sum()}
        found = whole(ask(rows.aggregate(**sums)), list(sums)).iloc[0]
        return int(found["all"]), int(found["seen"]), int(found["undated"]) if self._attributes["facts"].sum() else 0

    @cached_property
    def _own(self) -> list[str]:
        return [name for name in self.names if name in self.customers.columns]

    @cached_property
    def _all(self) -> Any:
        asked = Asked("model", ["customer", *self._own, *(["end_reason"] if self.reason is not None else [])], self.as_of)
        rows = asked.spells(self.customers)
        return rows.rename({f"key_{name}" if name != "customer" else name: f"k{place}" for place, name in enumerate(asked.names)})

    @cached_property
    def _spells(self) -> Any:
        """Each spell ever at risk: whose, its bounds, whether it ended by the reason asked for, and its own columns as text."""
        import ibis

        rows = self._all.filter(self._all["tenure"] >= self._all["entry"])
        event = rows["left"] if self.reason is None else rows["left"] & (rows["key_end_reason"] == self.reason).fill_null(False)
        own = {
            value: _text(rows[f"key_{name}"]) if name in self._own else ibis.null("string")
            for value, name in zip(self.values, self.names, strict=True)
        }
        rows = rows.select("customer", "start", "entry", "tenure", "left", event=event, **own)
        # Numbered by all that tells spells apart: of two that are alike it does not matter which is which.
        rows = rows.mutate(spell=ibis.row_number().over(order_by=[rows[name] for name in rows.columns]))
        return kept(rows, beside=self.learned)

    @cached_property
    def _known(self) -> Any:
        """All that was learned by the last day counted of what is asked for; nothing where nothing is."""
        import ibis

        parts = []
        for table in self.learned:
            expr = expression(table)
            need(expr, COLUMNS, asks="model")
            part = expr.select("customer", attribute=expr["attribute"].cast("string"), value=_text(expr["value"]), valid_from=_date(expr))
            parts.append(part.filter(part["attribute"].isin(self.names)))
        if not parts or not self.names:
            return None
        return kept(ibis.union(*parts) if len(parts) > 1 else parts[0], beside=[self.customers, *self.learned])

    @cached_property
    def _attributes(self) -> pd.DataFrame:
        """The attributes that were learned, each with what holds before anything is, and in how many rows something was."""
        if self._known is None:
            return pd.DataFrame({"attribute": [], "value": [], "facts": []})
        anybody = self._known["customer"].isnull()
        counted = {"value": self._known["value"].max(where=anybody), "facts": self._known["customer"].count()}
        return ask(self._known.group_by("attribute").agg(**counted))

    @property
    def _learned(self) -> dict[str, str | None]:
        found = self._attributes
        return {name: None if pd.isna(value) else str(value) for name, value in zip(found["attribute"], found["value"], strict=True)}

    @cached_property
    def _rows(self) -> Any:
        """One row for each stretch of a spell; the last may have no length: what is learned at its end counts from then on."""
        import ibis

        self._refuse_unknown()
        spells = self._spells
        if not self._learned:
            rows = spells.mutate(at=spells["entry"] - BEFORE, latest=ibis.literal(True), until=spells["tenure"])
            return self._told(rows, {value: rows[value] for value in self.values})
        changes = self._changes(spells)
        begun = spells.select("spell", at=spells["entry"] - BEFORE, **{f"to_{value}": ibis.null("string") for value in self.values})
        points = ibis.union(begun, changes)
        points = points.group_by(["spell", "at"]).agg(**{f"to_{value}": points[f"to_{value}"].max() for value in self.values})
        rows = points.join(spells, "spell")
        so_far = ibis.cumulative_window(group_by=rows["spell"], order_by=rows["at"])
        following = rows["at"].lead().over(ibis.window(group_by=rows["spell"], order_by=rows["at"]))
        # Since each change the value is the only one that is not missing: a fill forward that every engine knows.
        rows = rows.mutate(
            latest=following.isnull(),
            until=ibis.coalesce(following, rows["tenure"]),
            **{f"since_{value}": rows[f"to_{value}"].count().over(so_far) for value in self.values},
        )
        held = {
            value: rows[f"to_{value}"].max().over(ibis.window(group_by=[rows["spell"], rows[f"since_{value}"]])) for value in self.values
        }
        return self._told(rows, {value: ibis.coalesce(held[value], rows[value]) for value in self.values})

    def _changes(self, spells: Any) -> Any:
        """What was learned of each spell at which tenure, one row for each; all that was known by the entry in one."""
        import ibis

        known = self._known.filter(self._known["customer"].notnull() & self._known["valid_from"].notnull())
        if self.as_of is not None:
            known = known.filter(known["valid_from"] <= ibis.literal(self.as_of, "date"))
        self._refuse_two(known)
        known = known.mutate(value=known["value"].fill_null(NOT_RECORDED))
        joined = spells.select("spell", "customer", "start", "entry", "tenure").join(known, "customer")
        joined = joined.mutate(on=joined["valid_from"].delta(joined["start"], unit="day").cast("float64"))
        joined = joined.filter(joined["on"] <= joined["tenure"])
        joined = joined.mutate(at=(joined["on"] <= joined["entry"]).ifelse(joined["entry"] - BEFORE, joined["on"]))
        last = {
            f"to_{value}": joined["value"].argmax(joined["on"], where=joined["attribute"] == name)
            for value, name in zip(self.values, self.names, strict=True)
        }
        return joined.group_by(["spell", "at"]).agg(**last)

    def _told(self, rows: Any, values: dict[str, Any]) -> Any:
        """The stretches with what was known in them; nothing known is a value of its own."""
        import ibis

        anybody = {value: self._learned.get(name) for value, name in zip(self.values, self.names, strict=True)}
        known = {value: ibis.coalesce(told, ibis.literal(anybody[value] or NOT_RECORDED)) for value, told in values.items()}
        ended = rows["event"] & (rows["until"] == rows["tenure"])
        return kept(rows.select("spell", "customer", "tenure", "left", "latest", start="at", stop="until", ended=ended, **known))

    @cached_property
    def _at_risk(self) -> Any:
        return self._rows.filter(self._rows["start"] < self._rows["stop"])

    @cached_property
    def _numbered(self) -> Any:
        import ibis

        rows = self._at_risk
        alike = [*(rows[value] for value in self.values), rows["start"], rows["stop"], rows["ended"]]
        return rows.mutate(cell=ibis.dense_rank().over(order_by=alike), who=ibis.dense_rank().over(order_by=rows["customer"]))

    def _refuse_unknown(self) -> None:
        for name in self.names:
            if name not in self._own and name not in self._learned:
                known = [*self.customers.columns, *self._learned]
                raise TableError(
                    f"model: customers have no column '{name}', and nothing of that name was learned.{did_you_mean(name, known)}"
                )

    def _refuse_two(self, known: Any) -> None:
        """Raise the letter about two values of one attribute of a customer from the same day."""
        twice = known.group_by(["customer", "attribute", "valid_from"]).agg(values=known["value"].nunique())
        counted = ask(twice.filter(twice["values"] > 1).group_by("attribute").agg(customers=lambda rows: rows["customer"].nunique()))
        if len(counted):
            name, customers = counted.sort_values("attribute").iloc[0]
            who = f"{int(customers):,} customers have" if customers > 1 else "1 customer has"
            raise TableError(f"model: {who} two values of '{name}' from the same day. Keep the one that is known to hold.")


def _date(expr: Any) -> Any:
    import ibis

    column = expr["valid_from"]
    if column.type().is_date() or column.type().is_timestamp():
        return column.cast("date")
    if column.type().is_null():
        return ibis.null("date")
    raise TableError("model: 'valid_from' of what was learned is not a date. Convert the column first.")


def _text(column: Any) -> Any:
    """A value as a category: yes or no, a whole number without its decimals, anything else as it is written."""
    import ibis

    kind = column.type()
    if kind.is_null():
        return ibis.null("string")
    if kind.is_boolean():
        return column.ifelse("yes", "no")
    if kind.is_floating():
        number = column.isnan().ifelse(ibis.null("float64"), column)
        return (number == number.round()).ifelse(number.cast("int64").cast("string"), number.cast("string"))
    return column if kind.is_string() else column.cast("string")
