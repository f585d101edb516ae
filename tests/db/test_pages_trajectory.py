"""The page of one trajectory: everything that was said, to who may see it, and nothing else."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotations.models import Annotation, Label, Project, User
from annotations.services.axis import CELLS
from annotations.views import cards
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


def test_windows_come_forward_and_backward(client: Client, project: Project) -> None:
    one = make.trajectory(project, steps=130)
    door = reverse("trajectory_steps", args=[project.slug, one.pk])
    linked = client.get(reverse("trajectory", args=[project.slug, one.pk]), {"at": 85}).content.decode()
    assert f'hx-get="{door}?to=80"' in linked
    assert f'hx-get="{door}?from=120"' in linked
    before = client.get(door, {"to": 80}).content.decode()
    assert (before.count('id="step-'), 'id="step-40"' in before, 'id="step-79"' in before) == (40, True, True)
    assert f'hx-get="{door}?to=40"' in before
    assert "?from=" not in before, "who goes back wants no later steps twice"
    first = client.get(door, {"to": 20}).content.decode()
    assert (first.count('id="step-'), "?to=" in first) == (40, False)
    for odd in ({"to": "-3"}, {"to": "x"}, {"from": "-9"}, {"from": "9" * 30}, {"to": "9" * 9}):
        assert client.get(door, odd).status_code == 200


def test_a_step_is_found_by_its_stable_id_wherever_it_stands(client: Client, project: Project) -> None:
    one = make.trajectory(project, steps=50)
    address = reverse("trajectory", args=[project.slug, one.pk])
    one.steps.filter(index=44).update(content_hash="ab" * 32)
    step = one.steps.get(index=44)
    assert f'data-copy="?step={step.stable_id}"' in client.get(address, {"at": 44}).content.decode()
    assert client.get(address, {"step": step.stable_id}).headers["Location"] == f"{address}?at=44#step-44"
    for odd in (f"{'f' * 16}-0", "x", "-", "\x00", f"{step.content_hash[:16]}-7", "%" * 16 + "-0"):
        answer = client.get(address, {"step": odd}, follow=True)
        assert answer.redirect_chain == [(address, 302)]
        assert "is not in this version" in answer.content.decode()


def test_what_is_hidden_stands_in_the_address(client: Client, project: Project) -> None:
    one = make.trajectory(project)
    page = client.get(f"{reverse('trajectory', args=[project.slug, one.pk])}?hide=calls&hide=context&hide=x%22y")
    assert 'data-hidden="calls context"' in page.content.decode()
    assert page.content.decode().count("checked") == 2


def test_the_outline_has_a_line_for_each_step_with_what_was_said_of_it(client: Client, project: Project) -> None:
    one = make.trajectory(project, steps=cards.LINES + 5)
    make.rating(make.rater(project), one, [-1] + [1] * (cards.LINES + 4))
    make.rating(make.rater(project), one, [-1] + [None] * (cards.LINES + 4))
    first = client.get(reverse("trajectory", args=[project.slug, one.pk]))
    lines = first.context["lines"]
    said = [[(mark.words, count) for mark, count in line.tally] for line in lines[:2]]
    assert (len(lines), said) == (cards.LINES, [[("−1", 2)], [("+1", 1)]])
    assert (lines[0].gist.calls[0].name, lines[0].gist.said) == ("look", "I try 1.")
    door = reverse("trajectory_outline", args=[project.slug, one.pk])
    assert f"{door}?at={cards.LINES + 1}" in first.content.decode()
    rest = client.get(door, {"at": cards.LINES + 1})
    assert [line.number for line in rest.context["lines"]] == list(range(cards.LINES + 1, cards.LINES + 6))


def test_what_was_said_of_a_long_trajectory_comes_after_the_page(client: Client, project: Project) -> None:
    one = make.trajectory(project, steps=CELLS + 60)
    make.rating(make.rater(project, "judge"), one, [1] * 200 + [-1] + [1] * (CELLS - 141))
    page = client.get(reverse("trajectory", args=[project.slug, one.pk])).content.decode()
    door = reverse("trajectory_said", args=[project.slug, one.pk])
    assert f'hx-get="{door}"' in page
    assert "<svg" not in page
    said = client.get(door).content.decode()
    assert f"judge: {CELLS + 60} steps: {CELLS + 59} × +1, 1 × −1" in said
    assert "Each cell stands for 2 turns" in said
    assert 'href="?at=201#step-201">step 201</a>' in said


def test_how_labels_came_and_went_is_brought_when_it_is_asked_for(client: Client, project: Project) -> None:
    one = make.trajectory(project)
    passed = make.rating(make.rater(project, "changeable"), one, [1, 1, 1])
    passed.labels.filter(step__index=2).update(superseded_at=timezone.now())
    assert "stands" not in client.get(reverse("trajectory", args=[project.slug, one.pk])).content.decode()
    history = client.get(reverse("trajectory_history", args=[project.slug, one.pk])).content.decode()
    assert (history.count("changeable"), history.count("stands")) == (3, 2)


def test_it_can_be_read_from_top_to_bottom_on_one_page(client: Client, project: Project) -> None:
    one = make.trajectory(project, steps=60, of=make.task(project, reference={"target": ["42"]}))
    make.rating(make.rater(project, "the-judge"), one, [1] * 59 + [-1])
    long = "word " * 2_000 + "the end"
    one.steps.filter(index=7).update(message=long)
    answer = client.get(reverse("trajectory_print", args=[project.slug, one.pk]))
    assert answer.streaming
    page = b"".join(answer.streaming_content).decode()
    assert page.count('id="step-') == 61
    assert ("the end" in page, "Cut here: the whole text has" in page) == (False, True)
    for said in ("the-judge", "42", "Texts are opened up to 8\u202f000 characters", "Saw 60."):
        assert said in page
    for control in ("<form", "hx-get", 'class="tabs"', "<script src"):
        assert control not in page.split("<main")[1], control


def test_a_page_for_paper_ends_where_it_says_and_cannot_be_ended_by_a_text(client: Client, project: Project) -> None:
    one = make.trajectory(project, steps=2)
    one.steps.filter(index=1).update(message="<!--steps--> <!--end-->")
    answer = client.get(reverse("trajectory_print", args=[project.slug, one.pk]))
    page = b"".join(answer.streaming_content).decode()
    assert page.count('id="step-') == 3
    assert page.rstrip().endswith("</html>")


def test_an_older_version_leads_to_the_newest(client: Client, project: Project) -> None:
    old = make.trajectory(project, superseded_at=timezone.now())
    new = make.trajectory(project, of=old.task, rollout=old.rollout, version=2, external_id="new")
    page = client.get(reverse("trajectory", args=[project.slug, old.pk])).content.decode()
    assert "an older version" in page
    assert f'href="{reverse("trajectory", args=[project.slug, new.pk])}">See the newest' in page


def test_siblings_are_a_press_away_from_being_compared(client: Client, project: Project) -> None:
    one = make.trajectory(project)
    other = make.trajectory(project, of=one.task)
    page = client.get(reverse("trajectory", args=[project.slug, one.pk])).content.decode()
    assert f'action="{reverse("compare", args=[project.slug])}"' in page
    assert f'name="ids" value="{other.pk}" checked' in page
    alone = make.trajectory(project)
    assert (
        "Compare with others" not in client.get(reverse("trajectory", args=[project.slug, alone.pk])).content.decode()
    )


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
    client.get(address)  # whether it is a tree is asked once
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
