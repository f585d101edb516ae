"""Workers that die, are stopped or are not there: runs go on by themselves, and no step or row comes twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.stack import paths
from tests.live.stacks import CHECKOUT, Stack, until

pytestmark = pytest.mark.live

SAMPLE = CHECKOUT / "annotations" / "demo" / "trajectories.jsonl"
TRAJECTORIES, STEPS = 74, 345
SECONDS = 0.25  # over each trajectory
SCORERS = {"slow": {"title": "Slow", "class": "tests.slow.SlowScorer", "options": {"seconds": SECONDS}}}

FIND = """
from annotations import jobs
from annotations.models import Project, Run
from annotations.services import runs
"""


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with a scorer that takes twenty seconds over the sample, and a quick eye for dead workers."""
    home = tmp_path_factory.mktemp("workers") / "home"
    running = Stack(home, SCORERS=json.dumps(SCORERS), RUN_STALE_SECONDS="5").start()
    until(lambda: running.health().get("workers"), what="a living worker")
    yield running
    running.stop()
    assert running.left_running() == []


def project(stack: Stack, slug: str) -> str:
    stack.manage("create_project", slug)
    stack.manage("import_trajectories", slug, str(SAMPLE))
    return slug


def score(stack: Stack, slug: str) -> int:
    return int(json.loads(stack.manage("score", slug, "--scorer", "slow", "--json").stdout)["run"])


def ask(stack: Stack, question: str, *values: Any) -> Any:
    """The first row of an answer straight from the stack's database: quicker than a command. None while it is away."""
    try:
        with psycopg.connect(host=str(paths.run_dir(stack.home)), dbname="stepmark", user="stepmark") as connection:
            return connection.execute(question, values).fetchone()
    except psycopg.OperationalError:
        return None


def state(stack: Stack, pk: int) -> str:
    row = ask(stack, "SELECT state FROM annotations_run WHERE id = %s", pk)
    return str(row[0]) if row else ""


def scored(stack: Stack, pk: int) -> int:
    row = ask(stack, "SELECT count(*) FROM annotations_score WHERE run_id = %s", pk)
    return int(row[0]) if row else 0


def whole(stack: Stack, pk: int) -> dict[str, Any]:
    """The run as it stands, its scores, and how many steps they are of."""
    names = ("state", "done", "total", "error", "scores", "steps")
    question = """SELECT state, done, total, error, (SELECT count(*) FROM annotations_score WHERE run_id = r.id),
                  (SELECT count(DISTINCT step_id) FROM annotations_score WHERE run_id = r.id)
                  FROM annotations_run r WHERE id = %s"""
    return dict(zip(names, ask(stack, question, pk), strict=True))


DONE = {"state": "done", "done": TRAJECTORIES, "total": TRAJECTORIES, "error": "", "scores": STEPS, "steps": STEPS}


def tree(stack: Stack, name: str) -> list[int]:
    """A part's main process and all below it."""
    found = [stack.pids[name]]
    for pid in found:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        found += [int(child) for child in listed.split()]
    return found


def send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        os.kill(pid, number)


def test_scoring_goes_on_by_itself_when_its_worker_is_killed(workers: Stack) -> None:
    pk = score(workers, project(workers, "killed"))
    until(lambda: scored(workers, pk), what="the first scores")
    dying = tree(workers, "worker")
    send(dying, signal.SIGKILL)
    assert 0 < scored(workers, pk) < STEPS
    assert state(workers, pk) == "running"
    workers.wait_back("worker", dying[0])
    until(lambda: state(workers, pk) == "done", 90, "the rest")
    assert whole(workers, pk) == DONE


def test_scoring_goes_on_when_the_database_is_killed(workers: Stack) -> None:
    pk = score(workers, project(workers, "database"))
    until(lambda: scored(workers, pk), what="the first scores")
    killed = workers.kill("postgres")
    workers.wait_back("postgres", killed)
    until(lambda: state(workers, pk) == "done", 90, "the rest")
    assert whole(workers, pk) == DONE


def test_an_import_goes_on_when_its_worker_is_killed(workers: Stack, tmp_path: Path) -> None:
    """Six thousand trajectories, from the sample under other numbers."""
    path, count = tmp_path / "many.jsonl", 6000
    sample = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
    with path.open("w") as out:
        for number in range(count):
            record = sample[number % len(sample)] | {"total_index": number, "query_index": number, "sample_index": 0}
            out.write(json.dumps(record) + "\n")
    workers.manage("create_project", "imported")
    pk = workers.shell(
        FIND + "from django.core.files.base import File\nfrom django.core.files.storage import default_storage\n"
        f"name = default_storage.save('imports/many/many.jsonl', File(open({str(path)!r}, 'rb')))\n"
        "run = jobs.start('import', Project.objects.get(slug='imported'), None, file=name, "
        "what='trajectories', format='auto', names=['many.jsonl'])\n"
        "answer = run.pk"
    )
    rows = """SELECT count(*) FROM annotations_trajectory
              WHERE project_id = (SELECT id FROM annotations_project WHERE slug = 'imported')"""
    until(lambda: ask(workers, rows)[0], what="the first rows")
    dying = tree(workers, "worker")
    send(dying, signal.SIGKILL)
    assert 0 < ask(workers, rows)[0] < count
    workers.wait_back("worker", dying[0])
    until(lambda: state(workers, pk) not in {"queued", "running"}, 120, "the rest")
    told = ask(
        workers,
        "SELECT state, done, error, result->'created', result->'rejected' FROM annotations_run WHERE id = %s",
        pk,
    )
    assert told == ("done", count, "", count, [])
    assert ask(workers, rows)[0] == count


def test_a_stopped_run_stops(workers: Stack) -> None:
    pk = score(workers, project(workers, "stopped"))
    until(lambda: scored(workers, pk), what="the first scores")
    workers.shell(FIND + f"answer = runs.cancel(Run.objects.get(pk={pk}), None)")
    then = scored(workers, pk)
    assert state(workers, pk) == "cancelled"
    assert 0 < then < STEPS
    time.sleep(16 * SECONDS + 1)  # what was at work when it was stopped would be stored by now
    assert scored(workers, pk) == then


def test_a_paused_run_rests_through_its_workers_death_and_goes_on_when_it_is_resumed(workers: Stack) -> None:
    pk = score(workers, project(workers, "paused"))
    until(lambda: scored(workers, pk), what="the first scores")
    workers.shell(FIND + f"answer = runs.pause(Run.objects.get(pk={pk}), None)")
    then, dying = scored(workers, pk), tree(workers, "worker")
    assert state(workers, pk) == "paused"
    assert 0 < then < STEPS
    send(dying, signal.SIGKILL)
    workers.wait_back("worker", dying[0])
    time.sleep(16 * SECONDS + 6)  # what was at work is stored by now, and dead workers are found after five seconds
    assert (state(workers, pk), scored(workers, pk)) == ("paused", then)
    workers.shell(FIND + f"answer = runs.resume(Run.objects.get(pk={pk}), None)")
    until(lambda: state(workers, pk) == "done", 90, "the rest")
    assert whole(workers, pk) == DONE


def test_a_run_that_is_paused_and_resumed_while_its_worker_is_busy_is_scored_once(workers: Stack) -> None:
    """The worker of before is still at its trajectories when the run goes to another one."""
    pk = score(workers, project(workers, "hasty"))
    until(lambda: scored(workers, pk), what="the first scores")
    workers.shell(FIND + f"run = Run.objects.get(pk={pk})\nanswer = [runs.pause(run, None), runs.resume(run, None)]")
    until(lambda: state(workers, pk) == "done", 90, "the rest")
    assert whole(workers, pk) == DONE


def test_a_run_that_is_named_to_two_workers_many_times_is_scored_once(workers: Stack) -> None:
    argv = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "app",
        "worker",
        "--queues=gpu",
        "--pool=solo",
        "--hostname=second@%h",
    ]
    second = subprocess.Popen(argv, cwd=CHECKOUT, env=workers.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: (workers.health().get("workers") or 0) >= 2, what="the second worker")
        pk = score(workers, project(workers, "twice"))
        for _ in range(2):
            workers.shell(FIND + f"for _ in range(5): jobs.send(Run.objects.get(pk={pk}))\nanswer = 0")
            until(lambda: scored(workers, pk), what="the first scores")
        until(lambda: state(workers, pk) == "done", 90, "the rest")
        assert whole(workers, pk) == DONE
    finally:
        second.terminate()
        second.wait(30)


def test_a_worker_that_is_not_there_is_known_and_its_runs_wait_for_it(workers: Stack) -> None:
    slug = project(workers, "absent")
    stopped = tree(workers, "worker")
    send(stopped, signal.SIGSTOP)
    try:
        until(lambda: not workers.health().get("workers"), 40, "the silence")
        said = workers.manage("score", slug, "--scorer", "slow", "--json")
        assert "No worker is alive" in said.stderr
        pk = json.loads(said.stdout)["run"]
        assert state(workers, pk) == "queued"
    finally:
        send(stopped, signal.SIGCONT)
    until(lambda: workers.health().get("workers"), 40, "a sign of life")
    until(lambda: state(workers, pk) == "done", 90, "the run")
    assert whole(workers, pk) == DONE


def test_waiting_without_a_worker_does_the_work_here(tmp_path: Path) -> None:
    """No stack at all: the command starts the database, scores in its own process, and stops the database."""
    alone = Stack(tmp_path / "home", SCORERS=json.dumps(SCORERS))
    project(alone, "alone")
    said = alone.manage("score", "alone", "--scorer", "embedded", "--wait", "--json")
    figures = json.loads(said.stdout)
    assert (figures["state"], figures["done"], figures["steps_scored"]) == ("done", TRAJECTORIES, STEPS)
    assert alone._postgres() == 0
