"""Leaving: rows as counting customer by customer has them, no immortal time, R's coefficients through the whole room."""

import datetime as dt
from functools import cache
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from cxlib.leaving.histories import NOT_RECORDED, Histories

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

GOLDEN = Path(__file__).parent / "golden"
AS_OF = dt.date(2026, 6, 30)
FIRST = pd.Timestamp("2025-03-10")

# Most of an example's time is the engine's preparation, so a few examples of many rows tell more than many of a few.
few = settings(max_examples=4, deadline=None)


@cache
def engine() -> ibis.BaseBackend:
    return ibis.duckdb.connect()


def engine_table(frame: pd.DataFrame, name: str) -> ibis.Table:
    text = {column: "string" for column in frame if frame[column].dtype == object}
    return engine().create_table(name, frame.astype(text), overwrite=True)


def days(*offsets) -> pd.Series:
    return FIRST + pd.to_timedelta(pd.Series(offsets, dtype="float64"), unit="D")


def learned(*rows) -> pd.DataFrame:
    """What was learned, from (customer, attribute, value, day since FIRST)."""
    frame = pd.DataFrame(rows, columns=["customer", "attribute", "value", "valid_from"])
    return frame.assign(valid_from=days(*frame["valid_from"]).to_numpy())


def customers(*spells, **columns) -> pd.DataFrame:
    """Spells from (customer, start, end, observed_from), in days since FIRST."""
    frame = pd.DataFrame([(*spell, None, None)[:4] for spell in spells], columns=["customer", "start", "end", "observed_from"])
    return frame.assign(**{name: days(*frame[name]).to_numpy() for name in ("start", "end", "observed_from")}, **columns)


# Start-stop rows


def one_by_one(spells: pd.DataFrame, known: pd.DataFrame, names: list[str], as_of: dt.date) -> pd.DataFrame:
    """Cells by a loop over customers and over each of their days: who was at risk, with what was known the evening before."""
    last, rows = pd.Timestamp(as_of), []
    for spell in spells[spells["start"] <= last].to_dict("records"):
        ended = pd.notna(spell["end"]) and spell["end"] <= last
        tenure = ((spell["end"] if ended else last) - spell["start"]).days
        late = pd.notna(spell["observed_from"]) and spell["observed_from"] > spell["start"]
        entry = (spell["observed_from"] - spell["start"]).days if late else 0
        mine = known[(known["customer"] == spell["customer"]) & (known["valid_from"] <= last)]
        stretch = []
        for at in range(entry, tenure + 1):
            day = spell["start"] + pd.Timedelta(days=at)
            # On the first day it counts what is known by its end, on any other what was known before it.
            heard = mine[mine["valid_from"] <= day] if at == entry else mine[mine["valid_from"] < day]
            told = []
            for name in names:
                of = heard[heard["attribute"] == name].sort_values("valid_from")
                value = of["value"].iloc[-1] if len(of) else spell.get(name)
                told.append(NOT_RECORDED if value is None or pd.isna(value) else value)
            stretch.append((tuple(told), at))
        for told, at in stretch:
            rows.append((*told, at, ended and at == tenure))
    return pd.DataFrame(rows, columns=[*names, "day", "ended"])


def by_day(cells: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Spells at risk and ended on each day of tenure, from cells: a row for every day of every spell."""
    named = cells.rename(columns={f"v{place}": name for place, name in enumerate(names)})
    named = named.loc[named.index.repeat(named["spells"])]
    stretches = [np.arange(int(np.floor(start)) + 1, int(stop) + 1) for start, stop in zip(named["start"], named["stop"], strict=True)]
    out = named.loc[named.index.repeat([len(each) for each in stretches])].assign(day=np.concatenate(stretches))
    return out.assign(ended=out["ended"] & (out["day"] == out["stop"]))[[*names, "day", "ended"]]


@st.composite
def stories(draw):
    """Spells of a few customers, some with several, some observed late, and what was learned of them."""
    day = st.integers(0, 60)
    who = st.sampled_from(list("abcdef"))
    spells = draw(st.lists(st.tuples(who, day, st.one_of(st.none(), day), st.integers(-20, 20)), min_size=1, max_size=12))
    rows = [
        (customer, start, None if length is None else start + length, start + late if late > -10 else None)
        for customer, start, length, late in spells
    ]
    plans = draw(st.lists(st.sampled_from(["x", "y", None]), min_size=len(rows), max_size=len(rows)))
    table = customers(*rows).assign(plan=pd.Series(plans, dtype=object))
    values = st.sampled_from(["x", "y", "z", None])
    facts = draw(st.lists(st.tuples(who, st.sampled_from(["plan", "mood"]), values, st.integers(-10, 70)), max_size=25))
    known = learned(*facts).drop_duplicates(["customer", "attribute", "valid_from"])
    return table, known


@settings(max_examples=15, deadline=None)
@given(story=stories())
def test_rows_are_those_of_asking_what_was_known_of_each_customer_on_each_day(story):
    table, known = story
    anybody = learned((None, "mood", None, np.nan))
    as_of, names = (FIRST + pd.Timedelta(days=45)).date(), ["plan", "mood"]
    asked = Histories(table, [known, anybody], names, None, as_of)
    if not asked.spells()[1]:
        return
    expected = one_by_one(table, known, names, as_of)
    order = [*names, "day", "ended"]
    found = by_day(asked.cells(), names)
    assert_frame_equal(found.sort_values(order, ignore_index=True), expected.sort_values(order, ignore_index=True), check_dtype=False)
    whose, cells = asked.whose(), asked.cells()
    assert whose.groupby("cell").size().to_dict() == cells.set_index("cell")["spells"].to_dict()
