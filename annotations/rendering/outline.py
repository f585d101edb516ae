"""The beginnings of a step's texts, kept beside it where it is too long to be read from the table for every page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from annotations.records import Json
from annotations.rendering.images import Image
from annotations.rendering.parts import Part

LONG = 200_000  # characters of a step's texts and pictures together; a longer step has an outline
HEAD = 20_000  # characters of one text that ride along with a page
BEGINNING = 4_000  # of a text of a long step: a page has many of them


class Head(NamedTuple):
    """The beginning of one text. `size` is the whole text's, in bytes; `lines` how many it has; `images` what stands in
    it, without their data."""

    name: str
    kind: str
    title: str
    text: str
    size: int
    lines: int
    whole: bool
    images: tuple[Image, ...] = ()


def head(part: Part, most: int = HEAD) -> Head:
    text = part.text
    whole = len(text) <= most
    size = len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
    begins = text if whole else text[:most]
    return Head(part.name, part.kind, part.title, begins, size, text.count("\n") + 1, whole, part.images)


def outline(found: Iterable[Part]) -> Json:
    """The heads of a long step as JSON; None where the step is short enough to do without."""
    texts = list(found)
    if sum(len(part.text) + sum(image.size for image in part.images) for part in texts) <= LONG:
        return None
    return [[*head(part)[:7], [list(image) for image in part.images]] for part in texts]


def heads(stored: Json) -> list[Head]:
    """What `outline` made."""
    return [Head(*one[:7])._replace(images=tuple(Image(*image) for image in _images(one))) for one in stored]


def _images(stored: list[Json]) -> list[Json]:
    """Steps that came in before pictures were looked for have none in their outline."""
    return list(stored[7]) if len(stored) > 7 else []
