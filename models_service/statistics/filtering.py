"""Which machine-made step labels are to be trusted: two verdicts on the first error, and labels beside people's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

NO_ERROR = -1  # as the first error's number: every step was judged, and none is wrong


@dataclass(frozen=True)
class Verdicts:
    """The first error of one rollout by Monte-Carlo labels and by a judge: a step's number from 0, or NO_ERROR; None
    where one of them says nothing."""

    sampled: int | None
    judged: int | None

    @property
    def is_kept(self) -> bool | None:
        """Whether both name the same step, or both none (the consensus filter of "The Lessons of Developing Process
        Reward Models in Mathematical Reasoning", our reading of its abstract). Else the rollout is disputed, and a
        person is to look at it. None where it cannot be told: silence agrees with nothing."""
        if self.sampled is None or self.judged is None:
            return None
        return self.sampled == self.judged


class Consensus(NamedTuple):
    """The places, among the rollouts that were given, of those kept, disputed, and without both verdicts."""

    kept: list[int]
    disputed: list[int]
    open: list[int]


def consensus(rollouts: Sequence[Verdicts]) -> Consensus:
    found = Consensus([], [], [])
    for place, one in enumerate(rollouts):
        {True: found.kept, False: found.disputed, None: found.open}[one.is_kept].append(place)
    return found


def first_error(labels: Sequence[float | None], limit: float = 0.0) -> int | None:
    """The number of the first label at or below the limit, from 0, or NO_ERROR. None where a step before it, or any
    step where none is wrong, has no label."""
    for number, label in enumerate(labels):
        if label is None:
            return None
        if label <= limit:
            return number
    return NO_ERROR if labels else None


class Share(NamedTuple):
    """So many `hits` of so many; `value` is None where there was nothing to count."""

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        return self.hits / self.of if self.of else None


def right_with_errors(rollouts: Iterable[tuple[bool, int | None]]) -> Share:
    """Of the rollouts with a right answer those with at least one wrong step; each is (right, first error)."""
    right = [error for is_right, error in rollouts if is_right and error is not None]
    return Share(sum(error != NO_ERROR for error in right), len(right))


def lowest_at_last(rollouts: Iterable[Sequence[float]]) -> Share:
    """Of the rollouts of several steps those whose lowest score is that of the last step alone: many of them are a sign
    that a scorer judges the outcome and not the steps."""
    several = [one for one in rollouts if len(one) > 1]
    return Share(sum(one[-1] < min(one[:-1]) for one in several), len(several))


def noise(labels: Iterable[tuple[float | None, bool | None]], limit: float = 0.5) -> Share:
    """Of the steps that have both a machine's label in [0, 1] and a person's (whether the step is right) those on which
    the two differ; the machine calls a step right from the limit on. SCAN reports such a ratio before and after it
    filters; that it counts steps, and where its limit lies, is our reading."""
    both = [(label >= limit, right) for label, right in labels if label is not None and right is not None]
    return Share(sum(said != right for said, right in both), len(both))
