"""The shape of a line of Stepmark's own format. What does not have it is refused with its place in the line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from annotations.formats.base import Refused, found
from annotations.formats.chat import REASONING
from annotations.records import Json

VERSION = 1
KINDS = Literal["human", "judge", "scorer", "import", "consensus"]
ORIGINS = Literal["human", "propagated", "accepted", "judge", "import", "adjudicated", "consensus"]


def _moment(said: str) -> str:
    """The time in UTC, so that times compare as texts."""
    if not said:
        return ""
    moment = datetime.fromisoformat(said)
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone, as 2026-01-31T12:00:00+00:00")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _scalars(meta: dict[str, Json]) -> dict[str, Json]:
    if odd := [key for key, value in meta.items() if isinstance(value, dict | list)]:
        raise ValueError(f"{odd[0]} takes a text, a number, true, false or null")
    return meta


Whole = Annotated[int, Field(ge=0, lt=2**31)]
Moment = Annotated[str, AfterValidator(_moment)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Short = Annotated[str, Field(max_length=80)]
Name = Annotated[str, Field(min_length=1, max_length=150)]


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Rubric(Row):
    items: list[Json] = Field(min_length=1)
    rater: str = Field("", max_length=150)


class Task(Row):
    external_id: str = Field(min_length=1, max_length=400)
    source: str = Field("", max_length=200)
    instruction: str = ""
    reference: Json = None
    tools: Json = None
    rubrics: dict[Short, Rubric] = {}


def _extra(extra: dict[str, Json]) -> dict[str, Json]:
    """What is kept of the original, as the writers of other formats read it: the order of its keys, and the fields we
    have no place for."""
    keys, fields = extra.get("keys", []), extra.get("fields", {})
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or not isinstance(fields, dict):
        raise ValueError("keys takes a list of texts, fields an object")
    if "task" in extra:
        raise ValueError("what the record says of its task stands in task")
    return extra


def _call(call: dict[str, Json]) -> dict[str, Json]:
    if not {"id", "name", "arguments"} <= call.keys() or {type(call["id"]), type(call["name"])} != {str}:
        raise ValueError("a tool call takes id and name as texts, and arguments")
    return call


Kept = Annotated[dict[str, Json], AfterValidator(_extra)]
Call = Annotated[dict[str, Json], AfterValidator(_call)]


class Step(Row):
    id: Short
    index: Whole
    source: Literal["system", "user", "agent"]
    source_index: Whole
    parent: Whole | None = None
    message: str = ""
    reasoning: str = ""
    tool_calls: list[Call] = []
    observations: list[Json] = []
    extra: Kept = {}

    @model_validator(mode="after")
    def _can_be_written_again(self) -> Self:
        known = {"role", "content", "tool_calls", *REASONING, *self.extra.get("fields", {})}
        if odd := [key for key in self.extra.get("keys", []) if key not in known]:
            raise ValueError(f"extra.keys names {odd[0]!r}, which extra.fields does not have")
        places = self.extra.get("observed_at", [0] * len(self.observations))
        whole = isinstance(places, list) and not set(map(type, places)) - {int}
        if not whole or len(places) != len(self.observations):
            raise ValueError("extra.observed_at takes a whole number for each observation")
        return self


class Trajectory(Row):
    external_id: str = Field("", max_length=400)
    rollout: Whole
    policy_model: str = Field("", max_length=200)
    outcome: Json = None
    meta: Annotated[dict[str, Json], AfterValidator(_scalars)] = {}
    extra: Kept = {}


class Rater(Row):
    kind: KINDS
    name: Name


class Label(Row):
    step: Short | None = None
    source_index: Whole | None = None
    field: Short
    value: Json
    origin: ORIGINS
    cause: Short | None = None
    explanation: str = ""
    suggestion: dict[str, Json] | None = None
    first_value: Json = None
    guideline: Whole | None = None
    time_ms: Whole | None = None
    created_at: Moment = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.value is None:
            raise ValueError("a label that says nothing is left out")
        return self


class Pass(Row):
    rater: Rater
    scheme: Digest
    state: Literal["submitted", "failed"] = "submitted"
    mode: Literal["blind", "reference", "assisted", "progressive"] = "blind"
    propagation: Literal["off", "suggest", "fill"] = "off"
    drawn: Literal["", "random", "policy"] = ""
    purpose: Literal["", "gold", "training", "repeat"] = ""
    guideline: Whole | None = None
    guidelines: dict[Annotated[str, Field(pattern=r"^\d{1,9}$")], Digest] = {}
    time_spent_ms: Whole = 0
    comment: str = ""
    created_at: Moment = ""
    submitted_at: Moment = ""
    revealed_at: Moment = ""
    labels: list[Label] = []


class Scheme(Row):
    name: str = Field(max_length=60)
    version: str = Field(max_length=20)
    document: dict[str, Json]


class Line(Row):
    stepmark: Literal[1]
    schemes: dict[Digest, Scheme] = {}
    task: Task
    trajectory: Trajectory
    steps: list[Step] = Field(min_length=1)
    annotations: list[Pass] = []

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        indexes = [step.index for step in self.steps]
        if len(set(indexes)) != len(indexes):
            raise ValueError("two steps have the same index")
        if len({step.id for step in self.steps}) != len(self.steps):
            raise ValueError("two steps have the same id")
        if len({step.source_index for step in self.steps}) != len(self.steps):
            raise ValueError("two steps have the same source_index")
        if all(step.source != "agent" for step in self.steps):
            raise ValueError("no step has the source agent, so there is nothing to label")
        if odd := next(
            (one.parent for one in self.steps if one.parent is not None and one.parent not in indexes), None
        ):
            raise ValueError(f"a step has the parent {odd}, which is the index of no step")
        return self


def read(row: dict[str, Any]) -> Line:
    """The line as its parts. Raises Refused."""
    try:
        return Line.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "missing":
            raise Refused(_place(first["loc"]), "found nothing; accepted is what docs/engineers.md says") from None
        raise Refused(_place(first["loc"]), f"found {found(first['input'])}; {_accepted(first['msg'])}") from None


def _place(loc: tuple[int | str, ...]) -> str:
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in loc).lstrip(".")


def _accepted(said: str) -> str:
    if said.startswith("Input should be "):
        return f"accepted is {said.removeprefix('Input should be ')}"
    return f"not accepted: {said.removeprefix('Value error, ')}"
