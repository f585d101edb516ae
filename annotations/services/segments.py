"""Cutting records as an import asks, with the labels that come with them: what goes along, and what has no place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from annotations import segmenting
from annotations.formats.lines import dump
from annotations.records import AnswerRecord, Json, PassRecord, Problem, RatingRecord, TrajectoryRecord
from annotations.schemes import moving
from annotations.schemes.schema import Scheme
from annotations.segmenting.matching import tiles
from annotations.segmenting.steps import groups

WHOLE_KINDS = frozenset(["choice", "flag", "scale", "progress", "taxonomy"])  # what can hold of several steps at once


class NoSuchWay(ValueError):
    """A way of segmenting, or of treating duplicates, that there is none of."""


@dataclass(frozen=True)
class Moved:
    """Where steps of before stand now. `one` → its new place; `several`, each together with others, → the new place of
    them all; `cut` → how many parts it has now."""

    one: dict[int, int] = field(default_factory=dict)
    several: dict[int, int] = field(default_factory=dict)
    cut: dict[int, int] = field(default_factory=dict)

    @property
    def named(self) -> dict[int, int]:
        """Where an answer that names a step finds it."""
        return self.one | self.several


class Segmenting:
    """One import's way of cutting. A record is left as its file has it where that is by message."""

    def __init__(self, scheme: Scheme, way: str = segmenting.MESSAGE) -> None:
        if way not in segmenting.WAYS:
            raise NoSuchWay(f"no segmentation {way!r}; accepted are {', '.join(segmenting.WAYS)}")
        self.scheme, self.way = scheme, way

    def take(self, record: TrajectoryRecord, file: str, line: int) -> tuple[TrajectoryRecord, list[Problem]]:
        """The record cut, and the labels of it that are of no part."""
        if self.way == segmenting.MESSAGE:
            return record, []
        cut = segmenting.segmented(record, self.way)
        moved = _moved(record, cut)
        work = _Labels(self.scheme, record, cut.record, moved)
        rating = record.rating and work.rating(record.rating)
        passes = tuple(map(work.passed, record.passes))
        numbers = {number: moved.named[place] for number, place in record.numbers.items() if place in moved.named}
        made = replace(cut.record, rating=rating, passes=passes, numbers=numbers)
        return made, [Problem(file, line, name, reason) for name, reason in work.problems]


def _moved(record: TrajectoryRecord, cut: segmenting.Cut) -> Moved:
    moved = Moved()
    for old, new in zip(groups(record.steps), cut.places, strict=True):
        found = tiles(record.steps[old.start : old.stop], cut.record.steps[new.start : new.stop])
        for place, run in found.items():
            into = moved.one if len(run) == 1 else moved.several
            into.update(dict.fromkeys((old[number] for number in run), new[place]))
        moved.cut.update({place: len(new) for place in old if place not in moved.named})
    return moved


@dataclass
class _Labels:
    """The labels of one record on their way to its parts."""

    scheme: Scheme
    before: TrajectoryRecord
    after: TrajectoryRecord
    moved: Moved
    problems: list[tuple[str, str]] = field(default_factory=list)

    def rating(self, said: RatingRecord) -> RatingRecord:
        at = {step.source_index: place for place, step in enumerate(self.before.steps)}
        steps: dict[int, Json] = {}
        why: dict[int, str] = {}
        for index, value in said.steps.items():
            place = at.get(index)
            if place is not None and place not in self.moved.one:
                self._lose(f"step_labels.{index}", place, value)
                continue
            # One of no step at all is refused where it is stored.
            now = index if place is None else self.after.steps[self.moved.one[place]].source_index
            steps[now] = value
            if index in said.explanations:
                why[now] = said.explanations[index]
        final = self._final(said.final)
        return replace(said, steps=steps, explanations=why, final=final)

    def _final(self, value: Json) -> Json:
        spec = self.scheme.field(self.scheme.final)
        if value is None or spec is None:
            return value
        now = moving.value(spec, value, self.moved.named)
        if now is None:
            reason = f"found {value!r}, which names a step that was cut into parts; which of them is not said"
            self.problems.append(("final_label", reason))
        return now

    def passed(self, said: PassRecord) -> PassRecord:
        kept: list[AnswerRecord] = []
        together: dict[tuple[int, str], list[AnswerRecord]] = defaultdict(list)
        for one in said.answers:
            cause = None if one.cause is None else self.moved.named.get(one.cause, -1)
            now = replace(one, cause=cause)
            if one.place is None or one.place < 0:
                kept.append(now)
            elif one.place in self.moved.one:
                kept.append(replace(now, place=self.moved.one[one.place]))
            elif one.place in self.moved.several:
                together[self.moved.several[one.place], one.field].append(now)
            else:
                self._lose(f"labels[{one.number}]", one.place, one.value)
        for (place, name), found in together.items():
            kept += self._together(place, name, found)
        return replace(said, answers=tuple(sorted(kept, key=lambda one: one.number)))

    def _together(self, place: int, name: str, found: Sequence[AnswerRecord]) -> list[AnswerRecord]:
        spec = self.scheme.field(name)
        many = sum(one == place for one in self.moved.several.values())
        if spec and spec.kind in WHOLE_KINDS and agree([one.value for one in found], many):
            texts = dict.fromkeys(one.explanation for one in found if one.explanation)
            return [replace(found[0], place=place, explanation="\n".join(texts))]
        reason = f"{many} parts are one step now, and not all of them have this answer"
        self.problems += [(f"labels[{one.number}]", f"found {dump(one.value)[:80]}; {reason}") for one in found]
        return []

    def _lose(self, name: str, place: int, value: Json) -> None:
        of = f"found {dump(value)[:80]} of step {place}, which was cut into {self.moved.cut.get(place, 0)} parts"
        self.problems.append((name, f"{of}; it is the label of none of them"))


def agree(values: Sequence[Json], many: int) -> bool:
    """Whether all of so many steps have an answer, and the same."""
    return len(values) == many and all(segmenting.same(one, values[0]) for one in values)
