"""Comments while it is decided: who may read them, what of others' words is shown before one has decided."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import Adjudication, Membership, Message, Project, Rater, Role, Thread, Trajectory, User
from annotations.services import adjudication, asking, questions, standing, threads
from annotations.services.outcomes import NotAccepted
from annotations.services.questions import Filters
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead() -> User:
    return make.user("lead")


@pytest.fixture
def project(lead: User) -> Project:
    return make.project(owner=lead)


@pytest.fixture
def disputed(project: Project) -> Trajectory:
    """Ann and Bob differ on the second step."""
    found = make.trajectory(project, steps=3)
    for name, values in (("ann", [1, -1, 1]), ("bob", [1, 1, 1])):
        user = make.user(name)
        make.member(project, user)
        make.rating(make.rater(project, name, Rater.Kind.HUMAN, user), found, values, 1)
    standing.touch(project, [found.pk])
    return found


@pytest.fixture
def begun(disputed: Trajectory, lead: User) -> Adjudication:
    return adjudication.begin(disputed, lead)


def member(user: str, project: Project) -> Membership:
    return Membership.objects.get(user__username=user, project=project)


def comment(begun: Adjudication, by: User, text: str, step: int | None = 2) -> Thread:
    return asking.comment(begun, by, step=step, text=text, key=uuid.uuid4()).thread


def page(client: Client, begun: Adjudication, lead: User) -> str:
    client.force_login(lead)
    return client.get(reverse("adjudicate_one", args=[begun.project.slug, begun.trajectory_id])).content.decode()


def say(client: Client, begun: Adjudication, **given: Any) -> Any:
    address = reverse("adjudicate_say", args=[begun.project.slug, begun.trajectory_id])
    return client.post(address, {"key": uuid.uuid4(), **given}, headers={"HX-Request": "true"})


def test_comments_are_for_those_who_see_everybodys_labels(project, lead, begun):
    said = comment(begun, lead, "Ann is right.")
    assert list(threads.visible_to(member("lead", project))) == [said]
    for name in ("ann", "bob"):
        assert not threads.visible_to(member(name, project)).exists()


def test_who_led_once_and_labels_now_no_longer_reads_what_was_said_of_others(project, begun):
    other = make.user("other")
    mine = make.member(project, other, Role.REVIEWER)
    comment(begun, other, "Ann is right.")
    Membership.objects.filter(pk=mine.pk).update(role=Role.ANNOTATOR)
    assert not threads.visible_to(member("other", project)).exists()
    assert threads.news(member("other", project)).answered == 0


def test_a_comment_waits_for_nobody(project, lead, begun):
    comment(begun, lead, "Look again.")
    assert threads.news(member("lead", project)).waiting == 0
    assert questions.counts(member("lead", project), Filters(kind="note"))["all"] == 1


def test_what_others_say_is_shown_once_it_is_decided(client, project, lead, disputed, begun):
    other = make.user("other")
    make.member(project, other, Role.REVIEWER)
    comment(begun, other, "Clearly ann.")
    comment(begun, lead, "A note to myself.")
    before = page(client, begun, lead)
    assert ("Clearly ann." in before, "A note to myself." in before, "1 thread is shown once" in before) == (
        False,
        True,
        True,
    )
    adjudication.decide(begun, lead, (2, "label"), 1)
    after = page(client, begun, lead)
    assert ("Clearly ann." in after, "thread is shown once" in after) == (True, False)


def test_what_an_annotator_asked_there_waits_too(client, project, lead, disputed, begun):
    ann = disputed.annotations.get(rater__name="ann")
    make.thread(ann, "Is this not the wrong tool?", step=2)
    assert "wrong tool" not in page(client, begun, lead)
    adjudication.show(begun, lead, (2, "label"))
    assert "wrong tool" in page(client, begun, lead)


def test_a_comment_sent_twice_is_said_once(client, project, lead, begun):
    client.force_login(lead)
    key = uuid.uuid4()
    first, again = (say(client, begun, step=2, text="Look again.", key=key) for _ in range(2))
    assert (first.status_code, again.status_code, Message.objects.count()) == (200, 200, 1)
    assert "Look again." in first.content.decode()


@pytest.mark.parametrize(("step", "text", "words"), [(2, " ", "Nothing is written"), (9, "Hm", "no agent step 9")])
def test_what_cannot_be_said_stays_where_it_was_written(client, project, lead, begun, step, text, words):
    client.force_login(lead)
    answer = say(client, begun, step=step, text=text)
    assert (answer.status_code, words in answer.content.decode(), Message.objects.count()) == (422, True, 0)


def test_an_annotator_cannot_begin_a_comment_in_a_pass_of_their_own(project, disputed):
    ann = disputed.annotations.get(rater__name="ann")
    with pytest.raises(NotAccepted, match="no 'note'"):
        make.thread(ann, "Hm", kind="note")


def test_the_list_says_where_something_is_said(client, project, lead, begun):
    comment(begun, lead, "Look again.", step=None)
    asking.close(comment(begun, lead, "Done."), lead)
    assert adjudication.open_ones(project).get().comments == 1
