"""Splits by task: all rollouts of a task, and tasks that ask the same, are on one side, whatever else is exported."""

from __future__ import annotations

import hashlib

from annotations.records import TaskRecord


def key_of(task: TaskRecord) -> str:
    """The task's hash: of what is asked, whatever the spelling of its spaces and capitals, else of its name."""
    asked = " ".join(task.instruction.split()).casefold()
    return hashlib.sha256((asked or f"{task.source}/{task.external_id}").encode(errors="replace")).hexdigest()[:16]


def split_of(task: TaskRecord, test: float, validation: float = 0, seed: float = 0) -> str:
    """test, validation or train, drawn by the hash so that about these shares of the tasks are in the first two."""
    drawn = hashlib.sha256(f"{seed:g}/{key_of(task)}".encode()).digest()
    place = int.from_bytes(drawn[:6]) / 2**48
    if place < test:
        return "test"
    return "validation" if place < test + validation else "train"
