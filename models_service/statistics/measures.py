"""The statistics of a report as measures over task sums, each with the words for when it is undefined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from models_service.statistics import chance, coefficients
from models_service.statistics.coefficients import Codes
from models_service.statistics.figures import Block, Floats, Ints, Measure, add_by_task, by_task
from models_service.statistics.matrices import Bools, Matrix

KINDS_AT_ONCE = 4_000_000  # cells of the table of tasks by kinds of counts: 32 MB
ALONE = "No {unit} has labels from two raters."
SAME = "All labels are one and the same value: there is no variation, so agreement cannot be told from chance."
NOTHING_SHARED = "The two have no labelled {unit} in common."
ONE_VALUE = "The field has one value only, so agreement cannot be told from chance."
BOTH_SAME = "Both gave one and the same value to all they share, so agreement cannot be told from chance."
EMPTY = "The reference has labelled no {unit}."

AGAINST: dict[str, Callable[..., Floats]] = {
    "step_acc": coefficients.step_acc,
    "macro_f1": coefficients.macro_f1,
    "coverage": coefficients.coverage,
}
SHARED: dict[str, Callable[..., Floats]] = {"kappa": coefficients.cohen, "percent": coefficients.equal_share}
WEIGHTED = tuple(f"kappa_{one}" for one in chance.WEIGHTINGS)
AMONG: dict[str, Callable[[Floats], Floats]] = {
    "percent": chance.observed,
    "fleiss_kappa": chance.fleiss,
    "brennan_prediger": chance.brennan_prediger,
    "ac1": chance.gwet,
    **{f"ac2_{one}": partial(chance.gwet, weighting=one) for one in chance.WEIGHTINGS},
}


def overall(matrix: Matrix, unit: str = "step", values: Floats | None = None) -> dict[str, Block]:
    """All raters at once: alpha over coincidences, what is corrected for chance over shares. `values` are the numbers
    that the categories stand for; without them there is no alpha_interval."""
    summed = _summing(matrix)
    return of_sums(summed(coefficients.coincidences), summed(chance.shares), _margins(matrix), unit, values)


def of_sums(
    pairs: Floats, shares: Floats, margins: Floats, unit: str, values: Floats | None = None
) -> dict[str, Block]:
    """The same from sums by task: (tasks, K*K) coincidences, (tasks, K + 5) shares and (tasks, R*K) how often each
    rater gave each category."""
    size = shares.shape[1] - chance.AFTER
    return {
        "alpha": Block(
            np.concatenate([pairs, shares[:, -1:]], axis=1),
            {name: Measure(of, _last, partial(_alone, unit=unit)) for name, of in _alphas(values).items()},
        ),
        "shares": Block(
            shares, {name: Measure(of, _last, partial(_alone, unit=unit, size=size)) for name, of in AMONG.items()}
        ),
        "margins": Block(
            np.concatenate([margins, shares[:, -2:]], axis=1),
            {"conger_kappa": Measure(partial(chance.conger, categories=size), _last, partial(_alone, unit=unit))},
        ),
    }


def _summing(matrix: Matrix) -> Callable[[Callable[[Floats], Floats]], Floats]:
    """How (units, C) values that are made of a unit's counts are summed by task: (tasks, C). Many units have the same
    counts, so values are made of each kind of counts once, and multiplied by how often a task has that kind."""
    labels, size = matrix.labels, matrix.categories
    base = labels.shape[1] + 1
    if base**size < 2**53:  # a unit's counts as one number, of a digit a category
        worth = np.append(float(base) ** np.arange(size), 0.0)
        numbers = np.zeros(len(labels))
        for column in labels.T:
            numbers += worth[column]
        _, first, kind = np.unique(numbers, return_index=True, return_inverse=True)
        if matrix.tasks * len(first) <= KINDS_AT_ONCE:
            times = by_task(matrix.task, kind, matrix.tasks, len(first))
            return lambda of: np.asarray(times @ of(coefficients.counts(labels[first], size)))
    return lambda of: add_by_task(matrix.task, of(coefficients.counts(labels, size)), matrix.tasks)


def _alphas(values: Floats | None) -> dict[str, Callable[[Floats], Floats]]:
    found: dict[str, Callable[[Floats], Floats]] = {
        f"alpha_{level}": partial(_alpha, ordinal=level == "ordinal") for level in ("ordinal", "nominal")
    }
    return found if values is None else found | {"alpha_interval": partial(_alpha_interval, values=values)}


def _margins(matrix: Matrix) -> Floats:
    """(tasks, R*K): how often each rater gave each category."""
    size = matrix.categories
    each = [by_task(matrix.task, column, matrix.tasks, size + 1)[:, :size] for column in matrix.labels.T]
    return np.concatenate(each, axis=1) if each else np.zeros((matrix.tasks, 0))


def against(
    matrix: Matrix,
    reference: Codes,
    rater: Codes,
    titles: Sequence[str],
    *,
    skip: Bools | None = None,
    unit: str = "step",
) -> Block:
    """One rater's labels against the reference's, (units,) each, over the units that the reference labelled and that
    `skip` does not leave out. Measures: step_acc, macro_f1, coverage, percent, kappa, WEIGHTED, and "recall TITLE" for
    each."""
    size = matrix.categories
    here = reference < size if skip is None else (reference < size) & ~skip
    cells = reference[here].astype(np.int64) * (size + 1) + rater[here]
    measures: dict[str, Measure] = {}
    for key, of in AGAINST.items():
        measures[key] = Measure(partial(of, categories=size), _sum, lambda _: EMPTY.format(unit=unit))
    for key, of in _shared_by(size).items():
        n = partial(_shared, size=size)
        measures[key] = Measure(partial(of, categories=size), n, partial(_not_shared, size=size, unit=unit))
    for place, title in enumerate(titles):
        measures[f"recall {title}"] = Measure(
            partial(coefficients.recall, categories=size, category=place),
            partial(_row, size=size, place=place),
            partial(_no_such, unit=unit, title=title),
        )
    return Block(by_task(matrix.task[here], cells, matrix.tasks, size * (size + 1)), measures)


def _shared_by(size: int) -> dict[str, Callable[..., Floats]]:
    weighted = {
        name: partial(coefficients.cohen, weights=chance.weights(size, one))
        for name, one in zip(WEIGHTED, chance.WEIGHTINGS, strict=True)
    }
    return {**SHARED, **weighted}


def f1(size: int, place: int, title: str, unit: str = "step") -> Measure:
    """F1 of one value, over the sums of `against`."""
    return Measure(
        partial(coefficients.f1, categories=size, category=place),
        partial(_row, size=size, place=place),
        partial(_neither, unit=unit, title=title),
    )


def rate(hits_and_all: Floats, empty: str) -> Block:
    """A share from (tasks, 2) sums: hits, and all there are."""
    return Block(hits_and_all, {"rate": Measure(_rate, _last, lambda _: empty)})


def first_errors(matrix: Matrix, labels: Codes, here: Bools, error: int) -> Ints:
    """The unit of each trajectory's first error among the units that are `here`; -1 where there is none."""
    found = np.full(len(matrix.task_of), -1, dtype=np.int64)
    wrong = np.flatnonzero(here & (labels == error))[::-1]
    found[matrix.trajectory[wrong]] = wrong  # later assignments win, so the first unit of each trajectory stays
    return found


def first_error(matrix: Matrix, reference: Codes, rater: Codes, error: int) -> Block:
    """Whether the rater's first error is the reference's (or neither has one), for each trajectory that the reference
    labelled, over the steps that it labelled. A rater who left one of them out is wrong about the trajectory."""
    trajectories, hits = first_error_hits(matrix, reference, rater, error)
    sums = by_task(matrix.task_of[trajectories], hits.astype(np.int64), matrix.tasks, 2)
    sums[:, 0] += sums[:, 1]
    return rate(sums[:, ::-1], EMPTY.format(unit="step"))


def first_error_hits(matrix: Matrix, reference: Codes, rater: Codes, error: int) -> tuple[Ints, Bools]:
    """The trajectories that the reference labelled, and for each whether the rater is right about its first error."""
    here = reference < matrix.categories
    count = partial(np.bincount, minlength=len(matrix.task_of))
    trajectories = np.flatnonzero(count(matrix.trajectory[here]))
    holes = count(matrix.trajectory[here & (rater == matrix.categories)]) > 0
    hits = first_errors(matrix, reference, here, error) == first_errors(matrix, rater, here, error)
    hits &= ~holes
    return trajectories, hits[trajectories]


def pairs(matrix: Matrix) -> Floats:
    """(raters, raters, K, K): what each two raters said of the units that both labelled, for all pairs at once."""
    raters, size = matrix.labels.shape[1], matrix.categories
    said = (matrix.labels[:, :, None] == np.arange(size)).reshape(len(matrix.labels), raters * size)
    dense = said.astype(np.float32)  # counts up to 2**24 are exact
    together: Floats = (dense.T @ dense).astype(np.float64)
    return together.reshape(raters, size, raters, size).transpose(0, 2, 1, 3)


def of_pair(table: Floats, unit: str) -> dict[str, Any]:
    """Percent and kappas of two raters from their (K, K) table."""
    return of_pairs(table[None], unit)[0]


def of_pairs(tables: Floats, unit: str) -> list[dict[str, Any]]:
    """The same of many, (pairs, K, K), at once."""
    size = tables.shape[-1]
    sums = np.pad(tables, ((0, 0), (0, 0), (0, 1))).reshape(len(tables), size * (size + 1))
    values = {key: of(sums, categories=size).tolist() for key, of in _shared_by(size).items()}
    found = []
    for place, (own, n) in enumerate(zip(sums, tables.sum(axis=(1, 2)), strict=True)):
        said = {key: None if np.isnan(column[place]) else column[place] for key, column in values.items()}
        reason = _not_shared(own, size, unit) if None in said.values() else ""
        found.append({**said, "n": round(n), "reason": reason})
    return found


def _alpha(sums: Floats, ordinal: bool) -> Floats:
    return coefficients.alpha(sums[..., :-1], ordinal)


def _alpha_interval(sums: Floats, values: Floats) -> Floats:
    return coefficients.alpha_interval(sums[..., :-1], values)


def _rate(sums: Floats) -> Floats:
    return coefficients.ratio(sums[..., 0], sums[..., 1])


def _sum(sums: Floats) -> float:
    return float(sums.sum())


def _last(sums: Floats) -> float:
    return float(sums[-1])


def _shared(sums: Floats, size: int) -> float:
    return float(sums.reshape(size, size + 1)[:, :-1].sum())


def _row(sums: Floats, size: int, place: int) -> float:
    return float(sums.reshape(size, size + 1)[place].sum())


def _alone(sums: Floats, unit: str, size: int = 2) -> str:
    return ALONE.format(unit=unit) if not sums[-1] else ONE_VALUE if size < 2 else SAME


def _not_shared(sums: Floats, size: int, unit: str) -> str:
    return BOTH_SAME if _shared(sums, size) else NOTHING_SHARED.format(unit=unit)


def _no_such(sums: Floats, unit: str, title: str) -> str:
    return f"The reference gave no {unit} the value {title}." if sums.any() else EMPTY.format(unit=unit)


def _neither(sums: Floats, unit: str, title: str) -> str:
    return f"Neither gave any {unit} the value {title}." if sums.any() else EMPTY.format(unit=unit)


def table_of(sums: Any, size: int) -> list[list[int]]:
    """Total sums of an `against` block as a table of whole numbers."""
    return [[round(cell) for cell in row] for row in np.asarray(sums).reshape(size, size + 1)]
