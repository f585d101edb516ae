"""Where errors come by what a tool was called with: argument by argument, and value by value where there are few."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from models_service.statistics.rollouts import Called, Rollout

FEW = 8  # different values of an argument, up to which each has a row
LISTED = 200
LEAST = 2  # labelled steps that a row is of


def arguments(rollouts: Sequence[Rollout]) -> list[dict[str, Any]]:
    """A row for each argument that some calls of its tool have and some have not, and for each value of one that never
    has more than FEW: the labelled steps that call the tool with it and the wrong ones of these, and of those that call
    it otherwise. Most called first.

    Three steps call `search` with "top", two of them wrong, and one without, right: 2 of 3 with it, 0 of 1 without.
    """
    steps, wrong, values = _counted(rollouts)
    told = (one for one in steps if one[1] and steps[one] >= LEAST and (not one[2] or len(values[one[:2]]) <= FEW))
    rows = [row for one in told if (row := _row(one, steps, wrong))["else_steps"]]
    rows.sort(key=lambda row: (-row["steps"], row["tool"], row["argument"], row["value"]))
    return rows[:LISTED]


def _counted(rollouts: Sequence[Rollout]) -> tuple[Counter[Called], Counter[Called], dict[tuple[str, str], set[str]]]:
    """The labelled steps of each, the wrong ones, and the values of each argument. These are given up beyond FEW: there
    may be millions."""
    steps: Counter[Called] = Counter()
    wrong: Counter[Called] = Counter()
    values: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in rollouts:
        for called, grade in zip(one.calls, one.grades, strict=False):
            if grade is None:
                continue
            for each in dict.fromkeys(called):
                if each[2]:
                    values[each[:2]].add(each[2])
                    if len(values[each[:2]]) > FEW:
                        values[each[:2]].discard(each[2])
                        values[each[:2]].add("")  # which no value is, and makes one too many
                        continue
                steps[each] += 1
                wrong[each] += grade == -1
    return steps, wrong, values


def _row(one: Called, steps: Counter[Called], wrong: Counter[Called]) -> dict[str, Any]:
    tool, argument, value = one
    whole = (tool, argument, "") if value else (tool, "", "")  # a value is held against the argument's other values
    return {
        "tool": tool,
        "argument": argument,
        "value": value,
        "steps": steps[one],
        "wrong": wrong[one],
        "else_steps": steps[whole] - steps[one],
        "else_wrong": wrong[whole] - wrong[one],
    }
