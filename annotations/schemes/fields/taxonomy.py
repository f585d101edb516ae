"""Several answers out of a tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from annotations.records import Json
from annotations.schemes.fields.base import NOTHING, Around, Choice, FieldSpec


def flat(choices: tuple[Choice, ...]) -> Iterator[Choice]:
    for choice in choices:
        yield choice
        yield from flat(choice.choices)


class TaxonomyField(FieldSpec):
    """Stores the list of chosen values, each once, in the order of the tree. A choice with finer choices below it is
    a heading unless `branches` says that it can be chosen too. `most` limits how many (0: no limit)."""

    kind: Literal["taxonomy"]
    level: Literal["set"] = "set"
    choices: tuple[Choice, ...] = Field(min_length=1)
    most: int = Field(0, ge=0)
    branches: bool = False

    @property
    def options(self) -> tuple[Choice, ...]:
        return tuple(one for one in flat(self.choices) if self.branches or not one.choices)

    def problem(self) -> str:
        values = [choice.value for choice in flat(self.choices)]
        if len(set(map(str, values))) != len(values):
            return "two choices have the same value"
        return ""

    def refusal(self, value: Json, around: Around = NOTHING) -> str:
        accepted = f"a list of {', '.join(map(str, self.values))}"
        if not isinstance(value, list) or not value:
            return f"{self.name} takes {accepted}, not {value!r}"
        if unknown := [one for one in value if not self._has(one)]:
            return f"{self.name} takes {accepted}; it has no {unknown[0]!r}"
        if value != self.ordered(value):
            return f"{self.name} takes each choice once, in the order of the tree, not {value!r}"
        if self.most and len(value) > self.most:
            return f"{self.name} takes up to {self.most} choices, not {len(value)}"
        alone = next((option for option in self.options if option.alone and option.value in value), None)
        return f"{self.name}: {alone.value} goes with no other choice" if alone and len(value) > 1 else ""

    def _has(self, value: Json) -> bool:
        return any(value == one and type(value) is type(one) for one in self.values)

    def ordered(self, value: list[Json]) -> list[Json]:
        """Each choice once, in the order of the tree."""
        return [one for one in self.values if one in value]

    def accepted(self, around: Around = NOTHING) -> list[Json]:
        return list(self.values)

    def in_order(self, value: Json) -> Json:
        known = isinstance(value, list) and all(map(self._has, value)) and len(set(map(str, value))) == len(value)
        return self.ordered(value) if known else value

    def json_schema(self, around: Around = NOTHING) -> dict[str, Json]:
        together = [option.value for option in self.options if not option.alone]
        most = {"maxItems": self.most} if self.most else {}
        found: list[dict[str, Json]] = [{"const": [option.value]} for option in self.options if option.alone]
        if together:
            # JSON Schema cannot ask for an order; the reader of an answer puts it in that of the tree.
            items = {"type": "array", "items": {"enum": together}, "minItems": 1, "uniqueItems": True, **most}
            found.append(items)
        return found[0] if len(found) == 1 else {"anyOf": found}

    def words(self, value: Json) -> str:
        titles = {option.value: option.title for option in self.options}
        return ", ".join(titles.get(one, str(one)) for one in value)

    def tone(self, value: Json) -> str:
        tones = [option.tone for option in self.options if option.value in value and option.tone]
        return tones[0] if tones else "plain"

    def sample(self, around: Around = NOTHING) -> Json:
        together = [option.value for option in self.options if not option.alone]
        return together[: min(2, self.most or 2)] or [self.values[0]]
