"""The formats, found by name or by what a file holds. To add one: a file here, a line below, a sample in the tests."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from annotations.formats import lines
from annotations.formats.agentprocessbench import AgentProcessBench
from annotations.formats.agentprocessbench_labels import AgentProcessBenchLabels
from annotations.formats.base import Format, LineFormat
from annotations.formats.long_csv import LongCSV
from annotations.formats.openai_chat import OpenAIChat
from annotations.formats.parquet import LongParquet
from annotations.formats.stepmark import Stepmark
from annotations.formats.trl_stepwise import TRLStepwise

FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        AgentProcessBench(),
        AgentProcessBenchLabels(),
        OpenAIChat(),
        Stepmark(),
        TRLStepwise(),
        LongParquet(),
        LongCSV(),
    )
}
LOOK = 20  # broken lines at the head of a file do not hide what it is


class UnknownFormat(ValueError):
    """No such format, or none that recognises the file. The message names those there are."""


def readable(holds: str = "trajectories") -> list[str]:
    return [one.name for one in FORMATS.values() if one.reads and one.holds == holds]


def writable() -> list[str]:
    return [one.name for one in FORMATS.values() if one.writes]


def reader(name: str, holds: str = "trajectories") -> LineFormat:
    """The format of that name that reads such files."""
    one = FORMATS.get(name)
    if not isinstance(one, LineFormat) or one.holds != holds:
        raise UnknownFormat(f"no format {name!r} reads {holds}; accepted are auto, {', '.join(readable(holds))}")
    return one


def detect(path: Path, holds: str = "trajectories") -> LineFormat:
    """The format of the file, from its first records. Raises UnknownFormat naming what was found."""
    first = ""
    for line in islice(lines.read(path), LOOK):
        one = next((one for one in FORMATS.values() if one.reads and one.recognises(line.value)), None)
        if one is not None and one.holds != holds:
            other = "import_labels" if one.holds == "labels" else "import_trajectories"
            raise UnknownFormat(f"this is {one.title}, which holds {one.holds}, not {holds}; use {other} for it")
        if isinstance(one, LineFormat):
            return one
        first = first or line.reason or _kind(line.value)
    raise UnknownFormat(f"{first or 'the file is empty'}; accepted are {', '.join(readable(holds))}")


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "found an object with the keys " + (", ".join(sorted(value)[:8]) or "(none)")
    return f"found a JSON {type(value).__name__}, not an object"
