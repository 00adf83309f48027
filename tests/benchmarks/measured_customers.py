"""How often what is said of customers who stay, leave and buy is true, measure by measure; ``simulated.py`` prints it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pandas as pd
from measured import AS_OF, Row, each, held, named, shop

from cxlib import churn, leaving, money, retention, shops
from cxlib.leaving.backtest import Past

MONTH = 30.4375


# Who stays


def lives(random: np.random.Generator, samples: int, n: int, *, mean: float = 200, late: bool = False) -> pd.DataFrame:
    """Customers who leave at one rate on every day, seen for 30 to 400 days; where ``late``, 4 of 10 only from some day on."""
    life, seen = np.floor(random.exponential(mean, samples * n)).astype(int), random.integers(30, 400, samples * n)
    since = np.where(late & (random.random(samples * n) < 0.4), random.integers(0, 30, samples * n), 0)
    start = AS_OF - pd.to_timedelta(seen, unit="D")
    end = pd.Series(start + pd.to_timedelta(life, unit="D")).where(life <= seen)
    table = pd.DataFrame({"sample": np.repeat(np.arange(samples), n), "start": start, "end": end})
    if late:
        table["observed_from"] = start + pd.to_timedelta(since, unit="D")
    table["end_reason"] = pd.Series(np.where(random.random(samples * n) < 0.8, "choice", "payment")).where(end.notna())
    return table[life >= since].assign(customer=np.arange((life >= since).sum()))


def still(days, mean: float = 200):
    """The true share that stays longer than so many days."""
    return np.exp(-(np.asarray(days, dtype=float) + 1) / mean)


def staying() -> Iterator[Row]:
    """Curves, quantiles, ends and dangers of one group."""
    for n, late in ((30, False), (200, False), (200, True)):
        table = lives(np.random.default_rng([1, n, late]), 300, n, late=late)
        who = f"{n} customers{', many seen late' * late}"
        asked = {"as_of": AS_OF.date(), "by": "sample"}
        found = churn.survival(table, at=[30, 100, 250], **asked)
        yield Row("churn.survival", f"30, 100, 250 days; {who}", held(found, still(found["tenure_days"])))
        found = churn.quantiles(table, shares=[0.1, 0.25], **asked)
        yield Row("churn.quantiles", f"10 and 25 %; {who}", held(found, np.ceil(-200 * np.log(1 - found["share_left"])) - 1))
        found = churn.median_tenure(table, **asked)
        yield Row("churn.median_tenure", who, held(found, np.ceil(200 * np.log(2)) - 1))
        found = churn.ends(table, at=[30, 100, 250], **asked)
        share = found["end_reason"].map({"choice": 0.8, "payment": 0.2}) * (1 - still(found["tenure_days"]))
        for reason, rows in found.groupby("end_reason"):
            of = "4 of 5" if reason == "choice" else "1 of 5"
            yield Row("churn.ends", f"a reason of {of} at 30, 100, 250 days; {who}", held(rows, share[rows.index]))
        found = churn.hazard(table, edges=[MONTH, 3 * MONTH, 6 * MONTH], **asked)
        yield Row("churn.hazard", f"bands up to 1, 3, 6 months and after; {who}", held(found, 1 - np.exp(-MONTH / 200)))
        yield Row("churn.hazard", f"a band is above or below, though all are alike; {who}", named(found), "at most 0.050")


def apart() -> Iterator[Row]:
    """Two or three groups held against each other."""
    for n, mean in ((20, 200), (200, 400)):
        random, samples = np.random.default_rng([2, n, mean]), 80
        table = pd.concat([lives(random, samples, n, mean=mean).assign(plan="a"), lives(random, samples, 2 * n).assign(plan="b")])
        parts = dict(list(table.groupby("sample")))
        who = f"{n} of {mean} days on average against {2 * n} of 200"
        day = {"as_of": AS_OF.date(), "by": "plan"}
        found = each(samples, lambda sample: churn.difference(parts[sample], until_days=180, **day).iloc[:1])  # noqa: B023
        truth = still(np.arange(180), mean).sum() - still(np.arange(180)).sum()
        yield Row("churn.difference", f"days of the first 180; {who}", held(found, truth))
        if mean == 200:
            alike = found["p_together"] < 0.05
            yield Row("churn.difference", f"the log-rank test finds groups unlike that are alike; {who}", alike, "0.050")
        found = each(samples, lambda sample: churn.survival_difference(parts[sample], at=[100, 250], **day).iloc[:2])  # noqa: B023
        truth = still(found["tenure_days"], mean) - still(found["tenure_days"])
        yield Row("churn.survival_difference", f"at 100 and 250 days; {who}", held(found, truth))


# By the calendar


def calendar() -> Iterator[Row]:
    """Customers who join evenly over two years, of whom one in 1,000 leaves on each day."""
    random, samples, n, daily = np.random.default_rng(3), 200, 300, 0.001
    joined = pd.Timestamp("2024-07-01") + pd.to_timedelta(random.integers(0, 730, samples * n), unit="D")
    end = pd.Series(joined + pd.to_timedelta(random.geometric(daily, samples * n) - 1, unit="D"))
    table = pd.DataFrame({"sample": np.repeat(np.arange(samples), n), "start": joined, "end": end.where(end <= AS_OF)})
    asked = {"as_of": AS_OF.date(), "by": "sample"}

    def lost(first, last) -> pd.Series:
        return 1 - (1 - daily) ** ((pd.to_datetime(last) - pd.to_datetime(first)).dt.days + 1)

    found = churn.churn_rate(table, **asked)
    found = found[found["n"] > 0]
    yield Row("churn.churn_rate", "23 months; 10 to 220 customers", held(found, lost(found["since"], found["until"])))
    found = retention.rolling(table, **asked)
    yield Row("retention.rolling", "windows of 90 days; up to 220 customers", held(found, 90 * daily))
    yield from _definitions(table, daily, lost)
    for between, words in (("month", "month on month"), ("quarter", "quarters"), ("last 6 months", "half a year on the year before")):
        found = retention.movement(table, between=between, **asked)
        found = found[(found["n_before"] > 0) & (found["n_after"] > 0)]
        month = [lost(found[f"since{side}"], found[f"until{side}"]) for side in ("_before", "")]
        truth = month[1] - month[0] if between == "month" else 0.0
        yield Row("retention.movement", f"change, {words}", held(found, truth))
        yield Row("retention.movement", f"up or down though nothing moves, {words}", named(found), "at most 0.050")
    found = retention.cohorts(table, **asked)
    found = found[found["tenure_months"].isin([1, 3, 6, 12])]
    first = pd.to_datetime(found["cohort"])
    days = [(day + pd.DateOffset(months=months) - day).days for day, months in zip(first, found["tenure_months"], strict=True)]
    yield Row("retention.cohorts", "1, 3, 6, 12 months; cohorts of 13", held(found, (1 - daily) ** (np.array(days) + 1)))
    found = retention.cohort_trend(table, **asked)
    yield Row("retention.cohort_trend", "no slope at 1, 3, 6, 12 months; cohorts of 13", held(found, 0.0))
    yield Row("retention.cohort_trend", "up or down though nothing moves", named(found), "at most 0.050")


def _definitions(table: pd.DataFrame, daily: float, lost: Callable[..., pd.Series]) -> Iterator[Row]:
    found = retention.definitions(table, as_of=AS_OF.date(), by="sample")
    share = lost(found["since"], found["until"])
    new = table[table["start"] > pd.Timestamp("2026-06-01")]
    chance = 1 - (1 - daily) ** ((AS_OF - new["start"]).dt.days + 1)
    of_new = found["sample"].map(chance.groupby(new["sample"]).sum()).fillna(0)
    every = share * found["start"] + of_new
    truth = {
        "churn_rate": share,
        "churn_rate_all": every / found["start"],
        "churn_rate_mean": every / (found["start"] + (found["new"] - every) / 2),
        "churn_rate_days": 1 - np.exp(-30 * daily),
    }
    for measure, rows in found.groupby("measure", sort=False):
        here = truth[measure] if np.isscalar(truth[measure]) else truth[measure][rows.index]
        yield Row("retention.definitions", f"`{measure}`; 220 customers and 13 new", held(rows, here))


FEES, OFTEN = [19, 34, 59, 57, 102, 177, 114, 204, 354], [0.3, 0.25, 0.1, 0.1, 0.08, 0.05, 0.05, 0.04, 0.03]


def revenue() -> Iterator[Row]:
    """Fees of 19 to 354; 4 % of customers leave, 5 % pay half and 5 % half as much again."""
    for n in (30, 100, 400):
        random, samples = np.random.default_rng([4, n]), 500
        paid = random.choice(FEES, p=OFTEN, size=samples * n).astype(float)
        then = paid * random.choice([0.0, 0.5, 1.5, 1.0], p=[0.04, 0.05, 0.05, 0.86], size=samples * n)
        one = pd.DataFrame({"sample": np.repeat(np.arange(samples), n), "customer": np.arange(samples * n), "revenue": paid})
        one["valid_from"] = pd.Timestamp("2026-05-01")
        table = pd.concat([one, one.assign(revenue=then, valid_from=pd.Timestamp("2026-06-01"))[then > 0]])
        for measure, truth in ((retention.revenue_churn, 0.065), (retention.net_retention, 0.96)):
            found = measure(table, as_of=AS_OF.date(), by="sample")
            yield Row(f"retention.{measure.__name__}", f"{n} customers with fees of 19 to 354", held(found, truth))


def revenue_moving() -> Iterator[Row]:
    """The same fees over three months, of which each loses and gains as the one before."""
    for n in (100, 400):
        random, samples = np.random.default_rng([5, n]), 300
        paid, months = random.choice(FEES, p=OFTEN, size=samples * n).astype(float), []
        for month in (4, 5, 6):
            one = pd.DataFrame({"sample": np.repeat(np.arange(samples), n), "customer": np.arange(samples * n), "revenue": paid})
            months.append(one.assign(valid_from=pd.Timestamp(2026, month, 1))[paid > 0])
            paid = paid * random.choice([0.0, 0.5, 1.5, 1.0], p=[0.04, 0.05, 0.05, 0.86], size=samples * n)
        for measure in ("revenue_churn", "net_retention"):
            found = retention.revenue_movement(pd.concat(months), as_of=AS_OF.date(), by="sample", measure=measure)
            what = f"of `{measure}`, month on month; {n} customers"
            yield Row("retention.revenue_movement", f"change {what}", held(found, 0.0))
            yield Row("retention.revenue_movement", f"up or down though nothing moves, {what}", named(found), "at most 0.050")


def worth() -> Iterator[Row]:
    """What customers bring who bring unequal amounts, whatever they stay."""
    for n in (60, 200):
        random, samples = np.random.default_rng([5, n]), 300
        table = lives(random, samples, n, mean=400)
        values = pd.DataFrame({"customer": table["customer"], "margin": random.gamma(2, 15, len(table)).round(2)})
        values["valid_from"] = pd.Timestamp("2026-06-01")
        found = money.lifetime_value(table, values, as_of=AS_OF.date(), years=0.75, by="sample")
        days, rate = np.arange(274), np.log(1.1) / 365.25
        length = np.minimum(0.75 * 365.25 - days, 1)
        stay = (still(days, 400) * np.exp(-rate * days) * -np.expm1(-rate * length) / rate).sum()
        known = found[found["estimate"].notna()]
        yield Row("money.lifetime_value", f"nine months; {n} customers", held(known, 30 / MONTH * stay))
        kept = lives(random, samples, n, mean=2000).assign(start=pd.Timestamp("2025-01-01"))
        gone = random.random(len(kept)) > 0.85
        kept["end"] = pd.Series(pd.Timestamp("2026-01-15"), index=kept.index).where(gone)
        found = money.retention_gain(kept, values, as_of=AS_OF.date(), points=[1, 5], by="sample")
        truth = 360 * ((0.85 + found["points"] / 100) / (0.25 - found["points"] / 100) - 0.85 / 0.25)
        yield Row("money.retention_gain", f"1 and 5 points more than 85 %; {n} customers", held(found, truth))
        yield _gain_of_groups(random, kept, values, n)


def _gain_of_groups(random: np.random.Generator, kept: pd.DataFrame, values: pd.DataFrame, n: int) -> Row:
    """Three groups of unlike size, of which those who bring more stay longer, reckoned apart and added up."""
    kept = kept.assign(kind=random.choice(["a", "b", "c"], len(kept), p=[0.5, 0.3, 0.2]))
    gone = random.random(len(kept)) > kept["kind"].map({"a": 0.7, "b": 0.75, "c": 0.85})
    kept["end"] = pd.Series(pd.Timestamp("2026-01-15"), index=kept.index).where(gone)
    times = kept.set_index("customer")["kind"].map({"a": 1, "b": 2, "c": 4})
    values = values.assign(margin=values["margin"] * values["customer"].map(times))
    asked = {"as_of": AS_OF.date(), "points": [5]}
    each = money.retention_gain(kept, values, by=["sample", "kind"], **asked)
    share, year = each["kind"].map({"a": 0.7, "b": 0.75, "c": 0.85}), 360 * each["kind"].map({"a": 1, "b": 2, "c": 4})
    truth = year * ((share + 0.05) / (1.05 - share) - share / (1.1 - share)) * each["valued"]
    found = money.retention_gain(kept, values, by="sample", apart="kind", **asked)
    found = found[found["groups"] == 3]
    whole = found["sample"].map(truth.groupby(each["sample"]).sum()) / found["valued"]
    return Row("money.retention_gain", f"5 points more, of 3 groups apart; {n} customers", held(found, whole))


def buying() -> Iterator[Row]:
    samples, customers = 150, 400
    orders = pd.concat([shop.shop(seed, customers)[0].assign(sample=seed) for seed in range(samples)])
    asked = {"as_of": shop.AS_OF, "by": "sample"}
    orders = orders[orders["time_ordered"] >= shop.FIRST]
    who = f"a shop of {customers} customers"
    found = shops.gaps(orders, at=[10, 30, 90, 180], **asked)
    yield Row("shops.gaps", f"10, 30, 90, 180 days; {who}", held(found, 1 - found["gap_days"].map(shop.not_followed)))
    found = shops.quantiles(orders, shares=[0.25, 0.5], **asked)
    truth = {share: next(day for day in range(1, 400) if shop.not_followed(day) <= 1 - share) for share in (0.25, 0.5)}
    yield Row("shops.quantiles", f"25 and 50 %; {who}", held(found, found["share"].map(truth)))
    found = shops.sensitivity(orders, days=[30, 60, 120, 200], within_days=90, **asked)
    truth = {days: shop.woken(days, 90) for days in (30, 60, 120, 200)}
    yield Row("shops.sensitivity", f"back after 30, 60, 120, 200 days of silence; {who}", held(found, found["after_days"].map(truth)))
    found = shops.inactivity(orders, within_days=90, **asked)
    rule = next(days for days in range(1, 400) if shop.woken(days, 90) <= 0.1)
    yield Row("shops.inactivity", f"days of silence after which 1 in 10 comes back; {who}", held(found, rule))


# Who leaves


def models() -> Iterator[Row]:
    """Three plans, of which one is left 1.6 times as readily as the others; and chances that are what they say."""
    for n in (150, 600):
        random, samples = np.random.default_rng([6, n]), 40
        table = lives(random, samples, n).assign(plan=random.choice(["a", "b", "c"], samples * n, p=[0.5, 0.25, 0.25]))
        life = (random.exponential(200, len(table)) / np.where(table["plan"] == "b", 1.6, 1)).astype(int)
        end = table["start"] + pd.to_timedelta(life, unit="D")
        parts = dict(list(table.assign(end=end.where(end <= AS_OF)).groupby("sample")))
        fitted = [leaving.model(parts[sample], as_of=AS_OF.date(), of=["plan"]) for sample in range(samples)]
        found = each(samples, lambda sample: leaving.effects(fitted[sample]))  # noqa: B023
        sides = found["category"].map({"a": 1, "b": 1.6, "c": 1}) / found["reference"].map({"a": 1, "b": 1.6, "c": 1})
        told = found["verdict"] != "reference"
        yield Row("leaving.effects", f"hazard ratios of three plans; {n} customers", held(found[told], sides[told]))
        found = each(samples, lambda sample: leaving.proportionality(fitted[sample]).iloc[:1])  # noqa: B023
        likely = each(20, lambda sample: leaving.at_risk(fitted[sample], most=40))  # noqa: B023
        plans = table.set_index("customer")["plan"].map({"a": 1, "b": 1.6, "c": 1})
        truth = 1 - np.exp(-90 / 200 * likely["customer"].astype(int).map(plans))
        yield Row("leaving.at_risk", f"the chance of each of the first 40; {n} customers", held(likely, truth))
        yield Row("leaving.proportionality", f"changes with tenure, though nothing does; {n} customers", found["p_value"] < 0.05, "0.050")
    yield from _forecasts()


def _forecasts() -> Iterator[Row]:
    chance = np.repeat([0.02, 0.05, 0.1, 0.2, 0.4], 60)
    leaves, stays = chance[:, None] * (1 - chance), np.sign(chance[:, None] - chance) / 2 + 0.5
    np.fill_diagonal(leaves, 0)
    # Of chances that are true the expected errors are p (1 - p), of the mean chance m (1 - m).
    errors = (chance * (1 - chance)).mean() / (chance.mean() * (1 - chance.mean()))
    truth = {
        "concordance": (leaves * stays).sum() / leaves.sum(),
        "brier_scaled": 1 - errors,
        "calibration_slope": 1,
        "observed_expected": 1,
    }
    rows = pd.DataFrame({"customer": np.arange(300).astype(str), "chance": chance, "chance_alone": chance.mean()})

    def told(sample: int) -> Past:
        left = np.random.default_rng([8, sample]).random(300) < chance
        # All who leave do so on one day: which of two leaves first is no matter of chance.
        return Past(90, (SimpleNamespace(rows=rows.assign(left=left, after_days=np.where(left, 1.0, 90.0))),))

    pasts = [told(sample) for sample in range(200)]
    found = each(200, lambda sample: leaving.accuracy(pasts[sample]))
    for measure, part in found.groupby("measure"):
        yield Row("leaving.accuracy", f"`{measure}`; 300 customers, of whom 46 leave", held(part, truth[measure]))
    found = each(200, lambda sample: leaving.calibration(pasts[sample]))
    yield Row("leaving.calibration", "share that left of each fifth; 300 customers", held(found, found["expected_share"]))


SECTIONS = {
    "Who stays, and for how long": (staying, apart),
    "By the calendar": (calendar, revenue, revenue_moving),
    "What it is worth": (worth,),
    "Who buys again": (buying,),
    "Who leaves, and who was foretold to": (models,),
}
