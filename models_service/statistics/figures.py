"""A number with its interval, and the resampling of tasks that gives the interval.

Rollouts of one task and steps of one trajectory are not independent, so what is drawn with replacement are tasks
(the cluster bootstrap; Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8). Every
statistic here is a function of sums over tasks, so a resample is a row of counts, and all resamples of all statistics
are one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Key = TypeVar("Key")

CONFIDENCE = 0.95
CELLS_AT_ONCE = 4_000_000  # of the resampling matrix: 32 MB however many tasks there are
CELLS_COUNTED = 131_072  # as many as a core keeps near itself while counting


@dataclass(frozen=True)
class Figure:
    """A value with its 95 % interval and the number of things it was computed from. What is None says why."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Measure:
    """A statistic as a function of sums. `of` maps (..., C) sums to (...) values, NaN where undefined; `n` and
    `reason` read the one row of total sums."""

    of: Callable[[Floats], Floats]
    n: Callable[[Floats], float]
    reason: Callable[[Floats], str]


@dataclass(frozen=True)
class Block:
    """Statistics that share the same sums: `sums` is (tasks, C)."""

    sums: Floats
    measures: Mapping[str, Measure]


def by_task(task: Ints, column: NDArray[Any], tasks: int, columns: int) -> Floats:
    """How often each task has each column: (tasks, columns) from one task and one column per thing counted."""
    cells = np.bincount(task * columns + column, minlength=tasks * columns)
    return cells.reshape(tasks, columns).astype(np.float64)


def add_by_task(task: Ints, values: Floats, tasks: int) -> Floats:
    """Sums of (n, C) values over the things of each task: (tasks, C)."""
    columns = [np.bincount(task, weights=column, minlength=tasks) for column in values.T]
    return np.stack(columns, axis=1) if columns else np.zeros((tasks, 0))


def resampled(sums: Floats, resamples: int, seed: int) -> Floats:
    """The sums of each resample of as many tasks, drawn with replacement: (resamples, C). The same for a seed."""
    tasks, columns = sums.shape
    found = np.zeros((columns, resamples))  # column by column: what follows adds columns up, over all resamples
    counted = np.flatnonzero(sums.any(axis=0))
    start = 0
    for times in drawn(tasks, resamples, seed):
        found[counted, start : start + len(times)] = (times @ sums[:, counted]).T
        start += len(times)
    return found.T


def drawn(tasks: int, resamples: int, seed: int) -> Iterator[Floats]:
    """How often each task is in each resample, some resamples at a time: (rows, tasks). The same for a seed."""
    rng = np.random.default_rng(seed)
    rows = max(1, CELLS_AT_ONCE // tasks)
    for start in range(0, resamples, rows):
        yield _draw(rng, min(rows, resamples - start), tasks)


def _draw(rng: np.random.Generator, rows: int, tasks: int) -> Floats:
    """How often each task is in each of so many resamples: (rows, tasks)."""
    times = np.empty((rows, tasks))
    block = max(1, CELLS_COUNTED // tasks)
    offsets = np.arange(block, dtype=np.int64)[:, None] * tasks
    for start in range(0, rows, block):
        size = min(block, rows - start)
        drawn = rng.integers(0, tasks, size=(size, tasks), dtype=np.int64)
        drawn += offsets[:size]
        times[start : start + size] = np.bincount(drawn.ravel(), minlength=size * tasks).reshape(size, tasks)
    return times


def figures(blocks: Mapping[Key, Block], resamples: int, seed: int) -> dict[Key, dict[str, Figure]]:
    """The figures of each block, by block and measure. All blocks see the same resamples, so they can be compared."""
    if not blocks:
        return {}
    everything = np.concatenate([block.sums for block in blocks.values()], axis=1)
    totals = everything.sum(axis=0)
    tasks = len(everything)
    draws = resampled(everything, resamples if tasks > 1 else 0, seed)
    found: dict[Key, dict[str, Figure]] = {}
    at = 0
    for name, block in blocks.items():
        own = slice(at, at + block.sums.shape[1])
        at = own.stop
        found[name] = {
            key: _figure(measure, totals[own], draws[:, own], tasks) for key, measure in block.measures.items()
        }
    return found


def _figure(measure: Measure, totals: Floats, draws: Floats, tasks: int) -> Figure:
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(measure.of(totals))
        spread = measure.of(draws) if len(draws) else np.zeros(0)
    n = round(measure.n(totals))
    if np.isnan(value):
        return Figure(None, n=n, reason=measure.reason(totals))
    low, high, why = interval(spread)
    if tasks < 2:
        why = "There is one task only, so there is nothing to resample: no interval."
    return Figure(value, low, high, n, why)


def interval(draws: Floats) -> tuple[float | None, float | None, str]:
    """The 95 % percentile interval of the defined draws, or why there is none."""
    defined = np.sort(draws[~np.isnan(draws)])
    if not len(draws):
        return None, None, "Nothing was resampled: no interval."
    if 2 * len(defined) < len(draws):
        return None, None, "It is undefined in most resamples of the tasks: no interval."
    tail = (1 - CONFIDENCE) / 2
    return _at(defined, tail), _at(defined, 1 - tail), ""


def _at(ordered: Floats, share: float) -> float:
    """The quantile, linear between neighbours."""
    place, part = divmod(share * (len(ordered) - 1), 1)
    low = ordered[int(place)]
    return float(low + part * (ordered[min(int(place) + 1, len(ordered) - 1)] - low))
