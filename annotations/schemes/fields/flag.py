"""Set or not."""

from __future__ import annotations

from typing import Literal

from annotations.records import Json
from annotations.schemes.fields.base import NOTHING, Around, FieldSpec


class FlagField(FieldSpec):
    """Stores true. A flag that is not set is no label."""

    kind: Literal["flag"]
    level: Literal["nominal"] = "nominal"

    def problem(self) -> str:
        return "a flag that must be set says nothing" if self.required else ""

    def refusal(self, value: Json, around: Around = NOTHING) -> str:
        return "" if value is True else f"{self.name} takes true, not {value!r}"

    def accepted(self, around: Around = NOTHING) -> list[Json]:
        return [True]

    def json_schema(self, around: Around = NOTHING) -> dict[str, Json]:
        return {"const": True}

    def words(self, value: Json) -> str:
        return "yes"

    def sample(self, around: Around = NOTHING) -> Json:
        return True
