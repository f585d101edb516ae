"""Turns by how like their calls are to the calls of a reference (MatchTIR)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from annotations.records import StepRecord, TrajectoryRecord
from models_service.scorers import reading
from models_service.scorers.reference import assigning, parts
from models_service.scorers.reference.parts import Call
from models_service.scorers.ruled import Found, RuledScorer
from models_service.statistics.canonical import tokens

WAYS = ("best", "greedy", "soft")
MOST = 500  # calls on either side that are matched


def similarity(predicted: Call, reference: Call) -> float:
    """0 where the names differ; else name, parameter names and equal parameters, each for its share."""
    if predicted.name != reference.name:
        return 0.0
    either = predicted.parameters.keys() | reference.parameters.keys()
    both = predicted.parameters.keys() & reference.parameters.keys()
    alike = len(both) / len(either) if either else 1.0
    equal = sum(predicted.parameters[name] == reference.parameters[name] for name in both)
    return (1 + alike + equal) / (2 + len(reference.parameters))


def rewards(table: assigning.Table, way: str = "best", unmatched: float = 0.0) -> list[float]:
    """What each predicted call gets. Soft, it is the sum over its row of plan and similarity."""
    if way == "soft":
        return [float(one) for one in (assigning.transport(table) * table).sum(axis=1)]
    pairs = assigning.best(table) if way == "best" else assigning.greedy(table)
    matched = {row: float(table[row, column]) for row, column in pairs.items() if table[row, column] > 0}
    return [matched.get(row, unmatched) for row in range(len(table))]


def token_f1(said: str, right: str) -> float:
    """F1 of the words two answers share, each as often as it stands in both."""
    one, other = Counter(tokens(said)), Counter(tokens(right))
    shared = (one & other).total()
    return 2 * shared / (one.total() + other.total()) if shared else 0.0


class MatchedCalls(RuledScorer):
    """A turn with calls gets the mean of what they get, the closing one the F1 of its words with the answer."""

    title = "matching against the reference's calls"
    needs = "the calls of a right way, and the answer, in the task's reference"
    range = (-1.0, 1.0)
    reads_reference = True

    def __init__(self, way: str = "best", unmatched: float = 0.0) -> None:
        if way not in WAYS or not -1 <= unmatched <= 0:
            raise ValueError(f"way is one of {', '.join(WAYS)}, unmatched from -1 to 0; found {way!r}, {unmatched}")
        self.way, self.unmatched = way, unmatched

    def steps(self, record: TrajectoryRecord, steps: Sequence[StepRecord]) -> Sequence[Found]:
        wanted = parts.calls(record.task.reference)
        if not wanted:
            raise self.lacks("the task's reference holds no calls")
        made = [[parts.call(one) for one in step.tool_calls] for step in steps]
        flat = [one or Call("", {}) for calls in made for one in calls]
        if max(len(flat), len(wanted)) > MOST:
            raise self.lacks(f"more than {MOST} calls")
        table = np.array([[similarity(one, other) for other in wanted] for one in flat])
        each = iter(rewards(table, self.way, self.unmatched) if flat else [])
        return [
            self._turn(step, [next(each) for _ in calls], record, last=step is steps[-1])
            for step, calls in zip(steps, made, strict=True)
        ]

    def _turn(self, step: StepRecord, got: list[float], record: TrajectoryRecord, *, last: bool) -> Found:
        if got:
            names = [getattr(parts.call(one), "name", "a call") for one in step.tool_calls]
            return Found(float(np.mean(got)), list(zip(names, got, strict=True)))
        if not last:
            raise self.lacks("a turn before the last makes no call, so there is nothing to match")
        right = parts.answers(record.task.reference)
        if not right:
            raise self.lacks("the last turn answers, and the task's reference holds no answer")
        value = max(token_f1(reading.answer(step.message), one) for one in right)
        return Found(value, [("words of the answer", value)])
