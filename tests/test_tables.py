"""The canonical tables: declared once, whole, and the same in the codebook for people."""

from pathlib import Path

import ibis
import pandas as pd
import pytest

from cxlib.tables import RESULT, TABLES, ask, assemble, did_you_mean, expression, kept, keys, nothing
from cxlib.tables.codebook import codebook
from cxlib.tables.schema import PHYSICAL

ROOT = Path(__file__).parents[1]

every = pytest.mark.parametrize("spec", TABLES.values(), ids=lambda spec: spec.name)


def test_the_codebook_is_what_the_declarations_say():
    written = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert written == codebook(), "run: python -m cxlib.tables.codebook > data/README.md"


@every
def test_a_table_names_only_columns_it_has(spec):
    named = {*spec.key, *spec.either, *(name for pair in spec.ordered for name in pair)} | ({spec.dated} if spec.dated else set())
    assert named <= set(spec.names)
    assert len(set(spec.names)) == len(spec.names)


@every
def test_a_column_has_a_meaning_that_ends_and_a_type_that_an_engine_knows(spec):
    for column in spec.columns:
        assert column.meaning.endswith("."), column.name
        assert column.kind in PHYSICAL, column.name
        assert column.name not in RESULT, column.name


@every
def test_the_day_that_decides_what_was_known_is_a_date(spec):
    assert spec.dated is None or spec[spec.dated].kind in ("date", "time")


def test_a_column_is_found_by_its_name():
    assert TABLES["orders"]["amount"].unit == "currency"
    assert TABLES["responses"]["weight"].rule == "above 0"
    assert TABLES["customers"]["customer"].rule == "required"


def test_a_near_name_is_offered_and_a_far_one_is_not():
    assert did_you_mean("plam", ["plan", "region"]) == " Did you mean 'plan'?"
    assert did_you_mean("zebra", ["plan", "region"]) == ""


def test_a_key_may_not_take_a_name_of_the_result():
    with pytest.raises(ValueError, match=r"^by: 'n' is a column of every result and cannot be a key$"):
        keys(["plan", "n"])
    with pytest.raises(ValueError, match=r"^by: a column is named twice$"):
        keys(["plan", "plan"])
    assert keys("plan") == ["plan"]


def test_a_result_has_its_columns_in_order_and_a_missing_key_last():
    groups = pd.DataFrame({"left": [1, 2, 3], "n": [4, 5, 6], "plan": [None, "b", "a"], "estimate": 0.5, "low": 0.4, "high": 0.6})
    frame = assemble(groups, keys=["plan"], measure="csat", level=0.95, counts=["left"])
    assert list(frame) == ["plan", *RESULT, "left"]
    assert frame["plan"].tolist()[:2] == ["a", "b"]
    assert frame["left"].tolist() == [3, 2, 1]


def test_nothing_is_a_result_without_rows_that_says_why():
    frame = nothing(keys=["plan"], counts=["left"], reason="No answer has a plan.")
    assert list(frame) == ["plan", *RESULT, "left"]
    assert len(frame) == 0
    assert frame.attrs["reason"] == "No answer has a plan."


@pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
def test_rows_that_are_kept_stay_as_they_were_in_the_engine_they_are_joined_in():
    con = ibis.duckdb.connect()
    beside = con.create_table("plans", pd.DataFrame({"plan": ["a", "b"], "price": [1, 2]}))
    mine = expression(pd.DataFrame({"plan": ["b", "b", "a"]}))
    rows = kept(mine.mutate(number=ibis.row_number()), beside=[beside])
    assert rows.get_backend() is con, "kept where the other table is, though a frame has no engine"
    joined = ask(rows.join(beside, "plan").select("number", "price"))
    assert sorted(zip(joined["number"], joined["price"], strict=True)) == [(0, 2), (1, 2), (2, 1)]
    alone = kept(mine)
    assert ask(alone)["plan"].tolist() == ["b", "b", "a"]
