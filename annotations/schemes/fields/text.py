"""What a person writes: a note, and a step rewritten."""

from __future__ import annotations

from typing import Literal

from annotations.records import Json
from annotations.schemes.fields.base import NOTHING, TEXT_SCHEMA, Around, FieldSpec, is_text


class TextField(FieldSpec):
    """Stores the text. `rows` is how high its box opens."""

    kind: Literal["text"]
    level: Literal["none"] = "none"
    rows: Literal[1, 2, 4, 8] = 2

    def refusal(self, value: Json, around: Around = NOTHING) -> str:
        return "" if is_text(value) else f"{self.name} takes a text that is not empty, not {value!r}"

    def accepted(self, around: Around = NOTHING) -> list[Json]:
        return ["a text that is not empty"]

    def json_schema(self, around: Around = NOTHING) -> dict[str, Json]:
        return dict(TEXT_SCHEMA)

    def words(self, value: Json) -> str:
        return str(value)

    def sample(self, around: Around = NOTHING) -> Json:
        return "It reads the date of the wrong film."


class CorrectionField(FieldSpec):
    """Stores the text as it should have been: the step's message, or of a tool call its arguments. The box opens with
    what the agent wrote, which stays as it is."""

    kind: Literal["correction"]
    level: Literal["none"] = "none"
    target: Literal["step", "tool_call", "sentence"] = "step"

    def refusal(self, value: Json, around: Around = NOTHING) -> str:
        return "" if is_text(value) else f"{self.name} takes the corrected text, not {value!r}"

    def accepted(self, around: Around = NOTHING) -> list[Json]:
        return ["a text that is not empty"]

    def json_schema(self, around: Around = NOTHING) -> dict[str, Json]:
        return dict(TEXT_SCHEMA)

    def sample(self, around: Around = NOTHING) -> Json:
        return "Then 7 + 5 = 12."
