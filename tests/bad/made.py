"""Exports that a repository should not hold: binary, huge or hostile ones, each made in a new folder by a few lines."""

import gzip
import io
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

ROWS = [("f1", "città"), ("f2", "perché"), ("f3", "good")]
TEXT = "feedback,comment\n" + "".join(f"{name},{words}\n" for name, words in ROWS)
GIGABYTE = 1 << 30


def _packed(pieces: Iterator[bytes]) -> bytes:
    """Gzip, of what need not be in memory at once."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*map(packer.compress, pieces), packer.flush()])


def _of_both_orders(folder: Path) -> None:
    """7,908 times, 289 of which fit month/day only; how many of the others are of that sort, nobody can tell."""
    lines = ["case_id,activity,time"]
    for place in range(7_908):
        day, month = place % 28 + 1, place // 28 % 12 + 1
        late = place % 27 == 5 and place < 27 * 289
        lines.append(f"c{place},paid," + (f"{month:02d}/{place % 12 + 13:02d}/2026 10:00" if late else f"{day:02d}/{month:02d}/2026 10:00"))
    (folder / "events.csv").write_text("\n".join(lines) + "\n")


def _a_few_lines_in_cp1252(folder: Path) -> None:
    """Two programs wrote into one file."""
    good = [f"f{place},città\n".encode() for place in range(60)]
    (folder / "feedback.csv").write_bytes(b"".join([b"feedback,comment\n", *good, "f60,perché\n".encode("cp1252")]))


def _zip(folder: Path) -> None:
    with zipfile.ZipFile(folder / "feedback.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive, archive.open("f.csv", "w") as out:
        out.write(b"feedback,comment\n")
        for _ in range(150):
            out.write(b"1,2\n" * (1 << 18))


def _zip_damaged(folder: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("feedback.csv", TEXT * 50)
    content = bytearray(out.getvalue())
    content[60:80] = bytes(20)
    (folder / "feedback.zip").write_bytes(content)


def _parquet_cut_short(folder: Path) -> None:
    pd.DataFrame(ROWS, columns=["feedback", "comment"]).to_parquet(folder / "feedback.parquet")
    content = (folder / "feedback.parquet").read_bytes()
    (folder / "feedback.parquet").write_bytes(content[: len(content) // 2])


def _workbook(path: Path, *, cut: bool) -> None:
    pd.DataFrame(ROWS, columns=["feedback", "comment"]).to_excel(path.with_suffix(".xlsx"), index=False)
    content = path.with_suffix(".xlsx").read_bytes()
    path.with_suffix(".xlsx").unlink()
    path.write_bytes(content[: len(content) // 2] if cut else content)


def _database(folder: Path) -> None:
    con = sqlite3.connect(folder / "feedback.db")
    con.execute("CREATE TABLE feedback (feedback, comment)")
    con.close()


def _log(head: str, activity: str) -> str:
    event = f'<event><string key="concept:name" value="{activity}"/><date key="time:timestamp" value="2026-03-01T10:00:00Z"/></event>'
    return f'<?xml version="1.0"?>{head}<log><trace><string key="concept:name" value="1"/>{event}</trace></log>'


def _entities() -> str:
    """Ten entities, each ten times the one before: a billion letters."""
    deeper = "".join(f'<!ENTITY e{depth} "{f"&e{depth - 1};" * 10}">' for depth in range(1, 10))
    return f'<!DOCTYPE log [<!ENTITY e0 "lol">{deeper}]>'


def _bytes(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


#: What makes the exports of a folder.
MADE: dict[str, Callable[[Path], object]] = {
    "dates-of-both-orders": _of_both_orders,
    "declaration-in-cp1252": _bytes(
        "sources.toml", '[workbook]\nname = "Caffè"\n[tables.feedback]\nfiles = "feedback.csv"\n'.encode("cp1252")
    ),
    "encoding-big5-declared-and-broken": _bytes("feedback.csv", "feedback,comment\nf1,不適用\n".encode("big5") + b"f2,\xff\xff\n"),
    "encoding-big5-undeclared": _bytes("feedback.csv", "feedback,comment\nf1,不適用\nf2,很好\n".encode("big5")),
    "encoding-cp1252-in-a-few-lines": _a_few_lines_in_cp1252,
    "encoding-cp1252-read-as-utf-8": _bytes("feedback.csv", TEXT.encode("cp1252")),
    "encoding-utf-16-undeclared": _bytes("feedback.csv", b"\xff\xfe" + TEXT.encode("utf-16-le")),
    "encoding-utf-16-without-a-mark": _bytes("feedback.csv", TEXT.encode("utf-16-le")),
    "file-database-instead-of-an-export": _database,
    "file-gzip-cut-short": _bytes("feedback.csv.gz", gzip.compress((TEXT * 500).encode())[:-40]),
    "file-parquet-cut-short": _parquet_cut_short,
    "file-that-is-a-folder": lambda folder: (folder / "exports").mkdir(),
    "file-that-is-a-workbook": lambda folder: _workbook(folder / "feedback.csv", cut=False),
    "file-that-may-not-be-read": lambda folder: _bytes("feedback.csv", TEXT.encode())(folder) and (folder / "feedback.csv").chmod(0),
    "file-with-a-file-of-the-machine-in-it": _bytes(
        "log.xes", _log('<!DOCTYPE log [<!ENTITY far SYSTEM "file:///etc/hostname">]>', "&far;").encode()
    ),
    "file-with-a-line-of-a-gigabyte": lambda folder: _bytes(
        "feedback.csv.gz", _packed(iter([b"feedback,comment\nf1,", *[b"x" * (1 << 24)] * (GIGABYTE >> 24)]))
    )(folder),
    "file-with-a-million-columns": lambda folder: _bytes("feedback.csv", (",".join(map(str, range(1_000_000))) + "\n").encode())(folder),
    "file-with-an-entity-bomb": lambda folder: _bytes("log.xes", _log(_entities(), "&e9;").encode())(folder),
    "file-with-nul-bytes": _bytes("feedback.csv", b"feedback,comment\nf1,go\0od\nf2,bad\n"),
    "file-workbook-damaged": lambda folder: _workbook(folder / "feedback.xlsx", cut=True),
    "file-zip-bomb": lambda folder: _bytes("feedback.csv.gz", _packed(b"1,2\n" * (1 << 18) for _ in range(150)))(folder),
    "file-zip-bomb-in-a-zip": _zip,
    "file-zip-damaged": _zip_damaged,
}
