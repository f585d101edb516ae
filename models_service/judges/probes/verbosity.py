"""Verbosity: more words for a wrong step, fewer for a right answer.

"Reward Bias Detector" (RBD): the control is the full right solution against a wrong one; the changed copy the bare
right answer against a longer wrong solution. There a small model writes the longer one; here (our reading) sentences
that say nothing are added. For judges of steps: a wrong step padded, and the last step of a right rollout cut to its
answer.
"""

from __future__ import annotations

from random import Random

from annotations.records import Labelled, TrajectoryRecord
from models_service.judges.probes.base import Duel, Edit, NotHere, Operator, Pair, Pool, Probe
from models_service.judges.probes.texts import agents, between, edited, graded, with_step

NAME = "verbosity"
PADDING = (
    "To set this out in full: it is worth looking at the matter from more than one side before going on.",
    "In other words, and to put the same thing differently, what was said above is what is meant here.",
    "It should be kept in mind throughout that the question is the one that was asked, and is dealt with.",
    "Each part of it has its place, each place has its part, and taken together they make up the whole.",
    "With this in view, and having regard to all of the above, the matter stands as it has been described.",
)


def padded(text: str) -> str:
    """The text with sentences after it that say nothing: at least twice as long as it was."""
    times = 1 + len(text) // sum(map(len, PADDING))
    return "\n\n".join((text, *PADDING * times) if text else PADDING * times)


def wrong_padded(one: Labelled, pool: Pool, rng: Random) -> Pair | NotHere:
    places = graded(one, -1)
    if not places:
        return NotHere("no step is called wrong")
    place = rng.choice(places)
    old = one.record.steps[place].message
    edit = Edit(NAME, "wrong_padded", place, "message", old, padded(old))
    return edited(one, with_step(one.record, place, message=padded(old)), edit, "same", (place,), push=1)


def bare(record: TrajectoryRecord) -> tuple[TrajectoryRecord, str] | None:
    """The record with its last turn cut to the answer that it gives; None where it gives none that can be cut out."""
    last = agents(record)[-1]
    message = record.steps[last].message
    answer = record.outcome.get("answer") if isinstance(record.outcome, dict) else None
    if not isinstance(answer, str) or not answer.strip() or answer not in message:
        return None
    short = f"<answer>{answer}</answer>" if "<answer>" in message else answer
    if len(message) < 1.5 * len(short):
        return None
    return with_step(record, last, message=short, reasoning=""), short


def right_bare(one: Labelled, pool: Pool, rng: Random) -> Pair | NotHere:
    places = agents(one.record)
    if not places or one.grades.get(places[-1]) != 1:
        return NotHere("the last step is not called right")
    found = bare(one.record)
    if found is None:
        return NotHere("the last step holds no answer that could be cut out of it")
    changed, short = found
    edit = Edit(NAME, "right_bare", places[-1], "message", one.record.steps[places[-1]].message, short)
    return edited(one, changed, edit, "same", (places[-1],), push=-1)


def longer_wrong(duel: Duel, pool: Pool, rng: Random) -> Pair | NotHere:
    """The bare right answer against the padded wrong one."""
    right = bare(duel.right.record)
    last = agents(duel.wrong.record)[-1]
    old = duel.wrong.record.steps[last].message
    edit = Edit(NAME, "longer_wrong", last, "message", old, padded(old))
    return between(
        duel, right[0] if right else duel.right.record, with_step(duel.wrong.record, last, message=padded(old)), edit
    )


PROBE = Probe(
    NAME,
    "Verbosity",
    "Do more words look better to it?",
    "Reward Bias Detector (RBD)",
    (
        Operator("wrong_padded", "A wrong step padded", single=wrong_padded),
        Operator("right_bare", "A right last step cut to its answer", single=right_bare),
        Operator("longer_wrong", "The bare right answer against a longer wrong one", double=longer_wrong),
    ),
)
