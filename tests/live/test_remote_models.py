"""A served model that dies under a run: the run says so, goes on when it is back, and no step is scored twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.live.stacks import CHECKOUT, Stack, free_port, until
from tests.live.test_workers import STEPS, TRAJECTORIES, ask, project, scored, state, whole

pytestmark = pytest.mark.live

GO_ON = """
from annotations.models import Run
from annotations.services import runs
answer = runs.resume(Run.objects.get(pk={pk}), None)
"""


class Model:
    """The test server of models as a process of its own, that can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.served", str(self.folder), str(self.port)]
        self.process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def __enter__(self) -> Model:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.kill()


@pytest.fixture
def model(tmp_path: Path) -> Iterator[Model]:
    with Model(tiny.classifier(tmp_path / "model", max_position_embeddings=1024)) as running:
        yield running


@pytest.fixture
def stack_of(tmp_path: Path, model: Model) -> Iterator[Stack]:
    options = {"server": model.url, "model": "tiny", "family": "trl", "protocol": "vllm-pooling"}
    options |= {"tokenizer": str(model.folder), "requests": 2, "retries": 1}
    entry = {"title": "Served", "class": "models_service.scorers.remote.engine.RemoteEngine", "options": options}
    running = Stack(tmp_path / "home", SCORERS=json.dumps({"served": entry}), RUN_STALE_SECONDS="5").start()
    until(lambda: running.health().get("workers"), what="a living worker")
    yield running
    running.stop()
    assert running.left_running() == []


def test_a_run_whose_server_dies_goes_on_when_it_is_back(stack_of: Stack, model: Model) -> None:
    slug = project(stack_of, "served")
    run = int(json.loads(stack_of.manage("score", slug, "--scorer", "served", "--json").stdout)["run"])
    until(lambda: scored(stack_of, run), seconds=60, what="first scores")
    model.kill()
    until(lambda: state(stack_of, run) == "failed", seconds=60, what="a run that says it cannot go on")
    before = whole(stack_of, run)
    assert "does not answer" in before["error"]
    assert 0 < before["steps"] == before["scores"] < STEPS
    kept = ask(stack_of, "SELECT max(id) FROM annotations_score WHERE run_id = %s", run)

    model.start()
    assert stack_of.shell(GO_ON.format(pk=run)) is True
    until(lambda: state(stack_of, run) == "done", seconds=90, what="the end")
    after = whole(stack_of, run)
    assert (after["done"], after["total"], after["error"]) == (TRAJECTORIES, TRAJECTORIES, "")
    assert after["steps"] == after["scores"] == STEPS
    old = "SELECT count(*) FROM annotations_score WHERE run_id = %s AND id <= %s"
    assert ask(stack_of, old, run, kept[0]) == (before["scores"],), "what was scored before is what it was"
