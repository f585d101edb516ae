"""Cutting a list into its elements before it is all there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from annotations.formats.lines import LONGEST

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)
BLANK = b" \t\r\n"


class Cutter:
    """Cuts the text of a list into those of its elements. One that is whole JSON is cut where it ends; in any other
    only strings and brackets are minded, so that one broken element does not take the others along. Once it is
    `closed`, `rest` is what stands after the list."""

    def __init__(self) -> None:
        self.rest = b""
        self.begun = self.closed = False
        self._depth = 0
        self._at = 0  # how far the rest was looked through

    @property
    def over_long(self) -> bool:
        return len(self.rest) > LONGEST

    def cut(self, block: bytes) -> Iterator[bytes]:
        text = self.rest + block
        if not self.begun:
            text = text.lstrip()
            if not text:
                return
            text, self.begun = text[1:], True  # its opening bracket
        mirror = text.decode("latin-1")  # a character a byte
        start, at = 0, self._at
        while not self.closed:
            end = _ends(mirror, start) if at == start else -1
            if end < 0:
                end, at = self._end(text, at)
            if end < 0:
                break
            if piece := text[start:end].strip(BLANK):
                yield piece
            self.closed = text[end] == 0x5D
            start = at = end + 1
        self.rest, self._at = text[start:], at - start

    def _end(self, text: bytes, at: int) -> tuple[int, int]:
        """Where the delimiter stands that ends the element, going on from `at`; -1 where that is not in sight, and how
        far the text was looked through."""
        while hit := _TOKEN.search(text, at):
            token = text[hit.start()]
            if token != 0x22:
                if (begun := text.find(b'"', at, hit.start())) >= 0:
                    return -1, begun  # a string that does not end in what we have
                if not self._depth and token in b",]":
                    return hit.start(), hit.end()
                self._depth += (token in b"[{") - (token in b"]}" and self._depth > 0)
            at = hit.end()
        begun = text.find(b'"', at)
        return -1, begun if begun >= 0 else len(text)

    def end(self) -> str:
        """Why the list is no whole one; "" where it is."""
        return "" if self.closed else "the list breaks off here"


def _ends(mirror: str, start: int) -> int:
    """Where the delimiter after the element stands that begins there; -1 where that is no JSON, or is not all here."""
    begin = SPACE.match(mirror, start).end()  # type: ignore[union-attr]
    if mirror[begin : begin + 1] == "]":
        return begin
    try:
        _, end = _mirrored.raw_decode(mirror, begin)
    except (ValueError, RecursionError):
        return -1
    end = SPACE.match(mirror, end).end()  # type: ignore[union-attr]
    return end if mirror[end : end + 1] in (",", "]") else -1


SPACE = re.compile(r"[ \t\r\n]*")
_mirrored = json.JSONDecoder(strict=False)
