"""A benchmark to publish: nothing told in the blind file, no task on two sides, and a script that scores alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from annotations.formats.base import Refused
from annotations.formats.benchmark_release import SCRIPT, BenchmarkRelease
from annotations.formats.lines import dump
from annotations.records import Labelled
from tests.rollouts import agent, rollout

USUAL = {"test": 0.8, "validation": 0.2, "seed": 0}
ALL_TEST = {"test": 1, "validation": 0, "seed": 0}


def files(*rollouts: Labelled, **asked: Any) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for name, row in BenchmarkRelease().files(rollouts, ALL_TEST | asked):
        found.setdefault(name, []).append(row)
    return found


def of_task(name: str, asked: str = "", **more: Any) -> Labelled:
    task = {"external_id": name, "instruction": asked or f"What is {name}?"}
    return rollout("a", "b", grades=[1, -1], name=f"{name}-rollout", task=task, **more)


def test_the_blind_file_tells_no_label_and_nothing_that_gives_one_away():
    secret = {"outcome": "SECRET", "policy_model": "SECRET", "extra": {"reward": "SECRET"}}
    labels = {"explanations": {2: "SECRET"}, "corrections": {2: "SECRET"}, "scores": {2: 0.123}, "final": -1}
    told = rollout("a", "b", grades=[1, -1], name="SECRET", task={"reference": "SECRET"}, record=secret, **labels)
    found = files(told)
    blind = dump(found["blind.test"])
    assert "SECRET" not in blind and "0.123" not in blind and "-1" not in blind
    assert found["blind.test"][0]["steps"] == found["labels.test"][0]["steps"]


def test_steps_are_named_by_the_place_of_their_turn_among_the_messages():
    found = files(rollout(agent(1, "a", "{}", "seen"), agent(2, "b"), agent(3, "c"), grades=[1, None, -1]))
    (blind,), (labels,) = found["blind.test"], found["labels.test"]
    assert [one["role"] for one in blind["messages"]] == ["user", "assistant", "tool", "assistant", "assistant"]
    assert (labels["steps"], labels["labels"], labels["first_error"]) == ([1, 4], [1, -1], 4)


def test_a_step_that_a_rule_carried_on_is_marked():
    (labels,) = files(rollout("a", "b", grades=[-1, -1], propagated=frozenset([2])))["labels.test"]
    assert labels["carried"] == [False, True]


def test_a_trajectory_without_labels_is_not_there():
    assert files(rollout("a", "b")) == {}


def test_all_that_asks_the_same_is_in_one_split_and_the_shares_hold():
    every = [of_task(f"t{number}") for number in range(400)]
    twins = [of_task(f"other-{number}", f"what  IS t{number}? ") for number in range(400)]
    split = {}
    for name, rows in files(*every, *twins, **USUAL).items():
        for row in rows:
            split.setdefault(row["task"], set()).add(name.partition(".")[2])
    assert len(split) == 400 and all(len(one) == 1 for one in split.values())
    test = sum(one == {"test"} for one in split.values())
    assert 0.7 < test / 400 < 0.9
    assert files(*every, **USUAL) != files(*every, **USUAL | {"seed": 1})


def test_shares_that_are_more_than_everything_are_refused():
    with pytest.raises(Refused, match="accepted is 1 in all"):
        files(of_task("t"), test=0.8, validation=0.5)


# Two tasks with a wrong step and one without, worked out by hand.
LABELS = [
    {"id": "a", "task": "1", "steps": [1, 3, 5], "labels": [1, -1, -1], "final": -1},
    {"id": "b", "task": "1", "steps": [1, 3], "labels": [1, 0], "final": 1},
    {"id": "c", "task": "2", "steps": [2, 4], "labels": [-1, 1], "final": None},
]


def scored(tmp_path: Path, *predictions: dict[str, Any], said: str = "--json") -> Any:
    labels, predicted = tmp_path / "labels.jsonl", tmp_path / "predictions.jsonl"
    labels.write_text("".join(f"{dump(row)}\n" for row in LABELS))
    predicted.write_text("".join(f"{dump(row)}\n" for row in predictions))
    script = tmp_path / "score.py"
    script.write_text(BenchmarkRelease().beside({})["score.py"])
    answer = subprocess.run(
        [sys.executable, "-I", "-S", script, labels, predicted, *([said] if said else [])],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert not answer.returncode, answer.stderr
    return json.loads(answer.stdout) if said else answer.stdout


RIGHT = ({"id": "a", "labels": [1, -1, -1]}, {"id": "b", "labels": {"1": 1, "3": 0}}, {"id": "c", "labels": [-1, 1]})


def test_the_script_runs_alone_and_finds_every_step_of_the_labels_themselves(tmp_path):
    found = scored(tmp_path, *RIGHT)
    assert (found["StepAcc"], found["FirstErrAcc"], found["StepExact"], found["coverage"]) == (1, 1, 1, 1)
    assert found["labels"] == {"1": 3, "0": 1, "-1": 3} and found["without_a_wrong_step"] == 1
    assert found["problems"] == []


def test_steps_are_pooled_and_rows_counted_one_by_one(tmp_path):
    found = scored(tmp_path, {"id": "a", "labels": [1, -1, 1]}, {"id": "b", "labels": [1, -1]}, RIGHT[2])
    assert found["StepAcc"] == 5 / 7
    assert found["FirstErrAcc"] == 2 / 3, "b has no wrong step and one was said"
    assert (found["FirstErrAcc_with_error"], found["FirstErrAcc_without"], found["StepExact"]) == (1, 0, 1 / 3)
    assert found["recall"] == {"1": 1, "0": 0, "-1": 2 / 3}


def test_saying_nothing_finds_nothing(tmp_path):
    found = scored(tmp_path, {"id": "b", "labels": {"1": 1}})
    assert (found["StepAcc"], found["FirstErrAcc"], found["coverage"]) == (1 / 7, 0, 1 / 7)


def test_the_baselines_are_there_to_be_beaten(tmp_path):
    found = scored(tmp_path, *RIGHT)
    always_right = found["baselines"]["1"]
    assert (always_right["StepAcc"], always_right["FirstErrAcc"]) == (3 / 7, 1 / 3)
    assert always_right["recall"] == {"1": 1, "0": 0, "-1": 0}


def test_the_verdict_on_the_whole_counts_where_there_is_one(tmp_path):
    found = scored(tmp_path, {**RIGHT[0], "final": -1}, {**RIGHT[1], "final": -1}, {**RIGHT[2], "final": 1})
    assert found["FinalAcc"] == 1 / 2


def test_what_cannot_be_taken_is_told_with_its_line(tmp_path):
    found = scored(
        tmp_path,
        {"id": "nobody", "labels": []},
        {"id": "a", "labels": [1]},
        {"id": "b", "labels": {"1": True, "3": 2, "9": 1}},
        {"id": "c", "labels": [-1, 1]},
        {"id": "c", "labels": [1, 1]},
    )
    assert [one.partition(":")[0] for one in found["problems"]] == [
        "line 1, nobody", "line 2, a", "line 3, b", "line 3, b", "line 3, b", "line 5, c",
    ]  # fmt: skip
    assert found["StepAcc"] == 1 / 7, "the later line counts"


def test_the_script_says_for_people_what_it_says_for_programs(tmp_path):
    told = scored(tmp_path, *RIGHT, said="")
    assert "StepAcc" in told and "1.0000" in told and "always 1" in told


def test_the_script_imports_only_what_comes_with_python():
    names = {
        line.split()[1].split(".")[0]
        for line in SCRIPT.read_text().splitlines()
        if line.startswith(("import ", "from "))
    }
    assert names <= sys.stdlib_module_names | {"__future__"}
