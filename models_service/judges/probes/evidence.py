"""Evidence removed and swapped: a judge whose verdicts do not depend on what tools answered has not read it.

After the case-grounded evidence checks of claim verifiers: run again with the evidence taken away, and with that of
another task in its place. Read at the last step that people call right and that says what only the evidence holds;
without it, an honest judge no longer calls that step right.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from random import Random

from annotations.records import Labelled, TrajectoryRecord
from models_service.judges.probes.base import Edit, NotHere, Operator, Pair, Pool, Probe
from models_service.judges.probes.texts import edited, evidence_before, facts, graded, holds, observed, quoted, saying

NAME = "evidence"
REMOVED = "(nothing)"
TRIED = 50  # rollouts of other tasks that are looked at for evidence to swap in


def resting(one: Labelled, place: int) -> list[str]:
    """Names and numbers that the step says and that stand in what tools had answered, not in what was asked."""
    record = one.record
    seen = evidence_before(record, place)
    asked = "\n".join([record.task.instruction, *(step.message for step in record.steps if step.source != "agent")])
    return [fact for fact in facts(record.steps[place].message) if holds(seen, fact) and not holds(asked, fact)]


def changed(one: Labelled, pool: Pool, rng: Random, how: str) -> Pair | NotHere:
    places = [place for place in graded(one, 1) if resting(one, place)]
    if not places:
        return NotHere("no step called right says what only the tools' answers hold")
    target = places[-1]
    donors: list[str] = []
    if how == "swapped":
        donors = _answers(pool, one, rng, resting(one, target))
        if not donors:
            return NotHere("no other task has answers of tools that do not hold the same")
    record, before, after = _without(one.record, target, donors)
    edit = Edit(NAME, f"evidence_{how}", target, "observation", before, after, level="evidence")
    return edited(one, record, edit, "other", (target,), push=-1)


def _answers(pool: Pool, one: Labelled, rng: Random, facts: list[str]) -> list[str]:
    """What tools answered in a rollout of another task, of which the step's facts are not to be had."""
    others = pool.others(one)
    for other in rng.sample(others, min(len(others), TRIED)):
        answers = [observed(answer) for step in other.record.steps for answer in step.observations]
        if answers and not any(holds(answer, fact) for answer in answers for fact in facts):
            return answers
    return []


def _without(record: TrajectoryRecord, target: int, donors: list[str]) -> tuple[TrajectoryRecord, str, str]:
    """The record with other answers of tools before the target, and what they were and are."""
    steps, before, after = list(record.steps), list[str](), list[str]()
    for place in range(target):
        answers = []
        for answer in steps[place].observations:
            new = donors[len(after) % len(donors)] if donors else REMOVED
            before.append(quoted(observed(answer)))
            after.append(quoted(new))
            answers.append(saying(answer, new))
        if answers:
            steps[place] = replace(steps[place], observations=tuple(answers))
    return replace(record, steps=tuple(steps), rating=None, passes=()), "\n".join(before), "\n".join(after)


PROBE = Probe(
    NAME,
    "Evidence taken away",
    "Does it notice when what a step rests on is gone?",
    "Case-grounded evidence verification",
    (
        Operator("evidence_removed", "All answers of tools emptied", single=partial(changed, how="removed")),
        Operator("evidence_swapped", "All answers of tools from another task", single=partial(changed, how="swapped")),
    ),
)
