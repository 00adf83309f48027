"""Who leaves sooner: a Cox model of what was known when, and what it says of those who are still there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.churn.spells import Asked
from cxlib.leaving.histories import NOT_RECORDED, Histories
from cxlib.leaving.terms import Rows, Whose
from cxlib.stats import cox
from cxlib.tables import Table, TableError
from cxlib.tables.rows import day

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: A covariate of more categories than these is a list of names, and no model tells so many apart.
MOST_CATEGORIES = 30
#: Up to so many start-stop rows, whose they are is asked for, and errors are clustered by customer.
MOST_ROWS = 2_000_000
#: Of one customer, the danger of a tenure is taken over so many days that at least so many left in them.
FEW = 50


@dataclass(frozen=True)
class Model:
    """A model of leaving, and what it was made of.

    Parameters
    ----------
    as_of : date or None
        Last day counted.
    of, apart : tuple of str
        What tells customers apart, by hazard ratios; and what does by a danger of its own at each tenure (strata).
    reason : str or None
        The only reason for leaving that counts, or None where all do.
    levels : dict
        The categories of each covariate. The others are compared with the first: the one of most days, or the no of yes and no.
    terms : list of (covariate, category)
        What the columns of ``covariates`` are 1 for.
    strata : list of tuple
        The values of ``apart``, by the number of their stratum.
    fit : cxlib.stats.cox.Fit or None
        Coefficients and baseline; None where there is no model.
    there : DataFrame, one row for each spell that goes on
        customer, tenure_days, what is known at the end of the last day counted, and the numbers of its pattern and stratum.
    covariates : array, patterns by terms
        1 where a pattern has the category of a term.
    categories : DataFrame, one row for each covariate and category
        covariate, category, ``spells`` ever at risk in it, ``events`` and ``days`` in it, and the ``column`` of its term, or -1.
    reason_absent : str
        Why there is no model; empty where there is one.
    notes : tuple of str
        What a reader has to know beside the numbers.
    """

    as_of: date | None
    of: tuple[str, ...]
    apart: tuple[str, ...]
    reason: str | None
    levels: dict[str, list[str]]
    terms: list[tuple[str, str]]
    strata: list[tuple[str, ...]]
    fit: cox.Fit | None
    there: pd.DataFrame
    covariates: Floats
    categories: pd.DataFrame
    reason_absent: str = ""
    notes: tuple[str, ...] = ()
    #: What was fitted, with a column for every category but the first of each covariate, told apart or not.
    rows: Rows | None = field(default=None, repr=False)

    def left_within(self, days: float, *, smooth: bool = False) -> Floats:
        """The chance of leaving within so many days from the last day counted, one for each row of ``there``.

        Of a model of one reason it is the chance of leaving for it as if there were no other. With ``smooth`` the danger of
        a tenure is taken over more days where fewer than 50 left: chances of customers one by one, which a few leavers of
        one tenure would throw about. Sums of chances need none, and would be drawn off where danger is steep.
        """
        if self.fit is None:
            return np.full(len(self.there), np.nan)
        pattern, stratum = (self.there[name].to_numpy(dtype="int64") for name in ("pattern", "stratum"))
        stretch = self.fit.stretch(stratum, self.there["tenure_days"], days, least=FEW if smooth else 0)
        return self.fit.left_over(self.fit.weights(self.covariates)[pattern], stretch)


def model(
    customers: Table,
    *,
    as_of: str | date | None = None,
    learned: Sequence[Table] = (),
    of: str | Sequence[str] = (),
    apart: str | Sequence[str] = (),
    reason: str | None = None,
) -> Model:
    """A Cox model of leaving, from what was known of each customer on each day.

    The hazard of leaving at a tenure is that of the baseline times a ratio for each
    category of each covariate. Tenure in days; a ratio has no unit.

    Parameters
    ----------
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        Needs ``customer``, and ``start`` and ``end`` (dates), or ``tenure_days`` and
        ``churned``. ``observed_from`` is the first day from which leaving would have been
        seen. Several spells of a customer are several rows.
    as_of : str or date, optional
        Last day counted, such as ``"2026-06-30"``. Needed where the table has dates. Later
        starts, ends and what was learned later are ignored.
    learned : sequence of tables
        What was learned, and when, in the shape of the table of attributes: ``customer``,
        ``attribute``, ``value``, ``valid_from``.
    of : str or sequence of str
        The covariates: columns of ``customers``, or attributes learned. A learned one
        replaces the column of its name from the day after it was learned.
    apart : str or sequence of str
        Covariates that are no ratio but have a baseline of their own (strata).
    reason : str, optional
        Only leaving with this ``end_reason`` counts; who leaves otherwise is last seen then.
        By default, and where it is empty, all leaving does.

    Returns
    -------
    Model
        For `effects`, `proportionality` and the measures that look ahead; see `Model`. Where
        there is none, ``reason_absent`` says why: nobody left, say, or two covariates say
        the same. ``notes`` say what is not recorded or cannot be told apart.

    Raises
    ------
    TableError
        If a column is absent or of another type, a spell ends before it starts, a covariate
        has more than 30 categories, or an attribute has two values from one day.
    ValueError
        If ``as_of`` is missing where the table has dates, or a covariate is named twice or
        is what is to be told.

    See Also
    --------
    effects : the hazard ratios with their intervals.
    proportionality : whether a ratio is the same at every tenure.

    Notes
    -----
    Spells are cut where something was learned, in (start, stop] by tenure: what is learned
    on a day counts from the next, so that nobody has to stay to be told apart from those
    who left (no immortal time). Who is observed late is at risk from the day of entry on.
    Equal rows are counted by the engine and ties are Efron's, on the counts. Every value
    is a category: a number has to be cut into classes first. Missing ones are the category
    ``not recorded``. A category in which nobody left has no ratio: its rows are left out of
    the fit, which is what an ever smaller ratio comes to, and it is said.

    It misleads where what is learned is a step of leaving itself (a cancelled mandate, a
    complaint about the contract's end), and where customers differ in something that is
    not among the covariates: the ratios are then those of a mixture, and are seldom what
    would happen if somebody's category were changed.

    References
    ----------
    .. [1] Cox, D. R. (1972). Regression models and life-tables. JRSS B 34(2), 187-220.
    .. [2] Andersen, P. K., Gill, R. D. (1982). Cox's regression model for counting
       processes. Annals of Statistics 10(4), 1100-1120.

    Examples
    --------
    >>> customers = pd.DataFrame({"customer": range(8), "plan": list("aaaabbbb"), "tenure_days": [1, 3, 5, 7, 2, 4, 6, 8],
    ...                           "churned": [True, True, True, False, True, False, False, True]})
    >>> found = model(customers, of="plan")
    >>> found.levels, found.terms, len(found.there)
    ({'plan': ['b', 'a']}, [('plan', 'a')], 3)
    """
    names, strata = _names(of, apart)
    reason = reason or None
    last_day = day(as_of, asks="model") if as_of is not None else None
    asked = Histories(customers, learned, [*names, *strata], reason, last_day)
    empty = Model(
        last_day, tuple(names), tuple(strata), reason, {}, [], [], None, _nobody([*names, *strata]), np.zeros((0, 0)), _CATEGORIES
    )
    if why := Asked.unknown(customers):
        return replace(empty, reason_absent=why)
    spells, seen, undated = asked.spells()
    if not seen:
        return replace(empty, reason_absent="No customer was seen while at risk of leaving." if spells else "There are no customers.")
    cells, there = asked.cells(), asked.there()
    if not cells["ended"].any():
        left = "left" if reason is None else f"left for the reason '{reason}'"
        return replace(
            empty, reason_absent=f"Nobody has {left}{f' by {last_day}' if last_day else ''}, so nothing tells who leaves sooner."
        )
    notes = {
        f"{spells - seen:,} of {spells:,} spells ended before observed_from, when leaving was not yet seen; they are left out.": spells
        > seen,
        f"{undated:,} of {spells:,} spells have no start, so that what was learned of them has no place and is not used.": undated > 0,
    }
    return _made(replace(empty, notes=tuple(note for note, holds in notes.items() if holds)), asked, cells, there)


_CATEGORIES = pd.DataFrame({"covariate": [], "category": [], "spells": [], "events": [], "days": [], "column": []})
_MADE = ("customer", "pattern", "stratum")
#: What is known of a spell only by its end.
_OUTCOMES = ("end", "end_reason", "churned", "tenure_days")


def _names(of: str | Sequence[str], apart: str | Sequence[str]) -> tuple[list[str], list[str]]:
    names, strata = ([each] if isinstance(each, str) else list(each) for each in (of, apart))
    both = [*names, *strata]
    for name in both:
        if both.count(name) > 1:
            raise ValueError(f"model: '{name}' is named twice; a covariate is in of or in apart")
        if name in _MADE:
            raise ValueError(f"model: '{name}' is a column of the model's own and cannot be a covariate")
        if name in _OUTCOMES:
            raise ValueError(f"model: '{name}' is what is to be told, and cannot be what tells it")
    return names, strata


def _nobody(names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {name: pd.Series(dtype="float64" if name == "tenure_days" else "object") for name in ("customer", "tenure_days", *names)}
    )


def _made(empty: Model, asked: Histories, cells: pd.DataFrame, there: pd.DataFrame) -> Model:
    """The model of these cells: categories, patterns, strata, and the fit."""
    of, apart = asked.values[: len(empty.of)], asked.values[len(empty.of) :]
    categories = _categories(asked, cells, len(empty.of))
    alone = [f"Only leaving by '{empty.reason}' counts: who leaves otherwise is last seen then."] if empty.reason else []
    notes = [*empty.notes, *alone, *_missing(categories)]
    levels = {name: list(categories.loc[categories["covariate"] == name, "category"]) for name in empty.of}
    terms = [(name, category) for name in empty.of for category in levels[name][1:]]
    known = pd.concat([cells[[*of, *apart]], there[[*of, *apart]]], ignore_index=True)
    pattern, patterns = _numbered(known, of)
    covariates = np.zeros((len(patterns), len(terms)))
    for column, (name, category) in enumerate(terms):
        covariates[:, column] = patterns[of[empty.of.index(name)]] == category
    stratum, strata = _numbered(known, apart)
    # A stratum that was never at risk has no baseline: who is in it is foretold by the stratum of most.
    fits = stratum[: len(cells)]
    unknown = ~np.isin(stratum, fits)
    stratum[unknown] = np.bincount(fits, weights=cells["spells"]).argmax()
    counted = cox.Cells(
        pattern=pattern[: len(cells)],
        start=cells["start"].to_numpy(dtype=float),
        stop=cells["stop"].to_numpy(dtype=float),
        ended=cells["ended"].to_numpy(dtype=bool),
        spells=cells["spells"].to_numpy(),
        stratum=fits,
    )
    whose = None
    if cells["spells"].sum() <= MOST_ROWS:
        whose = Whose.of(asked.whose(), cells["cell"].to_numpy())
    else:
        notes.append(f"There are more than {MOST_ROWS:,} start-stop rows: errors take the spells of a customer to be independent.")
    rows = Rows(counted, covariates, whose)
    there = there.rename(columns=dict(zip(asked.values, asked.names, strict=True)))
    there = there.assign(pattern=pattern[len(cells) :], stratum=stratum[len(cells) :])
    try:
        found = rows.fitted(terms)
    except ValueError as error:
        # Of these leavers there are no such ratios; that is an answer, and a page says it.
        return replace(empty, there=there, reason_absent=f"There is no model of leaving: {error}", notes=tuple(notes))
    place = {term: int(column) for term, column in zip(terms, found.columns, strict=True)}
    columns = [place.get(term, -1) for term in zip(categories["covariate"], categories["category"], strict=True)]
    notes += _untold(levels, categories, found.columns, terms) + [
        f"{int(unknown.sum()):,} customers are in strata in which nobody was at risk before; they are foretold by that of most."
    ] * bool(unknown.any())
    return replace(
        empty, levels=levels, terms=[term for term in terms if place[term] >= 0], strata=[tuple(row) for row in strata.to_numpy()],
        fit=found.fit, there=there, covariates=covariates[:, found.columns >= 0], categories=categories.assign(column=columns),
        notes=tuple(notes), rows=rows,
    )  # fmt: skip


def _numbered(known: pd.DataFrame, names: Sequence[str]) -> tuple[Ints, pd.DataFrame]:
    """The number of each row's values, in their order, and the values by number; one number where there are none."""
    if not names:
        return np.zeros(len(known), dtype="int64"), pd.DataFrame(index=[0])
    number: Ints = known.groupby(list(names), sort=True).ngroup().to_numpy().astype("int64")
    values = known[list(names)].drop_duplicates().sort_values(list(names), kind="stable", ignore_index=True)
    return number, values


def _categories(asked: Histories, cells: pd.DataFrame, covariates: int) -> pd.DataFrame:
    """Every category of every covariate: first the one that others are compared with, then by name, not recorded last."""
    if not covariates:
        return _CATEGORIES
    parts = []
    exposed = asked.exposed().set_index(["name", "value"])["spells"]
    sums = cells.assign(days=(cells["stop"] - cells["start"]) * cells["spells"], events=cells["spells"].where(cells["ended"], 0))
    for name, value in list(zip(asked.names, asked.values, strict=True))[:covariates]:
        part = sums.groupby(value)[["events", "days"]].sum().rename_axis("category").reset_index()
        if len(part) > MOST_CATEGORIES:
            raise TableError(
                f"model: '{name}' has {len(part):,} categories, and at most {MOST_CATEGORIES} can be told apart. "
                "Cut numbers into classes, or join what is alike."
            )
        # Of yes and no the no is compared with, however rare; a reader asks what the yes does.
        words = part["category"].str.lower()
        binary = set(words) <= {"yes", "no", NOT_RECORDED}
        part = part.assign(last=part["category"] == NOT_RECORDED, no_one=part["events"] == 0, yes=binary & (words == "yes"))
        order = {"no_one": True, "last": True, "yes": True, "days": False, "category": True}
        reference = part.sort_values(list(order), ascending=list(order.values()), kind="stable").index[0]
        part = part.assign(first=part.index != reference).sort_values(["first", "last", "category"], kind="stable")
        spells = [int(exposed[name, category]) for category in part["category"]]
        parts.append(part.assign(covariate=name, spells=spells)[["covariate", "category", "spells", "events", "days"]])
    return pd.concat(parts, ignore_index=True)


def _missing(categories: pd.DataFrame) -> list[str]:
    rows = categories[categories["category"] == NOT_RECORDED]
    return [
        f"'{name}' is not recorded, at some time, in {int(spells):,} spells: a category of its own."
        for name, spells in zip(rows["covariate"], rows["spells"], strict=True)
    ]


def _untold(levels: dict[str, list[str]], categories: pd.DataFrame, columns: Ints, terms: list[tuple[str, str]]) -> list[str]:
    """What cannot be told apart, in words."""
    said = [f"All are alike in '{name}' ({found[0]}): it tells nobody apart." for name, found in levels.items() if len(found) == 1]
    events = categories.set_index(["covariate", "category"])["events"]
    for (name, category), column in zip(terms, columns, strict=True):
        if column < 0 and not events[name, category]:
            said.append(f"Nobody left while '{name}' was '{category}': it has no hazard ratio, and is foretold like '{levels[name][0]}'.")
        elif column < 0:
            said.append(f"'{name}: {category}' is the same customers as an earlier category, and has no hazard ratio of its own.")
    return said
