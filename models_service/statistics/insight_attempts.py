"""Whether a second attempt is better than the first: rollouts in which the user speaks again after an answer.

An attempt is right where its step is graded 1. After "Training Language Models to Self-Correct via Reinforcement
Learning" (SCoRe: accuracy at the first and the second attempt, and the shares of all that go from wrong to right and
from right to wrong), "MINT: Evaluating LLMs in Multi-turn Interaction" (success within k attempts, its slope by
regression on k) and UFO (how often an answer is one that was given before). Our reading of their abstracts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from models_service.statistics.rollouts import Draw, Rollout
from models_service.statistics.series import trend

MOST = 5  # attempts within which success is told


def attempts(rollouts: Sequence[Rollout], draw: Draw) -> list[dict[str, Any]]:
    """A row for each policy model with rollouts whose first two attempts are graded: shares of those. `gain` is second
    − first, which is fixed − broken. `within`: of those whose every attempt is graded, the share with a right one among
    the first k, for k from 1 to MOST (one that stops earlier counts as it stands); `slope` is that of the line through
    these. `repeats`: of later attempts, those equal to one before.

    First attempts right, wrong, wrong and second ones right, right, wrong: 1/3 and 2/3, fixed 1/3, broken 0.
    """
    groups: dict[str, list[Rollout]] = defaultdict(list)
    for one in rollouts:
        if len(one.attempts) > 1 and None not in (one.attempts[0][0], one.attempts[1][0]):
            groups[one.model or "not named"].append(one)
    return [_row(name, some, draw) for name, some in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))]


def _row(name: str, some: Sequence[Rollout], draw: Draw) -> dict[str, Any]:
    pairs = [(one.task, one.attempts[0][0] == 1, one.attempts[1][0] == 1) for one in some]
    whole = [one for one in some if all(grade is not None for grade, _ in one.attempts)]
    most = max((len(one.attempts) for one in whole), default=0)
    within = [draw.share((one.task, _within(one, k), 1) for one in whole) for k in range(1, min(MOST, most) + 1)]
    later = [(one.task, _repeats(one), len(one.attempts) - 1) for one in some]
    return {
        "name": name,
        "rollouts": len(some),
        "first": draw.share((task, first, 1) for task, first, _ in pairs),
        "second": draw.share((task, second, 1) for task, _, second in pairs),
        "gain": draw.share((task, second - first, 1) for task, first, second in pairs),
        "fixed": draw.share((task, second and not first, 1) for task, first, second in pairs),
        "broken": draw.share((task, first and not second, 1) for task, first, second in pairs),
        "within": within,
        "slope": trend([one["value"] for one in within]).value,
        "repeats": draw.share(later),
    }


def _within(one: Rollout, k: int) -> bool:
    return any(grade == 1 for grade, _ in one.attempts[:k])


def _repeats(one: Rollout) -> int:
    """How many of its attempts are equal to one before; what has no fingerprint is equal to none."""
    said = [said for _, said in one.attempts if said]
    return len(said) - len(set(said))
