"""Make the prior that the embedded scorer ships with from the sample trajectories: python -m
models_service.scorers.train_prior"""

from __future__ import annotations

import json
import sys
from itertools import groupby
from pathlib import Path

from annotations.formats.agentprocessbench import AgentProcessBench
from annotations.formats.opening.sources import of_path
from annotations.records import TrajectoryRecord
from models_service.scorers import features
from models_service.scorers.embedded import PRIOR
from models_service.scorers.linear import Linear
from models_service.scorers.training import Lesson, examples, teach

SAMPLE = Path(__file__).resolve().parents[2] / "annotations" / "demo" / "trajectories.jsonl"
PENALTY = 100.0  # more than a project's own: it has to hold where it has not learned


def lessons(path: Path) -> list[Lesson]:
    """The tasks of an AgentProcessBench file, each with its rollouts and the labels the file gives them."""
    items = AgentProcessBench().read(of_path(path))
    records = [item.record for item in items if isinstance(item.record, TrajectoryRecord)]
    records.sort(key=lambda record: (record.task.external_id, record.rollout or 0))
    tasks = (tuple(group) for _, group in groupby(records, key=lambda record: record.task.external_id))
    return [Lesson(rollouts, tuple(labels(one) for one in rollouts)) for rollouts in tasks]


def labels(record: TrajectoryRecord) -> dict[int, int]:
    """Step index → label, from the record's own rating."""
    said = record.rating.steps if record.rating else {}
    return {index: said[step.source_index] for index, step in enumerate(record.steps) if step.source_index in said}


def train(path: Path = SAMPLE) -> Linear:
    return teach(examples(lessons(path)), features.TRANSFERABLE, PENALTY)


if __name__ == "__main__":
    PRIOR.write_text(json.dumps(train().to_json(), indent=0) + "\n")
    sys.stdout.write(f"{PRIOR}\n")
