"""`manage.py view FILE` as a person runs it: no project, no database, on this machine alone, until Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.stacks import CHECKOUT, FORGOTTEN

pytestmark = pytest.mark.live

SAMPLE = CHECKOUT / "tests" / "samples" / "apb.jsonl"


def command(home: Path, *arguments: object) -> dict[str, Any]:
    """How the command is started: in a home of its own, with a database that does not exist."""
    kept = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
    nowhere = {"STEPMARK_HOME": str(home), "DATABASE_URL": "postgres://nobody:x@127.0.0.1:9/none"}
    arguments = (sys.executable, "manage.py", "view", *map(str, arguments))
    return {"args": arguments, "env": kept | nowhere, "cwd": CHECKOUT, "text": True}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    how = command(tmp_path, SAMPLE, "--no-browser")
    process = subprocess.Popen(
        **how,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    watch = threading.Timer(30, process.kill)
    watch.start()
    assert process.stdout
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/[\w-]+/", line)
    assert found, line + (process.stderr.read() if process.stderr else "")
    yield process, found[0]
    process.kill()
    process.communicate()
    watch.cancel()


def get(address: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def test_a_file_opens_without_a_project_and_without_a_database_until_ctrl_c(running) -> None:
    process, home = running
    status, page = get(home)
    names = [json.loads(line).get("record_id", "") for line in SAMPLE.read_text().splitlines()]
    assert status == 200
    assert page.count('href="t/') == len(names)
    status, one = get(f"{home}t/0/")
    assert (status, "Step by step" in one) == (200, True)
    root = home.split("/", 3)
    for sheet in re.findall(r'(?:href|src)="(/static/[^"]+)"', one):
        assert get(f"{root[0]}//{root[2]}{sheet}")[0] == 200, sheet
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, "Closed." in out, err) == (0, True, "")


def test_only_this_machine_and_only_who_knows_the_address_is_answered(running) -> None:
    _, home = running
    port = int(re.findall(r":(\d+)/", home)[0])
    assert get(f"http://127.0.0.1:{port}/")[0] == 404
    assert get(home, Host="evil.example")[0] == 400
    outside = [one[4][0] for one in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)]
    for address in outside:
        if not address.startswith("127."):
            with socket.socket() as probe:
                probe.settimeout(3)
                assert probe.connect_ex((address, port)) != 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"a": 1}\n', "found an object with the keys a; accepted are stepmark, apb"),
        ("", "the file is empty; accepted are"),
        ('{"step_labels": {"1": 1}, "total_index": 1}\n', "which holds labels, not trajectories"),
    ],
)
def test_a_file_that_cannot_be_shown_is_refused_with_what_is_accepted(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text(content)
    answer = subprocess.run(**command(tmp_path, path, "--no-browser"), capture_output=True, timeout=60, check=False)
    assert answer.returncode == 1
    assert "odd.jsonl" in answer.stderr
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_file_that_is_not_there_is_named_with_what_is(tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").write_text("")
    how = command(tmp_path, tmp_path / "gone.jsonl", "--no-browser")
    answer = subprocess.run(**how, capture_output=True, timeout=60, check=False)
    assert "gone.jsonl" in answer.stderr
    assert "other.jsonl" in answer.stderr
