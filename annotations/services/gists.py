"""The beginnings of steps, for lines and cells of a table: what was said, called and seen, in a few words.

Many are read at once, so the database sends the beginnings alone, however long the texts are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import TextField
from django.db.models.functions import Cast, Left

from annotations.models import Step
from annotations.models.trajectories import StepQuerySet
from annotations.records import Json
from annotations.rendering.parts import Told, text_of

SAID, CALLS, SEEN = 600, 3_000, 1_500  # characters of each that are looked at
ARGUMENTS = 200  # of a call, as it is shown
_CALL = re.compile(r'"name":"((?:[^"\\]|\\.)*)","arguments":(?:"((?:[^"\\]|\\.)*)|([^"].*))?', re.S)
_HALF = re.compile(r"(?<!\\)((?:\\\\)*)\\u[0-9a-fA-F]{0,3}$")  # an escape of which not all is there
_CONTENT = re.compile(r'"(?:content|text)":"((?:[^"\\]|\\.)*)', re.S)


class Call(NamedTuple):
    name: str
    arguments: str


@dataclass(frozen=True)
class Gist:
    """A step in a few words; `seen` is the beginning of what its calls brought."""

    pk: int
    trajectory: int
    index: int
    source: str
    said: str
    calls: tuple[Call, ...]
    seen: str

    @property
    def agent(self) -> bool:
        return self.source == Step.Source.AGENT


def read(steps: StepQuerySet) -> list[Gist]:
    """The gists of these steps, in their order. One query."""
    rows = steps.values_list(
        "pk",
        "trajectory_id",
        "index",
        "source",
        Left("message", SAID),
        Left("reasoning", SAID),
        Left(Cast("tool_calls", TextField()), CALLS),
        Left(Cast("observations", TextField()), SEEN),
    )
    return [_gist(*row) for row in rows]


def of(step: Step) -> Gist:
    """The gist of a step that is in memory already."""
    return Gist(step.pk or 0, step.trajectory_id or 0, step.index, step.source, *told(step))


def told(step: Told) -> tuple[str, tuple[Call, ...], str]:
    """What was said (or thought, where nothing was said), called and seen."""
    calls = tuple(_call(one.get("name"), one.get("arguments")) for one in step.tool_calls if isinstance(one, dict))
    return _line(step.message[:SAID] or step.reasoning[:SAID]), calls, _line(_content(step.observations)[:SEEN])


def _gist(pk: int, trajectory: int, index: int, source: str, message: str, thought: str, calls: str, seen: str) -> Gist:
    said = _line(message) or _line(thought)
    return Gist(pk, trajectory, index, source, said, tuple(_calls(calls)), _line(_beginning(seen)))


def _calls(text: str) -> Iterator[Call]:
    """The calls in the JSON of a list of them, which may break off."""
    try:
        found = json.loads(text)
    except ValueError:
        for name, quoted, other in _CALL.findall(text):
            yield _call(_unquoted(name), _unquoted(quoted) or other)
        return
    yield from (_call(one.get("name"), one.get("arguments")) for one in found if isinstance(one, dict))


def _beginning(text: str) -> str:
    """What the first observation says, of the JSON of a list of them, which may break off."""
    try:
        return _content(json.loads(text))
    except ValueError:
        found = _CONTENT.search(text)
        return _unquoted(found[1]) if found else ""


def _content(observations: Iterable[Json]) -> str:
    texts = (text_of(one.get("content") if isinstance(one, dict) else one) for one in observations)
    return next((text for text in texts if text), "")


def _unquoted(text: str) -> str:
    """The inside of a JSON string that may break off in the middle of an escape."""
    whole = _HALF.sub(r"\1", text)
    try:
        return str(json.loads(f'"{whole}"', strict=False))
    except ValueError:
        return whole


def _call(name: Any, arguments: Json) -> Call:
    return Call(_line(str(name or "tool"))[:100], _line(_arguments(arguments))[:ARGUMENTS])


def _arguments(arguments: Json) -> str:
    """Arguments as a person would note them: a single one by its value, several as name: value."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return str(arguments)
    if not isinstance(arguments, dict):
        return text_of(arguments)
    if len(arguments) == 1:
        return text_of(next(iter(arguments.values())))
    return ", ".join(f"{name}: {text_of(value)[:ARGUMENTS]}" for name, value in arguments.items())


def _line(text: str) -> str:
    return " ".join(text.split())
