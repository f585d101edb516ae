"""Work in pieces: whole tasks together, so that the rollouts of one are read once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby


def of_tasks(todo: list[tuple[int, int]], at_once: int) -> Iterator[tuple[list[int], set[int]]]:
    """Whole tasks, with the trajectories of theirs that are wanted, about so many at a time."""
    tasks: list[int] = []
    wanted: set[int] = set()
    for task, rows in groupby(todo, key=lambda row: row[0]):
        tasks.append(task)
        wanted.update(trajectory for _, trajectory in rows)
        if len(wanted) >= at_once:
            yield tasks, wanted
            tasks, wanted = [], set()
    if wanted:
        yield tasks, wanted
