"""Addresses that are read with care, and answers that are files: streamed, never read whole into memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO

CHUNK = 256 * 1024


def whole(text: str) -> int | None:
    """The whole number an address spells, if it is one that a database column could hold."""
    try:
        number = int(text)
    except ValueError:
        return None
    return number if -(2**31) < number < 2**31 else None


class _Outlet(io.RawIOBase):
    """What a ZipFile writes to: it cannot go back, and hands on what it was given."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def zipped(files: Iterable[tuple[str, IO[bytes]]]) -> Iterator[bytes]:
    """A zip archive of the files, piece by piece. Each file is closed once it is in."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for name, file in files:
            entry_info = zipfile.ZipInfo(name)
            entry_info.compress_type = zipfile.ZIP_DEFLATED
            with file, archive.open(entry_info, "w", force_zip64=True) as entry:
                while piece := file.read(CHUNK):
                    entry.write(piece)
                    yield outlet.taken()
    yield outlet.taken()
