"""The pages on which a judge is asked to write lists, and on which people say their word on what it wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.urls import reverse

from annotations import jobs
from annotations.models import Role, Rubric, Run
from annotations.services import rubric_writing, rubrics
from tests import judges, make
from tests.db.test_pages import enter
from tests.db.test_rubric_writing import item, judge, project, server, writes

__all__ = ["project", "server", "writes"]  # fixtures

pytestmark = pytest.mark.django_db


def door(name: str, project: Any, *more: object) -> str:
    return reverse(name, args=[project.slug, *more])


def asked(made: Any, **more: Any) -> dict[str, Any]:
    return {"judge": made.pk, "most": 12, "rollouts": 0, "prompt": "", "tasks": "", **more}


def written(project: Any, *titles: str) -> list[Rubric]:
    return [
        rubrics.store(make.task(project), "checks", [title], source="judge", by=None, rater="a-judge")
        for title in titles
    ]


def test_it_begins_once_somebody_has_seen_what_it_takes(project, owner):
    make.task(project)
    on = judges.server(prices=judges.PRICES)
    made = judges.judge(project, on, model="dear")
    client, address = enter(owner), door("rubrics_write", project, "checks")
    assert "the 1 task without a list" in client.get(address).content.decode()
    page = client.post(address, asked(made)).content.decode()
    assert "1 question" in page
    assert "USD" in page
    assert "There is no budget yet" in page
    assert not Run.objects.exists()
    answer = client.post(address, asked(made, sure="1"))
    run = Run.objects.get()
    assert answer.url == door("run", project, run.pk)
    assert (run.kind, run.created_by, run.config["field"], run.config["reference"]) == (
        "rubrics",
        owner,
        "checks",
        False,
    )


def test_the_tasks_that_were_ticked_are_asked_about_and_no_other(project, owner, server):
    one, _ = make.task(project), make.task(project)
    rubrics.store(one, "checks", ["Is it short?"], source="person", by=owner)
    made = judge(project, server)
    client, address = enter(owner), door("rubrics_write", project, "checks")
    page = client.get(f"{address}?task={one.pk}").content.decode()
    assert "the 1 task you chose" in page
    client.post(address, asked(made, tasks=str(one.pk), sure="1"))
    assert Run.objects.get().config["tasks"] == [one.pk]


def test_a_task_of_another_project_is_not_asked_about(project, owner, server):
    strange = make.task(make.project())
    answer = enter(owner).post(
        door("rubrics_write", project, "checks"), asked(judge(project, server), tasks=str(strange.pk), sure="1")
    )
    assert answer.status_code == 422
    assert "There is nothing to write" in answer.content.decode()
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("prompt", "{{nowhere}}", "unknown place"),
        ("most", "900", "less than or equal to 40"),
        ("rollouts", "7", "not one of the available choices"),
        ("judge", "99999", "not one of the available choices"),
        ("tasks", "1;drop", "These are no tasks"),
    ],
)
def test_what_cannot_be_asked_for_is_told_at_its_field(project, owner, server, field, value, words):
    make.task(project)
    answer = enter(owner).post(
        door("rubrics_write", project, "checks"), asked(judge(project, server), **{field: value}, sure="1")
    )
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Run.objects.exists()


def test_without_a_judge_and_without_a_task_the_page_says_what_to_do(project, owner, server):
    client, address = enter(owner), door("rubrics_write", project, "checks")
    assert "There is no judge to ask" in client.get(address).content.decode()
    judge(project, server)
    assert "Every task has a list" in client.get(address).content.decode()
    assert client.get(door("rubrics_write", project, "fixed")).status_code == 404


def test_only_managers_let_a_judge_write_and_only_leads_say_their_word(project, server):
    written(project, "Is it short?")
    made = judge(project, server)
    reviewer, annotator = make.user(), make.user()
    make.member(project, reviewer, Role.REVIEWER)
    make.member(project, annotator)
    write, waiting = door("rubrics_write", project, "checks"), door("rubrics_waiting", project)
    assert enter(reviewer).get(write).status_code == enter(reviewer).post(write, asked(made)).status_code == 403
    assert enter(reviewer).get(waiting).status_code == 200
    assert enter(annotator).get(waiting).status_code == 403
    assert "Let a judge write" not in enter(reviewer).get(door("rubrics", project)).content.decode()


def test_the_run_says_what_was_written_and_why_not(project, owner, server):
    for _ in range(2):
        make.task(project)
    made = judge(project, server, options={"at_once": 1})
    server.behave = lambda body: writes(body) if len(server.seen) < 2 else "no list"
    run = jobs.run_here(rubric_writing.start(made, owner, rubric_writing.configured(made, "checks")))
    page = enter(owner).get(door("run", project, run.pk)).content.decode()
    assert "the answer is no JSON" in page
    assert "Look at those that wait" in page
    assert "method-rubric 1" in page


def test_lists_wait_one_after_the_other_until_none_does(project, owner):
    first, second, third = written(project, "Is it short?", "Is it true?", "Is it kind?")
    client, address = enter(owner), door("rubrics_waiting", project)
    assert "3 lists wait for your word" in client.get(door("rubrics", project)).content.decode()
    assert "List 1 of 3 that wait" in client.get(address).content.decode()
    answer = client.post(
        door("rubric_decide", project, second.pk), {"to": "waiting", "word": "approve", "text": "- Is it true?\n"}
    )
    page = client.get(answer.url).content.decode()
    assert "Is it kind?" in page
    client.post(door("rubric_decide", project, third.pk), {"to": "waiting", "word": "reject"})
    client.post(
        door("rubric_decide", project, first.pk), {"to": "waiting", "word": "approve", "text": "- Is it long?\r\n"}
    )
    assert "Nothing waits" in client.get(address).content.decode()
    assert rubrics.in_force(second.task, "checks") == second
    assert rubrics.in_force(third.task, "checks") is None
    mine = rubrics.in_force(first.task, "checks")
    assert (mine.source, mine.items[0]["title"], mine.edited_from) == ("person", "Is it long?", first)


def test_a_list_that_is_sent_back_as_it_was_is_approved_as_it_is_whatever_ends_its_lines(project, owner):
    (made,) = written(project, "Is it short?")
    enter(owner).post(door("rubric_decide", project, made.pk), {"word": "approve", "text": "- Is it short?\r\n"})
    assert rubrics.in_force(made.task, "checks") == made


def test_a_mistake_in_an_edit_keeps_the_list_waiting_and_the_words(project, owner):
    (made,) = written(project, "Is it short?")
    answer = enter(owner).post(
        door("rubric_decide", project, made.pk), {"to": "waiting", "word": "approve", "text": "- [mine"}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "- [mine" in page
    assert "List 1 of 1 that waits" in page
    assert rubrics.waiting(project).get() == made


def test_a_second_word_changes_nothing(project, owner):
    (made,) = written(project, "Is it short?")
    client = enter(owner)
    client.post(door("rubric_decide", project, made.pk), {"word": "approve", "text": "- Is it short?\n"})
    answer = client.post(door("rubric_decide", project, made.pk), {"word": "reject"}, follow=True)
    assert "Somebody has said a word on that list already" in answer.content.decode()
    assert rubrics.in_force(made.task, "checks") == made


def test_what_it_would_take_the_place_of_is_said_before_and_where_it_is_from(project, owner, server):
    task = make.task(project)
    rubrics.store(task, "checks", ["Is it mine?"], source="person", by=owner)
    made = judge(project, server)
    jobs.run_here(rubric_writing.start(made, owner, rubric_writing.configured(made, "checks", tasks=[task.pk])))
    page = enter(owner).get(door("rubrics_waiting", project)).content.decode()
    assert "it takes the place of list 1, which a person wrote" in page
    run = door("run", project, Run.objects.get().pk)
    assert f'told by <code>method-rubric 1</code>, without the reference, in <a href="{run}">' in page


def test_what_a_judge_wrote_is_shown_and_never_made_markup(project, owner, server):
    make.task(project, instruction="<script>alert(1)</script>")
    bad = item("<img src=x onerror=alert(2)>", help="<b>bold</b>", evidence="<i>nowhere</i>")
    server.behave = lambda _: json.dumps({"considered": "<script>alert(3)</script>", "items": [bad]})
    made = judge(project, server)
    jobs.run_here(rubric_writing.start(made, owner, rubric_writing.configured(made, "checks")))
    page = enter(owner).get(door("rubrics_waiting", project)).content.decode()
    for markup in ("<script>alert", "<img src=x", "<b>bold", "<i>nowhere"):
        assert markup not in page
    assert "stands nowhere in the task" in page


def test_the_pages_ask_as_often_for_many_lists_as_for_few(project, owner, server, django_assert_max_num_queries):
    made = judge(project, server)
    for _ in range(12):
        make.task(project)
    run = jobs.run_here(rubric_writing.start(made, owner, rubric_writing.configured(made, "checks")))
    client = enter(owner)
    for address in (door("rubrics_waiting", project), door("run", project, run.pk), door("rubrics", project)):
        with django_assert_max_num_queries(20):
            client.get(address)


def test_the_projects_page_says_that_lists_wait(project, owner):
    make.trajectory(project)
    client, address = enter(owner), door("project", project)
    assert "Say your word" not in client.get(address).content.decode()
    written(project, "Is it short?", "Is it true?")
    page = client.get(address).content.decode()
    assert "Say your word on lists that wait" in page
    assert door("rubrics_waiting", project) in page
