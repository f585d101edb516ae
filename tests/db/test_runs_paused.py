"""Runs that are paused: they store nothing more, nobody takes them up, and resumed they go on where they stood."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from annotations import jobs
from annotations.models import Event, Project, Role, Run
from annotations.services import progress_counts, runs, scores
from annotations.services.runs import Cancelled, working_on
from models_service import beat
from tests import make

pytestmark = pytest.mark.django_db


def made(project: Project | None = None, **fields: Any) -> Run:
    return Run.objects.create(**({"project": project or make.project(), "kind": Run.Kind.SCORE} | fields))


def held(seconds: float, **fields: Any) -> Run:
    """A run that a worker has had for so long."""
    now = timezone.now()
    began = now - timedelta(seconds=seconds)
    return made(state=Run.State.RUNNING, claim=uuid.uuid4(), beat_at=now, started_at=began, held_at=began, **fields)


def test_a_paused_run_takes_nothing_more_from_its_worker() -> None:
    run, lead = made(), make.user()
    with working_on(run.pk) as claim:
        assert claim is not None
        claim.expect(3)
        claim.keep(first=True)
        assert runs.pause(run, lead)
        for write in (lambda: claim.expect(9), lambda: claim.keep(second=True), claim.check):
            with pytest.raises(Cancelled):
                write()
        time.sleep(runs.LOOK_EVERY)
        claim.advance()
    run.refresh_from_db()
    assert (run.state, run.result, run.total, run.claim) == (Run.State.PAUSED, {"first": True}, 3, None)
    told = Event.objects.get(verb="run.paused")
    assert (told.actor, told.before["state"], told.after["state"]) == (lead, "queued", "paused")


def test_nobody_takes_up_a_paused_run(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(jobs, "send", lambda run: sent.append(run.pk))
    run = made(state=Run.State.PAUSED, beat_at=timezone.now() - timedelta(hours=1))
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(hours=2))
    with working_on(run.pk) as claim:
        assert claim is None
    beat.send_again()
    run.refresh_from_db()
    assert (sent, run.state) == ([], Run.State.PAUSED)


def test_a_worker_that_died_while_its_run_was_paused_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look at dead workers was before the pause, what it does comes after."""
    sent: list[int] = []
    monkeypatch.setattr(jobs, "send", lambda run: sent.append(run.pk))
    run = held(60)
    Run.objects.filter(pk=run.pk).update(beat_at=timezone.now() - timedelta(seconds=40))
    seen = list(Run.objects.abandoned(timezone.now()))
    assert runs.pause(run, None)
    monkeypatch.setattr(type(Run.objects.all()), "abandoned", lambda self, now: seen)
    beat.send_again()
    run.refresh_from_db()
    assert (sent, run.state) == ([], Run.State.PAUSED)


@pytest.mark.django_db(transaction=True)
def test_a_resumed_run_is_sent_out_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(jobs, "send", lambda run: sent.append(run.pk))
    run, lead = held(1, total=5, done=2, result={"first": True}), make.user()
    assert runs.pause(run, lead) and not runs.pause(run, lead)
    assert runs.resume(run, lead) and not runs.resume(run, lead)
    assert sent == [run.pk]
    with working_on(run.pk) as claim:
        assert claim is not None
        assert claim.run.result == {"first": True}
        claim.expect(5, already=2)
        claim.advance(3)
    run.refresh_from_db()
    assert (run.state, run.done) == (Run.State.DONE, 5)
    assert list(Event.objects.order_by("pk").values_list("verb", flat=True)) == ["run.paused", "run.resumed"]


@pytest.mark.django_db(transaction=True)
def test_scoring_that_failed_goes_on_where_it_stood_and_nothing_else_that_is_over_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(jobs, "send", lambda run: sent.append(run.pk))
    for kind, state, goes in (("score", "failed", True), ("score", "done", False), ("export", "failed", False)):
        run = Run.objects.create(project=make.project(), kind=kind, state=state, done=2, result={"first": True})
        assert (run.can_go_on, runs.resume(run, None)) == (goes, goes)
        assert (run.state, run.result, run.finished_at) == ("queued" if goes else state, {"first": True}, None)
    assert len(sent) == 1


def test_the_worker_of_before_the_pause_stores_nothing_after_it() -> None:
    run = made()
    with working_on(run.pk) as first:
        assert first is not None
        runs.pause(run, None)
        runs.resume(run, None)
        with working_on(run.pk) as second, working_on(run.pk) as third:
            assert second is not None and third is None
            with pytest.raises(Cancelled):
                first.keep(late=True)
            second.keep(new=True)
    run.refresh_from_db()
    assert (run.state, run.result) == (Run.State.DONE, {"new": True})


def test_only_what_goes_on_where_it_stood_is_paused() -> None:
    for kind in Run.Kind.values:
        assert runs.pause(made(kind=kind), None) == (
            kind in {"score", "import", "judge", "probe", "rubrics", "meanings"}
        )
    for state in (Run.State.DONE, Run.State.FAILED, Run.State.CANCELLED, Run.State.PAUSED):
        assert not runs.pause(made(state=state), None)


def test_a_paused_run_can_be_stopped_and_is_not_repeated_before() -> None:
    run = made(state=Run.State.PAUSED)
    assert not run.is_over
    with pytest.raises(ValueError, match="paused"):
        runs.retry(run, None)
    assert runs.cancel(run, None)
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED


def test_the_rate_counts_no_time_that_a_run_was_paused() -> None:
    run = held(10, done=20, total=60)
    assert progress_counts.pace(run).rate == pytest.approx(2, rel=0.05)
    runs.pause(run, None)
    resting = progress_counts.pace(run)
    assert (resting.rate, resting.left) == (pytest.approx(2, rel=0.05), None)
    Run.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(days=1))
    runs.resume(run, None)
    run.refresh_from_db()
    assert progress_counts.pace(run).left == pytest.approx(20, rel=0.05)
    with working_on(run.pk):
        pass
    run.refresh_from_db()
    assert run.time_worked is not None and run.time_worked.total_seconds() == pytest.approx(10, abs=1)


def test_the_time_of_a_dead_worker_counts_until_its_last_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "send", lambda run: None)
    run = held(100)
    Run.objects.filter(pk=run.pk).update(beat_at=run.held_at + timedelta(seconds=7))
    beat.send_again()
    run.refresh_from_db()
    assert (run.state, run.worked, run.held_at) == (Run.State.QUEUED, timedelta(seconds=7), None)


def test_what_a_paused_run_has_scored_is_shown() -> None:
    project = make.project()
    begun = {"kind": Run.Kind.SCORE, "project": project, "config": {"scorer": "x"}, "started_at": timezone.now()}
    run = made(state=Run.State.PAUSED, **begun)
    made(state=Run.State.PAUSED, **(begun | {"started_at": None}))
    assert scores.latest(project.pk) == {"x": run.pk}
    Run.objects.filter(pk=run.pk).update(state=Run.State.QUEUED)  # resumed, and not yet taken up
    assert scores.latest(project.pk) == {"x": run.pk}


def test_managers_pause_and_resume_on_the_pages(client) -> None:
    project, lead, reviewer = make.project(), make.user(), make.user()
    make.member(project, lead, Role.MANAGER)
    make.member(project, reviewer, Role.REVIEWER)
    run = held(5, project=project, config={"scorer": "embedded"})
    at = {name: reverse(name, args=[project.slug, run.pk]) for name in ("run", "run_pause", "run_resume")}
    client.force_login(reviewer)
    assert at["run_pause"] not in client.get(at["run"]).content.decode()
    assert client.post(at["run_pause"]).status_code == 403
    client.force_login(lead)
    assert 'hx-trigger="every 2s"' in client.get(at["run"]).content.decode()
    assert client.post(at["run_pause"]).headers["Location"] == at["run"]
    paused = client.get(at["run"]).content.decode()
    assert at["run_resume"] in paused and 'hx-trigger="every 15s"' in paused and 'aria-label="Progress' not in paused
    listed = client.get(reverse("runs", args=[project.slug])).content.decode()
    assert at["run_resume"] in listed and 'hx-trigger="every 15s"' in listed
    assert client.post(at["run_resume"], {"list": ""}).headers["Location"] == reverse("runs", args=[project.slug])
    run.refresh_from_db()
    assert run.state == Run.State.QUEUED
