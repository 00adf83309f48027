"""What a reader calls each measure and each column: the words, without the rules by which they are put together."""

from __future__ import annotations

from typing import Literal

from cxlib.figures.numbers import Measure

#: The words of verdicts: of a change, of two sides of which one may be above the other, and of leaving.
UP, DOWN, UNMOVED, OPEN = "up", "down", "no material change", "cannot tell yet"
ABOVE, BELOW, ALIKE = "above", "below", "no material difference"
SOONER, LATER = "leaves sooner", "leaves later"
REFERENCE, UNTOLD, CHANGES = "reference", "not told apart", "changes with tenure"
#: Signs that do not rely on colour; each stands beside its word.
SIGNS = {
    UP: "▲", DOWN: "▼", UNMOVED: "＝", OPEN: "?", ABOVE: "▲", BELOW: "▼", ALIKE: "＝", SOONER: "▲", LATER: "▼",
    REFERENCE: "•", UNTOLD: "–", CHANGES: "≠", "no sign that it changes": "＝",
}  # fmt: skip

#: A window that is not that of the number, but of what it rests on.
WORTH = "by what they brought "

_CUSTOMERS = ("customer", "customers")
_PURCHASES = ("purchase", "purchases")
_SILENCES = ("silence", "silences")

#: Classes of answers, whose shares a cross-table has: name, words, and whether many of them are good.
_CLASSES: tuple[tuple[str, str, Literal["high", "low"] | None], ...] = (
    ("promoters", "promoters", "high"), ("passives", "passives", None), ("detractors", "detractors", "low"),
    ("dissatisfied", "dissatisfied answers", "low"), ("easy", "easy answers", "high"), ("hard", "hard answers", "low"),
    ("top", "best answers", "high"), ("bottom", "worst answers", "low"),
)  # fmt: skip

#: What has been measured before what it was measured with: the first that a result holds is drawn.
MEASURES = (
    Measure(
        "nps", "loyalty (NPS)", "Loyalty (NPS)", "NPS (points)",
        "Net Promoter Score, points from −100 to 100", "points", floor=-100, ceiling=100,
    ),
    Measure(
        "nps_1_to_10", "loyalty (NPS asked from 1 to 10)", "Loyalty (NPS, asked from 1 to 10)", "NPS (points)",
        "Net Promoter Score asked from 1 to 10, points from −100 to 100", "points", floor=-100, ceiling=100,
    ),
    Measure(
        "csat", "satisfaction (CSAT)", "Satisfaction (CSAT)", "Satisfied (%)",
        "Share of satisfied answers, %", "share", floor=0, ceiling=1,
    ),
    Measure("ces_share", "ease (CES)", "Ease (CES)", "Easy (%)", "Share who found it easy, %", "share", floor=0, ceiling=1),
    Measure("ces_mean", "mean ease (CES)", "Mean ease (CES)", "Mean ease", "Mean ease, 1 hard to 7 easy", "mean", floor=1, ceiling=7),
    Measure("ces_agreement", "mean ease (CES)", "Ease (CES)", "Mean ease", "Mean ease, 1 hard to 5 easy", "mean", floor=1, ceiling=5),
    Measure("ces_effort", "effort (CES)", "Effort (CES)", "Mean effort", "Mean effort, 1 to 5", "mean", good="low", floor=1, ceiling=5),
    Measure("rating_mean", "the mean rating", "Mean rating", "Mean rating", "Mean rating", "mean"),
    Measure(
        "answer_share", "the share of answers", "Share of answers", "Share (%)", "Share of answers, %", "share",
        good=None, floor=0, ceiling=1,
    ),
    Measure(
        "churn_rate", "the monthly churn rate", "Monthly churn", "Lost (%)", "Share of customers lost in the month, %", "share",
        base=_CUSTOMERS, base_heading="Customers at the start", good="low", floor=0, ceiling=1,
    ),
    Measure(
        "survival", "the share still with us", "Still with us", "Still with us (%)", "Customers still with us, %", "share",
        base=_CUSTOMERS, base_heading="At risk", floor=0, ceiling=1,
    ),
    Measure(
        "median_tenure", "the median tenure", "Median tenure", "Median (months)", "Months until half have left", "months",
        base=_CUSTOMERS, base_heading="Customers", floor=0,
    ),
    Measure(
        "response_rate", "the response rate", "Response rate", "Answered (%)", "Share of invitations that were answered, %", "share",
        base=("invitation", "invitations"), base_heading="Invitations", floor=0, ceiling=1,
    ),
    Measure(
        "share_of_answers", "the share of the answers", "Share of the answers", "Of the answers (%)", "Share of the answers, %", "share",
        good=None, floor=0, ceiling=1,
    ),
    *(
        Measure(
            f"{one}_share", f"the share of {words}", words.capitalize(), f"{words.capitalize()} (%)", f"Share of {words}, %", "share",
            good=good, floor=0, ceiling=1,
        )
        for one, words, good in _CLASSES
    ),
    Measure(
        "class_share", "the share of answers", "Share of answers", "Share (%)", "Share of answers, %", "share",
        base_heading="All answers", good=None, floor=0, ceiling=1,
    ),
    Measure(
        "choice_share", "the share that chose it", "Share that chose it", "Chosen by (%)", "Share of those who answered, %", "share",
        base_heading="Those who answered", good=None, floor=0, ceiling=1,
    ),
    Measure(
        "driver_importance", "importance", "Importance", "Importance (%)", "Part of the differences between answers that goes with it, %",
        "share", base=("rating", "ratings"), base_heading="Ratings", good=None, floor=0, ceiling=1,
    ),
    Measure(
        "churn_rate_all", "churn with those who joined meanwhile", "Churn, with the new", "Lost, with the new (%)",
        "Customers lost, new ones too, % of those at the start", "share", base=_CUSTOMERS, base_heading="Customers at the start",
        good="low", floor=0,
    ),
    Measure(
        "churn_rate_mean", "churn of the average number of customers", "Churn of the average", "Lost of the average (%)",
        "Customers lost, % of the average number", "share", base=_CUSTOMERS, base_heading="Customers at the start", good="low", floor=0,
    ),
    Measure(
        "churn_rate_days", "churn by customer-days", "Churn by customer-days", "Lost by customer-days (%)",
        "Customers lost by customer-days, %", "share", base=_CUSTOMERS, base_heading="Customers", good="low", floor=0, ceiling=1,
    ),
    Measure(
        "churn_rolling", "rolling churn", "Rolling churn", "Lost (%)", "Lost in the days up to a month's end, % of their mean number",
        "share", base=_CUSTOMERS, base_heading="Customers", good="low", floor=0,
    ),
    Measure(
        "retention", "the share still there", "Still there", "Still there (%)", "Share of the cohort still there, %", "share",
        base=_CUSTOMERS, base_heading="Joined", floor=0, ceiling=1,
    ),
    Measure(
        "revenue_churn", "gross revenue churn", "Gross revenue churn", "Revenue lost (%)", "Share of the month before's revenue lost, %",
        "share", base=_CUSTOMERS, base_heading="Customers before", good="low", floor=0, ceiling=1,
    ),
    Measure(
        "net_retention", "net revenue retention", "Net revenue retention", "Revenue kept (%)",
        "Revenue of the month before's customers, % of what it was", "share", base=_CUSTOMERS, base_heading="Customers before", floor=0,
    ),
    Measure(
        "returned_share", "the share of purchases followed by another", "Bought again", "Bought again (%)",
        "Purchases followed by another of the same customer, %", "share", base=_PURCHASES, base_heading="Still waited for",
        floor=0, ceiling=1,
    ),
    Measure(
        "return_days", "the days until the next purchase", "Days until the next purchase", "Within days", "Days until the next purchase",
        "count", base=_PURCHASES, base_heading="Purchases", good="low", floor=0,
    ),
    Measure(
        "silent_days", "the silence after which a customer counts as lost", "Silent for good after", "Days of silence",
        "Days of silence after which a customer may count as lost", "count", base=_SILENCES, base_heading="Silences watched",
        good=None, floor=0,
    ),
    Measure(
        "woken_share", "the share of the silent who came back", "Came back after all", "Came back (%)", "Silent customers who came back, %",
        "share", base=_SILENCES, base_heading="Silences watched", good=None, floor=0, ceiling=1,
    ),
    Measure(
        "value_at_risk", "the margin at risk", "Margin at risk", "Margin at risk", "Margin at risk", "money",
        base=_CUSTOMERS, base_heading="Customers with a value", good="low",
    ),
    Measure(
        "lifetime_value", "the value of a new customer", "Value of a new customer", "Margin of a new customer", "Margin of a new customer",
        "money", base=_CUSTOMERS, base_heading="Customers",
    ),
    Measure(
        "retention_gain", "what more retention would add", "More retention would add", "Margin added, a customer",
        "Margin that more yearly retention would add, a customer", "money", base=_CUSTOMERS, base_heading="Customers a year ago", good=None,
    ),
    Measure(
        "cumulative_incidence", "the share that has left", "Left", "Left (%)", "Customers who have left, %", "share",
        base=_CUSTOMERS, base_heading="At risk", good="low", floor=0, ceiling=1,
    ),
    Measure(
        "hazard", "the share leaving in a month", "Leaving in a month", "Leaving in a month (%)",
        "Of those still with us, leaving in a month, %", "share", base=_CUSTOMERS, base_heading="Seen in the band", good="low",
        floor=0, ceiling=1,
    ),
    Measure(
        "tenure_quantile", "the tenure by which so many have left", "Left by", "Left by (months)", "Months until so many have left",
        "months", base=_CUSTOMERS, base_heading="Customers", floor=0,
    ),
    Measure("stay", "the stay", "Stay", "Stay (days)", "Stay, days", "days", base=_CUSTOMERS, base_heading="Customers", floor=0),
    Measure(
        "expected_leavers", "the number of customers expected to leave", "Expected to leave", "Expected to leave",
        "Customers expected to leave", "count", base=_CUSTOMERS, base_heading="Customers there", good="low", floor=0,
    ),
    Measure(
        "leaving_share", "the share expected to leave", "Expected to leave", "Expected to leave (%)",
        "Share of customers expected to leave, %", "share", base=_CUSTOMERS, base_heading="Customers there", good="low", floor=0, ceiling=1,
    ),
    Measure(
        "left_share", "the share that left", "Left", "Left (%)", "Share of customers that left, %", "share",
        base=_CUSTOMERS, base_heading="Customers", good="low", floor=0, ceiling=1,
    ),
    Measure(
        "brier_scaled", "the error taken away", "Error less than by tenure alone (%)", "Error taken away (%)",
        "How right earlier forecasts were", "share", base=_CUSTOMERS, base_heading="Customers", ceiling=1,
    ),
    Measure(
        "concordance", "the concordance", "Pairs told rightly (concordance)", "Concordance", "Pairs of customers told rightly, 0 to 1",
        "number", base=_CUSTOMERS, base_heading="Customers", floor=0, ceiling=1,
    ),
    Measure(
        "calibration_slope", "the calibration slope", "Calibration slope (1 is right)", "Calibration slope",
        "Spread of customers, of the spread forecast", "number", base=_CUSTOMERS, base_heading="Customers", good=None,
    ),
    Measure(
        "observed_expected", "observed over expected", "Left for each expected (1 is right)", "Left for each expected",
        "Customers that left for each expected to", "number", base=_CUSTOMERS, base_heading="Customers", good=None, floor=0,
    ),
    Measure(
        "hazard_ratio", "the hazard ratio", "Hazard ratio", "Times as likely",
        "Leaving on any day, times as likely as in what is compared with", "number",
        base=("spell", "spells"), base_heading="Spells that were ever in it", good="low", floor=0,
    ),
    Measure(
        "proportionality", "the test that ratios stay the same", "Same at every tenure", "Chi-square",
        "Chi-square of the test of each covariate", "number", base=("row", "rows"), base_heading="Rows", good=None, floor=0,
    ),
)  # fmt: skip
#: A result without rows has lost the name of its measure; the counts it would have had tell.
TELLTALE = {
    "reference": "hazard_ratio",
    "df": "proportionality",
    "score_rest": "difference",
    "verdict": "change",
    "higher_than": "banner",
    "promoters": "nps",
    "satisfied": "csat",
    "easy": "ces_share",
    "top": "rating_mean",
    "left": "churn_rate",
    "still": "retention",
    "contraction": "revenue_churn",
    "events": "survival",
    "churned": "median_tenure",
    "answers": "answer_share",
    "chosen": "choice_share",
    "n_closed": "result_restated",
    "too_recent": "response_rate",
    "share_customers": "share_of_answers",
    "score_of_silent": "nps_tipping",
    "largest_weight": "nps",
    "johnson": "driver_importance",
    "open": "returned_share",
    "longest_days": "silent_days",
    "lost": "woken_share",
    "at_risk_share": "value_at_risk",
    "stay_months": "lifetime_value",
    "gain_share": "retention_gain",
    "still_there": "cumulative_incidence",
    "customer_days": "hazard",
    "share_left": "tenure_quantile",
    "stay_rest": "stay_difference",
    "survival_rest": "survival_difference",
    "made_on": "expected_leavers",
    "low_share": "expected_leavers",
    "risk_group": "left_share",
    "brier": "brier_scaled",
}

HEADINGS = {
    "n_eff": "Effective answers",
    "tenure_days": "Tenure (months)",
    "joined": "Joined, on the first day too",
    "joined_left": "Joined and left in the month",
    "level": "Level",
    "estimate_customers": "Customers",
    "estimate_staff": "Staff",
    "n_customers": "Answers of customers",
    "n_staff": "Answers of staff",
    "estimate_later": "Later",
    "estimate_early": "Early",
    "n_later": "Later answers",
    "n_early": "Early answers",
    "p_corrected": "Corrected p",
    "smallest_detectable": "Difference they show",
    "n_to_tell": "Answers to tell",
    "estimate_closed": "At the close",
    "n_closed": "Answers at the close",
    "restated": "Restated by",
    "late": "Late answers",
    "days": "Early within (days)",
    "n_people": "People",
    "to_come": "Still to come",
    "closed": "Closed on",
    "arrived": "Arrived (%)",
    "recent_answered": "Of these answered so far",
    "deff": "Answers for one",
    "average_customers": "Customers on an average day",
    "share_customers": "Of the customers (%)",
    "share_weighted": "Of the answers, weighted (%)",
    "asmd_before": "Distance",
    "asmd_after": "Distance, weighted",
    "score_answered": "Score of those who answered",
    "score_of_silent": "Score the silent would need",
    "to_target": "Lower for the target",
    "driver": "Part of the experience",
    "tenure_months": "Months since joining",
    "start": "At the start",
    "amounts_in": "Amounts in",
    "new_left": "New and left",
    "seen_late": "Seen from later on",
    "seen_late_left": "Of these left",
    "overdispersion": "Differ by (1 is chance)",
    "gap_days": "Days after a purchase",
    "returned": "Came back",
    "open": "Not yet",
    "naive": "Of those who came back",
    "followed": "Of those so far back (%)",
    "n_followed": "Purchases so far back",
    "after_days": "Silence",
    "stay_away": "To stay away (%)",
    "within_days": "Watched for (days)",
    "longest_days": "Longest to be watched (days)",
    "lost": "Lost now",
    "lost_share": "Lost now (%)",
    "silences": "Silences so far",
    "ended": "Of these ended",
    "leavers": "Expected to leave",
    "model_low": "By the model alone, from",
    "model_high": "to",
    "value": "Brought by all",
    "worth_now": "Worth now",
    "at_risk_share": "At risk (%)",
    "without_value": "Without a value",
    "at_horizon": "Seen to the end",
    "valued": "There, with a value",
    "margin_month": "A month",
    "stay_months": "Months of staying, discounted",
    "points": "Points more",
    "retained": "Still there",
    "retention": "Kept a year (%)",
    "margin_year": "A year",
    "gain_share": "More (%)",
    "gain_all": "For all there",
    "as_one": "Taken as one",
    "end_reason": "Reason",
    "share_left": "Of 100 have left",
    "still_there": "Still with us (%)",
    "until_days": "To (months)",
    "customer_days": "Customer-days",
    "stay": "Stay (days)",
    "stay_rest": "Of the rest (days)",
    "survival": "Still with us (%)",
    "survival_rest": "Of the rest (%)",
    "horizon_days": "Within (days)",
    "made_on": "Forecast of",
    "risk_group": "Group, by risk",
    "share": "Share (%)",
    "low_share": "From (%)",
    "high_share": "To (%)",
    "expected_share": "Expected (%)",
    "expected_left": "Expected to leave",
    "brier": "Brier score",
    "brier_alone": "By tenure alone",
    "covariate": "What is known",
    "stretch": "Tenure",
    "reference": "Compared with",
    "df": "Degrees of freedom",
    "advice": "What it means",
}
