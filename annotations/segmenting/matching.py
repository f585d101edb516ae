"""Which parts of a message, cut one way, say just what parts of it say that were cut another way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from annotations.records import StepRecord


class Reached(NamedTuple):
    """How much of a message has been said where a part ends."""

    reasoning: int = 0
    message: int = 0
    calls: int = 0
    observations: int = 0


def tiles(old: Sequence[StepRecord], new: Sequence[StepRecord]) -> dict[int, range]:
    """Place of a new part → places of the old parts that together are just it. Both are all parts of one message."""
    begins = {start: place for place, start in enumerate(_starts(old))}
    found = {}
    starts = _starts(new)
    for place, (start, end) in enumerate(zip(starts, starts[1:], strict=False)):
        if start in begins and end in begins and begins[start] < begins[end]:
            found[place] = range(begins[start], begins[end])
    return found


def _starts(parts: Sequence[StepRecord]) -> list[Reached]:
    """Where each part begins, and where the last one ends."""
    found = [Reached()]
    for part in parts:
        before = found[-1]
        found.append(
            Reached(
                before.reasoning + len(part.reasoning),
                before.message + len(part.message),
                before.calls + len(part.tool_calls),
                before.observations + len(part.observations),
            )
        )
    return found
