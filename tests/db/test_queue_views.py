"""A kept view of the list can be what the queue gives out first."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import Annotation, Project, Run, SavedView, Trajectory, User
from annotations.services import queue, queue_policies_shown, setup, views
from annotations.services.outcomes import NotAccepted
from tests import make
from tests.queued import ordered

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lead() -> User:
    return make.user("lead")


@pytest.fixture
def ann() -> User:
    return make.user("ann")


@pytest.fixture
def project(lead: User, ann: User) -> Project:
    return make.project(ann, owner=lead, overlap=1)


@pytest.fixture
def made(project: Project) -> list[Trajectory]:
    """Thirty, every third of them by the policy model that the view asks for."""
    found = [make.trajectory(project, steps=2) for _ in range(30)]
    Trajectory.objects.filter(pk__in=[one.pk for one in found[::3]]).update(policy_model="small")
    return found


@pytest.fixture
def view(project: Project, lead: User, made: list[Trajectory]) -> SavedView:
    return views.save(project, lead, "By the small one", "model=small")


def taken(project: Project, person: User) -> list[Annotation]:
    found = []
    while one := queue.lease_next(project.slug, person):
        found.append(one)
        Annotation.objects.filter(pk=one.pk).update(state="submitted", lease_until=None)
    return found


def followed(project: Project, lead: User, **settings: object) -> Run:
    return ordered(project, lead, queue_policy="view", queue_view="By the small one", queue_random=10, **settings)


def test_what_the_view_shows_comes_first_and_the_rest_after_it(project, lead, ann, made, view):
    run = followed(project, lead)
    passes = taken(project, ann)
    inside = {one.pk for one in made[::3]}
    by_policy = [one.trajectory_id for one in passes if one.drawn == "policy"]
    shown = [one for one in by_policy if one in inside]
    assert {one.trajectory_id for one in passes} == {one.pk for one in made}
    assert by_policy[: len(shown)] == shown, "all of the view before any other"
    assert (run.result["by_policy"], run.result["by_chance"]) == (len(shown), 3)


def test_a_lead_is_told_why_each_stands_there(project, lead, made, view):
    followed(project, lead)
    project.refresh_from_db()
    reasons = {one.reason.lstrip("0123456789 ") for one in queue_policies_shown.upcoming(project)}
    assert reasons == {"of the view", "is not in the view", "whatever its scores"}


def test_a_view_that_shows_nothing_leaves_it_to_chance_and_says_so(project, lead, made):
    views.save(project, lead, "By the small one", "model=nobody")
    assert followed(project, lead).result["by_policy"] == 0
    project.refresh_from_db()
    assert "The view shows nothing" in queue_policies_shown.status(project).notice


@pytest.mark.parametrize(("name", "words"), [("", "Name the kept view"), ("gone", "no kept view called “gone”")])
def test_a_view_that_is_not_there_cannot_be_followed(project, lead, view, name, words):
    with pytest.raises(NotAccepted, match=words) as no:
        setup.change(project, lead, queue_policy="view", queue_view=name)
    assert no.value.answer["accepted"] == ["By the small one"]


def test_a_view_that_the_queue_follows_stays(project, lead, view):
    followed(project, lead)
    with pytest.raises(NotAccepted, match="follows"):
        views.remove(view, lead)
    setup.change(project, lead, queue_policy="import")
    views.remove(view, lead)
    assert not SavedView.objects.exists()


def test_one_press_on_the_list_makes_it_the_queue(project, lead, view):
    client = Client()
    client.force_login(lead)
    answer = client.post(reverse("view_follow", args=[project.slug, view.pk]), follow=True)
    project.refresh_from_db()
    assert (project.queue_policy, project.queue_view) == ("view", "By the small one")
    assert "By the small one" in answer.content.decode()


def test_the_settings_say_what_is_missing(project, lead, view):
    client = Client()
    client.force_login(lead)
    address = reverse("settings", args=[project.slug])
    form = client.get(address).context["form"]
    given = {name: form[name].value() or "" for name in form.fields} | {"queue_policy": "view", "queue_view": ""}
    refused = client.post(address, given)
    assert (refused.status_code, refused.context["form"].errors["queue_view"]) == (
        422,
        ["Name the kept view that it follows."],
    )
    assert client.post(address, given | {"queue_view": "By the small one"}).status_code == 302


def test_who_labels_is_not_told_which_view_it_is(project, lead, ann, made, view):
    followed(project, lead)
    client = Client()
    client.force_login(ann)
    assert client.get(f"/api/v1/projects/{project.slug}/").json()["queue_view"] is None
