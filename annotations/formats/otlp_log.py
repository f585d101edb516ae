"""Files of spans: documents that hold whole traces, and rows of which many together are one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from annotations.formats import lines
from annotations.formats.base import Item, LogFormat, Refused, found
from annotations.formats.lines import Line
from annotations.formats.opening import values
from annotations.formats.opening.sources import Source
from annotations.formats.opening.values import Shape
from annotations.formats.otlp_spans import Trace, record_of
from annotations.records import Json, Problem


@dataclass
class _Held:
    """What is known of one trace so far, and where it stands."""

    line: int
    replaced: int = 0
    parts: list[Any] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)


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
        held: dict[str, _Held] = {}
        size = 0
        for line in rows:
            if line.reason:
                yield _nothing(line, file, "", line.reason)
                continue
            before = len(held)
            try:
                if not isinstance(line.value, (dict, list)):
                    raise Refused("", f"found {found(line.value)}; accepted is a JSON object")
                some = False
                for trace in self.traces(line.value):
                    some = True
                    yield _item(trace, line, file)
                for trace_id, part in self.parts(line.value):
                    some = True
                    size += _hold(held, trace_id, part, line)
                if not some:
                    raise Refused("", f"found {found(line.value)}; accepted are traces and their spans")
            except Refused as refused:
                yield _nothing(line, file, refused.field, refused.reason)
            if size > lines.LONGEST and len(held) >= before:
                reason = f"the spans are longer than {lines.LONGEST >> 20} MiB together; split the file by its traces"
                yield _nothing(line, file, "", reason)
                break
        for trace_id, one in held.items():
            yield self._gathered(trace_id, one, file)

    def _gathered(self, trace_id: str, held: _Held, file: str) -> Item:
        line = Line(held.line, replaced=held.replaced, raw=b"\n".join(held.raw) if len(held.raw) > 1 else held.raw[0])
        try:
            return _item(self.together(trace_id, held.parts), line, file)
        except Refused as refused:
            return _nothing(line, file, refused.field, refused.reason)


def _hold(held: dict[str, _Held], trace_id: str, part: Any, line: Line) -> int:
    """Returns by how much what is held grew."""
    one = held.setdefault(trace_id, _Held(line.number))
    one.parts.append(part)
    if one.raw and one.raw[-1] is line.raw:
        return 0
    one.raw.append(line.raw)
    one.replaced += line.replaced
    return len(line.raw)


def _item(trace: Trace, line: Line, file: str) -> Item:
    try:
        return Item(line.number, record_of(trace), (), line.replaced, line.raw)
    except Refused as refused:
        place = f"trace {trace.id[:80]}: " if trace.id else ""
        return _nothing(line, file, refused.field, place + refused.reason)


def _nothing(line: Line, file: str, field: str, reason: str) -> Item:
    return Item(line.number, None, (Problem(file, line.number, field, reason),), line.replaced, line.raw)
