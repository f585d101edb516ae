"""Interventions in reasoning and in the report: a constraint contradicted, a part of the work skipped, a stop too
early, a slip of arithmetic. After "REFLECT" (meta-evaluation of judges by controlled interventions), read in its
abstract; how each is made is our reading.
"""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from random import Random

from annotations.records import Labelled
from models_service.judges.probes.base import Edit, NotHere, Pair, Pool, Target
from models_service.judges.probes.interventions_tools import only_there
from models_service.judges.probes.texts import (
    agents,
    cut_after,
    edited,
    evidence,
    facts,
    graded,
    shown,
    with_step,
    without_step,
)

NAME = "interventions"
STOP = "I stop here. What I have is enough, and the rest of the question need not be looked into."
AGAINST = (
    "I take it that “{phrase}” need not hold, and look for what does not fit it.",
    "The condition “{phrase}” is left aside from here on; the opposite is assumed.",
)
NUMBER = r"-?\d{1,12}(?:\.\d{1,6})?"
SUM = re.compile(rf"(?<![\w.])({NUMBER})\s*([-+*/×÷])\s*({NUMBER})\s*=\s*\$?({NUMBER})(?!\.?\d)")


def contradicted_constraint(one: Labelled, pool: Pool, rng: Random) -> Pair | NotHere:
    """The step says that it sets a condition of the task aside."""
    phrase = constraint(one.record.task.instruction)
    places = graded(one, 1)
    if not phrase or not places:
        return NotHere("the task names no condition" if places else "no step is called right")
    place = rng.choice(places)
    old = one.record.steps[place].message
    new = f"{rng.choice(AGAINST).format(phrase=phrase)}\n{old}".strip()
    changed = with_step(one.record, place, message=new)
    edit = Edit(NAME, "contradicted_constraint", place, "message", old, new, "reasoning")
    return edited(one, changed, edit, "wrong", (place,))


def constraint(instruction: str) -> str:
    """A condition of the task: the words around its last name or number; "" where it has neither."""
    found = facts(instruction)
    if not found:
        return ""
    sentence = next(each for each in re.split(r"(?<=[.?!])\s+|\n", instruction) if found[-1] in each)
    words = sentence.split()
    at = next((place for place, word in enumerate(words) if found[-1].split()[0] in word), 0)
    return " ".join(words[max(0, at - 3) : at + len(found[-1].split())]).strip(' ,;:.?!"“”')


def skipped_subgoal(one: Labelled, pool: Pool, rng: Random) -> Pair | NotHere:
    """A step that a later right one builds on is gone. Wrong is the one that now builds on nothing."""
    places = agents(one.record)
    for place, after in zip(places, places[1:], strict=False):
        if one.grades.get(place) != 1 or one.grades.get(after) != 1:
            continue
        if not only_there(one, place, one.record.steps[after]):
            continue
        step = one.record.steps[place]
        changed, kept = without_step(one.record, place)
        edit = Edit(NAME, "skipped_subgoal", place, "step", f"{shown(step)}\n{evidence(step)}", "", "reasoning")
        return edited(one, changed, edit, "wrong", (Target(kept[after], after),), kept=kept, at_most=0)
    return NotHere("no right step uses what only the step before it brought")


def early_stop(one: Labelled, pool: Pool, rng: Random) -> Pair | NotHere:
    """Instead of a right step that is not the last, the agent ends."""
    places = [place for place in graded(one, 1, lambda step: step.tool_calls) if place != agents(one.record)[-1]]
    if not places:
        return NotHere("no step called right calls a tool and has others after it")
    place = rng.choice(places)
    old = one.record.steps[place]
    shorter, kept = cut_after(one.record, place)
    changed = with_step(shorter, place, message=STOP, reasoning="", tool_calls=(), observations=())
    changed = replace(changed, outcome={**one.record.outcome, "answer": None} if _answers(one) else changed.outcome)
    edit = Edit(NAME, "early_stop", place, "steps", shown(old), STOP, "report")
    return edited(one, changed, edit, "wrong", (place,), kept=kept)


def _answers(one: Labelled) -> bool:
    return isinstance(one.record.outcome, dict) and "answer" in one.record.outcome


def arithmetic_slip(one: Labelled, pool: Pool, rng: Random) -> Pair | NotHere:
    """The result of a sum that is right becomes another number."""
    for place in graded(one, 1, lambda step: step.message):
        old = one.record.steps[place].message
        for match in SUM.finditer(old[:100_000]):
            if not is_right(*match.groups()):
                continue
            start, end = match.span(4)
            new = old[:start] + slipped(match.group(4), rng) + old[end:]
            edit = Edit(NAME, "arithmetic_slip", place, "message", old, new, "reasoning")
            return edited(one, with_step(one.record, place, message=new), edit, "wrong", (place,))
    return NotHere("no step called right has a sum of two numbers that comes out right")


def is_right(first: str, sign: str, second: str, result: str) -> bool:
    one, other = Fraction(first), Fraction(second)
    if sign in "/÷":
        return other != 0 and one / other == Fraction(result)
    return {"+": one + other, "-": one - other, "*": one * other, "×": one * other}[sign] == Fraction(result)


def slipped(number: str, rng: Random) -> str:
    """Another number of the same look: the last digit before the point is off by one to three, or the first by one."""
    whole, point, rest = number.partition(".")
    return f"{int(whole) + rng.choice((1, 2, 3, 10))}{point}{rest}"
