"""Every canonical table, column by column: name, type, unit, meaning, rule.

This module is the single source of `data/README.md` (the codebook for people), of the door's
checks in `cxlib.sources`, and of the empty tables a workbook hands out where it has nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "whole", "number", "date", "time", "yes/no"]

#: Physical type of each kind in the validated tables (an Ibis type name).
PHYSICAL: dict[Kind, str] = {
    "text": "string",
    "whole": "int64",
    "number": "float64",
    "date": "date",
    "time": "timestamp(6)",
    "yes/no": "boolean",
}


class TableError(ValueError):
    """Data that cannot be used as it is; the message says what is wrong, how often, and what to do."""


@dataclass(frozen=True)
class Column:
    """One column of a canonical table."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    required: bool = False
    low: float | None = None
    above: float | None = None
    one_of: tuple[str, ...] = ()
    made: bool = False
    identifier: bool = False

    @property
    def rule(self) -> str:
        """The rule in words, for the codebook; empty where any value of the kind will do."""
        words = []
        if self.required:
            words.append("required")
        if self.low is not None:
            words.append(f"at least {self.low:g}")
        if self.above is not None:
            words.append(f"above {self.above:g}")
        if self.one_of:
            words.append("one of " + ", ".join(self.one_of))
        if self.made:
            words.append("made at the door, not read")
        return "; ".join(words)


@dataclass(frozen=True)
class TableSpec:
    """One canonical table.

    ``row`` says what one row is. ``key`` is unique: a second row with the same key is set aside.
    ``dated`` is the column that decides whether a row was known at ``as_of``. ``ordered`` holds
    pairs of columns of which the first may not lie after, or above, the second. ``either`` names columns of
    which at least one must be read.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    dated: str | None = None
    ordered: tuple[tuple[str, str], ...] = ()
    either: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def readable(self) -> tuple[str, ...]:
        """The columns a source can give; the others are made at the door."""
        return tuple(column.name for column in self.columns if not column.made)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'plan'?`` or nothing, for the end of a message."""
    names = list(known)
    alike = [other for other in names if other.lower() == name.lower()]
    near = alike or difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else ""


def _text(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name, "text", meaning, required=required)


def _identifier(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name, "text", meaning, required=required, identifier=True)


_SEGMENT = _text("segment", "Kind of customer, as the company divides them.")
_PERSONA = _text("persona", "Persona the customer was assigned to.")
_PLAN = _text("plan", "Tariff, contract or product.")
_REGION = _text("region", "Where the customer is.")
_LANGUAGE = Column("language", "text", "Language of the words, as an ISO 639-1 code; zh-Hant for Traditional Chinese.")
_CHANNEL = _text("channel", "Where it took place: e-mail, web, app, phone, store.")
_TOUCHPOINT = _text("touchpoint", "Part of the experience that it is about.")
_ROLE = Column("role", "text", "Who answered: a customer, or staff asked to guess what customers feel.", one_of=("customer", "staff"))
_WAVE = _text("wave", "Round of a survey.")

_TABLES = (
    TableSpec(
        "customers",
        "one spell of one customer: from joining to leaving; who comes back has a second row",
        (
            _identifier("customer", "Identifier of the customer.", required=True),
            Column("start", "date", "First day as a customer."),
            Column("end", "date", "Day of leaving; missing while still a customer."),
            _text("end_reason", "Why the spell ended: choice, payment failure, closed, moved."),
            Column("observed_from", "date", "First day from which leaving would have been seen; missing where that is the start."),
            Column("tenure_days", "number", "Length of the spell so far, where the source gives no dates.", unit="days", low=0),
            Column("churned", "yes/no", "Whether the spell has ended, where the source gives no dates."),
            _SEGMENT,
            _PERSONA,
            _PLAN,
            _REGION,
            _LANGUAGE,
            Column("consent", "yes/no", "Whether the customer agreed to be part of analyses; a no is left out and counted."),
            _text("name", "Name; read only to redact it from comments."),
            _identifier("account", "Account to which several contacts belong."),
        ),
        key=("customer", "start"),
        dated="start",
        ordered=(("start", "end"),),
        either=("start", "tenure_days"),
    ),
    TableSpec(
        "attributes",
        "one value of one attribute of a customer, from a day on",
        (
            _identifier("customer", "Identifier of the customer.", required=True),
            _text("attribute", "Name of the attribute, e.g. plan.", required=True),
            _text("value", "Its value from that day on."),
            Column("valid_from", "date", "First day on which the value held.", required=True),
        ),
        key=("customer", "attribute", "valid_from"),
        dated="valid_from",
    ),
    TableSpec(
        "value_history",
        "what a customer was worth in one month",
        (
            _identifier("customer", "Identifier of the customer.", required=True),
            Column("valid_from", "date", "First day of the month.", required=True),
            Column("revenue", "number", "Revenue of the month.", unit="currency a month"),
            Column("margin", "number", "Margin of the month.", unit="currency a month"),
            _text("currency", "Currency, as an ISO 4217 code."),
        ),
        key=("customer", "valid_from"),
        dated="valid_from",
    ),
    TableSpec(
        "orders",
        "one order",
        (
            _identifier("order", "Identifier of the order."),
            _identifier("customer", "Identifier of the customer.", required=True),
            Column("time_ordered", "time", "When it was placed.", required=True),
            Column("amount", "number", "What was paid; refunds are negative.", unit="currency"),
            _text("currency", "Currency, as an ISO 4217 code."),
            _CHANNEL,
        ),
        key=("order",),
        dated="time_ordered",
    ),
    TableSpec(
        "invitations",
        "one invitation of one person to one wave of a survey",
        (
            _identifier("invitation", "Identifier of the invitation."),
            _identifier("respondent", "Who was invited; a customer's identifier where the role is customer.", required=True),
            _ROLE,
            _WAVE,
            _CHANNEL,
            _TOUCHPOINT,
            Column("time_asked", "time", "When the invitation was sent.", required=True),
        ),
        key=("invitation",),
        dated="time_asked",
    ),
    TableSpec(
        "responses",
        "one answer of one respondent to one question",
        (
            _identifier("respondent", "Who answered; a customer's identifier where the role is customer."),
            _ROLE,
            _WAVE,
            _text("question", "Identifier of the question, as declared under [questions].", required=True),
            _text("choice", "Which of several choices the row is about; its score is 1 where it was chosen, 0 where not."),
            Column(
                "score",
                "whole",
                "The raw answer, turned so that its direction is the one declared; missing where skipped.",
                unit="scale points",
            ),
            Column("weight", "number", "Design weight.", above=0),
            _CHANNEL,
            _TOUCHPOINT,
            Column("time_asked", "time", "When the question was asked."),
            Column("time_answered", "time", "When it was answered."),
            Column("time_received", "time", "When the answer reached the company; late answers restate earlier months."),
            _text("comment", "What the respondent wrote beside the score."),
            _LANGUAGE,
            _SEGMENT,
            _PERSONA,
            _PLAN,
            _REGION,
            Column("kind", "text", "Kind of the question.", made=True, one_of=("nps", "csat", "ces", "rating", "choice")),
            Column("scale_low", "whole", "Lowest answer the question allows.", made=True),
            Column("scale_high", "whole", "Highest answer the question allows.", made=True),
            Column("low_is_good", "yes/no", "Whether a low score is the good one (only the effort score of 2010).", made=True),
            Column("month", "date", "First day of the month of the answer.", made=True),
        ),
        dated="time_answered",
        ordered=(("time_asked", "time_answered"), ("time_answered", "time_received")),
    ),
    TableSpec(
        "feedback",
        "one piece of feedback, from any channel",
        (
            _identifier("feedback", "Identifier of the piece."),
            _identifier("customer", "Identifier of the customer."),
            _CHANNEL,
            _TOUCHPOINT,
            Column("time_answered", "time", "When it was written."),
            _text("comment", "What was written."),
            _LANGUAGE,
        ),
        key=("feedback",),
        dated="time_answered",
    ),
    TableSpec(
        "events",
        "one step of one case",
        (
            _identifier("case_id", "Identifier of the case: an application, a session, an order.", required=True),
            _identifier("customer", "Identifier of the customer."),
            _text("activity", "What happened.", required=True),
            Column("time", "time", "When it happened.", required=True),
            _CHANNEL,
        ),
        dated="time",
    ),
    TableSpec(
        "tickets",
        "one request for support",
        (
            _identifier("ticket", "Identifier of the ticket.", required=True),
            _identifier("customer", "Identifier of the customer."),
            _text("topic", "What it is about."),
            _CHANNEL,
            Column("time_opened", "time", "First contact.", required=True),
            Column("time_first_reply", "time", "First reply by a person; missing while waiting."),
            Column("time_resolved", "time", "Final resolution; missing while open."),
            Column("reopened", "whole", "How often it was opened again.", low=0),
        ),
        key=("ticket",),
        dated="time_opened",
        ordered=(("time_opened", "time_first_reply"), ("time_opened", "time_resolved")),
    ),
    TableSpec(
        "sends",
        "one message of a campaign to one customer, or one customer of its control group",
        (
            _identifier("send", "Identifier of the message."),
            _identifier("customer", "Identifier of the customer."),
            _text("campaign", "Name of the campaign.", required=True),
            Column("arm", "text", "Whether the customer got the message or was held back.", one_of=("message", "control")),
            _CHANNEL,
            Column("time_sent", "time", "When it was sent (control: when it would have been)."),
            Column("bounced", "yes/no", "Whether it came back."),
            Column("time_opened", "time", "First opening."),
            Column("time_clicked", "time", "First click."),
            Column("time_converted", "time", "First conversion."),
            Column("amount", "number", "What the conversion was worth.", unit="currency"),
        ),
        key=("send",),
        dated="time_sent",
        ordered=(("time_sent", "time_opened"), ("time_sent", "time_clicked"), ("time_sent", "time_converted")),
    ),
    TableSpec(
        "audits",
        "one item checked on one visit to one place",
        (
            _identifier("audit", "Identifier of the visit.", required=True),
            _text("place", "Shop or point of sale that was visited.", required=True),
            _REGION,
            _text("auditor", "Who visited."),
            _text("item", "What was checked.", required=True),
            Column("points", "number", "Points given.", unit="points", low=0),
            Column("points_possible", "number", "Points that could be given.", unit="points", above=0),
            Column("time_audited", "time", "When the visit took place.", required=True),
        ),
        key=("audit", "item"),
        dated="time_audited",
        ordered=(("points", "points_possible"),),
    ),
)

#: The canonical tables by name.
TABLES: dict[str, TableSpec] = {spec.name: spec for spec in _TABLES}
