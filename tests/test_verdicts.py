"""A whole report's movements are corrected together, and a quiet report names none more often than declared."""

import numpy as np
import pandas as pd
import pytest

from cxlib import survey, verdicts
from cxlib.stats import movement as stats

MONTHS = 24
#: Each score: the test of its change, and how its answers fall in every month of every segment.
SCORES = {
    "nps_change": (stats.net_change, [0.5, 0.3, 0.2]),
    "csat_change": (stats.share_change, [0.8, 0.2]),
    "ces_share_change": (stats.share_change, [0.6, 0.4]),
}
#: Answers of a month in each of four segments.
SEGMENTS = np.array([150, 80, 40, 15])


def quiet(random, reports):
    """P-values of so many reports in which nothing moves: three scores, by month and year, of everybody and of segments."""
    rows, p_values = [], []
    for score, (change, shares) in SCORES.items():
        months = np.stack([random.multinomial(size, shares, size=(reports, MONTHS)) for size in SEGMENTS], axis=1).astype(float)
        for group, counts in [(None, months.sum(axis=1)), *((f"segment {place}", months[:, place]) for place in range(len(SEGMENTS)))]:
            for way, lag in (("month", 1), ("year", 12)):
                pairs = MONTHS - lag
                before, after = (part.reshape(-1, len(shares)) for part in (counts[:, :-lag], counts[:, lag:]))
                p_values.append(change(before, after, level=0.95).p_value.reshape(reports, pairs))
                rows += [(score, way, group, place, place + lag) for place in range(pairs)]
    frame = pd.DataFrame(rows, columns=["measure", "between", "group", "before", "after"])
    of = frame.assign(grouped=frame["group"].notna()).groupby(["measure", "between", "grouped"]).ngroup()
    return frame.assign(of=of), np.concatenate(p_values, axis=1)


def test_of_two_thousand_quiet_reports_one_in_twenty_names_a_movement_with_segments_and_without():
    rows, p_values = quiet(np.random.default_rng(31), 2000)
    assert (p_values < 0.05).any(axis=1).mean() > 0.99
    family = verdicts._Family.of(rows)
    found = np.array([family.corrected(report)[0] for report in p_values]) < 0.05
    of_group = rows["group"].notna().to_numpy()
    assert found.any(axis=1).mean() == pytest.approx(0.04, abs=0.015)
    # A segment is named in no report in which nobody else is.
    assert not (found[:, of_group].any(axis=1) & ~found[:, ~of_group].any(axis=1)).any()


def asked(**more):
    days = pd.to_datetime(["2026-01-05"] * 60 + ["2026-02-05"] * 60)
    return pd.DataFrame({"time_answered": days, "plan": ["a", "b"] * 60, **more})


FELL = asked(score=[10] * 40 + [8] * 10 + [3] * 10 + [10] * 28 + [8] * 10 + [3] * 22)
STILL = asked(score=[5] * 30 + [2] * 30 + [5] * 31 + [2] * 29)


def test_two_tables_are_corrected_as_one():
    loyalty, content = survey.movement(FELL), survey.movement(STILL, measure=survey.Score("csat", scale=(1, 5)))
    found = verdicts.together(loyalty, content)
    alone = stats.benjamini_hochberg([*loyalty["p_value"], *content["p_value"]])
    assert [frame["p_corrected"].iloc[0] for frame in found] == pytest.approx(alone)
    assert loyalty["p_corrected"].iloc[0] == loyalty["p_value"].iloc[0] < found[0]["p_corrected"].iloc[0]
    unchanged = [name for name in loyalty if name not in {"p_corrected", "verdict", "better", "n_to_tell"}]
    pd.testing.assert_frame_equal(found[0][unchanged], loyalty[unchanged])
    assert list(found[0]) == list(loyalty)
    assert (found[0].dtypes == loyalty.dtypes).all()


def test_a_verdict_that_does_not_survive_the_correction_is_open_and_says_what_would_tell():
    loyalty = survey.movement(FELL)
    many = [survey.movement(STILL, measure=survey.Score("csat", scale=(1, 5)), by="plan") for _ in range(1)]
    many += [survey.movement(STILL, measure=survey.Score("csat", scale=(1, 5))) for _ in range(9)]
    assert loyalty["verdict"].tolist() == ["down"]
    (*_, found) = verdicts.together(*many, loyalty)
    assert found["verdict"].tolist() == ["cannot tell yet"]
    assert found["better"].isna().all()
    assert found["n_to_tell"].iloc[0] > 60


def test_what_is_asked_first_weighs_as_much_as_all_the_rest():
    calm = [survey.movement(STILL, measure=survey.Score("csat", scale=(1, 5))) for _ in range(9)]
    loyalty = survey.movement(FELL)
    (first, *_), (*_, last) = verdicts.together(loyalty, *calm), verdicts.together(*calm, loyalty)
    assert first["p_corrected"].iloc[0] == pytest.approx(2 * loyalty["p_value"].iloc[0])
    assert last["p_corrected"].iloc[0] == pytest.approx(18 * loyalty["p_value"].iloc[0])


def test_groups_wait_for_everybody():
    everybody, plans = survey.movement(FELL), survey.movement(FELL, by="plan")
    calm = [survey.movement(STILL, measure=survey.Score("csat", scale=(1, 5))) for _ in range(9)]
    whole, groups, *_ = verdicts.together(everybody, plans, *calm)
    assert (groups["p_corrected"] >= whole["p_corrected"].iloc[0]).all()
    among = verdicts.together(plans)[0]
    assert among["p_corrected"].tolist() == plans["p_corrected"].tolist()


@pytest.mark.parametrize("of_group", [False, True], ids=["everybody", "groups"])
def test_a_corrected_p_value_is_never_below_the_plain_one(of_group):
    """Ten of the other table moved surely: by weights alone .06 in a table that weighs half would be called moved, at .011."""
    table = np.array([0] + [1] * 10)
    family = verdicts._Family(np.full(11, of_group), table, np.full(11, -1))
    plain = np.array([0.06] + [1e-6] * 10)
    weighted = plain[0] * 2 / 11
    found, stricter = family.corrected(plain)
    assert weighted < 0.05 < plain[0]
    assert (found >= plain).all()
    assert found[0] == plain[0]
    # What would settle it alone is never less than without a correction.
    assert (stricter >= 1).all()


def test_a_movement_without_rows_stays_as_it_is():
    none = survey.movement(FELL, between="year")
    found = verdicts.together(none, survey.movement(FELL))
    assert found[0].empty
    assert found[0].attrs == {**none.attrs, "together": 1}
    assert verdicts.together(none)[0].attrs["reason"] == none.attrs["reason"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            lambda: [survey.movement(FELL), survey.nps(FELL)],
            "together: the result in place 2 is no movement (it has no 'before'). Give it what survey.movement(responses) returns.",
        ),
        (
            lambda: [survey.movement(FELL), survey.movement(FELL, level=0.9)],
            "together: the movements have different levels (0.9, 0.95); one correction has one",
        ),
        (lambda: [survey.movement(FELL)] * 2, "together: a movement is given twice, and would count as two"),
    ],
    ids=["no movement", "levels", "twice"],
)
def test_what_is_no_family_of_movements_is_refused(given, words):
    with pytest.raises(ValueError, match=r"^together") as letter:
        verdicts.together(*given())
    assert str(letter.value) == words
