"""What crosses borders between rooms: plain frozen values. No Django in them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Any  # a value the json module reads and writes


@dataclass(frozen=True)
class StepRecord:
    """One turn of a trajectory. A turn of the agent carries its tool calls and the observations that answer them.

    `source` is system, user or agent. `source_index` is the place of the turn's first message in the original file.
    `tool_calls` are {"id", "name", "arguments"} with arguments as found (usually a JSON string), plus what else the
    original said. `observations` are the tool messages that follow, in order, as found (at least "content"; usually
    "tool_call_id" and "name"). `extra` keeps, verbatim, what has no field of its own.
    """

    source: str
    source_index: int
    message: str = ""
    reasoning: str = ""
    tool_calls: tuple[Json, ...] = ()
    observations: Sequence[Json] = ()
    extra: Json = field(default_factory=dict)


@dataclass(frozen=True)
class TaskRecord:
    """One problem. Rollouts of the same task share its external id."""

    external_id: str
    source: str = ""
    instruction: str = ""
    reference: Json = None
    tools: Json = None


@dataclass(frozen=True)
class RatingRecord:
    """What one rater says of one trajectory.

    `steps` maps source_index → value; a step that is absent is unlabelled. `failed` says the rater tried and said
    nothing (a judge call that broke); it is never a value.
    """

    steps: dict[int, Json] = field(default_factory=dict)
    final: Json = None
    explanations: dict[int, str] = field(default_factory=dict)
    final_explanation: str = ""
    failed: bool = False
    comment: str = ""
    updated_at: str = ""


@dataclass(frozen=True)
class TrajectoryRecord:
    """One rollout of a task, with the reference rating its file carries, if any.

    `external_id` is "" and `rollout` None where the file names none. `outcome` is what the file says came of it
    (answer, reward). `meta` holds the identifying numbers of the original (total_index, query_index, …); `extra`
    whatever else the file had, verbatim, so that an export can say it again.
    """

    task: TaskRecord
    steps: tuple[StepRecord, ...]
    external_id: str = ""
    rollout: int | None = None
    policy_model: str = ""
    outcome: Json = None
    meta: Json = field(default_factory=dict)
    extra: Json = field(default_factory=dict)
    rating: RatingRecord | None = None


@dataclass(frozen=True)
class Problem:
    """A record that could not be taken in: where it stands, and what is wrong with it."""

    file: str
    line: int
    field: str
    reason: str


@dataclass(frozen=True)
class StepScore:
    """What a scorer says of one step. `value` is in the scorer's own range; `probability` is P(the step is not
    wrong) in [0, 1] where the scorer is calibrated, else None. `index` is the step's place in the trajectory."""

    index: int
    value: float
    probability: float | None = None
    detail: Json = field(default_factory=dict)


@dataclass(frozen=True)
class TableRater:
    """A column of a label table. `name` is unique in its table; `kind` is a Rater kind."""

    name: str
    kind: str


@dataclass(frozen=True)
class LabelTable:
    """Who labelled what, as numbers: what agreement is computed from.

    Values, raters, tasks, trajectories and steps are numbered from 0, each by its place here. `values` are the `main`
    field's choices in the scheme's order, `error` the number of the one that means a wrong step (None: the scheme
    has none), `reference` the rater that others are held against, if any. Steps are the labelled steps of the
    trajectories, in order of trajectory and place: `step_trajectory` and `step_message` (place in the original file)
    say which. `task` names each trajectory's task.

    Labels are parallel arrays: label_rater, label_step, label_value, label_propagated (0 or 1). The same for the
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
