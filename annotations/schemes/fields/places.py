"""Answers that name a step: the first error, and the one step to put in its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from annotations.records import Json
from annotations.schemes.fields.base import NOTHING, TEXT_SCHEMA, Around, FieldSpec, is_text, is_whole

NONE = "none"


class FirstErrorField(FieldSpec):
    """Stores the index of the first step that is wrong (harmful, off the path: the title says), or "none"."""

    kind: Literal["first_error"]
    level: Literal["nominal"] = "nominal"
    target: Literal["trajectory"] = "trajectory"

    @property
    def none_key(self) -> str:
        """Its key with Shift, which says that there is none; "" where it has no key."""
        if len(self.key) == 1 and self.key.isalpha():
            return self.key.upper() if self.key != self.key.upper() else ""
        return f"Shift+{self.key}" if self.key else ""

    @property
    def keys(self) -> Iterator[str]:
        yield from filter(None, (self.key, self.none_key))

    def refusal(self, value: Json, around: Around = NOTHING) -> str:
        if value == NONE:
            return ""
        if not is_whole(value) or value < 0:
            return f"{self.name} takes the index of a step or {NONE!r}, not {value!r}"
        if around.steps is not None and value not in around.steps:
            return f"{self.name} takes the index of a step of the agent or {NONE!r}; there is no step {value}"
        return ""

    def accepted(self, around: Around = NOTHING) -> list[Json]:
        return [NONE, *(around.steps or ())] if around.steps else [NONE, "the index of a step"]

    def json_schema(self, around: Around = NOTHING) -> dict[str, Json]:
        if around.steps is None:
            return {"anyOf": [{"const": NONE}, {"type": "integer", "minimum": 0}]}
        return {"enum": [NONE, *around.steps]}

    def moved(self, value: Json, steps: Mapping[int, int]) -> Json:
        return value if value == NONE else steps.get(value)

    def words(self, value: Json) -> str:
        return "none" if value == NONE else f"turn {value}"

    def tone(self, value: Json) -> str:
        return "right" if value == NONE else "wrong"

    def sample(self, around: Around = NOTHING) -> Json:
        return around.steps[0] if around.steps else NONE


class InterventionField(FieldSpec):
    """Stores {"step", "text"}: the one step that, put in place of that one, would turn the rest to the better."""

    kind: Literal["intervention"]
    level: Literal["none"] = "none"
    target: Literal["trajectory"] = "trajectory"

    def refusal(self, value: Json, around: Around = NOTHING) -> str:
        accepted = '{"step": the index of a step, "text": what it should be}'
        if not isinstance(value, dict) or set(value) != {"step", "text"} or not is_text(value["text"]):
            return f"{self.name} takes {accepted}, not {value!r}"
        step = value["step"]
        if not is_whole(step) or step < 0 or (around.steps is not None and step not in around.steps):
            return f"{self.name} takes {accepted}; there is no step {step!r}"
        return ""

    def accepted(self, around: Around = NOTHING) -> list[Json]:
        return ['{"step": the index of a step, "text": what it should be}']

    def json_schema(self, around: Around = NOTHING) -> dict[str, Json]:
        step: dict[str, Json] = {"type": "integer", "minimum": 0}
        if around.steps is not None:
            step = {"enum": list(around.steps)}
        return {
            "type": "object",
            "properties": {"step": step, "text": dict(TEXT_SCHEMA)},
            "required": ["step", "text"],
            "additionalProperties": False,
        }

    def moved(self, value: Json, steps: Mapping[int, int]) -> Json:
        return value | {"step": steps[value["step"]]} if value["step"] in steps else None

    def words(self, value: Json) -> str:
        return f"in place of turn {value['step']}: {value['text']}"

    def sample(self, around: Around = NOTHING) -> Json:
        return {"step": around.steps[0] if around.steps else 1, "text": "Ask which of the two films is meant."}
