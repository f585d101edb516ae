"""What several raters said in one field, as numbers: plain frozen values, as in tables. No Django in them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from annotations.records import Json
from annotations.tables import TableRater


@dataclass(frozen=True)
class Unit:
    """One thing that is labelled: a step, a part of it, or a whole trajectory (`step`, `index` and `number` None).
    `trajectory` and `step` are primary keys, `name` the trajectory's; `index` is the step's place in it, `number` which
    of the agent's steps it is, from 1."""

    trajectory: int
    name: str
    step: int | None
    index: int | None
    number: int | None
    part: str


@dataclass(frozen=True)
class ConsensusTable:
    """Raters, tasks, values and units are numbered from 0, each by its place here. Units are in order of task,
    trajectory and place; each is one that somebody labelled. Labels are parallel arrays, those of the reference apart:
    it is no voice. `propagated` counts the labels that were filled in, `left_out` those that are no answer under the
    scheme of now, `failed` the passes that said nothing because they failed. `name` and `title` are the field's.
    """

    name: str
    title: str
    target: str
    values: tuple[Json, ...]
    titles: tuple[str, ...]
    raters: tuple[TableRater, ...]
    reference: TableRater | None
    tasks: tuple[str, ...]
    units: Sequence[Unit]
    unit_task: array[int]
    label_rater: array[int]
    label_unit: array[int]
    label_value: array[int]
    reference_unit: array[int] = field(default_factory=lambda: array("i"))
    reference_value: array[int] = field(default_factory=lambda: array("i"))
    propagated: int = 0
    left_out: int = 0
    failed: int = 0
