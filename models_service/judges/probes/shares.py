"""A share of cases that come in tasks, with its interval.

Cases of one task are not independent. The interval is Wilson's at the effective number of cases: the number divided by
the design effect, which is the variance of the share between tasks over that of as many independent cases (Rao and
Scott, A Simple Method for the Analysis of Clustered Binary Data, 1992). It is kept between the number of tasks and the
number of cases; where all cases say the same, the variance cannot be seen, and it is the number of tasks.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from models_service.statistics.figures import Figure
from models_service.statistics.proportions import NORMAL_95


class Hit(NamedTuple):
    """One case: its task, and whether it counts."""

    task: str
    is_hit: bool


def share(hits: Sequence[Hit], z: float = NORMAL_95) -> Figure:
    """The share of hits; undefined where there are no cases."""
    if not hits:
        return Figure(None, reason="There are no cases.")
    value = sum(one.is_hit for one in hits) / len(hits)
    low, high = wilson_at(value, effective(hits), z)
    return Figure(value, low, high, len(hits))


def effective(hits: Sequence[Hit]) -> float:
    """How many independent cases say as much."""
    tasks: dict[str, list[bool]] = defaultdict(list)
    for one in hits:
        tasks[one.task].append(one.is_hit)
    count, clusters = len(hits), len(tasks)
    value = sum(one.is_hit for one in hits) / count
    if clusters in (1, count) or value in (0.0, 1.0):
        return float(clusters)
    squares = sum((sum(found) - value * len(found)) ** 2 for found in tasks.values())
    variance = clusters / (clusters - 1) * squares / count**2
    independent = value * (1 - value) / variance if variance else float(count)
    return min(max(independent, float(clusters)), float(count))


def wilson_at(value: float, count: float, z: float = NORMAL_95) -> tuple[float, float]:
    """Wilson's score interval of a share of so many cases, which need not be a whole number."""
    below = 1 + z * z / count
    middle = (value + z * z / (2 * count)) / below
    half = z / below * math.sqrt(value * (1 - value) / count + z * z / (4 * count * count))
    return (0.0 if value == 0 else max(0.0, middle - half)), (1.0 if value == 1 else min(1.0, middle + half))
