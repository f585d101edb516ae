"""A step as it is shown: its texts in reading order, cut to what a page can bear. Not what may be seen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from annotations.models import Score, Step
from annotations.records import Json
from annotations.rendering.outline import Head, head, heads
from annotations.rendering.parts import Part, parts, text_of

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


def turns(steps: Iterable[Step], scores: Mapping[int, Sequence[Score]], before: int = 0) -> list[Turn]:
    """Turns in order, each with what `scores` has under its index. `before` of the agent's steps came before them."""
    number = before
    found = []
    for step in steps:
        agent = step.source == Step.Source.AGENT
        number += agent
        shown = heads(step.outline) if step.outline is not None else map(head, parts(step))
        blocks = tuple(_beginning(one) for one in shown)
        found.append(Turn(step.index, step.source, number if agent else None, blocks, scores.get(step.index, ())))
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
    found = next((one for one in parts(step) if one.name == name), None)
    return None if found is None else _whole(found, raw=raw)


def shown_json(value: Json) -> Block:
    """A stored value (a reference, an outcome) as a text to read."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _beginning(head(Part("value", "value", "", text)))


def _beginning(one: Head) -> Block:
    tidy = _laid_out(one.text) if one.whole else None
    shown = one.text if tidy is None else tidy
    folds = _is_long(shown, 1 if one.kind in FOLDED else 4)
    return Block(one.name, one.kind, one.title, shown, one.size, folds, one.whole, tidy is not None)


def _whole(one: Part, *, raw: bool) -> Block:
    tidy = None if raw else _laid_out(one.text)
    shown = one.text if tidy is None else tidy
    return Block(one.name, one.kind, one.title, shown, len(one.text.encode()), False, True, tidy is not None)


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
