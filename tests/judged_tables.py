"""Judged tables made by hand, of label tables made by hand."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from annotations.judged_table import JudgedTable
from tests.tables import table


def judged(
    said: Mapping[str, Sequence[Sequence[Any] | None]],
    *,
    taught: Mapping[str, Sequence[int]] | None = None,
    chances: Mapping[str, Mapping[int, Sequence[float]]] | None = None,
    sources: Sequence[str] | None = None,
    tools: Sequence[str] | None = None,
    **more: Any,
) -> JudgedTable:
    """`said` as tests.tables has it, the first rater the reference. Raters have the keys 1, 2, … `chances` are by rater
    and step, over all steps from 0."""
    names = list(said)
    labels = table(said, reference=names[0], **more)
    lengths = [labels.step_trajectory.count(at) for at in range(len(labels.trajectories))]
    given = [(names.index(name), step, row) for name, of in (chances or {}).items() for step, row in of.items()]
    return JudgedTable(
        labels=labels,
        raters=tuple(range(1, len(names) + 1)),
        sources=tuple(sources or ["made"] * len(lengths)),
        models=tuple([""] * len(lengths)),
        lengths=array("i", lengths),
        tools=tuple(tools or [""] * len(labels.step_trajectory)),
        taught={names.index(name): frozenset(rows) for name, rows in (taught or {}).items()},
        chance_rater=array("i", [rater for rater, _, _ in given]),
        chance_step=array("i", [step for _, step, _ in given]),
        chances=tuple(tuple(row) for _, _, row in given),
    )


def named(said: Mapping[str, Sequence[int | None]]) -> JudgedTable:
    """A table of a scheme that asks where the first error is: which step, -1 where there is none, None: unsaid. The
    first rater is the reference."""
    names = list(said)
    many = len(said[names[0]])
    labels = table({name: [[] for _ in range(many)] for name in names}, reference=names[0], values=(), error=None)
    rows = [
        (rater, at, step) for rater, name in enumerate(names) for at, step in enumerate(said[name]) if step is not None
    ]
    return JudgedTable(
        labels=labels,
        raters=tuple(range(1, len(names) + 1)),
        sources=("",) * many,
        models=("",) * many,
        lengths=array("i", [4] * many),
        names_first=True,
        first_rater=array("i", [rater for rater, _, _ in rows]),
        first_trajectory=array("i", [at for _, at, _ in rows]),
        first_step=array("i", [step for _, _, step in rows]),
    )
