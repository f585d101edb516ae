"""A worker that is killed in the middle of five hundred questions to a judge: another goes on, and nothing is paid
twice, not in the server's book and not in ours."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.stacks import CHECKOUT, Stack, free_port, until
from tests.live.test_workers import SAMPLE, ask, send, state, tree

pytestmark = pytest.mark.live

QUESTIONS, SECONDS, AT_ONCE = 500, 0.15, 4

MAKE = """
from annotations.judges.settings import Settings
from annotations.models import JudgeServer, Project, User
from annotations.services import judge_budget, judges
project = Project.objects.get(slug={slug!r})
prices = {{"version": "1", "currency": "USD", "models": {{"dear": {{"prompt": 1000000, "completion": 1000000}}}}}}
options = {{"at_once": {at_once}, "retries": 1}}
server = JudgeServer.objects.create(name="stub", title="Stub", url={url!r}, prices=prices, options=options)
judge_budget.set_limit(project, User.objects.create_user("lead"), 10**10)
made = judges.make(project, None, name="stub", server=server, model="dear", prompt="Label. {{{{fields}}}}",
                   prompt_name="own", settings=Settings())
answer = judges.start(made, None).pk
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    port, book = free_port(), tmp_path / "paid"
    book.touch()
    command = [sys.executable, "-m", "tests.judge_server", str(port), str(book), str(SECONDS)]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield f"http://127.0.0.1:{port}/v1", book
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Stack]:
    found = Stack(tmp_path / "home", RUN_STALE_SECONDS="5").start()
    until(lambda: found.health().get("workers"), what="a living worker")
    yield found
    found.stop()
    assert found.left_running() == []


def imported(stack: Stack, folder: Path) -> str:
    """Five hundred trajectories, each a task of its own."""
    sample = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
    path = folder / "many.jsonl"
    with path.open("w") as out:
        for number in range(QUESTIONS):
            record: dict[str, Any] = dict(sample[number % len(sample)])
            record |= {"total_index": number, "query_index": number, "sample_index": 0}
            messages = [dict(one) for one in record["messages"]]
            messages[-1]["content"] = f"{messages[-1].get('content') or ''} ({number})"
            out.write(json.dumps(record | {"messages": messages}) + "\n")
    stack.manage("create_project", "killed")
    stack.manage("import_trajectories", "killed", str(path))
    return "killed"


def count(stack: Stack, words: str) -> int:
    row = ask(stack, f"SELECT count(*) FROM annotations_{words}")
    return int(row[0]) if row else 0


def test_five_hundred_questions_are_paid_once_whoever_dies(running: Stack, server: Any, tmp_path: Path) -> None:
    url, book = server
    run = int(running.shell(MAKE.format(slug=imported(running, tmp_path), url=url, at_once=AT_ONCE)))
    for part in (1, 2):
        wanted = part * QUESTIONS // 4
        answers = "judgecall WHERE state = 'answered'"
        until(lambda: count(running, answers) > wanted or state(running, run) == "failed", 120, "some answers")  # noqa: B023
        dying = tree(running, "worker")
        send(dying, signal.SIGKILL)
        assert state(running, run) == "running"
        running.wait_back("worker", dying[0])
    until(lambda: state(running, run) == "done", 180, "the rest")
    time.sleep(2 * SECONDS)

    answered = Counter(book.read_text().split())
    assert len(answered) == QUESTIONS
    again = sum(times - 1 for times in answered.values())
    assert again <= 4 * AT_ONCE, (
        "only what was under way, or come and not put away, is asked again, under the key it had"
    )
    assert count(running, "judgecall") == count(running, "judgecall WHERE state = 'answered'") == QUESTIONS
    assert count(running, "judgeverdict") == QUESTIONS
    assert count(running, "annotation WHERE state = 'submitted' AND retired_at IS NULL AND rater_id = (SELECT rater_id "
                 "FROM annotations_judge)") == QUESTIONS  # fmt: skip
    spent, reserved = ask(running, "SELECT spent_micro, reserved_micro FROM annotations_judgebudget")
    assert (spent, reserved) == (ask(running, "SELECT sum(cost_micro) FROM annotations_judgecall")[0], 0)
