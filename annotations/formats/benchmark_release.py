"""A benchmark to publish: what is to be judged without a label, the labels apart, and what scores an answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from annotations.formats import splits, training
from annotations.formats.base import Refused
from annotations.formats.lines import dump
from annotations.formats.training import Line
from annotations.formats.writer import Option, Writer
from annotations.records import Json, Labelled

SCRIPT = Path(__file__).with_name("benchmark_release_score.py")
TEST = Option("test", "Share of tasks in the test split", 0.8, least=0, most=1, help="The rest is for training.")
VALIDATION = Option(
    "validation",
    "Share in the validation split",
    0.2,
    least=0,
    most=1,
    help="For thresholds and prompts, not for scores.",
)
SEED = Option("seed", "Seed of the split", 0, help="Another number draws other tasks; the same one the same.")


class BenchmarkRelease(Writer):
    """`blind` has the trajectories and which of their steps to judge, under ids that say nothing; `labels` what is
    said of these steps, and where each came from. All rollouts of a task, and tasks that ask the same, are in one
    split, drawn by the hash of what is asked. `score.py` needs nothing but Python. A step without a label is not to be
    judged; a trajectory without any is not there."""

    name = "benchmark-release"
    title = "Benchmark to publish (JSONL)"
    keeps = (
        "Trajectories without their labels; apart, grades, first error and verdict; splits, and a script that scores."
    )
    loses = "Explanations, the scheme's own words for grades, and pictures (a mark stays)."
    purpose = "benchmark"
    options = (TEST, VALIDATION, SEED)
    packed = frozenset({"tools"})
    splits = True

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        """The blind rows."""
        return (row for name, row in self.files(rollouts, asked) if name.startswith("blind."))

    def files(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Json]]]:
        asked = training.usual(self.options, asked)
        if asked["test"] + asked["validation"] > 1:
            raise Refused(
                "options", f"found shares of {asked['test']:g} and {asked['validation']:g}; accepted is 1 in all"
            )
        for labelled in rollouts:
            split = splits.split_of(labelled.record.task, asked["test"], asked["validation"], asked["seed"])
            for line in training.lines_of(labelled):
                if line.grades:
                    yield f"blind.{split}", _blind(line)
                    yield f"labels.{split}", _labels(line)

    def beside(self, asked: Mapping[str, Any]) -> Mapping[str, str]:
        return {"score.py": SCRIPT.read_text(encoding="utf-8")}


def _blind(line: Line) -> dict[str, Json]:
    task = line.labelled.record.task
    return {
        "id": _id(line),
        "task": splits.key_of(task),
        "question": task.instruction,
        "tools": dump(task.tools) if task.tools else None,
        "messages": training.messages(line.steps, line.places),
        "steps": [_message(line, place) for place in line.grades],
    }


def _labels(line: Line) -> dict[str, Json]:
    labelled, record = line.labelled, line.labelled.record
    first = line.first_error
    return {
        "id": _id(line),
        "task": splits.key_of(record.task),
        "trajectory": line.name,
        "source": record.task.source,
        "policy_model": record.policy_model,
        "steps": [_message(line, place) for place in line.grades],
        "labels": list(line.grades.values()),
        "carried": [place in labelled.propagated for place in line.grades],
        "first_error": -1 if first is None else _message(line, first),
        "final": line.final,
        "by": labelled.by,
    }


def _id(line: Line) -> str:
    task = line.labelled.record.task
    name = dump([task.source, task.external_id, line.labelled.record.rollout, line.name])
    return hashlib.sha256(name.encode(errors="replace")).hexdigest()[:16]


def _message(line: Line, place: int) -> int:
    """Where the step's turn stands among the row's messages, from 0."""
    return sum(1 + len(line.steps[before].observations) for before in line.before(place))
