"""Pairs of whole rollouts of a task, the better one chosen, as TRL's DPO trainer reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from annotations.formats import step_text, training
from annotations.formats.lines import dump
from annotations.formats.training import Line
from annotations.formats.writer import Option, Writer
from annotations.records import Json, Labelled

BY = Option(
    "by",
    "What makes a rollout better",
    "final",
    (
        ("final", "The verdict on the whole"),
        ("right", "The share of right steps among those that are labelled"),
        ("wrong", "Fewer wrong steps, where every step is labelled"),
        ("preferred", "The share of comparisons with other rollouts of the task that it won"),
    ),
)
MARGIN = Option("margin", "By how much it is better at least", 0.0, least=0.0)
PAIRS = Option(
    "pairs", "Which pairs", "every", (("every", "Every two that differ"), ("ends", "The best against the worst"))
)


class DPO(Writer):
    """`prompt` is what stands before the agent's first turn, `chosen` and `rejected` all after it; only rollouts that
    begin with equal messages are paired. A rollout of which it is not known how good it is, is in no pair. The ways of
    a tree are compared by their steps alone: the verdict is on the whole tree. Messages of tools and users are in both
    answers: a trainer has to leave them out of the loss."""

    name = "dpo"
    title = "Better and worse rollouts for DPO (JSONL)"
    keeps = "Both conversations with thoughts, calls and observations, the task's tools, and by how much one is better."
    loses = "Labels of single steps, rollouts without a counterpart, and pictures, of which a mark stays."
    whole = True
    purpose = "preferences"
    options = (BY, MARGIN, PAIRS)
    together = True
    graded = False
    packed = frozenset(["tools"])

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        asked = training.usual(self.options, asked)
        known: dict[str, list[tuple[float, Line]]] = {}
        for line in training.every_line(rollouts):
            worth = worth_of(line, asked["by"])
            if worth is not None and line.agents:
                known.setdefault(dump(training.messages(line.steps, line.opening)), []).append((worth, line))
        for group in known.values():
            for margin, chosen, rejected in _pairs(group, asked["pairs"] == "ends"):
                if margin >= float(asked["margin"]):
                    yield _row(margin, chosen, rejected)


def worth_of(line: Line, by: str) -> float | None:
    """How good the rollout is; None where that is not known."""
    grades = list(line.grades.values())
    if by == "right":
        return grades.count(1) / len(grades) if grades else None
    if by == "wrong":
        return -float(grades.count(-1)) if grades and len(grades) == len(line.agents) else None
    if by == "preferred":
        return line.labelled.preferred if line.number is None else None
    return None if line.final is None else float(line.final)


def _pairs(group: list[tuple[float, Line]], ends: bool) -> Iterator[tuple[float, Line, Line]]:
    ranked = sorted(group, key=lambda one: -one[0])
    for (high, chosen), (low, rejected) in [(ranked[0], ranked[-1])] if ends else product(ranked, ranked):
        if high > low and _text(chosen) != _text(rejected):
            yield high - low, chosen, rejected


def _text(line: Line) -> str:
    return step_text.joined(line.steps, line.rest)


def _row(margin: float, chosen: Line, rejected: Line) -> dict[str, Json]:
    return {
        "prompt": training.messages(chosen.steps, chosen.opening),
        "chosen": training.messages(chosen.steps, chosen.rest),
        "rejected": training.messages(rejected.steps, rejected.rest),
        "tools": training.tools(chosen.labelled),
        "margin": margin,
        "task": chosen.labelled.record.task.external_id,
        "chosen_trajectory": chosen.name,
        "rejected_trajectory": rejected.name,
    }
