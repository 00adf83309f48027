"""What is held of drivers: simulated coverage over known laws, and the drivers of sample companies of other seeds.

``make simulate`` writes ``tests/benchmarks/drivers.md``; ``drivers.py coverage`` and ``drivers.py recovery`` print one half of it, and
``drivers.py truth`` what is true of a very large company.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2]))

from cxlib import impact
from cxlib.impact.explaining import Boxes, Explained
from cxlib.impact.occasions import UNITS, Occasions
from cxlib.sample.laws import TOUCHPOINTS
from cxlib.sample.story import Company
from cxlib.stats import drivers as stats

CUTS = [-1.9, -1.2, -0.45, 0.45]
#: How the ratings resemble each other, and what each is worth to the score beside a noise of 1.
LAWS = {
    "apart": (0.0, (1.0, 0.62, 0.38, 0.25, 0.0)),
    "alike by half": (0.5, (1.0, 0.62, 0.38, 0.25, 0.0)),
    "weak": (0.3, (0.3, 0.2, 0.1, 0.0, 0.0)),
}
#: People, occasions of each, and the share of ratings that are missing.
SAMPLES = {
    "100 people": (100, 1, 0.0),
    "300 people, a third missing": (300, 1, 0.33),
    "100 people, 3 times": (100, 3, 0.15),
    "1,000 people": (1000, 1, 0.0),
}
#: What a rating from 1 to 5 adds to the score beside a noise of 1: parts that are punished, rewarded, or neither more than the other.
BENT = {
    "only punished": (-1.5, -1.5, 0, 0, 0),
    "punished more": (-2, -1.2, -0.2, 0, 0.4),
    "a straight line": (-1, -0.5, 0, 0.5, 1),
    "only rewarded": (0, 0, 0, 0, 1.2),
    "chance": (0, 0, 0, 0, 0),
}
#: LMG in a company of 300,000 customers of seed 777, by pandas and NumPy (``drivers.py truth``); standard errors of 0.002 at most.
TRUTH = {
    "nps": {"billing": 0.0077, "delivery": 0.2044, "store": 0.0, "support": 0.0606, "website": 0.0148},
    "csat": {"billing": 0.0057, "delivery": 0.1575, "store": 0.0, "support": 0.0474, "website": 0.0121},
}


def drawn(rng, law, people, times, gone):
    """Ratings from 1 to 5 and a score from 0 to 10 of people who resemble themselves from one occasion to the next."""
    alike, worth = LAWS[law]
    p, rows = len(worth), people * times
    own = np.repeat(rng.normal(size=(people, p + 1)), times, axis=0) if times > 1 else 0.0
    within = 0.5 if times > 1 else 0.0
    each = np.sqrt(within) * own + np.sqrt(1 - within) * rng.normal(size=(rows, p + 1))
    common = rng.normal(size=(people, 1)).repeat(times, axis=0)
    felt = np.sqrt(alike) * common + np.sqrt(1 - alike) * each[:, :p]
    score = felt @ worth + each[:, p]
    ratings = np.digitize(felt, CUTS) + 1.0
    reach = np.sqrt((1 - alike) * np.square(worth).sum() + alike * np.sum(worth) ** 2 + 1)
    ratings[rng.random(ratings.shape) < gone] = np.nan
    return ratings, np.clip(np.round(7.5 + 2 * score / reach), 0, 10), np.repeat(np.arange(people), times)


def asked(ratings, score, person):
    """The same as the engine counts it."""
    size = ratings.shape[1]
    frame = pd.DataFrame(ratings, columns=[f"v{driver}" for driver in range(size)])
    frame = frame.assign(group=0, unit=person % UNITS, y=score, n=1, w=1.0, ww=1.0)[~np.isnan(ratings).all(axis=1)]
    seen = {f"p{driver}": [len(np.unique(person[~np.isnan(ratings[:, driver])]))] for driver in range(size)}
    return Occasions(size, pd.DataFrame({"people": [len(np.unique(person))], **seen}), frame)


def truth_of(law):
    """LMG and asymmetry in a sample so large that nothing is left to chance."""
    ratings, score, _ = drawn(np.random.default_rng(9), law, 1_000_000, 1, 0.0)
    corr = np.corrcoef(np.column_stack([score, ratings]).T)
    return stats.lmg(corr[1:, 1:], corr[0, 1:])


def coverage(rounds: int = 60) -> Iterator[str]:
    """How often intervals hold the truth, noise is named, an order is wrong, and a straight line is given a role that bends."""
    yield "| ratings | sample | interval holds the part: mean, worst | width | an order is wrong | a line is bent | noise is named |"
    yield "|---|---|---|---|---|---|---|"
    for law, (alike, worth) in LAWS.items():
        truth, p = truth_of(law), len(worth)
        silent = (np.array(worth) == 0) & (alike == 0)
        for sample, (people, times, gone) in SAMPLES.items():
            rng, held, width, wrong, bent, named = np.random.default_rng(1), np.zeros(p), 0.0, 0, 0, 0
            for _ in range(rounds):
                ratings, score, person = drawn(rng, law, people, times, gone)
                counts = [np.array([(ratings[:, driver] == rating).sum() for rating in range(1, 6)]) for driver in range(p)]
                boxes = {driver: Boxes.of(counts[driver], 1) for driver in range(p)}
                found = Explained.of(asked(ratings, score, person), 0, boxes, level=0.95)
                low, high = found.columns["low"], found.columns["high"]
                held += (low <= truth + 1e-4) & (truth <= high)
                width += (high - low).mean()
                before = found.columns["rank_high"][:, None] < found.columns["rank_low"][None, :]
                wrong += bool((before & (truth[:, None] < truth[None, :] - 1e-3)).any())
                bent += bool({"basic", "delight"} & set(found.roles.values()))
                named += int((silent & (low > found.columns["noise_floor"])).sum())
            cells = [
                f"{held.mean() / rounds:.3f}, {held.min() / rounds:.3f}",
                f"{width / rounds:.3f}",
                f"{wrong} of {rounds}",
                f"{bent} of {rounds}",
            ]
            noise = f"{named} of {rounds}" if silent.any() else ""
            yield f"| {law} | {sample} | {' | '.join(cells)} | {noise} |"


def bent(rng, people):
    """Ratings, the score that good and bad ones do not move alike, and who gave them."""
    felt = np.sqrt(0.3) * rng.normal(size=(people, 1)) + np.sqrt(0.7) * rng.normal(size=(people, len(BENT)))
    ratings = np.digitize(felt, CUTS) + 1
    adds = sum(np.array(law)[ratings[:, place] - 1] for place, law in enumerate(BENT.values()))
    score = np.clip(np.round(7 + adds + rng.normal(size=people)), 0, 10)
    return ratings.astype(float), score, np.arange(people)


def boxes_of(ratings):
    """The boxes of every part, from how often each rating was given."""
    return {place: Boxes.of(np.array([(column == rating).sum() for rating in range(1, 6)]), 1) for place, column in enumerate(ratings.T)}


def effects_of():
    """Reward, penalty and their asymmetry in a million answers, by least squares on all boxes at once."""
    ratings, score, _ = bent(np.random.default_rng(9), 1_000_000)
    boxes = list(boxes_of(ratings).values())
    ends = [ratings >= [each.top for each in boxes], ratings <= [each.bottom for each in boxes]]
    slopes = np.linalg.lstsq(np.column_stack([np.ones(len(score)), *ends]).astype(float), score, rcond=None)[0][1:]
    reward, penalty = np.split(slopes, 2) / np.array([[each.above for each in boxes], [each.below for each in boxes]])
    return {"reward": reward, "penalty": penalty, "asymmetry": (abs(reward) - abs(penalty)) / (abs(reward) + abs(penalty))}


def effects(rounds: int = 100) -> Iterator[str]:
    """How often the intervals of reward, penalty and asymmetry hold the truth, and which roles are given."""
    truth = effects_of()
    yield "| sample | part | reward: truth, held | penalty: truth, held | asymmetry: truth, held | basic, delight, performance |"
    yield "|---|---|---|---|---|---|"
    for people in (150, 600):
        rng, held, roles = np.random.default_rng(2), {name: np.zeros(len(BENT)) for name in truth}, []
        for _ in range(rounds):
            ratings, score, person = bent(rng, people)
            found = Explained.of(asked(ratings, score, person), 0, boxes_of(ratings), level=0.95)
            roles.append([found.roles[place] for place in range(len(BENT))])
            for name, true in truth.items():
                held[name] += (found.columns[f"{name}_low"] <= true + 1e-3) & (true - 1e-3 <= found.columns[f"{name}_high"])
        for place, part in enumerate(BENT):
            cells = [f"{true[place]:+.2f}, {held[name][place] / rounds:.3f}" for name, true in truth.items()]
            # Of a part that does nothing there is no asymmetry to hold.
            cells[2] = cells[2] if part != "chance" else ""
            given = [sum(each[place] == role for each in roles) for role in ("basic", "delight", "performance")]
            yield f"| {people} people | {part} | {' | '.join(cells)} | {', '.join(map(str, given))} of {rounds} |"


def company(customers, seed):
    """The answers of a sample company's customers, as the workbook hands them out."""
    names = ["respondent", "role", "wave", "question", "score", "touchpoint"]
    blocks = (tables["responses"].select(names).to_pandas() for tables in Company(customers, seed).blocks())
    rows = pd.concat([block[block["role"] == "customer"] for block in blocks], ignore_index=True)
    rows["kind"] = rows["question"].astype(str).str.partition("_")[0]
    scales = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "rating": (1, 5)}
    low, high = (rows["kind"].map({kind: ends[place] for kind, ends in scales.items()}) for place in (0, 1))
    text = {name: rows[name].astype(object) for name in ("respondent", "wave", "question", "touchpoint")}
    return rows.assign(scale_low=low, scale_high=high, **text)


def truth(customers, seed):
    """LMG by pandas and NumPy alone, of those who rated everything."""
    rows = company(customers, seed)
    wide = rows.dropna(subset="score").pivot_table(index=["respondent", "wave"], columns="question", values="score", observed=True)
    parts = [f"rating_{touchpoint}" for touchpoint in TOUCHPOINTS]
    for outcome in ("nps", "csat"):
        corr = np.corrcoef(wide[[outcome, *parts]].dropna().to_numpy(dtype=float).T)
        yield outcome, dict(zip(TOUCHPOINTS, stats.lmg(corr[1:, 1:], corr[0, 1:]).round(4).tolist(), strict=True))


def recovery(seeds: range = range(101, 121)) -> Iterator[str]:
    """In how many companies the interval holds what is true of a very large one, and how often delivery is settled as the first."""
    held = {(outcome, touchpoint): 0 for outcome in TRUTH for touchpoint in TOUCHPOINTS}
    estimates: dict[tuple[str, str], list[float]] = {key: [] for key in held}
    firsts = dict.fromkeys(TRUTH, 0)
    for seed in seeds:
        rows = company(1500, seed)
        for outcome, true in TRUTH.items():
            found = impact.drivers(rows, outcome=outcome).set_index("driver")
            for touchpoint in TOUCHPOINTS:
                held[outcome, touchpoint] += int(found.loc[touchpoint, "low"] <= true[touchpoint] <= found.loc[touchpoint, "high"])
                estimates[outcome, touchpoint].append(float(found.loc[touchpoint, "estimate"]))
            firsts[outcome] += int(found["rank"].fillna(0).eq(1).loc["delivery"])
    yield "| score | part | truth | estimate, mean | interval holds it in |"
    yield "|---|---|---|---|---|"
    for (outcome, touchpoint), number in held.items():
        mean = np.mean(estimates[outcome, touchpoint])
        yield f"| {outcome.upper()} | {touchpoint} | {TRUTH[outcome][touchpoint]:.4f} | {mean:.4f} | {number} of {len(seeds)} |"
    yield ""
    said = " and ".join(f"in {number} of {len(seeds)} for {outcome.upper()}" for outcome, number in firsts.items())
    yield f"That delivery is first is settled {said}."


def page() -> Iterator[str]:
    yield "# What is held of drivers"
    yield ""
    yield "What `impact.drivers` says. Made by `make simulate`, with fixed seeds, at 95 %. Five parts are rated from 1 to 5; the"
    yield "score is a straight line of what is felt, and some chance."
    yield ""
    yield from coverage()
    yield ""
    yield "## What good ratings bring and bad ones cost"
    yield ""
    yield "A score that good and bad ratings do not move alike, rounded and cut to 0 to 10; the truth is that of a million answers."
    yield ""
    yield from effects()
    yield ""
    yield "## Is the truth found again?"
    yield ""
    yield "Twenty companies of 1,500 customers; the truth is that of one of 300,000. The interval should hold it in 17 to 20 of 20."
    yield ""
    yield from recovery()


def main(which: list[str]) -> None:
    """Print the page, or the half that is asked for."""
    parts = {"coverage": coverage, "effects": effects, "recovery": recovery, "truth": lambda: (f"{line}" for line in truth(300_000, 777))}
    for line in parts[which[0]]() if which else page():
        print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
