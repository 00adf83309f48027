"""Response rates: by brute force, which answer is whose, who has not had the time, and what is refused."""

import datetime as dt
import re
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from cxlib import fieldwork, figures, groups, sources, survey
from cxlib.figures.settings import CURRENT, Settings
from cxlib.tables import RESULT, TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

few = settings(max_examples=6)
ROOT = Path(__file__).parents[1]
COUNTS = ["answered", "late", "too_recent", "recent_answered", "n_people", "n_eff", "since", "until"]
AS_OF = dt.date(2026, 3, 31)


def days(*after):
    """Days of 2026, counted from its first; None where there is none."""
    return pd.to_datetime([None if day is None else pd.Timestamp("2026-01-01") + pd.Timedelta(days=day) for day in after])


def invitations(*rows, **more):
    """Invitations: (respondent, wave, day)."""
    people, waves, asked = zip(*rows, strict=True)
    return pd.DataFrame({"respondent": list(people), "wave": pd.Series(waves, dtype=object), "time_asked": days(*asked)}).assign(**more)


def answers(*rows, **more):
    """Answers: (respondent, wave, day)."""
    people, waves, given_ = zip(*rows, strict=True) if rows else ((), (), ())
    frame = pd.DataFrame(
        {"respondent": pd.Series(people, dtype=object), "wave": pd.Series(waves, dtype=object), "time_answered": days(*given_)}
    )
    return frame.assign(**more)


def rate(asked, given_, **more):
    return fieldwork.response_rate(asked, given_, **({"as_of": AS_OF} | more))


def only(asked, given_, **more):
    (row,) = rate(asked, given_, **more).itertuples()
    return row


# By brute force


@st.composite
def waves(draw):
    """Invitations of a few people to waves, some twice, and answers, some late, some to nothing."""
    people, names = st.sampled_from(["a", "b", "c", "d", "e"]), st.sampled_from(["1", "2", "3"])
    asked = draw(st.lists(st.tuples(people, names, st.integers(0, 89)), min_size=1, max_size=25))
    given_ = draw(st.lists(st.tuples(people, names, st.integers(0, 89)), min_size=1, max_size=25))
    return asked, given_


def by_hand(asked, given_, limit):
    """Answered in time, later, and of the too recent ones so far; how many had their time, and how many had not."""
    first = {}
    for person, wave, day in asked:
        first[person, wave] = min(day, first.get((person, wave), day))
    counts = dict.fromkeys(("answered", "late", "recent_answered", "n", "too_recent"), 0)
    for (person, wave), day in first.items():
        delays = [given_day - day for who, of, given_day in given_ if (who, of) == (person, wave) and given_day >= day]
        ripe = day + limit <= 89
        counts["n" if ripe else "too_recent"] += 1
        if delays:
            counts["recent_answered" if not ripe else "answered" if min(delays) <= limit else "late"] += 1
    return counts


@few
@given(waves(), st.integers(1, 60))
def test_every_invitation_is_found_to_be_answered_or_not(drawn, limit):
    asked, given_ = drawn
    found = rate(invitations(*asked), answers(*given_), days=limit)
    expected = by_hand(asked, given_, limit)
    if not expected["n"]:
        assert found.attrs["reason"] == f"All invitations are of the last {limit} days, so none has had its time."
        return
    row = found.iloc[0]
    assert {name: row[name] for name in expected} == expected
    assert row["estimate"] == pytest.approx(expected["answered"] / expected["n"])
    assert row["low"] <= row["estimate"] <= row["high"]
    assert 0 < row["n_eff"] <= row["n"]


@few
@given(waves(), st.integers(0, 99))
def test_neither_the_engine_nor_the_order_of_the_rows_matters(drawn, seed):
    asked, given_ = invitations(*drawn[0], channel="e-mail"), answers(*drawn[1])
    found = rate(asked, given_, by=["wave", "month"])
    shuffled = rate(asked.sample(frac=1, random_state=seed), given_.sample(frac=1, random_state=seed), by=["wave", "month"])
    assert_frame_equal(found, shuffled, check_exact=True)
    con = ibis.duckdb.connect()
    engine = rate(con.create_table("invitations", asked), con.create_table("responses", given_), by=["wave", "month"])
    assert_frame_equal(found, engine, check_exact=True)


@few
@given(waves())
def test_groups_add_up_to_all(drawn):
    asked, given_ = invitations(*drawn[0]), answers(*drawn[1])
    whole, parts = rate(asked, given_), rate(asked, given_, by="wave")
    for name in ("n", "answered", "late", "too_recent", "recent_answered"):
        assert parts[name].sum() == (whole[name].sum() if len(whole) else parts[name].sum())


def test_a_result_has_its_shape():
    found = rate(invitations(("a", "1", 0), ("b", "1", 0)), answers(("a", "1", 1)), by="wave")
    assert list(found.columns) == ["wave", *RESULT, *COUNTS]
    assert found["measure"].tolist() == ["response_rate"]
    assert found[["since", "until"]].values.tolist() == [[dt.date(2026, 1, 1), dt.date(2026, 1, 1)]]
    none = rate(invitations(("a", "1", 0)).head(0), answers(("a", "1", 1)), by="wave")
    assert list(none.columns) == list(found.columns)
    assert none.dtypes[COUNTS].tolist() == found.dtypes[COUNTS].tolist()


# Which answer is whose


WHOSE = {
    "of another wave": (answers(("a", "2", 1)), 0),
    "of nobody who was asked": (answers(("z", "1", 1)), 0),
    "before the asking": (answers(("a", "1", 4)), 0),
    "of the day of asking, at whatever hour": (answers(("a", "1", 5)), 1),
    "without a wave": (answers(("a", None, 9)), 1),
    "without a day": (answers(("a", "1", None), ("z", "1", 1)), 1),
    "of another touchpoint": (answers(("a", "1", 9), touchpoint="store"), 0),
    "of the same touchpoint": (answers(("a", "1", 9), touchpoint="delivery"), 1),
    "of a touchpoint nobody named": (answers(("a", "1", 9), touchpoint=None), 1),
    "through another channel": (answers(("a", "1", 9), channel="web"), 1),
    "given twice": (answers(("a", "1", 9), ("a", "1", 12)), 1),
    "known after the time": (answers(("a", "1", 9), time_received=days(80)), 0),
}


@pytest.mark.parametrize(("given_", "answered"), WHOSE.values(), ids=WHOSE)
def test_an_answer_belongs_to_an_invitation(given_, answered):
    asked = invitations(("a", "1", 5), touchpoint="delivery", channel="e-mail")
    asked["time_asked"] += pd.Timedelta(hours=12)
    assert only(asked, given_).answered == answered


def test_a_reminder_is_no_second_invitation():
    row = only(invitations(("a", "1", 5), ("a", "1", 12), ("b", "1", 5)), answers(("a", "1", 14)))
    assert (row.n, row.answered, row.since) == (2, 1, dt.date(2026, 1, 6))


def test_without_waves_an_answer_belongs_to_the_last_invitation_before_it():
    asked = invitations(("a", None, 0), ("a", None, 10), ("a", None, 20), ("b", None, 0))
    row = only(asked, answers(("a", None, 12), ("b", None, 40)))
    assert (row.n, row.answered, row.late) == (4, 1, 1)


def test_what_is_known_after_the_last_day_is_not_known():
    asked = invitations(("a", "1", 0), ("b", "1", 80), ("c", "1", 200))
    row = only(asked, answers(("a", "1", 120), ("b", "1", 85), ("c", "1", 201)))
    assert (row.n, row.answered, row.late, row.too_recent, row.recent_answered) == (1, 0, 0, 1, 1)


# Who has not had the time


def test_whoever_may_still_answer_is_not_silent():
    """Everybody answers after 20 days. Half were asked 10 days ago, and have not yet."""
    asked = invitations(*[(f"p{number}", "1", 0 if number % 2 else 79) for number in range(40)])
    given_ = answers(*[(f"p{number}", "1", 20) for number in range(1, 40, 2)])
    found = rate(asked, given_)
    assert found[["estimate", "n", "too_recent"]].values.tolist() == [[1.0, 20, 20]]
    assert found.attrs["notes"] == [
        "An answer counts where it was known within 28 days of asking.",
        "20 invitations are more recent than that and left out.",
    ]


def test_a_month_that_had_no_time_stays_without_a_rate():
    found = rate(invitations(("a", "1", 0), ("b", "1", 0), ("c", "2", 80)), answers(("a", "1", 1)), by="month")
    assert found["month"].tolist() == [dt.date(2026, 1, 1), dt.date(2026, 3, 1)]
    assert found["n"].tolist() == [2, 0]
    assert found["estimate"].isna().tolist() == [False, True]


# People who are invited again and again


def test_people_who_always_or_never_answer_make_the_interval_wider():
    everybody = [f"p{number}" for number in range(30)]
    asked = invitations(*[(person, wave, 0) for person in everybody for wave in "1234"])
    alike = only(asked, answers(*[(person, wave, 1) for person in everybody[:15] for wave in "1234"]))
    mixed = only(asked, answers(*[(person, wave, 1) for number, person in enumerate(everybody) for wave in ("1" if number % 2 else "234")]))
    assert (alike.n, alike.n_people, alike.answered, mixed.answered) == (120, 30, 60, 60)
    assert alike.n_eff == pytest.approx(30, rel=0.05)
    assert mixed.n_eff > 110
    assert alike.high - alike.low > 1.8 * (mixed.high - mixed.low)


def test_the_interval_holds_the_truth_where_people_are_alike_in_answering():
    """Forty people, each invited six times; each has a chance of their own to answer. 40 samples."""
    random = np.random.default_rng(8)
    chance = random.beta(0.6, 1.4, (40, 40))
    answered = random.random((40, 40, 6)) < chance[..., None]
    held = 0
    for sample in answered:
        asked = pd.DataFrame(
            {"respondent": np.repeat(np.arange(40), 6).astype(str), "wave": np.tile(list("123456"), 40), "time_asked": days(0)[0]}
        )
        row = only(asked, asked[sample.ravel()].rename(columns={"time_asked": "time_answered"}))
        held += row.low <= 0.3 <= row.high
    assert held >= 35


# Who did not answer


PEOPLE = pd.DataFrame(
    {
        "customer": ["a", "a", "b", "c"],
        "start": pd.to_datetime(["2024-01-01", "2025-06-01", "2024-01-01", "2024-01-01"]),
        "segment": ["Home", "Office", "Home", "Home"],
    }
)


def test_customers_lend_what_their_latest_spell_says():
    asked = invitations(("a", "1", 0), ("b", "1", 0), ("c", "1", 0), ("z", "1", 0))
    found = rate(asked, answers(("a", "1", 1), ("b", "1", 1)), by="segment", customers=PEOPLE)
    assert found["segment"].tolist()[:2] == ["Home", "Office"]
    assert found["segment"].isna().tolist() == [False, False, True]
    assert found[["n", "answered"]].values.tolist() == [[2, 1], [1, 1], [1, 0]]


def test_invitations_of_a_role_that_never_answers_here_are_left_out_and_said():
    asked = pd.concat([invitations(("a", "1", 0), ("b", "1", 0), role="customer"), invitations(("a", "1", 0), role="staff")])
    found = rate(asked, answers(("a", "1", 1)))
    assert found[["n", "answered"]].values.tolist() == [[2, 1]]
    assert found.attrs["notes"][1:] == ["1 invitation of role 'staff' is left out, as no answer here is of that role."]


def test_answers_that_nobody_signed_are_said():
    found = rate(invitations(("a", "1", 0), ("b", "1", 0)), answers(("a", "1", 1), (None, "1", 1), ("b", "1", 60)))
    assert found.attrs["notes"][1:] == [
        "1 answer arrived later, and counts as none.",
        "1 of 3 answers is signed by nobody: the invitations behind them count as not answered.",
    ]


NOTHING = {
    "nobody invited": (
        invitations(("a", "1", 0)).head(0), answers(("a", "1", 1)), "Nobody was invited, as far as is known, so there is no response rate.",
    ),
    "no answers": (invitations(("a", "1", 0)), answers(), "There are no answers."),
    "nobody signed": (
        invitations(("a", "1", 0)), answers((None, "1", 1)), "No answer is signed, so nobody knows which invitations were answered.",
    ),
    "others were invited": (
        invitations(("a", "1", 0), role="staff"), answers(("a", "1", 1)), "Nobody of those who answered was invited, as far as is known.",
    ),
    "too recent": (
        invitations(("a", "1", 80)), answers(("a", "1", 81)), "All invitations are of the last 28 days, so none has had its time.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "given_", "reason"), NOTHING.values(), ids=NOTHING)
def test_where_there_is_no_rate_the_result_says_why(asked, given_, reason):
    found = rate(asked, given_)
    assert (len(found), found.attrs["reason"]) == (0, reason)


LETTERS = {
    "nobody named": (
        lambda: rate(invitations((None, "1", 0), ("a", "1", 0)), answers(("a", "1", 1))), TableError,
        "response_rate: 1 of 2 invitations name nobody. Leave them out, or say who was asked.",
    ),
    "no such column": (
        lambda: rate(invitations(("a", "1", 0)), answers(("a", "1", 1)), by="segment"), TableError,
        "response_rate: the table has no column 'segment'.",
    ),
    "no such column of customers": (
        lambda: rate(invitations(("a", "1", 0)), answers(("a", "1", 1)), by="segmnt", customers=PEOPLE), TableError,
        "response_rate: the table has no column 'segmnt'. Did you mean 'segment'?",
    ),
    "text for times": (
        lambda: rate(invitations(("a", "1", 0)).assign(time_asked="soon"), answers(("a", "1", 1))), TableError,
        "response_rate: 1 values of 'time_asked' are not dates (row 1: 'soon'). Convert the column first.",
    ),
    "days": (
        lambda: rate(invitations(("a", "1", 0)), answers(("a", "1", 1)), days=0), ValueError,
        "days: 0 is no number of days; it is a whole number from 1",
    ),
    "as_of": (
        lambda: rate(invitations(("a", "1", 0)), answers(("a", "1", 1)), as_of=1995), ValueError,
        "response_rate: as_of is a day written like '2026-06-30', not 1995",
    ),
    "by": (
        lambda: rate(invitations(("a", "1", 0)), answers(("a", "1", 1)), by="late"), ValueError,
        "by: 'late' is a column of this result and cannot be a key",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "words"), LETTERS.values(), ids=LETTERS)
def test_what_cannot_be_counted_gets_a_letter(call, kind, words):
    with pytest.raises(kind) as letter:
        call()
    assert str(letter.value) == words


# Against the rest


def against_rest(asked, given_, **more):
    return fieldwork.rate_breakdowns(asked, given_, **({"as_of": AS_OF} | more))


@few
@given(waves(), st.integers(1, 60), st.booleans())
def test_each_group_is_set_against_the_rest_as_scores_of_found_and_not_found_are(drawn, limit, twice):
    """By hand: who answered in time gave the best of five points, who did not the worst; the share of the best two is the rate."""
    asked, given_ = drawn
    first = {}
    for person, wave, day in sorted(asked, key=lambda each: each[2]):
        first.setdefault((person, wave), day)
    rows = [
        (person, wave, any(0 <= day - first[person, wave] <= limit for who, of, day in given_ if (who, of) == (person, wave)))
        for (person, wave), day in first.items()
        if day + limit <= 89
    ]
    found = against_rest(invitations(*asked, *asked[:1] * twice), answers(*given_), days=limit, columns=["wave"])[0]
    if len({wave for _, wave, _ in rows}) < 2:
        assert found.attrs["reason"] in {
            f"All invitations are of the last {limit} days, so none has had its time.",
            "All invitations are of one wave, so there is no rest to compare it with.",
        }
        return
    by_hand_ = pd.DataFrame(rows, columns=["respondent", "wave", "score"])
    by_hand_["score"] = np.where(by_hand_["score"], 5, 1)
    score = survey.Score("csat", scale=(1, 5))
    (expected,) = groups.breakdowns(by_hand_, columns=["wave"], measure=score)
    same = [name for name in expected.columns if name not in {"measure", "scale_low", "scale_high", "since", "until"}]
    assert_frame_equal(found[same], expected[same])
    assert set(found["measure"]) == {"response_rate_difference"}
    alone = rate(invitations(*asked), answers(*given_), days=limit, by="wave")
    assert found["score"].tolist() == alone.loc[alone["n"] > 0, "estimate"].tolist()


def test_what_was_sent_twice_on_a_day_in_no_wave_counts_twice_as_in_the_rate():
    asked = invitations(("a", None, 0), ("a", None, 0), ("b", None, 0), channel="e-mail")
    asked = pd.concat([asked, invitations(("c", None, 0), channel="store")])
    given_ = answers(("a", None, 3))
    (found,) = against_rest(asked, given_, columns=["channel"])
    alone = rate(asked, given_, by="channel")
    assert found[["n", "score"]].values.tolist() == alone[["n", "estimate"]].values.tolist()


def test_breakdowns_of_what_customers_are_are_corrected_together():
    names = [f"p{number:03}" for number in range(400)]
    random = np.random.default_rng(5)
    people = pd.DataFrame({"customer": names, "start": pd.Timestamp("2024-01-01"), "plan": ["free", "paid"] * 200})
    people = people.assign(region=random.choice(list("nsew"), 400), persona=None)
    came = random.random(400) < np.where(people["plan"] == "free", 0.2, 0.4)
    asked = invitations(*[(name, "1", 0) for name in names])
    given_ = answers(*[(name, "1", 3) for name, one in zip(names, came, strict=True) if one])
    plan, region, persona = against_rest(asked, given_, columns=["plan", "region", "persona"], customers=people)
    (alone,) = against_rest(asked, given_, columns=["plan"], customers=people)
    assert plan["verdict"].tolist() == alone["verdict"].tolist() == ["below", "above"]
    assert plan["p_corrected"].tolist() == pytest.approx((3 * alone["p_corrected"]).tolist())
    assert set(region["verdict"]) == {"cannot tell yet"}
    assert persona.attrs["reason"] == "No invitation has a persona."
    assert plan["n_both"].tolist() == [0, 0]


def test_a_small_difference_of_many_invitations_is_immaterial_once_it_is_declared_what_matters():
    rows = [(f"p{number}", "1", 0) for number in range(6000)]
    asked = invitations(*rows).assign(plan=["free", "paid"] * 3000)
    # Of each plan 3,000 invitations; 601 and 600 were answered.
    given_ = answers(*rows[:1200], rows[1200])
    open_, closed = (against_rest(asked, given_, columns=["plan"], margin=margin)[0] for margin in (None, 0.03))
    assert (open_["verdict"].tolist(), closed["verdict"].tolist()) == (["cannot tell yet"] * 2, ["no material difference"] * 2)
    assert open_["margin"].isna().all()
    assert closed["margin"].tolist() == [0.03] * 2
    same = [name for name in open_ if name not in {"verdict", "margin"}]
    assert_frame_equal(open_[same], closed[same])
    assert "differ by less than the 3.0 percentage points declared to matter" in figures.against(closed).text


def test_where_all_are_alike_in_answering_few_reports_name_a_group():
    """Sixty people, each invited five times and ready in a way of their own, whatever group they are in; by three columns. 20 reports."""
    random, named = np.random.default_rng(23), 0
    for _ in range(20):
        who = np.repeat([f"p{number}" for number in range(60)], 5)
        asked = pd.DataFrame({"respondent": who, "wave": np.tile(list("12345"), 60), "time_asked": days(0)[0]})
        asked = asked.assign(
            **{name: np.repeat(random.integers(0, 4, 60), 5) for name in ("plan", "region")}, day=random.integers(0, 4, 300)
        )
        came = random.random(300) < np.repeat(random.beta(0.6, 1.4, 60), 5)
        given_ = asked.loc[came, ["respondent", "wave", "time_asked"]].rename(columns={"time_asked": "time_answered"})
        found = against_rest(asked, given_, columns=["plan", "region", "day"])
        named += any(each["verdict"].isin(["above", "below"]).any() for each in found)
    # Declared: 5 in 100, that is 1 of 20; 5 or more would come about once in 400 times.
    assert named <= 4


def test_small_groups_of_invitations_are_withheld_and_the_words_are_of_invitations():
    CURRENT.__dict__.update(Settings().__dict__)
    sizes = {"post": 40, "store": 3, "web": 60, "app": 8}
    rows = [(f"{channel}{number}", "1", 0) for channel, size in sizes.items() for number in range(size)]
    asked = invitations(*rows).assign(channel=[name for name, size in sizes.items() for _ in range(size)])
    came = [row for place, row in enumerate(rows) if place % (10 if row[0].startswith("post") else 2) == 0]
    piece = figures.against(*against_rest(asked, answers(*came), columns=["channel"]))
    assert piece.text.startswith("Larger than chance: ")
    html = str(piece._repr_mimebundle_()[0]["text/html"])
    assert "Not shown: fewer than 5 invitations (store)." in html
    assert "Not shown either, as the total would give a smaller group away: app." in html
    for words in (">Invitations</th>", ">Invitations of the rest</th>", "by channel: each group less all invitations that are not in it."):
        assert words in html


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"columns": []}, "columns: name at least one column that makes groups, and each once, such as columns=['segment', 'plan']"),
        ({"columns": ["score"]}, "by: 'score' is a column of this result and cannot be a key"),
        ({"level": 0.5}, "level: 0.5 is not above 0.5, and a verdict needs more than a toss of a coin; for 95 % write 0.95"),
        ({"days": 0}, "days: 0 is no number of days; it is a whole number from 1"),
        ({"margin": 0}, "margin: 0 is no part of a share, which goes from 0 to 1; for five in a hundred write 0.05"),
        ({"margin": 3}, "margin: 3 is no part of a share, which goes from 0 to 1; for five in a hundred write 0.05"),
        ({"margin": float("nan")}, "margin: nan is no part of a share, which goes from 0 to 1; for five in a hundred write 0.05"),
    ],
)
def test_breakdowns_that_mean_nothing_are_refused_in_words(more, words):
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        against_rest(invitations(("a", "1", 0)), answers(("a", "1", 1)), **({"columns": ["wave"]} | more))


def test_a_column_that_nobody_knows_is_refused_in_words():
    with pytest.raises(TableError, match=r"^response_rate: the table has no column 'segmnt'. Did you mean 'segment'\?$"):
        against_rest(invitations(("a", "1", 0)), answers(("a", "1", 1)), columns=["segmnt"], customers=PEOPLE)


def test_breakdowns_say_why_there_is_no_rate():
    (found,) = against_rest(invitations(("a", "1", 80)), answers(("a", "1", 81)), columns=["wave"])
    assert (len(found), found.attrs["reason"]) == (0, "All invitations are of the last 28 days, so none has had its time.")


# The sample company


@pytest.fixture(scope="module")
def book():
    return sources.read(ROOT / "data" / "sources.toml", as_of="2026-06-30")


def test_who_does_not_answer_is_who_the_sample_company_says(book):
    """The chance to answer is 0.3 times that of the persona and of the segment; with a season that lies in no group."""
    CURRENT.__dict__.update(Settings().__dict__)
    known = {"as_of": "2026-06-30", "customers": book.customers, "days": 80}
    everybody = fieldwork.response_rate(book.invitations, book.responses, **known)
    persona, segment = (fieldwork.response_rate(book.invitations, book.responses, by=by, **known) for by in ("persona", "segment"))
    true = {"Bargain hunter": 0.7, "Devotee": 1.4, "Explorer": 1.0, "Regular": 1.0}
    season = persona["estimate"] / persona["persona"].map(true)
    assert season.max() / season.min() < 1.15, "beside the season and the mix of segments nothing else differs"
    assert segment.set_index("segment")["estimate"].rank().to_dict() == {"Hospitality": 1, "Office": 2, "Home": 3}
    assert everybody["n"].item() + everybody["too_recent"].item() == 9137
    apart = against_rest(book.invitations, book.responses, columns=["persona", "segment"], **known)
    picture = figures.against(*apart)
    assert picture.text.startswith("Larger than chance: Bargain hunter (persona) 10.5 percentage points below the rest (95 % interval ")
    assert "invitations" in picture.svg()
