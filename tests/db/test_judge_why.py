"""Why a judge said that: every question and answer behind a verdict, inert, for those who may see others' labels."""

from __future__ import annotations

import pytest
from django.urls import reverse

from annotations import jobs
from annotations.models import Annotation, JudgeVerdict, Project, Rater, Role
from annotations.services import judge_why
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
    on = judges.server(server.url, retries=0)
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
