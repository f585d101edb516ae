"""Pairs judged: how often the good one won, win rates, circles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from annotations.records import Json
from annotations.schemes.fields.preference import TIE

Verdicts = Mapping[tuple[int, int], Json]  # a pair in the order it was shown → the better one's number, or a tie


def pairwise(good: int, verdicts: Verdicts) -> tuple[float, bool]:
    """Share of its pairs that the good candidate wins, and whether it wins them all.

    Source: PairwiseAcc and BoNAcc of WebPRMBench, for one state. A pair that was asked in both orders is won if both
    say so: a verdict that turns with the order is no win.
    """
    asked: dict[int, list[bool]] = {}
    for pair, better in verdicts.items():
        if good in pair:
            other = pair[0] if pair[1] == good else pair[1]
            asked.setdefault(other, []).append(better == good)
    won = [all(said) for said in asked.values()]
    return sum(won) / len(won), all(won)


def win_rates(verdicts: Verdicts) -> dict[int, float]:
    """Mean result of each candidate against the others it was compared with; a tie counts half.

    Source: SPO, which scores a rollout by its win rate within its group.
    """
    results: dict[int, list[float]] = {}
    for (one, other), better in verdicts.items():
        for candidate in (one, other):
            result = 0.5 if better == TIE else float(better == candidate)
            results.setdefault(candidate, []).append(result)
    return {candidate: sum(found) / len(found) for candidate, found in sorted(results.items())}


def circles(verdicts: Verdicts) -> int:
    """How many threes of candidates beat each other in a circle. Source: SPO, on intransitive preferences."""
    beats = {(better, one if better == other else other) for (one, other), better in verdicts.items() if better != TIE}
    candidates = sorted({one for pair in verdicts for one in pair})
    return sum(_is_circle(beats, three) for three in combinations(candidates, 3))


def _is_circle(beats: set[tuple[int, int]], three: tuple[int, int, int]) -> bool:
    one, two, last = three
    forth = {(one, two), (two, last), (last, one)}
    return forth <= beats or {(after, before) for before, after in forth} <= beats


def preference_row(texts: Mapping[int, str], before: Sequence[int], better: int, other: int) -> dict[str, Json]:
    """The steps that both follow, the better one and the other one.

    Source: the rows of Step-DPO; IPO makes such a pair of a step and the safe one written in its place.
    """
    return {"prefix_steps": [texts[step] for step in before], "chosen": texts[better], "rejected": texts[other]}
