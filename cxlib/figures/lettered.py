"""Banners: which columns they have, what letters may be shown, and who is higher than whom in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlib.figures.measures import capital, clean, counted, key_words, listed, measure_named, spoken

if TYPE_CHECKING:
    from cxlib.figures.shown import Shown

CELL = ("breakdown", "group", "letter", "row")
#: The column of everybody, as the measure calls it.
TOTAL = "total"
#: So many findings are named.
_NAMED = 3


def is_banner(keys: Iterable[str]) -> bool:
    """Whether a result with these keys is a table of columns with letters."""
    return set(CELL) <= set(keys)


def columns_of(frame: pd.DataFrame) -> tuple[str, ...]:
    """The columns of some cells, each once, as a sentence names them."""
    said = []
    for record in frame.to_dict("records"):
        group = "all" if record["breakdown"] == TOTAL else spoken([(str(record["breakdown"]), record["group"])])
        question = clean(record.get("question") or "")
        said.append(f"{group}{f' ({question})' if question else ''}")
    return tuple(dict.fromkeys(said))


def unlettered(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame without the letters of withheld columns, and without p-values that one of them may have made."""
    frame = frame.copy()
    whole = [name for name in ("question", "breakdown") if name in frame]
    number = frame.groupby(whole, dropna=False, sort=False).ngroup()
    for each in frame.loc[frame["withheld"], whole].assign(number=number).drop_duplicates("number")["number"]:
        here = number == each
        hidden = set(frame.loc[here & frame["withheld"], "letter"])
        shown = (
            text if text is None else " ".join(letter for letter in str(text).split() if letter not in hidden)
            for text in frame["higher_than"]
        )
        frame["higher_than"] = frame["higher_than"].where(~here, pd.Series(list(shown), index=frame.index, dtype=object))
        frame.loc[here, "p_corrected"] = None
    return frame


def banner_words(shown: Shown) -> str:
    """Who has the higher score than whom by more than chance."""
    frame = shown.frame[(shown.frame["measure"] == shown.measure.name) & ~shown.frame["withheld"]]
    subject = shown.measure.subject
    keys = [name for name in ("question", "breakdown") if name in frame]
    said: list[str] = []
    for _, part in frame[frame["breakdown"] != TOTAL].groupby(keys, dropna=False, sort=False):
        names = dict(zip(part["letter"], columns_of(part.drop(columns="question", errors="ignore")), strict=True))
        records: list[dict[Any, Any]] = part[part["higher_than"].fillna("") != ""].to_dict("records")
        for record in sorted(records, key=lambda each: -each["estimate"]):
            letters = str(record["higher_than"]).split()
            lower = listed(names[letter] for letter in letters) if len(letters) <= _NAMED else f"{len(letters)} other columns"
            where = f" ({clean(record['question'])})" if record.get("question") else ""
            said.append(f"in {names[record['letter']]} than in {lower}{where}")
    others = shown.frame[(shown.frame["measure"] != shown.measure.name) & ~shown.frame["withheld"]]
    cells = int((others["higher_than"].fillna("") != "").sum())
    if not said:
        also = f" In its other rows {counted(cells, 'cell has', 'cells have')} a letter." if cells else ""
        return f"No difference between two columns in {subject} can be told from chance.{also}"
    more = f"; {len(said) - _NAMED} more in the table" if len(said) > _NAMED else ""
    return f"{capital(subject)} is higher, by more than chance, {'; '.join(said[:_NAMED])}{more}."


def column_head(record: dict[Any, Any]) -> str:
    """A column's heading: its letter and its name, ``A · free``."""
    if record["breakdown"] == TOTAL:
        return "All"
    return f"{record['letter']} · {key_words(str(record['breakdown']), record['group'])}"


def row_head(record: dict[Any, Any]) -> str:
    """A row's heading, the class of answers or the score it holds."""
    return measure_named(str(record["measure"])).short
