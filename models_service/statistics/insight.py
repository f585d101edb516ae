"""What labels say of the policies that made the rollouts: how often they are right, where they fail, whether they
recover, and where the end and the way to it tell different stories.

A grade is 1 (right), 0 (neither) or -1 (wrong); None where a step has no label. Undefined shares are null.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from models_service.statistics import insight_attempts, insight_calls, insight_spent
from models_service.statistics.rollouts import CONFIDENCE, Draw, Rollout

RESAMPLES = 1000
GRADES = (1, 0, -1)
POSITIONS = 10
LISTED = 200  # rollouts that a list names


def compute(rollouts: Sequence[Rollout], *, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Any]:
    """All of it, as JSON."""
    longest: dict[int, int] = defaultdict(int)
    shortest: dict[int, int] = {}
    for one in rollouts:
        longest[one.task] = max(longest[one.task], len(one.grades))
        shortest[one.task] = min(shortest.get(one.task, len(one.grades)), len(one.grades))
    draw = Draw(rollouts, resamples, seed)
    return {
        "counts": {
            "rollouts": len(rollouts),
            "tasks": len(longest),
            "steps": sum(len(one.labelled) for one in rollouts),
            "outcomes": sum(one.success is not None for one in rollouts),
        },
        "models": _grouped(rollouts, lambda one: one.model or "not named", draw, longest, shortest),
        "sources": _grouped(rollouts, lambda one: one.source or "not named", draw, longest, shortest),
        "transitions": transitions(rollouts),
        "positions": positions(rollouts),
        "tools": tools(rollouts),
        "outcomes": outcomes(rollouts),
        "arguments": insight_calls.arguments(rollouts),
        "spent": insight_spent.spent(rollouts, draw),
        "attempts": insight_attempts.attempts(rollouts, draw),
        "resamples": resamples,
        "seed": seed,
        "confidence": CONFIDENCE,
    }


def _grouped(
    rollouts: Sequence[Rollout],
    by: Callable[[Rollout], str],
    draw: Draw,
    longest: Mapping[int, int],
    shortest: Mapping[int, int],
) -> list[dict[str, Any]]:
    """A row for each group, the largest first."""
    groups: dict[str, list[Rollout]] = defaultdict(list)
    for one in rollouts:
        groups[by(one)].append(one)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return [{"name": name, **_group(some, draw, longest, shortest)} for name, some in ordered]


def _group(
    some: Sequence[Rollout], draw: Draw, longest: Mapping[int, int], shortest: Mapping[int, int]
) -> dict[str, Any]:
    """`shares` are of the labelled steps. Two controls for policies that look right because they stop early: `full`
    counts every step that the task's longest rollout has and this one has not as not right; `common` looks only at as
    many steps as the task's shortest rollout has. `recovery`: of rollouts with a wrong step, those with a right one
    after it."""
    shares = {
        str(grade): draw.share((one.task, sum(g == grade for g in one.grades), len(one.labelled)) for one in some)
        for grade in GRADES
    }
    wrong = [one for one in some if one.first_error is not None]
    known = [one for one in some if one.success is not None]
    return {
        "rollouts": len(some),
        "mean_steps": sum(len(one.grades) for one in some) / len(some),
        "shares": shares,
        "full": draw.share((one.task, sum(g == 1 for g in one.grades), longest[one.task]) for one in some),
        "common": draw.share(_common(one, shortest[one.task]) for one in some),
        "with_error": draw.share((one.task, one.first_error is not None, 1) for one in some if one.labelled),
        "recovery": draw.share((one.task, recovers(one), 1) for one in wrong),
        "first_error": sum((one.first_error or 0) + 1 for one in wrong) / len(wrong) if wrong else None,
        "success": draw.share((one.task, bool(one.success), 1) for one in known),
    }


def _common(one: Rollout, steps: int) -> tuple[int, float, float]:
    shared = [grade for grade in one.grades[:steps] if grade is not None]
    return one.task, sum(grade == 1 for grade in shared), len(shared)


def recovers(one: Rollout) -> bool:
    """Whether a right step comes after the first wrong one.

    >>> recovers(Rollout(1, "a", 1, "", "", (1, -1, -1, 1)))
    True
    """
    first = one.first_error
    return first is not None and 1 in one.grades[first + 1 :]


def transitions(rollouts: Sequence[Rollout]) -> dict[str, Any]:
    """What follows what, of labelled neighbours: `all`, and `after`, from the first wrong step on. Self-correction is
    wrong → right; its rate is of all wrong steps that something follows.

    >>> transitions([Rollout(1, "a", 1, "", "", (1, -1, 1))])["all"]
    {'1': {'1': 0, '0': 0, '-1': 1}, '0': {'1': 0, '0': 0, '-1': 0}, '-1': {'1': 1, '0': 0, '-1': 0}}
    """
    every: Counter[tuple[int, int]] = Counter()
    after: Counter[tuple[int, int]] = Counter()
    for one in rollouts:
        first = one.first_error
        for place, (before, then) in enumerate(zip(one.grades, one.grades[1:], strict=False)):
            if before is None or then is None:
                continue
            every[before, then] += 1
            after[before, then] += first is not None and place >= first
    followed = sum(every[-1, then] for then in GRADES)
    return {
        "all": _table(every),
        "after": _table(after),
        "self_correction": every[-1, 1] / followed if followed else None,
        "wrong_stays": every[-1, -1] / followed if followed else None,
    }


def _table(counts: Counter[tuple[int, int]]) -> dict[str, dict[str, int]]:
    return {str(before): {str(then): counts[before, then] for then in GRADES} for before in GRADES}


def positions(rollouts: Sequence[Rollout]) -> list[dict[str, Any]]:
    """Tenths of the way: how many steps are labelled there, how many are wrong, how many the first wrong one."""
    rows = [{"from": place / POSITIONS, "steps": 0, "wrong": 0, "first": 0} for place in range(POSITIONS)]
    for one in rollouts:
        for place, grade in enumerate(one.grades):
            if grade is None:
                continue
            row = rows[place * POSITIONS // len(one.grades)]
            row["steps"] += 1
            row["wrong"] += grade == -1
            row["first"] += place == one.first_error
    return rows


def tools(rollouts: Sequence[Rollout]) -> list[dict[str, Any]]:
    """By the tool that a step calls ("" where it calls none): its labelled steps and the wrong ones, most called
    first."""
    steps: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for one in rollouts:
        for tool, grade in zip(one.tools, one.grades, strict=True):
            if grade is not None:
                steps[tool] += 1
                wrong[tool] += grade == -1
    return [{"tool": tool, "steps": count, "wrong": wrong[tool]} for tool, count in _most(steps)]


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:LISTED]


def outcomes(rollouts: Sequence[Rollout]) -> dict[str, Any]:
    """Process against outcome, of rollouts whose every step is labelled and whose outcome is known. `miracles`: they
    succeed although a step is wrong; `unlucky`: they fail although none is. `rate` is miracles over successes."""
    whole = [one for one in rollouts if one.success is not None and one.grades and None not in one.grades]
    miracles = [one for one in whole if one.success and one.first_error is not None]
    unlucky = [one for one in whole if not one.success and one.first_error is None]
    right = sum(bool(one.success) for one in whole)
    return {
        "rollouts": len(whole),
        "right": right,
        "miracles": len(miracles),
        "unlucky": len(unlucky),
        "rate": len(miracles) / right if right else None,
        "lists": {"miracles": _named(miracles), "unlucky": _named(unlucky)},
    }


def _named(some: Sequence[Rollout]) -> list[dict[str, Any]]:
    return [
        {"pk": one.pk, "name": one.name, "model": one.model, "first_error": one.first_error} for one in some[:LISTED]
    ]
