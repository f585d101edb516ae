"""Position: the same two rollouts in the other order; the same step in a later place.

Judges of pairs: both orders of "Reward Bias Detector" (RBD) and of "Assessing Judging Bias in Large Reasoning Models";
a preference that stays with the place and not with the rollout is no preference. Judges of steps have no order of
candidates, so (our reading) turns that say nothing of the matter are put in before a step, which must not change what
is said of it.
"""

from __future__ import annotations

from random import Random

from annotations.records import Labelled, StepRecord
from models_service.judges.probes.base import Duel, Edit, NotHere, Operator, Pair, Pool, Probe, Target
from models_service.judges.probes.texts import between, edited, quoted, shown, with_steps_before

NAME = "position"
COURTESY = ("Thank you, take the time you need.", "No hurry. Please go on when you are ready.")


def orders(duel: Duel, pool: Pool, rng: Random) -> Pair | NotHere:
    """The right one first, and second."""
    right, wrong = duel.right.record, duel.wrong.record
    edit = Edit(
        NAME,
        "both_orders",
        0,
        "order",
        f"{right.external_id}, {wrong.external_id}",
        f"{wrong.external_id}, {right.external_id}",
    )
    return between(duel, wrong, right, edit, swapped=True, push=0)


def later(one: Labelled, pool: Pool, rng: Random) -> Pair | NotHere:
    """Two courtesies of the user before a step that people graded."""
    places = sorted(place for place in one.steps if one.grades.get(place) in (1, -1))
    if not places:
        return NotHere("no step is called right or wrong")
    place = rng.choice(places)
    old = one.record.steps[place]
    added = [StepRecord("user", old.source_index, words, parent=old.parent) for words in COURTESY]
    changed, kept = with_steps_before(one.record, place, added)
    before = quoted(shown(old))
    edit = Edit(NAME, "later_place", place, "steps", before, "\n".join((*COURTESY, before)))
    return edited(one, changed, edit, "same", (Target(kept[place], place),), kept=kept)


PROBE = Probe(
    NAME,
    "Position",
    "Does the verdict depend on where something stands?",
    "Reward Bias Detector (RBD)",
    (
        Operator("later_place", "Two courtesies put in before a step", single=later),
        Operator("both_orders", "Two rollouts in both orders", double=orders),
    ),
)
