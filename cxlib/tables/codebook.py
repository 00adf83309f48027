"""The codebook for people, written from the declarations, so that the two cannot disagree."""

from __future__ import annotations

from cxlib.tables.schema import TABLES, Column, TableSpec

_HEAD = """# Codebook

Every table a workbook can have: what one row is, and each column with its type, unit, meaning and rule.
`sources.toml` says which of them there are, and which column of which file each one is. A table or a column
that a workbook does not have is simply not there; the reports say what is missing.

Times are local to the time zone of `sources.toml`. A row that breaks a rule is set aside and counted, never
repaired. `sample/` holds the sample company, made by `cxlib.sample`; its truth is in `sample/truth.json`.

(Written from `cxlib/tables/schema.py` by `python -m cxlib.tables.codebook`.)
"""


def codebook() -> str:
    """The text of `data/README.md`."""
    return "\n".join([_HEAD, *(_table(spec) for spec in TABLES.values())])


def _table(spec: TableSpec) -> str:
    lines = [f"## {spec.name}", "", f"One row is {spec.row}."]
    if spec.key:
        lines[-1] += f" A second row with the same {', '.join(spec.key)} is set aside."
    for first, second in spec.ordered:
        lines[-1] += f" `{first}` is not after `{second}`."
    if spec.either:
        lines[-1] += f" At least one of {' and '.join(f'`{name}`' for name in spec.either)} is there."
    lines += ["", "| column | type | unit | meaning | rule |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(_column(column) for column in spec.columns), ""])


def _column(column: Column) -> str:
    return f"| `{column.name}` | {column.kind} | {column.unit} | {column.meaning} | {column.rule} |"


if __name__ == "__main__":
    import sys

    sys.stdout.write(codebook())
