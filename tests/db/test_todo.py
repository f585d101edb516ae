"""What to do next is said by role, and only what can be done."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from annotations.models import Annotation, Membership, Project, Report, Role, Run
from annotations.services import progress_counts, todo
from tests import make

pytestmark = pytest.mark.django_db


def titles(project: Project, role: Role) -> list[str]:
    person = make.user()
    membership = make.member(project, person, role)
    return [one.title for one in todo.of(membership, progress_counts.of_project(project))]


def titles_of(membership: Membership) -> list[str]:
    return [one.title for one in todo.of(membership, progress_counts.of_project(membership.project))]


def test_an_empty_project_wants_trajectories_and_people_of_those_who_manage_it():
    project = make.project(overlap=2)
    assert titles(project, Role.OWNER) == ["Import trajectories", "Add people"]
    assert titles(project, Role.ANNOTATOR) == titles(project, Role.VIEWER) == []


def test_who_labels_is_sent_on_with_what_came_back_first():
    person = make.user()
    project = make.project(person, overlap=1)
    membership = project.memberships.get()
    mine = make.lease(make.trajectory(project), person)
    assert titles_of(membership) == ["Go on labelling"]
    Annotation.objects.filter(pk=mine.pk).update(state="returned")
    assert titles_of(membership) == ["Look again at what was returned"]
    Annotation.objects.filter(pk=mine.pk).update(state="submitted")
    assert titles_of(membership) == []
    make.trajectory(project)
    assert titles_of(membership) == ["Label next"]
    assert titles(project, Role.VIEWER) == []


def test_agreement_is_asked_for_after_submissions_and_the_dataset_once_all_is_done():
    person = make.user()
    project = make.project(person, overlap=1)
    make.rating(make.rater(project, "p", "human", person), make.trajectory(project), [1, 1, 1], final=1)
    assert titles(project, Role.REVIEWER) == ["Compute agreement", "Take the dataset away", "Label next"]
    Report.objects.create(project=project, result={})
    assert titles(project, Role.REVIEWER) == ["Take the dataset away", "Label next"]
    Annotation.objects.update(submitted_at=timezone.now())
    assert "Compute agreement" in titles(project, Role.REVIEWER)


def test_a_run_that_failed_is_named_until_something_else_ran():
    project = make.project(make.user(), make.user())
    Run.objects.create(project=project, kind="import", state="failed")
    assert "Look at the run that failed" in titles(project, Role.MANAGER)
    Run.objects.create(project=project, kind="import", state="done")
    assert "Look at the run that failed" not in titles(project, Role.MANAGER)


def test_the_overview_links_what_is_to_do_and_says_what_hindsight_did(client: Client):
    owner = make.user()
    project = make.project(owner=owner)
    client.force_login(owner)
    page = client.get(f"/p/{project.slug}/").content.decode()
    assert f'<a href="/p/{project.slug}/import/">Import trajectories</a>' in page
    assert "Hindsight" not in page
    mine = make.rating(make.rater(project), make.trajectory(project), [1, 0, -1], revealed_at=timezone.now())
    mine.labels.filter(step__index=2).update(superseded_at=timezone.now())
    mine.labels.create(step=mine.trajectory.steps.get(index=2), field="label", value=-1, origin="human")
    Annotation.objects.filter(pk=mine.pk).update(revealed_at=mine.labels.filter(value=1).get().created_at)
    page = client.get(f"/p/{project.slug}/").content.decode()
    assert "Hindsight" in page
