"""The lists of tasks: who writes them, what a judge's waits for, and files of them."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from annotations.models import Project, Role, Rubric, User
from annotations.services import projects, rubric_lists, rubrics
from annotations.services.outcomes import NotAccepted
from tests import make
from tests.db.test_pages import enter

pytestmark = pytest.mark.django_db

TEXT = """\
name: lists
version: "1"
title: Lists
main: checks
fields:
  - {name: checks, title: Checks, kind: rubric, target: trajectory, items_from: judge, required: true}
  - {name: fixed, title: Fixed, kind: rubric, target: trajectory, items: [{name: a, title: "Is it so?"}]}
"""


@pytest.fixture
def project(owner: User) -> Project:
    return projects.create(slug="mine", text=TEXT, owner=owner)


@pytest.fixture
def task(project):
    return make.task(project, external_id="task-1", instruction="Sum up the page.")


def door(name: str, project: Project, *more: object) -> str:
    return reverse(name, args=[project.slug, *more])


def judged(task, *items: str) -> Rubric:
    return rubrics.store(task, "checks", list(items), source="judge", by=None, rater="a-judge")


def test_only_rubrics_whose_items_are_of_tasks_have_lists(project):
    scheme = projects.scheme_of(project.scheme)
    assert [one.name for one in rubric_lists.fields_of(scheme)] == ["checks"]
    with pytest.raises(NotAccepted, match="'fixed'"):
        rubric_lists.field_of(scheme, "fixed")


def test_the_tasks_are_listed_with_what_they_ask_and_what_waits(project, task, owner):
    make.task(project, external_id="task-2", reference={"checks": ["Does it name the source?"]})
    judged(task, "Is it short?", "Is it true?")
    page = enter(owner).get(door("rubrics", project)).content.decode()
    assert "none: nothing is asked" in page
    assert "waits, 2 items" in page
    assert "from the task’s reference" in page
    waiting = enter(owner).get(door("rubrics", project) + "?waiting=1").content.decode()
    assert "task-1" in waiting
    assert "task-2" not in waiting


def test_a_list_that_somebody_writes_is_asked_at_once(project, task, owner):
    address = door("rubric", project, task.pk, "checks")
    enter(owner).post(address, {"text": '- Is it short?\n- {name: true, title: "Is it true?", weight: 2}\n'})
    assert rubrics.in_force(task, "checks") is None, "YAML's true is no name"
    enter(owner).post(address, {"text": '- Is it short?\n- {name: truth, title: "Is it true?", weight: 2}\n'})
    listed = rubrics.in_force(task, "checks")
    assert [(one["name"], one["weight"]) for one in listed.items] == [("q1", 1.0), ("truth", 2.0)]
    assert (listed.source, listed.made_by) == ("person", owner)
    assert "Is it true?" in enter(owner).get(address).content.decode()


def test_a_list_with_a_mistake_is_refused_with_its_line_and_kept_in_the_box(project, task, owner):
    text = '- Is it short?\n- {name: truth, title: "Is it true?", wieght: 2}\n'
    answer = enter(owner).post(door("rubric", project, task.pk, "checks"), {"text": text})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Line 2: Item 1.wieght" in page
    assert "wieght: 2}" in page
    assert not Rubric.objects.exists()


@pytest.mark.parametrize("text", ["- [", "nothing", "", "- ''", "a: b", "- same\n- {name: q1, title: same}"])
def test_what_is_no_list_of_items_is_refused(text):
    with pytest.raises(NotAccepted):
        rubric_lists.read(text)


def test_a_list_is_shown_as_it_can_be_written_again():
    for text in ("- Is it short?\n- Is it true?\n", "- name: truth\n  title: Is it true?\n  weight: 2\n"):
        items = [one.model_dump(mode="json") for one in rubrics.checked(rubric_lists.read(text))]
        assert rubric_lists.as_text(items) == text


def test_a_judges_list_is_asked_once_it_is_approved_and_as_it_was_edited(project, task, owner):
    made = judged(task, "Is it short?", "Is it true?")
    client = enter(owner)
    client.post(door("rubric_decide", project, made.pk), {"word": "approve", "text": "- Is it short?\n- Is it true?\n"})
    assert rubrics.in_force(task, "checks") == made
    other = judged(task, "Is it so long?")
    client.post(door("rubric_decide", project, other.pk), {"word": "approve", "text": "- Is it long?\n"})
    current = rubrics.in_force(task, "checks")
    assert (current.source, current.items[0]["title"]) == ("person", "Is it long?")
    assert Rubric.objects.get(pk=other.pk).rejected_at


def test_a_judges_list_that_is_rejected_is_asked_of_nobody(project, task, owner):
    made = judged(task, "Is it short?")
    enter(owner).post(door("rubric_decide", project, made.pk), {"word": "reject"})
    assert rubrics.in_force(task, "checks") is None
    assert not rubrics.waiting(project).exists()


def test_an_edit_with_a_mistake_leaves_the_judges_list_waiting(project, task, owner):
    made = judged(task, "Is it short?")
    answer = enter(owner).post(door("rubric_decide", project, made.pk), {"word": "approve", "text": "- [mine"})
    assert answer.status_code == 422
    assert "- [mine" in answer.content.decode()
    assert rubrics.waiting(project).get() == made


def test_a_file_of_lists_goes_in_but_for_the_lines_that_are_wrong(project, task, owner):
    rows = [
        json.dumps({"task": "task-1", "field": "checks", "items": ["Is it short?"]}),
        "{",
        json.dumps({"task": "task-9", "field": "checks", "items": ["Is it short?"]}),
        json.dumps({"task": "task-1", "field": "fixed", "items": ["Is it short?"]}),
        json.dumps({"task": "task-1", "field": "checks", "items": []}),
        json.dumps(["task-1"]),
    ]
    file = SimpleUploadedFile("lists.jsonl", "\n".join(rows).encode())
    answer = enter(owner).post(door("rubrics", project), {"file": file})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "1 list went in; 5 lines did not" in page
    assert "no task &#x27;task-9&#x27;" in page
    assert rubrics.in_force(task, "checks").source == "file"


def test_reviewers_lead_the_lists_and_annotators_do_not(project, task):
    made = judged(task, "Is it short?")
    reviewer, annotator = make.user(), make.user()
    make.member(project, reviewer, Role.REVIEWER)
    make.member(project, annotator)
    for name, more in (("rubrics", []), ("rubric", [task.pk, "checks"])):
        assert enter(reviewer).get(door(name, project, *more)).status_code == 200
        assert enter(annotator).get(door(name, project, *more)).status_code == 403
    assert enter(annotator).post(door("rubric_decide", project, made.pk), {"word": "reject"}).status_code == 403
    assert rubrics.waiting(project).exists()
