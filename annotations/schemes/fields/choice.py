"""One of a few answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from annotations.records import Json
from annotations.schemes.fields.base import NOTHING, Around, Choice, FieldSpec


class ChoiceField(FieldSpec):
    """Stores the value of the choice. `ordinal` choices stand in order, the best first."""

    kind: Literal["choice"]
    level: Literal["nominal", "ordinal"] = "nominal"
    choices: tuple[Choice, ...] = Field(min_length=1)

    @property
    def options(self) -> tuple[Choice, ...]:
        return self.choices

    def problem(self) -> str:
        if len(set(self.values)) != len(self.values):
            return "two choices have the same value"
        if any(choice.choices for choice in self.choices):
            return "choices within choices belong to a field of kind taxonomy"
        return ""

    def refusal(self, value: Json, around: Around = NOTHING) -> str:
        if any(value == one and type(value) is type(one) for one in self.values):
            return ""
        return f"{self.name} takes one of {', '.join(map(str, self.values))}, not {value!r}"

    def accepted(self, around: Around = NOTHING) -> list[Json]:
        return list(self.values)

    def json_schema(self, around: Around = NOTHING) -> dict[str, Json]:
        return {"enum": list(self.values)}

    def words(self, value: Json) -> str:
        return next((choice.title for choice in self.choices if choice.value == value), str(value))

    @property
    def tones(self) -> list[str]:
        """What each answer looks like: as declared; right, neutral or wrong by the sign of its value where the answers
        are ordered and go below zero, by its place (the best first) where they are ordered otherwise; else plain."""
        return [choice.tone or tone for choice, tone in zip(self.choices, self._tones_by_order(), strict=True)]

    def _tones_by_order(self) -> list[str]:
        if self.level != "ordinal":
            return ["plain"] * len(self.values)
        numbers = [value for value in self.values if isinstance(value, int)]
        if len(numbers) == len(self.values) and min(numbers) < 0:
            return ["right" if number > 0 else "wrong" if number < 0 else "neutral" for number in numbers]
        return ["right", *["neutral"] * (len(self.values) - 2), "wrong"][: len(self.values)]

    def tone(self, value: Json) -> str:
        found: dict[Json, str] = dict(zip(self.values, self.tones, strict=True))
        return found.get(value, "plain")

    def sample(self, around: Around = NOTHING) -> Json:
        return self.values[-1]
