"""What counts as a step: a message of the agent, or something smaller. Records in, records out, nothing lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from annotations.records import RatingRecord, StepRecord, TrajectoryRecord
from annotations.segmenting.steps import PART, PARTS, WAYS, groups, part_of, parts_of, united

MESSAGE = "message"
KEPT = "segmentation"  # where a trajectory's extra says how it was segmented
TITLES = {
    "message": "Message of the agent",
    "tool_call": "Tool call",
    "paragraph": "Paragraph",
    "numbered": "Numbered step",
    "sentence": "Sentence",
    "thought": "Thought apart from what is said and done",
}

__all__ = [
    "KEPT",
    "MESSAGE",
    "PART",
    "PARTS",
    "TITLES",
    "WAYS",
    "Cut",
    "joined",
    "joined_steps",
    "part_of",
    "segmented",
]


@dataclass(frozen=True)
class Cut:
    """A record whose steps were cut; its labels are as they were. `places` has, for each step that was, the places of
    its parts."""

    record: TrajectoryRecord
    places: tuple[range, ...]


def segmented(record: TrajectoryRecord, way: str) -> Cut:
    """The record with its agent's steps cut that way. A step of one part stays what it is; a part says in
    `extra["part"]` which message it is of, the how manieth of how many, and where its text stands there."""
    steps: list[StepRecord] = []
    places: list[range] = []
    numbered = PARTS
    for step in joined_steps(record.steps):
        parts = parts_of(step, way, numbered)
        numbered += len(parts) if len(parts) > 1 else 0
        places.append(range(len(steps), len(steps) + len(parts)))
        steps.extend(parts)
    if any(step.parent is not None for step in steps):
        steps = _hung(steps, places)
    extra = {key: value for key, value in record.extra.items() if key != KEPT}
    if way != MESSAGE:
        extra[KEPT] = way
    return Cut(replace(record, steps=tuple(steps), extra=extra), tuple(places))


def _hung(steps: Sequence[StepRecord], places: Sequence[range]) -> list[StepRecord]:
    """The steps of a tree: a part comes after the part before it, the first after the last of what it was tried
    after."""
    made = list(steps)
    for parts in places:
        for place in parts:
            before = steps[place].parent
            after = None if before is None else places[before][-1]
            made[place] = replace(steps[place], parent=after if place == parts[0] else place - 1)
    return made


def joined_steps(steps: Sequence[StepRecord]) -> Sequence[StepRecord]:
    """The steps with all parts put together again. A step whose parts are not all here says what those say."""
    if not any(PART in step.extra for step in steps):
        return steps
    found = list(groups(steps))
    place = {one: number for number, parts in enumerate(found) for one in parts}
    made = [united(steps[parts.start : parts.stop]) for parts in found]
    return tuple(one if one.parent is None else replace(one, parent=place.get(one.parent)) for one in made)


def joined(record: TrajectoryRecord) -> TrajectoryRecord:
    """The record as it was before it was segmented. A message has the label that each of its parts has; where they
    differ, or one has none, it has none."""
    if KEPT not in record.extra and not any(PART in step.extra for step in record.steps):
        return record
    extra = {key: value for key, value in record.extra.items() if key != KEPT}
    rating = record.rating and _joined_rating(record.rating, record.steps)
    return replace(record, steps=tuple(joined_steps(record.steps)), extra=extra, rating=rating)


def _joined_rating(rating: RatingRecord, steps: Sequence[StepRecord]) -> RatingRecord:
    said, why = dict(rating.steps), dict(rating.explanations)
    for parts in groups(steps):
        told = part_of(steps[parts.start])
        if told is None:
            continue
        numbers = [steps[place].source_index for place in parts]
        values = [said.pop(one, None) for one in numbers]
        texts = dict.fromkeys(filter(None, (why.pop(one, "") for one in numbers)))
        if None not in values and all(same(one, values[0]) for one in values):
            said[told["of"]] = values[0]
            if texts:
                why[told["of"]] = "\n".join(texts)
    return replace(rating, steps=said, explanations=why)


def same(one: object, other: object) -> bool:
    """Equal as JSON is: true is not 1."""
    return type(one) is type(other) and one == other
