"""The retention triangle, the definitions side by side, and churn's movements: what they say, and what they keep to themselves."""

from datetime import date

import pandas as pd
import pytest
from figure_results import drawings, page

from cxlib import churn, figures, retention
from cxlib.figures import canvas
from cxlib.figures.settings import CURRENT

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")


@pytest.fixture(autouse=True)
def five_at_least(monkeypatch):
    monkeypatch.setattr(CURRENT, "smallest_group", 5)
    monkeypatch.setattr(CURRENT, "as_of", None)


def company(*cohorts) -> pd.DataFrame:
    """Cohorts as (day of joining, how many, how many of them leave on which day)."""
    parts = []
    for joined, size, left, day in cohorts:
        end = [day] * left + [None] * (size - left)
        parts.append(pd.DataFrame({"start": pd.Timestamp(joined), "end": pd.to_datetime(end)}))
    return pd.concat(parts, ignore_index=True)


FOUR = company(
    ("2026-01-10", 40, 10, "2026-01-30"), ("2026-02-10", 50, 10, "2026-02-20"),
    ("2026-03-10", 60, 6, "2026-03-20"), ("2026-04-10", 50, 1, "2026-04-20"),
)  # fmt: skip


def texts(svg: str) -> list[str]:
    import re

    return re.findall(r">([^<>]+)</text>", svg)


def test_a_triangle_states_its_ends_and_claims_nothing_without_a_test():
    cohorts = retention.cohorts(FOUR, as_of="2026-05-31")
    picture = figures.triangle(cohorts)
    assert picture.text == (
        "After 1 month 75.0 to 98.0 % of a cohort are still there: 75.0 % of those who joined in January 2026 (95 % interval 59.8 to "
        "85.8; 40 customers), 98.0 % of April 2026 (89.5 to 99.6; 50). Cohorts differ by chance, too."
    )
    trend = retention.cohort_trend(FOUR, as_of="2026-05-31", months=[1, 3])
    told = figures.triangle(cohorts, trend).text.removeprefix(picture.text)
    (row,) = trend[trend["tenure_months"] == 1].itertuples()
    assert told == (
        " Later cohorts stay longer, by more than chance: after 1 month +23.9 percentage points from the first of 4 cohorts to the last "
        f"(95 % interval +{100 * row.low:.1f} to +{100 * row.high:.1f}; 200 customers)."
    )
    still = company(*[(f"2026-{month:02}-10", 40, 4, f"2026-{month:02}-20") for month in range(1, 5)])
    open_ = figures.table(retention.cohort_trend(still, as_of="2026-05-31", months=[1])).text
    assert open_.startswith("Whether later cohorts stay longer cannot be told yet: after 1 month 0.0 percentage points from the first")


def test_a_triangle_is_drawn_for_a_page_and_for_a_phone_with_its_numbers():
    cohorts = retention.cohorts(FOUR, as_of="2026-05-31")
    picture = figures.triangle(cohorts)
    wide, narrow = picture.svg(canvas.WIDE), picture.svg(canvas.NARROW)
    for svg in (wide, narrow):
        words = texts(svg)
        assert [word for word in words if "2026" in word] == ["Jan 2026", "Feb 2026", "Mar 2026", "Apr 2026"]
        assert words[: len(cohorts)] == [f"{100 * share:.0f}" for share in cohorts["estimate"]]
    assert 'width="350"' in narrow
    assert picture.alt.startswith(
        "Table shaded by share: Share of the cohort still there, %, by cohort and months since joining. After 1 month"
    )


def test_of_many_months_a_phone_has_six_columns_and_of_many_cohorts_the_latest_are_drawn():
    months = pd.date_range("2022-01-10", periods=30, freq="MS") + pd.Timedelta(days=9)
    table = pd.concat([company((day, 20, 5, day + pd.Timedelta(days=200))) for day in months])
    picture = figures.triangle(retention.cohorts(table, as_of="2024-08-31"))
    heads = [word for word in texts(picture.svg(canvas.NARROW)) if word in {str(number) for number in range(1, 40)}]
    assert heads[:6] == ["1", "3", "6", "12", "18", "24"]
    assert "The latest 24 of 30 cohorts are drawn; the table has all." in str(picture._repr_mimebundle_()[0]["text/html"])


def test_a_small_cohort_is_withheld_with_another_that_would_give_it_away():
    table = pd.concat([FOUR, company(("2026-05-01", 3, 1, "2026-05-20"))])
    shown = figures.triangle(retention.cohorts(table, as_of="2026-06-30"))
    html = str(shown._repr_mimebundle_()[0]["text/html"])
    assert "Not shown: fewer than 5 customers (May 2026)." in html
    assert "Not shown either, as the total would give a smaller group away: January 2026." in html
    assert "Jan 2026" not in texts(shown.svg())


def test_a_triangle_without_cohorts_says_why():
    nobody = retention.cohorts(FOUR, as_of="2026-01-31")
    assert figures.triangle(nobody).text == "No cohort has had a month by 2026-01-31."
    assert figures.triangle(nobody).draw is None
    trend = retention.cohort_trend(FOUR, as_of="2026-01-31")
    assert figures.triangle(nobody, trend).text == "No cohort has had a month by 2026-01-31."


def test_the_definitions_are_set_side_by_side():
    table = company(("2026-05-10", 60, 6, "2026-06-20"), ("2026-06-10", 40, 10, "2026-06-20"))
    picture = figures.rates(retention.definitions(table, as_of="2026-06-30"))
    assert picture.text == (
        "Of the customers there when June 2026 began, 10.0 % were lost in it (95 % interval 4.7 to 20.1; 60 customers). Counted otherwise "
        "it is 26.7 % with the new customers who left, 22.2 % of the average number of customers and 17.6 % by customer-days: a churn rate "
        "from elsewhere is compared only with the one that counts alike."
    )
    assert {"There at the start", "And those new since", "Of the average number", "By customer-days"} <= set(texts(picture.svg()))
    grouped = retention.definitions(table.assign(plan=["a"] * 50 + ["b"] * 50), as_of="2026-06-30", by="plan")
    assert figures.rates(grouped).draw is None


def test_what_is_no_triangle_and_no_definition_is_refused():
    monthly = churn.churn_rate(FOUR, as_of="2026-05-31")
    with pytest.raises(ValueError, match=r"^triangle: the result has no key 'cohort'; its keys are month\.$"):
        figures.triangle(monthly)
    with pytest.raises(ValueError, match=r"^triangle: trend is 'churn_rate_by_month'; it comes from retention\.cohort_trend\(customers"):
        figures.triangle(retention.cohorts(FOUR, as_of="2026-05-31"), monthly)
    with pytest.raises(ValueError, match=r"^rates: this is 'retention_by_cohort_tenure_months'; the four definitions come from"):
        figures.rates(retention.cohorts(FOUR, as_of="2026-05-31"))


def test_churn_that_moved_is_told_of_customers_and_not_of_answers():
    table = company(("2026-01-01", 300, 12, "2026-04-20"), ("2026-01-01", 300, 20, "2026-05-20"), ("2026-01-01", 400, 0, None))
    table.loc[table["end"].isna(), "end"] = pd.NaT
    between = (("2026-03-01", "2026-03-31"), ("2026-05-01", "2026-05-31"))
    risen = retention.movement(table, as_of="2026-05-31", between=between)
    monthly = churn.churn_rate(table, as_of="2026-05-31")
    assert figures.trend(monthly, risen).text.endswith("the rise is larger than chance, and low is good.")
    open_ = retention.movement(table, as_of="2026-05-31", between=(("2026-04-01", "2026-04-30"), ("2026-05-01", "2026-05-31")))
    words = figures.table(open_).text
    assert words.startswith(
        "Whether the monthly churn rate moved between April 2026 and May 2026 cannot be told yet (change +0.8 percentage"
    )
    assert "988 customers alone show changes from about" in words
    assert "answer" not in words
    html = str(figures.table(open_)._repr_mimebundle_()[0]["text/html"])
    assert "Customers before" in html
    assert "Answers" not in html


def test_cohorts_of_a_quarter_are_named_by_it():
    table = company(("2025-01-10", 30, 6, "2025-01-20"), ("2025-06-10", 30, 3, "2025-06-20"), ("2025-09-10", 30, 9, "2025-09-20"))
    picture = figures.triangle(retention.cohorts(table, as_of="2026-01-31", joined="quarter"))
    assert "70.0 % of those who joined in Q3 2025" in picture.text
    assert {"Q1 2025", "Q2 2025", "Q3 2025"} <= set(texts(picture.svg()))
    assert date(2025, 1, 1) in set(retention.cohorts(table, as_of="2026-01-31", joined="quarter")["cohort"])


@pytest.mark.parametrize("days", [45, 90])
def test_rolling_churn_says_over_how_many_days(days):
    found = retention.rolling(FOUR, as_of="2026-05-31", days=days)
    picture = figures.trend(found)
    assert picture.text.startswith(f"In May 2026 rolling churn over {days} days was ")
    lost = f"Lost in the {days} days up to a month's end, % of their mean number"
    assert all(any(text.startswith(f"Lost in the {days} days up to") for text in texts(svg)) for svg in drawings(picture))
    assert lost in picture.alt
    assert f"<caption>{lost}" in page(picture).replace("&#39;", "'")
    assert figures.cards(found).text.startswith(f"Rolling churn over {days} days: ")


def test_rolling_churn_of_windows_unlike_each_other_or_unknown_names_none():
    found = retention.rolling(FOUR, as_of="2026-05-31", days=90)
    for other in (found.drop(columns=["since", "until"]), found.assign(since=[found["since"][0]] * 2)):
        assert figures.sentence(other).text.startswith("In May 2026 rolling churn was ")
