"""Where to spend the next sample, so that the most frequent answer of every item is known as surely as the budget lets.

Blend-ASC ("Optimal Self-Consistency"): of an item, a ≥ b samples went to its two leading answers. Two statistics say
how sure its leader is: adaptive self-consistency by the belief that the leader is the more frequent one, PPR-1v1 by a
martingale that stays right however often one looks. Items are ranked by each, the least sure first, and the ranks are
blended, from the first at the beginning to the second when the budget is spent. That the weight moves in a straight
line is our reading; the paper's page does not say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import comb, inf, sqrt
from typing import Generic, TypeVar

Answer = TypeVar("Answer")
Lead = tuple[int, int]  # a ≥ b: how often the two leading answers of an item were given


def leading(answers: Iterable[Answer]) -> Lead:
    """How often the most frequent answer and the one behind it were given; 0 where there is none."""
    counts = [count for _, count in Counter(answers).most_common(2)]
    return (*counts, 0, 0)[:2]  # type: ignore[return-value]


def confidence(lead: Lead) -> float:
    """P(X > ½), X ~ Beta(a + 1, b + 1): that the leader is the more frequent of the two. For whole counts it is the
    chance of at most a heads in a + b + 1 tosses, so no integral is needed. 3 to 1: (1+5+10+10)/32 = 0.8125."""
    a, b = _checked(lead)
    tosses = a + b + 1
    heads = sum(comb(tosses, count) for count in range(a + 1))
    ways: int = 2**tosses
    return heads / ways


def martingale(lead: Lead) -> float:
    """1 / density of Beta(a + 1, b + 1) at ½, which is 2^(a+b) / ((a + b + 1) · C(a + b, a)): the higher, the surer
    that the two are not equally frequent. 1 to 1: 4 / (3 · 2) = ⅔; 2 to 0: 4 / 3. Infinite where no float holds it."""
    a, b = _checked(lead)
    ways: int = 2 ** (a + b)
    try:
        return ways / ((a + b + 1) * comb(a + b, a))
    except OverflowError:
        return inf


def following(leads: Sequence[Lead], budget: int, spent: int | None = None) -> int | None:
    """The place of the item that gets the next sample; None once the budget is spent, or where there is no item.
    `spent`: samples so far, where other answers than the two leading ones were given. Of equally unsure items the one
    with fewer samples, then the earlier one."""
    spent = sum(map(sum, leads)) if spent is None else spent
    if spent >= budget or not leads:
        return None
    weight = spent / budget
    by_belief, by_martingale = _ranks([confidence(one) for one in leads]), _ranks([martingale(one) for one in leads])
    blended = [(1 - weight) * one + weight * other for one, other in zip(by_belief, by_martingale, strict=True)]
    return min(range(len(leads)), key=lambda place: (blended[place], sum(leads[place]), place))


def margin(first: float, second: float) -> float:
    """(√p1 − √p2)² of the shares of the two leading answers: the error of a vote over n samples falls as
    exp(−n · margin), so that items with a small margin take most of what is spent. .64 and .36: (.8 − .6)² = .04."""
    if not 0 <= second <= first <= 1:
        raise ValueError(f"shares are from 0 to 1, the leading one first; found {first} and {second}")
    return (sqrt(first) - sqrt(second)) ** 2


@dataclass
class Sampling(Generic[Answer]):
    """Samples of several items as they come in: ask `following` for an item, give its answer to `take`."""

    items: int
    budget: int
    answers: list[list[Answer]] = field(init=False)

    def __post_init__(self) -> None:
        self.answers = [[] for _ in range(self.items)]

    @property
    def spent(self) -> int:
        return sum(map(len, self.answers))

    def following(self) -> int | None:
        return following([leading(one) for one in self.answers], self.budget, self.spent)

    def take(self, item: int, answer: Answer) -> None:
        self.answers[item].append(answer)

    def spend(self, ask: Callable[[int], Answer]) -> list[Answer | None]:
        """Ask until the budget is spent; the most frequent answer of each item, None for one that was never asked."""
        while (item := self.following()) is not None:
            self.take(item, ask(item))
        return [Counter(one).most_common(1)[0][0] if one else None for one in self.answers]


def _checked(lead: Lead) -> Lead:
    a, b = lead
    if not a >= b >= 0:
        raise ValueError(f"counts of the two leading answers, the greater first; found {a} and {b}")
    return a, b


def _ranks(values: Sequence[float]) -> list[float]:
    """From 0 for the lowest; equal values share the mean of their ranks."""
    ordered = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    start = 0
    while start < len(ordered):
        end = start
        while end < len(ordered) and values[ordered[end]] == values[ordered[start]]:
            end += 1
        for place in ordered[start:end]:
            found[place] = (start + end - 1) / 2
        start = end
    return found
