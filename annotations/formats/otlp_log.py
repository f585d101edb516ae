"""Files of spans: documents that hold whole traces, and rows of which many together are one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from annotations.formats import lines
from annotations.formats.base import Item, LogFormat, Refused, found
from annotations.formats.lines import Line
from annotations.formats.opening import values
from annotations.formats.opening.apart import Apart, Gathered
from annotations.formats.opening.sources import Source
from annotations.formats.opening.values import Shape
from annotations.formats.otlp_spans import Trace, record_of
from annotations.records import Json, Problem


class SpanLog(LogFormat):
    """A log whose values are documents of whole traces (`traces`), or parts of them (`parts`, by the trace's id)."""

    def traces(self, value: Json) -> Iterator[Trace]:
        """The traces that the value holds whole. Raises Refused."""
        yield from ()

    def parts(self, value: Json) -> Iterator[tuple[str, Any]]:
        """The parts of traces that the value holds, each with its trace's id. Raises Refused."""
        yield from ()

    def together(self, trace: str, parts: list[Any]) -> Trace:
        """The trace of these parts. Raises Refused."""
        raise NotImplementedError

    def read(self, source: Source, shape: Shape | None = None) -> Iterator[Item]:
        shape = shape or values.shape_of(source)
        yield from self.gathered(values.read(source, "lines" if shape in ("text", "nothing") else shape), source.name)

    def gathered(self, rows: Iterator[Line], file: str) -> Iterator[Item]:
        held = Apart()
        for line in rows:
            if line.reason:
                yield _nothing(line, file, "", line.reason)
                continue
            try:
                yield from self._taken(line, file, held)
            except Refused as refused:
                yield _nothing(line, file, refused.field, refused.reason)
        for one in held.gathered(lines.LONGEST):
            yield self._together(one, file)

    def _taken(self, line: Line, file: str, held: Apart) -> Iterator[Item]:
        """The traces that the value holds whole; the parts of others are held."""
        if not isinstance(line.value, (dict, list)):
            raise Refused("", f"found {found(line.value)}; accepted is a JSON object")
        some = False
        for trace in self.traces(line.value):
            some = True
            yield _item(trace, line, file)
        for trace_id, part in self.parts(line.value):
            some = True
            held.hold(trace_id, part, line)
        if not some:
            raise Refused("", f"found {found(line.value)}; accepted are traces and their spans")

    def _together(self, one: Gathered | tuple[str, int], file: str) -> Item:
        if isinstance(one, tuple):
            reason = f"the lines of trace {one[0][:80]} are longer than {lines.LONGEST >> 20} MiB together"
            return _nothing(Line(one[1]), file, "", reason)
        try:
            return _item(self.together(one.name, one.parts), one.line, file)
        except Refused as refused:
            return _nothing(one.line, file, refused.field, refused.reason)


def _item(trace: Trace, line: Line, file: str) -> Item:
    try:
        return Item(line.number, record_of(trace), (), line.replaced, line.raw)
    except Refused as refused:
        place = f"trace {trace.id[:80]}: " if trace.id else ""
        return _nothing(line, file, refused.field, place + refused.reason)


def _nothing(line: Line, file: str, field: str, reason: str) -> Item:
    return Item(line.number, None, (Problem(file, line.number, field, reason),), line.replaced, line.raw)
