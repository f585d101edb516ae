"""Whole tasks dealt into folds, so that nothing is judged by what has seen its task."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

FOLDS = 5


def dealt(tasks: Sequence[str], folds: int = FOLDS, seed: int = 0) -> list[int]:
    """The fold of each task. Tasks are dealt out in an order that depends on their names and the seed alone."""
    after = f" {seed}" if seed else ""
    ordered = sorted(range(len(tasks)), key=lambda one: hashlib.sha256((tasks[one] + after).encode()).hexdigest())
    found = [0] * len(tasks)
    for place, one in enumerate(ordered):
        found[one] = place % folds
    return found
