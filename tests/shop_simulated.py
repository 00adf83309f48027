"""A shop whose law is known: who buys how often, and who never comes back after a purchase."""

import numpy as np
import pandas as pd

FIRST = pd.Timestamp("2025-01-01")
#: The last day counted, in days from the first.
LAST = 400
AS_OF = (FIRST + pd.Timedelta(days=LAST)).date()

#: Two kinds of customers, as many of the one as of the other: the chance of buying on a day, and of never coming back after a purchase.
BUYS = np.array([1 / 15, 1 / 90])
GOES = np.array([0.2, 0.4])
#: A customer makes 1 / GOES purchases, so that purchases are mixed otherwise than customers.
OF_PURCHASES = (1 / GOES) / (1 / GOES).sum()


def not_followed(days: float) -> float:
    """The true share of purchases not followed by another within so many days."""
    return float(OF_PURCHASES @ (GOES + (1 - GOES) * (1 - BUYS) ** days))


def woken(days: float, within: float) -> float:
    """The true share of silences of so many days that end within so many more."""
    return 1 - not_followed(days + within) / not_followed(days)


def gone(days: float) -> float:
    """The true share of silences of so many days that never end."""
    return float(OF_PURCHASES @ GOES) / not_followed(days)


def shop(seed: int, customers: int, *, opened: int = -1500) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The orders of a shop to which customers have come evenly since it opened, and for each customer the true last purchase.

    With its opening four years back, what is bought from the first day on has settled to the law above.
    """
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 2, customers)
    day = rng.integers(opened, LAST, customers)
    who = np.arange(customers)
    bought, last = [], np.full(customers, LAST + 1)
    while len(who):
        bought.append(np.stack([who, day]))
        goes = rng.random(len(who)) < GOES[kind[who]]
        last[who[goes]] = day[goes]
        who, day = who[~goes], day[~goes]
        day = day + rng.geometric(BUYS[kind[who]])
        who, day = who[day <= LAST], day[day <= LAST]
    rows = np.concatenate(bought, axis=1)
    orders = pd.DataFrame({"customer": [f"{seed}-{one}" for one in rows[0]], "time_ordered": FIRST + pd.to_timedelta(rows[1], unit="D")})
    truth = pd.DataFrame({"customer": [f"{seed}-{one}" for one in range(customers)], "gone": FIRST + pd.to_timedelta(last, unit="D")})
    return orders, truth
