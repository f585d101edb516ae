"""A project in which a person has labelled the sample of a scheme, through the services that the page uses."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from annotations.formats import chat
from annotations.formats.stepmark import Stepmark
from annotations.models import Annotation, Project, Trajectory, User
from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from annotations.schemes import Scheme
from annotations.schemes.fields import PreferenceField
from annotations.schemes.rules import Place
from annotations.services import around, imports, labels, progressive, projects
from annotations.services.outcomes import Item
from tests import make

Answers = dict[Place, Any]


def steps_of(scheme: Scheme) -> tuple[StepRecord, ...]:
    """The sample's steps. Where a scheme compares steps, all were tried after the first turn."""
    assert scheme.sample
    compares = any(isinstance(spec, PreferenceField) and spec.of_step for spec in scheme.fields)
    return tuple(
        replace(step, stable_id=str(place), parent=0 if compares and step.source == "agent" else None)
        for place, step in enumerate(chat.steps_of(list(scheme.sample.messages)))
    )


def answers_of(scheme: Scheme) -> Answers:
    """The sample's answers by place: their steps count the agent's."""
    assert scheme.sample
    agents = [place for place, step in enumerate(steps_of(scheme)) if step.source == "agent"]
    said = scheme.sample.answers
    return {(None if one.step is None else agents[one.step], one.field): one.value for one in said}


def rollouts_of(scheme: Scheme) -> list[int]:
    """The numbers of the rollouts that the sample's answers compare, or just the one."""
    compared = [spec for spec in scheme.fields if isinstance(spec, PreferenceField) and not spec.of_step]
    named: set[int] = {0}
    for (_, name), value in answers_of(scheme).items():
        if scheme.field(name) in compared:
            named |= {int(one) for one in re.findall(r"\d+", f"{name.partition('@')[2]} {value}")}
    return sorted(named)


def project_of(scheme: Scheme, folder: Path, *people: User) -> Project:
    """A project under the scheme with the sample in it; each person is a member."""
    mode = Project.Mode.PROGRESSIVE if scheme.seals else Project.Mode.BLIND
    made = make.project(*people, scheme=projects.freeze(scheme), mode=mode)
    assert scheme.sample
    task = TaskRecord("sample", instruction="?", reference=scheme.sample.reference, tools=scheme.sample.tools)
    records = [TrajectoryRecord(task, steps_of(scheme), rollout=number) for number in rollouts_of(scheme)]
    path = folder / f"{scheme.name}-{made.pk}-sample.jsonl"
    path.write_text("".join(f"{Stepmark().line(one)}\n" for one in records))
    assert imports.import_trajectories(made, [path])["rejected"] == []
    return made


def labelled(project: Project, person: User, answers: Answers) -> Annotation:
    """The person's submitted pass over the project's first trajectory."""
    trajectory = project.trajectories.live().order_by("rollout").first()
    assert trajectory
    mine = make.lease(trajectory, person, **_first_pass(project, trajectory))
    first, then = _in_turn(mine, _as_asked(mine, answers))
    for items in (*first, *(["reveal"] if mine.mode == Project.Mode.PROGRESSIVE else []), *then):
        mine.refresh_from_db()
        if items == "reveal":
            progressive.reveal(mine.pk, person)
        else:
            labels.change(mine.pk, person, items, change=uuid.uuid4(), revision=mine.revision)
    mine.refresh_from_db()
    labels.submit(mine.pk, person, change=uuid.uuid4(), revision=mine.revision)
    mine.refresh_from_db()
    return mine


def _as_asked(mine: Annotation, answers: Answers) -> Answers:
    """Pairs in the order that this person is asked them."""
    asked = around.parts(mine, projects.scheme_of(mine.scheme))
    found: Answers = {}
    for (step, name), value in answers.items():
        field, _, part = name.partition("@")
        turned = "-".join(reversed(part.split("-")))
        parts = asked.get(step, {}).get(field, [])
        found[step, f"{field}@{turned}" if part not in parts and turned in parts else name] = value
    return found


def _first_pass(project: Project, trajectory: Trajectory) -> dict[str, Any]:
    if project.mode != Project.Mode.PROGRESSIVE:
        return {}
    return {"frontier": trajectory.steps.of_agent().first().index}


def _in_turn(mine: Annotation, answers: Answers) -> tuple[list[list[Item]], list[list[Item]]]:
    """All at once; in a first progressive pass a step at a time, with what is sealed then asked afterwards."""
    items = [(place, Item(step=place[0], field=place[1], value=value)) for place, value in answers.items()]
    if mine.mode != Project.Mode.PROGRESSIVE:
        return [[item for _, item in items]], []
    scheme = projects.scheme_of(mine.scheme)
    lock = next(rule for rule in scheme.rules if rule.rule == "hindsight-lock").settings
    before = [item for (step, name), item in items if step is not None and name == lock["first"]]
    return [[item] for item in before], [[item for _, item in items if item not in before]]
