"""What makes a trajectory urgent to label: pure functions from what scorers and judges say of it to a number.

Each policy gives one trajectory a `Measure`: the higher its value, the sooner the trajectory is labelled; None where
what the policy needs is missing. Numbers of different policies do not compare.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2
from typing import NamedTuple

from annotations.services.queue_policies_chance import chance


class Measure(NamedTuple):
    value: float
    reason: str


@dataclass(frozen=True)
class ScoredStep:
    """A step with its index in the trajectory. `score` is a probability where `calibrated`, else in the scorer's own
    range. `wrong` says from 0 to 1 how likely the step is wrong: 1 less a calibrated probability, else which share of
    all steps the run scored higher. `before` is the score of the step it follows."""

    index: int
    score: float
    wrong: float
    before: float | None = None
    calibrated: bool = True


@dataclass(frozen=True)
class Facts:
    """A trajectory as policies see it. `course` is what the agent did, as `course_of` spells it; `judged` gives for the
    index of a step which share of judges called it wrong; `viewed` is its place in the kept view that is followed."""

    trajectory: int
    task: int
    source: str = ""
    course: str = ""
    steps: Sequence[ScoredStep] = ()
    judged: Mapping[int, float] = field(default_factory=dict)
    viewed: int | None = None


def most_likely_wrong(one: Facts) -> Measure | None:
    """How likely its worst step is wrong."""
    if not one.steps:
        return None
    worst = max(one.steps, key=lambda step: step.wrong)
    said = f"P(wrong) {worst.wrong:.2f}" if worst.calibrated else f"{worst.wrong:.0%} of all steps score higher"
    return Measure(worst.wrong, f"step {worst.index}: {said}")


def disagreement(one: Facts) -> Measure | None:
    """How far the scorer and the judges are apart on the step where they are furthest apart: |P(wrong) − share of the
    judges that call it wrong|."""
    both = [step for step in one.steps if step.index in one.judged]
    if not both:
        return None
    apart = {step.index: abs(step.wrong - one.judged[step.index]) for step in both}
    most = max(both, key=lambda step: apart[step.index])
    judges, scorer = one.judged[most.index], most.wrong
    return Measure(apart[most.index], f"step {most.index}: wrong to {judges:.0%} of the judges, {scorer:.2f} by scores")


def critical_step(one: Facts) -> Measure | None:
    """The largest fall of the score from a step to the one that follows it."""
    falls = [(step.before - step.score, step) for step in one.steps if step.before is not None]
    if not falls:
        return None
    fall, step = max(falls, key=lambda found: found[0])
    if fall <= 0:
        return Measure(fall, "no step scores lower than the one before")
    return Measure(fall, f"step {step.index}: the score falls by {fall:.2f}, to {step.score:.2f}")


def uncertainty(one: Facts) -> Measure | None:
    """The mean entropy of its steps, in bits: 1 where each is as likely right as wrong. By margin the order of two
    steps would be the same. Only calibrated scores say how sure a scorer is."""
    if not one.steps or not all(step.calibrated for step in one.steps):
        return None
    mean = sum(entropy(step.wrong) for step in one.steps) / len(one.steps)
    return Measure(mean, f"{mean:.2f} bits of doubt a step, on {len(one.steps)} steps")


def entropy(probability: float) -> float:
    """Of a yes-or-no question, in bits; 0 where the answer is certain."""
    sides = (probability, 1 - probability)
    return -sum(side * log2(side) for side in sides if side > 0)


def in_view(one: Facts) -> Measure | None:
    """In the order of the view."""
    return None if one.viewed is None else Measure(-one.viewed, f"{one.viewed} of the view")


def diverse(facts: Iterable[Facts], seed: str) -> dict[int, Measure]:
    """Courses of action in turn: the first trajectory of each, then the second of each, and so on. Courses that many
    trajectories took are first in their turn; within a course chance decides."""
    courses: dict[str, list[int]] = defaultdict(list)
    for one in facts:
        courses[one.course].append(one.trajectory)
    largest = max(map(len, courses.values()), default=1)
    found = {}
    for course, trajectories in courses.items():
        trajectories.sort(key=lambda trajectory: (chance(seed, "course", trajectory), trajectory))
        size = len(trajectories)
        for turn, trajectory in enumerate(trajectories):
            reason = f"{turn + 1} of {size} that did: {course or 'nothing'}"
            found[trajectory] = Measure(-turn + size / (largest + 1), reason)
    return found


def course_of(tools: Iterable[str]) -> str:
    """The tools in the order of their calls, repeats in a row told once: what two rollouts have in common that did the
    same with other arguments, and however often they tried."""
    found: list[str] = []
    for tool in tools:
        if not found or found[-1] != tool:
            found.append(tool)
    return " → ".join(found)


def shares_higher(values: Sequence[float]) -> Callable[[float], float]:
    """For scores that are no probabilities: the share of all values that are higher; equal ones count half."""
    count, above = len(values), {}
    ordered = sorted(values)
    start = 0
    while start < count:
        end = start
        while end < count and ordered[end] == ordered[start]:
            end += 1
        above[ordered[start]] = (count - end + (end - start) / 2) / count
        start = end
    return lambda value: above[value]


POLICIES: Mapping[str, Callable[[Facts], Measure | None]] = {
    "wrong": most_likely_wrong,
    "disagreement": disagreement,
    "critical": critical_step,
    "uncertain": uncertainty,
    "view": in_view,
}
