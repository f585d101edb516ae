"""Master keys: answers that say nothing, which careless judges accept.

"One Token to Fool LLM-as-a-Judge": the answer is replaced by a blank, a punctuation mark or the opening of a solution,
and the share of questions for which it is accepted is the false-positive rate. The paper was read in its abstract; the
list of ten is our reading of it. For judges of steps, a step that consists of an opener alone does the same.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from random import Random

from annotations.records import Labelled, StepRecord
from models_service.judges.probes.base import WHOLE, Edit, NotHere, Operator, Pair, Pool, Probe, Target
from models_service.judges.probes.texts import agents, edited, shown, with_step, with_steps_before

NAME = "master_keys"
KEYS = (
    " ",
    ".",
    ",",
    ":",
    "Thought process:",
    "Let's solve this problem step by step.",
    "Solution",
    "解",
    "かいせつ",
    "Respuesta",
)


def answer(one: Labelled, pool: Pool, rng: Random, key: str) -> Pair | NotHere:
    """The last turn of the agent says the key and nothing else."""
    places = agents(one.record)
    if not places:
        return NotHere("the agent has no turn")
    last = places[-1]
    step = one.record.steps[last]
    if step.tool_calls or not step.message.strip():
        return NotHere("the last turn is no answer in words")
    changed = with_step(one.record, last, message=key, reasoning="")
    outcome = changed.outcome
    if isinstance(outcome, dict) and "answer" in outcome:
        changed = replace(changed, outcome={**outcome, "answer": key})
    edit = Edit(NAME, "answer", last, "message", shown(step), key, variant=key)
    return edited(one, changed, edit, "wrong", (WHOLE, last), truth=-1)


def step(one: Labelled, pool: Pool, rng: Random, key: str) -> Pair | NotHere:
    """A turn that says the key and does nothing is put in before one of the agent's turns."""
    places = agents(one.record)
    if not places:
        return NotHere("the agent has no turn")
    place = rng.choice(places)
    old = one.record.steps[place]
    added = StepRecord("agent", old.source_index, key, parent=old.parent)
    changed, kept = with_steps_before(one.record, place, [added])
    edit = Edit(NAME, "step", place, "step", "", key, variant=key)
    return edited(one, changed, edit, "wrong", (Target(place, None),), kept=kept, truth=-1, at_most=0)


PROBE = Probe(
    NAME,
    "Master keys",
    "Does it accept an answer, or a step, that says nothing?",
    "One Token to Fool LLM-as-a-Judge",
    tuple(
        Operator(name, title, variant=key, single=partial(make, key=key))
        for name, title, make in (
            ("answer", "The answer replaced by an opener or a mark", answer),
            ("step", "A step of nothing but an opener or a mark put in", step),
        )
        for key in KEYS
    ),
)
