"""Scoring runs: every step once, whatever happens in between; which model was used, and why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from annotations import jobs
from annotations.models import Label, Project, Rater, Run, Score, ScorerArtefact, Step, Trajectory
from annotations.services import runs, scores
from models_service import learning, scorers, scoring
from models_service.scorers import features, linear
from models_service.scorers.base import Scorer
from models_service.spending import Spending
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def deployment(settings: Any) -> Any:
    """The embedded scorer beside two that are played."""
    settings.SCORERS = settings.SCORERS | {
        "slow": {"title": "Slow", "class": "tests.slow.SlowScorer"},
        "choosy": {"title": "Choosy", "class": "tests.slow.ChoosyScorer"},
        "broken": {"title": "Broken", "class": "tests.slow.SlowScorer", "options": {"no_such": 1}},
    }
    scorers.load.cache_clear()
    yield
    scorers.load.cache_clear()


def project(tasks: int = 3, rollouts: int = 2, steps: int = 2) -> Project:
    made = make.project()
    for _ in range(tasks):
        task = make.task(made)
        for _ in range(rollouts):
            make.trajectory(made, of=task, steps=steps)
    return made


def score(made: Project, scorer: str = "slow", **config: Any) -> Run:
    return jobs.run_here(Run.objects.create(project=made, kind=Run.Kind.SCORE, config={"scorer": scorer} | config))


def scored_once(run: Run) -> bool:
    """Whether each live agent step of the project has one score of the run, and nothing else has."""
    live = Step.objects.of_agent().filter(trajectory__project=run.project, trajectory__superseded_at__isnull=True)
    return sorted(Score.objects.filter(run=run).values_list("step", flat=True)) == sorted(
        live.values_list("pk", flat=True)
    )


def test_every_agent_step_is_scored_once() -> None:
    run = score(project())
    assert (run.state, run.done, run.total, run.error) == (Run.State.DONE, 6, 6, "")
    assert scored_once(run)


def test_superseded_trajectories_are_left_alone() -> None:
    made = project()
    Trajectory.objects.filter(project=made).first().delete()
    old = make.trajectory(made, superseded_at="2026-01-01T00:00Z")
    run = score(made)
    assert not Score.objects.filter(trajectory=old).exists()
    assert run.done == 5


@pytest.mark.parametrize("scorer", ["slow", "embedded"])
def test_a_run_that_lost_its_worker_goes_on_where_it_stood(monkeypatch: pytest.MonkeyPatch, scorer: str) -> None:
    monkeypatch.setattr(Scorer, "at_once", 2)
    made = project(tasks=4)
    run = Run.objects.create(project=made, kind=Run.Kind.SCORE, config={"scorer": scorer})
    with pytest.raises(KeyboardInterrupt), runs.working_on(run.pk) as claim:
        advance, claim.advance = claim.advance, lambda by: (advance(by), interrupt())
        scoring.perform(claim)
    run.refresh_from_db()
    half = set(Score.objects.filter(run=run).values_list("pk", flat=True))
    assert (run.state, run.done, len(half)) == (Run.State.QUEUED, 2, 4)
    jobs.run_here(run)
    assert (run.state, run.done, run.total) == (Run.State.DONE, 8, 8)
    assert half < set(Score.objects.filter(run=run).values_list("pk", flat=True))
    assert scored_once(run)


def interrupt() -> None:
    raise KeyboardInterrupt


def test_a_worker_that_lost_its_hold_stores_nothing() -> None:
    made = project()
    run = Run.objects.create(project=made, kind=Run.Kind.SCORE, config={"scorer": "slow"})
    with runs.working_on(run.pk) as claim:
        found = scores.rollouts(made, [made.trajectories.first().task_id])
        Run.objects.filter(pk=run.pk).update(state=Run.State.QUEUED, claim=None)
        jobs.run_here(run)
        slow = scorers.load("slow")
        said = {one.id: (one, s) for one, s in zip(found, slow.score([one.record for one in found]), strict=True)}
        with pytest.raises(runs.Cancelled):
            scoring._store(claim, said, Spending(claim, slow))
    run.refresh_from_db()
    assert run.state == Run.State.DONE
    assert scored_once(run)


def test_the_database_refuses_a_second_score_of_a_step() -> None:
    made = project(tasks=1, rollouts=1)
    run = score(made)
    [one] = scores.rollouts(made, [made.trajectories.get().task_id])
    [said] = scorers.load("slow").score([one.record])
    with pytest.raises(IntegrityError), transaction.atomic():
        scores.store(run, {one.id: (one, said)})


def test_a_stopped_run_keeps_what_it_scored_and_goes_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scorer, "at_once", 2)
    run = Run.objects.create(project=project(), kind=Run.Kind.SCORE, config={"scorer": "slow"})
    with runs.working_on(run.pk) as claim:
        advance, claim.advance = claim.advance, lambda by: (advance(by), runs.cancel(run, None))
        scoring.perform(claim)
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED
    assert Score.objects.filter(run=run).count() == 4


def test_a_retry_scores_anew_as_a_run_of_its_own() -> None:
    first = score(project())
    again = jobs.run_here(runs.retry(first, None))
    assert again.retry_of == first
    assert scored_once(first) and scored_once(again)


def test_what_cannot_be_scored_is_listed_with_its_reason_and_has_no_score() -> None:
    made = project()
    long = make.trajectory(made, steps=3)
    run = score(made, "choosy")
    assert (run.state, run.done, run.total) == (Run.State.DONE, 7, 7)
    assert run.result["skipped"] == [{"trajectory": long.pk, "external_id": long.external_id, "reason": "too long"}]
    assert not Score.objects.filter(trajectory=long).exists()
    assert scores.left(run) == []


def test_an_unknown_scorer_fails_the_run_and_names_those_there_are() -> None:
    run = score(project(), "nobody")
    assert run.state == Run.State.FAILED
    assert "no scorer 'nobody'; there are broken, choosy, embedded, slow" in run.error


def test_a_scorer_that_cannot_be_made_fails_the_run_and_says_why() -> None:
    run = score(project(), "broken")
    assert run.state == Run.State.FAILED
    assert "no_such" in run.error


def test_an_empty_project_is_done_at_once() -> None:
    run = score(make.project())
    assert (run.state, run.done, run.total) == (Run.State.DONE, 0, 0)


def test_the_prior_is_used_and_said_to_be_while_labels_are_few() -> None:
    run = score(project(), "embedded")
    assert run.state == Run.State.DONE, run.error
    assert run.result["model"] == {
        "kind": "prior",
        "reason": "not enough labels: 0 labelled trajectories, 40 needed",
    }
    assert Score.objects.filter(run=run, probability__range=(0, 1)).count() == 12


def labelled(made: Project, kind: str = Rater.Kind.IMPORT) -> Rater:
    """Ten tasks of five rollouts each. A step is wrong where its call repeats an earlier one."""
    gold = make.rater(made, "gold", kind=kind, user=make.user() if kind == Rater.Kind.HUMAN else None)
    tasks = [make.task(made) for _ in range(10)]
    for number in range(50):
        trajectory = make.trajectory(made, of=tasks[number // 5], steps=3 + number % 3)
        agent = list(trajectory.steps.of_agent())
        wrong = {1 + (number * 7) % (len(agent) - 1)} if number % 2 else set()
        for place in wrong:
            agent[place].tool_calls = agent[0].tool_calls
            agent[place].save()
        make.rating(gold, trajectory, [-1 if place in wrong else 1 for place in range(len(agent))], final=1)
    return gold


def test_with_enough_labels_it_learns_the_project_and_says_how_well() -> None:
    made = make.project()
    made.reference = labelled(made)
    made.save()
    run = score(made, "embedded")
    model = run.result["model"]
    assert model["kind"] == "project"
    assert model["report"]["embedded"]["auroc"] > 0.95 > model["report"]["structure_only"]["auroc"]
    artefact = ScorerArtefact.objects.get(pk=model["artefact"])
    assert artefact.activated and artefact.project == made
    wrong = Label.objects.filter(value=-1, field="label").values("step")
    found = Score.objects.filter(run=run)
    assert min(found.exclude(step__in=wrong).values_list("probability", flat=True)) > max(
        found.filter(step__in=wrong).values_list("probability", flat=True)
    )


def test_unchanged_labels_are_not_learned_twice() -> None:
    made = make.project()
    labelled(made, Rater.Kind.HUMAN)
    one, other = score(made, "embedded"), score(made, "embedded")
    assert one.result["model"]["artefact"] == other.result["model"]["artefact"]
    Label.objects.filter(field="label", value=-1).first().annotation.labels.filter(field="label").update(value=1)
    assert score(made, "embedded").result["model"]["artefact"] != one.result["model"]["artefact"]


def test_labels_are_learned_again_where_the_features_have_become_others() -> None:
    made = make.project()
    labelled(made, Rater.Kind.HUMAN)
    old = ScorerArtefact.objects.get(pk=score(made, "embedded").result["model"]["artefact"])
    ScorerArtefact.objects.update(artefact=old.artefact | {"version": features.VERSION - 1})
    run = score(made, "embedded")
    assert run.state == Run.State.DONE, run.error
    newest = ScorerArtefact.objects.get(pk=run.result["model"]["artefact"])
    assert (newest.pk != old.pk, newest.artefact["version"]) == (True, features.VERSION)


def test_a_resumed_run_goes_on_with_the_model_it_began_with() -> None:
    made = make.project()
    labelled(made, Rater.Kind.HUMAN)
    model = {"kind": "prior", "reason": "it began so"}
    run = Run.objects.create(project=made, kind=Run.Kind.SCORE, config={"scorer": "embedded"}, result={"model": model})
    assert jobs.run_here(run).result["model"] == model
    assert not ScorerArtefact.objects.exists()


def test_labels_that_nobody_gave_are_not_learned_from() -> None:
    made = make.project()
    person = make.rater(made, kind=Rater.Kind.HUMAN, user=make.user())
    trajectory = make.trajectory(made, steps=4)
    passed = make.rating(person, trajectory, [1, -1, -1, 0])
    by_hand, cause, implied, accepted = passed.labels.filter(field="label").order_by("step__index")
    Label.objects.filter(pk=implied.pk).update(origin=Label.Origin.PROPAGATED, cause=cause)
    Label.objects.filter(pk=accepted.pk).update(origin=Label.Origin.ACCEPTED, cause=cause)
    judge = make.rater(made, kind=Rater.Kind.JUDGE)
    make.rating(judge, make.trajectory(made), [1, 1, 1])
    found = scores.taught(made)
    assert found == {trajectory.task_id: {trajectory.pk: {by_hand.step_id: 1, cause.step_id: -1}}}


def test_people_come_before_the_reference_and_an_even_split_is_left_out() -> None:
    made = make.project()
    first, second = make.trajectory(made, steps=2), make.trajectory(made, steps=2)
    made.reference = make.rater(made, "gold", kind=Rater.Kind.IMPORT)
    made.save()
    make.rating(made.reference, first, [-1, -1])
    make.rating(made.reference, second, [-1, 0])
    for values in ([1, 1], [1, 0]):
        make.rating(make.rater(made, kind=Rater.Kind.HUMAN, user=make.user()), first, values)
    steps = list(first.steps.of_agent())
    found = scores.taught(made)
    assert found[first.task_id][first.pk] == {steps[0].pk: 1}
    assert sorted(found[second.task_id][second.pk].values()) == [-1, 0]


def test_labels_of_superseded_passes_and_trajectories_do_not_count() -> None:
    made = make.project()
    person = make.rater(made, kind=Rater.Kind.HUMAN, user=make.user())
    make.rating(person, make.trajectory(made), [1, 1, 1], retired_at="2026-01-01T00:00Z")
    make.rating(person, make.trajectory(made), [1, 1, 1], state="draft")
    make.rating(person, make.trajectory(made, superseded_at="2026-01-01T00:00Z"), [1, 1, 1])
    assert scores.taught(made) == {}


def test_lessons_hold_all_rollouts_of_a_labelled_task() -> None:
    made = make.project()
    task = make.task(made)
    one, _ = make.trajectory(made, of=task), make.trajectory(made, of=task)
    make.rating(make.rater(made, kind=Rater.Kind.HUMAN, user=make.user()), one, [1, None, -1])
    [lesson] = learning.lessons(made)
    assert len(lesson.rollouts) == 2
    assert lesson.labels == ({1: 1, 3: -1}, {})
    assert lesson.rollouts[0].task.reference is None


def test_pages_see_the_newest_run_that_is_done() -> None:
    made = project(tasks=1, rollouts=1)
    old, new = score(made), score(made)
    failed = score(made, "nobody")
    running = Run.objects.create(project=made, kind="score", config={"scorer": "slow"}, state="running")
    assert scores.latest(made.pk) == {"slow": new.pk}
    assert running.pk > failed.pk > new.pk > old.pk


def test_the_command_scores_and_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    made = project()
    call_command("score", made.slug, scorer="embedded", wait=True, json=True)
    said = json.loads(capsys.readouterr().out)
    assert said == {"run": said["run"], "state": "done", "done": 6, "total": 6, "steps_scored": 12}
    call_command("score", made.slug, scorer="choosy", wait=True)
    assert "done, 6 of 6 trajectories, 12 steps scored" in capsys.readouterr().out


def test_the_command_names_some_of_what_was_not_scored(capsys: pytest.CaptureFixture[str]) -> None:
    made = make.project()
    for _ in range(12):
        make.trajectory(made, steps=3)
    call_command("score", made.slug, scorer="choosy", wait=True)
    *named, more = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("Not scored", "…"))]
    assert len(named) == 10 and more == "… and 2 more, all of them on the run's page."


def test_the_command_queues_and_warns_when_no_worker_lives(capsys: pytest.CaptureFixture[str]) -> None:
    made = project()
    call_command("score", made.slug, scorer="slow", json=True)
    out, err = capsys.readouterr()
    assert json.loads(out)["state"] == "queued"
    assert "No worker is alive" in err


def test_the_command_refuses_what_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="no project 'nowhere'"):
        call_command("score", "nowhere", scorer="slow")
    with pytest.raises(CommandError, match="no scorer 'nobody'"):
        call_command("score", project().slug, scorer="nobody")
    with pytest.raises(SystemExit):
        call_command("score", project().slug, scorer="broken", wait=True)
    assert "no_such" in capsys.readouterr().err


def test_an_artefact_of_other_features_fails_the_run_and_says_so() -> None:
    made = project()
    artefact = ScorerArtefact.objects.create(
        project=made, activated=True, artefact={"format": linear.FORMAT, "version": features.VERSION + 1}
    )
    model = {"kind": "project", "artefact": artefact.pk}
    run = Run.objects.create(project=made, kind=Run.Kind.SCORE, config={"scorer": "embedded"}, result={"model": model})
    said = f"features are version {features.VERSION + 1}, this computes {features.VERSION}"
    assert said in jobs.run_here(run).error
