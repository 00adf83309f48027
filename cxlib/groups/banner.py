"""The banner: the answers to a question across several breakdowns side by side, with a letter for what is higher than what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.stats import movement as stats
from cxlib.stats import variance
from cxlib.survey.answers import Asked, Tally
from cxlib.survey.compare import UNNAMED, Wholes
from cxlib.survey.compared import with_question
from cxlib.survey.people import Base
from cxlib.survey.scoring import SCORING, Score, Scored
from cxlib.tables import RESULT, Table, nothing
from cxlib.tables.rows import key_names

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: A column with fewer independent answers is not tested: it would find little, and each test costs all others.
FEWEST_TESTED = 30
#: The column of everybody, which stands first and is tested against nothing: it holds the others.
TOTAL, ALL = "total", "all"

_AXIS = ["breakdown", "group", "letter", "row"]
_COUNTS = {
    "higher_than": "object", "p_corrected": "float64", "tested": "bool", "answers": "Int64", "n_eff": "float64",
    "since": "object", "until": "object",
}  # fmt: skip
#: What the bad end is called where the score does not count it itself.
_BAD = {"ces": "hard"}


@dataclass(frozen=True)
class _Block:
    """The columns of one breakdown: its answers, which of them are of one whole, and the letter of each."""

    name: str
    counted: Tally
    within: Ints
    letters: list[str]


def banner(
    responses: Table,
    *,
    measure: str | Score = "nps",
    by: str | Sequence[str],
    level: float = 0.95,
) -> pd.DataFrame:
    """The answers to a question across several breakdowns, with column tests, one row per cell.

    Each breakdown is a block of columns with a letter each: A, B, C. Each cell is a share
    (0-1) of the answers of its column, or their score in its own unit, with the letters of
    the columns of the same breakdown that it is higher than by more than chance.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        What the score itself needs. ``respondent`` tells who answered in two columns.
    measure : str or Score, default "nps"
        ``"nps"``, ``"csat"``, ``"ces"``, ``"ratings"``; or a ``Score`` that also names a
        question, a weight, a scale or the accounts of people.
    by : str or sequence of str
        Columns of the table; each makes a breakdown of its own.
    level : float, default 0.95
        Confidence level of the intervals; 1 - ``level`` is the share of false letters.

    Returns
    -------
    DataFrame, one row per cell, breakdowns in order of ``by`` after the total
        =============  =====  =======================================================
        question       str    of ratings only: the question
        breakdown      str    the column of the table; ``"total"`` for everybody
        group                 its value; a missing one is a column of its own
        letter         str    what the group is called in the tests
        row            str    ``"promoters"``, ``"passives"``, ``"detractors"``,
                              ``"nps"``; ``"satisfied"``, ``"dissatisfied"``;
                              ``"easy"``, ``"hard"``, ``"mean"``; ``"top"``, ``"bottom"``
        measure        str    ``"nps"``, ``"promoters_share"``, ...
        estimate       float  share or score; missing where ``n`` is 0
        low, high      float  its interval
        level          float  confidence level of the interval
        n              int    answers in the column, the base of all its cells
        higher_than    str    letters of the columns that this cell is higher than
        p_corrected    float  the smallest of its tests, all tests corrected together
        tested         bool   whether the column was tested against any other
        answers        int    answers that the share counts, unweighted; missing for
                              scores
        n_eff          float  independent answers that the column is worth in this row
        since, until   date   first and last day of the answers of the column
        =============  =====  =======================================================

        ``frame.attrs["notes"]`` says what is not tested; without rows,
        ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If the score cannot be computed, or columns were asked on different scales.
    ValueError
        If an argument means nothing.

    See Also
    --------
    against_rest : each group against all others at once, with verdicts.
    cxlib.figures.banner : this result as a table for readers.

    Notes
    -----
    Every two columns of a breakdown are tested in every row, unless one of them is worth
    fewer than 30 independent answers: shares by the interval of Newcombe [1]_, the NPS by
    Rocks' adjusted Wald, means by Welch's on the moments of Dirichlet posteriors. People
    in both columns take from the variance of the difference; people who answered more
    than once in one count for less.

    All tests of the table are corrected together by Benjamini and Hochberg [2]_: of all
    letters on average at most 1 - ``level`` are false, and a letter means the same as a
    verdict elsewhere. Holm's correction, which lets no false letter through in so many
    tables, is stricter and hides more than it saves in a table made to look for what
    differs. Of tables in which nothing differs .01 to .05 have a letter; uncorrected,
    as many cross-tables are, .25 to .65 (simulated, 6 and 12 columns).

    It misleads who reads a column without letters as equal to the others: it may only be
    small. Rows of one question are not independent: who has more promoters has fewer
    others. And it compares columns two by two; a group against everybody else is what
    `against_rest` does.

    References
    ----------
    .. [1] Newcombe, R. G. (1998). Interval estimation for the difference between
       independent proportions. Statistics in Medicine 17, 873-890.
    .. [2] Benjamini, Y., Hochberg, Y. (1995). Controlling the false discovery rate.
       Journal of the Royal Statistical Society B 57(1), 289-300.

    Examples
    --------
    >>> plan = ["free"] * 60 + ["paid"] * 60
    >>> score = [10] * 15 + [8] * 15 + [3] * 30 + [10] * 40 + [8] * 10 + [3] * 10
    >>> found = banner(pd.DataFrame({"plan": plan, "score": score}), by="plan")
    >>> found.loc[4:, ["group", "letter", "row", "estimate", "n", "higher_than"]].round(2)
       group letter         row  estimate   n higher_than
    4   free      A   promoters      0.25  60
    5   free      A    passives      0.25  60
    6   free      A  detractors      0.50  60           B
    7   free      A         nps    -25.00  60
    8   paid      B   promoters      0.67  60           A
    9   paid      B    passives      0.17  60
    10  paid      B  detractors      0.17  60
    11  paid      B         nps     50.00  60           A
    """
    score = Score.of(measure, level=level)
    names = [name for name in key_names(by, _COUNTS) if not (score.name == "ratings" and name == "question")]
    if not names:
        raise ValueError('by: name at least one column that makes groups, such as by=["segment", "plan"]')
    keys = [*(["question"] if score.name == "ratings" else []), *_AXIS]
    blocks, reasons = [], []
    named = None
    for name in [TOTAL, *names]:
        asked = _asked(score, responses, [] if name == TOTAL else [name])
        counted = asked.tally(responses)
        if counted.reason:
            reasons.append(counted.reason)
            continue
        if name == TOTAL:
            named = asked.who(counted.expr) if counted.expr is not None else None
            score = _once(score, counted)
        blocks.append(_block(name, counted, score))
    if len(blocks) < 2:
        return nothing(keys=keys, counts=_COUNTS, reason=reasons[0])
    cells, tests = zip(*(_cells(block, score, level) for block in blocks), strict=True)
    frame = _lettered(pd.concat(cells, ignore_index=True), pd.concat(tests, ignore_index=True), level)
    if score.name == "ratings":
        frame = frame.sort_values("question", na_position="last", kind="stable")
    frame = frame[[*keys, *RESULT, *_COUNTS]].astype(_COUNTS).reset_index(drop=True)
    frame.attrs["notes"] = [*reasons, *([] if named else [UNNAMED]), *_untested(frame)]
    return frame


def _asked(score: Score, responses: Table, names: list[str]) -> Asked:
    return score.asks(responses, with_question(names, score), by_whom="banner")


def _once(score: Score, counted: Tally) -> Score:
    """The score without its people where each of them answered once: nothing has to be asked of them again."""
    asked = counted.asked
    known = Base.of(counted, _rows(counted, asked, score)[0][1].worth) if asked else None
    alone = known is not None and known.clusters is not None and bool((known.clusters.number >= counted.n).all())
    return replace(score, cluster=None) if alone else score


def _block(name: str, counted: Tally, score: Score) -> _Block:
    within = Wholes.of(counted, ["question"] if score.name == "ratings" else [], asks="banner").number
    if name == TOTAL:
        return _Block(name, counted, within, [""] * len(counted.groups))
    # One letter a group, in order of the groups, whatever questions each was asked.
    number = counted.groups.groupby(name, dropna=False, sort=False).ngroup()
    return _Block(name, counted, within, [_letter(int(place)) for place in number])


def _letter(place: int) -> str:
    """A, B, ... Z, AA, AB, ..., as a spreadsheet has them."""
    letters = ""
    place += 1
    while place:
        place, left = divmod(place - 1, 26)
        letters = chr(ord("A") + left) + letters
    return letters


def _rows(counted: Tally, asked: Asked, score: Score) -> list[tuple[str, Scored]]:
    """The rows of the table: the share of each class of answers, then the scores that are no such share."""
    numbers = [number for number in SCORING[score.name][2](counted, asked) if number.rows.any()]
    boxes = dict(numbers[0].boxes)
    if score.name in _BAD:
        boxes[_BAD[score.name]] = numbers[0].bad
    rows = []
    for name, box in boxes.items():
        worth = box.astype("int64")
        own = [number for number in numbers if number.form == "share" and np.array_equal(number.worth, worth)]
        numbers = [number for number in numbers if number not in own]
        measure = own[0].measure if own else np.full(len(box), f"{name}_share")
        rows.append((name, Scored("share", measure, worth, {name: box}, box, ~box, np.ones(len(box), dtype=bool))))
    return rows + [("mean" if number.form == "mean" else str(number.measure[0]), number) for number in numbers]


def _cells(block: _Block, score: Score, level: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The cells of a block, and the tests between its columns, which name their cells by block, row and place."""
    counted, asked = block.counted, block.counted.asked
    frames, tests, both = [], [], pd.DataFrame()
    for place, (row, number) in enumerate(_rows(counted, asked, score) if asked else []):
        known = Base.of(counted, number.worth)
        estimate, low, high = number.interval(counted, known, level)
        weighted = "_weighted" * bool(score.weight)
        frame = counted.groups.assign(
            breakdown=block.name,
            group=ALL if block.name == TOTAL else counted.groups[block.name],
            letter=block.letters,
            row=row,
            measure=[f"{name}{weighted}" for name in number.measure],
            estimate=number.unit * estimate,
            low=number.unit * low,
            high=number.unit * high,
            level=level,
            n=counted.n,
            answers=_counted(counted, number) if row in number.boxes else None,
            n_eff=known.n_eff,
            place=np.arange(len(counted.groups)),
            line=place,
        )
        frames.append(frame)
        if block.name != TOTAL:
            # Who is in two columns does not depend on the row.
            both = Base.in_pairs(counted, number.worth) if place == 0 or len(both) else both
            tests.append(_tests(block, number, known, both, level).assign(breakdown=block.name, line=place))
    cells = pd.concat(frames).sort_values(["place", "line"], kind="stable")
    return cells, pd.concat(tests) if tests else pd.DataFrame({"breakdown": [], "line": [], "first": [], "second": [], "p_value": []})


def _counted(counted: Tally, number: Scored) -> pd.Series[int]:
    return pd.Series((counted.counts * number.good).sum(axis=1))


def _tests(block: _Block, number: Scored, known: Base, pairs_of_people: pd.DataFrame, level: float) -> pd.DataFrame:
    """Every two columns of a whole that have answers enough: the second less the first, and its p-value."""
    counted, enough = block.counted, np.flatnonzero(known.n_eff >= FEWEST_TESTED)
    pairs = [(one, other) for one, other in combinations(enough, 2) if block.within[one] == block.within[other]]
    frame = pd.DataFrame(pairs, columns=["first", "second"], dtype="int64")
    if not len(frame):
        return frame.assign(estimate=0.0, p_value=0.0)
    first, second = frame["first"].to_numpy(), frame["second"].to_numpy()
    alike = np.zeros(len(frame))
    if known.clusters is not None:
        both = frame.merge(pairs_of_people, on=["first", "second"], how="left")
        shared = variance.Shared(*both[["both", "aa", "ab", "ba", "bb"]].astype("float64").fillna(0.0).to_numpy().T)
        one, other = (variance.Clusters(*(values[side] for values in known.clusters.sums)) for side in (first, second))
        alike = variance.alike(one, other, shared)
    answers, free = counted.scaled(known.n_eff), known.freedom
    samples = (answers[first], answers[second])
    found = number.change(counted, samples, first, freedom=(free[first], free[second]), correlation=alike, level=level)
    return frame.assign(estimate=found.estimate, p_value=found.p_value)


def _lettered(cells: pd.DataFrame, tests: pd.DataFrame, level: float) -> pd.DataFrame:
    """All tests of the table corrected together; each cell with the letters of those it is higher than."""
    tests = tests.assign(p_corrected=stats.benjamini_hochberg(tests["p_value"]))
    letter = cells.set_index(["breakdown", "place"])["letter"].groupby(level=[0, 1]).first().to_dict()
    higher: dict[tuple[str, int, int], list[str]] = {}
    least: dict[tuple[str, int, int], float] = {}
    for test in tests.to_dict("records"):
        block, line = test["breakdown"], test["line"]
        for side in ("first", "second"):
            cell = (block, line, test[side])
            least[cell] = min(least.get(cell, 1.0), test["p_corrected"])
        if test["p_corrected"] < 1 - level:
            up, down = ("second", "first") if test["estimate"] > 0 else ("first", "second")
            higher.setdefault((block, line, test[up]), []).append(letter[block, test[down]])
    names = list(zip(cells["breakdown"], cells["line"], cells["place"], strict=True))
    tested = {(block, place) for block, _, place in least}
    return cells.assign(
        higher_than=[" ".join(sorted(higher.get(name, []), key=lambda each: (len(each), each))) for name in names],
        p_corrected=[least.get(name, np.nan) for name in names],
        tested=[(block, place) in tested for block, _, place in names],
    )


def _untested(frame: pd.DataFrame) -> list[str]:
    columns = frame[(frame["breakdown"] != TOTAL) & (frame["n"] > 0)].drop_duplicates(["breakdown", "letter"])
    untested = int((~columns["tested"]).sum())
    why = f"fewer than {FEWEST_TESTED} independent answers, or no other column with as many"
    return [f"{untested:,} of {len(columns):,} columns are not tested: {why}."] if untested else []
