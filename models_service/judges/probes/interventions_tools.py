"""Interventions in the use of tools: wrong argument, wrong tool, a result that is dropped, a call made twice.

After "REFLECT" (meta-evaluation of judges by controlled interventions), read in its abstract: one local edit on a step
that people call right, logged, beside an untouched control. How each is made is our reading.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from annotations.records import Json, Labelled, StepRecord
from models_service.judges.probes.base import Edit, NotHere, Pair, Pool, Target
from models_service.judges.probes.texts import (
    agents,
    arguments_of,
    call_name,
    called,
    edited,
    evidence,
    facts,
    graded,
    holds,
    observed,
    saying,
    shown,
    with_arguments,
    with_step,
    with_steps_before,
)

NAME = "interventions"
LEVEL = "tool use"
NO_CALL = "no step called right calls a tool"


def _calling(one: Labelled) -> list[int]:
    return graded(one, 1, lambda step: step.tool_calls)


def wrong_argument(one: Labelled, pool: Pool, rng: Random) -> Pair | NotHere:
    """An argument of a call gets the value that another task's call of that tool has; a number another number."""
    places = _calling(one)
    if not places:
        return NotHere(NO_CALL)
    rng.shuffle(places)
    for place in places:
        step = one.record.steps[place]
        for number, call in enumerate(step.tool_calls):
            changed = _argued(call, one, pool, rng)
            if changed is not None:
                calls = (*step.tool_calls[:number], changed, *step.tool_calls[number + 1 :])
                return _recalled(one, "wrong_argument", place, calls)
    return NotHere("no argument of its calls can be changed: no other task calls the tool with another value")


def _argued(call: Json, one: Labelled, pool: Pool, rng: Random) -> dict[str, Json] | None:
    """The call with one argument changed; None where none can be."""
    arguments = arguments_of(call)
    if not arguments:
        return None
    names = sorted(arguments)
    rng.shuffle(names)
    for name in names:
        old = arguments[name]
        if isinstance(old, (int, float)) and not isinstance(old, bool):
            return with_arguments(call, {**arguments, name: old + rng.randint(2, 9)})
        donors = [value for value in _values(pool, one, call_name(call), name) if value != old]
        if donors:
            return with_arguments(call, {**arguments, name: rng.choice(donors)})
    return None


def _values(pool: Pool, one: Labelled, tool: str, name: str) -> list[Json]:
    """What other tasks' calls of the tool give the argument."""
    found = []
    for other in pool.others(one):
        for step in other.record.steps:
            for call in step.tool_calls:
                if call_name(call) == tool and name in (arguments := arguments_of(call) or {}):
                    found.append(arguments[name])
    return found


def wrong_tool(one: Labelled, pool: Pool, rng: Random) -> Pair | NotHere:
    """A call goes to another tool of the task; where it has but one, to one that it does not have."""
    places = [place for place in _calling(one) if call_name(one.record.steps[place].tool_calls[0])]
    if not places:
        return NotHere(NO_CALL)
    place = rng.choice(places)
    calls = one.record.steps[place].tool_calls
    used = call_name(calls[0])
    offered = sorted({name for name in map(call_name_of_tool, _tools(one)) if name and name != used})
    other = rng.choice(offered) if offered else f"{used}_archive"
    return _recalled(one, "wrong_tool", place, (_renamed(calls[0], other), *calls[1:]))


def _tools(one: Labelled) -> list[Json]:
    tools = one.record.task.tools
    return tools if isinstance(tools, list) else []


def call_name_of_tool(tool: Json) -> str:
    """The name of a tool that a task offers, in any of the usual ways of writing it."""
    return call_name(tool) if isinstance(tool, dict) else ""


def _renamed(call: Json, name: str) -> dict[str, Json]:
    if "name" in call:
        return {**call, "name": name}
    return {**call, "function": {**call["function"], "name": name}}


def _recalled(one: Labelled, operator: str, place: int, calls: tuple[Json, ...]) -> Pair:
    step = one.record.steps[place]
    changed = with_step(one.record, place, tool_calls=calls)
    edit = Edit(NAME, operator, place, "call", called(step), called(changed.steps[place]), LEVEL)
    return edited(one, changed, edit, "wrong", (place,))


def dropped_tool_result(one: Labelled, pool: Pool, rng: Random) -> Pair | NotHere:
    """What a tool answered is gone, and the next step goes on saying what stood in it. Wrong is that next step."""
    places = agents(one.record)
    for place, after in zip(places, places[1:], strict=False):
        step, user = one.record.steps[place], one.record.steps[after]
        if one.grades.get(place) != 1 or one.grades.get(after) != 1 or not step.observations:
            continue
        if not only_there(one, place, user):
            continue
        before = "\n".join(map(observed, step.observations))
        changed = with_step(one.record, place, observations=tuple(saying(answer, "") for answer in step.observations))
        edit = Edit(NAME, "dropped_tool_result", place, "observation", before, "", LEVEL)
        return edited(one, changed, edit, "wrong", (after,), at_most=0)
    return NotHere("no right step says what only the answer of a tool just before it holds")


def only_there(one: Labelled, place: int, user: StepRecord) -> list[str]:
    """Names and numbers that the later step uses and that stand in the answers to this step and nowhere before."""
    record = one.record
    earlier = "\n".join(
        [record.task.instruction, *(f"{shown(step)}\n{evidence(step)}" for step in record.steps[:place])]
    )
    brought = evidence(record.steps[place])
    own = shown(record.steps[place])
    return [
        fact
        for fact in facts(f"{user.message}\n{called(user)}")
        if holds(brought, fact) and not holds(earlier, fact) and not holds(own, fact)
    ]


def redundant_call(one: Labelled, pool: Pool, rng: Random) -> Pair | NotHere:
    """The same call once more, with the same answer, for nothing."""
    places = graded(one, 1, lambda step: step.tool_calls and step.observations)
    if not places:
        return NotHere("no step called right calls a tool that answers")
    place = rng.choice(places)
    step = one.record.steps[place]
    again = replace(step, message="", reasoning="", stable_id="", parent=None if step.parent is None else place)
    changed, kept = with_steps_before(one.record, place + 1, [again])
    edit = Edit(NAME, "redundant_call", place, "step", "", shown(again), LEVEL)
    return edited(one, changed, edit, "wrong", (Target(place + 1, None),), kept=kept, truth=-1, at_most=0)
