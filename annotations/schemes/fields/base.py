"""What every kind of field has in common: how it is asked, what it takes, and how its answers are measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from annotations.records import Json

Strict = ConfigDict(extra="forbid", frozen=True)
Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Value = Whole | Annotated[float, Field(strict=True, allow_inf_nan=False)] | str
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,59}$")]  # of an option: stored, so never translated
Target = Literal["step", "tool_call", "sentence", "trajectory", "task"]
Level = Literal["nominal", "ordinal", "interval", "set", "spans", "ranking", "none"]
OF_STEPS = ("step", "tool_call", "sentence")


class Choice(BaseModel):
    """One answer that is offered. `keys` are KeyboardEvent.key values, `choices` finer answers of the same kind,
    `alone` means that it goes with no other, `tone` what it looks like where its place does not say."""

    model_config = Strict
    value: Value
    title: str
    keys: tuple[str, ...] = ()
    help: str = ""
    alone: bool = False
    tone: Literal["", "right", "neutral", "wrong", "plain"] = ""
    choices: tuple[Choice, ...] = ()


class Condition(BaseModel):
    """Asks a field only where another one says one of these values; where that is several choices, where it has one of
    them. `any` without values: where it says anything at all."""

    model_config = Strict
    field: Name
    values: tuple[Value | bool, ...] = ()

    def holds(self, answer: Json) -> bool:
        if answer is None:
            return False
        if not self.values:
            return True
        said = answer if isinstance(answer, list) else [answer]
        return any(one == value and type(one) is type(value) for one in said for value in self.values)


@dataclass(frozen=True)
class Around:
    """What an answer may point at, for a field of one place; what is None is not known here and not checked.

    `step` is the index of the place's step, `steps` the indexes of the agent's steps, `lengths` the code points of each
    text of the step by part ("message", "reasoning", "call-0", "observation-0"), `items` the rubric items that are
    asked here by name, `candidates` the rollouts or sibling steps that are compared.
    """

    step: int | None = None
    steps: Sequence[int] | None = None
    lengths: Mapping[str, int] | None = None
    items: Mapping[str, Json] | None = None
    candidates: Sequence[int] | None = None


NOTHING = Around()


@dataclass(frozen=True)
class Unit:
    """One comparable part of an answer: what it is called ("" where the answer is one), and its value."""

    name: str
    value: Json
    extra: Mapping[str, Json] = field(default_factory=dict)


class FieldSpec(BaseModel):
    """One thing that is asked of each `target`. A subclass is one kind of answer; its docstring says what it stores.

    `key` is a key of its own: it goes through the answers, or opens the field. `level` is how agreement measures it.
    """

    model_config = Strict
    name: Name
    title: str
    kind: str
    target: Target = "step"
    level: Level = "none"
    required: bool = False
    default: Json = Field(None, description="What the page shows first; it counts only once a person takes it.")
    key: str = ""
    help: str = ""
    examples: tuple[str, ...] = ()
    when: Condition | None = None

    @property
    def of_step(self) -> bool:
        """Whether it is asked of steps, or of parts of them."""
        return self.target in OF_STEPS

    @property
    def options(self) -> tuple[Choice, ...]:
        """The fixed answers, where there are some."""
        return ()

    @property
    def values(self) -> tuple[Json, ...]:
        """The values of the fixed answers, where an answer is one of them."""
        return tuple(option.value for option in self.options)

    @property
    def keys(self) -> Iterator[str]:
        """Every key the field takes."""
        if self.key:
            yield self.key
        for option in self.options:
            yield from option.keys

    def problem(self) -> str:
        """What is wrong with the declaration; empty where nothing is."""
        return ""

    def refusal(self, value: Json, around: Around = NOTHING) -> str:
        """Why the field cannot take the value; empty when it can. Booleans are not numbers here. A value that goes on
        being filled in (a rubric, a vector) can be taken before it is whole: `lacking` says what it waits for."""
        raise NotImplementedError

    def lacking(self, value: Json, around: Around = NOTHING) -> str:
        """What a value that could be taken still lacks; empty where it is whole."""
        return ""

    def accepted(self, around: Around = NOTHING) -> list[Json]:
        """What it takes, as an error lists it."""
        raise NotImplementedError

    def json_schema(self, around: Around = NOTHING) -> dict[str, Json]:
        """JSON Schema (2020-12) of the whole answers, and of no others as far as it can say."""
        raise NotImplementedError

    def units(self, value: Json) -> list[Unit]:
        """The answer as the parts that raters agree on or not."""
        return [Unit("", value)]

    def moved(self, value: Json, steps: Mapping[int, int]) -> Json:
        """The answer where the steps it names stand elsewhere now (old index → new); None where one is gone."""
        return value

    def in_order(self, value: Json) -> Json:
        """The answer as it is stored, where only the order of its parts is another; anything else as it came."""
        return value

    def words(self, value: Json) -> str:
        """The answer in a few words, for lists and tables."""
        return str(value)

    def tone(self, value: Json) -> str:
        """What the answer looks like in a strip: right, neutral, wrong or plain."""
        return "plain"

    def sample(self, around: Around = NOTHING) -> Json:
        """A whole answer, for previews and tests."""
        raise NotImplementedError


def is_number(value: Json) -> bool:
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and value == value
        and abs(value) != float("inf")
    )


def is_whole(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_text(value: Json) -> bool:
    return isinstance(value, str) and bool(value.strip())


TEXT_SCHEMA = {"type": "string", "pattern": r"\S"}
