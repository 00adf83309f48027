"""The names of what the door writes beside each row for its own use; in brackets, so that no column of a file has them."""

from __future__ import annotations

from cxlib.sources import sql

PROBLEM, SHOWN, MEANT, WRONG, ALIKE, MASK = "(problem)", "(shown)", "(meant)", "(wrong)", "(alike)", "(notes)"
#: Which export a row is of, and its place among all rows.
EXPORT, PLACE = "(export)", "(place)"
#: What is in an admitted table beside its columns.
BESIDE = (PROBLEM, SHOWN, MEANT, MASK, ALIKE)
#: What a column holds throughout where no export has it; others are without values.
GIVEN = {"role": "customer"}
#: The rows that come in.
GOOD = f"{sql.name(PROBLEM)} IS NULL AND {sql.name(MEANT)}"
