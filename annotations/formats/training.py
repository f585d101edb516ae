"""What rows for training share: a rollout from its beginning to one end, and its turns as plain chat messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.formats import chat, solutions, step_text
from annotations.formats.lines import dump
from annotations.formats.writer import Option
from annotations.records import Json, Labelled, StepRecord


@dataclass(frozen=True)
class Line:
    """The turns of a rollout, by their places. Of a tree each way to a leaf is one, numbered from 0; the verdict on a
    tree is on no one of its ways."""

    labelled: Labelled
    places: tuple[int, ...]
    number: int | None = None

    @property
    def steps(self) -> tuple[StepRecord, ...]:
        return self.labelled.record.steps

    @property
    def agents(self) -> tuple[int, ...]:
        return tuple(place for place in self.places if self.steps[place].source == "agent")

    @property
    def opening(self) -> tuple[int, ...]:
        """The turns before the agent's first."""
        return self.places[: self.places.index(self.agents[0])] if self.agents else self.places

    @property
    def rest(self) -> tuple[int, ...]:
        """The agent's first turn and all after it."""
        return self.places[len(self.opening) :]

    @property
    def grades(self) -> dict[int, int]:
        """The grades of those of its steps that have one, in order."""
        return {place: self.labelled.grades[place] for place in self.agents if place in self.labelled.grades}

    @property
    def final(self) -> int | None:
        return self.labelled.final if self.number is None else None

    @property
    def first_error(self) -> int | None:
        return next((place for place, grade in self.grades.items() if grade == -1), None)

    @property
    def name(self) -> str:
        """What the trajectory is called; of a tree, with the number of the way."""
        record = self.labelled.record
        name = record.external_id or f"{record.task.external_id}/{record.rollout or 0}"
        return name if self.number is None else f"{name}#{self.number}"

    def before(self, place: int) -> tuple[int, ...]:
        return self.places[: self.places.index(place)]


def lines_of(labelled: Labelled) -> Iterator[Line]:
    every = list(solutions.ways(labelled.record.steps))
    for number, way in enumerate(every):
        yield Line(labelled, tuple(way), number if len(every) > 1 else None)


def every_line(rollouts: Iterable[Labelled]) -> list[Line]:
    return [line for labelled in rollouts for line in lines_of(labelled)]


def messages(steps: Sequence[StepRecord], places: Iterable[int]) -> list[dict[str, Json]]:
    """The turns as chat messages that all have the same shape: texts, and calls whose arguments are JSON text. A
    picture is a mark in its text."""
    return [one for place in places for one in (message(steps[place]), *observations(steps[place]))]


def message(step: StepRecord) -> dict[str, Json]:
    """The turn itself."""
    made: dict[str, Json] = {"role": chat.ROLES[step.source], "content": step.message}
    if step.reasoning:
        made["reasoning_content"] = step.reasoning
    if step.tool_calls:
        made["tool_calls"] = [_call(one) for one in step.tool_calls]
    return made


def observations(step: StepRecord) -> list[dict[str, Json]]:
    """What answered its calls."""
    made: list[dict[str, Json]] = []
    for one in step.observations:
        said: dict[str, Json] = {"role": "tool", "content": step_text.content(one)}
        if isinstance(one, dict):
            said |= {key: one[key] for key in ("tool_call_id", "name") if isinstance(one.get(key), str)}
        made.append(said)
    return made


def tools(labelled: Labelled) -> Json:
    """The tools of the task: a column of this is `packed`."""
    return labelled.record.task.tools or []


def usual(options: Iterable[Option], asked: Mapping[str, Any]) -> dict[str, Any]:
    """A value for every option."""
    return {one.name: one.default for one in options} | dict(asked)


def _call(call: Json) -> dict[str, Json]:
    arguments = call.get("arguments")
    said = arguments if isinstance(arguments, str) else dump({} if arguments is None else arguments)
    name, called = call.get("name"), call.get("id")
    function = {"name": name if isinstance(name, str) else "", "arguments": said}
    return {"id": called if isinstance(called, str) else "", "type": "function", "function": function}
