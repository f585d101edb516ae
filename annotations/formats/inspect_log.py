"""Logs of Inspect: one JSON document with all samples, or the archive (.eval) with a file for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from annotations.formats import folders, inspect_sample
from annotations.formats.base import FolderFormat, Item, LabelRecord, Refused, ValueFormat, found
from annotations.formats.lines import Line
from annotations.formats.opening.sources import Folder
from annotations.formats.turns import member
from annotations.records import Json, Problem, TrajectoryRecord

HEADER, START = "header.json", "_journal/start.json"
KEEPS = (
    "Messages with their calls, results, pictures and thoughts; scores, targets, tools, epochs, metadata, what was run."
)
LOSES = "The transcript's other events."
_SAMPLE = re.compile(r"samples/[^/]+\.json|samples/[^/]+/sample\.json")
_CHUNK = re.compile(r"(\d+)\.json")


class InspectLog(ValueFormat):
    name = "inspect"
    title = "Inspect logs (.json)"
    within = "samples"
    keeps = KEEPS
    loses = LOSES

    def recognises(self, value: Json) -> bool:
        return isinstance(value, dict) and "version" in value and "task" in member(value, "eval") and "status" in value

    def records(self, value: Any) -> Iterable[TrajectoryRecord | LabelRecord | Refused]:
        samples = value.get("samples") if isinstance(value, dict) else None
        if not isinstance(samples, list) or not samples:
            raise Refused("samples", f"found {found(samples)}; accepted is a list of samples")
        return _each(value, samples)


def _each(log: dict[str, Any], samples: list[Json]) -> Iterator[TrajectoryRecord | Refused]:
    for place, sample in enumerate(samples):
        try:
            yield inspect_sample.record(sample, log)
        except Refused as refused:
            yield Refused(f"samples[{place}].{refused.field}".rstrip("."), refused.reason)


class InspectEval(FolderFormat):
    """A run that was broken off has no header, only the beginning of its journal, and the samples that were done."""

    name = "inspect-eval"
    title = "Inspect logs (.eval)"
    keeps = KEEPS
    loses = LOSES

    def recognises_folder(self, folder: Folder) -> bool:
        return START in folder.members or (HEADER in folder.members and any(map(_SAMPLE.fullmatch, folder.members)))

    def read_folder(self, folder: Folder) -> Iterator[Item]:
        header: dict[str, Any] = {}
        for name in (HEADER, START):
            if name in folder.members and not header:
                line = folders.value_of(folder.members[name])
                header = line.value if isinstance(line.value, dict) else {}
                if line.reason:
                    yield folders.nothing(folder.members[name].name, line, "", line.reason)
        samples = sorted(filter(_SAMPLE.fullmatch, folder.members), key=_in_order)
        for place, path in enumerate(samples, 1):
            source = folder.members[path]
            line = folders.value_of(source)
            if path.endswith("/sample.json"):
                line = _joined(line, folder.under(path.removesuffix("/sample.json")))
            item = folders.item(source.name, line, lambda sample: inspect_sample.record(sample, header))
            yield replace(item, line=place)
        if not samples:
            yield Item(1, None, (Problem(folder.name, 1, "samples", "found no samples in the log"),))


def _in_order(path: str) -> list[tuple[int, str]]:
    """Samples by their numbers, 2 before 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path[:400])]


def _joined(line: Line, folder: Folder) -> Line:
    """A sample that is written in pieces, with its messages and attachments."""
    if line.reason or not isinstance(line.value, dict):
        return line
    attached = {str(number): one for number, one in enumerate(_sequence(folder, "attachments"))}
    messages = inspect_sample.pooled(line.value.get("message_refs"), list(_sequence(folder, "messages")))
    rest = {key: value for key, value in line.value.items() if key != "message_refs"}
    return replace(line, value=rest | {"messages": messages, "attachments": attached})


def _sequence(folder: Folder, name: str) -> Iterator[Json]:
    """The items of all chunks, which are named by the number of their first one."""
    inner = folder.under(name).members
    for path in sorted(filter(_CHUNK.fullmatch, inner), key=lambda path: int(path.removesuffix(".json")[:18])):
        chunk = folders.value_of(inner[path]).value
        yield from chunk if isinstance(chunk, list) else ()
