"""What a label scheme may declare. A scheme is a YAML document; nothing else in Stepmark knows one by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from annotations.records import Json
from annotations.schemes import rules
from annotations.schemes.fields import AnyField
from annotations.schemes.fields.base import FieldSpec, Name, Strict, Value


class RuleSpec(BaseModel):
    """One of the rules in rules.py, and what it is set to."""

    model_config = ConfigDict(extra="allow", frozen=True)
    rule: str

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.model_extra or {})

    @property
    def field(self) -> str:
        return str(self.settings.get("field", ""))

    @property
    def value(self) -> Json:
        """The answer that sets the rule off."""
        return self.settings.get("value")

    @property
    def until(self) -> str:
        return str(self.settings.get("until", ""))

    @property
    def fills(self) -> Json:
        """The answer it fills in, where it fills."""
        return self.settings.get("before", self.value)


class GuidelineText(BaseModel):
    """One version of what annotators read, in Markdown."""

    model_config = Strict
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")] = "default"
    title: str = "Guidelines"
    text: str


class Source(BaseModel):
    """Where a scheme comes from: a paper, a dataset, a repository."""

    model_config = Strict
    title: str
    url: str = ""
    note: str = ""


class Check(BaseModel):
    """What shows that the scheme does what its source asks, and the test that does."""

    model_config = Strict
    shows: str
    test: str


class SaidHere(BaseModel):
    """An answer of the sample. `step` counts the agent's steps from 0; none: the whole trajectory."""

    model_config = Strict
    step: int | None = None
    field: str
    value: Json


class Sample(BaseModel):
    """A small rollout as chat messages, and how it is labelled."""

    model_config = Strict
    messages: tuple[dict[str, Json], ...]
    tools: Json = None
    reference: Json = None
    answers: tuple[SaidHere, ...] = ()


class Rename(BaseModel):
    """What the version before called otherwise: a value of `field` (an item of a rubric, a dimension of a scale), or a
    whole field. Answers given under the old name go over to a new version of the scheme."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)
    field: str = ""
    was: Value | None = Field(None, alias="from")
    to: Value | None = None
    from_field: str = ""
    to_field: str = ""


class Scheme(BaseModel):
    """A whole label scheme. `main` names the field that scores, strips and agreement are about, `final` the verdict on
    the whole trajectory. Guidelines, sources, check and sample are about the scheme and no part of what is frozen."""

    model_config = Strict
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,59}$")
    version: str = Field(min_length=1, max_length=20)
    title: str = Field(min_length=1, max_length=120)
    summary: str = ""
    sources: tuple[Source, ...] = ()
    main: Name
    final: str = ""
    fields: tuple[AnyField, ...] = Field(min_length=1)
    rules: tuple[RuleSpec, ...] = ()
    renames: tuple[Rename, ...] = ()
    guidelines: tuple[GuidelineText, ...] = ()
    check: Check | None = None
    sample: Sample | None = None

    @model_validator(mode="after")
    def _hangs_together(self) -> Scheme:
        from annotations.schemes.soundness import problems

        if found := problems(self):
            raise ValueError("\n".join(f"{place}: {reason}" for place, reason in found))
        return self

    def field(self, name: str) -> FieldSpec | None:
        """The field of that name, or of the name before "@" where it names a part of a step."""
        base = name.partition("@")[0]
        return next((spec for spec in self.fields if spec.name == base), None)

    @property
    def main_field(self) -> FieldSpec:
        spec = self.field(self.main)
        assert spec is not None  # the validator has seen to it
        return spec

    @property
    def step_fields(self) -> tuple[FieldSpec, ...]:
        """Fields of steps and of parts of steps."""
        return tuple(spec for spec in self.fields if spec.of_step)

    @property
    def trajectory_fields(self) -> tuple[FieldSpec, ...]:
        """Fields of the whole trajectory, and of its task."""
        return tuple(spec for spec in self.fields if not spec.of_step)

    @property
    def propagation(self) -> RuleSpec | None:
        """The rule that fills in labels, where there is one."""
        return next((rule for rule in self.rules if rule.rule in rules.FILL), None)

    @property
    def foresight(self) -> str:
        """The field that is sealed when the end is shown; "" where none is."""
        return next((rule.settings["first"] for rule in self.rules if rule.rule == "hindsight-lock"), "")

    @property
    def seals(self) -> bool:
        """Whether a rule seals what was said before the end was shown."""
        return bool(self.foresight)

    @property
    def wrong(self) -> Json:
        """The answer of the main field that means a wrong step: what sets off a rule, else the one that is declared to
        look wrong, else -1; None where none does."""
        of_main = [rule.value for rule in self.rules if rule.field == self.main and rule.value is not None]
        toned = [option.value for option in self.main_field.options if option.tone == "wrong"]
        wrong = of_main[0] if of_main else toned[0] if len(toned) == 1 else -1
        return wrong if wrong in self.main_field.values else None

    @property
    def keys(self) -> Iterator[str]:
        for spec in self.fields:
            yield from spec.keys

    @property
    def has_parts(self) -> bool:
        """Whether something is asked of parts of steps."""
        return any(spec.target in ("tool_call", "sentence") for spec in self.fields)

    def document(self) -> dict[str, Json]:
        """What is frozen: how steps are labelled, and no text about it."""
        about = {"guidelines", "sources", "check", "sample", "summary"}
        return self.model_dump(mode="json", exclude=about, exclude_defaults=True)


def thawed(document: dict[str, Json]) -> Scheme:
    """A frozen document as a scheme, whatever the version of Stepmark that froze it."""
    found = {key: value for key, value in document.items() if key not in ("guideline", "source", "propagation")}
    if rule := document.get("propagation"):
        found["rules"] = [{key: value for key, value in rule.items() if value != ""}]
    found["fields"] = [_of_its_kind(one) for one in document["fields"]]
    return Scheme.model_validate(found)


def _of_its_kind(field: dict[str, Json]) -> dict[str, Json]:
    """Fields were once all of one shape: what says nothing of their kind goes."""
    idle: dict[str, Json] = {"choices": []} | ({"level": "nominal"} if field["kind"] in ("text", "flag") else {})
    return {key: value for key, value in field.items() if key not in idle or value != idle[key]}
