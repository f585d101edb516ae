"""What a label scheme may declare. A scheme is a YAML document; nothing else in Stepmark knows one by name."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from annotations.keys import PAGE_KEYS

Strict = ConfigDict(extra="forbid", frozen=True)
Whole = Annotated[int, Field(strict=True)]


class Choice(BaseModel):
    """One answer of a choice field. `keys` are KeyboardEvent.key values."""

    model_config = Strict
    value: Whole | str
    title: str
    keys: tuple[str, ...] = ()
    help: str = ""


class FieldSpec(BaseModel):
    """One thing that is asked. `choice` takes one of its choices, `flag` takes true, `text` takes a string.

    A choice field with a single key of its own (`key`) cycles through its choices.
    """

    model_config = Strict
    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    title: str
    target: Literal["step", "trajectory"]
    kind: Literal["choice", "flag", "text"]
    level: Literal["nominal", "ordinal"] = "nominal"
    choices: tuple[Choice, ...] = ()
    required: bool = False
    key: str = ""
    help: str = ""

    @model_validator(mode="after")
    def _choices_fit_the_kind(self) -> FieldSpec:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError(f"field {self.name}: a choice field lists its choices, another kind lists none")
        values = [choice.value for choice in self.choices]
        if len(set(values)) != len(values):
            raise ValueError(f"field {self.name}: two choices have the same value")
        return self

    def refusal(self, value: Any) -> str:
        """Why the field cannot take the value; empty when it can. Booleans are not numbers here."""
        if self.kind == "flag":
            return "" if value is True else f"{self.name} takes true, not {value!r}"
        if self.kind == "text":
            fits = isinstance(value, str) and value.strip()
            return "" if fits else f"{self.name} takes a text that is not empty, not {value!r}"
        accepted = [choice.value for choice in self.choices]
        if any(value == one and type(value) is type(one) for one in accepted):
            return ""
        return f"{self.name} takes one of {', '.join(map(str, accepted))}, not {value!r}"


class Propagation(BaseModel):
    """Which of the rules in rules.py fills in labels, on what field, from what value, and what flag ends it."""

    model_config = Strict
    rule: str
    field: str
    value: Whole | str
    until: str = ""


class Scheme(BaseModel):
    """A whole label scheme. `main` names the field that scores, strips and agreement are about."""

    model_config = Strict
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,59}$")
    version: str
    title: str
    source: str = ""
    main: str
    final: str = ""
    fields: tuple[FieldSpec, ...]
    propagation: Propagation | None = None
    guideline: str = ""

    @model_validator(mode="after")
    def _names_resolve(self) -> Scheme:
        names = [spec.name for spec in self.fields]
        if len(set(names)) != len(names):
            raise ValueError("two fields have the same name")
        for role, name in (("main", self.main), ("final", self.final)):
            if name and name not in names:
                raise ValueError(f"{role} names {name!r}, which is no field of the scheme")
        if self.propagation and self.propagation.field not in names:
            raise ValueError(f"propagation names {self.propagation.field!r}, which is no field of the scheme")
        keys = [key for spec in self.fields for key in (spec.key, *(k for c in spec.choices for k in c.keys)) if key]
        if doubled := sorted({key for key in keys if keys.count(key) > 1} | (set(keys) & PAGE_KEYS)):
            raise ValueError(f"these keys are taken twice: {' '.join(doubled)}")
        return self

    def field(self, name: str) -> FieldSpec | None:
        return next((spec for spec in self.fields if spec.name == name), None)

    @property
    def main_field(self) -> FieldSpec:
        spec = self.field(self.main)
        assert spec is not None  # the validator has seen to it
        return spec

    @property
    def step_fields(self) -> tuple[FieldSpec, ...]:
        return tuple(spec for spec in self.fields if spec.target == "step")

    @property
    def trajectory_fields(self) -> tuple[FieldSpec, ...]:
        return tuple(spec for spec in self.fields if spec.target == "trajectory")
