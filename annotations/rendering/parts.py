"""The texts of a step in reading order: what it thought, said, called, and what came back of each call."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from annotations.records import Json
from annotations.rendering import images
from annotations.rendering.images import Image

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
    @property
    def extra(self) -> Json: ...


class Part(NamedTuple):
    """One text. `name` tells it from the step's others; `kind` is reasoning, message, call or observation. `images` are
    the pictures that stand in it."""

    name: str
    kind: str
    title: str
    text: str
    images: tuple[Image, ...] = ()


def parts(step: Told, *, pictures: bool = True) -> Iterator[Part]:
    """Its parts in reading order. Without `pictures` those of the message are not looked for, and `extra` not read."""
    if step.reasoning:
        yield Part("reasoning", "reasoning", "Reasoning", step.reasoning)
    shown = _pictures(message_content(step)) if pictures else ()
    if step.message or shown:
        yield Part("message", "message", "", step.message, shown)
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


def message_content(step: Told) -> Json:
    """A message's content where it is more than a text: a list of parts (see formats/chat.py)."""
    fields = step.extra.get("fields") if isinstance(step.extra, dict) else None
    return fields.get("content") if isinstance(fields, dict) else None


def content_of(observation: Json) -> Json:
    return observation.get("content") if isinstance(observation, dict) else observation


def text_of(content: Json) -> str:
    """The text of a chat message's content, which may be a string, a list of parts, or anything else in JSON."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(_part_text(one) for one in content)
    return _picture_text(content) or json.dumps(content, ensure_ascii=False)


def _picture_text(one: Json) -> str:
    """A mark in the place of a picture, and what stands around it; "" where there is none."""
    if (source := images.source_of(one)) is not None:
        return images.described(source).mark
    inside = one.get("content") if isinstance(one, dict) else None
    return text_of(inside) if isinstance(inside, list) and any(images.sources(inside)) else ""


def _part_text(one: Json) -> str:
    if found := _picture_text(one):
        return found
    if isinstance(one, dict) and isinstance(one.get("text"), str):
        return str(one["text"])
    return one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)


def _call(call: Json, place: int) -> Part:
    return Part(f"call-{place}", "call", str(call.get("name") or "tool"), text_of(call.get("arguments")))


def _answer(observation: Json, place: int) -> Part:
    content = content_of(observation)
    name = observation.get("name") if isinstance(observation, dict) else ""
    return Part(f"observation-{place}", "observation", str(name or "Observation"), text_of(content), _pictures(content))


def _pictures(content: Json) -> tuple[Image, ...]:
    return tuple(map(images.described, images.sources(content))) if isinstance(content, (list, dict)) else ()


def _answers(calls: Sequence[Json], observations: Sequence[Json]) -> dict[int | None, list[int]]:
    """Place of a call → places of its observations: by id, else by order where there are as many; None: of no call."""
    ids = {call.get("id"): place for place, call in enumerate(calls) if call.get("id")}
    paired = len(observations) == len(calls)
    found: dict[int | None, list[int]] = {}
    for place, one in enumerate(observations):
        named = one.get("tool_call_id") if isinstance(one, dict) else None
        by_order = place if paired and named is None else None
        call = ids.get(named, by_order) if isinstance(named, str) else by_order
        found.setdefault(call, []).append(place)
    return found
