"""Late answers and early responders: each month as its rows say, what happened afterwards, and the coverage it promises."""

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.exceptions import StatError
from pandas.testing import assert_frame_equal
from survey_answers import answers

from cxlib import fieldwork, sample, sources, survey
from cxlib.stats import delays
from cxlib.tables import RESULT, TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

few = settings(max_examples=4)
AS_OF = dt.date(2026, 6, 30)
COLUMNS = [
    "restated", "estimate_closed", "low_closed", "high_closed", "n_closed", "late", "closed", "arrived", "low_arrived",
    "high_arrived", "to_come", "since", "until",
]  # fmt: skip


def received(rows, **columns):
    """Answers by (day given, days to receipt, scores)."""
    each = [
        (pd.Timestamp(given_), pd.Timestamp(given_) + pd.Timedelta(days=late), score) for given_, late, scores in rows for score in scores
    ]
    return pd.DataFrame(each, columns=["time_answered", "time_received", "score"]).assign(**columns)


@st.composite
def arriving(draw):
    """Answers that reach the company the same day, days or months later, or of which nobody knows when."""
    table = draw(answers(times=True))
    late = draw(st.lists(st.sampled_from([0, 0, 3, 20, 45, 200, None]), min_size=len(table), max_size=len(table)))
    return table.assign(time_received=table["time_answered"] + pd.to_timedelta(pd.Series(late, dtype="float"), unit="D"))


MAY = received([("2026-05-20", 0, [10] * 30 + [3] * 10), ("2026-05-20", 15, [7] * 20), ("2026-06-20", 0, [10, 3] * 25)])


# By the rows


@few
@given(arriving(), st.sampled_from([0, 10]))
def test_every_month_is_what_its_rows_say(table, days):
    as_of = dt.date(2026, 4, 30)
    known = table.assign(reached=table["time_received"].fillna(table["time_answered"]).dt.date)
    known = known[known["reached"] <= as_of].assign(month=lambda rows: rows["time_answered"].dt.to_period("M").dt.start_time)
    found = fieldwork.late(table, as_of=as_of, by="plan", days=days)
    if table["time_received"].isna().all() or table["plan"].isna().all():
        assert found.empty
        return
    now = survey.nps(known.assign(month=known["month"].dt.date), by=["plan", "month"])
    same = ["plan", "month", "estimate", "low", "high", "level", "n"]
    assert_frame_equal(found[same], now[same])
    for row in found.to_dict("records"):
        closing = (pd.Timestamp(row["month"]) + pd.offsets.MonthEnd()).date() + dt.timedelta(days=days)
        if closing > as_of:
            assert row["closed"] is None
            assert pd.isna([row["estimate_closed"], row["n_closed"], row["late"], row["restated"]]).all()
            continue
        group = known["plan"].isna() if pd.isna(row["plan"]) else known["plan"] == row["plan"]
        rows = known[group & (known["month"].dt.date == row["month"])]
        then = rows[rows["reached"] <= closing]
        n, in_time = (each["score"].notna().sum() for each in (rows, then))
        assert (row["closed"], row["n_closed"], row["late"]) == (closing, in_time, n - in_time)
        if then["score"].notna().any():
            alone = survey.nps(then).iloc[0]
            assert [row["estimate_closed"], row["low_closed"], row["high_closed"]] == alone[["estimate", "low", "high"]].tolist()
            assert row["restated"] == pytest.approx(row["estimate"] - alone["estimate"], nan_ok=True)


@few
@given(arriving(), st.integers(0, 99))
def test_neither_the_engine_nor_the_order_of_the_rows_matters(table, seed):
    found = fieldwork.late(table, as_of=AS_OF, by="plan")
    assert_frame_equal(found, fieldwork.late(table.sample(frac=1, random_state=seed), as_of=AS_OF, by="plan"), check_exact=True)
    other = ibis.duckdb.connect().create_table("responses", table)
    assert_frame_equal(found, fieldwork.late(other, as_of=AS_OF, by="plan"), check_exact=True)


def test_the_score_at_the_close_is_what_a_report_of_that_day_had(tmp_path):
    """But for answers given anew, whose earlier one a report of that day had and the table has no more."""
    sample.write(tmp_path, customers=300, seed=3)
    now = sources.read(tmp_path / "sources.toml", as_of="2026-06-30").responses
    found = fieldwork.late(now, as_of="2026-06-30").set_index("month")
    assert found["late"].sum() > 5
    for month, closing in ((dt.date(2025, 3, 1), "2025-03-31"), (dt.date(2026, 5, 1), "2026-05-31")):
        then = survey.nps(sources.read(tmp_path / "sources.toml", as_of=closing).responses, by="month").set_index("month")
        assert found.loc[month, ["estimate_closed", "n_closed"]].tolist() == then.loc[month, ["estimate", "n"]].tolist()


def test_an_answer_given_anew_is_not_in_the_score_at_the_close(tmp_path):
    rows = "respondent,wave,question,score,time_answered,time_received\n"
    rows += "a,w,nps,3,2026-05-05,2026-05-05\na,w,nps,9,2026-05-20,2026-06-04\nb,w,nps,9,2026-05-06,2026-05-06\n"
    (tmp_path / "a.csv").write_text(rows, encoding="utf-8")
    toml = '[tables.responses]\nfiles = "a.csv"\n[questions.nps]\nkind = "nps"\nscale = [0, 10]\ndirection = "high is good"\n'
    (tmp_path / "sources.toml").write_text(toml, encoding="utf-8")
    found = fieldwork.late(sources.read(tmp_path / "sources.toml", as_of="2026-06-30").responses, as_of="2026-06-30").iloc[0]
    assert [found["n"], found["n_closed"], found["late"]] == [2, 1, 1]
    then = survey.nps(sources.read(tmp_path / "sources.toml", as_of="2026-05-31").responses).iloc[0]
    assert then["n"] == 2


# What has arrived


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40)), min_size=1, max_size=60))
def test_what_has_arrived_is_the_curve_of_lifelines_read_backwards(rows):
    """A delay known only where it is shorter than the age is, counted back from the longest, a time with delayed entry."""
    ages = np.arange(10)[::-1] * 9
    known = [(period, delay) for period, delay in rows if delay <= ages[period]]
    if not known:
        return
    counts = np.zeros((10, max(delay for _, delay in known) + 1))
    for period, delay in known:
        counts[period, delay] += 1
    found, low, high = delays.arrived(counts, ages, level=0.95)
    longest = counts.shape[1] - 1
    back = pd.DataFrame([(longest - delay, max(longest - ages[period], 0)) for period, delay in known], columns=["time", "entry"])
    # lifelines lets nobody enter at the very time of the event.
    try:
        curve = KaplanMeierFitter().fit(back["time"] + 0.5, entry=back["entry"], event_observed=np.ones(len(back)))
    except StatError:
        assume(False)  # it refuses a curve that is at 0 before everybody has entered
    for place, age in enumerate(ages):
        if np.isnan(found[place]):
            continue
        expected = 1.0 if age >= longest else float(curve.predict(longest - age - 0.5))
        assert found[place] == pytest.approx(expected, abs=1e-9)
        assert 0 <= low[place] <= found[place] <= high[place] <= 1


def test_with_one_delay_only_what_has_arrived_is_a_share():
    counts = np.zeros((6, 21))
    counts[:, 0], counts[:5, 20] = 90, 10
    found, low, high = delays.arrived(counts, [150, 120, 90, 60, 30, 0], level=0.95)
    np.testing.assert_allclose(found, [1, 1, 1, 1, 1, 0.9])
    assert low[-1] < 0.9 < high[-1]
    assert low[-1] > 0.86


def test_a_month_that_is_not_over_and_one_with_few_older_ones_have_no_share():
    counts = np.array([[90, 10], [90, 10], [90, 0], [40, 0]])
    found, _, _ = delays.arrived(counts, [60, 30, 0, -10], level=0.95)
    np.testing.assert_array_equal(found, [1, 1, np.nan, np.nan])


def test_where_nothing_ever_came_late_the_answers_seen_say_how_sure_that_is():
    found, low, high = delays.arrived(np.full((5, 1), 20), [120, 90, 60, 30, 0], level=0.95)
    assert [found[-1], high[-1]] == [1, 1]
    assert low[-1] == pytest.approx(80 / (80 + 1.959964**2))


@pytest.mark.parametrize(("n", "share", "on_paper"), [(60, 0.05, False), (100, 0.2, True), (1000, 0.005, True)])
def test_the_interval_of_what_has_arrived_holds_as_often_as_it_says(n, share, on_paper):
    random, size, months = np.random.default_rng(9), 300, 12
    ages, held = 30 * np.arange(months)[::-1], 0
    for _ in range(size):
        chance = share * random.choice([0.0, 2.0], months) if on_paper else np.full(months, share)
        sent = random.poisson(n, months)
        late = random.binomial(sent, chance)
        counts = np.zeros((months, 46), dtype=int)
        counts[:, 0] = sent - late
        for month in range(months):
            delay = random.integers(1, 46, late[month])
            counts[month] += np.bincount(delay[delay <= ages[month]], minlength=46)
        _, low, high = delays.arrived(counts, ages, level=0.95)
        held += low[-1] <= 1 - share <= high[-1]
    assert 0.92 <= held / size <= 0.99


def test_what_is_still_to_come_then_came():
    """Of sample companies in March: what was expected of the last two months, and what had come by the end of June."""
    expected, came = 0.0, 0.0
    for seed in range(200, 210):
        table = sample.company(customers=500, seed=seed)["responses"]
        loyal = table[(table["question"] == "nps") & (table["role"] == "customer")]
        then = fieldwork.late(loyal, as_of="2026-03-31", measure=survey.Score("nps", question="nps")).set_index("month")
        now = fieldwork.late(loyal, as_of="2026-06-30", measure=survey.Score("nps", question="nps")).set_index("month")
        last = [dt.date(2026, 2, 1), dt.date(2026, 3, 1)]
        expected += then.loc[last, "to_come"].sum()
        came += (now.loc[last, "n"] - then.loc[last, "n"]).sum()
    assert came > 15
    assert abs(expected - came) < 3 * np.sqrt(came)


# Edges


def test_a_month_is_restated_by_what_came_after_its_close():
    found = fieldwork.late(MAY, as_of=AS_OF)
    assert found[["n_closed", "n", "late"]].values.tolist() == [[40, 60, 20], [50, 50, 0]]
    assert found["restated"].tolist() == pytest.approx([100 * (20 / 60 - 20 / 40), 0])
    assert found["closed"].tolist() == [dt.date(2026, 5, 31), dt.date(2026, 6, 30)]
    later = fieldwork.late(MAY, as_of=AS_OF, days=4)
    assert later["n_closed"].tolist() == [60, pd.NA]
    assert later["closed"].tolist() == [dt.date(2026, 6, 4), None]


def test_what_was_received_after_the_day_counted_is_left_out_and_said():
    found = fieldwork.late(MAY, as_of="2026-06-03")
    assert found[["n", "n_closed"]].values.tolist() == [[40, 40]]
    assert found.attrs["notes"] == ["70 of 110 answers carry no date or came later, and are left out."]


def test_a_month_of_which_nothing_had_come_at_its_close_is_restated_from_nothing():
    found = fieldwork.late(received([("2026-05-20", 15, [9, 3])]), as_of=AS_OF).iloc[0]
    assert [found["n_closed"], found["late"], found["estimate"]] == [0, 2, 0]
    assert pd.isna([found["estimate_closed"], found["restated"]]).all()


def test_what_has_arrived_and_is_to_come_add_up():
    rows = [(f"2026-0{month}-10", 0, [9] * 80) for month in range(1, 7)] + [(f"2026-0{month}-10", 40, [3] * 20) for month in range(1, 6)]
    found = fieldwork.late(received(rows), as_of=AS_OF)
    assert found["arrived"].tolist() == pytest.approx([1, 1, 1, 1, 1, 0.8])
    assert found["to_come"].tolist() == pytest.approx([0, 0, 0, 0, 0, 20])


def test_a_result_has_its_shape():
    found = fieldwork.late(MAY.assign(plan="a"), as_of=AS_OF, by="plan")
    assert list(found.columns) == ["plan", "month", *RESULT, *COLUMNS]
    assert found["measure"].tolist() == ["nps_restated"] * 2
    none = fieldwork.late(MAY.assign(plan="a").head(0), as_of=AS_OF, by="plan")
    assert list(none.columns) == list(found.columns)
    assert none.dtypes[COLUMNS].tolist() == found.dtypes[COLUMNS].tolist()
    assert none.attrs["reason"] == "Nobody was asked how likely they are to recommend."


@pytest.mark.parametrize("table", [MAY.drop(columns="time_received"), MAY.assign(time_received=pd.NaT)], ids=["absent", "empty"])
def test_without_the_day_of_receipt_nothing_is_restated(table):
    assert fieldwork.late(table, as_of=AS_OF).attrs["reason"] == "No answer says when it reached the company, so nothing is restated."


def test_without_any_date_nothing_is_restated():
    table = pd.DataFrame({"score": [9, 3], "time_received": pd.to_datetime(["2026-05-01"] * 2)})
    assert fieldwork.late(table, as_of=AS_OF).attrs["reason"] == "No answer that was known by then carries a date, so nothing is restated."


@pytest.mark.parametrize(("measure", "name"), [("ratings", "rating_mean_restated"), ("csat", "csat_restated")])
def test_other_scores_are_restated_alike(measure, name):
    table = received([("2026-05-20", 0, [5] * 8 + [1] * 2), ("2026-05-20", 20, [1] * 10)], scale_low=1, scale_high=5)
    found = fieldwork.late(table, as_of=AS_OF, measure=measure).iloc[0]
    assert found["measure"] == name
    assert [found["estimate_closed"], found["estimate"]] == pytest.approx([0.8, 0.4] if measure == "csat" else [4.2, 2.6])


# Early and later


def answered(*days, scores=(10, 3), **columns):
    """Answers that came after so many days, one of each score a day."""
    table = pd.DataFrame({"score": np.tile(scores, len(days)), "after": np.repeat(days, len(scores))})
    asked = pd.to_datetime("2026-05-04 09:00")
    return table.assign(time_asked=asked, time_answered=asked + pd.to_timedelta(table["after"], unit="D"), **columns)


@few
@given(answers(), st.data(), st.integers(0, 3))
def test_early_less_later_is_a_movement_between_people_who_are_in_one_wave_only(table, data, limit):
    delay = data.draw(st.lists(st.sampled_from([0, 1, 2, 5, None]), min_size=len(table), max_size=len(table)))
    asked = pd.to_datetime("2026-05-04 23:30")
    days = pd.Series(delay, dtype="float")
    table = table.assign(time_asked=asked, time_answered=asked + pd.to_timedelta(days, unit="D"), respondent=None)
    found = fieldwork.early(table, by="plan", days=limit)
    wave = pd.Series(np.where(days.isna(), None, np.where(days <= limit, "early", "later")), dtype=object)
    if wave.nunique() < 2 or found.empty:
        assert found.empty
        return
    moved = survey.movement(table.assign(wave=wave)[wave.notna()], by="plan", between=("later", "early")).set_index("plan")
    for row in found.to_dict("records"):
        expected = moved[moved.index.isna()].iloc[0] if pd.isna(row["plan"]) else moved.loc[row["plan"]]
        for name in ("estimate", "low", "high", "p_value", "n"):
            assert row[name] == pytest.approx(expected[name], nan_ok=True)
        assert row["days"] == limit


def test_early_is_within_the_days_in_which_half_of_the_answers_came():
    assert fieldwork.early(answered(0, 0, 1, 3, 9, 9)).loc[0, ["days", "n_early", "n_later"]].tolist() == [1, 6, 6]
    assert fieldwork.early(answered(0, 1, 1, 9)).loc[0, "days"] == 1
    assert fieldwork.early(answered(0, 4), days=3).loc[0, ["days", "n_early", "n_later"]].tolist() == [3, 2, 2]


def test_early_ones_who_are_happier_stand_above():
    found = fieldwork.early(pd.concat([answered(*[0] * 60, scores=(10,)), answered(*[9] * 60, scores=(3,))])).iloc[0]
    assert (found["verdict"], found["estimate"]) == ("above", 200)


def test_nobody_is_compared_where_all_came_at_once_or_nobody_knows_when():
    reasons = [
        fieldwork.early(table, **given_).attrs["reason"]
        for table, given_ in (
            (answered(1, 1), {}),
            (answered(5, 6), {"days": 1}),
            (answered(1, 2).drop(columns="time_asked"), {}),
            (answered().assign(kind="csat"), {}),
        )
    ]
    assert reasons == [
        "All answers came within 1 day of being asked, so there are no two sides to compare.",
        "No answers came within 1 day of being asked, so there are no two sides to compare.",
        "No answer says when it was asked for and when it was given, so nobody is early or late.",
        "Nobody was asked how likely they are to recommend.",
    ]


def test_what_says_not_when_it_came_is_left_out_and_said():
    table = pd.concat([answered(0, 9), answered(0).assign(time_answered=pd.NaT)])
    assert fieldwork.early(table).attrs["notes"] == ["2 of 6 answers do not say when they were asked for and given, and are left out."]


# Letters

LETTERS = {
    "a day unquoted": (lambda: fieldwork.late(MAY, as_of=1990), "late: as_of is a day written like '2026-06-30', not 1990"),
    "days before the end": (
        lambda: fieldwork.late(MAY, as_of=AS_OF, days=-1),
        "days: -1 is no number of days; it is a whole number from 0",
    ),
    "days in part": (lambda: fieldwork.early(MAY, days=1.5), "days: 1.5 is no number of days; it is a whole number from 0"),
    "a level": (lambda: fieldwork.late(MAY, as_of=AS_OF, level=95), "level: 95 is not between 0 and 1; for 95 % write 0.95"),
    "no such score": (lambda: fieldwork.late(MAY, as_of=AS_OF, measure="NPS"), "measure: 'NPS' is none of 'nps', 'csat', 'ces', 'ratings'"),
    "the month as key": (
        lambda: fieldwork.late(MAY, as_of=AS_OF, by="month"),
        "by: 'month' is a column of this result and cannot be a key",
    ),
    "a receipt in words": (
        lambda: fieldwork.late(MAY.assign(time_received="soon"), as_of=AS_OF),
        "late: 110 values of 'time_received' are not dates (row 1: 'soon', row 2: 'soon', row 3: 'soon', …). Convert the column first.",
    ),
    "asked in words": (
        lambda: fieldwork.early(answered(0, 1).assign(time_asked="soon")),
        "early: 4 values of 'time_asked' are not dates (row 1: 'soon', row 2: 'soon', row 3: 'soon', …). Convert the column first.",
    ),
    "a margin": (
        lambda: fieldwork.early(answered(0, 1), margin=-1),
        "margin: -1 is no size of a difference; it is above 0, in the unit of the score",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LETTERS)
def test_an_error_is_a_letter(name):
    call, expected = LETTERS[name]
    with pytest.raises((TableError, ValueError)) as error:
        call()
    assert str(error.value) == expected
