"""A judge with no key and no network: a model of this machine behind transformers' own server. This one has random
weights, so it says nothing that can be read, and that is what its labels must come to: none."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.stack import serving
from tests import tiny
from tests.live.stacks import CHECKOUT, Stack, free_port, until
from tests.live.test_workers import SAMPLE, ask, state

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, serving.NEEDED)), reason=f"needs {serving.EXTRA}, an extra"
    ),
]

TRAJECTORIES = 3
MAKE = """
from annotations.judges.settings import Settings
from annotations.models import JudgeServer, Project
from annotations.services import judges
server = JudgeServer.objects.get()
made = judges.make(Project.objects.get(), None, name="local", server=server, model={model!r}, prompt="{{{{fields}}}}",
                   prompt_name="own", settings=Settings(max_tokens=32))
answer = judges.start(made, None).pk
"""


def test_a_local_model_that_talks_nonsense_labels_nothing(own_stack: Callable[..., Stack], tmp_path: Path) -> None:
    stack = own_stack(tmp_path / "home").start()
    until(lambda: stack.health().get("workers"), what="a living worker")
    stack.manage("create_project", "local")
    few = tmp_path / "few.jsonl"
    few.write_text("\n".join(SAMPLE.read_text().splitlines()[:TRAJECTORIES]) + "\n")
    stack.manage("import_trajectories", "local", str(few))
    folder = tiny.reward_model(tmp_path / "model", {}, family="Llama", max_position_embeddings=65_536)

    with Held(stack, folder) as held:
        until(lambda: "answers at" in held.said(), seconds=120, what=f"a server that answers: {held.said()}")
        assert str(folder) in held.said()
        run = int(stack.shell(MAKE.format(model=str(folder))))
        until(lambda: state(stack, run) == "done", seconds=120, what="an answer to each question")
        held.process.send_signal(signal.SIGINT)
        assert held.process.wait(timeout=30) == 0
        assert subprocess.run(["pgrep", "-f", f"serve {folder}"], capture_output=True).stdout == b""

    answered, words = ask(
        stack, "SELECT count(*), min(length(answer)) FROM annotations_judgecall WHERE state = 'answered'"
    )
    assert answered >= TRAJECTORIES
    assert words > 0
    judged = "annotation WHERE rater_id = (SELECT rater_id FROM annotations_judge)"
    assert ask(stack, f"SELECT count(*), min(state), max(state) FROM annotations_{judged}") == (
        TRAJECTORIES,
        "failed",
        "failed",
    )
    assert ask(stack, "SELECT count(*) FROM annotations_label WHERE origin = 'judge'") == (0,)
    stack.stop()


class Held:
    """The command, at work until Ctrl-C."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.told = stack.home.parent / "judge-server.txt"
        command = [sys.executable, "manage.py", "judge_server", "--model", str(folder), "--port", str(free_port())]
        with self.told.open("wb") as out:
            self.process = subprocess.Popen(command, cwd=CHECKOUT, env=stack.env, stdout=out, stderr=out)

    def said(self) -> str:
        return self.told.read_text(errors="replace")

    def __enter__(self) -> Held:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
            self.process.wait(timeout=30)
