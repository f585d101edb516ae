"""First errors of a run beside those that judges name: kept with the run, shown where scores are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations import jobs
from annotations.models import Project, Rater, Role, Run
from annotations.records import StepScore, TrajectoryRecord
from annotations.services import judged_steps
from models_service import scorers
from models_service.scorers.base import Partly, Scored, Scorer, agent_steps
from tests import make

pytestmark = pytest.mark.django_db


class Reader(Scorer):
    """Calls a step wrong whose words say so, and says nothing of one that is left open."""

    wrong_at: float | None = 0.0

    def score(self, records: Sequence[TrajectoryRecord], prepared: Any = None) -> list[Scored]:
        return [self._one(record) for record in records]

    def _one(self, record: TrajectoryRecord) -> Scored:
        words = {place: record.steps[place].message for place in agent_steps(record)}
        said = [StepScore(place, float(one != "wrong")) for place, one in words.items() if one != "open"]
        return Partly(said, {place: "left open" for place, one in words.items() if one == "open"})


class Ranker(Reader):
    """The same, but its numbers say neither right nor wrong."""

    wrong_at = None


@pytest.fixture(autouse=True)
def deployment(settings: Any) -> Iterator[None]:
    settings.SCORERS = settings.SCORERS | {
        name: {"title": name, "class": f"{__name__}.{name}"} for name in ("Reader", "Ranker")
    }
    scorers.load.cache_clear()
    yield
    scorers.load.cache_clear()


def rollout(
    project: Project, words: str, judged: Sequence[int | None] = (), judge: Rater | None = None, **fields: Any
) -> int:
    said = words.split()
    made = make.trajectory(project, steps=len(said), **fields)
    for place, word in enumerate(said, start=1):
        made.steps.filter(index=place).update(message=word)
    if judge:
        make.rating(judge, made, list(judged))
    return made.pk


def score(project: Project, scorer: str = "Reader") -> dict[str, Any]:
    run = jobs.run_here(Run.objects.create(project=project, kind=Run.Kind.SCORE, config={"scorer": scorer}))
    assert run.state == Run.State.DONE, run.error
    found: dict[str, Any] = run.result["first_errors"]
    return found


def test_rollouts_are_kept_where_scorer_and_judge_name_the_same_step_and_disputed_where_not() -> None:
    project = make.project()
    judge = make.rater(project, "judge")
    rollout(project, "fine wrong fine", [1, -1, 1], judge)
    rollout(project, "fine fine", [1, 0], judge)
    later = rollout(project, "wrong fine", [1, -1], judge)
    missed = rollout(project, "fine wrong", [1, 1], judge)
    rollout(project, "fine open", [1, 1], judge)
    rollout(project, "fine fine", [1, None], judge)
    rollout(project, "fine wrong")
    [found] = score(project)["judges"]
    assert (found["name"], found["kept"], found["disputed"], found["open"]) == ("judge", 2, 2, 2)
    assert [(one["trajectory"], one["scorer"], one["judge"]) for one in found["shown"]] == [
        (later, 1, 2),
        (missed, 2, None),
    ]


def test_people_and_passes_that_were_not_submitted_are_no_judges() -> None:
    project = make.project()
    person = make.rater(project, "maya", kind=Rater.Kind.HUMAN, user=make.user())
    rollout(project, "fine wrong", [1, -1], person)
    made = project.trajectories.get()
    make.rating(make.rater(project, "draft"), made, [1, -1], state="draft", submitted_at=None)
    assert score(project)["judges"] == []


def test_right_answers_with_wrong_steps_and_last_steps_that_are_lowest_are_counted() -> None:
    project = make.project()
    rollout(project, "fine wrong", outcome={"correct": True})
    rollout(project, "wrong fine", outcome={"correct": True})
    rollout(project, "fine fine", outcome={"correct": True})
    rollout(project, "fine wrong", outcome={"correct": False})
    rollout(project, "fine open", outcome={"correct": True})
    found = score(project)
    assert found["right_with_errors"] == {"hits": 2, "of": 3, "value": pytest.approx(2 / 3)}
    assert found["lowest_at_last"] == {"hits": 2, "of": 4, "value": 0.5}


def test_steps_on_which_it_differs_from_people_are_counted() -> None:
    project = make.project()
    person = make.rater(project, "maya", kind=Rater.Kind.HUMAN, user=make.user())
    judge = make.rater(project, "judge")
    rollout(project, "fine wrong fine", [1, -1, -1], person)
    rollout(project, "wrong open", [0, 1], person)
    rollout(project, "wrong wrong", [1, 1], judge)
    assert score(project)["noise"] == {"hits": 2, "of": 4, "value": 0.5}


def test_a_scorer_that_does_not_say_right_or_wrong_names_no_first_error() -> None:
    project = make.project()
    rollout(project, "fine wrong", [1, -1], make.rater(project, "judge"))
    assert score(project, "Ranker").keys() == {"lowest_at_last"}


def test_judges_of_a_scheme_without_right_and_wrong_are_not_compared() -> None:
    project = make.project(scheme=make.scheme("principles"))
    rollout(project, "fine wrong")
    assert judged_steps.of_judges(project, list(project.trajectories.values_list("pk", flat=True))) == {}
    assert score(project)["judges"] == []


def test_the_page_names_the_disputed_ones_to_who_may_see_the_scores(client: Client) -> None:
    project = make.project()
    lead = make.user()
    make.member(project, lead, Role.MANAGER)
    judge = make.rater(project, "<b>judge</b>")
    rollout(project, "fine wrong", [1, -1], judge)
    disputed = rollout(project, "wrong fine", [1, -1], judge)
    person = make.rater(project, "maya", kind=Rater.Kind.HUMAN, user=make.user())
    rollout(project, "fine fine", [1, -1], person)
    score(project)
    client.force_login(lead)
    page = client.get(reverse("scores", args=[project.slug])).content.decode()
    assert "Do judges name the same first error?" in page and "Disputed with &lt;b&gt;judge&lt;/b&gt;" in page
    assert reverse("trajectory", args=[project.slug, disputed]) in page
    assert "On 1 of 2 steps that people labelled" in page
    assert "step 1" in page and "<b>judge" not in page
