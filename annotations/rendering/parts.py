"""The texts of a step in reading order: what it thought, said, called, and what came back of each call."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from annotations.records import Json

_LISTS = {"call": "tool_calls", "observation": "observations"}


class Told(Protocol):
    """A step, stored or just read from a file."""

    @property
    def message(self) -> str: ...
    @property
    def reasoning(self) -> str: ...
    @property
    def tool_calls(self) -> Sequence[Json]: ...
    @property
    def observations(self) -> Sequence[Json]: ...


class Part(NamedTuple):
    """One text. `name` tells it from the step's others; `kind` is reasoning, message, call or observation."""

    name: str
    kind: str
    title: str
    text: str


def parts(step: Told) -> Iterator[Part]:
    if step.reasoning:
        yield Part("reasoning", "reasoning", "Reasoning", step.reasoning)
    if step.message:
        yield Part("message", "message", "", step.message)
    observations = list(step.observations)
    answers = _answers(step.tool_calls, observations)
    for place, call in enumerate(step.tool_calls):
        yield _call(call, place)
        yield from (_answer(observations[one], one) for one in answers.get(place, []))
    yield from (_answer(observations[one], one) for one in answers.get(None, []))


def column(name: str) -> str:
    """The field of a step that holds the part of that name; "" where no part has such a name."""
    if name in ("reasoning", "message"):
        return name
    kind, _, place = name.partition("-")
    return _LISTS.get(kind, "") if place.isascii() and place.isdigit() and len(place) < 10 else ""


def part(step: Told, name: str) -> Part | None:
    """One part by its name, read from its `column` alone; None where the step has none of that name."""
    field = column(name)
    if field in ("reasoning", "message"):
        text = getattr(step, field)
        return Part(name, name, "Reasoning" if name == "reasoning" else "", text) if text else None
    held = getattr(step, field) if field else ()
    place = int(name.partition("-")[2]) if field else 0
    if place >= len(held):
        return None
    return _call(held[place], place) if field == "tool_calls" else _answer(held[place], place)


def text_of(content: Json) -> str:
    """The text of a chat message's content, which may be a string, a list of parts, or anything else in JSON."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(_part_text(one) for one in content)
    return json.dumps(content, ensure_ascii=False)


def _part_text(one: Json) -> str:
    if isinstance(one, dict) and isinstance(one.get("text"), str):
        return str(one["text"])
    return one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)


def _call(call: Json, place: int) -> Part:
    return Part(f"call-{place}", "call", str(call.get("name") or "tool"), text_of(call.get("arguments")))


def _answer(observation: Json, place: int) -> Part:
    told = isinstance(observation, dict)
    content = observation.get("content") if told else observation
    name = observation.get("name") if told else ""
    return Part(f"observation-{place}", "observation", str(name or "Observation"), text_of(content))


def _answers(calls: Sequence[Json], observations: Sequence[Json]) -> dict[int | None, list[int]]:
    """Place of a call → places of its observations: by id, else by order where there are as many; None: of no call."""
    ids = {call.get("id"): place for place, call in enumerate(calls) if call.get("id")}
    paired = len(observations) == len(calls)
    found: dict[int | None, list[int]] = {}
    for place, one in enumerate(observations):
        named = one.get("tool_call_id") if isinstance(one, dict) else None
        call = ids.get(named, place if paired and named is None else None)
        found.setdefault(call, []).append(place)
    return found
