"""A step as it is shown: its texts in reading order, cut to what a page can bear. Not what may be seen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from annotations.models import Score, Step
from annotations.records import Json
from annotations.rendering import jsons
from annotations.rendering.outline import LONG, Head, head, heads
from annotations.rendering.parts import Part, parts, text_of
from annotations.rendering.pointers import pointers as pointers_of
from annotations.rendering.shown import Shown, cut, first
from annotations.rendering.tokens import to_text
from annotations.services import pictures
from annotations.services.beside import NOTHING, Beside
from annotations.services.pictures import Picture
from annotations.views import screens
from annotations.views.screens import Screen

FOLD_LINES = 12
FOLD_CHARACTERS = 900
FOLDED = frozenset(["reasoning", "observation"])  # the rest is what is judged: it folds only when very long


@dataclass(frozen=True)
class Block:
    """One text of a step. `part` names it to the door that sends it whole; `size` is the whole text's, in bytes.

    `text` is it as written, or its beginning where it is not `whole`. `shown` is what stands on the page. `pictures`
    are those in it, `screen` the one that a call points at.
    """

    part: str
    kind: str
    title: str
    text: str
    shown: Shown
    size: int
    folded: bool
    whole: bool
    pictures: tuple[Picture, ...] = ()
    screen: Screen | None = None

    @property
    def big(self) -> bool:
        """Whether the page brings the rest piece by piece."""
        return self.size > LONG


@dataclass(frozen=True)
class Turn:
    """One step with its texts. `number` counts the agent's steps from 1; None for context."""

    index: int
    source: str
    number: int | None
    blocks: tuple[Block, ...]
    scores: Sequence[Score] = ()
    beside: Beside = NOTHING

    @property
    def place(self) -> int:
        """Which turn it is, from 1."""
        return self.index + 1

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


def turns(
    steps: Iterable[Step],
    scores: Mapping[int, Sequence[Score]],
    before: int = 0,
    beside: Mapping[int, Beside] | None = None,
) -> list[Turn]:
    """Turns in order, each with what `scores` and `beside` have under its index. `before` of the agent's steps came
    before them."""
    number, last = before, _Last()
    found = []
    for step in steps:
        agent = step.source == Step.Source.AGENT
        number += agent
        shown = heads(step.outline) if step.outline is not None else map(head, parts(step))
        blocks = tuple(_block(one, step, last) for one in shown)
        told = (beside or {}).get(step.index, NOTHING)
        found.append(Turn(step.index, step.source, number if agent else None, blocks, scores.get(step.index, ()), told))
    return found


class _Last:
    """The last picture so far. Where the first turns call for one that came before them, it is looked up, once."""

    def __init__(self) -> None:
        self._picture: Picture | None = None
        self._known = False

    def pictures(self, one: Head, step: Step) -> tuple[Picture, ...]:
        found = tuple(Picture(step.index, one.name, number, image) for number, image in enumerate(one.images, 1))
        if shown := [picture for picture in found if picture.image.media]:
            self._picture, self._known = shown[-1], True
        return found

    def screen(self, one: Head, step: Step) -> Screen | None:
        pointers = pointers_of(one.text) if one.kind == "call" and one.whole else []
        if pointers and not self._known and step.pk:
            self._picture, self._known = pictures.before(step.trajectory_id, step.index), True
        return screens.screen(self._picture, pointers) if pointers and self._picture else None


def _block(one: Head, step: Step, last: _Last) -> Block:
    return replace(_beginning(one), pictures=last.pictures(one, step), screen=last.screen(one, step))


def with_whole_message(turn: Turn, step: Step) -> Turn:
    """The turn with its message whole, however long a page would cut it, to be asked about sentence by sentence; cut
    where it is longer than anybody answers so."""
    if all(block.whole or block.kind != "message" or block.size > LONG for block in turn.blocks):
        return turn
    whole = [
        replace(block, text=step.message, whole=True) if block.kind == "message" and block.size <= LONG else block
        for block in turn.blocks
    ]
    return replace(turn, blocks=tuple(whole))


def tools(stored: Json) -> list[Tool]:
    """Tools as OpenAI and others spell them: {"function": {…}} or the function itself."""
    functions = [one.get("function", one) for one in stored or [] if isinstance(one, dict)]
    return [_tool(one) for one in functions if isinstance(one, dict)]


def _tool(one: dict[str, Json]) -> Tool:
    parameters = one.get("parameters") or one.get("input_schema")
    return Tool(text_of(one.get("name")), text_of(one.get("description")), _pretty(parameters) if parameters else "")


def shown_json(value: Json) -> Block:
    """A stored value (a reference, an outcome) as a text to read."""
    text = value if isinstance(value, str) else _pretty(value)
    return _beginning(head(Part("value", "value", "", text)))


def _beginning(one: Head) -> Block:
    shown = first(one.text, one.kind, one.title) if one.whole else cut(one.text)
    folds = _is_long(one.text, shown, 1 if one.kind in FOLDED else 4)
    return Block(one.name, one.kind, one.title, one.text, shown, one.size, folds, one.whole)


def _is_long(text: str, shown: Shown, times: int) -> bool:
    return len(text) > FOLD_CHARACTERS * times or shown.html.count("\n") > FOLD_LINES * times


def _pretty(value: Json) -> str:
    """JSON of ours for reading."""
    return to_text(jsons.laid_out(json.dumps(value, ensure_ascii=False)))
