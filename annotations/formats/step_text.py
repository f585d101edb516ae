"""A step, and a whole trajectory, as text: one way of writing them down for everything that trains on text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from annotations.formats import chat
from annotations.formats.lines import dump
from annotations.records import Json, StepRecord


class Stretch(NamedTuple):
    """Whose words stand from `start` up to `end`, in code points: those of the step at `place`, by its role; what tools
    answered it has a stretch of its own, with the role "tool"."""

    place: int
    role: str
    start: int
    end: int


class Written(NamedTuple):
    text: str
    stretches: tuple[Stretch, ...]


def parts(step: StepRecord) -> list[str]:
    """The step as texts: its thought, what it said, its calls, and what answered them."""
    return [*own(step), *seen(step)]


def own(step: StepRecord) -> list[str]:
    """What the one who took the step wrote: the thought, the message, the calls."""
    thought = [f"<think>\n{step.reasoning}\n</think>"] if step.reasoning else []
    said = [step.message] if step.message else []
    return [*thought, *said, *(_tagged("tool_call", _call(one)) for one in step.tool_calls)]


def seen(step: StepRecord) -> list[str]:
    """What answered its calls."""
    return [f"<tool_response>\n{content(one)}\n</tool_response>" for one in step.observations]


def said(step: StepRecord) -> str:
    return "\n\n".join(own(step))


def whole(step: StepRecord) -> str:
    return "\n\n".join(parts(step))


def content(observation: Json) -> str:
    """The text of an observation. A picture in it is a mark."""
    inner = observation.get("content") if isinstance(observation, dict) else observation
    if isinstance(inner, str):
        return inner
    in_parts = isinstance(inner, list) and all(isinstance(one, dict) and "type" in one for one in inner)
    return chat.text_of(inner) if in_parts else dump(inner)


def joined(steps: Sequence[StepRecord], places: Iterable[int]) -> str:
    """The steps at these places as one text."""
    return written(steps, places).text


def written(steps: Sequence[StepRecord], places: Iterable[int]) -> Written:
    """The steps at these places as one text, a blank line between any two parts, and whose words stand where in it. A
    step that said nothing has a stretch without characters."""
    pieces: list[str] = []
    stretches: list[Stretch] = []
    end = 0
    for place in places:
        step = steps[place]
        spoken = [(chat.ROLES[step.source], said(step))]
        spoken += [("tool", "\n\n".join(seen(step)))] if len(step.observations) else []
        for role, text in spoken:
            gap = "\n\n" if end and text else ""
            start = end + len(gap)
            end = start + len(text)
            pieces += [gap, text]
            stretches.append(Stretch(place, role, start, end))
    return Written("".join(pieces), tuple(stretches))


def _call(call: Json) -> dict[str, Json]:
    return {"name": call.get("name"), "arguments": call.get("arguments")}


def _tagged(tag: str, value: Json) -> str:
    return f"<{tag}>\n{dump(value)}\n</{tag}>"
