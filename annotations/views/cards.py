"""Steps as cards with what was said of them, and as lines of an outline: a window at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from annotations.models import Step, Trajectory
from annotations.services import beside
from annotations.services.answers import Mark
from annotations.services.axis import Axis
from annotations.services.gists import Gist
from annotations.services.trees import Tree
from annotations.services.visibility import Visible
from annotations.views import turns

WINDOW = 40
LINES = 100  # of the outline, at a time


class Told(Protocol):
    """A trajectory with what was said of it: a dossier, or one that stands in a file."""

    axis: Axis
    trajectory: Trajectory
    visible: Visible
    tree: Tree | None

    def words(self, first: int, last: int) -> Mapping[int, Sequence[Any]]: ...
    def scores(self, first: int, last: int) -> Mapping[int, Sequence[Any]]: ...
    def tally(self, first: int, last: int) -> Mapping[int, list[tuple[Mark, int]]]: ...


@dataclass(frozen=True)
class Line:
    """A step in the outline: its number, its gist, and how often each value was given to it."""

    number: int
    gist: Gist
    tally: list[tuple[Mark, int]]


def window(file: Told, shown: list[Step], start: int, only: str = "") -> dict[str, Any]:
    """The window of steps from there, and where the windows around it begin. `only`: the way the reader is going."""
    end = start + WINDOW
    return {
        "trajectory": file.trajectory,
        "file": file,
        "cards": cards(file, shown, start, end),
        "earlier": start if start > 0 and only != "later" else None,
        "later": end if end <= file.axis.last and only != "earlier" else None,
    }


def cards(file: Told, shown: list[Step], start: int, end: int) -> list[dict[str, Any]]:
    """Each step with what was said of it, as trajectories/_step.html shows them."""
    words, scores = file.words(start, end), file.scores(start, end)
    told = beside.of(file.tree, shown, file.visible, file.axis.last)
    return [
        {
            "turn": replace(turn, number=file.axis.number(turn.index)),
            "stable_id": step.stable_id if step.content_hash else "",
            "words": words.get(turn.index, ()),
            "scores": scores.get(turn.index, ()),
        }
        for step, turn in zip(shown, turns.turns(shown, {}, beside=told), strict=True)
    ]


def outline(file: Told, at: int, read: Callable[[int, int], list[Gist]]) -> dict[str, Any]:
    """The lines of the outline around that step. `read` brings the gists of the agent's steps from … to before …"""
    agent = file.axis.agent
    start = file.axis.rank(at) // LINES * LINES
    chosen = agent[start : start + LINES]
    lines: list[Line] = []
    if chosen:
        first, end = chosen[0], chosen[-1] + 1
        tally = file.tally(first, end)
        found = enumerate(read(first, end), start=start + 1)
        lines = [Line(number, gist, tally.get(gist.index, [])) for number, gist in found]
    return {
        "trajectory": file.trajectory,
        "lines": lines,
        "lines_before": agent[start - LINES] if start else None,
        "lines_after": agent[start + LINES] if start + LINES < len(agent) else None,
        "steps_in_all": len(agent),
    }
