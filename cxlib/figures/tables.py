"""Results and the account of the data as tables: headings for readers, numbers for eyes, the file whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from cxlib.figures import canvas
from cxlib.figures.cells import count_of, count_words, p_words, withheld_words
from cxlib.figures.findings import finding
from cxlib.figures.importance import DRIVER_WORDS, driver_cells, is_drivers
from cxlib.figures.lettered import is_banner
from cxlib.figures.measures import heading, key_words, measure_named, moving
from cxlib.figures.moves import WAYS, is_moves, periods, size, way_of
from cxlib.figures.numbers import a_date, date_words, decimal, level_words, listed, window_words
from cxlib.figures.picture import Piece, said
from cxlib.figures.rests import is_rests
from cxlib.figures.shown import Shown, read
from cxlib.figures.stretches import summed
from cxlib.figures.vocabulary import SIGNS, WORTH
from cxlib.figures.withhold import PAIR
from cxlib.tables import RESULT
from cxlib.tables.formula import defused

#: More rows than anybody reads; the file beside the table has them all.
MOST_ROWS = 200
#: On a phone the rows of a table of more columns stand below each other, cell by cell, where they are no more than these.
WIDEST, STACKED = 3, 15
#: A curve is read at so many tenures.
CURVE_ROWS = 60

#: A curve of days between purchases is read at these.
USUAL_DAYS = (1, 3, 7, 14, 30, 60, 90, 120, 180, 270, *range(365, 7301, 365))

#: Said elsewhere on the table, or for machines only.
_UNSEEN = (
    "since", "until", "since_before", "until_before", "between", "scale_low", "scale_high", "p_value", "margin", "one_only",
    "what", "currency", "horizon_days", "years", "discount_year",
    "chi2", "degrees", "p_together", "forecasts", "expected_before", "left_before",
    "there_latest", "expected_latest", "left_latest", "groups",
)  # fmt: skip
#: Of two scores side by side the table has the scores and what they rest on; the file has their intervals and ends, too.
_UNSEEN_PARTS = ("low_", "high_", "good_", "bad_")

#: Where the window is not that of the number itself: what lies in it.
_WINDOWS = {"value_at_risk": WORTH, "lifetime_value": WORTH, "retention_gain": "by the retention of "}

Cell = tuple[str, bool]


def table(result: pd.DataFrame) -> Piece:
    """A result as a table for readers, its file beside it.

    Numbers are rounded for eyes; the file has them unrounded, under the names of the result. Groups
    with fewer than ``smallest_group`` answers keep their row and lose their numbers.

    Parameters
    ----------
    result : DataFrame
        What a measure returned.

    Returns
    -------
    Piece
        ``text`` is the finding in words.

    Raises
    ------
    ValueError
        If ``result`` is not a result.

    See Also
    --------
    intervals, trend : pictures, with the same table folded beneath.

    Notes
    -----
    At most 200 rows are shown, and of a curve about 60 tenures; the file is whole. Text that a
    spreadsheet would run as a formula gets an apostrophe in front.

    Examples
    --------
    >>> by_plan = pd.DataFrame({"plan": ["free", "paid"], "measure": "nps", "estimate": [12.0, 45.0], "low": [4.0, 40.0],
    ...                         "high": [20.0, 50.0], "level": 0.95, "n": [312, 900]})
    >>> print(table(by_plan))
    Free is lowest at 12 points (95 % interval 4 to 20; 312 answers); paid is highest at 45 (40 to 50; 900).
    """
    shown = read(result, asks="table")
    text = finding(shown)
    if not len(shown.frame):
        return Piece("table", shown.name, text, said([text]), [shown.payload()], shown.reason, shown.k)
    return Piece("table", shown.name, text, html_table(shown) + said(shown.notes), [shown.payload()], shown.reason, shown.k)


def all_folded(shown: Sequence[Shown]) -> Markup:
    """The tables of a picture, folded together beneath it."""
    tables = [html_table(each) for each in shown if len(each.frame)]
    if not tables:
        return Markup()
    return Markup('<details class="cx-more"><summary>The numbers</summary>{}</details>').format(Markup().join(tables))


def html_table(shown: Shown) -> Markup:
    """Caption, headings, rows and the file of a result, all escaped."""
    if is_moves(shown.keys):
        return _moves_table(shown)
    if is_banner(shown.keys) or is_rests(shown.counts):
        from cxlib.figures.crosstabs import against_table, banner_tables

        return banner_tables(shown) if is_banner(shown.keys) else against_table(shown)
    if is_drivers(shown.keys):
        return _drivers_table(shown)
    frame = _thinned(shown)
    cut = frame.head(MOST_ROWS)
    several = shown.frame["measure"].nunique() > 1
    columns = _counts(shown)
    windows = _windows(shown)
    window = len(windows) > 1
    estimate = "Estimate" if several else shown.measure.heading
    heads: list[Cell] = [(heading(key), key in ("tenure_days", "gap_days", "score")) for key in shown.keys]
    heads += [("Measure", False)] if several else []
    heads += [(estimate, True), (f"{level_words(shown.level)} interval", True), (shown.measure.base_heading, True)]
    words = {"n_rest": f"{shown.measure.base_heading} of the rest"}
    heads += [(words.get(column, heading(column)), column != "verdict") for column in columns] + ([("Window", False)] if window else [])
    rows = [_cells(shown, record, columns, several=several, window=window) for record in cut.to_dict("records")]
    caption = f"{_caption(shown, windows)}{_left_out(shown, len(cut), len(frame))}"
    made = said([shown.stretched]) if shown.stretched else Markup()
    return grid(caption, heads, rows, first=max(len(shown.keys), 1)) + made + download(csv(shown), f"{shown.name}.csv")


def _drivers_table(shown: Shown) -> Markup:
    """Every driver of a result: its place, its importance and what chance reaches, its rating, what high and low ratings go with."""
    cut = shown.frame.head(MOST_ROWS)
    heads, rows = driver_cells(shown, cut)
    windows = _windows(shown)
    caption = f"{_caption(shown, windows[:1])}{_left_out(shown, len(cut), len(shown.frame))}"
    return grid(caption, heads, rows, first=len(shown.keys)) + said([DRIVER_WORDS]) + download(csv(shown), f"{shown.name}.csv")


def _moves_table(shown: Shown) -> Markup:
    """Every change of a result: between which periods, its verdict, how large, how sure, and what it would take."""
    frame, way, of = shown.frame, way_of(shown.frame), moving(shown.measure)
    cut = frame.head(MOST_ROWS)
    groups, many = [key for key in shown.keys if key not in PAIR], shown.measure.base[1]
    heads: list[Cell] = [*((heading(key), False) for key in groups), ("Period", False), ("Against", False), ("Verdict", False)]
    heads += [(shown.measure.heading, True), (f"{level_words(shown.level)} interval", True), ("Corrected p", True)]
    heads += [("Before", True), ("After", True), (f"{many.capitalize()} before", True), (f"{many.capitalize()} after", True)]
    heads += [("Change they show", True), (f"{many.capitalize()} to tell", True)]
    rows = [_moves_cells(record, groups, way, shown) for record in cut.to_dict("records")]
    judged = int(frame["p_value"].notna().sum())
    alone = f"Change they show: the change that so many {many} find in four of five cases, if nothing else is compared."
    text = f"Before and after: {of.heading}. {alone}"
    if max(judged, shown.together) > 1:
        family = (
            f"all {decimal(shown.together, 0)} comparisons of this kind on the page"
            if shown.together
            else f"{decimal(judged, 0)} comparisons"
        )
        first = ", what the report is about weighing as much as all the rest" if shown.together else ""
        corrected = f"The verdicts are corrected for {family} together (Benjamini and Hochberg{first})"
        text = f"{corrected}; the intervals are not. {text}"
    caption = f"{shown.measure.axis}, {WAYS[way]}.{_left_out(shown, len(cut), len(frame))}"
    return grid(caption, heads, rows, first=len(groups) + 1) + said([text]) + download(csv(shown), f"{shown.name}.csv")


def _moves_cells(record: dict[Any, Any], groups: Sequence[str], way: str, shown: Shown) -> list[Cell]:
    measure = measure_named(str(record["measure"]))
    of = moving(measure)
    before, after = periods(way, record, short=True)
    head: list[Cell] = [*((key_words(key, record[key]), False) for key in groups), (after, False), (before, False)]
    if record["withheld"]:
        return [*head, (withheld_words(measure, record, shown.k), False), *([("", True)] * 9)]
    known = {name: _float(record[name]) for name in ("estimate", "p_corrected", "estimate_before", "estimate_after", "smallest_detectable")}
    change = "" if math.isnan(known["estimate"]) else measure.number(known["estimate"], fine=True)
    ends = [known[name] for name in ("estimate_before", "estimate_after")]
    return [
        *head,
        (f"{SIGNS[record['verdict']]} {record['verdict']}" if change else "not compared", False),
        (change, True),
        (measure.interval(_float(record["low"]), _float(record["high"]), fine=True) if change else "", True),
        (p_words(known["p_corrected"]), True),
        *(("" if math.isnan(value) else of.number(value, fine=True), True) for value in ends),
        *((count_words(record[name]), True) for name in ("n_before", "n_after")),
        ("" if math.isnan(known["smallest_detectable"]) else size(measure, known["smallest_detectable"]), True),
        (count_words(record["n_to_tell"]), True),
    ]


def _cells(shown: Shown, record: dict[Any, Any], columns: Sequence[str], *, several: bool, window: bool) -> list[Cell]:
    measure = measure_named(str(record["measure"])) if several else shown.measure
    keys = [(key_words(key, record[key]), key in ("tenure_days", "gap_days", "score")) for key in shown.keys]
    head: list[Cell] = keys + ([(measure.short, False)] if several else [])
    if record["withheld"]:
        return [*head, (withheld_words(measure, record, shown.k), False), *([("", True)] * (2 + len(columns) + window))]
    estimate = "" if pd.isna(record["estimate"]) else measure.number(float(record["estimate"]), fine=True)
    if measure.name in {"median_tenure", "return_days", "silent_days"} and not estimate:
        estimate = "not reached"
    interval = "" if pd.isna(record["low"]) else measure.interval(float(record["low"]), _float(record["high"]), fine=True)
    cells = [*head, (estimate, True), (interval, True), (count_words(record["n"]), True)]
    cells += [(count_of(measure, column, record), column != "verdict") for column in columns]
    return cells + ([(window_words(record["since"], record["until"]), False)] if window else [])


def _counts(shown: Shown) -> list[str]:
    """The counts that are shown: not the window, which has its own column, and not the effective base where it is the base."""
    same = "n_eff" in shown.frame and bool((shown.frame["n_eff"].isna() | (shown.frame["n_eff"] == shown.frame["n"])).all())
    seen = [name for name in shown.counts if name not in _UNSEEN and not name.startswith(_UNSEEN_PARTS)]
    return [name for name in seen if not (name == "n_eff" and same)]


def _thinned(shown: Shown) -> pd.DataFrame:
    """A curve at tenures a reader would ask for; anything else as it is."""
    axis = next((name for name in ("tenure_days", "gap_days") if name in shown.keys), "")
    if not axis or (axis == "gap_days" and len(shown.frame) <= CURVE_ROWS):
        return shown.frame
    groups = [key for key in shown.keys if key != axis]
    curves = [part for _, part in shown.frame.groupby(groups, dropna=False, sort=False)] if groups else [shown.frame]
    most = max(CURVE_ROWS // max(len(curves), 1), 8)
    return pd.concat([_at_days(curve) if axis == "gap_days" else _at_months(curve, most) for curve in curves])


def _at_days(curve: pd.DataFrame) -> pd.DataFrame:
    """A row of a curve of purchases for each usual number of days."""
    days = curve["gap_days"].astype(float)
    marks = [day for day in USUAL_DAYS if days.min() <= day <= days.max()]
    places = days.searchsorted(marks, side="right") - 1
    return summed(curve, sorted(set(places.tolist()) or {len(curve) - 1}))


def _at_months(curve: pd.DataFrame, most: int) -> pd.DataFrame:
    if len(curve) <= most:
        return curve
    last = float(curve["tenure_days"].max()) / 30.4375
    step = next((step for step in (1, 2, 3, 6, 12, 24, 60) if last / step + 2 <= most), 120)
    marks = pd.Series([30.4375 * month for month in range(0, int(last) + step, step)])
    places = curve["tenure_days"].searchsorted(marks + 1e-9, side="right") - 1
    return summed(curve, sorted({max(int(place), 0) for place in places} | {len(curve) - 1}))


def _windows(shown: Shown) -> list[str]:
    """The windows of the numbers, each once; none where the table has no dates or the month is a key."""
    if not {"since", "until"} <= set(shown.counts) or "month" in shown.keys:
        return []
    words = (window_words(row["since"], row["until"]) for row in shown.frame[["since", "until"]].to_dict("records"))
    return [window for window in dict.fromkeys(words) if window]


def _caption(shown: Shown, windows: Sequence[str]) -> str:
    by = " and ".join(heading(key).lower() for key in shown.keys if key not in {"tenure_days", "horizon_days"})
    when = f", {_WINDOWS.get(shown.measure.name, '')}{windows[0]}" if len(windows) == 1 else ""
    return f"{shown.measure.axis}{f', by {by}' if by else ''}{when}."


def _left_out(shown: Shown, rows: int, of: int) -> str:
    if of < len(shown.frame):
        return f" {decimal(of, 0)} of {decimal(len(shown.frame), 0)} {'days' if 'gap_days' in shown.keys else 'tenures'}; the file has all."
    return f" The first {decimal(rows, 0)} of {decimal(of, 0)} rows; the file has all." if rows < of else ""


def _float(value: Any) -> float:
    return math.nan if pd.isna(value) else float(value)


def grid(caption: str, heads: Sequence[Cell], rows: Sequence[Sequence[Cell]], *, first: int = 1) -> Markup:
    """An html table, escaped: a scope on every heading, numbers to the right; on a phone it stacks where rows are few, else it scrolls."""
    stacks = len(heads) > WIDEST and len(rows) <= STACKED
    head = Markup().join(Markup('<th scope="col"{}>{}</th>').format(_side(right), text) for text, right in heads)
    body = Markup().join(Markup("<tr>{}</tr>").format(_line(row, first, [text for text, _ in heads] if stacks else [])) for row in rows)
    return Markup(
        '<div class="cx-table{}" tabindex="0" role="region" aria-label="{}">'
        "<table><caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(" cx-stacks" * stacks, caption, caption, head, body)


def _line(row: Sequence[Cell], first: int, heads: Sequence[str]) -> Markup:
    """The cells of a row; those of one that stacks carry their heading."""
    said = [Markup(' data-head="{}"').format(head) for head in heads] or [Markup()] * len(row)
    cells = [
        Markup('<th scope="row"{}{}>{}</th>' if place < first else "<td{}{}>{}</td>").format(_side(right) or _long(text), said[place], text)
        for place, (text, right) in enumerate(row)
    ]
    return Markup().join(cells)


def _side(right: bool) -> Markup:
    return Markup(' class="cx-number"') if right else Markup()


def _long(text: str) -> Markup:
    """Short texts stay on one line; a long one may be broken."""
    return Markup(' class="cx-long"') if len(text) > 28 else Markup()


def download(text: str, name: str) -> Markup:
    """A link that saves the whole table, without a network."""
    return Markup('<p class="cx-file"><a download="{}" href="{}">Download {}</a></p>').format(
        name, canvas.data_uri("\ufeff" + text, "text/csv;charset=utf-8"), name
    )


def csv(shown: Shown) -> str:
    """The whole result, unrounded, as a file that a spreadsheet opens and does not run."""
    frame = shown.frame[[*shown.keys, *RESULT, *shown.counts, "withheld"]]
    return csv_of(frame)


def csv_of(frame: pd.DataFrame) -> str:
    """A frame as CSV, text that looks like a formula defused."""
    safe = frame.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column].dtype):
            safe[column] = [defused(value) for value in safe[column]]
    return safe.rename(columns=lambda name: defused(str(name))).to_csv(index=False, lineterminator="\r\n")


_ACCOUNT = {
    "kept": "kept",
    "set_aside": "set aside for breaking a rule",
    "not_meant": "not meant for their table",
    "repeats": "left out as repeats",
    "after_as_of": "later than the last day counted",
    "no_consent": "without consent",
}


_ACCOUNT_HEADS = {
    "kept": "Kept",
    "set_aside": "Set aside",
    "not_meant": "Not meant",
    "repeats": "Repeats",
    "after_as_of": "Too late",
    "no_consent": "No consent",
}


def account(frame: pd.DataFrame, *, remarks: pd.DataFrame | None = None) -> Piece:
    """What became of every row that was read, as a table and a sentence that adds up.

    Parameters
    ----------
    frame : DataFrame, one row per table
        ``table``, ``rows_read``, ``kept``, ``set_aside``, ``not_meant``, ``repeats``, ``after_as_of``,
        ``no_consent``, ``since``, ``until``: the account of a book.
    remarks : DataFrame, one row per table and thing that was strange, optional
        ``table``, ``became`` (set aside, or kept), ``words``, ``rows``: the remarks of a book.

    Returns
    -------
    Piece
        ``text`` is the sentence.

    Raises
    ------
    ValueError
        If a column is absent, or the rows of a table do not add up.

    See Also
    --------
    table : the same for a result.

    Notes
    -----
    It speaks of rows, not of people, and of what was read: who was never asked is not in it.

    Examples
    --------
    >>> print(account(pd.DataFrame({"table": ["responses"], "rows_read": [2831], "kept": [2829], "set_aside": [2],
    ...                             "not_meant": [0], "repeats": [0], "after_as_of": [0], "no_consent": [0],
    ...                             "since": [None], "until": [None]})))
    Of 2,831 rows read, 2,829 were kept; 2 were set aside for breaking a rule.
    """
    lacking = [name for name in ("table", "rows_read", *_ACCOUNT, "since", "until") if name not in frame.columns]
    if lacking:
        raise ValueError(f"account: the frame has no column '{lacking[0]}'. The account of a book is book.account.")
    for record in frame.to_dict("records"):
        parts = sum(int(record[name]) for name in _ACCOUNT)
        if parts != int(record["rows_read"]):
            read_ = f"{int(record['rows_read']):,} rows of '{record['table']}' were read"
            raise ValueError(f"account: {read_}, but {parts:,} are accounted for.")
    text = _account_words(frame)
    columns = [name for name in _ACCOUNT if name == "kept" or frame[name].any()]
    heads: list[Cell] = [("Table", False), ("Rows read", True), *((_ACCOUNT_HEADS[name], True) for name in columns)]
    heads += [("First day", False), ("Last day", False)]
    rows = [_account_cells(record, columns) for record in frame.to_dict("records")]
    html = Markup('<p class="cx-account">{}</p>').format(text)
    html += grid("Rows read, and what became of them.", heads, rows)
    html += download(csv_of(frame[["table", "rows_read", *_ACCOUNT, "since", "until"]]), "account.csv")
    strange: list[dict[str, Any]] = [] if remarks is None else remarks[["table", "words", "became", "rows"]].to_dict("records")  # type: ignore[assignment]
    strange = [row | {"rows": int(row["rows"])} for row in strange]
    if strange:
        heads = [("Table", False), ("What was strange", False), ("The rows were", False), ("Rows", True)]
        cells = [
            [(key_words("table", row["table"]), False), (row["words"], False), (row["became"], False), (decimal(row["rows"], 0), True)]
            for row in strange
        ]
        html += grid("What was strange in the rows, and how often.", heads, cells)
    return Piece("account", "account", text, html, more={"account": _account_rows(frame), "remarks": strange})


def _account_words(frame: pd.DataFrame) -> str:
    read_ = int(frame["rows_read"].sum())
    if not read_:
        return "No rows were read."
    left = [(int(frame[name].sum()), words) for name, words in _ACCOUNT.items() if name != "kept"]
    said = [f"{decimal(n, 0)} {'was' if n == 1 else 'were'} {words}" for n, words in left if n]
    kept = int(frame["kept"].sum())
    many = f"Of {decimal(read_, 0)} {'row' if read_ == 1 else 'rows'} read"
    if not said:
        return f"{many}, all were kept."
    return f"{many}, {decimal(kept, 0)} {'was' if kept == 1 else 'were'} kept; {listed(said)}."


def _account_cells(record: dict[Any, Any], columns: Sequence[str]) -> list[Cell]:
    days = [a_date(record[name]) for name in ("since", "until")]
    numbers = [(decimal(int(record[name]), 0), True) for name in ("rows_read", *columns)]
    return [(key_words("table", record["table"]), False), *numbers, *((date_words(day, short=True) if day else "", False) for day in days)]


def _account_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The account as JSON has it."""
    rows = []
    for record in frame.to_dict("records"):
        row: dict[str, Any] = {"table": str(record["table"])}
        row |= {name: int(record[name]) for name in ("rows_read", *_ACCOUNT)}
        days = {name: a_date(record[name]) for name in ("since", "until")}
        rows.append(row | {name: day.isoformat() if day else None for name, day in days.items()})
    return rows
