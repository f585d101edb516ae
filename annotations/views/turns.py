"""A step as it is shown: its texts in reading order, cut to what a page can bear. Not what may be seen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from annotations.models import Score, Step
from annotations.records import Json

CUT = 20_000  # characters of one text that ride along with the page
FOLD_LINES = 12
LAID_OUT_MOST = 1_000_000  # characters; a longer text is shown as it was written
LINE = 100  # characters of JSON that may share a line
FOLD_CHARACTERS = 900
FOLDED = frozenset(["reasoning", "observation"])  # the rest is what is judged: it folds only when very long


@dataclass(frozen=True)
class Block:
    """One text of a step. `part` names it to the door that sends it whole; `size` is the whole text's, in bytes.

    `formatted` says the text is JSON laid out for reading, so that what was really written is another view.
    """

    part: str
    kind: str
    title: str
    text: str
    size: int
    folded: bool
    whole: bool
    formatted: bool


@dataclass(frozen=True)
class Turn:
    """One step with its texts. `number` counts the agent's steps from 1; None for context."""

    index: int
    source: str
    number: int | None
    blocks: tuple[Block, ...]
    scores: Sequence[Score] = ()

    @property
    def of(self) -> str:
        """What a control of it adds to its name."""
        return f" of step {self.number}"


@dataclass(frozen=True)
class Tool:
    """A function the agent could call. `parameters` is its JSON schema, laid out."""

    name: str
    description: str
    parameters: str


def turns(steps: Iterable[Step], scores: Mapping[int, Sequence[Score]]) -> list[Turn]:
    """All turns of a trajectory in order, each with what `scores` has under its index."""
    number = 0
    found = []
    for step in steps:
        agent = step.source == Step.Source.AGENT
        number += agent
        blocks = tuple(_blocks(step))
        found.append(Turn(step.index, step.source, number if agent else None, blocks, scores.get(step.index, ())))
    return found


def holding(steps: Iterable[Step], wanted: str) -> list[str]:
    """Names of the turns of which a text too long for the page holds the case-folded text."""
    found, number = [], 0
    for step in steps:
        agent = step.source == Step.Source.AGENT
        number += agent
        long = (text for _, _, _, text in _texts(step) if len(text) > CUT)
        if any(wanted in text.casefold() for text in long):
            found.append(f"step {number}" if agent else f"{step.source} turn {step.index}")
    return found


def tools(stored: Json) -> list[Tool]:
    """Tools as OpenAI and others spell them: {"function": {…}} or the function itself."""
    functions = [one.get("function", one) for one in stored or [] if isinstance(one, dict)]
    return [_tool(one) for one in functions if isinstance(one, dict)]


def _tool(one: dict[str, Json]) -> Tool:
    parameters = one.get("parameters") or one.get("input_schema")
    return Tool(text_of(one.get("name")), text_of(one.get("description")), laid_out(parameters) if parameters else "")


def part(step: Step, name: str, *, raw: bool = False) -> Block | None:
    """One text of the step in full; None where it has no such part. `raw` leaves JSON as it was written."""
    for one, kind, title, text in _texts(step):
        if one == name:
            return _block(one, kind, title, text, cut=None, raw=raw)
    return None


def shown_json(value: Json) -> Block:
    """A stored value (a reference, an outcome) as a text to read."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _block("value", "value", "", text)


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


def _blocks(step: Step) -> Iterator[Block]:
    for name, kind, title, text in _texts(step):
        yield _block(name, kind, title, text)


def _texts(step: Step) -> Iterator[tuple[str, str, str, str]]:
    """(part, kind, title, text) in reading order: what it thought, said, called, and what came back of each call."""
    if step.reasoning:
        yield "reasoning", "reasoning", "Reasoning", step.reasoning
    if step.message:
        yield "message", "message", "", step.message
    answers = _answers(step)
    for place, call in enumerate(step.tool_calls):
        yield f"call-{place}", "call", str(call.get("name") or "tool"), text_of(call.get("arguments"))
        yield from (_answer(step, one) for one in answers.get(place, []))
    yield from (_answer(step, one) for one in answers.get(None, []))


def _answer(step: Step, place: int) -> tuple[str, str, str, str]:
    observation = step.observations[place]
    content = observation.get("content") if isinstance(observation, dict) else observation
    name = observation.get("name") if isinstance(observation, dict) else ""
    return f"observation-{place}", "observation", str(name or "Observation"), text_of(content)


def _answers(step: Step) -> dict[int | None, list[int]]:
    """Place of a call → places of its observations: by id, else by order where there are as many; None: of no call."""
    ids = {call.get("id"): place for place, call in enumerate(step.tool_calls) if call.get("id")}
    paired = len(step.observations) == len(step.tool_calls)
    found: dict[int | None, list[int]] = {}
    for place, one in enumerate(step.observations):
        named = one.get("tool_call_id") if isinstance(one, dict) else None
        call = ids.get(named, place if paired and named is None else None)
        found.setdefault(call, []).append(place)
    return found


def _block(part: str, kind: str, title: str, text: str, *, cut: int | None = CUT, raw: bool = False) -> Block:
    """`cut` None shows all of it."""
    long = cut is not None and len(text) > cut
    tidy = None if raw or long else _laid_out(text)
    shown = text[:cut] if long else text if tidy is None else tidy
    folds = cut is not None and _is_long(shown, 1 if kind in FOLDED else 4)
    return Block(part, kind, title, shown, len(text.encode()), folds, not long, tidy is not None)


def _is_long(text: str, times: int) -> bool:
    return len(text) > FOLD_CHARACTERS * times or text.count("\n") >= FOLD_LINES * times


def _laid_out(text: str) -> str | None:
    """JSON over several lines; None where the text is none, or only a bare number or string."""
    if len(text) > LAID_OUT_MOST or not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return laid_out(json.loads(text))
    except (ValueError, RecursionError):
        return None


def laid_out(value: Json, indent: str = "") -> str:
    """JSON for reading: what fits stays on a line, and a container of one thing opens on its line."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + len(indent) <= LINE or not isinstance(value, (dict, list)):
        return flat
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    inner = indent if len(value) == 1 else indent + "  "
    if isinstance(value, dict):
        parts = [f"{json.dumps(name, ensure_ascii=False)}: {laid_out(one, inner)}" for name, one in value.items()]
    else:
        parts = [laid_out(one, inner) for one in value]
    if len(parts) == 1:
        return f"{opening}{parts[0]}{closing}"
    return f"{opening}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{closing}"
