"""Rollouts or single steps, each good or not, as TRL's KTO trainer reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import training
from annotations.formats.training import Line
from annotations.formats.writer import Option, Writer
from annotations.records import Json, Labelled

UNIT = Option("unit", "What is good or not", "rollout", (("rollout", "The whole rollout"), ("step", "Each step")))
BY = Option(
    "by",
    "What says whether a rollout is good",
    "final",
    (("final", "The verdict on the whole"), ("steps", "Its steps: good where all are right, not where one is wrong")),
)


class KTO(Writer):
    """`label` is true for right and false for wrong; what is neither, or is not labelled, is not written. By its steps
    a rollout is good only where every step is graded right. Of a step, `prompt` is all before it and `completion` the
    step without what tools answered. The ways of a tree are judged by their steps alone."""

    name = "kto"
    title = "Good and bad completions for KTO (JSONL)"
    keeps = "The conversation with thoughts and calls, the task's tools, and whether it is good."
    loses = "Neutral labels, explanations, and pictures, of which a mark stays."
    whole = True
    purpose = "preferences"
    options = (UNIT, BY)
    graded = False
    packed = frozenset(["tools"])

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        asked = training.usual(self.options, asked)
        for labelled in rollouts:
            given: set[int] = set()
            for line in training.lines_of(labelled):
                if asked["unit"] == "step":
                    yield from _of_steps(line, given)
                elif line.agents and (good := _good(line, asked["by"])) is not None:
                    opening = training.messages(line.steps, line.opening)
                    yield _row(line, opening, training.messages(line.steps, line.rest), good)


def _good(line: Line, by: str) -> bool | None:
    if by == "final":
        return {1: True, -1: False}.get(line.final or 0)
    grades = list(line.grades.values())
    if -1 in grades:
        return False
    return True if len(grades) == len(line.agents) and set(grades) == {1} else None


def _of_steps(line: Line, given: set[int]) -> Iterator[dict[str, Json]]:
    """One row a step that is right or wrong; a step that several ways of a tree share has one."""
    for place, grade in line.grades.items():
        if grade and place not in given:
            given.add(place)
            before = training.messages(line.steps, line.before(place))
            yield _row(line, before, [training.message(line.steps[place])], grade > 0)


def _row(line: Line, prompt: list[Json], completion: list[Json], good: bool) -> dict[str, Json]:
    return {
        "prompt": prompt,
        "completion": completion,
        "label": good,
        "tools": training.tools(line.labelled),
        "task": line.labelled.record.task.external_id,
        "trajectory": line.name,
    }
