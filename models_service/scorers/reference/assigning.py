"""Putting predicted calls and those of a reference together, so that what is alike is matched.

Three ways, over a table of similarities (a row for each predicted call): a true assignment of the greatest sum, the
greedy one that takes the best pair first, and soft: entropic optimal transport with uniform masses (Cuturi, 2013).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

REGULARISATION = 0.1
ROUNDS = 20_000  # nearly always a few hundred do
CLOSE = 1e-9

Table = npt.NDArray[np.float64]


def best(similarity: Table) -> dict[int, int]:
    """Row → column, each at most once, with the greatest sum: the Hungarian method by shortest augmenting paths."""
    if similarity.shape[0] > similarity.shape[1]:
        return {row: column for column, row in best(similarity.T).items()}
    rows, columns = similarity.shape
    costs = -similarity
    potential, below = np.zeros(rows + 1), np.zeros(columns + 1)
    taken = np.zeros(columns + 1, int)  # by column the row it has, from 1; 0 is the one that is being placed
    for row in range(1, rows + 1):
        taken[0] = row
        _augment(costs, potential, below, taken)
    return {int(taken[column]) - 1: column - 1 for column in range(1, columns + 1) if taken[column]}


def _augment(costs: Table, potential: Table, below: Table, taken: npt.NDArray[np.int_]) -> None:
    columns = costs.shape[1]
    least, before = np.full(columns + 1, np.inf), np.zeros(columns + 1, int)
    seen = np.zeros(columns + 1, bool)
    at = 0
    while taken[at]:
        seen[at] = True
        row = taken[at]
        reduced = costs[row - 1] - potential[row] - below[1:]
        nearer = ~seen[1:] & (reduced < least[1:])
        least[1:][nearer], before[1:][nearer] = reduced[nearer], at
        open_ = np.where(seen, np.inf, least)
        open_[0] = np.inf
        following = int(np.argmin(open_))
        step = open_[following]
        potential[taken[seen]] += step
        below[seen] -= step
        least[~seen] -= step
        at = following
    while at:
        taken[at] = taken[before[at]]
        at = before[at]


def greedy(similarity: Table) -> dict[int, int]:
    """Row → column: the best pair that is left, again and again; of equal ones the first. It can miss the best sum."""
    found: dict[int, int] = {}
    order = np.argsort(-similarity, axis=None, kind="stable")
    for row, column in zip(*np.unravel_index(order, similarity.shape), strict=True):
        if row not in found and column not in found.values():
            found[int(row)] = int(column)
    return found


def transport(similarity: Table, regularisation: float = REGULARISATION) -> Table:
    """The plan of entropic optimal transport at the cost −similarity: its rows and columns have the same mass each."""
    rows, columns = similarity.shape
    kernel = np.exp((similarity - similarity.max()) / regularisation)
    right = np.ones(columns)
    for _ in range(ROUNDS):
        left = (1 / rows) / (kernel @ right)
        right = (1 / columns) / (kernel.T @ left)
        plan: Table = left[:, None] * kernel * right
        if np.abs(plan.sum(axis=1) - 1 / rows).max() < CLOSE:
            break
    return plan
