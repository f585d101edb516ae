"""Who may let whom in, and that a project never loses its last owner."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import Event, Membership, Project, Role, User
from tests import make
from tests.db.test_pages import enter

pytestmark = pytest.mark.django_db


def role_of(project: Project, user: User) -> str | None:
    return Membership.objects.filter(project=project, user=user).values_list("role", flat=True).first()


def test_an_owner_adds_somebody_who_has_an_account(project: Project, owner: User) -> None:
    user = make.user("Ines")
    enter(owner).post(reverse("member_add", args=[project.slug]), {"username": "ines", "role": "reviewer"})
    assert role_of(project, user) == Role.REVIEWER
    event = Event.objects.get(verb="member.added")
    assert (event.actor, event.after) == (owner, {"user": "Ines", "role": "reviewer"})


def test_a_name_nobody_has_is_refused_with_what_to_do(project: Project, owner: User) -> None:
    answer = enter(owner).post(reverse("member_add", args=[project.slug]), {"username": "nobody", "role": "viewer"})
    assert answer.status_code == 422
    assert "Make an account for them below" in answer.content.decode()


def test_an_account_is_made_with_a_password_that_works_and_is_shown_once(project: Project, owner: User) -> None:
    client = enter(owner)
    made = client.post(reverse("member_new", args=[project.slug]), {"username": "newcomer", "role": "annotator"})
    password = made.context["password"]
    assert password in made.content.decode()
    assert "no-store" in made.headers["Cache-Control"]
    assert password not in client.get(reverse("members", args=[project.slug])).content.decode()
    assert not Event.objects.filter(after__icontains=password).exists()
    visitor = Client()
    visitor.post(reverse("account_login"), {"login": "newcomer", "password": password})
    assert visitor.get(reverse("project", args=[project.slug])).status_code == 200


def test_an_account_that_exists_is_not_taken_over(project: Project, owner: User) -> None:
    somebody = make.user("Somebody")
    before = somebody.password
    data = {"username": "somebody", "role": "viewer"}
    answer = enter(owner).post(reverse("member_new", args=[project.slug]), data)
    assert answer.status_code == 422
    somebody.refresh_from_db()
    assert somebody.password == before


def test_the_last_owner_can_neither_leave_nor_step_down(project: Project, owner: User) -> None:
    client, me = enter(owner), project.memberships.get()
    client.post(reverse("member_remove", args=[project.slug, me.pk]))
    client.post(reverse("member_change", args=[project.slug, me.pk]), {"role": "viewer"})
    assert role_of(project, owner) == Role.OWNER
    make.member(project, make.user(), Role.OWNER)
    answer = client.post(reverse("member_remove", args=[project.slug, me.pk]))
    assert role_of(project, owner) is None
    assert answer.headers["Location"] == reverse("home")


def test_a_manager_makes_no_owner_and_touches_none(project: Project, owner: User) -> None:
    manager, user = make.user(), make.user()
    make.member(project, manager, Role.MANAGER)
    client, owners = enter(manager), project.memberships.get(user=owner)
    client.post(reverse("member_add", args=[project.slug]), {"username": user.username, "role": "owner"})
    assert role_of(project, user) is None
    client.post(reverse("member_change", args=[project.slug, owners.pk]), {"role": "viewer"})
    client.post(reverse("member_remove", args=[project.slug, owners.pk]))
    assert role_of(project, owner) == Role.OWNER
    mine = project.memberships.get(user=manager)
    client.post(reverse("member_change", args=[project.slug, mine.pk]), {"role": "owner"})
    assert role_of(project, manager) == Role.MANAGER


def test_removing_somebody_keeps_what_they_labelled(project: Project, owner: User) -> None:
    annotator = make.user()
    member = make.member(project, annotator)
    mine = make.rater(project, annotator.username, "human", annotator)
    passed = make.rating(mine, make.trajectory(project), [1, 0, -1])
    enter(owner).post(reverse("member_remove", args=[project.slug, member.pk]))
    assert role_of(project, annotator) is None
    assert passed.labels.count() == 3
    assert enter(annotator).get(reverse("project", args=[project.slug])).status_code == 404


def test_a_member_of_another_project_cannot_be_reached_through_this_one(project: Project, owner: User) -> None:
    other = make.member(make.project(), make.user())
    client = enter(owner)
    assert client.post(reverse("member_remove", args=[project.slug, other.pk])).status_code == 404
    assert client.post(reverse("member_change", args=[project.slug, other.pk]), {"role": "viewer"}).status_code == 404
