"""The README's command-line tour, as printed there, on a machine where nothing of ours runs yet."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.stacks import FORGOTTEN

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[2]


def commands() -> list[list[str]]:
    section = (ROOT / "README.md").read_text().split("on the command line", 1)[1]
    block = re.search(r"```bash\n(.*?)```", section, re.S)
    assert block
    return [shlex.split(line) for line in block[1].splitlines() if line.startswith("python ")]


def test_the_tour_of_the_readme_ends_with_a_dataset(tmp_path):
    env = {key: value for key, value in os.environ.items() if key not in FORGOTTEN}
    env |= {"STEPMARK_HOME": str(tmp_path / "a home")}
    out = tmp_path / "dataset"
    answers = {}
    for words in commands():
        line = [sys.executable, *words[1:-1], str(out)] if "--out" in words else [sys.executable, *words[1:]]
        done = subprocess.run([*line, "--json"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        answers[words[2]] = json.loads(done.stdout)

    assert answers["import_trajectories"]["created"] == 74
    assert answers["score"]["state"] == "done"
    assert (
        answers["score"]["steps_scored"] == answers["import_trajectories"]["labels"] - 74
    )  # each final label is no step
    assert set(answers["agreement"]["raters"]) >= {"maya", "rule-tool-errors"}
    rows = [json.loads(row) for path in out.rglob("*.jsonl") for row in path.read_text().splitlines()]
    assert len(rows) == answers["export"]["rows"] > 50
    assert (out / "manifest.json").exists()
    assert not list((tmp_path / "a home").glob("pg*/postmaster.pid")), "the database it started still runs"
