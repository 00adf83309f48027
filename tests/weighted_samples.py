"""Samples of people who do not answer alike, for the tests of what weighting makes of them."""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from cxlib.stats import intervals, variance, weighting
from cxlib.stats.weighting import Margin, Parts

#: Below the first cut of a normal feeling a detractor, above the second a promoter.
CUTS = (-0.3, 0.5)
CUSTOMERS = np.outer([0.6, 0.3, 0.1], [0.4, 0.3, 0.2, 0.1])


@dataclass(frozen=True)
class Law:
    """How much margins tell of the score, how unevenly people answer, and how often at most."""

    tells: float
    uneven: int
    times: int

    @property
    def feeling(self):
        return self.tells * (np.array([0.5, 0, -1.0])[:, None] + np.array([0.4, 0.1, -0.3, -0.7]))

    @property
    def true(self):
        return (CUSTOMERS * (ndtr(self.feeling - CUTS[1]) - ndtr(CUTS[0] - self.feeling))).sum()

    @property
    def answering(self):
        chance = CUSTOMERS * np.outer(np.array([1, 0.8, 0.45]) ** self.uneven, np.array([1, 0.9, 0.7, 0.5]) ** self.uneven)
        return chance.ravel() / chance.sum()


LAWS = [Law(*each) for each in itertools.product((0, 0.7, 1.5), (1, 2), (1, 4))]


def sample(random, law, people):
    """People who answered: their cell, and one value (1, 0, -1) an answer with the person who gave it. None where a category is empty."""
    cell = random.choice(12, size=people, p=law.answering)
    if len(set(cell // 4)) < 3 or len(set(cell % 4)) < 4:
        return None
    who = np.repeat(np.arange(people), random.integers(1, law.times + 1, people))
    own = random.normal(size=people) * np.sqrt(0.6)
    felt = (law.feeling.ravel()[cell] + own)[who] + random.normal(size=len(who)) * np.sqrt(0.4)
    return cell, who, (felt > CUTS[1]) * 1.0 - (felt < CUTS[0])


def covered(law, drawn, *, number):
    """Whether each interval at 95 % holds the truth, and how wide it is; None where the margins cannot be met."""
    cell, who, value = drawn
    cells, place = np.unique(cell[who], return_inverse=True)
    margins = [Margin("a", "abc", CUSTOMERS.sum(axis=1), cells // 4), Margin("b", "abcd", CUSTOMERS.sum(axis=0), cells % 4)]
    n = len(who)
    parts = Parts(place, np.zeros(n, dtype=int), who, np.ones(n), np.ones(n), value[None])
    try:
        factors = weighting.rake(np.bincount(place), margins)
        found = weighting.replicates(parts, margins, groups=1, number=number)[:, 0]
    except ValueError:
        return None
    weight = factors[place]
    mean = np.average(value, weights=weight)
    spread = np.average((value - mean) ** 2, weights=weight)
    kish = intervals.effective_n([weight.sum()], [(weight**2).sum()])
    of = weighting.clusters(parts, factors, 0, groups=1)
    again = weighting.replicated_variance(found, of.number)
    given, freedom = variance.worth(of, spread=[spread], n=[n], n_eff=kish)
    both, _ = weighting.worth(of, found, spread=[spread], n=[n], n_eff=kish)
    alone = spread / again if again[0] > 0 else kish
    people = of.number - 1
    ways = {
        "unweighted": (np.ones(n), np.array([float(n)]), np.inf),
        "weighted": (weight, kish, np.inf),
        "replicates": (weight, alone, people),
        "given": (weight, given, freedom),
        "used": (weight, both, freedom),
    }
    return {name: _holds(law.true, value, *way) for name, way in ways.items()}


def _holds(true, value, weight, n_eff, freedom):
    counts = np.array([[weight[value == each].sum() for each in (1, 0, -1)]]) / weight.sum() * n_eff / variance.inflation(freedom, 0.95)
    (low,), (high,) = intervals.net_share(counts, 0.95)
    return low <= true <= high, high - low
