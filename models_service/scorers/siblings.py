"""What the rollouts of one task say of each other: whose answers agree, what others called and saw.

Consensus, not truth; no reference is read. A rollout that says it does not know agrees with nobody. Nothing is counted
that is the same for all rollouts of a task: a project has too few tasks to learn what that means. Nor is how long
others took: where each rollout is of another model, it tells the models apart and not good steps from wrong ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from models_service.scorers.reading import Rollout, Turn, accord, beside, share, words

ABSENT = -1.0  # the value of a share of what a step does not have
SAME = 0.8  # of the shorter answer's words in the longer one: taken for the same answer

NAMES = (
    "has siblings", "answer agrees with siblings", "answer agrees with siblings, at the last step",
    "closest sibling answer", "share of siblings with this very answer", "votes for this answer",
    "answer longer than those of siblings", "call made by siblings too", "call like those of siblings",
    "observation seen by siblings too", "siblings' answers in the observation", "steps before, times disagreement",
    "answer found in what siblings saw", "answer found beside task words in what siblings saw",
)  # fmt: skip


def values(rollout: Rollout, place: int, siblings: Sequence[Rollout]) -> list[float]:
    """The values of NAMES for the step at that place. fsum: the order of siblings moves no digit, and so no bin."""
    if not siblings:
        return [0.0, *[ABSENT] * (len(NAMES) - 1)]
    turn, many = rollout.turns[place], len(siblings)
    near = [accord(rollout.answer_words, other.answer_words) for other in siblings]
    mine = set() if turn.declines else turn.answer_words
    here = [accord(mine, other.answer_words) for other in siblings]
    return [
        1.0,
        math.fsum(near) / many,
        math.fsum(here) / many if not turn.calls else ABSENT,
        max(near),
        sum(mine == other.answer_words for other in siblings) / many if mine else ABSENT,
        votes(mine, siblings) if mine else ABSENT,
        _longer(turn, siblings),
        *_seen(turn, siblings),
        math.log1p(place) * (1 - math.fsum(near) / many),
        *_supported(rollout, turn, siblings),
    ]


def _longer(turn: Turn, siblings: Sequence[Rollout]) -> float:
    """How many times as many words as the middle one of the others', as a logarithm."""
    if not turn.answer:
        return ABSENT
    return math.log1p(len(turn.answer_words)) - math.log1p(median(len(other.answer_words) for other in siblings))


def _supported(rollout: Rollout, turn: Turn, siblings: Sequence[Rollout]) -> list[float]:
    """Whether what others saw holds this step's answer: for one given from memory it is the only evidence there is."""
    said, saw = words(turn.answer), [other for other in siblings if other.observed_words]
    if not said or not saw:
        return [ABSENT, ABSENT]
    found = math.fsum(share(said, other.observed_words) for other in saw) / len(saw)
    return [found, max(beside(said, rollout.task_words, other.turns) for other in saw)]


def _seen(turn: Turn, siblings: Sequence[Rollout]) -> list[float]:
    """Whether others called and saw the same, and whether what came back holds their answers."""
    many, answered = len(siblings), [other.answer_words for other in siblings if other.answer_words]
    called = sum(not other.calls.isdisjoint(turn.calls) for other in siblings)
    like = math.fsum(share(turn.call_words, other.call_words) for other in siblings)
    seen = math.fsum(share(turn.observed_words, other.observed_words) for other in siblings)
    held = math.fsum(share(one, turn.observed_words) for one in answered)
    return [
        called / many if turn.calls else ABSENT,
        like / many if turn.calls else ABSENT,
        seen / many if turn.observed else ABSENT,
        held / len(answered) if turn.observed and answered else ABSENT,
    ]


def votes(mine: set[str], siblings: Sequence[Rollout]) -> float:
    """How many give this answer, this rollout included, beside how many give the one that most siblings give."""
    others = [other.answer_words for other in siblings if other.answer_words]
    most = max((_like(one, others) for one in others), default=1)
    return min(1.0, (1 + _like(mine, others)) / (most + 1))


def _like(answer: set[str], others: Sequence[set[str]]) -> int:
    return sum(accord(answer, other) >= SAME for other in others)
