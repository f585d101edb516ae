"""Choosing one of a task's rollouts by scores and answers, and how often the choice is right.

Ties are settled the same way each time: by the higher greatest score, then by the lower place.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import comb

from models_service.statistics.aggregating import Number

SUBSAMPLES = 100


def best(scores: Sequence[float]) -> int:
    """The place of the highest score."""
    return max(range(len(scores)), key=lambda place: (scores[place], -place))


def majority(answers: Sequence[str | None], scores: Sequence[float] | None = None) -> int | None:
    """The place of a rollout with the most frequent answer; one without an answer has no vote. None: nobody has one."""
    return _elected(answers, [1.0] * len(answers), scores or [0.0] * len(answers))


def weighted(answers: Sequence[str | None], scores: Sequence[float]) -> int | None:
    """The place of a rollout with the answer whose scores sum highest. ValueError where a score is below 0: it would
    count against an answer that more rollouts give."""
    if any(score < 0 for score in scores):
        raise ValueError("scores below 0 are no weights")
    return _elected(answers, scores, scores)


def _elected(answers: Sequence[str | None], votes: Sequence[float], scores: Sequence[float]) -> int | None:
    groups: dict[str, list[int]] = defaultdict(list)
    for place, answer in enumerate(answers):
        if answer is not None:
            groups[answer].append(place)
    if not groups:
        return None
    leaders = [(sum(votes[at] for at in group), *_leader(group, scores)) for group in groups.values()]
    return max(leaders, key=lambda one: (one[0], one[1], -one[2]))[2]


def _leader(group: Sequence[int], scores: Sequence[float]) -> tuple[float, int]:
    place = max(group, key=lambda at: (scores[at], -at))
    return scores[place], place


def best_of_k(scores: Sequence[float], right: Sequence[bool], k: int) -> Number:
    """How often the best scored of k rollouts is right, over all ways to draw k of the n without putting back: the one
    ranked r wins C(n − r, k − 1) of C(n, k) draws."""
    n = len(scores)
    if not 1 <= k <= n:
        return Number(None, f"{n} rollouts are too few to draw {k}")
    order = sorted(range(n), key=lambda place: (-scores[place], place))
    won = sum(comb(n - rank, k - 1) for rank, place in enumerate(order, 1) if right[place])
    return Number(won / comb(n, k))


def pass_at_k(n: int, right: int, k: int) -> Number:
    """How often one of k drawn rollouts is right: 1 − C(n − c, k)/C(n, k) (Chen et al., 2021)."""
    if not 1 <= k <= n:
        return Number(None, f"{n} rollouts are too few to draw {k}")
    return Number(1 - comb(n - right, k) / comb(n, k))


def subsamples(n: int, k: int, *, times: int = SUBSAMPLES, seed: int = 0) -> Iterator[list[int]]:
    """Places of k of n rollouts, drawn again and again; the same ones for the same seed."""
    drawing = random.Random(f"{seed}:{n}:{k}")
    for _ in range(times):
        yield sorted(drawing.sample(range(n), k))
