"""The page of one trajectory: everything that was said, to who may see it, and nothing else."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotations.models import Annotation, Label, Project, User
from tests import make
from tests.db.test_pages import enter
from tests.db.test_pages_lists import scored

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(owner: User) -> Client:
    return enter(owner)


def test_the_page_of_one_shows_leads_everything_that_was_said(client: Client, project: Project) -> None:
    judge = make.rater(project, "the-judge")
    one = make.trajectory(project, of=make.task(project, reference={"target": ["42"]}), outcome={"answer": "41"})
    passed = make.rating(judge, one, [1, 0, -1], final=-1)
    passed.labels.filter(value=-1, step__isnull=False).update(explanation="Read the <b>wrong</b> row.")
    scored(one, [0.91, 0.55, 0.07])
    page = client.get(reverse("trajectory", args=[project.slug, one.pk])).content.decode()
    for said in ("the-judge", "Read the &lt;b&gt;wrong", "0.07", "repeats a call", "−1.25", "truncated", "42", "41"):
        assert said in page
    assert 'id="step-3"' in page


def test_the_page_of_one_shows_an_annotator_their_own_alone(project: Project) -> None:
    annotator = make.user()
    make.member(project, annotator)
    one = make.trajectory(project, of=make.task(project, reference={"target": ["4242"]}), outcome={"answer": "4141"})
    make.rating(make.rater(project, annotator.username, "human", annotator), one, [1, 1, 1])
    passed = make.rating(make.rater(project, "the-judge"), one, [1, 0, -1])
    passed.labels.update(explanation="hush")
    scored(one, [0.91, 0.55, 0.07])
    client = enter(annotator)
    for address in (
        reverse("trajectory", args=[project.slug, one.pk]),
        reverse("trajectory_steps", args=[project.slug, one.pk]),
    ):
        page = client.get(address).content.decode()
        for said in ("the-judge", "hush", "0.07", "repeats a call", "4242", "4141"):
            assert said not in page
        assert annotator.username in page


def test_what_a_stranger_wrote_in_a_trajectory_is_text(client: Client, project: Project) -> None:
    one = make.trajectory(project, steps=1, of=make.task(project, instruction="<script>alert(1)</script>"))
    one.steps.filter(index=1).update(
        message='<img src=x onerror=alert(1)> <div hx-get="/x" hx-trigger="load">',
        tool_calls=[{"id": "a", "name": "<script>", "arguments": "</pre><script>"}],
        observations=[{"tool_call_id": "a", "name": "</code>", "content": "\u202e<iframe>"}],
    )
    page = client.get(reverse("trajectory", args=[project.slug, one.pk])).content.decode()
    for dangerous in ("<script>", "<img src=x", '<div hx-get="/x"', "</pre><script", "<iframe>", "\u202e"):
        assert dangerous not in page


def test_a_long_trajectory_comes_in_windows(client: Client, project: Project) -> None:
    one = make.trajectory(project, steps=130)
    page = client.get(reverse("trajectory", args=[project.slug, one.pk])).content.decode()
    assert 'id="step-39"' in page
    assert 'id="step-40"' not in page
    later = client.get(reverse("trajectory_steps", args=[project.slug, one.pk]), {"from": 120}).content.decode()
    assert 'id="step-130"' in later
    assert "Step 130" in later
    assert "hx-trigger" not in later, "the last window asks for no other"
    linked = client.get(reverse("trajectory", args=[project.slug, one.pk]), {"at": 85}).content.decode()
    assert 'id="step-85"' in linked


def test_a_body_that_is_too_long_comes_when_it_is_asked_for(client: Client, project: Project) -> None:
    one = make.trajectory(project, steps=1)
    long = "word " * 20_000 + "the end"
    one.steps.filter(index=1).update(message=long)
    page = client.get(reverse("trajectory", args=[project.slug, one.pk])).content.decode()
    assert "the end" not in page
    part = reverse("trajectory_part", args=[project.slug, one.pk, 1, "message"])
    assert "the end" in client.get(part).content.decode()
    raw = client.get(part, {"raw": ""})
    assert raw.content.decode() == long
    assert raw.headers["Content-Type"].startswith("text/plain")
    assert raw.headers["Content-Disposition"].startswith("attachment")
    assert enter(make.user()).get(part).status_code == 404


def test_the_page_of_one_asks_the_same_questions_however_much_was_said(client: Client, project: Project) -> None:
    one = make.trajectory(project)
    make.rating(make.rater(project), one, [1, 0, -1], final=1)
    address = reverse("trajectory", args=[project.slug, one.pk])
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for _ in range(9):
        make.rating(make.rater(project), one, [1, 0, -1], final=1)
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few) <= 24


def test_a_lead_sees_a_retired_pass_no_more(client: Client, project: Project) -> None:
    one = make.trajectory(project)
    passed = make.rating(make.rater(project, "old-hand"), one, [1, 1, 1])
    Annotation.objects.filter(pk=passed.pk).update(retired_at=timezone.now())
    page = client.get(reverse("trajectory", args=[project.slug, one.pk]))
    assert page.context["file"].passes == []
    assert Label.objects.current().count() == 3
