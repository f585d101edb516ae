"""Runs: claimed once at a time, kept alive, stopped, repeated, and found again when their worker dies."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from annotations import jobs
from annotations.models import Event, Project, Run, WorkerBeat
from annotations.services import runs
from annotations.services.runs import Cancelled, working_on
from models_service import beat
from tests import make

pytestmark = pytest.mark.django_db


def made(project: Project | None = None, **fields: Any) -> Run:
    return Run.objects.create(project=project or make.project(), kind=Run.Kind.SCORE, **fields)


def running(beaten_ago: float, **fields: Any) -> Run:
    return made(
        state=Run.State.RUNNING,
        claim=uuid.uuid4(),
        beat_at=timezone.now() - timedelta(seconds=beaten_ago),
        started_at=timezone.now() - timedelta(minutes=5),
        **fields,
    )


def test_a_run_is_claimed_worked_on_and_done() -> None:
    run = made()
    with working_on(run.pk) as claim:
        assert claim is not None
        claim.expect(3)
        claim.advance(2)
        claim.advance()
        claim.keep(skipped=[])
        claim.keep(model="prior")
    run.refresh_from_db()
    assert (run.state, run.done, run.total) == (Run.State.DONE, 3, 3)
    assert run.result == {"skipped": [], "model": "prior"}
    assert run.started_at is not None and run.finished_at is not None


def test_a_run_that_someone_works_on_is_not_claimed_again() -> None:
    run = made()
    with working_on(run.pk) as first, working_on(run.pk) as second:
        assert first is not None
        assert second is None


def test_a_run_that_is_over_is_not_claimed() -> None:
    for state in (Run.State.DONE, Run.State.FAILED, Run.State.CANCELLED):
        with working_on(made(state=state).pk) as claim:
            assert claim is None


def test_a_run_whose_heartbeat_is_stale_goes_to_another_worker_and_the_first_one_stops() -> None:
    run = made()
    with working_on(run.pk) as first:
        assert first is not None
        Run.objects.filter(pk=run.pk).update(beat_at=timezone.now() - timedelta(minutes=1))
        with working_on(run.pk) as second:
            assert second is not None
            for write in (lambda: first.expect(9), lambda: first.keep(x=1), lambda: first.attach("f", ""), first.check):
                with pytest.raises(Cancelled):
                    write()
        first.advance()
    run.refresh_from_db()
    assert (run.state, run.done, run.total, run.result, run.file) == (Run.State.DONE, 0, None, {}, "")


def test_a_failing_body_fails_the_run_and_says_what_went_wrong() -> None:
    run = made()
    with pytest.raises(ValueError, match="no such scorer"), working_on(run.pk):
        raise ValueError("no such scorer: x")
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert run.error == "ValueError: no such scorer: x"
    assert run.finished_at is not None


def test_a_stopped_run_stops_its_body_and_stays_cancelled() -> None:
    run, lead = made(), make.user()
    reached = False
    with working_on(run.pk) as claim:
        assert claim is not None
        assert runs.cancel(run, lead)
        time.sleep(runs.LOOK_EVERY)
        claim.advance()
        reached = True
    run.refresh_from_db()
    assert not reached
    assert run.state == Run.State.CANCELLED
    assert Event.objects.get(verb="run.cancelled").actor == lead


def test_a_run_that_is_over_cannot_be_stopped() -> None:
    run = made(state=Run.State.DONE)
    assert not runs.cancel(run, None)
    run.refresh_from_db()
    assert run.state == Run.State.DONE
    assert not Event.objects.exists()


def test_an_interrupted_command_gives_its_run_back() -> None:
    run = made()
    with pytest.raises(KeyboardInterrupt), working_on(run.pk):
        raise KeyboardInterrupt
    run.refresh_from_db()
    assert (run.state, run.claim) == (Run.State.QUEUED, None)


def test_what_is_kept_in_a_transaction_that_fails_is_not_kept() -> None:
    run = made()
    with pytest.raises(ValueError), working_on(run.pk) as claim:
        assert claim is not None
        with transaction.atomic():
            claim.keep(half=True)
            raise ValueError
    run.refresh_from_db()
    assert run.result == {}


def test_a_retry_is_a_new_run_of_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    lead = make.user()
    old = made(state=Run.State.FAILED, config={"scorer": "embedded"}, file="exports/1/out.jsonl")
    again = runs.retry(old, lead)
    assert again.pk != old.pk
    assert (again.state, again.config, again.retry_of, again.file) == (Run.State.QUEUED, old.config, old, "")
    assert Event.objects.get(verb="run.retried").after == {"run": again.pk}
    with pytest.raises(ValueError, match="queued"):
        runs.retry(again, lead)


def test_the_retry_of_an_import_reads_the_same_file() -> None:
    old = Run.objects.create(
        project=make.project(), kind=Run.Kind.IMPORT, state=Run.State.CANCELLED, file="imports/1/in.jsonl"
    )
    assert runs.retry(old, None).file == old.file


def test_abandoned_and_untaken_runs_are_sent_again_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(jobs, "send", lambda run: sent.append(run.pk))
    abandoned, alive, new, untaken = running(60), running(1), made(), made()
    Run.objects.filter(pk=untaken.pk).update(created_at=timezone.now() - timedelta(minutes=2))
    beat.send_again()
    beat.send_again()
    assert sorted(sent) == sorted([abandoned.pk, untaken.pk])
    abandoned.refresh_from_db()
    alive.refresh_from_db()
    assert (abandoned.state, abandoned.claim) == (Run.State.QUEUED, None)
    assert alive.state == Run.State.RUNNING
    assert new.pk not in sent


def test_a_worker_says_that_it_is_there_and_takes_its_leave() -> None:
    worker = beat.Beat("light@here", ["light"])
    worker.beat()
    assert jobs.is_served(Run.Kind.IMPORT)
    assert not jobs.is_served(Run.Kind.SCORE)
    WorkerBeat.objects.update(beat_at=timezone.now() - timedelta(minutes=1))
    assert not jobs.is_served(Run.Kind.IMPORT)
    worker.leave()
    assert not WorkerBeat.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_went_away_is_not_the_runs_failure() -> None:
    run = made()
    with pytest.raises(OperationalError), working_on(run.pk) as claim:
        assert claim is not None
        with connection.cursor() as cursor:
            cursor.execute("select pg_terminate_backend(pg_backend_pid())")
    connection.close()
    run.refresh_from_db()
    assert (run.state, run.error) == (Run.State.RUNNING, "")  # stale in a while, and taken up by another worker


@pytest.mark.django_db(transaction=True)
def test_a_long_call_in_the_body_does_not_make_the_run_stale() -> None:
    run = made()
    with working_on(run.pk) as claim:
        assert claim is not None
        claim.expect(10)
        with transaction.atomic(), connection.cursor() as cursor:
            claim.advance(4)
            cursor.execute("select pg_sleep(2.9)")
            claim.advance(1)
        run.refresh_from_db()
        assert run.beat_at is not None
        assert timezone.now() - run.beat_at < timedelta(seconds=2)
        assert run.done >= 4
