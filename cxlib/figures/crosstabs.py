"""Groups set against the rest, and cross-tables with letters, as tables for readers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from cxlib.figures.cells import p_words, withheld_words
from cxlib.figures.findings import finding
from cxlib.figures.lettered import TOTAL, column_head, is_banner, row_head
from cxlib.figures.measures import Measure, clean, counted, decimal, heading, key_words, level_words, listed, measure_named, moving
from cxlib.figures.moves import size
from cxlib.figures.picture import Piece, said
from cxlib.figures.shown import Shown, read
from cxlib.figures.tables import Cell, csv, download, grid
from cxlib.figures.vocabulary import SIGNS

#: More columns of one breakdown than anybody compares; the file beside the table has them all.
MOST_COLUMNS = 26


def banner(result: pd.DataFrame) -> Piece:
    """A cross-table with column tests: one table for each breakdown, its columns side by side with their letters.

    Parameters
    ----------
    result : DataFrame
        What ``groups.banner`` returned.

    Returns
    -------
    Piece
        ``text`` names the columns whose score is higher than that of others by more than chance.

    Raises
    ------
    ValueError
        If ``result`` is not a banner.

    See Also
    --------
    against : each group against all others.
    table : any result as a table.

    Notes
    -----
    The tables stand one below the other, each as wide as its columns, and scroll by themselves on a
    phone; the first column of each is everybody. Columns with fewer than ``smallest_group`` answers keep
    their place and lose their numbers, as does one more where the total would give them away; their letters are
    taken from the other cells. At most 26 columns of a breakdown are shown; the file is whole.

    Examples
    --------
    >>> cells = [("total", "all", "", 12.5, 120, ""), ("plan", "free", "A", -25.0, 60, ""), ("plan", "paid", "B", 50.0, 60, "A")]
    >>> result = pd.DataFrame(cells, columns=["breakdown", "group", "letter", "estimate", "n", "higher_than"])
    >>> result = result.assign(row="nps", measure="nps", low=result["estimate"] - 20, high=result["estimate"] + 20, level=0.95,
    ...                        p_corrected=0.001, tested=True, answers=None)
    >>> order = ["breakdown", "group", "letter", "row", "measure", "estimate", "low", "high", "level", "n", "higher_than",
    ...          "p_corrected", "tested", "answers"]
    >>> print(banner(result[order]))
    Loyalty (NPS) is higher, by more than chance, in paid than in free.
    """
    shown = read(result, asks="banner")
    if not is_banner(shown.keys):
        raise ValueError(f"banner: this is '{shown.name}', no banner. A banner comes from groups.banner(responses, by=[...]).")
    text = finding(shown)
    if shown.reason:
        return Piece("table", shown.name, text, said([text]), [shown.payload()], shown.reason, shown.k)
    html = Markup('<p class="cx-words">{}</p>').format(text) + banner_tables(shown) + said(shown.notes)
    return Piece("table", shown.name, text, html, [shown.payload()], shown.reason, shown.k)


def banner_tables(shown: Shown) -> Markup:
    """The tables of a banner, one for each question and breakdown, what their letters mean, and the file."""
    frame = shown.frame
    whole = ["question"] if "question" in frame else []
    total = frame[frame["breakdown"] == TOTAL]
    tables = []
    for _, part in frame[frame["breakdown"] != TOTAL].groupby([*whole, "breakdown"], dropna=False, sort=False):
        everybody = total
        if whole:
            asked = part["question"].iloc[0]
            everybody = total[total["question"].isna() if pd.isna(asked) else total["question"] == asked]
        tables.append(_block(pd.concat([everybody, part]), shown))
    stacked = Markup('<div class="cx-banner">{}</div>').format(Markup().join(tables))
    return stacked + said([_legend(shown)]) + download(csv(shown), f"{shown.name}.csv")


def _block(part: pd.DataFrame, shown: Shown) -> Markup:
    """One breakdown: a row for each class of answers, everybody first, then a column for each group."""
    columns = part.drop_duplicates(["breakdown", "letter"]).to_dict("records")
    block = str(part["breakdown"].iloc[-1])
    left_out = len(columns) - 1 - MOST_COLUMNS
    columns = columns[: MOST_COLUMNS + 1]
    question = clean(part["question"].iloc[0] or "") if "question" in part else ""
    caption = f"{f'{question}, by' if question else 'By'} {heading(block).lower()}."
    caption += f" The first {MOST_COLUMNS} of {MOST_COLUMNS + left_out} columns; the file has all." if left_out > 0 else ""
    heads: list[Cell] = [("Share or score", False), *((column_head(record), True) for record in columns)]
    base: list[Cell] = [(f"{shown.measure.base_heading}", False), *((_base(record, shown.k), True) for record in columns)]
    rows: list[list[Cell]] = [base]
    for _, line in part.groupby("row", sort=False):
        cells = {(str(record["breakdown"]), record["letter"]): record for record in line.to_dict("records")}
        measure = measure_named(str(line["measure"].iloc[0]))
        head = row_head(line.iloc[0].to_dict()) + measure.unit.replace(" points", "")
        own = [cells.get((str(record["breakdown"]), record["letter"])) for record in columns]
        rows.append([(head, False), *((_cell(record, measure), True) for record in own)])
    return grid(caption, heads, rows)


def _base(record: dict[Any, Any], k: int) -> str:
    if record["withheld"]:
        return "not shown" if record["beside"] else f"fewer than {k}"
    many = decimal(float(record["n"]), 0)
    return many if record["tested"] or record["breakdown"] == TOTAL else f"{many}, not tested"


def _cell(record: dict[Any, Any] | None, measure: Measure) -> Markup:
    """The estimate with its letters, its interval below; nothing where it is withheld or nobody answered."""
    if record is None or record["withheld"] or pd.isna(record["estimate"]):
        return Markup()
    letters = str(record["higher_than"] or "")
    mark = Markup(' <b><span class="cx-heard">higher than </span>{}</b>').format(letters) if letters else Markup()
    interval = measure.interval(float(record["low"]), float(record["high"]), fine=False)
    return Markup('{}{}<br><span class="cx-base">{}</span>').format(measure.number(float(record["estimate"])), mark, interval)


def _legend(shown: Shown) -> str:
    false = decimal(100 * (1 - shown.level), 1).removesuffix(".0")
    return (
        f"In each cell the estimate, and below it its {level_words(shown.level)} interval. A letter names a column of the same "
        "table that the cell is higher than, by more than chance: all tests of these tables are "
        f"corrected together, so that of all letters on average at most {false} % are false (Benjamini and Hochberg). "
        "A cell without a letter is not shown to equal the others."
    )


def against_table(shown: Shown) -> Markup:
    """Every group of a result: how it stands to the rest, both scores, and the pooled one."""
    frame, of = shown.frame, moving(shown.measure)
    heads: list[Cell] = [*((heading(key), False) for key in shown.keys), ("Verdict", False)]
    heads += [(shown.measure.heading, True), (f"{level_words(shown.level)} interval", True), ("Corrected p", True)]
    heads += [(of.heading, True), ("Interval", True), ("Of the rest", True), ("Pooled", True), ("Interval", True)]
    base, many = shown.measure.base_heading, shown.measure.base[1]
    heads += [(base, True), (f"{base} of the rest", True), ("Difference they show", True)]
    rows = [_against_cells(record, shown, of) for record in frame.to_dict("records")]
    judged = int(frame["p_value"].notna().sum())
    text = f"Pooled: {of.subject} drawn towards that of the other groups, the more the fewer {many} there are; the best guess of it."
    text += f" Difference they show: the true difference that so many {many} find in four of five cases."
    if max(judged, shown.together) > 1:
        # Of several breakdowns the page has a table each; and what is withheld in one was tested like the others.
        all_of = f"all {decimal(shown.together, 0)} comparisons of this kind, any not shown among them,"
        family = all_of if shown.together > judged else counted(judged, "comparison", "comparisons")
        text = f"The verdicts are corrected for {family} together (Benjamini and Hochberg); the intervals are not. {text}"
    by = listed(heading(key).lower() for key in shown.keys)
    caption = f"{shown.measure.axis}, by {by}: each group less all {many} that are not in it."
    return grid(caption, heads, rows, first=len(shown.keys)) + said([text]) + download(csv(shown), f"{shown.name}.csv")


def _against_cells(record: dict[Any, Any], shown: Shown, of: Measure) -> Sequence[Cell]:
    measure = shown.measure
    head: list[Cell] = [(key_words(key, record[key]), False) for key in shown.keys]
    if record["withheld"]:
        return [*head, (withheld_words(measure, record, shown.k), False), *([("", True)] * 11)]
    known = {name: math.nan if pd.isna(value) else float(value) for name, value in record.items() if name in _NUMBERS}
    estimate = known["estimate"]

    def number(name: str) -> Cell:
        return ("" if math.isnan(known[name]) else of.number(known[name], fine=True), True)

    def interval(low: str, high: str, what: Measure) -> Cell:
        return ("" if math.isnan(known[low]) else what.interval(known[low], known[high], fine=True), True)

    return [
        *head,
        ("not compared" if math.isnan(estimate) else f"{SIGNS[record['verdict']]} {record['verdict']}", False),
        ("" if math.isnan(estimate) else measure.number(estimate, fine=True), True),
        interval("low", "high", measure),
        (p_words(known["p_corrected"]), True),
        number("score"),
        interval("score_low", "score_high", of),
        number("score_rest"),
        number("pooled"),
        interval("pooled_low", "pooled_high", of),
        *((decimal(known[name], 0), True) for name in ("n", "n_rest")),
        ("" if math.isnan(known["smallest_detectable"]) else size(measure, known["smallest_detectable"]), True),
    ]


_NUMBERS = (
    "estimate", "low", "high", "n", "p_corrected", "smallest_detectable", "score", "score_low", "score_high", "score_rest", "n_rest",
    "pooled", "pooled_low", "pooled_high",
)  # fmt: skip
