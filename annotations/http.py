"""Addresses that are read with care, and answers that are files: streamed, never read whole into memory."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

from django.http import HttpResponse

CHUNK = 256 * 1024
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


def whole(text: str) -> int | None:
    """The whole number an address spells, if it is one that a database column could hold."""
    try:
        number = int(text)
    except ValueError:
        return None
    return number if -(2**31) < number < 2**31 else None


def table_file(name: str, rows: Iterable[Iterable[Any]]) -> HttpResponse:
    """Rows as a CSV file to be taken away. None is an empty cell."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    csv.writer(response).writerows([_inert(one) if isinstance(one, str) else one for one in row] for row in rows)
    return response


def _inert(text: str) -> str:
    """A text of somebody else's that no spreadsheet takes for a formula. A number is none."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not _NUMBER.fullmatch(text) else text


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
