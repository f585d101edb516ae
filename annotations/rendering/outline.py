"""The beginnings of a step's texts, kept beside it where it is too long to be read from the table for every page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from annotations.records import Json
from annotations.rendering.parts import Part

LONG = 200_000  # characters of a step's texts together; a longer step has an outline
HEAD = 20_000  # characters of one text that ride along with a page


class Head(NamedTuple):
    """The beginning of one text. `size` is the whole text's, in bytes; `lines` how many it has."""

    name: str
    kind: str
    title: str
    text: str
    size: int
    lines: int
    whole: bool


def head(part: Part) -> Head:
    text = part.text
    whole = len(text) <= HEAD
    size = len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
    return Head(part.name, part.kind, part.title, text if whole else text[:HEAD], size, text.count("\n") + 1, whole)


def outline(found: Iterable[Part]) -> Json:
    """The heads of a long step as JSON; None where the step is short enough to do without."""
    texts = list(found)
    if sum(len(part.text) for part in texts) <= LONG:
        return None
    return [list(head(part)) for part in texts]


def heads(stored: Json) -> list[Head]:
    """What `outline` made."""
    return [Head(*one) for one in stored]
