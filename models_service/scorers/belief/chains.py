"""A reference's way to its answer, and how much of it an agent's steps have covered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from annotations.records import Json, TrajectoryRecord
from models_service.scorers import text
from models_service.scorers.language.asked import inert
from models_service.scorers.reading import COMMON, clip
from models_service.scorers.rendering import texts

NAMES = ("solution", "reasoning", "rationale", "steps", "chain_of_thought")
MARK = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]{2,}")
MOST = 40  # steps of a chain that are used


def chain(reference: Json) -> list[str]:
    """The steps of the reference's solution, in order; none where it holds no solution. One text is parted at blank
    lines, or at lines where there are none."""
    found = (
        next((reference[name] for name in NAMES if reference.get(name)), None) if isinstance(reference, dict) else None
    )
    if isinstance(found, str):
        return parted(inert(found))
    rows = found if isinstance(found, list) else []
    return [said for one in rows if (said := inert(text.flat(one).strip()))]


def parted(said: str) -> list[str]:
    paragraphs = [one.strip() for one in re.split(r"\n\s*\n", said) if one.strip()]
    return paragraphs if len(paragraphs) > 1 else [one.strip() for one in said.splitlines() if one.strip()]


def covered(record: TrajectoryRecord, steps: Sequence[str], enough: float) -> dict[int, int]:
    """For each of the agent's steps how many of the chain's first steps are covered once it is taken: `enough` of the
    words and numbers of each stand in what the agent wrote up to there. The chain is covered in order."""
    wanted = [marks(one) for one in steps]
    found: dict[int, int] = {}
    for way in texts(record):
        seen, count = set[str](), 0
        for place, own in zip(way.places, way.own, strict=True):
            seen |= marks(own)
            count += _further(wanted[count:], seen, enough)
            found.setdefault(place, count)
    return found


def marks(said: str) -> set[str]:
    """What a text speaks of: its numbers, and its words but the commonest."""
    return set(_marks(clip(said).lower()))


def _marks(said: str) -> Iterator[str]:
    return (one for one in MARK.findall(said) if one not in COMMON)


def _further(wanted: Sequence[set[str]], seen: set[str], enough: float) -> int:
    for count, one in enumerate(wanted):
        if len(one & seen) < enough * len(one):
            return count
    return len(wanted)
