"""The pages of gold items and of training: every state says what to do next."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import Annotation, Gold, Project, Rater, Role, SavedView, User
from annotations.services import gold, training_people
from tests import gilded, make

pytestmark = pytest.mark.django_db
TRAINING = Gold.Use.TRAINING


@pytest.fixture
def lead() -> User:
    return make.user("lead")


@pytest.fixture
def project(lead: User) -> Project:
    return make.project(owner=lead, overlap=2)


@pytest.fixture
def browser(client: Client, lead: User) -> Client:
    client.force_login(lead)
    return client


def text(client: Client, project: Project, name: str, *args: Any) -> str:
    return client.get(reverse(name, args=[project.slug, *args])).content.decode()


def test_with_nothing_there_the_page_says_what_can_be_marked(browser: Client, project: Project) -> None:
    page = text(browser, project, "gold")
    assert "No gold items yet" in page
    assert "Nothing was handed in yet that could be held to be right" in page


def test_settings_are_saved_and_what_cannot_be_is_said(browser: Client, project: Project) -> None:
    door = reverse("gold", args=[project.slug])
    said = {"every": "4", "again": "0", "again_after": "7", "shown": "nothing", "training": "3", "mark": "75"}
    assert browser.post(door, said).status_code == 302
    plan = gold.plan_of(project)
    assert (plan.every, plan.shown, plan.training, plan.mark) == (4, "nothing", 3, 75)
    refused = browser.post(door, said | {"every": "1"})
    assert refused.status_code == 422
    assert "One in one would be nothing but gold" in refused.content.decode()
    page = text(browser, project, "gold")
    assert "nothing is slipped into it" in page
    assert "newcomers cannot finish it" in page


def test_many_are_marked_of_a_kept_view(browser: Client, project: Project, lead: User) -> None:
    file = make.rater(project, "file", Rater.Kind.IMPORT)
    kept = make.trajectory(project, steps=2, policy_model="one")
    make.rating(file, kept, [1, 1])
    make.rating(file, make.trajectory(project, steps=2, policy_model="two"), [1, 1])
    SavedView.objects.create(project=project, name="ones", query="model=one", by=lead)
    said = {"rater": file.pk, "use": "queue", "view": "ones", "most": ""}
    browser.post(reverse("gold_many", args=[project.slug]), said)
    assert [one.trajectory_id for one in Gold.objects.all()] == [kept.pk]


def test_one_is_marked_and_unmarked_on_its_trajectorys_page(browser: Client, project: Project) -> None:
    [item] = gilded.known(project, 1)
    gold.unmark(item, None)
    where = [project.slug, item.trajectory_id]
    assert "Mark as known" in text(browser, project, "trajectory_gold", item.trajectory_id)
    said = {"reference": item.reference_id, "use": "training", "explanation": "See step 2."}
    browser.post(reverse("trajectory_gold", args=where), said)
    made = Gold.objects.get()
    assert (made.use, made.explanation) == (TRAINING, "See step 2.")
    browser.post(reverse("trajectory_gold_unmark", args=where), {"back": "trajectory"})
    assert not Gold.objects.exists()


def test_the_page_asks_no_query_a_row(browser: Client, project: Project, django_assert_max_num_queries: Any) -> None:
    gilded.planned(project, training=1)
    many = 12
    for number in range(many):
        [item] = gilded.known(project, 1)
        user = make.user(f"ann{number}")
        make.member(project, user)
        rater = make.rater(project, user.username, Rater.Kind.HUMAN, user)
        make.rating(rater, item.trajectory, gilded.RIGHT, final=1, purpose="gold")
        make.member(project, make.user(f"new{number}"))
    with django_assert_max_num_queries(40):
        page = text(browser, project, "gold")
    assert page.count("new11") >= 1


def test_quality_has_a_column_of_gold_for_the_lead_and_totals_for_oneself(browser: Client, project: Project) -> None:
    items = gilded.known(project, 8)
    ann = make.user("ann")
    make.member(project, ann)
    rater = make.rater(project, "ann", Rater.Kind.HUMAN, ann)
    for item in items:
        make.rating(rater, item.trajectory, gilded.RIGHT, final=1, purpose="gold")
    assert "On gold items" in text(browser, project, "quality")
    own = Client()
    own.force_login(ann)
    page = text(own, project, "quality")
    assert "up to the end of yesterday" in page
    assert not [item for item in items if item.trajectory.external_id in page]
    gilded.planned(project, shown="nothing")
    assert "On gold items" not in text(own, project, "quality")


def test_a_newcomer_sees_how_far_they_are_and_that_they_have_passed(project: Project, lead: User) -> None:
    gilded.filled(project, *gilded.known(project, 2, TRAINING))
    gilded.planned(project, training=2)
    new = make.user("new")
    make.member(project, new)
    own = Client()
    own.force_login(new)
    assert "0 of 2 handed in" in text(own, project, "training")
    gilded.answer(gilded.take(project, new), gilded.RIGHT)
    assert "1 of 2 handed in" in text(own, project, "training")
    gilded.answer(gilded.take(project, new), gilded.RIGHT)
    assert "You have passed" in text(own, project, "training")


def test_below_the_mark_the_page_offers_others_or_says_that_none_are_left(project: Project, lead: User) -> None:
    gilded.filled(project, *gilded.known(project, 1, TRAINING))
    gilded.planned(project, training=1, mark=100)
    new = make.user("new")
    make.member(project, new)
    own = Client()
    own.force_login(new)
    gilded.answer(gilded.take(project, new), [1, 1])
    page = text(own, project, "training")
    assert "Not yet: 67 %" in page
    assert "No training items are left" in page
    assert training_people.stuck(project) == 1
    gilded.filled(project, *gilded.known(project, 1, TRAINING))
    assert "Try again with others" in text(own, project, "training")
    door = own.post(reverse("training_again", args=[project.slug]))
    assert door.url == reverse("label_next", args=[project.slug])


def test_what_a_reference_says_is_shown_and_never_run(project: Project) -> None:
    [item] = gilded.known(project, 1, TRAINING)
    gilded.filled(project, item)
    gold.mark(project, item.trajectory_id, None, use=TRAINING, explanation="<script>alert(1)</script>")
    gilded.planned(project, training=1)
    new = make.user("new")
    make.member(project, new)
    own = Client()
    own.force_login(new)
    taken = gilded.answer(gilded.take(project, new), gilded.RIGHT)
    page = text(own, project, "training_feedback", taken.pk)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_reviewer_sees_the_page_and_changes_nothing(project: Project) -> None:
    reviewer = make.user("reviewer")
    make.member(project, reviewer, Role.REVIEWER)
    own = Client()
    own.force_login(reviewer)
    assert "One gold item in" in text(own, project, "gold")
    assert own.post(reverse("gold", args=[project.slug]), {"every": "2"}).status_code == 403
    assert Annotation.objects.count() == 0
