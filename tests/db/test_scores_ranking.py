"""What choosing among rollouts by a run's scores comes to, kept with the run and shown on the scores page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations import jobs
from annotations.models import Project, Role, Run
from annotations.services import rankable
from models_service import ranking
from tests import make

pytestmark = pytest.mark.django_db


def project(*outcomes: Any, tasks: int = 2) -> Project:
    made = make.project()
    for _ in range(tasks):
        task = make.task(made)
        for outcome in outcomes:
            make.trajectory(made, of=task, outcome=outcome)
    return made


def score(made: Project) -> Run:
    return jobs.run_here(Run.objects.create(project=made, kind=Run.Kind.SCORE, config={"scorer": "embedded"}))


def shown(client: Client, made: Project) -> str:
    client.force_login(make.member(made, make.user(), Role.OWNER).user)
    return client.get(reverse("scores", args=[made.slug])).content.decode()


def test_a_finished_run_says_how_often_its_choice_is_right(client: Client) -> None:
    made = project(
        {"correct": True, "answer": "4"}, {"correct": False, "answer": "5"}, {"correct": True, "answer": "4.0"}
    )
    table = score(made).result["ranking"]
    rows = {(row["name"], row["by"]): row["value"] for row in table["rows"]}
    assert (table["tasks"], table["rollouts"]) == (2, 6)
    assert rows["pass@1", ""] == pytest.approx(2 / 3)
    assert rows["majority vote", ""] == rows["oracle", ""] == 1
    page = shown(client, made)
    assert "How often the rollout that it would choose is right" in page
    assert "2 tasks with 6 rollouts" in page
    beside = {(row["name"], row["by"]): row["beside"] for row in table["rows"]}
    assert beside["majority vote", ""] is None, "it is what the others stand beside"
    assert beside["pass@1", ""]["verdict"] == "worse"
    assert beside["oracle", ""] == {"difference": 0, "low": 0, "high": 0, "n": 2, "verdict": "tie", "reason": ""}
    assert "Beside majority vote" in page and "−0.33 (−0.33 to −0.33)" in page


def test_where_nothing_says_what_came_of_rollouts_the_page_says_so(client: Client) -> None:
    made = project({"answer": "4"}, None)
    assert score(made).result["ranking"]["rows"] == []
    assert "2 tasks with a rollout without a verdict." in shown(client, made)


def test_the_references_verdict_stands_in_for_an_outcome_that_is_not_there() -> None:
    made = project(None, {"correct": False}, tasks=1)
    one, other = made.trajectories.order_by("rollout")
    made.reference = make.rater(made, "gold", "import")
    made.save()
    make.rating(made.reference, one, [1, 1, 1], final=1)
    make.rating(made.reference, other, [1, 1, 1], final=1)
    assert [each.right for each in rankable.of_run(score(made))] == [True, False]


def test_an_answer_is_the_outcomes_or_stands_in_the_closing_message() -> None:
    made = project({"answer": 4}, None, tasks=1)
    last = made.trajectories.order_by("rollout").last().steps.of_agent().last()
    last.message = "So the answer is: 4.0"
    last.save()
    [found] = ranking.tasks(rankable.of_run(score(made))).values()
    assert [one.answer for one in found] == ["4", "4"]


def test_the_steps_of_a_tree_are_no_sequence_to_rank_by() -> None:
    made = project({"correct": True}, {"correct": False}, tasks=1)
    first, second, *_ = made.trajectories.first().steps.of_agent()
    second.parent = first
    second.save()
    assert len(rankable.of_run(score(made))) == 1
