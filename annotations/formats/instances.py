"""The instance of a benchmark that a run is of, where only the file's name says it: "owner__project-123.traj"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from annotations.formats.base import Item
from annotations.records import TrajectoryRecord

_INSTANCE = re.compile(r"([\w.+-]{1,100}__[\w.+-]{1,100}-[0-9]{1,9})(\.traj)?(\.json)?(\.gz|\.zst)?")


def of_file(file: str) -> str:
    """The instance that a file is called after; "" where its name is no instance's."""
    found = _INSTANCE.fullmatch(PurePosixPath(file).name)
    return found[1] if found else ""


def named(items: Iterator[Item], file: str) -> Iterator[Item]:
    """The items with their tasks called after the file, where they are known by their words alone."""
    instance = of_file(file)
    for item in items:
        record = item.record
        if instance and isinstance(record, TrajectoryRecord) and record.task.external_id.startswith("prompt-"):
            item = replace(item, record=replace(record, task=replace(record.task, external_id=instance)))
        yield item
