"""What a person says of a task holds for the task: one rollout of it is enough, and another begins with it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from annotations import schemes
from annotations.models import Annotation, Event, Label, Project, Trajectory, User
from annotations.services import labels, projects, queue, task_answers
from tests import make

pytestmark = pytest.mark.django_db

BOTH = """
name: both
version: "1"
title: Both
summary: Steps, and which rollout is best.
main: label
fields:
  - {name: label, title: Label, kind: choice, target: step, required: true, choices: [{value: 1, title: Right}, {value: 0, title: Wrong}]}
  - {name: best, title: Best, kind: preference, target: task, form: best}
  - {name: why, title: Why, kind: text, target: task}
"""  # noqa: E501


def work(scheme: Any, people: int = 1, **fields: Any) -> tuple[Project, list[User], list[Trajectory]]:
    """Two tasks of three rollouts each."""
    members = [make.user() for _ in range(people)]
    project = make.project(*members, scheme=scheme, **fields)
    tasks = [make.task(project) for _ in range(2)]
    return project, members, [make.trajectory(project, of=task, steps=1) for task in tasks for _ in range(3)]


def taken(project: Project, person: User) -> list[Annotation]:
    """All that comes, each handed in."""
    found = []
    while leased := queue.lease_next(project, person):
        Annotation.objects.filter(pk=leased.pk).update(state="submitted", lease_until=None)
        found.append(leased)
    return found


def say(annotation: Annotation, user: User, field: str, value: Any) -> None:
    item = {"step": None, "field": field, "value": value}
    current = Annotation.objects.get(pk=annotation.pk)
    labels.change(current.pk, user, change=uuid.uuid4(), revision=current.revision, items=[item])


def said(annotation: Annotation) -> dict[str, Any]:
    return dict(Label.objects.current().filter(annotation=annotation).values_list("field", "value"))


def test_where_only_tasks_are_asked_about_a_person_gets_one_rollout_of_each():
    project, (alice,), made = work(make.scheme("rollout-ranking"))

    assert [one.trajectory for one in taken(project, alice)] == [made[0], made[3]]


def test_the_seats_of_a_task_are_those_of_the_rollout_that_stands_for_it():
    project, (alice, bob, carol), made = work(make.scheme("rollout-ranking"), 3, overlap=2)

    assert [len(taken(project, person)) for person in (alice, bob, carol)] == [2, 2, 0]


def test_who_was_given_another_rollout_of_a_task_does_not_get_the_task_again():
    project, (alice,), made = work(make.scheme("rollout-ranking"))
    make.lease(made[1], alice, state="submitted", lease_until=None)

    assert [one.trajectory for one in taken(project, alice)] == [made[3]]


def test_where_steps_are_asked_about_too_every_rollout_comes():
    project, (alice,), made = work(projects.freeze(schemes.read(BOTH)))

    assert [one.trajectory for one in taken(project, alice)] == made


def test_another_rollout_begins_with_what_its_person_said_of_the_task():
    project, (alice,), made = work(projects.freeze(schemes.read(BOTH)))
    first = queue.lease_next(project, alice)
    assert first
    say(first, alice, "best", 2)
    say(first, alice, "why", "It is short.")
    Annotation.objects.filter(pk=first.pk).update(state="submitted", lease_until=None)

    second = queue.lease_next(project, alice)

    assert second
    assert said(second) == {"best": 2, "why": "It is short."}
    assert set(Label.objects.filter(annotation=second).values_list("origin", flat=True)) == {"human"}
    event = Event.objects.get(annotation=second, verb="carried")
    assert {one["field"]: one["value"] for one in event.after} == {"best": 2, "why": "It is short."}
    outcome = labels.undo(second.pk, alice, change=uuid.uuid4(), revision=second.revision)
    assert said(second) == {"best": 2, "why": "It is short."}, "what came along is nothing that undo takes back"
    assert not outcome.undo


def test_nothing_comes_along_from_somebody_else_or_from_another_task():
    project, (alice, bob), made = work(projects.freeze(schemes.read(BOTH)), 2, overlap=2)
    first = queue.lease_next(project, alice)
    assert first
    say(first, alice, "best", 2)
    Annotation.objects.filter(pk=first.pk).update(state="submitted", lease_until=None)

    other = queue.lease_next(project, bob)
    assert other
    assert said(other) == {}
    passes = taken(project, alice)
    assert [said(one) for one in passes] == [{"best": 2}, {"best": 2}, {}, {}, {}]


def test_an_answer_that_names_a_rollout_which_is_gone_does_not_come_along():
    project, (alice,), made = work(projects.freeze(schemes.read(BOTH)))
    first = queue.lease_next(project, alice)
    assert first
    say(first, alice, "best", 2)
    Annotation.objects.filter(pk=first.pk).update(state="submitted", lease_until=None)
    made[2].superseded_at = first.created_at
    made[2].save()

    second = queue.lease_next(project, alice)

    assert second
    assert said(second) == {}


def test_one_persons_answer_to_a_task_counts_once_and_the_newest_is_it():
    project, (alice,), made = work(projects.freeze(schemes.read(BOTH)))
    first = queue.lease_next(project, alice)
    assert first
    say(first, alice, "best", 2)
    Annotation.objects.filter(pk=first.pk).update(state="submitted", lease_until=None)
    second = queue.lease_next(project, alice)
    assert second
    say(second, alice, "best", 0)

    rows = Label.objects.current().select_related("annotation__trajectory")
    assert [one.value for one in task_answers.newest(rows) if one.field == "best"] == [0]
