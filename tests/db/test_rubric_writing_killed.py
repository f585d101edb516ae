"""A worker that is killed while a judge writes lists: another goes on, nothing is written or paid twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from annotations import jobs
from annotations.models import JudgeBudget, JudgeCall, RubricWriting, Run
from annotations.services import judge_budget, rubrics
from tests import judges, make
from tests.db.test_rubric_writing import begun, project, server
from tests.processes import kill_when

__all__ = ["project", "server"]  # fixtures

pytestmark = pytest.mark.django_db(transaction=True)

TASKS = 6


def work_off(run: int) -> None:
    jobs.run_here(Run.objects.get(pk=run))


def test_what_a_killed_worker_leaves_is_done_by_the_next_and_nothing_twice(project, server):
    for _ in range(TASKS):
        make.task(project)
    server.seconds = 0.3
    on = judges.server(server.url, prices=judges.PRICES, at_once=1, retries=0)
    judge_budget.set_limit(project, make.user(), 10**9)
    run = begun(judges.judge(project, on, model="dear", max_tokens=1000))
    kill_when(lambda: len(server.seen) >= 3, f"{__name__}.work_off", run.pk)
    run.refresh_from_db()
    assert run.state == "running"
    Run.objects.filter(pk=run.pk).update(beat_at=timezone.now() - timedelta(hours=1))

    run = jobs.run_here(run)
    assert (run.state, run.error, run.done) == ("done", "", TASKS)
    assert RubricWriting.objects.count() == rubrics.waiting(project).count() == TASKS
    assert JudgeCall.objects.filter(state="answered").count() == JudgeCall.objects.count() == TASKS
    assert len(server.paid) == TASKS, "what was under way is asked again under the key it had"
    row = JudgeBudget.objects.get()
    assert (row.spent_micro, row.reserved_micro) == (sum(JudgeCall.objects.values_list("cost_micro", flat=True)), 0)
