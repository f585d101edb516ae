"""Texts marked, mended and added to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from annotations.records import Json


class Stop(NamedTuple):
    """The word at which a monitor stops, from 0, and the share of the words it has seen by then."""

    word: int
    seen: float


class Turn(NamedTuple):
    """A piece of an augmented rollout, and whose it is."""

    author: Literal["student", "teacher"]
    text: str


def mask(spans: Iterable[Mapping[str, Json]], part: str, length: int, types: Sequence[Json]) -> list[int]:
    """1 at every code point of the part inside a span of one of the types. Source: the token penalty of Perceval."""
    inside = [0] * length
    for span in spans:
        if span["part"] == part and span["type"] in types:
            inside[span["start"] : span["end"]] = [1] * (span["end"] - span["start"])
    return inside


def stop_at(text: str, inside: Sequence[int]) -> Stop | None:
    """The first word that a mask of the text touches; None where it touches none.

    Source: FineHarm's monitor, which reads a response word by word. Words are what white space parts.
    """
    words = list(re.finditer(r"\S+", text))
    for number, word in enumerate(words):
        if any(inside[word.start() : word.end()]):
            return Stop(number, (number + 1) / len(words))
    return None


def spliced(texts: Mapping[int, str], intervention: Mapping[str, Json]) -> list[str]:
    """The agent's own steps up to the error and the intervention in its place, and nothing after. Source: InT."""
    return [text for step, text in sorted(texts.items()) if step < intervention["step"]] + [intervention["text"]]


def augmented(texts: Mapping[int, str], feedback: Mapping[int, str]) -> Iterator[Turn]:
    """The student's steps, each followed by what the teacher said after it. Source: ThinkTuning."""
    for step, text in sorted(texts.items()):
        yield Turn("student", text)
        if step in feedback:
            yield Turn("teacher", feedback[step])


def shared_points(one: str, other: str) -> float:
    """Share of points, a line each, that both texts list; case, white space and a full stop do not matter.

    Our reading of RM-NLHF, which holds the points of a judge's critique against a person's.
    """
    mine, theirs = (
        {" ".join(line.casefold().split()).rstrip(".") for line in text.splitlines() if line.strip()}
        for text in (one, other)
    )
    return len(mine & theirs) / len(mine | theirs)


def edit_distance(draft: str, edited: str) -> int:
    """How many code points were put in, taken out or changed (Levenshtein).

    Pathology-CoT records how far experts edit; the measure is our choice.
    """
    row = list(range(len(edited) + 1))
    for number, had in enumerate(draft, start=1):
        above, row = row, [number]
        for place, has in enumerate(edited):
            row.append(min(above[place] + (had != has), above[place + 1] + 1, row[place] + 1))
    return row[-1]
