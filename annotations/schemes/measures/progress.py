"""How far the work has come: budgets, stretches of time, segments and units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from annotations.records import Json


class TimeFaults(NamedTuple):
    """Steps by index: those that end before they start, pairs that overlap, pairs that happen in another order."""

    backwards: list[int]
    overlaps: list[tuple[int, int]]
    reordered: list[tuple[int, int]]


def spread(budgets: Sequence[float | None], advances: Sequence[bool]) -> list[float]:
    """The progress after each step: a subtask begins where there is a budget, and its steps that advance share it.

    Source: ProcVLM, which goes by visual change where this counts steps. A subtask that only stands still adds nothing.
    """
    starts = [place for place, budget in enumerate(budgets) if budget is not None]
    gains = [0.0] * len(budgets)
    for start, end in zip(starts, [*starts[1:], len(budgets)], strict=True):
        moving = [place for place in range(start, end) if advances[place]]
        for place in moving:
            gains[place] = (budgets[start] or 0) / len(moving)
    return [round(sum(gains[: place + 1]), 9) for place in range(len(gains))]


def time_faults(times: Mapping[int, Mapping[str, float]]) -> TimeFaults:
    """What is odd about when the steps of a list happen, in seconds by the index of the step (HT-Step)."""
    backwards = [step for step in sorted(times) if times[step]["end"] <= times[step]["start"]]
    rest = [step for step in sorted(times) if step not in backwards]
    pairs = [(one, other) for place, one in enumerate(rest) for other in rest[place + 1 :]]
    overlaps = [pair for pair in pairs if _overlap(times[pair[0]], times[pair[1]])]
    reordered = [(one, other) for one, other in pairs if times[other]["start"] < times[one]["start"]]
    return TimeFaults(backwards, overlaps, reordered)


def _overlap(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return one["start"] < other["end"] and other["start"] < one["end"]


def segments(steps: Sequence[int], places: Mapping[int, Json]) -> list[list[int]]:
    """The steps cut where one says "begin" (SEG-ATP). The first begins a segment whatever it says."""
    found: list[list[int]] = []
    for step in steps:
        if not found or places.get(step) == "begin":
            found.append([])
        found[-1].append(step)
    return found


def first_right_unit(answers: Iterable[Json]) -> tuple[int | None, int]:
    """The number (from 1) of the first unit of thought with a right answer, and how many units follow it (MinD).

    A unit ends at each step with an answer; steps without one belong to the unit they lead to.
    """
    units = [one for one in answers if one in ("right", "wrong")]
    if "right" not in units:
        return None, 0
    number = units.index("right") + 1
    return number, len(units) - number


def progress_rewards(completions: Iterable[float]) -> list[float]:
    """For attempts in order, how far each got beyond the best before it, never below 0 (RetroAgent)."""
    best, found = 0.0, []
    for completion in completions:
        found.append(round(max(0.0, completion - best), 9))
        best = max(best, completion)
    return found
