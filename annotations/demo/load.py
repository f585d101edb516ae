"""Makes the sample project, through the same services that a browser uses. Doing it again changes nothing."""

from __future__ import annotations

import json
import uuid
from typing import Any

from annotations import jobs
from annotations.demo.build import HERE
from annotations.demo.people import PEOPLE
from annotations.demo.rules import RULES
from annotations.models import Annotation, Membership, Project, Rater, Role, Run, User
from annotations.services import imports, labels, projects, queue, ratings
from annotations.services.outcomes import Item

SLUG = "demo"
PASSWORD = "stepmark-demo"
LEAD = "lead"
# How many trajectories each person has labelled; the rest waits for whoever tries the demo.
DONE = {"maya": 56, "tomas": 48}
SKIPPED = 11


def load() -> Project:
    """The sample project with its people, rollouts, labels, and the runs that score and compare them."""
    if found := Project.objects.filter(slug=SLUG).first():
        return found
    lead = person(LEAD)
    project = projects.create(slug=SLUG, title="Demo: an agent with tools", owner=lead)
    imports.import_trajectories(project, [HERE / "trajectories.jsonl"], by=lead)
    for name in RULES:
        path = HERE / "labels" / f"{name}.jsonl"
        ratings.import_labels(project, [path], rater=name, kind=Rater.Kind.JUDGE, by=lead)
    for name in PEOPLE:
        Membership.objects.create(project=project, user=person(name), role=Role.ANNOTATOR)
        label(project, User.objects.get(username=name))
    jobs.start(Run.Kind.SCORE, project, lead, scorer="embedded")
    jobs.start(Run.Kind.AGREEMENT, project, lead, reference="gold", official=False)
    return project


def person(name: str) -> User:
    """The sample user of that name, made where it is missing."""
    found = User.objects.filter(username=name).first()
    return found or User.objects.create_user(name, password=PASSWORD)


def label(project: Project, user: User) -> None:
    """Label as the person does: most trajectories to the end, one skipped, one left half done."""
    said = _said(user.username)
    for number in range(DONE[user.username]):
        annotation = queue.lease_next(project, user)
        if annotation is None:
            return
        record = said[annotation.trajectory.external_id]
        if number == SKIPPED:
            labels.skip(annotation.pk, user, "The question can be read in two ways.")
            continue
        items = _items(annotation, record)
        half = number == DONE[user.username] - 1
        for item in items[: len(items) // 2] if half else items:
            _change(annotation, user, [item])
        if not half:
            annotation.refresh_from_db()
            labels.submit(annotation.pk, user, change=uuid.uuid4(), revision=annotation.revision)


def _said(name: str) -> dict[str, Any]:
    lines = (HERE / "labels" / f"{name}.jsonl").read_text().splitlines()
    return {row["record_id"]: row for row in map(json.loads, lines)}


def _items(annotation: Annotation, record: dict[str, Any]) -> list[Item]:
    """The person's answers in the order of the steps, the final result last."""
    places = dict(annotation.trajectory.steps.of_agent().values_list("source_index", "index"))
    steps = [Item(step=places[int(at)], field="label", value=value) for at, value in record["step_labels"].items()]
    return [*steps, Item(step=None, field="final", value=record["final_label"])]


def _change(annotation: Annotation, user: User, items: list[Item]) -> None:
    outcome = labels.change(annotation.pk, user, items, change=uuid.uuid4(), revision=annotation.revision)
    annotation.revision = outcome.revision
