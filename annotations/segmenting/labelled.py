"""Labelled trajectories with their parts put together: for what is learned from message by message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from annotations.records import Labelled, StepRecord
from annotations.segmenting import joined
from annotations.segmenting.steps import PART, groups


def by_message(whole: bool, group: Sequence[Labelled]) -> list[Labelled]:
    """The group, by message where that is asked for."""
    return [joined_labelled(one) for one in group] if whole else list(group)


def joined_labelled(labelled: Labelled) -> Labelled:
    """The same by message. A message is as good as its worst part: with a part that is wrong it is wrong, with one
    that nobody graded it has no grade. Its correction is what it says before the first part that has one, and that."""
    steps = labelled.record.steps
    if not any(PART in step.extra for step in steps):
        return labelled
    found = list(groups(steps))
    grades: dict[int, int] = {}
    texts: dict[int, str] = {}
    better: dict[int, str] = {}
    scores: dict[int, float] = {}
    filled: set[int] = set()
    for place, parts in enumerate(found):
        known = [labelled.grades[part] for part in parts if part in labelled.grades]
        if known and (len(known) == len(parts) or -1 in known):
            grades[place] = min(known)
        if said := dict.fromkeys(labelled.explanations[part] for part in parts if part in labelled.explanations):
            texts[place] = "\n".join(said)
        corrected = next((part for part in parts if part in labelled.corrections), None)
        if corrected is not None:
            better[place] = _before(steps, parts, corrected) + labelled.corrections[corrected]
        if all(part in labelled.scores for part in parts):
            scores[place] = min(labelled.scores[part] for part in parts)
        if place in grades and labelled.propagated.intersection(parts):
            filled.add(place)
    return replace(
        labelled,
        record=joined(labelled.record),
        grades=grades,
        explanations=texts,
        corrections=better,
        scores=scores,
        propagated=frozenset(filled),
    )


def _before(steps: Sequence[StepRecord], parts: range, place: int) -> str:
    return "".join(steps[part].message for part in parts if part < place)
