"""One text of a stored step, without reading the rest of it. Long ones stay in memory a while: they come in pieces.

A step never changes once it is stored, so what is kept cannot be out of date.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from functools import cached_property
from threading import Lock
from typing import NamedTuple

from django.db.models import BigIntegerField, F, Func, QuerySet

from annotations.models import Step
from annotations.rendering.outline import LONG
from annotations.rendering.parts import Part, column, part

PIECE = 100_000  # characters that come together
PIECE_LINES = 5_000
KEPT = 32_000_000  # characters of long texts that a process keeps
AT_ONCE = 1_000_000  # characters searched between two looks at the clock
MOST_HITS = 1_000
PATIENCE = 0.8  # seconds a search may take before it says how far it came


class Hits(NamedTuple):
    """Where a text has what was looked for, in characters from its beginning; and where to go on from, None at the
    end."""

    hits: list[int]
    next: int | None


class Body:
    """A text in pieces of whole lines, as far as its lines are no longer than a piece."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.text = part.text

    @cached_property
    def pieces(self) -> list[tuple[int, int, bool]]:
        """Where each piece begins, the number of the line it begins in, and whether it goes on with that line."""
        return list(self._pieces())

    @cached_property
    def lines(self) -> int:
        return self.text.count("\n") + 1

    def piece(self, first: int) -> str:
        """The text from there to where the next piece begins."""
        return self.text[first : self._end(first)]

    def after(self, first: int) -> int | None:
        """Where the piece after the one that begins there begins; None at the end."""
        end = self._end(first)
        return end if end < len(self.text) else None

    def before(self, first: int) -> int | None:
        """Where the piece before the character there begins; None at the beginning."""
        place = bisect_left(self.pieces, (first, 0, False))
        return self.pieces[place - 1][0] if place else None

    def find(self, wanted: str, first: int = 0) -> Hits:
        """Where the text holds `wanted` from there on, whatever its case; the first MOST_HITS of them."""
        needle, hits, began = wanted.lower(), list[int](), time.monotonic()
        while needle and first < len(self.text):
            slice_ = self.text[first : first + AT_ONCE + len(wanted) - 1]
            hits.extend(first + at for at in _places(slice_, needle) if at < AT_ONCE)
            first += AT_ONCE
            if len(hits) > MOST_HITS:
                return Hits(hits[:MOST_HITS], hits[MOST_HITS - 1] + 1)
            if time.monotonic() - began > PATIENCE and first < len(self.text):
                return Hits(hits, first)
        return Hits(hits, None)

    def _pieces(self) -> Iterator[tuple[int, int, bool]]:
        at, line = 0, 1
        while at < len(self.text) or not at:
            yield at, line, at > 0 and self.text[at - 1] != "\n"
            end = self._end(at)
            line += self.text.count("\n", at, end)
            at = end or 1

    def _end(self, first: int) -> int:
        """Behind the last newline within reach, else as far as a piece goes; never between \\r and \\n."""
        reach = first + PIECE
        if reach >= len(self.text) and self.text.count("\n", first) <= PIECE_LINES:
            return len(self.text)
        lines = self.text[first:reach].split("\n", PIECE_LINES)
        if len(lines) > PIECE_LINES:
            return first + sum(map(len, lines[:PIECE_LINES])) + PIECE_LINES
        newline = self.text.rfind("\n", first, reach)
        return newline + 1 if newline >= 0 else reach + (self.text[reach - 1 : reach + 1] == "\r\n")


def _places(text: str, needle: str) -> Iterator[int]:
    """Where the text holds the needle, both in lower case. A letter that is two there moves no place."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(one if len(one.lower()) > 1 else one.lower() for one in text)
    at = lower.find(needle)
    while at >= 0:
        yield at
        at = lower.find(needle, at + len(needle))


class Kept:
    """The long texts read last, oldest first, together at most so many characters; the newest one always."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bodies: OrderedDict[tuple[object, ...], Body] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[object, ...]) -> Body | None:
        with self._lock:
            if key in self._bodies:
                self._bodies.move_to_end(key)
            return self._bodies.get(key)

    def put(self, key: tuple[object, ...], body: Body) -> None:
        with self._lock:
            self._bodies[key] = body
            while len(self._bodies) > 1 and sum(len(one.text) for one in self._bodies.values()) > self._most:
                self._bodies.popitem(last=False)


_kept = Kept(KEPT)


def body(steps: QuerySet[Step], index: int, name: str) -> Body | None:
    """The text of that name of the step at that index among `steps`; None where there is no such step or text."""
    field = column(name)
    if not field:
        return None
    size = Func(F(field), function="octet_length", output_field=BigIntegerField())  # known without reading the text
    mark = steps.filter(index=index).order_by().values_list("pk", "content_hash").annotate(size=size).first()
    if mark is None:
        return None
    key = (*mark, name)
    if (kept := _kept.get(key)) is not None:
        return kept
    step = Step.objects.only(field).filter(pk=mark[0]).first()
    found = part(step, name) if step else None
    if found is None:
        return None
    made = Body(found)
    if len(made.text) > LONG:
        _kept.put(key, made)
    return made
