"""What of a labelled rollout is worth being learned: turns in order, each with whether it counts in the loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from annotations.formats.training import Line
from annotations.records import StepRecord


class Turn(NamedTuple):
    step: StepRecord
    loss: bool


Way = Callable[[Line, int], list[Turn]]


def cut(line: Line, least: int) -> list[Turn]:
    """All up to, and without, the first step that is not graded `least` or better. A step without a grade ends it too:
    nobody said that it is right."""
    good = _good(line, least)
    kept = line.agents[: _until(line.agents, good)]
    return _turns(line, line.places[: line.places.index(kept[-1]) + 1], good) if kept else []


def keep(line: Line, least: int) -> list[Turn]:
    """All turns; those that are graded less, or not at all, are read and not learned."""
    good = _good(line, least)
    return _turns(line, line.places, good) if good else []


def corrected(line: Line, least: int) -> list[Turn]:
    """All before the first wrong step, and how somebody says that this one should have been. Nothing where nobody
    does. The steps before it are learned where they are graded `least` or better."""
    wrong = line.first_error
    text = line.labelled.corrections.get(wrong, "") if wrong is not None else ""
    if wrong is None or not text.strip():
        return []
    better = StepRecord("agent", line.steps[wrong].source_index, text)
    return [*_turns(line, line.before(wrong), _good(line, least)), Turn(better, True)]


def spliced(line: Line, least: int) -> list[Turn]:
    """The rollout without the dead ends it came back from.

    A dead end begins with a wrong step and ends before the next step that is graded right; all steps in it go, with
    what tools answered. Nothing is spliced where anybody but the agent speaks within one (what comes after answers
    that), nor in a rollout whose verdict is that it failed. A wrong step after which none is right ends the row before
    it. There is a row only where at least one dead end went, and a right step is where it was left.
    """
    if line.final == -1:
        return []
    kept: list[int] = []
    spliced_out, rest = False, list(line.places)
    while rest:
        place = rest.pop(0)
        if line.grades.get(place) != -1:
            kept.append(place)
            continue
        ahead = next((at for at, one in enumerate(rest) if line.grades.get(one) == 1), None)
        if ahead is None:
            break
        if any(line.steps[one].source != "agent" for one in rest[:ahead]):
            return []
        spliced_out, rest = True, rest[ahead:]
    return _turns(line, tuple(kept), _good(line, least)) if spliced_out else []


WAYS: Mapping[str, Way] = {"cut": cut, "keep": keep, "corrected": corrected, "spliced": spliced}


def _good(line: Line, least: int) -> set[int]:
    return {place for place, grade in line.grades.items() if grade >= least}


def _until(places: tuple[int, ...], good: set[int]) -> int:
    return next((at for at, place in enumerate(places) if place not in good), len(places))


def _turns(line: Line, places: tuple[int, ...], good: set[int]) -> list[Turn]:
    return [Turn(line.steps[place], place in good) for place in places]
