"""What a format declares. A format knows records and its own file; it knows no scheme, no table and no other format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from annotations.formats import lines
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
    """What one line held: a record, or why there is none. `problems` beside a record say what of it was left out.
    `replaced` counts characters that no database text can hold and that were made visible."""

    line: int
    record: TrajectoryRecord | LabelRecord | None = None
    problems: tuple[Problem, ...] = ()
    replaced: int = 0


class Refused(ValueError):
    """A record that cannot be taken: the field, what was found there and what is accepted."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


class Format:
    """`holds` says what its files are about, `reads` and `writes` what it can do, `suffix` how a written one ends;
    `everyone`: a written one says what every rater says, unless one is named."""

    name: ClassVar[str]
    title: ClassVar[str]
    suffix: ClassVar[str] = ".jsonl"
    holds: ClassVar[Literal["trajectories", "labels"]] = "trajectories"
    reads: ClassVar[bool] = False
    writes: ClassVar[bool] = False
    everyone: ClassVar[bool] = False

    def recognises(self, row: Json) -> bool:
        """Whether this JSON value, the first of a file, is one of the format's records."""
        return False


class LineFormat(Format):
    """One JSON object a line."""

    reads = True

    def record(self, row: dict[str, Any]) -> TrajectoryRecord | LabelRecord:
        """The record of one line. Raises Refused."""
        raise NotImplementedError

    def read(self, path: Path, name: str = "") -> Iterator[Item]:
        """Every line of the file that is not blank, in order. Never raises over what the file says."""
        file = name or path.name
        for line in lines.read(path):
            if line.reason:
                yield Item(line.number, None, (Problem(file, line.number, "", line.reason),), line.replaced)
                continue
            try:
                if not isinstance(line.value, dict):
                    raise Refused("", f"found {found(line.value)}; accepted is one JSON object a line")
                yield Item(line.number, self.record(line.value), replaced=line.replaced)
            except Refused as refused:
                problem = Problem(file, line.number, refused.field, refused.reason)
                yield Item(line.number, None, (problem,), line.replaced)


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
