"""The list of trajectories: what it finds, what it shows to whom, and what it costs."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotations.models import Project, Run, Score, Trajectory, User
from annotations.services import browse, filters
from tests import make
from tests.db.test_pages import enter

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(owner: User) -> Client:
    return enter(owner)


def shown(client: Client, project: Project, **asked: Any) -> list[str]:
    """External ids of the rows, in order."""
    answer = client.get(reverse("trajectories", args=[project.slug]), asked)
    assert answer.status_code == 200
    return [row.external_id for row in answer.context["page"].rows]


def scored(trajectory: Trajectory, values: list[float], run: Run | None = None) -> Run:
    run = run or Run.objects.create(
        project=trajectory.project, kind="score", state="done", config={"scorer": "embedded"}
    )
    for step, value in zip(trajectory.steps.of_agent(), values, strict=True):
        Score.objects.create(
            run=run,
            trajectory=trajectory,
            step=step,
            value=value,
            probability=value,
            detail={"flags": ["truncated"], "why": [{"feature": "repeats a call", "contribution": -1.25}]},
        )
    return run


def test_a_list_asks_the_same_questions_for_one_row_and_for_a_page(client: Client, project: Project) -> None:
    gold = make.rater(project, "gold", "import")
    project.reference = gold
    project.save()
    first = make.trajectory(project)
    make.rating(gold, first, [1, 0, -1])
    run = scored(first, [0.9, 0.8, 0.1])
    address = reverse("trajectories", args=[project.slug])
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for _ in range(30):
        another = make.trajectory(project)
        make.rating(gold, another, [1, 1, 1])
        scored(another, [0.9, 0.9, 0.9], run)
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few) <= 9
    queries = [query["sql"] for query in many.captured_queries]
    assert not any(sql.lower().startswith("select count(") for sql in queries), "nobody asks how many there are in all"
    sql = " ".join(queries)
    for body in ("message", "reasoning", "tool_calls", "observations"):
        assert f'"annotations_step"."{body}"' not in sql


def test_pages_follow_each_other_without_gap_or_repetition(client: Client, project: Project) -> None:
    names = [make.trajectory(project, steps=1).external_id for _ in range(browse.PER_PAGE + 3)]
    address, seen = reverse("trajectories", args=[project.slug]), []
    query = "?sort=newest"
    while query:
        answer = client.get(address + query)
        seen += [row.external_id for row in answer.context["page"].rows]
        query = answer.context["next"]
    assert seen == names[::-1]


@pytest.mark.parametrize("cursor", ["x", "1,x", "-1", "nan,3", "9" * 40, "0.5,", "\x00"])
def test_a_cursor_that_makes_no_sense_breaks_nothing(cursor: str, client: Client, project: Project) -> None:
    make.trajectory(project)
    for sort in filters.SORTS:
        for way in ("after", "before"):
            answer = client.get(reverse("trajectories", args=[project.slug]), {way: cursor, "sort": sort})
            assert answer.status_code == 200


@pytest.mark.parametrize(
    "asked",
    [
        {"rater": "\x00", "score": "2", "first_error": "-", "label": "\x00", "sort": "no"},
        {"rater": "9" * 30, "first_error": "-5", "score": "nan"},
        {"q": "\x00", "source": "\x00", "model": "\x00", "outcome": "\x00%_'\""},
    ],
)
def test_filters_that_make_no_sense_break_nothing(asked: dict[str, str], client: Client, project: Project) -> None:
    make.trajectory(project)
    assert client.get(reverse("trajectories", args=[project.slug]), asked).status_code == 200


def test_the_list_finds_by_facts(client: Client, project: Project) -> None:
    one = make.trajectory(
        project, of=make.task(project, source="hotpot"), policy_model="small", outcome={"answer": "x"}
    )
    two = make.trajectory(project, of=make.task(project, source="bfcl"), policy_model="large", outcome={"answer": "y"})
    a, b = one.external_id, two.external_id
    assert shown(client, project) == [a, b]
    assert shown(client, project, source="hotpot") == [a]
    assert shown(client, project, model="large") == [b]
    assert shown(client, project, outcome='"y"') == [b]
    assert shown(client, project, q=a.upper()) == [a]


def test_the_list_finds_by_what_raters_said(client: Client, project: Project) -> None:
    judge, other = make.rater(project), make.rater(project)
    right, late, early = (make.trajectory(project) for _ in range(3))
    make.rating(judge, right, [1, 1, 1])
    make.rating(judge, late, [1, 1, -1])
    make.rating(judge, early, [-1, 1, -1])
    make.rating(other, right, [1, 1, -1])
    assert shown(client, project, label="-1") == [right.external_id, late.external_id, early.external_id]
    assert shown(client, project, label="-1", rater=judge.name) == [late.external_id, early.external_id]
    assert shown(client, project, rater=other.name) == [right.external_id]
    assert shown(client, project, first_error="3", rater=judge.name) == [late.external_id]
    assert shown(client, project, first_error="1") == [early.external_id]
    assert shown(client, project, differ="1") == [right.external_id]


def test_a_label_taken_back_is_found_no_more(client: Client, project: Project) -> None:
    passed = make.rating(make.rater(project), make.trajectory(project), [1, -1, 1])
    passed.labels.filter(value=-1).update(superseded_at=timezone.now())
    assert shown(client, project, label="-1") == []


def test_the_list_orders_by_doubt_and_pages_through_ties(client: Client, project: Project) -> None:
    made = [make.trajectory(project, steps=1) for _ in range(browse.PER_PAGE + 2)]
    run = scored(made[0], [0.9])
    for trajectory in made[1:-1]:
        scored(trajectory, [0.5], run)
    scored(made[-1], [0.1], run)
    first = client.get(reverse("trajectories", args=[project.slug]), {"sort": "doubt"})
    second = client.get(reverse("trajectories", args=[project.slug]) + first.context["next"])
    seen = [row.external_id for page in (first, second) for row in page.context["page"].rows]
    assert seen == [made[-1].external_id, *(one.external_id for one in made[1:-1]), made[0].external_id]
    assert shown(client, project, score="0.2") == [made[-1].external_id]


def test_an_annotator_finds_by_their_own_labels_and_is_shown_no_others(project: Project) -> None:
    annotator = make.user()
    make.member(project, annotator)
    mine = make.rater(project, annotator.username, "human", annotator)
    judge = make.rater(project, "the-judge")
    labelled, not_yet = make.trajectory(project, outcome={"answer": "secret"}), make.trajectory(project)
    make.rating(mine, labelled, [1, 1, 1])
    make.rating(judge, labelled, [-1, -1, -1])
    make.rating(judge, not_yet, [-1, -1, -1])
    scored(labelled, [0.1, 0.1, 0.1])
    client = enter(annotator)
    page = client.get(reverse("trajectories", args=[project.slug])).content.decode()
    assert "the-judge" not in page
    assert "secret" not in page
    assert "0.10" not in page
    assert shown(client, project, label="1") == [labelled.external_id]
    everything = [labelled.external_id, not_yet.external_id]
    for asked in ({"rater": judge.name}, {"outcome": "nothing"}, {"score": "0.01"}, {"differ": "1"}, {"sort": "doubt"}):
        assert shown(client, project, **asked) == everything, "a filter over what is hidden would show it"
    assert shown(client, project, label="-1") == []
