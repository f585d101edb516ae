"""Answers that can be compared, one row a unit and one column a rater, and their agreement by level of measurement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.records import Json
from models_service.statistics import distances
from models_service.statistics.coefficients import Codes, ratio
from models_service.statistics.figures import Block, Floats, Ints, Measure, add_by_task
from models_service.statistics.measures import ALONE, SAME

Pairwise = Callable[[Codes, Codes], NDArray[Any]]
SILENT = -1
NO_ORDERS = "No rater was asked a pair both ways round."
NO_STEPS = "No trajectory has an error at a step by two raters."


@dataclass(frozen=True)
class Units:
    """`labels` is (units, raters), numbers of values, SILENT where nothing was said; `filled` says which were
    propagated. `weight` is what a unit counts for (a stretch of text: its characters), `task` where it belongs."""

    labels: Codes
    filled: NDArray[np.bool_]
    weight: Floats
    task: Ints
    tasks: int

    def only(self, raters: Sequence[int]) -> Units:
        return replace(self, labels=self.labels[:, raters], filled=self.filled[:, raters])

    def by_hand(self) -> Units:
        """As if what was propagated had not been said."""
        return replace(self, labels=np.where(self.filled, SILENT, self.labels))

    def where(self, here: NDArray[np.bool_]) -> Units:
        return replace(
            self,
            labels=self.labels[here],
            filled=self.filled[here],
            weight=self.weight[here],
            task=self.task[here],
        )

    @property
    def said(self) -> Ints:
        """(units,): how many raters said something."""
        return np.asarray((self.labels != SILENT).sum(axis=1), dtype=np.int64)

    def sums(self, *columns: NDArray[Any]) -> Floats:
        """By task, each unit by its weight: (tasks, C) from columns of (units,) or (units, C)."""
        table = np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])
        return add_by_task(self.task, table * self.weight[:, None], self.tasks)


def mean_over_pairs(labels: Codes, of: Pairwise, counts: Pairwise | None = None) -> tuple[Floats, Floats]:
    """(units,) each: the mean of `of` over the pairs of raters who both said something, and whether there is any such
    pair. `counts` says which pairs do, where not all. A unit said 0, 0, 1 has pairs 00, 01, 01: a third are equal."""
    total, pairs = np.zeros(len(labels)), np.zeros(len(labels))
    for one, other in combinations(range(labels.shape[1]), 2):
        first, second = labels[:, one], labels[:, other]
        both = (first != SILENT) & (second != SILENT)
        if counts:
            both &= counts(first, second)
        total += np.where(both, of(first, second), 0.0)
        pairs += both
    return np.divide(total, pairs, out=np.zeros(len(labels)), where=pairs > 0), (pairs > 0).astype(np.float64)


def margins(units: Units, size: int) -> Floats:
    """(units, K): the pairable answers of each value."""
    counted = np.where((units.said >= 2)[:, None], units.labels, SILENT)
    found = [np.count_nonzero(counted == value, axis=1) for value in range(size)]
    return np.stack(found, axis=1).astype(np.float64) if found else np.zeros((len(counted), 0))


def nominal(units: Units, size: int, unit: str) -> Block:
    """alpha_nominal and percent: columns sum(o * d), equal pairs, units with two answers, margins."""
    equal, twice = mean_over_pairs(units.labels, np.equal)
    sums = units.sums(units.said * (twice - equal), equal, twice, margins(units, size))
    return Block(sums, {"alpha_nominal": measure(_nominal, 2, unit), "percent": measure(_share, 2, unit)})


def ordinal(units: Units, size: int, unit: str) -> Block:
    """alpha_ordinal and percent: columns equal pairs, units with two answers, margins, coincidences of unequal values.

    Only the cells that occur are kept, so a scale of a hundred marks costs what was said on it."""
    equal, twice = mean_over_pairs(units.labels, np.equal)
    first, second, cells = _cells(units, size)
    sums = np.concatenate([units.sums(equal, twice, margins(units, size)), cells], axis=1)
    of = partial(_ordinal, size=size, first=first, second=second)
    share = Measure(lambda found: ratio(found[..., 0], found[..., 1]), partial(_at, column=1), partial(_why, 1, unit))
    return Block(sums, {"alpha_ordinal": measure(of, 1, unit), "percent": share})


def interval(units: Units, values: Sequence[float], unit: str) -> Block:
    """alpha_interval, mean_difference and percent: columns sum(o * d), equal pairs, units with two answers, absolute
    differences, n, sum(v), sum(v ** 2). Values are counted from the first, which changes no difference."""
    numbers = np.array([*values, 0.0]) - (values[0] if values else 0.0)  # the last is what SILENT looks up

    def apart(one: Codes, other: Codes) -> Floats:
        return np.abs(numbers[one] - numbers[other])

    squared, twice = mean_over_pairs(units.labels, lambda one, other: apart(one, other) ** 2)
    difference, _ = mean_over_pairs(units.labels, apart)
    equal, _ = mean_over_pairs(units.labels, np.equal)
    counted = (units.labels != SILENT) & (units.said >= 2)[:, None]
    said = np.where(counted, numbers[units.labels], 0.0)
    moments = [counted.sum(axis=1), said.sum(axis=1), (said**2).sum(axis=1)]
    sums = units.sums(units.said * squared, equal, twice, difference, *moments)
    mean = Measure(lambda found: ratio(found[..., 3], found[..., 2]), partial(_at, column=2), partial(_why, 2, unit))
    return Block(
        sums,
        {
            "alpha_interval": measure(_interval, 2, unit),
            "mean_difference": mean,
            "percent": measure(_share, 2, unit),
        },
    )


def sets(units: Units, values: distances.Sets, unit: str) -> Block:
    """alpha_masi, jaccard and percent: columns sum(o * d), equal pairs, units with two answers, overlaps, margins."""
    distance, overlap = (distances.between(values, of) for of in (distances.masi, distances.jaccard))
    equal, twice = mean_over_pairs(units.labels, np.equal)
    apart, shared = (_looked_up(units, table) for table in (distance, overlap))
    sums = units.sums(units.said * apart, equal, twice, shared, margins(units, len(values)))
    mean = Measure(lambda found: ratio(found[..., 3], found[..., 2]), partial(_at, column=2), partial(_why, 2, unit))
    return Block(
        sums,
        {
            "alpha_masi": measure(partial(_fixed, distance=distance), 2, unit),
            "jaccard": mean,
            "percent": measure(_share, 2, unit),
        },
    )


def first_errors(units: Units, values: Sequence[Json]) -> dict[str, Block]:
    """Where the first error is: over all trajectories that two rated, whether they say "none" alike, and, among pairs
    of raters who both name a step, whether it is the same one and whether it is at most one step off.

    Said 2 / 3, none / none, 4 / none, 5 / 5: percent 2/4, none_percent 3/4, exact 1/2, near 2/2.
    """
    numbers = np.array([-9 if value == "none" else value for value in values] + [-9], dtype=np.int64)
    named = numbers != -9

    def both(one: Codes, other: Codes) -> NDArray[Any]:
        return np.asarray(named[one] & named[other])

    def close(one: Codes, other: Codes) -> NDArray[Any]:
        return np.asarray(np.abs(numbers[one] - numbers[other]) <= 1)

    exact, twice = mean_over_pairs(units.labels, np.equal, both)
    near, _ = mean_over_pairs(units.labels, close, both)
    either = replace(units, labels=np.where(units.labels == SILENT, SILENT, named[units.labels].astype(np.int64)))
    apart = nominal(either, 2, "trajectory")
    n = partial(_at, column=2)
    return {
        "all": nominal(units, len(values), "trajectory"),
        "none": Block(apart.sums, {f"none_{key.partition('_')[0]}": one for key, one in apart.measures.items()}),
        "steps": Block(
            units.sums(exact, near, twice),
            {
                "exact": Measure(lambda found: ratio(found[..., 0], found[..., 2]), n, lambda _: NO_STEPS),
                "near": Measure(lambda found: ratio(found[..., 1], found[..., 2]), n, lambda _: NO_STEPS),
            },
        ),
    }


def both_orders(units: Units, values: Sequence[Json], mirror: Ints) -> Block:
    """Of the pairs that a rater was asked both ways round, the share of the same answer: who always takes the first is
    found out. Each pair of each rater counts once. First then second is the same; first then first is not."""
    other_way = {"first": "second", "second": "first", "tie": "tie"}
    turned = np.array([_place(values, other_way[value]) for value in values] + [SILENT], dtype=np.int64)
    once = np.flatnonzero(mirror > np.arange(len(mirror)))
    first, second = units.labels[once], units.labels[mirror[once]]
    both = (first != SILENT) & (second != SILENT)
    same = both & (turned[first] == second)
    counted = np.column_stack([same.sum(axis=1), both.sum(axis=1)]).astype(np.float64)
    share = Measure(lambda found: ratio(found[..., 0], found[..., 1]), partial(_at, column=1), lambda _: NO_ORDERS)
    return Block(add_by_task(units.task[once], counted, units.tasks), {"both_orders": share})


def measure(of: Callable[[Floats], Floats], twice: int, unit: str) -> Measure:
    """A statistic whose sums say in column `twice` how many units have two answers."""
    return Measure(of, partial(_at, column=twice), partial(_why, twice, unit))


def _place(values: Sequence[Json], value: Json) -> int:
    return values.index(value) if value in values else SILENT


def _at(sums: Floats, column: int) -> float:
    return float(sums[column])


def _why(column: int, unit: str, sums: Floats) -> str:
    return SAME if sums[column] else ALONE.format(unit=unit)


def _nominal(sums: Floats) -> Floats:
    counted = sums[..., 3:]
    return distances.alpha(sums[..., 0], distances.expected_nominal(counted), counted.sum(axis=-1))


def _fixed(sums: Floats, distance: Floats) -> Floats:
    counted = sums[..., 4:]
    return distances.alpha(sums[..., 0], distances.expected_between(counted, distance), counted.sum(axis=-1))


def _interval(sums: Floats) -> Floats:
    total = sums[..., 4]
    return distances.alpha(sums[..., 0], distances.expected_interval(total, sums[..., 5], sums[..., 6]), total)


def _ordinal(sums: Floats, size: int, first: Ints, second: Ints) -> Floats:
    counted, cells = sums[..., 2 : 2 + size], sums[..., 2 + size :]
    observed = distances.observed_ordinal(counted, cells, first, second)
    return distances.alpha(observed, distances.expected_ordinal(counted), counted.sum(axis=-1))


def _share(sums: Floats) -> Floats:
    return ratio(sums[..., 1], sums[..., 2])


def _looked_up(units: Units, table: Floats) -> Floats:
    if not table.size:
        return np.zeros(len(units.labels))
    return mean_over_pairs(units.labels, lambda one, other: table[one, other])[0]


def _cells(units: Units, size: int) -> tuple[Ints, Ints, Floats]:
    """The pairs of unequal values that occur, and by task their coincidences, both orders together."""
    weight = np.divide(2 * units.weight, units.said - 1, out=np.zeros(len(units.labels)), where=units.said > 1)
    table = np.zeros(units.tasks * size * size)
    for one, other in combinations(range(units.labels.shape[1]), 2):
        first, second = units.labels[:, one], units.labels[:, other]
        here = (first != SILENT) & (second != SILENT) & (first != second)
        low, high = np.minimum(first, second)[here], np.maximum(first, second)[here]
        cells = (units.task[here] * size + low) * size + high
        table += np.bincount(cells, weights=weight[here], minlength=len(table))
    square = table.reshape(units.tasks, size * size)
    used = np.flatnonzero(square.any(axis=0))
    return used // max(size, 1), used % max(size, 1), square[:, used]
