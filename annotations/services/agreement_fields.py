"""Every field of the project's scheme as numbers, for agreement on all of them.

An answer is taken apart by `spec.units`; `spec.level` says what is computed. The same labels count as elsewhere in
agreement: current ones, of submitted and standing passes, none of a pass that failed. A flag that is not set and a text
in which nothing is marked are answers of the passes that were asked (see agreement_silence); any other silence is none.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from annotations.models import Project
from annotations.records import Json
from annotations.schemes.fields import FirstErrorField, FlagField, PreferenceField, RubricField, ScaleField, SpansField
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.fields.places import NONE
from annotations.schemes.fields.preference import TIE
from annotations.services import agreement, agreement_spans
from annotations.services.agreement_rows import Passes, Place, Said, gathered
from annotations.services.agreement_silence import Silence
from annotations.tables import FieldTable, FieldTables

UNMEASURED = {
    "text": "It is free text: what people write is not compared.",
    "correction": "It is a text of its own: a step can be corrected in many right ways.",
    "intervention": "It is a text of its own: many steps put in place can be right.",
}
Unit = tuple[Any, ...]  # what tells a unit from others: its place, and the part of the answer


@dataclass
class Answers:
    """The answers to one field while they are read: unit → rater → (key of the value, propagated, accepted)."""

    spec: FieldSpec
    tasks: dict[Unit, int] = field(default_factory=dict)
    parts: dict[Unit, str] = field(default_factory=dict)
    said: dict[Unit, dict[int, tuple[str, bool, bool]]] = field(default_factory=dict)
    values: dict[str, Json] = field(default_factory=dict)
    refused: set[tuple[Place, str, int]] = field(default_factory=set)  # place, part and rater
    left_out: int = 0

    def add(self, unit: Unit, task: int, part: str, rater: int, value: Json, came: tuple[bool, bool]) -> None:
        key = json.dumps(value, ensure_ascii=False)
        self.values[key] = value
        self.tasks[unit] = task
        self.parts[unit] = part
        self.said.setdefault(unit, {})[rater] = (key, *came)


def tables(project: Project) -> FieldTables:
    """All fields in the order of the scheme."""
    passes = gathered(project)
    silence = Silence(passes)
    measured = {spec.name: Answers(spec) for spec in passes.scheme.fields if spec.level != "none"}
    for label in passes.labels():
        _take(measured[label.spec.name], passes, label)
    for answers in measured.values():
        if isinstance(answers.spec, FlagField):
            _unset(answers, silence)
    found = []
    for spec in passes.scheme.fields:
        if spec.level == "none":
            found.append(_about(spec, reason=UNMEASURED.get(spec.kind, "Its answers are not compared.")))
        elif isinstance(spec, SpansField):
            found.append(_of_spans(spec, passes, silence))
        else:
            found.append(_table(measured[spec.name]))
    return FieldTables(passes.raters, passes.tasks, tuple(found))


def fingerprint(of: FieldTables) -> str:
    """SHA-256 of what was said in all fields: one line an answer, sorted. The same answers give the same."""
    lines = [f"{one.name}\t{one.level}\t{one.left_out}\n" for one in of.fields]
    for one in of.fields:
        said = zip(one.label_rater, one.label_unit, one.label_value, agreement.came(one), strict=True)
        lines += [
            f"{one.name}\t{of.raters[rater].kind}\t{of.raters[rater].name}\t{unit}\t{json.dumps(one.values[value])}\t{by}\n"
            for rater, unit, value, by in said
        ]
        if one.spans is not None:
            lines += [f"{one.name}\t{row}\n" for row in agreement_spans.lines(one.spans, of.raters)]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _take(answers: Answers, passes: Passes, label: Said) -> None:
    if isinstance(answers.spec, SpansField):
        return  # read with the texts they stand in
    units = list(_units(answers.spec, passes, label)) if not answers.spec.refusal(label.value) else []
    if not units:
        answers.left_out += 1
        answers.refused.add((label.place, label.part, label.rater))
    for place, part, value in units:
        answers.add((*label.place, *place), label.task, part, label.rater, value, (label.propagated, label.accepted))


def _units(spec: FieldSpec, passes: Passes, label: Said) -> Iterator[tuple[Unit, str, Json]]:
    """What tells the unit from others at its place, the part it is of, and its value. Nothing of an answer that names
    a step that is not there."""
    if isinstance(spec, PreferenceField):
        yield from _preferred(spec, passes, label)
    elif isinstance(spec, FirstErrorField):
        step = passes.at.get((label.trajectory, label.value))
        if label.value == NONE or step is not None:
            yield (), "", NONE if step is None else step.ordinal
    elif isinstance(spec, ScaleField):
        for one in spec.units(label.value):
            yield (label.part, one.name), one.name, float(one.value)
    else:
        parted = isinstance(spec, RubricField)
        for one in spec.units(label.value):
            yield (label.part, one.name), one.name if parted else "", one.value


def _preferred(spec: PreferenceField, passes: Passes, label: Said) -> Iterator[tuple[Unit, str, Json]]:
    """Which of two is better is said as the first, the second or a tie, so that it means the same of every pair. Who
    compares 5 with 2 and who compares 2 with 5 compare the same pair, unless both orders are asked of each."""
    if spec.form == "best":
        yield (), "", passes.among_siblings(label.trajectory, label.value) if spec.target == "step" else label.value
        return
    names = [(label.part, label.value)] if spec.form == "pair" else [(u.name, u.value) for u in spec.units(label.value)]
    for name, better in names:
        one, other = (int(number) for number in name.split("-"))
        pair = (one, other) if spec.both_orders else (min(one, other), max(one, other))
        if better == TIE or better in pair:
            yield pair, "", TIE if better == TIE else "first" if better == pair[0] else "second"


def _unset(answers: Answers, silence: Silence) -> None:
    """A flag that was asked and not set is an answer."""
    for place in silence.places(answers.spec):
        unit = (*place.place, place.part, "")
        known = place.rater in answers.said.get(unit, {})
        if not known and (place.place, place.part, place.rater) not in answers.refused:
            answers.add(unit, place.task, "", place.rater, False, (False, False))


def _about(spec: FieldSpec, **more: Any) -> FieldTable:
    return FieldTable(spec.name, spec.title, spec.kind, spec.target, spec.level, **more)


def _of_spans(spec: SpansField, passes: Passes, silence: Silence) -> FieldTable:
    spans, left_out = agreement_spans.table(spec, passes, silence)
    titles = tuple(one.title for one in spec.types)
    return _about(spec, parts=tuple(map(str, spec.values)), titles=titles, spans=spans, left_out=left_out)


def _table(answers: Answers) -> FieldTable:
    spec = answers.spec
    values = _ordered(answers)
    numbers = {json.dumps(value, ensure_ascii=False): place for place, value in enumerate(values)}
    parts = _parts(spec)
    places = {name: place for place, name in enumerate(parts)}
    said = [
        (rater, unit, numbers[key], *came)
        for unit, by_rater in enumerate(answers.said.values())
        for rater, (key, *came) in by_rater.items()
    ]
    return _about(
        spec,
        parts=tuple(parts),
        titles=tuple(parts.values()),
        apart=len(parts) > 1,
        together=not isinstance(spec, ScaleField) or len(parts) == 1,
        values=values,
        unit_task=array("i", (answers.tasks[unit] for unit in answers.said)),
        unit_part=array("i", (places.get(answers.parts[unit], 0) for unit in answers.said)),
        unit_mirror=_mirror(answers),
        label_rater=array("i", (one[0] for one in said)),
        label_unit=array("i", (one[1] for one in said)),
        label_value=array("i", (one[2] for one in said)),
        label_propagated=array("i", (one[3] for one in said)),
        label_accepted=array("i", (one[4] for one in said)),
        left_out=answers.left_out,
    )


def _mirror(answers: Answers) -> array[int]:
    """For each unit the one that asks its pair the other way round; nothing where only one order is asked."""
    if not isinstance(answers.spec, PreferenceField) or not answers.spec.both_orders:
        return array("i")
    places = {unit: place for place, unit in enumerate(answers.said)}
    return array("i", (places.get((*unit[:-2], unit[-1], unit[-2]), -1) for unit in answers.said))


def _parts(spec: FieldSpec) -> dict[str, str]:
    """Name → title of the parts that have figures of their own. Items that differ from task to task have none."""
    if isinstance(spec, ScaleField) and spec.dimensions:
        return {one.name: one.title for one in spec.dimensions}
    if isinstance(spec, RubricField) and spec.items_from == "scheme":
        return {name: one.title for name, one in spec.asked().items()}
    return {"": spec.title}


def _ordered(answers: Answers) -> tuple[Json, ...]:
    """What was said, in order where there is one: that of the scheme, else of numbers, else of the alphabet."""
    found = list(answers.values.values())
    if answers.spec.kind == "choice":
        return answers.spec.values
    if isinstance(answers.spec, ScaleField):
        return tuple(sorted(found))
    return tuple(sorted(found, key=lambda value: json.dumps(value, ensure_ascii=False)))
