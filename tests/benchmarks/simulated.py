"""How often each interval holds the truth, and how often each verdict is wrong: simulated, and printed as a page.

``make simulate`` writes ``tests/benchmarks/coverage.md``. The seeds are fixed: the page repeats to the byte.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import measured
import measured_answers
import measured_customers
import numpy as np
import numpy.typing as npt
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2]))

from cxlib import leaving, money
from cxlib.leaving.backtest import Forecast, Past
from cxlib.stats import cox, intervals, movement, variance

Floats = npt.NDArray[np.float64]
LEVEL, SAMPLES = 0.95, 4000
SIZES = (5, 10, 30, 100, 1000)

#: Shares of promoters, passives and detractors; of yes; and of the scores of five points.
NETS = [(p / 10, (10 - p - d) / 10, d / 10) for p in range(10) for d in range(10 - p) if p + d > 0] + [(0.97, 0.02, 0.01)]
SHARES = [(p, 1 - p) for p in (0.01, 0.05, 0.2, 0.5, 0.8, 0.95)]
FIVE = np.arange(1, 6)
TOP_HEAVY = 0.8 * (FIVE == 5) + 0.05
MEANS = [tuple(law / law.sum()) for law in (np.ones(5), np.exp(0.5 * FIVE), np.exp(1.2 * FIVE), np.array([5.0, 1, 1, 1, 5]), TOP_HEAVY)]


def drawn(random: np.random.Generator, law: tuple[float, ...], n: int, samples: int = SAMPLES) -> Floats:
    """So many samples of n answers, counted by what was answered."""
    return random.multinomial(n, np.array(law) / sum(law), size=samples).astype(float)


def held(low: Floats, high: Floats, truth: Floats | float) -> float:
    """Share of the intervals that hold the truth, to a hair."""
    return float(((low <= truth + 1e-12) & (truth - 1e-12 <= high)).mean())


def of_one_sample(laws: list[tuple[float, ...]], worth: Floats, interval: Callable[[Floats], tuple[Floats, Floats]], n: int) -> list[float]:
    random = np.random.default_rng([n, len(laws)])
    return [held(*interval(drawn(random, law, n)), float(np.array(law) / sum(law) @ worth)) for law in laws]


def of_a_change(laws: list[tuple[float, ...]], worth: Floats, change: Callable[..., movement.Change], n: int) -> list[float]:
    random, found = np.random.default_rng([n, len(laws), 2]), []
    for before in laws[:: max(len(laws) // 6, 1)]:
        for after in laws[:: max(len(laws) // 6, 1)]:
            seen = change(drawn(random, before, n), drawn(random, after, n), level=LEVEL)
            found.append(held(seen.low, seen.high, float((np.array(after) / sum(after) - np.array(before) / sum(before)) @ worth)))
    return found


def goodman(counts: Floats, law: tuple[float, ...]) -> float:
    low, high = intervals.goodman(counts, LEVEL)
    return float(((low <= np.array(law) + 1e-12) & (np.array(law) - 1e-12 <= high)).all(axis=1).mean())


def _row(name: str, every: list[list[float]]) -> str:
    return f"| {name} | " + " | ".join(f"{np.mean(found):.3f}, {min(found):.3f}" for found in every) + " |"


def intervals_table() -> list[str]:
    """One line an interval: mean and worst coverage by number of answers."""
    net, one = np.array([1.0, 0, -1]), np.array([1.0, 0])

    def share(counts: Floats) -> tuple[Floats, Floats]:
        return intervals.wilson(counts[:, 0], counts.sum(axis=1), LEVEL)

    def mean(counts: Floats) -> tuple[Floats, Floats]:
        return intervals.scale_mean(counts, FIVE, LEVEL)[1:]

    def mean_change(*samples: Floats, level: float) -> movement.Change:
        return movement.mean_change(*samples, FIVE, level=level)

    rows = {
        "`survey.nps` (adjusted Wald; score below 15)": lambda n: of_one_sample(NETS, net, lambda c: intervals.net_share(c, LEVEL), n),
        "share: `survey.csat`, `survey.ces` (Wilson)": lambda n: of_one_sample(
            SHARES, one, lambda c: intervals.wilson(c[:, 0], c.sum(axis=1), LEVEL), n
        ),
        "mean of five points: `survey.ratings`, `survey.ces` (Dirichlet, Perks)": lambda n: of_one_sample(
            MEANS, FIVE, lambda c: intervals.scale_mean(c, FIVE, LEVEL)[1:], n
        ),
        "three at once: `survey.classes` (Goodman)": lambda n: [goodman(drawn(np.random.default_rng([n, 9]), law, n), law) for law in NETS],
        "`survey.movement` of NPS (adjusted Wald in both)": lambda n: of_a_change(NETS, net, movement.net_change, n),
        "`survey.movement` of a share (Newcombe)": lambda n: of_a_change(SHARES, one, movement.share_change, n),
        "`survey.movement` of a mean (Welch on posteriors, moderated)": lambda n: of_a_change(MEANS, FIVE.astype(float), mean_change, n),
    }
    head = [f"| interval | {' | '.join(f'{n:,} answers' for n in SIZES)} |", f"|---|{'---|' * len(SIZES)}"]
    return head + [_row(name, [found(n) for n in SIZES]) for name, found in rows.items()]


def people_table() -> list[str]:
    """Coverage of the NPS of people who answer several times, by how alike the answers of one person are."""
    lines = ["| answers of a person | 8 people | 30 people | 100 people |", "|---|---|---|---|"]
    for times, alike in ((2, 0.3), (6, 0.3), (12, 0.3), (12, 0.8)):
        cells = []
        for people in (8, 30, 100):
            random = np.random.default_rng([people, times, round(10 * alike)])
            own = np.where(random.random((1500, people, 1)) < alike, random.random((1500, people, 1)), random.random((1500, people, times)))
            value = (own < 0.5) * 1.0 - (own > 0.8)
            b, a = value.sum(axis=2), np.full((1500, people), float(times))
            sums = [np.full(1500, float(people)), *(each.sum(axis=1) for each in (a, b, a * a, a * b, b * b))]
            mean, n = b.sum(axis=1) / (people * times), np.full(1500, float(people * times))
            spread = (value**2).sum(axis=(1, 2)) / n - mean**2
            worth, freedom = variance.worth(variance.Clusters(*sums), spread=spread, n=n, n_eff=n)
            counts = np.column_stack([(value == one).sum(axis=(1, 2)) for one in (1, 0, -1)])
            low, high = intervals.net_share(counts * (worth / variance.inflation(freedom, LEVEL) / n)[:, None], LEVEL)
            cells.append(f"{held(low, high, 0.3):.3f}")
        lines.append(f"| {times}, correlation {alike:g} | {' | '.join(cells)} |")
    return lines


def cox_table() -> list[str]:
    """Coverage of the logarithm of a hazard ratio and of the hazard gathered in 30 days, by how many were seen, and how."""
    lines = ["| interval | 50 spells | 150 spells | 500 spells |", "|---|---|---|---|"]
    kinds = np.array([[0.0], [1.0]])
    found: dict[str, list[str]] = {}
    for spells in (50, 150, 500):
        random, once, hazards, plain, robust = np.random.default_rng([8, spells]), [], [], [], []
        for _ in range(500):
            kind, until = random.integers(0, 2, spells), random.integers(0, 120, spells)
            late = np.where(random.random(spells) < 0.4, random.integers(0, 30, spells), 0)
            life = np.floor(random.exponential(100 / np.exp(0.7 * kind)))
            there = np.minimum(life, until) >= late
            ends, zeros = np.minimum(life, until)[there], np.zeros(there.sum(), dtype="int64")
            fit = cox.fit(cox.Cells(kind[there], late[there] - 0.5, ends, (life <= until)[there], zeros + 1, zeros), kinds)
            once.append(abs(fit.coefficients[0] - 0.7) < 1.96 * np.sqrt(fit.covariance[0, 0]))
            hazard, error = fit.cumulative_hazard(kinds[1:], 0, 30.0)
            # The end of day 30 is the 31st on which they could leave.
            hazards.append(abs(np.log(0.31 * np.exp(0.7) / hazard[0])) < 1.96 * error[0] / hazard[0])
            person, zeros = np.repeat(np.arange(spells // 5), 5), np.zeros(spells // 5 * 5, dtype="int64")
            kind, mood = person % 2, np.repeat(random.gamma(1.0, 1.0, spells // 5), 5)
            life = np.ceil(random.exponential(60 / mood))
            cells = cox.Cells(kind, zeros - 0.5, np.minimum(life, 200), life <= 200, zeros + 1, zeros)
            fit = cox.fit(cells, kinds, clusters=person)
            for each, covariance in ((plain, fit.covariance), (robust, fit.robust)):
                each.append(abs(fit.coefficients[0]) < 1.96 * np.sqrt(covariance[0, 0]))
        names = ("hazard ratio, a spell each, many seen late", "hazard gathered by day 30, of the same")
        alike = ("hazard ratio, five spells alike of each customer, not robust", "hazard ratio of the same, robust (Lin, Wei)")
        for name, held_in in zip((*names, *alike), (once, hazards, plain, robust), strict=True):
            found.setdefault(name, []).append(f"{np.mean(held_in):.3f}")
    return lines + [f"| {name} | {' | '.join(cells)} |" for name, cells in found.items()]


def verdicts_table() -> list[str]:
    """How often each verdict is wrong, or an honest one found."""
    random = np.random.default_rng(5)
    law = (0.5, 0.3, 0.2)
    before, after = (drawn(random, law, 120, 2000 * 24) for _ in range(2))
    p_values = movement.net_change(before, after, level=LEVEL).p_value.reshape(2000, 24)
    corrected = np.array([movement.benjamini_hochberg(report) for report in p_values])
    moved = drawn(random, (0.55, 0.3, 0.15), 1500, 20_000)
    at_margin = movement.net_change(drawn(random, law, 1500, 20_000), moved, level=2 * LEVEL - 1)
    n = int(movement.answers_to_tell(2 * (0.7 - 0.09), 0.1, level=LEVEL, margin=True))
    still = movement.net_change(*(drawn(random, law, n, 8000) for _ in range(2)), level=2 * LEVEL - 1)
    fell = movement.net_change(drawn(random, law, n, 8000), drawn(random, (0.45, 0.3, 0.25), n, 8000), level=LEVEL)
    found = {
        "up or down, not corrected | 2,000 reports of 24 comparisons in which nothing moves |": (p_values < 0.05).any(axis=1),
        "up or down, corrected (shown) | the same reports | at most 0.050": (corrected < 0.05).any(axis=1),
        "no material change | the change is as large as the margin | at most 0.050": movement.within(at_margin, 0.1),
        "no material change | nothing moved, as many answers as would tell | 0.800": movement.within(still, 0.1),
        "up or down | it moved by the margin, as many answers as would tell | at least 0.800": fell.p_value < 0.05,
    }
    head = ["| verdict | what is simulated | wanted | found |", "|---|---|---|---|"]
    return head + [f"| {words} | {verdict.mean():.3f} |" for words, verdict in found.items()]


#: How the logarithm of everybody's hazard differs from one window of 90 days to the next: standard deviation of what is gone
#: with the window, of what stays, and a step after six of the eight windows.
WORLDS = {
    "the hazard stays the same": (0.0, 0.0, 0.0),
    "each window differs by a tenth": (0.1, 0.0, 0.0),
    "each window differs by a quarter": (0.25, 0.0, 0.0),
    "each window adds a tenth, which stays": (0.0, 0.1, 0.0),
    "half as many again from the seventh window on": (0.0, 0.0, 0.4),
}


def forecasts_table(companies: int = 12) -> list[str]:
    """How often what then leaves lies in the interval: of customers and of margin, by the model alone and with its record."""
    lines = [
        "| eight windows and the next | leavers: model alone | record of 4 | record of 8 | as wide | margin: model alone | record of 8 |",
        f"|{'---|' * 7}",
    ]
    for name, world in WORLDS.items():
        random = np.random.default_rng([len(name), companies])
        own, four, eight, wide, margin_own, margin = np.mean([_forecast_held(random, *world) for _ in range(companies)], axis=0)
        lines.append(f"| {name} | {own:.3f} | {four:.3f} | {eight:.3f} | × {wide:.2f} | {margin_own:.3f} | {margin:.3f} |")
    return lines


def _forecast_held(random: np.random.Generator, own: float, lasting: float, step: float, customers: int = 1500) -> list[float]:
    """One company of eight windows: how many of 50 next windows its forecast holds, made with the record of four and of eight."""
    days, day = 90, date(2026, 6, 30)
    stays = np.cumsum(random.normal(0, lasting, 8)) + step * (np.arange(8) >= 6)
    hazard = 0.0012 * np.exp(stays + random.normal(0, own, 8))
    ends, gathered = days * np.arange(9), np.concatenate([[0], np.cumsum(hazard * days)])
    start = np.floor(random.uniform(-400, 8 * days, customers))
    # Before the first window the hazard is as it is in it.
    until = np.where(start < 0, hazard[0] * start, np.interp(start, ends, gathered)) + random.exponential(1, customers)
    end = np.ceil(np.where(until < 0, until / hazard[0], np.interp(until, gathered, ends, right=np.inf)))
    end = np.maximum(end, start + 1)

    def made(on: int) -> leaving.Model:
        seen, there = start < on, (start < on) & (end > on)
        stay, counts = np.unique(np.column_stack([np.minimum(end, on) - start, end <= on])[seen], axis=0, return_counts=True)
        zeros = np.zeros(len(stay), dtype="int64")
        fit = cox.fit(cox.Cells(zeros, zeros - 0.5, stay[:, 0], stay[:, 1] > 0, counts, zeros), np.zeros((1, 0)))
        rows = pd.DataFrame({"customer": np.flatnonzero(there), "tenure_days": on - start[there], "pattern": 0, "stratum": 0})
        return leaving.Model(day, (), (), None, {}, [], [()], fit, rows, np.zeros((1, 0)), pd.DataFrame())

    record = []
    for on in days * np.arange(8):
        model = made(on)
        record.append(Forecast.of(day, model, pd.DataFrame({"left": end[model.there["customer"]] <= on + days}), days))
    model, margin = made(8 * days), random.gamma(2, 10, customers).round(2)
    values = pd.DataFrame({"customer": np.arange(customers), "valid_from": pd.Timestamp("2026-06-01"), "margin": margin})
    four, eight = (leaving.expected(model, days=[days], earlier=Past(days, tuple(record[-number:]))).iloc[0] for number in (4, 8))
    bound = money.value_at_risk(model, values, days=days, earlier=Past(days, tuple(record))).iloc[0]
    following = 0.0012 * np.exp(stays[-1] + random.normal(0, np.hypot(own, lasting), 50))
    left = random.random((50, len(model.there))) < -np.expm1(-following * days)[:, None]
    lost = left @ margin[model.there["customer"]] * (days / 30.4375)
    many = left.sum(axis=1)
    found = [held(eight["model_low"], eight["model_high"], many), *(held(each["low"], each["high"], many) for each in (four, eight))]
    wide = (eight["high"] - eight["low"]) / (eight["model_high"] - eight["model_low"])
    return [*found, wide, held(bound["model_low"], bound["model_high"], lost), held(bound["low"], bound["high"], lost)]


def main() -> None:
    """Print the page."""
    print("# How often the intervals hold, and the verdicts err\n")
    print("Made by `make simulate`, with fixed seeds. At 95 %: mean coverage over many true distributions, and the worst of them.\n")
    print("\n".join(intervals_table()))
    print("\nEvery interval is weakest where an answer is rare and answers are few (one in a hundred, of ten). Goodman's hold all at once.")
    print("\n## People who answer several times (NPS)\n")
    print("\n".join(people_table()))
    print("\n## Who leaves (Cox)\n")
    print("\n".join(cox_table()))
    print("\n## Measure by measure\n")
    print("Each asked as a notebook asks it, of samples whose law is known: the share of intervals that hold the truth, or of samples in")
    print("which a verdict is wrong, with twice its standard error. `impact.drivers` has a page of its own, `drivers.md`;")
    print("`leaving.expected`, `leaving.backtest` and `money.value_at_risk` foretell, and stand at the end; `fieldwork.tipping` divides")
    print("the interval of `survey.movement` by a share that is known, and holds as often.")
    print("\n".join(measured.page(measured_customers.SECTIONS | measured_answers.SECTIONS)))
    print("\n## Verdicts\n")
    print("\n".join(verdicts_table()))
    print("\n## How many leave, and what leaves with them\n")
    print("\n".join(forecasts_table()))


if __name__ == "__main__":
    main()
