"""The labels of one field as numbers, for a consensus. No text of a step is read."""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass, field, replace
from typing import Any

from annotations.consensus_table import ConsensusTable, Unit
from annotations.models import Annotation, Trajectory
from annotations.records import Json
from annotations.schemes.fields import FlagField
from annotations.services import agreement, agreement_rows
from annotations.services.agreement_rows import Passes, Place
from annotations.services.agreement_silence import Silence
from annotations.services.consensus import Asked

FLAG = ((True, "yes"), (False, "no"))
Key = tuple[Place, str]  # a place and the part of it


@dataclass
class Answers:
    """What is read, by unit and rater: (place of the value, whether it was filled in). `where` has for each unit its
    trajectory's and its task's place and the step."""

    said: dict[Key, dict[int, tuple[int, bool]]] = field(default_factory=dict)
    where: dict[Key, tuple[int, int, int | None]] = field(default_factory=dict)
    refused: set[tuple[Key, int]] = field(default_factory=set)


def gathered(asked: Asked) -> ConsensusTable:
    """The labels as they are now."""
    passes = agreement_rows.gathered(asked.project, asked.reference)
    columns = {pk: place for place, pk in enumerate(passes.rater_ids)}
    voters = [rater for rater in asked.raters() if rater.pk in columns]
    heard = {columns[rater.pk]: place for place, rater in enumerate(voters)}
    reference = columns.get(asked.reference.pk) if asked.reference else None
    offered = _offered(asked)
    answers = _answers(asked, passes, {json.dumps(value): place for place, (value, _) in enumerate(offered)})
    table = ConsensusTable(
        name=asked.spec.name,
        title=asked.spec.title,
        target=asked.spec.target,
        values=tuple(value for value, _ in offered),
        titles=tuple(title for _, title in offered),
        raters=agreement.named(voters),
        reference=agreement.named([asked.reference])[0] if asked.reference else None,
        left_out=len(answers.refused),
        failed=asked.passes().filter(rater__in=voters, state=Annotation.State.FAILED).count(),
        **_empty(),
    )
    return _filled(table, asked, passes, answers, heard, reference)


def _offered(asked: Asked) -> list[tuple[Json, str]]:
    if isinstance(asked.spec, FlagField):
        return list(FLAG)
    return [(value, str(value)) for value in asked.spec.values]


def _answers(asked: Asked, passes: Passes, numbers: dict[str, int]) -> Answers:
    spec, found = asked.spec, Answers()
    for label in passes.labels():
        if label.spec.name != spec.name:
            continue
        key = label.place, label.part
        number = numbers.get(json.dumps(label.value))
        if number is None or spec.refusal(label.value):
            found.refused.add((key, label.rater))
            continue
        found.where[key] = label.trajectory, label.task, label.step
        found.said.setdefault(key, {})[label.rater] = number, label.propagated
    if isinstance(spec, FlagField):
        _unset(found, passes, spec, numbers[json.dumps(False)])
    return found


def _unset(found: Answers, passes: Passes, spec: FlagField, number: int) -> None:
    """A flag that was asked and not set is an answer."""
    for one in Silence(passes).places(spec):
        key = one.place, one.part
        if (key, one.rater) not in found.refused:
            trajectory = passes.by_pk[one.annotation].trajectory
            found.where.setdefault(key, (trajectory, one.task, one.step))
            found.said.setdefault(key, {}).setdefault(one.rater, (number, False))


def _empty() -> dict[str, Any]:
    numbers = ("unit_task", "label_rater", "label_unit", "label_value")
    return {"tasks": (), "units": (), **{name: array("i") for name in numbers}}


def _filled(
    table: ConsensusTable,
    asked: Asked,
    passes: Passes,
    answers: Answers,
    heard: dict[int, int],
    reference: int | None,
) -> ConsensusTable:
    """With the units that a voter or the reference labelled, in order."""
    names = dict(Trajectory.objects.filter(pk__in=passes.trajectory_ids).values_list("pk", "external_id"))
    tasks: dict[int, int] = {}
    propagated = 0
    units: list[Unit] = []
    for key in sorted(answers.said, key=lambda key: _order(key, passes, answers)):
        trajectory, task, step = answers.where[key]
        said = {
            rater: value
            for rater, (value, filled) in answers.said[key].items()
            if (rater in heard or rater == reference) and not (filled and asked.by_hand)
        }
        if not said:
            continue
        pk = passes.trajectory_ids[trajectory]
        at = None if step is None else passes.steps[step]
        table.unit_task.append(tasks.setdefault(task, len(tasks)))
        for rater, value in said.items():
            if rater == reference:
                table.reference_unit.append(len(units))
                table.reference_value.append(value)
            else:
                table.label_rater.append(heard[rater])
                table.label_unit.append(len(units))
                table.label_value.append(value)
                propagated += answers.said[key][rater][1]
        index, number = (at.index, at.ordinal + 1) if at else (None, None)
        units.append(Unit(pk, names[pk], step, index, number, key[1]))
    return replace(table, tasks=_task_names(passes, tasks), units=units, propagated=propagated)


def _order(key: Key, passes: Passes, answers: Answers) -> tuple[int, int, str]:
    trajectory, _, step = answers.where[key]
    return trajectory, -1 if step is None else passes.steps[step].index, key[1]


def _task_names(passes: Passes, tasks: dict[int, int]) -> tuple[str, ...]:
    """The names of the tasks, in the order of their numbers."""
    rows = Trajectory.objects.filter(pk__in=passes.trajectory_ids).values_list("pk", "task__external_id")
    of_trajectory = dict(rows)
    name = {passes.task_of[place]: of_trajectory[pk] for place, pk in enumerate(passes.trajectory_ids)}
    return tuple(name[task] for task in tasks)
