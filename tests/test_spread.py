"""A workbook whose cells lie so far apart that the memory of no machine holds them is refused, however it is written."""

from __future__ import annotations

import io
import zipfile

import pandas as pd
import pytest

from cxlib import sources
from cxlib.tables import TableError

SHEET = "xl/worksheets/sheet1.xml"
FAR = '<c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ('<row r="1048576">', SHEET),
        ("<row r='1048576'>", SHEET),
        ("<row>", SHEET),
        ("<row r = '1048576' >", SHEET),
        ('<row r="1048576">', "xl/elsewhere/one.xml"),
    ],
)
def test_two_cells_far_apart_are_refused_before_they_are_read(tmp_path, row, place):
    made = io.BytesIO()
    pd.DataFrame({"customer": ["a"], "start": ["2025-01-01"]}).to_excel(made, index=False)
    with zipfile.ZipFile(made) as whole, zipfile.ZipFile(tmp_path / "far.xlsx", "w") as far:
        for name in whole.namelist():
            text = whole.read(name).decode().replace("worksheets/sheet1.xml", place.removeprefix("xl/"))
            if name == SHEET:
                text = text.replace("</sheetData>", row + (FAR if "=" not in row or '"' in row else FAR.replace('"', "'")))
            far.writestr(place if name == SHEET else name, text)
    (tmp_path / "sources.toml").write_text('[tables.customers]\nfiles = "far.xlsx"\n')
    with pytest.raises(TableError, match="spans more than 50 million cells"):
        sources.read(tmp_path / "sources.toml", as_of="2026-06-30")
