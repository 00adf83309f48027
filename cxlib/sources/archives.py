"""A zip archive with one data file in it."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath

from cxlib.sources.files import RATIO, SMALL, File, bomb, examined, first_line

_CHUNK = 1 << 20


def inside(file: File, scratch: Path) -> File:
    """The one data file of an archive, unpacked into a private folder."""
    examined(file)
    limit = max(SMALL, RATIO * file.path.stat().st_size)
    try:
        with zipfile.ZipFile(file.path) as archive:
            parts = [part for part in archive.infolist() if not part.is_dir() and _is_data(part.filename)]
            if not parts:
                raise file.refused("is empty; there is no file in it.")
            if len(parts) > 1:
                names = ", ".join(f"'{part.filename}'" for part in parts[:3]) + (", …" if len(parts) > 3 else "")
                raise file.refused(f"holds {len(parts)} files ({names}) where one is read. Unpack it and name those that are meant.")
            (part,) = parts
            if part.flag_bits & 1:
                raise file.refused("is locked with a password. Unpack it yourself.")
            if part.file_size > limit:
                raise bomb(file)
            found = File(file.label, file.table, _place(part.filename, scratch), f"{file.name}: {PurePosixPath(part.filename).name}")
            if found.kind == "zip":
                raise file.refused("holds another archive. Unpack it.")
            _unpack(file, archive, part, found.path, limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise file.refused(f"is damaged, or packed in a way that is not known: {first_line(error)} Unpack it yourself.") from None
    return found


def _unpack(file: File, archive: zipfile.ZipFile, part: zipfile.ZipInfo, to: Path, limit: int) -> None:
    """What an archive says of its sizes may be a lie, so that they are counted as well."""
    size = 0
    with archive.open(part) as stream, to.open("wb") as out:
        while piece := stream.read(_CHUNK):
            size += len(piece)
            if size > limit:
                raise bomb(file)
            out.write(piece)


def _is_data(name: str) -> bool:
    path = PurePosixPath(name)
    return "__MACOSX" not in path.parts and not path.name.startswith(".")


def _place(name: str, scratch: Path) -> Path:
    """A place of our own: the name in an archive may point anywhere."""
    return scratch / f"unpacked-{len(list(scratch.iterdir()))}{''.join(PurePosixPath(name).suffixes[-2:])}"
