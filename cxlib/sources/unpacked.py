"""Rows that a reader unpacks, written batch by batch into a private Parquet, every cell as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlib.sources.files import File

if TYPE_CHECKING:
    import pyarrow as pa

#: The door numbers the rows of a source in a column of this name.
ROW = "row"

#: A record whose names are this many is using values as names.
_MOST_COLUMNS = 5_000
_CELLS_A_BATCH = 1_000_000


def apart(name: str) -> str:
    """A column of the source called as the one that numbers the rows has another name here."""
    return f"{name} (in the file)" if name.lower() == ROW else name


class Rows:
    """The rows of one source on their way to disk.

    Records need not have the same names: columns are those of all of them, in order of first appearance,
    and a cell that a record does not have is missing. A batch that knows more columns than the one before
    starts another file.
    """

    def __init__(self, folder: Path, columns: Iterable[str] = ()) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.columns: dict[str, None] = dict.fromkeys(columns)
        self._batch: list[Mapping[str, str | None]] = []
        self._written: pa.Schema | None = None
        self._writer: Any = None
        self._bad: list[tuple[int, str, str]] = []

    def add(self, file: File, row: Mapping[str, str | None]) -> None:
        """One more row."""
        if not row.keys() <= self.columns.keys():
            self.columns.update(dict.fromkeys(row))
            if len(self.columns) > _MOST_COLUMNS:
                raise file.refused(f"has more than {_MOST_COLUMNS:,} different names. Values seem to stand where names belong.")
        self._batch.append(row)
        if len(self._batch) * len(self.columns) > _CELLS_A_BATCH or len(self._batch) > 100_000:
            self._write()

    def unreadable(self, line: int, why: str, text: str) -> None:
        """One more piece that is no row."""
        self._bad.append((line, why, text[:2_000]))

    def bad(self) -> pd.DataFrame:
        """What was unreadable: ``line``, ``problem``, ``text``."""
        return pd.DataFrame(self._bad, columns=["line", "problem", "text"]).astype({"line": "int64"})

    def done(self) -> list[Path]:
        """The files that were written; at least one, so that a source without rows still has its columns."""
        if self._batch or self._written is None:
            self._write()
        self._close()
        return sorted(self.folder.iterdir())

    def _write(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = list(self.columns)
        schema = pa.schema([(apart(name), pa.string()) for name in names])
        if schema != self._written:
            self._close()
            number = sum(1 for _ in self.folder.iterdir())
            self._writer, self._written = pq.ParquetWriter(self.folder / f"{number:06d}.parquet", schema), schema
        cells = [pa.array([row.get(name) for row in self._batch], type=pa.string()) for name in names]
        self._writer.write_table(pa.Table.from_arrays(cells, schema=schema))
        self._batch = []

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
