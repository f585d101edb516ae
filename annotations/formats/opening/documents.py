"""A long document: one object with a list under one of its keys that is nearly all of it. The list's elements come one
by one, the rest is held; a document that is not so long, or is none, is nothing to this module."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO

from annotations.formats import lines
from annotations.formats.lines import BOM, LONGEST, Line
from annotations.formats.opening.cutting import BLANK, SPACE, Cutter
from annotations.formats.opening.sources import Source
from annotations.formats.opening.unpacking import BREAKS

SHORT = 32 * 2**20  # bytes; a document up to there is read at once
BLOCK = 2**22
SHAPES = ("object", "lines")  # that it may seem to have: a first line that is very long is the whole of it, or is not
_decoder = json.JSONDecoder(strict=False)


class _Unlike(Exception):
    """It is no object, or breaks off; reading it at once says how."""


def skimmed(source: Source, most: int) -> Line | None:
    """A long document with up to so many elements of each of its lists."""
    if not _is_long(source):
        return None
    try:
        with source.open() as stream:
            return _Document(stream, "", most).read()
    except (_Unlike, OSError, ValueError, *BREAKS):
        return None


def parted(source: Source, key: str) -> tuple[Line, Iterator[Line]] | None:
    """A long document whose list under the key is empty, and the elements of that list."""
    if not _is_long(source):
        return None
    try:
        with source.open() as stream:
            document = _Document(stream, key, 0)
            rest = document.read()
    except (_Unlike, OSError, ValueError, *BREAKS):
        return None
    return None if rest.reason or not document.elements else (rest, _elements(source, document.begins))


def _is_long(source: Source) -> bool:
    try:
        return len(source.read(SHORT + 1)) > SHORT
    except BREAKS:
        return False


def _elements(source: Source, begins: int) -> Iterator[Line]:
    cutter, number = Cutter(), 0
    with source.open() as stream:
        while begins > 0:
            begins -= len(stream.read(min(begins, BLOCK)))
        while not cutter.closed and (block := stream.read(BLOCK)):
            for raw in cutter.cut(block):
                number += 1
                yield lines.parse(number, raw)


class _Document:
    """Reads an object member by member. Of the list under `key`, or of every list where that is "", up to `most`
    elements are kept; `begins` is where the list under the key does, `elements` how many it has."""

    def __init__(self, stream: IO[bytes], key: str, most: int) -> None:
        self.stream, self.key, self.most = stream, key, most
        self.begins = self.elements = 0
        self._before = 0  # bytes of the file before those that are held
        self._hold(b"")

    def read(self) -> Line:
        self._more()
        self._at = len(BOM) if self._held.startswith(BOM) else 0
        self._expect("{")
        members: list[bytes] = []
        held = 0
        while self._next() != "}":
            if members:
                self._expect(",")
            name = self._value()
            self._expect(":")
            cut = self._next() == "[" and self.key in ("", json.loads(name))
            members.append(name + b":" + (self._list() if cut else self._value()))
            held += len(members[-1])
            if held > LONGEST:
                raise _Unlike
        self._end()
        return lines.parse(1, b"{" + b",".join(members) + b"}")

    def _end(self) -> None:
        """Raises _Unlike where more stands after the object, and what reading raises where the file breaks off."""
        rest = self._held[self._at + 1 :]
        while rest or (rest := self.stream.read(BLOCK)):
            if rest.strip(BLANK):
                raise _Unlike
            rest = b""

    def _hold(self, text: bytes) -> None:
        self._held, self._mirror, self._at = text, text.decode("latin-1"), 0  # a character a byte

    def _more(self, least: int = 1) -> None:
        """Hold more of the file. Raises _Unlike where there is none."""
        blocks = []
        while least > 0 and (block := self.stream.read(BLOCK)):
            blocks.append(block)
            least -= len(block)
        if not blocks:
            raise _Unlike
        self._before += self._at
        self._hold(self._held[self._at :] + b"".join(blocks))

    def _next(self) -> str:
        """The next character that is no space."""
        while True:
            self._at = SPACE.match(self._mirror, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._mirror):
                return self._mirror[self._at]
            self._more()

    def _expect(self, sign: str) -> None:
        if self._next() != sign:
            raise _Unlike
        self._at += 1

    def _value(self) -> bytes:
        """The text of the value that comes now."""
        self._next()
        while True:
            try:
                _, end = _decoder.raw_decode(self._mirror, self._at)
            except (ValueError, RecursionError):
                end = len(self._mirror)
            if SPACE.match(self._mirror, end).end() < len(self._mirror):  # type: ignore[union-attr]
                begun, self._at = self._at, end
                return self._held[begun:end]
            if len(self._held) - self._at > LONGEST:
                raise _Unlike
            self._more(len(self._held) - self._at)

    def _list(self) -> bytes:
        """The list that comes now, with no more elements than are to be kept."""
        if self.key and self.elements:
            raise _Unlike  # the key stands twice
        cutter, block = Cutter(), self._held[self._at :]
        self.begins = read = self._before + self._at
        kept: list[bytes] = []
        while block and not cutter.closed:
            read += len(block)
            for raw in cutter.cut(block):
                self.elements += 1
                if len(kept) < self.most:
                    kept.append(raw)
            if cutter.over_long:
                raise _Unlike
            block = b"" if cutter.closed else self.stream.read(BLOCK)
        if not cutter.closed:
            raise _Unlike
        self._before = read - len(cutter.rest)
        self._hold(cutter.rest)
        return b"[" + b",".join(kept) + b"]"
