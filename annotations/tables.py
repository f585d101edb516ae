"""Labels as numbers, which agreement is computed from: plain frozen values, as in records. No Django in them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from annotations.records import Json


@dataclass(frozen=True)
class TableRater:
    """A column of a label table. `name` is unique in its table, `kind` is a Rater kind, `key` the rater's number."""

    name: str
    kind: str
    key: int = field(default=0, compare=False)


@dataclass(frozen=True)
class LabelTable:
    """Who labelled what, as numbers: what agreement is computed from.

    Values, raters, tasks, trajectories and steps are numbered from 0, each by its place here. `values` are the `main`
    field's choices in the scheme's order, `error` the number of the one that means a wrong step (None: the scheme
    has none), `reference` the rater that others are held against, if any. Steps are the labelled steps of the
    trajectories, in order of trajectory and place: `step_trajectory` and `step_message` (place in the original file)
    say which. `task` numbers each trajectory's task, `task_keys` are the tasks' own numbers.

    Labels are parallel arrays: label_rater, label_step, label_value, label_propagated and label_accepted (0 or 1; a
    label that was suggested and accepted; nothing in it: none was). The same for the
    verdicts on whole trajectories: final_rater, final_trajectory, final_value, numbers into `final_values`. Passes
    say who rated which trajectory at all and whether that failed (1); labels of failed passes are in the table too.
    """

    main: str
    values: tuple[Json, ...]
    ordinal: bool
    error: int | None
    raters: tuple[TableRater, ...]
    reference: int | None
    trajectories: tuple[str, ...]
    task: array[int]
    step_trajectory: array[int]
    step_message: array[int]
    pass_rater: array[int]
    pass_trajectory: array[int]
    pass_failed: array[int]
    label_rater: array[int]
    label_step: array[int]
    label_value: array[int]
    label_propagated: array[int]
    final_values: tuple[Json, ...] = ()
    final_ordinal: bool = False
    final_rater: array[int] = field(default_factory=lambda: array("i"))
    final_trajectory: array[int] = field(default_factory=lambda: array("i"))
    final_value: array[int] = field(default_factory=lambda: array("i"))
    task_keys: tuple[int, ...] = ()
    label_accepted: array[int] = field(default_factory=lambda: array("i"))


@dataclass(frozen=True)
class SpanTable:
    """Who marked which stretches of which texts. A text is one part of one step that two raters or more looked at.

    `text_length` counts code points; readers looked at a text whether or not they marked anything in it; `span_type`
    numbers the types of the field, and `span_start` ≤ code point < `span_end`.
    """

    types: tuple[Json, ...]
    text_task: array[int]
    text_length: array[int]
    reader_rater: array[int]
    reader_text: array[int]
    span_rater: array[int]
    span_text: array[int]
    span_start: array[int]
    span_end: array[int]
    span_type: array[int]


@dataclass(frozen=True)
class FieldTable:
    """What was said in one field of a scheme, as numbers.

    A unit is one comparable part of an answer at one place: a dimension of a vector, an item of a rubric, a pair of a
    ranking, or the whole answer. `unit_task` numbers its task, `unit_part` the name among `parts` ("": no parts) that
    has figures of its own where `apart`; `together` says whether all parts have some in common. `values` are what was
    said, in order where `level` has one. Labels are parallel arrays, one value a rater and unit at most.
    `unit_mirror` is the unit that asks the same pair the other way round (-1: none), where both orders are asked.
    `reason` says why the field is not measured, `left_out` how many labels are no answer under the scheme of now.
    """

    name: str
    title: str
    kind: str
    target: str
    level: str
    parts: tuple[str, ...] = ("",)
    titles: tuple[str, ...] = ("",)
    apart: bool = False
    together: bool = True
    values: tuple[Json, ...] = ()
    unit_task: array[int] = field(default_factory=lambda: array("i"))
    unit_part: array[int] = field(default_factory=lambda: array("i"))
    unit_mirror: array[int] = field(default_factory=lambda: array("i"))
    label_rater: array[int] = field(default_factory=lambda: array("i"))
    label_unit: array[int] = field(default_factory=lambda: array("i"))
    label_value: array[int] = field(default_factory=lambda: array("i"))
    label_propagated: array[int] = field(default_factory=lambda: array("i"))
    label_accepted: array[int] = field(default_factory=lambda: array("i"))
    spans: SpanTable | None = None
    reason: str = ""
    left_out: int = 0


@dataclass(frozen=True)
class FieldTables:
    """Every field of a scheme, over the same raters and tasks (numbered from 0 up to `tasks`)."""

    raters: tuple[TableRater, ...]
    tasks: int
    fields: tuple[FieldTable, ...]


@dataclass(frozen=True)
class ScoreTable:
    """The labelled steps of a scoring run, which calibration is fitted to: arrays over steps, in order of trajectory
    and place. Tasks and trajectories are numbered from 0; `tasks` are their names. `label` is -1 where the step is
    wrong, else 0 or 1. `said` is what the scorer said of the step: its probability, where `of` is "probability", else
    its own number ("value"). `out_of_fold` tells whether the scorer had itself learnt from these labels, so that
    `said` comes from models that had not seen the step's task."""

    of: str
    tasks: tuple[str, ...]
    task: array[int]
    trajectory: array[int]
    said: array[float]
    label: array[int]
    out_of_fold: bool = False
