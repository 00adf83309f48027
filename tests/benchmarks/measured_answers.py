"""How often what is said of answers is true, measure by measure; ``simulated.py`` prints it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from measured import AS_OF, FIVE, Row, each, held, named

from cxlib import fieldwork, groups, survey

# What they say


def ratings(random: np.random.Generator, samples: int, sizes: list[int], laws: np.ndarray) -> pd.DataFrame:
    """Ratings of one to five: a question a sample, so that one question to the engine asks all; a law a group."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    score = 1 + (random.random((samples, len(group), 1)) > np.cumsum(laws, axis=-1)[..., group, :-1]).sum(axis=-1)
    table = pd.DataFrame({"question": np.repeat([f"{sample:05}" for sample in range(samples)], len(group)), "score": score.ravel()})
    return table.assign(plan=np.tile(group, samples), kind="rating", scale_low=1, scale_high=5, low_is_good=False)


#: Of five points: evenly, rather content, mostly at the top, at both ends, nearly all at the top.
LAWS = {
    "even": np.ones(5),
    "rather content": np.exp(0.5 * FIVE),
    "mostly at the top": np.exp(1.2 * FIVE),
    "at both ends": np.array([5.0, 1, 1, 1, 5]),
    "19 of 20 at the top": np.array([1.0, 1, 1, 2, 95]),
}
SIZES = {"12 of 5": [5] * 12, "5 to 200": [5, 5, 5, 8, 12, 20, 80, 200], "6 of 3 and one of 300": [*[3] * 6, 300], "6 of 50": [50] * 6}


def rests() -> Iterator[Row]:
    """Groups that do not differ, each against the rest: means of five points, and Net Promoter Scores."""
    for words, sizes in SIZES.items():
        covered, wrong = [], []
        for place, law in enumerate(LAWS.values()):
            table = ratings(np.random.default_rng([10, place, len(sizes)]), 300, sizes, np.tile(law / law.sum(), (len(sizes), 1)))
            found = groups.against_rest(table, measure="ratings", by="plan")
            covered.append(held(found, 0.0, within="question"))
            wrong.append(named(found, within="question"))
        for kind, parts, wanted in (("difference of means", covered, "0.950"), ("one is above or below", wrong, "at most 0.050")):
            means = [np.mean(part) for part in parts]
            worst = int(np.argmin(means) if parts is covered else np.argmax(means))
            yield Row("groups.against_rest", f"{kind}; groups {words}, none differs", np.concatenate(parts), wanted)
            yield Row("groups.against_rest", f"the same, the law that is worst: {list(LAWS)[worst]}", parts[worst], wanted)


def scores(random: np.random.Generator, size: tuple[int, ...], law: list[float]) -> np.ndarray:
    """Answers of 10, 8 and 3: promoters, passives and detractors."""
    return random.choice([10, 8, 3], p=law, size=size)


def loyal() -> Iterator[Row]:
    """Net Promoter Scores of groups that do not differ, and of groups whose true scores do."""
    sizes, samples = [5, 8, 20, 80, 300], 100
    plan, region = np.repeat(np.arange(len(sizes)), sizes), np.random.default_rng(11).integers(0, 3, sum(sizes))
    law = [0.5, 0.3, 0.2]
    drawn = scores(np.random.default_rng(12), (samples, len(plan)), law)

    def ask(measure: Callable[..., pd.DataFrame], of: int = samples, **asked) -> pd.DataFrame:
        return each(of, lambda at: measure(pd.DataFrame({"plan": plan, "region": region, "score": drawn[at]}), **asked))

    found = ask(groups.against_rest, by="plan")
    yield Row("groups.against_rest", "difference of NPS; groups 5 to 300, none differs", held(found, 0.0))
    wrong = found["verdict"].isin(["above", "below"]).groupby(found["sample"]).any()
    yield Row("groups.against_rest", "one is above or below (NPS)", wrong, "at most 0.050")
    found = ask(lambda table, **asked: pd.concat(groups.breakdowns(table, **asked)), columns=["plan", "region"])
    wrong = found["verdict"].isin(["above", "below"]).groupby(found["sample"]).any()
    yield Row("groups.breakdowns", "one of 5 plans and 3 regions is above or below", wrong, "at most 0.050")
    found = ask(groups.banner, of=30, by=["plan", "region"])
    wrong = (found["higher_than"] != "").groupby(found["sample"]).any()
    yield Row("groups.banner", "any letter; 5 plans and 3 regions that do not differ", wrong, "at most 0.050")
    truth = found["row"].map({"nps": 30, "promoters": 0.5, "passives": 0.3, "detractors": 0.2})
    yield Row("groups.banner", "its cells", held(found, truth))
    yield from _pooled()


def _pooled() -> Iterator[Row]:
    sizes, samples = [5, 10, 20, 40, 80, 160], 400
    random = np.random.default_rng(13)
    tilt = np.exp(random.normal(0.3, 0.3, (samples, len(sizes), 1)) * FIVE)
    law = tilt / tilt.sum(axis=-1, keepdims=True)
    found = groups.against_rest(ratings(random, samples, sizes, law), measure="ratings", by="plan")
    mean = law @ FIVE
    rest = ((mean @ sizes)[:, None] - mean * sizes) / (sum(sizes) - np.array(sizes))
    at = found["question"].astype(int), found["plan"]
    own, others = mean[at], rest[at]
    who = "means of groups of 5 to 160 whose laws differ"
    yield Row("groups.against_rest", f"difference; {who}", held(found, own - others, within="question"))
    yield Row("groups.against_rest", f"`pooled`; {who}", held(found, own, within="question", of="pooled_"))
    yield Row("survey.ratings", f"{who}", held(found, own, within="question", of="score_"))


def people() -> Iterator[Row]:
    """Staff against customers, soon against late, who was asked and who answered, and choices."""
    random, samples = np.random.default_rng(14), 400
    law = [0.5, 0.3, 0.2]
    sample = {size: np.repeat(np.arange(samples), size) for size in (25, 100, 150)}
    customers = pd.DataFrame({"sample": sample[150], "score": scores(random, (samples * 150,), law)})
    staff = pd.DataFrame({"sample": sample[25], "score": scores(random, (samples * 25,), [0.7, 0.2, 0.1])})
    found = groups.gap(customers, staff=staff, by="sample")
    yield Row("groups.gap", "25 employees, 150 customers", held(found, 30.0))
    alike = groups.gap(customers, staff=staff.assign(score=scores(random, (samples * 25,), law)), by="sample")
    yield Row("groups.gap", "above or below though they do not differ", alike["p_value"] < 0.05, "at most 0.050")
    asked = pd.Series(pd.Timestamp("2026-05-04"), index=customers.index)
    soon = np.where(random.random(len(asked)) < 0.5, 0, 9)
    table = customers.assign(time_asked=asked, time_answered=asked + pd.to_timedelta(soon, unit="D"))
    found = fieldwork.early(table, days=0, by="sample")
    yield Row("fieldwork.early", "75 soon, 75 late, who do not differ", held(found, 0.0))
    yield Row("fieldwork.early", "above or below though they do not differ", found["p_value"] < 0.05, "at most 0.050")
    yield from _answering(np.random.default_rng(15), samples)
    yield from _silent(np.random.default_rng(19), 100)
    yield from _choosing(np.random.default_rng(16), 1500)
    yield from _arriving(np.random.default_rng(17), 100)
    yield from _weighting(np.random.default_rng(18), 200)


def _answering(random: np.random.Generator, samples: int) -> Iterator[Row]:
    who, times = 40, 6
    asked = pd.DataFrame(
        {"sample": np.repeat(np.arange(samples), who * times), "person": np.tile(np.repeat(np.arange(who), times), samples)}
    )
    asked["respondent"] = asked["sample"].astype(str) + "-" + asked["person"].astype(str)
    asked = asked.assign(wave=np.tile(list("123456"), samples * who), time_asked=pd.Timestamp("2026-02-02"))
    chance = np.repeat(random.beta(0.6, 1.4, samples * who), times)
    answers = asked[random.random(len(asked)) < chance].rename(columns={"time_asked": "time_answered"})[
        ["respondent", "wave", "time_answered"]
    ]
    found = fieldwork.response_rate(asked, answers, as_of=AS_OF.date(), by="sample")
    yield Row("fieldwork.response_rate", "40 people asked six times each, who differ in readiness", held(found, 0.3))


def _silent(random: np.random.Generator, samples: int) -> Iterator[Row]:
    """Plans and regions of people who differ in readiness to answer, whatever their plan and region are; and a third as channels fall."""
    sizes, times = [8, 20, 40, 100], 4
    who = sum(sizes)
    asked = pd.DataFrame({"respondent": np.repeat(np.arange(who).astype(str), times), "wave": np.tile(list("1234"), who)})
    asked = asked.assign(plan=np.repeat(np.repeat(np.arange(len(sizes)), sizes), times), time_asked=pd.Timestamp("2026-02-02"))

    def ask(_: int) -> pd.DataFrame:
        drawn = asked.assign(region=np.repeat(random.integers(0, 3, who), times), channel=random.integers(0, 3, who * times))
        came = random.random(len(drawn)) < np.repeat(random.beta(0.9, 2.1, who), times)
        answers = drawn.loc[came, ["respondent", "wave"]].assign(time_answered=pd.Timestamp("2026-02-03"))
        found = fieldwork.rate_breakdowns(drawn, answers, as_of=AS_OF.date(), columns=["plan", "region", "channel"])
        return pd.concat(found)

    found = each(samples, ask)
    yield Row("fieldwork.rate_breakdowns", "difference; groups of 8 to 100 people asked four times each, none differs", held(found, 0.0))
    wrong = found["verdict"].isin(["above", "below"]).groupby(found["sample"]).any()
    yield Row("fieldwork.rate_breakdowns", "one of 4 plans, 3 regions and 3 channels is above or below", wrong, "at most 0.050")


def _choosing(random: np.random.Generator, samples: int) -> Iterator[Row]:
    law, names = [0.6, 0.3, 0.1], ["price", "quality", "service"]
    picked = np.repeat(random.choice(names, p=law, size=samples * 60), 3)
    table = pd.DataFrame({"sample": np.repeat(np.arange(samples), 180), "choice": np.tile(names, samples * 60)})
    found = survey.choices(table.assign(score=(picked == table["choice"]).astype(int)), by="sample")
    whole = held(found, found["choice"].map(dict(zip(names, law, strict=True)))) == 1
    yield Row("survey.choices", "one of three, all at once; 60 people", whole)
    several = random.random(len(table)) < table["choice"].map(dict(zip(names, law, strict=True)))
    found = survey.choices(table.assign(score=several.astype(int)), by="sample")
    yield Row("survey.choices", "several of three, each; 60 people", held(found, found["choice"].map(dict(zip(names, law, strict=True)))))
    answers = pd.DataFrame({"sample": np.repeat(np.arange(samples), 60), "score": scores(random, (samples * 60,), law)})
    found = survey.classes(answers, by="sample")
    truth = found["class"].map(dict(zip(["promoters", "passives", "detractors"], law, strict=True)))
    yield Row("survey.classes", "all three at once; 60 people", held(found, truth) == 1)
    rated = pd.DataFrame({"sample": np.repeat(np.arange(samples), 60), "score": random.choice(FIVE, p=np.ones(5) / 5, size=samples * 60)})
    found = survey.distribution(rated.assign(question="q", kind="rating", scale_low=1, scale_high=5, low_is_good=False), by="sample")
    yield Row("survey.distribution", "all five scores at once; 60 people", held(found, 0.2) == 1)


def _arriving(random: np.random.Generator, samples: int) -> Iterator[Row]:
    """Twelve months of 100 answers, of which one in five arrives up to 45 days after the end of its month."""
    n = samples * 1200
    month = pd.Series(np.tile(np.repeat(pd.date_range("2025-07-01", periods=12, freq="MS"), 100), samples))
    delay = np.where(random.random(n) < 0.2, random.integers(1, 46, n), 0)
    end = month + pd.offsets.MonthEnd(0)
    table = pd.DataFrame({"sample": np.repeat(np.arange(samples), 1200), "score": scores(random, (n,), [0.5, 0.3, 0.2])})
    table = table.assign(time_answered=month, time_received=end + pd.to_timedelta(delay, unit="D"))
    found = fieldwork.late(table, as_of=AS_OF.date(), by="sample")
    yield Row("fieldwork.late", "the score; 12 months of 100 answers", held(found, 30.0))
    age = (AS_OF - (pd.to_datetime(found["month"]) + pd.offsets.MonthEnd(0))).dt.days
    known = found["arrived"].notna() & (age < 45)
    truth = 0.8 + 0.2 * age[known] / 45
    parts = found[known].rename(columns={"low": "score_low", "high": "score_high", "low_arrived": "low", "high_arrived": "high"})
    yield Row("fieldwork.late", "what has arrived of the last two months", held(parts, truth))


def _weighting(random: np.random.Generator, samples: int) -> Iterator[Row]:
    """200 answers of customers of three kinds: the least content are asked in vain most often."""
    share, answers = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.2, 0.1])
    laws = np.array([[0.6, 0.3, 0.1], [0.5, 0.2, 0.3], [0.3, 0.2, 0.5]])
    truth = 100 * share @ (laws[:, 0] - laws[:, 2])
    people = pd.DataFrame({"segment": np.repeat(list("abc"), (1000 * share).astype(int))})
    mix = share * answers / (share @ answers)

    def drawn() -> pd.DataFrame:
        kind = random.choice(3, p=mix, size=200)
        score = np.array([10, 8, 3])[(random.random((200, 1)) > np.cumsum(laws[kind], axis=1)[:, :-1]).sum(axis=1)]
        return pd.DataFrame({"segment": np.array(list("abc"))[kind], "score": score})

    tables = [drawn() for _ in range(samples)]
    found = each(40, lambda sample: fieldwork.raked(tables[sample], people, margins=["segment"]).iloc[1:])
    yield Row("fieldwork.raked", "200 answers; the least content answer a quarter as often", held(found, truth))
    found = each(samples, lambda sample: fieldwork.balance(tables[sample], people, margins=["segment"]))
    yield Row(
        "fieldwork.balance",
        "share of three segments among 200 answers",
        held(found, found["category"].map(dict(zip("abc", mix, strict=True)))),
    )


SECTIONS = {"Groups beside each other": (rests, loyal), "Who answers, and what": (people,)}
