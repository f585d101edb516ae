"""A member's figures against the reference, over the trajectories that count for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from models_service.statistics import first_errors, measures
from models_service.statistics.coefficients import ratio
from models_service.statistics.figures import Block, Figure, Floats, Measure, add_by_task
from models_service.statistics.leaderboard.members import TALLY, UNSAID, Ground, Member
from models_service.statistics.matrices import Bools

# What a row calls a figure, and which measure of which block it is.
FIGURES = {
    "step_acc": ("steps", "step_acc"),
    "first_err_acc": ("first", "accuracy"),
    "first_err_acc_error": ("first", "error"),
    "first_err_acc_clean": ("first", "clean"),
    "processbench_f1": ("first", "f1"),
    "step_exact": ("exact", "rate"),
    "macro_f1": ("steps", "macro_f1"),
    "kappa": ("steps", "kappa"),
    "coverage": ("steps", "coverage"),
}
BY_CLASS = ("precision", "recall", "f1")
NO_FIRST = "The scheme names no value for a wrong step, so there is no first error."
NO_STEPS = "The scheme asks where the first error is, not for a label of each step."
NOTHING_COUNTS = "No trajectory counts: the reference labelled none that it was not taught with."


def blocks(ground: Ground, member: Member, mask: Bools) -> dict[str, Block]:
    """The statistics over the trajectories in `mask`, which are among those that count."""
    found: dict[str, Block] = {}
    if ground.values:
        found["steps"] = _steps(ground, member, mask)
        found["exact"] = _exact(ground, member, mask)
    if ground.has_first:
        found["first"] = _first(ground, member, mask)
    if ground.table.names_first:
        said = (member.first != UNSAID)[mask]
        found["said"] = _rate(ground, mask, np.column_stack([said, np.ones(len(said))]))
    if ground.official and ground.values and member.tallies is not None:
        found["released"] = _rate(ground, mask, _columns(member, mask, "step_hits", "steps"))
        found["exact"] = _rate(ground, mask, _columns(member, mask, "exact_hits", "records"))
    return found


def _steps(ground: Ground, member: Member, mask: Bools) -> Block:
    titles = [str(value) for value in ground.values]
    skip = ~mask[ground.matrix.trajectory]
    made = measures.against(ground.matrix, ground.codes, member.labels, titles, skip=skip)
    size = ground.matrix.categories
    more: dict[str, Measure] = {}
    for place, title in enumerate(titles):
        more[f"f1 {title}"] = measures.f1(size, place, title)
        more[f"precision {title}"] = Measure(
            partial(_precision, size=size, place=place),
            partial(_said, size=size, place=place),
            partial(_never, title=title),
        )
    return Block(made.sums, {**made.measures, **more})


def _exact(ground: Ground, member: Member, mask: Bools) -> Block:
    """Every label of the trajectory is the reference's, and there is none more."""
    wrong = np.bincount(ground.matrix.trajectory[ground.codes != member.labels], minlength=ground.trajectories)
    hits = (wrong == 0) & ~member.failed & member.tried
    return _rate(ground, mask, np.column_stack([hits[mask], np.ones(int(mask.sum()))]))


def _first(ground: Ground, member: Member, mask: Bools) -> Block:
    tasks = ground.matrix.tasks
    hits = _hits(ground, member)
    return first_errors.parts(hits[mask], ground.clean[mask], ground.matrix.task_of[mask], tasks)


def _hits(ground: Ground, member: Member) -> Bools:
    if ground.official and member.tallies is not None:
        return np.asarray(member.tallies[:, TALLY.index("first_error_hits")] > 0)
    return np.asarray((member.first == ground.first) & (member.first != UNSAID))


def _columns(member: Member, mask: Bools, *names: str) -> Floats:
    assert member.tallies is not None
    return np.asarray(member.tallies[mask][:, [TALLY.index(name) for name in names]])


def _rate(ground: Ground, mask: Bools, columns: Any) -> Block:
    sums = add_by_task(ground.matrix.task_of[mask], np.asarray(columns, dtype=np.float64), ground.matrix.tasks)
    return measures.rate(sums, NOTHING_COUNTS)


def figures_of(ground: Ground, found: Mapping[str, Mapping[str, Figure]]) -> dict[str, Figure]:
    """The row's figures by name, those that do not apply with their reason."""
    places = dict(FIGURES)
    if "released" in found:
        places["step_acc"] = ("released", "rate")
    if ground.table.names_first:
        places["coverage"] = ("said", "rate")
    why = {"first": NO_FIRST, "steps": NO_STEPS, "exact": NO_STEPS}
    return {
        name: found[block][measure] if block in found else Figure(None, reason=why[block])
        for name, (block, measure) in places.items()
    }


def by_class(ground: Ground, found: Mapping[str, Mapping[str, Figure]]) -> Iterator[dict[str, Any]]:
    for value in map(str, ground.values):
        yield {"label": value, **{name: found["steps"][f"{name} {value}"].as_json() for name in BY_CLASS}}


def confusion(ground: Ground, made: Mapping[str, Block]) -> dict[str, Any] | None:
    """Rows are what the reference said; the last column is nothing."""
    if "steps" not in made:
        return None
    titles = [str(value) for value in ground.values]
    table = measures.table_of(made["steps"].sums.sum(axis=0), len(titles))
    return {"rows": titles, "columns": [*titles, "none"], "table": table}


def _precision(sums: Floats, size: int, place: int) -> Floats:
    """Share of the rater's labels of that value that the reference gave too."""
    table = sums.reshape(*sums.shape[:-1], size, size + 1)
    return ratio(table[..., place, place], table[..., :, place].sum(axis=-1))


def _said(sums: Floats, size: int, place: int) -> float:
    return float(sums.reshape(size, size + 1)[:, place].sum())


def _never(_: Floats, title: str) -> str:
    return f"It gave no step the value {title}."
