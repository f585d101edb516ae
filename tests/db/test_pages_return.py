"""A lead returns a submitted pass: it comes back to its person first, with the reason, and nothing of it is lost."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import Annotation, Rater
from annotations.services import queue
from tests import make
from tests.db.test_pages import enter

pytestmark = pytest.mark.django_db


@pytest.fixture
def annotator():
    return make.user()


@pytest.fixture
def lead():
    return make.user()


@pytest.fixture
def submitted(annotator, lead):
    project = make.project(annotator, owner=lead)
    trajectory = make.trajectory(project)
    person = make.rater(project, annotator.username, Rater.Kind.HUMAN, annotator)
    return make.rating(person, trajectory, [1, 0, -1], final=-1, seat=0)


def give_back(client: Client, annotation: Annotation, reason: str):
    slug = annotation.rater.project.slug
    return client.post(
        reverse("trajectory_return", args=[slug, annotation.trajectory_id, annotation.pk]), {"reason": reason}
    )


def test_it_comes_back_to_its_person_first_with_every_label(submitted, lead, annotator):
    make.trajectory(submitted.rater.project)
    give_back(enter(lead), submitted, "Step 2 misreads the result.")
    again = queue.lease_next(submitted.rater.project, annotator)
    assert again is not None
    assert (again.pk, again.state, again.comment) == (submitted.pk, "returned", "Step 2 misreads the result.")
    assert again.labels.current().count() == 4


def test_the_trajectory_page_offers_it_to_leads_and_the_label_page_says_why(submitted, lead, annotator):
    page = reverse("trajectory", args=[submitted.rater.project.slug, submitted.trajectory_id])
    door = reverse("trajectory_return", args=[submitted.rater.project.slug, submitted.trajectory_id, submitted.pk])
    assert door in enter(lead).get(page).content.decode()
    assert door not in enter(annotator).get(page).content.decode()
    give_back(enter(lead), submitted, "Step 2 misreads the result.")
    own = reverse("annotate", args=[submitted.rater.project.slug, submitted.pk])
    assert "Step 2 misreads the result." in enter(annotator).get(own).content.decode()


def test_without_a_reason_nothing_happens(submitted, lead):
    give_back(enter(lead), submitted, "  ")
    submitted.refresh_from_db()
    assert submitted.state == "submitted"


def test_what_a_judge_said_cannot_be_returned(lead):
    project = make.project(owner=lead)
    judged = make.rating(make.rater(project), make.trajectory(project), [1, 1, 1])
    give_back(enter(lead), judged, "No.")
    judged.refresh_from_db()
    assert judged.state == "submitted"
