"""What a format declares. A format knows records and its own file; it knows no scheme, no table and no other format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, get_args

from annotations.formats import lines
from annotations.formats.lines import Line
from annotations.formats.opening import documents, values
from annotations.formats.opening.sources import Folder, Source
from annotations.formats.opening.unpacking import BREAKS
from annotations.formats.opening.values import Shape
from annotations.records import Json, Problem, RatingRecord, TrajectoryRecord


@dataclass(frozen=True)
class LabelRecord:
    """One row of a label file: what one rater says of the trajectory that these keys name."""

    rating: RatingRecord
    total_index: int | None = None
    data_source: str | None = None
    query_index: int | None = None
    sample_index: int | None = None
    record_id: str = ""

    @property
    def name(self) -> str:
        """The trajectory as a person would name it."""
        if self.data_source is not None and self.query_index is not None:
            return f"{self.data_source}:{self.query_index}:{self.sample_index}"
        return self.record_id or f"total_index {self.total_index}"


@dataclass(frozen=True)
class Item:
    """What one line, or one element of a list, held: a record, or why there is none. `problems` beside a record say
    what of it was left out. `replaced` counts characters that no database text can hold and that were made visible.
    `original` is what the record was made of, byte for byte, unpacked; of files that belong together, a zip of them."""

    line: int
    record: TrajectoryRecord | LabelRecord | None = None
    problems: tuple[Problem, ...] = ()
    replaced: int = 0
    original: bytes = field(default=b"", compare=False, repr=False)


class Refused(ValueError):
    """A record that cannot be taken: the field, what was found there and what is accepted."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


Purpose = Literal["reward", "preferences", "fine-tuning", "rl", "benchmark", "everything", "elsewhere", "trajectories"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


class Format:
    """`holds` says what its files are about, `reads` and `writes` what it can do, `suffix` how a written one ends;
    `everyone`: a written one says what every rater says, unless one is named. `keeps` and `loses` say in a sentence
    each what of a file is in the records, and what is not: docs/formats.md is made of them. `purpose` is what a written
    one is for."""

    name: ClassVar[str]
    title: ClassVar[str]
    suffix: ClassVar[str] = ".jsonl"
    holds: ClassVar[Literal["trajectories", "labels"]] = "trajectories"
    reads: ClassVar[bool] = False
    writes: ClassVar[bool] = False
    everyone: ClassVar[bool] = False
    purpose: ClassVar[Purpose] = "trajectories"
    keeps: ClassVar[str] = ""
    loses: ClassVar[str] = ""

    def recognises(self, value: Json) -> bool:
        """Whether this JSON value, the first of a file, is one of the format's. Of a file that is one list, the
        beginning of the list is asked first (formats that take it whole say yes), then its first element."""
        return False


class Reader(Format):
    """A format that reads. `read` gives every record of a source, in order, and why each other one could not be
    taken; it never raises over what the source says."""

    reads = True

    def read(self, source: Source, shape: Shape | None = None) -> Iterator[Item]:
        raise NotImplementedError


class ValueFormat(Reader):
    """One JSON value is a record, or several: a line, an element of a list, a table's row, or a file's one object.
    `within`: the key of that object under which its records are; of a long file they are read one by one."""

    within: ClassVar[str] = ""

    def record(self, row: dict[str, Any]) -> TrajectoryRecord | LabelRecord:
        """The record of a value. Raises Refused."""
        raise NotImplementedError

    def records(self, value: Any) -> Iterable[TrajectoryRecord | LabelRecord | Refused]:
        """The records of a value that holds several. One that cannot be taken is given as its Refused, or raises it
        where nothing after it can be taken either."""
        return (self.record(value),)

    def read(self, source: Source, shape: Shape | None = None) -> Iterator[Item]:
        shape = shape or values.shape_of(source)
        if shape == "list" and self._takes_lists(source):
            shape = "object"
        if shape in documents.SHAPES and self.within and (long := documents.parted(source, self.within)):
            yield from self._parts(*long, source.name)
            return
        for line in values.read(source, "lines" if shape in ("text", "nothing") else shape):
            yield from self._items(line, source.name)

    def _parts(self, rest: Line, elements: Iterator[Line], file: str) -> Iterator[Item]:
        """The records of a long file, each with its own text as its original."""
        yield from (Item(1, None, (one,)) for one in _doubled(rest, file))
        for place, line in enumerate(elements):
            whole = replace(line, number=1, value={**rest.value, self.within: [line.value]})
            for item in self._items(whole, file):
                named = [replace(one, field=self._placed(one.field, place)) for one in item.problems]
                yield replace(item, problems=tuple(named))

    def _placed(self, field: str, place: int) -> str:
        first, here = f"{self.within}[0]", f"{self.within}[{place}]"
        return field.replace(first, here, 1) if field.startswith(first) else f"{here}.{field}".rstrip(".")

    def _takes_lists(self, source: Source) -> bool:
        return self.recognises(list(values.look(source).values))

    def _items(self, line: Line, file: str) -> Iterator[Item]:
        problems = tuple(_doubled(line, file))
        if line.reason:
            yield _nothing(line, file, "", line.reason)
            return
        try:
            if not isinstance(line.value, (dict, list)):
                raise Refused("", f"found {found(line.value)}; accepted is a JSON object")
            for one in self.records(line.value):
                if isinstance(one, Refused):
                    yield _nothing(line, file, one.field, one.reason)
                else:
                    yield Item(line.number, one, problems, line.replaced, line.raw)
                    problems = ()
        except Refused as refused:
            yield _nothing(line, file, refused.field, refused.reason)


class LineFormat(ValueFormat):
    """One JSON object is one record. Where a whole list can be one too, it is read as if it stood under the key
    `listed`."""

    listed: ClassVar[str] = ""

    def records(self, value: Any) -> Iterable[TrajectoryRecord | LabelRecord | Refused]:
        if isinstance(value, list) and self.listed:
            value = {self.listed: value}
        if not isinstance(value, dict):
            raise Refused("", f"found {found(value)}; accepted is one JSON object a line")
        return (self.record(value),)


class LogFormat(Reader):
    """Many values together are a record: the events of a session, the spans of a trace. They are in memory together."""

    def gathered(self, rows: Iterator[Line], file: str) -> Iterator[Item]:
        """The records of all the values. A Line with a reason is a value that could not be read."""
        raise NotImplementedError

    def read(self, source: Source, shape: Shape | None = None) -> Iterator[Item]:
        shape = shape or values.shape_of(source)
        rows = values.read(source, "lines" if shape in ("text", "nothing") else shape)
        yield from self.gathered(_bounded(rows), source.name)


class TextFormat(Reader):
    """A file of plain text."""

    def recognises_text(self, head: str) -> bool:
        """Whether a file that begins like this is one of the format's."""
        return False

    def parsed(self, text: str, file: str) -> Iterable[TrajectoryRecord | Refused]:
        """The records of the whole text. As ValueFormat.records."""
        raise NotImplementedError

    def read(self, source: Source, shape: Shape | None = None) -> Iterator[Item]:
        try:
            raw = source.read(lines.LONGEST + 1)
        except BREAKS as exc:
            yield Item(1, None, (Problem(source.name, 1, "", lines.broken(exc)),))
            return
        if len(raw) > lines.LONGEST:
            reason = f"the text is longer than {lines.LONGEST >> 20} MiB"
            yield Item(1, None, (Problem(source.name, 1, "", reason),))
            return
        text, replaced = lines.decoded(raw)
        line = Line(1, text, replaced=replaced, raw=raw)
        try:
            for one in self.parsed(text, source.name):
                if isinstance(one, Refused):
                    yield _nothing(line, source.name, one.field, one.reason)
                else:
                    yield Item(1, one, (), replaced, raw)
        except Refused as refused:
            yield _nothing(line, source.name, refused.field, refused.reason)


class FolderFormat(Format):
    """Several files are a record together: a session's steps and its screenshots."""

    reads = True

    def recognises_folder(self, folder: Folder) -> bool:
        """Whether this folder, with all in it, is one of the format's."""
        return False

    def read_folder(self, folder: Folder) -> Iterator[Item]:
        """As Reader.read."""
        raise NotImplementedError


def _bounded(rows: Iterator[Line]) -> Iterator[Line]:
    """The rows, until they are too many to be held together."""
    held = 0
    for row in rows:
        held += len(row.raw)
        if held > lines.LONGEST:
            reason = f"what belongs together is longer than {lines.LONGEST >> 20} MiB; split the file by its sessions"
            yield Line(row.number, reason=reason)
            return
        yield row


def _doubled(line: Line, file: str) -> Iterator[Problem]:
    if line.doubled and not line.reason:
        yield Problem(file, line.number, line.doubled, "found the key twice in one object; the last one counts")


def _nothing(line: Line, file: str, field: str, reason: str) -> Item:
    return Item(line.number, None, (Problem(file, line.number, field, reason),), line.replaced, line.raw)


def found(value: Json) -> str:
    """A value as a reason names it: its kind, and the value itself where it is short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {str(value)[:40]}"
    if isinstance(value, str):
        return f"the text {value[:40]!r}" + ("…" if len(value) > 40 else "")
    return f"an object of {len(value)} keys" if isinstance(value, dict) else f"a list of {len(value)}"


def whole(row: dict[str, Any], key: str, *, required: bool = True) -> int | None:
    """The row's non-negative whole number under the key; None where it is absent and not required."""
    value = row.get(key)
    if value is None and not required:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise Refused(key, f"found {found(value) if key in row else 'nothing'}; accepted is a whole number from 0")
    return value


def text(row: dict[str, Any], key: str, longest: int = 0) -> str:
    """The row's string under the key, "" where it is absent or null."""
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(key, f"found {found(value)}; accepted is a text")
    if longest and len(value) > longest:
        raise Refused(key, f"found a text of {len(value)} characters; accepted are up to {longest}")
    return value
