"""What crosses borders between rooms: plain frozen values. No Django in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Json = Any  # a value the json module reads and writes


class Number(NamedTuple):
    """A number, or None and why there is none."""

    value: float | None
    reason: str = ""


@dataclass(frozen=True)
class StepRecord:
    """One turn of a trajectory. A turn of the agent carries its tool calls and the observations that answer them.

    `source` is system, user or agent. `source_index` is the place of the turn's first message in the original file.
    `tool_calls` are {"id", "name", "arguments"} with arguments as found (usually a JSON string), plus what else the
    original said. `observations` are the tool messages that follow, in order, as found (at least "content"; usually
    "tool_call_id" and "name"). `extra` keeps, verbatim, what has no field of its own. `parent` is the place, among the
    trajectory's steps, of the one this was tried after, where the trajectory is a tree; `stable_id` what the step is
    called where it is stored. Numbers that the file gives a step (reward, q, visits) stand in `extra["values"]`.
    """

    source: str
    source_index: int
    message: str = ""
    reasoning: str = ""
    tool_calls: tuple[Json, ...] = ()
    observations: Sequence[Json] = ()
    extra: Json = field(default_factory=dict)
    parent: int | None = None
    stable_id: str = ""


@dataclass(frozen=True)
class RubricRecord:
    """The items that a rubric field asks of a task's rollouts. `rater` is the judge that made the list, if one did."""

    items: tuple[Json, ...]
    rater: str = ""


@dataclass(frozen=True)
class TaskRecord:
    """One problem. Rollouts of the same task share its external id. `rubrics` are its own lists, by field."""

    external_id: str
    source: str = ""
    instruction: str = ""
    reference: Json = None
    tools: Json = None
    rubrics: Mapping[str, RubricRecord] = field(default_factory=dict)


@dataclass(frozen=True)
class SchemeRecord:
    """A scheme that labels of a file were made under, as it was frozen."""

    name: str
    version: str
    sha256: str
    document: Json


@dataclass(frozen=True)
class AnswerRecord:
    """One answer of a pass. `place` is that of its step among the record's steps (None: the whole trajectory), `cause`
    that of the step whose label implied it. `number` is where it stands in its pass, for naming it. `guideline` is the
    version that was shown with it where that is not the pass's. Times are texts in UTC, "" where they are not known."""

    place: int | None
    field: str
    value: Json
    number: int = 0
    origin: str = "import"
    cause: int | None = None
    explanation: str = ""
    suggestion: Json = None
    first_value: Json = None
    guideline: int | None = None
    time_ms: int | None = None
    created_at: str = ""


@dataclass(frozen=True)
class PassRecord:
    """What one rater says of one trajectory in every field, and how they came to say it. `scheme` is the SHA-256 of the
    one it was made under, `guidelines` those of the guidelines' texts, by version. `drawn`: whether chance or a policy
    brought the trajectory to them. `purpose`: gold, training or repeat, where the pass is not for the
    dataset."""

    rater: str
    kind: str
    scheme: str
    state: str = "submitted"
    mode: str = "blind"
    propagation: str = "off"
    drawn: str = ""
    purpose: str = ""
    guideline: int | None = None
    guidelines: Mapping[int, str] = field(default_factory=dict)
    time_spent_ms: int = 0
    comment: str = ""
    created_at: str = ""
    submitted_at: str = ""
    revealed_at: str = ""
    answers: tuple[AnswerRecord, ...] = ()


@dataclass(frozen=True)
class RatingRecord:
    """What one rater says of one trajectory.

    `steps` maps source_index → value; a step that is absent is unlabelled. `failed` says the rater tried and said
    nothing (a judge call that broke); it is never a value. `scheme` names the scheme, of those that come with
    Stepmark, in whose words it is said; "" is the project's own.
    """

    steps: dict[int, Json] = field(default_factory=dict)
    final: Json = None
    explanations: dict[int, str] = field(default_factory=dict)
    final_explanation: str = ""
    failed: bool = False
    comment: str = ""
    updated_at: str = ""
    scheme: str = ""


@dataclass(frozen=True)
class TrajectoryRecord:
    """One rollout of a task, with the reference rating its file carries, if any.

    `external_id` is "" and `rollout` None where the file names none. `outcome` is what the file says came of it
    (answer, reward). `meta` holds the identifying numbers of the original (total_index, query_index, …); `extra`
    whatever else the file had, verbatim, so that an export can say it again. `passes` is what every rater says, where
    the file knows, `schemes` what they said it under, and `numbers` what their answers call each step → its place.
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
    passes: tuple[PassRecord, ...] = ()
    schemes: tuple[SchemeRecord, ...] = ()
    numbers: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Labelled:
    """A trajectory with what one rater, or several by a rule, say of it: what training rows are made of.

    Steps are named by their places in `record.steps`; one that is absent is unlabelled. `grades` are 1 (right), 0
    (neither) and -1 (wrong), whatever the scheme calls them; `record.rating` holds the labels as they were given.
    `propagated` are steps whose grade a rule filled in. `corrections` say how a step should have been, `scores` P(the
    step is not wrong) by a scorer. `final` is the verdict on the whole, as a grade. `by` says whose word it is.
    `preferred` is the share of comparisons with other rollouts of its task that it won, a tie counting half.
    """

    record: TrajectoryRecord
    grades: Mapping[int, int] = field(default_factory=dict)
    final: int | None = None
    propagated: frozenset[int] = frozenset()
    explanations: Mapping[int, str] = field(default_factory=dict)
    corrections: Mapping[int, str] = field(default_factory=dict)
    scores: Mapping[int, float] = field(default_factory=dict)
    by: str = ""
    preferred: float | None = None

    @property
    def steps(self) -> tuple[int, ...]:
        """The places of the agent's steps, in order."""
        return tuple(place for place, step in enumerate(self.record.steps) if step.source == "agent")

    @property
    def first_error(self) -> int | None:
        """The place of the first step that is graded wrong."""
        return next((place for place in self.steps if self.grades.get(place) == -1), None)


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
