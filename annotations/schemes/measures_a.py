"""What the sources of some presets compute from the answers: pure functions, each with where it comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from annotations.records import Json
from annotations.schemes.fields import RubricField
from annotations.schemes.fields.base import NOTHING, Around


def unmet(spec: RubricField, value: Mapping[str, str], around: Around = NOTHING) -> list[str]:
    """The items answered no, in the rubric's order: for a retry (HeRL), for the next edit (ProImage-Bench)."""
    return [name for name in spec.asked(around) if value.get(name) == "no"]


def retry_bonus(
    spec: RubricField, first: Mapping[str, str], retry: Mapping[str, str], around: Around = NOTHING
) -> float | None:
    """The rubric score of a retry less that of the first attempt (HeRL)."""
    before, after = spec.points(first, around), spec.points(retry, around)
    return None if before is None or after is None else after - before


def verified(answer: Json, flaws: Iterable[Json], points: float | None, limit: float) -> bool:
    """Whether a rollout counts in Verified Pass@N (RRM): right answer, no flawed step, rubric score at the limit.

    `flaws` is what was said of each step. That a flawed step alone keeps it out is our reading.
    """
    return answer == 1 and all(one == ["none"] for one in flaws) and points is not None and points >= limit


def normalised(process: float, outcome: float) -> float:
    """Process and outcome, both from 0 to 1, on one scale from -1 to 1 where no failure is above a success.

    Source: the aim of ReNorm (PPR); process + outcome - 1 is our reading of it.
    """
    return process + outcome - 1


def mean_shift(grades: Iterable[tuple[float, float]]) -> float | None:
    """How far grades moved on the mean from before to after the outcome was shown (RLHS)."""
    shifts = [after - before for before, after in grades]
    return sum(shifts) / len(shifts) if shifts else None


def mean_absolute_error(pairs: Iterable[tuple[float, float]]) -> float | None:
    """Of estimates against what was labelled (PRIMO)."""
    errors = [abs(one - other) for one, other in pairs]
    return sum(errors) / len(errors) if errors else None


def spread(budgets: Sequence[float | None], advances: Sequence[bool]) -> list[float]:
    """The progress after each step: a subtask begins where there is a budget, and its steps that advance share it.

    Source: ProcVLM, which goes by visual change where this counts steps. A subtask that only stands still adds nothing.
    """
    starts = [place for place, budget in enumerate(budgets) if budget is not None]
    gains = [0.0] * len(budgets)
    for start, end in zip(starts, [*starts[1:], len(budgets)], strict=True):
        moving = [place for place in range(start, end) if advances[place]]
        for place in moving:
            gains[place] = (budgets[start] or 0) / len(moving)
    return [round(sum(gains[: place + 1]), 9) for place in range(len(gains))]


class TimeFaults(NamedTuple):
    """Steps by index: those that end before they start, pairs that overlap, pairs that happen in another order."""

    backwards: list[int]
    overlaps: list[tuple[int, int]]
    reordered: list[tuple[int, int]]


def time_faults(times: Mapping[int, Mapping[str, float]]) -> TimeFaults:
    """What is odd about when the steps of a list happen, in seconds by the index of the step (HT-Step)."""
    backwards = [step for step in sorted(times) if times[step]["end"] <= times[step]["start"]]
    rest = [step for step in sorted(times) if step not in backwards]
    pairs = [(one, other) for place, one in enumerate(rest) for other in rest[place + 1 :]]
    overlaps = [pair for pair in pairs if _overlap(times[pair[0]], times[pair[1]])]
    reordered = [(one, other) for one, other in pairs if times[other]["start"] < times[one]["start"]]
    return TimeFaults(backwards, overlaps, reordered)


def _overlap(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return one["start"] < other["end"] and other["start"] < one["end"]


def segments(steps: Sequence[int], places: Mapping[int, Json]) -> list[list[int]]:
    """The steps cut where one says "begin" (SEG-ATP). The first begins a segment whatever it says."""
    found: list[list[int]] = []
    for step in steps:
        if not found or places.get(step) == "begin":
            found.append([])
        found[-1].append(step)
    return found


def first_right_unit(answers: Iterable[Json]) -> tuple[int | None, int]:
    """The number (from 1) of the first unit of thought with a right answer, and how many units follow it (MinD).

    A unit ends at each step with an answer; steps without one belong to the unit they lead to.
    """
    units = [one for one in answers if one in ("right", "wrong")]
    if "right" not in units:
        return None, 0
    number = units.index("right") + 1
    return number, len(units) - number


def progress_rewards(completions: Iterable[float]) -> list[float]:
    """For attempts in order, how far each got beyond the best before it, never below 0 (RetroAgent)."""
    best, found = 0.0, []
    for completion in completions:
        found.append(round(max(0.0, completion - best), 9))
        best = max(best, completion)
    return found


def gated(process: float, outcome: Json) -> float:
    """The process reward of a rollout that passes; 0 for one that fails (Posterior-GRPO)."""
    return process if outcome == 1 else 0.0


def better_by_objective(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, str]:
    """For each objective which of two is better, "one", "other" or "tie": a preference a head (MAH-DPO)."""
    return {
        name: "tie" if one[name] == other[name] else "one" if one[name] > other[name] else "other"
        for name in one
        if name in other
    }


def share_of(pairs: Iterable[tuple[Json, Json]], before: Json, now: Json) -> float | None:
    """Of what an older label called `before`, the share that is `now` (3LF's audit of binary formality)."""
    found = [after for older, after in pairs if older == before]
    return found.count(now) / len(found) if found else None


def aligned(similarity: float, limit: float = 0.5) -> bool:
    """Whether a prediction counts as the true action (LongNAP)."""
    return similarity >= limit


def majority(votes: Iterable[Json]) -> Json:
    """What most raters say; None where nobody does or the first two are level, which goes to review (KAT-V1)."""
    first = Counter(votes).most_common(2)
    return None if not first or (len(first) == 2 and first[0][1] == first[1][1]) else first[0][0]


def f1(found: int, asked: int, needed: int) -> float | None:
    """Of what was `found` among those asked for and those needed (DiagBench's examinations, TRM's wrong sentences)."""
    return 2 * found / (asked + needed) if asked + needed else None
