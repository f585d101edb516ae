"""Why a judge said that: every question and answer behind a verdict, inert, for those who may see others' labels."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotations import jobs
from annotations.models import Annotation, JudgeCall, JudgeVerdict, Project, Rater, Role
from annotations.services import judge_budget, judge_why, judge_why_said, projects
from annotations.services import judges as services
from tests import judge_server, judges, make
from tests.judge_server import JudgeServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def server():
    with JudgeServer() as found:
        yield found


@pytest.fixture
def project():
    return make.project(owner=make.user("lead"))


def asked(project: Project, server: JudgeServer, **fields) -> JudgeVerdict:
    on = judges.server(server.url, prices=fields.pop("prices", None), retries=0)
    made = judges.judge(project, on, **{"prompt": "Label. {{fields}}", **fields})
    jobs.run_here(services.start(made, None))
    return JudgeVerdict.objects.get(judge=made)


def page(client, project, verdict, **query) -> str:
    client.force_login(project.memberships.get(user__username="lead").user)
    answer = client.get(reverse("judge_why", args=[project.slug, verdict.annotation_id]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_holds_the_question_the_answer_and_what_they_took(project, server, client):
    make.trajectory(project, steps=2)
    verdict = asked(project, server)
    shown = page(client, project, verdict)
    for words in ("I try 1.", "Because it does.", "json_schema", "tokens in", "cost not known", "1 attempt"):
        assert words in shown
    assert "step #2" in page(client, project, verdict, step="2")


def test_it_says_whom_it_asked_how_and_by_which_price_list(project, server, client):
    make.trajectory(project, steps=1)
    judge_budget.set_limit(project, project.memberships.get().user, 10**9)
    verdict = asked(project, server, name="strict", model="dear", prices=judges.PRICES, temperature=0.25)
    shown = page(client, project, verdict)
    words = ("strict version 1", "dear", verdict.judge.server.title, "prompt own", "by the list 2026-11", "attempt")
    for word in (*words, "Label. {{fields}}", "temperature 0.25", "Blind: no reference, no outcome"):
        assert word in shown
    spent = judge_why.spent(verdict)
    call = JudgeCall.objects.get()
    assert (spent.calls, spent.attempts, spent.unpriced, spent.known) == (1, 1, 0, 0)
    assert (spent.prompt, spent.cost_micro, spent.lists) == (call.prompt_tokens, call.cost_micro, ["2026-11"])


def test_what_people_say_stands_beside_it_and_what_they_say_otherwise_is_marked(project, server, client):
    trajectory = make.trajectory(project, steps=2)
    verdict = asked(project, server)
    ann = make.rater(project, "ann", Rater.Kind.HUMAN, make.user("ann"))
    mine = make.rating(ann, trajectory, [1, -1], 1)
    mine.labels.filter(step__index=2).update(explanation="It is <b>wrong</b>.")
    ben = make.rater(project, "ben", Rater.Kind.HUMAN, make.user("ben"))
    make.rating(ben, trajectory, [-1, -1], 1, state=Annotation.State.DRAFT, submitted_at=None)
    learner = make.rater(project, "learner", Rater.Kind.HUMAN, make.user("learner"))
    make.rating(learner, trajectory, [-1, -1], 1, purpose="training")
    lead = project.memberships.get(user__username="lead")
    rows = judge_why_said.rows(lead, verdict, projects.scheme_of(project.scheme))
    assert [(one.step, one.name, one.is_corrected) for one in rows] == [
        (1, "label", False),
        (2, "label", True),
        (None, "final", False),
    ]
    assert [word.rater.name for one in rows for word in one.people] == ["ann"] * 3
    shown = page(client, project, verdict)
    assert "It is &lt;b&gt;wrong&lt;/b&gt;." in shown and shown.count("otherwise</span>") == 1
    assert "ben" not in shown and "learner" not in shown


def test_a_long_text_shows_its_beginning_and_end_and_all_of_it_when_it_is_asked_for(project, server, client):
    make.trajectory(project, steps=1)
    verdict = asked(project, server)
    call = verdict.calls.get()
    text = f"{'a' * 3_000}{'<b>' * 10_000}{'c' * 1_000}"
    JudgeCall.objects.filter(pk=call.pk).update(answer=text)
    shown = page(client, project, verdict)
    assert "Show all: 30\u202f000 more characters" in shown and "&lt;b&gt;" not in shown
    url = reverse("judge_why_text", args=[project.slug, verdict.annotation_id, call.pk, "answer"])
    assert url in shown
    middle = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert middle.count("&lt;b&gt;") == 10_000 and "aaa" not in middle
    whole = client.get(url)
    assert whole.content.decode() == text and whole["Content-Type"] == "text/plain; charset=utf-8"
    for name, status in (("message-0", 200), ("message-1", 200), ("form", 200), ("message-7", 404), ("nothing", 404)):
        url = reverse("judge_why_text", args=[project.slug, verdict.annotation_id, call.pk, name])
        assert client.get(url).status_code == status
    assert (
        client.get(reverse("judge_why_text", args=[project.slug, verdict.annotation_id, 0, "answer"])).status_code
        == 404
    )


def test_it_says_what_of_the_trajectory_was_cut_for_the_judge(project, server, client):
    trajectory = make.trajectory(project, steps=1)
    trajectory.steps.filter(index=1).update(message='"characters_left_out": 7} ' * 100)
    verdict = asked(project, server, observation_limit=200)
    shown = page(client, project, verdict)
    assert "step #1</a>, message: 2\u202f400 characters of the middle left out" in shown
    assert "1 long text of the trajectory cut for the judge, 2\u202f400 characters left out" in shown


def test_a_message_that_was_said_before_is_named_and_not_repeated(project, server, client):
    make.trajectory(project, steps=1)
    verdict = asked(project, server, method="majority", samples=3, temperature=0.7)
    assert page(client, project, verdict).count('word for word as in <a href="#question-1">question 1</a>') == 6


def test_many_questions_come_in_pages_without_a_query_for_each(project, server, client):
    few, many = make.trajectory(project, steps=2), make.trajectory(project, steps=30)
    made = judges.judge(project, judges.server(server.url, retries=0), reading="prefix")
    jobs.run_here(services.start(made, None))
    counts = []
    for trajectory in (few, many):
        verdict = JudgeVerdict.objects.get(annotation__trajectory=trajectory)
        page(client, project, verdict)
        with CaptureQueriesContext(connection) as asked:
            shown = page(client, project, verdict)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert "Question 20" in shown and "Question 21" not in shown and "?from=21#questions" in shown
    rest = page(client, project, verdict, **{"from": "21"})
    assert "Question 21" in rest and "Question 31" in rest and "?from=1#questions" in rest
    assert "No question is kept." in page(client, project, verdict, **{"from": "99"})


def test_a_verdict_that_failed_says_why_and_shows_what_was_answered(project, server, client):
    make.trajectory(project, steps=1)
    server.faults += [judge_server.text("<script>alert('no')</script> I cannot.")] * 4
    shown = page(client, project, asked(project, server))
    assert "It has said nothing." in shown
    assert "<script>alert" not in shown
    assert "I cannot." in shown


def test_votes_are_shown_with_their_shares(project, server, client):
    make.trajectory(project, steps=1)
    verdict = asked(project, server, method="majority", samples=3, temperature=0.7)
    assert judge_why.votes(verdict, 1)[0].shares == [("1", 1.0)]
    assert "How sure it was" in page(client, project, verdict)


def test_nobody_else_gets_in(project, server, client):
    make.trajectory(project, steps=1)
    verdict = asked(project, server)
    url = reverse("judge_why", args=[project.slug, verdict.annotation_id])
    annotator, stranger = make.user(), make.user()
    make.member(project, annotator, Role.ANNOTATOR)
    for user, status in ((annotator, 403), (stranger, 404)):
        client.force_login(user)
        assert client.get(url).status_code == status
    other = make.project(owner=make.user("another"))
    client.force_login(other.memberships.get().user)
    assert client.get(reverse("judge_why", args=[other.slug, verdict.annotation_id])).status_code == 404


def test_the_trajectory_links_to_it_and_judges_who_contradict_people_come_first(project, server, client):
    trajectory = make.trajectory(project, steps=1)
    asked(project, server, name="b-agrees")
    server.behave = judge_server.says(-1)
    verdict = asked(project, server, name="c-contradicts", prompt="Be strict. {{fields}}")
    ann = make.rater(project, "ann", Rater.Kind.HUMAN, make.user("ann"))
    make.rating(ann, trajectory, [1], 1)
    client.force_login(project.memberships.get(user__username="lead").user)
    shown = client.get(reverse("trajectory", args=[project.slug, trajectory.pk])).content.decode()
    assert reverse("judge_why", args=[project.slug, verdict.annotation_id]) in shown
    words = shown[shown.index('<ol class="steps"') :]
    assert words.index("ann") < words.index("c-contradicts v1") < words.index("b-agrees v1")


def test_nothing_of_judges_is_in_a_blind_pass(project, server, client):
    trajectory = make.trajectory(project, steps=1)
    verdict = asked(project, server, name="a-judge")
    annotator = make.user()
    make.member(project, annotator)
    mine = make.lease(trajectory, annotator)
    client.force_login(annotator)
    for name, args in (("annotate", [mine.pk]), ("trajectory", [trajectory.pk])):
        shown = client.get(reverse(name, args=[project.slug, *args])).content.decode()
        assert "a-judge" not in shown
        assert str(reverse("judge_why", args=[project.slug, verdict.annotation_id])) not in shown
    assert Annotation.objects.filter(rater=verdict.judge.rater).exists()
