"""Guidelines beside the work: each label names the version that was shown with it, and a pass takes a newer one up."""

from __future__ import annotations

import uuid

import pytest
from django.http import Http404
from django.urls import reverse

from annotations.models import Annotation, Guideline, Label, Project, Role
from annotations.services import guidelines, labels
from annotations.services.outcomes import Closed, NotAccepted
from tests import make
from tests.db.test_pages import enter

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine(project: Project) -> Annotation:
    ann = make.user("ann")
    make.member(project, ann)
    return make.lease(make.trajectory(project), ann, guideline=project.guidelines.get())


@pytest.fixture
def second(project: Project, mine: Annotation) -> Guideline:
    """A version that came after the pass was begun."""
    return guidelines.publish(project, "# Guidelines\nRetries are neutral.", None)


def say(annotation: Annotation, step: int, value: int) -> None:
    item = {"step": step, "field": "label", "value": value}
    revision = Annotation.objects.get(pk=annotation.pk).revision
    labels.change(annotation.pk, annotation.rater.user, [item], change=uuid.uuid4(), revision=revision)


def versions(annotation: Annotation) -> dict[int, int]:
    """Step → the version its current label names."""
    named = Label.objects.current().filter(annotation=annotation)
    return dict(named.values_list("step__index", "guideline__version"))


def door(annotation: Annotation, name: str) -> str:
    return reverse(f"label_{name}", args=[annotation.rater.project.slug, annotation.pk])


def test_labels_given_before_keep_their_version_and_later_ones_name_the_new(mine, second):
    say(mine, 1, 1)
    guidelines.adopt(mine.pk, mine.rater.user, 2)
    say(mine, 2, 0)
    assert versions(mine) == {1: 1, 2: 2}
    say(mine, 1, -1)
    assert versions(mine) == {1: 2, 2: 2}, "an answer that changes is given anew"


def test_taking_a_version_up_is_in_the_log_and_doing_so_twice_is_doing_so_once(mine, second):
    for _ in range(2):
        guidelines.adopt(mine.pk, mine.rater.user, 2)
    (event,) = mine.events.filter(verb="guideline")
    assert (event.actor, event.before, event.after) == (mine.rater.user, {"version": 1}, {"version": 2})


def test_undo_goes_on_across_it(mine, second):
    say(mine, 1, 1)
    guidelines.adopt(mine.pk, mine.rater.user, 2)
    revision = Annotation.objects.get(pk=mine.pk).revision
    undone = labels.undo(mine.pk, mine.rater.user, change=uuid.uuid4(), revision=revision)
    assert (undone.undo, versions(mine)) == (False, {})
    labels.redo(mine.pk, mine.rater.user, change=uuid.uuid4(), revision=undone.revision)
    assert versions(mine) == {1: 2}


def test_a_label_of_before_labels_named_a_version_names_the_one_that_was_shown(mine, second):
    say(mine, 1, 1)
    mine.labels.update(guideline=None)
    guidelines.adopt(mine.pk, mine.rater.user, 2)
    assert versions(mine) == {1: 1}


def test_only_a_newer_version_that_there_is_can_be_taken_up(mine, second):
    with pytest.raises(NotAccepted) as refused:
        guidelines.adopt(mine.pk, mine.rater.user, 9)
    assert refused.value.answer == {
        "error": "The guidelines have no newer version 9.",
        "field": "version",
        "accepted": [2],
    }
    guidelines.adopt(mine.pk, mine.rater.user, 2)
    with pytest.raises(NotAccepted, match="no newer version 1"):
        guidelines.adopt(mine.pk, mine.rater.user, 1)


@pytest.mark.parametrize("state", ["submitted", "skipped"])
def test_a_pass_that_is_not_worked_on_keeps_its_version(mine, second, state):
    Annotation.objects.filter(pk=mine.pk).update(state=state)
    with pytest.raises(Closed):
        guidelines.adopt(mine.pk, mine.rater.user, 2)
    assert Annotation.objects.get(pk=mine.pk).guideline.version == 1
    assert enter(mine.rater.user).get(door(mine, "newer")).json() == {"shown": 1, "newer": None, "html": ""}


def test_nobody_takes_a_version_up_for_somebody_else(mine, second, owner):
    with pytest.raises(Http404):
        guidelines.adopt(mine.pk, owner, 2)


def test_the_page_is_told_of_a_newer_version_and_what_changed_since_the_one_it_shows(project, mine, second):
    guidelines.publish(project, "# Guidelines\nRetries are neutral.\n<b>Always.</b>", None)
    client = enter(mine.rater.user)
    told = client.get(door(mine, "newer")).json()
    assert (told["shown"], told["newer"]) == (1, 3)
    assert "Version 3 of the guidelines is in force; this item shows version 1." in told["html"]
    assert "<ins>Retries are neutral.</ins>" in told["html"]
    assert "<ins>&lt;b&gt;Always.&lt;/b&gt;</ins>" in told["html"]
    assert f"{reverse('guideline', args=[project.slug, 3])}?since=1" in told["html"]
    taken = client.post(door(mine, "guideline"), {"version": 3}, content_type="application/json").json()
    assert taken["version"] == 3
    assert "<p>Retries are neutral." in taken["html"]
    assert "<b>" not in taken["html"]
    assert client.get(door(mine, "newer")).json()["newer"] is None


def test_a_version_is_compared_with_the_older_one_that_is_asked_for(project, mine, second):
    guidelines.publish(project, "# Guidelines\nRetries are wrong.", None)
    client = enter(mine.rater.user)
    address = reverse("guideline", args=[project.slug, 3])
    assert "What changed since version 2" in client.get(address).content.decode()
    assert "What changed since version 1" in client.get(f"{address}?since=1").content.decode()
    assert "What changed since version 2" in client.get(f"{address}?since=soon").content.decode()


def test_a_thread_is_turned_into_a_section_that_names_nobody(project, mine, owner):
    asked = make.thread(mine, "Is a retry wrong?\nIt failed first.")
    make.answer(asked, owner, "A retry is neutral.")
    make.answer(asked, mine.rater.user, "Thank you.")
    page = enter(owner).get(reverse("guidelines", args=[project.slug]) + f"?from={asked.pk}").content.decode()
    section = "## A question that came up\n\n&gt; Is a retry wrong?\n&gt; It failed first.\n\nA retry is neutral.\n"
    assert section in page
    assert "Thank you." not in page
    assert "ann" not in page.split("<textarea")[1].split("</textarea>")[0]
    assert project.guidelines.count() == 1, "nothing is published by looking"


def test_a_thread_one_may_not_see_is_no_section(project, mine):
    asked = make.thread(mine, "zq-secret")
    other = make.user()
    make.member(project, other)
    address = reverse("guidelines", args=[project.slug]) + f"?from={asked.pk}"
    assert "zq-secret" not in enter(other).get(address).content.decode()
    elsewhere = make.user()
    make.member(make.project(slug="elsewhere"), elsewhere, Role.OWNER)
    assert enter(elsewhere).get(f"/p/elsewhere/guidelines/?from={asked.pk}").status_code == 404
