"""A number on a scale, or one for each of several dimensions; how far the work has come."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from annotations.records import Json
from annotations.schemes.fields.base import NOTHING, Around, FieldSpec, Name, Number, Strict, Unit, is_number

FEW = 11  # marks that are shown as buttons
MANY = 1_000  # numbers that a JSON Schema lists


class Mark(BaseModel):
    """A number of the scale that has words of its own."""

    model_config = Strict
    at: Number
    title: str


class Dimension(BaseModel):
    model_config = Strict
    name: Name
    title: str
    help: str = ""
    weight: Number = 1


class ScaleField(FieldSpec):
    """Stores a number from `min` to `max` in steps of `step` (0: any number between), or with `dimensions` an object of
    one such number each. `better` says which end is good."""

    kind: Literal["scale"]
    level: Literal["ordinal", "interval"] = "interval"
    min: Number = 0
    max: Number = 1
    step: Number = Field(0, ge=0)
    unit: str = ""
    better: Literal["high", "low", ""] = "high"
    marks: tuple[Mark, ...] = ()
    dimensions: tuple[Dimension, ...] = ()

    def problem(self) -> str:
        if self.min >= self.max:
            return f"min ({self.min:g}) must be below max ({self.max:g})"
        if self.step and not _fits(self.max, self.min, self.step):
            return f"steps of {self.step:g} from {self.min:g} do not end at {self.max:g}"
        if outside := [mark.at for mark in self.marks if self._refuses(mark.at)]:
            return f"a mark stands at {outside[0]:g}, which is not on the scale"
        names = [one.name for one in self.dimensions]
        return "two dimensions have the same name" if len(set(names)) != len(names) else ""

    @property
    def numbers(self) -> list[float]:
        """Every number of a scale that has few of them, in order; none of a fine one."""
        return self._every() if self.step and self._count() <= FEW else []

    def _count(self) -> int:
        return round((self.max - self.min) / self.step) + 1

    def _every(self) -> list[float]:
        return [tidy(self.min + place * self.step) for place in range(self._count())]

    @property
    def range(self) -> str:
        between = f"a number from {self.min:g} to {self.max:g}"
        return f"{between} in steps of {self.step:g}" if self.step else between

    def _refuses(self, value: Json) -> bool:
        if not is_number(value) or not self.min <= value <= self.max:
            return True
        return bool(self.step) and not _fits(value, self.min, self.step)

    def refusal(self, value: Json, around: Around = NOTHING) -> str:
        if not self.dimensions:
            return f"{self.name} takes {self.range}, not {value!r}" if self._refuses(value) else ""
        names = [one.name for one in self.dimensions]
        if not isinstance(value, dict) or not value or set(value) - set(names):
            return f"{self.name} takes an object of {', '.join(names)}, not {value!r}"
        bad = next((name for name, one in value.items() if self._refuses(one)), None)
        return f"{self.name}: {bad} takes {self.range}, not {value[bad]!r}" if bad else ""

    def lacking(self, value: Json, around: Around = NOTHING) -> str:
        return ", ".join(one.title for one in self.dimensions if one.name not in value)

    def accepted(self, around: Around = NOTHING) -> list[Json]:
        one = self.range
        return [f"{dimension.name}: {one}" for dimension in self.dimensions] or [one]

    def json_schema(self, around: Around = NOTHING) -> dict[str, Json]:
        number = self._number_schema()
        if not self.dimensions:
            return number
        names = [one.name for one in self.dimensions]
        properties = dict.fromkeys(names, number)
        return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}

    def _number_schema(self) -> dict[str, Json]:
        """Of one number. Only steps that are exact in binary, such as 5 or 0.5, are told by `multipleOf`: validators
        work it out with binary fractions. Other fine steps are not told; `refusal` minds them."""
        number: dict[str, Json] = {"type": "number", "minimum": self.min, "maximum": self.max}
        exact = self.step.as_integer_ratio()[1] <= 1024 and not (self.step and self.min % self.step)
        if not self.step or (exact and not self.numbers):
            return number | ({"multipleOf": self.step} if self.step else {})
        return {"enum": self._every()} if self._count() <= MANY else number

    def units(self, value: Json) -> list[Unit]:
        if not self.dimensions:
            return [Unit("", value)]
        return [Unit(one.name, value[one.name]) for one in self.dimensions if one.name in value]

    def total(self, value: Json) -> float | None:
        """The weighted mean of a whole vector; the number itself where there is one."""
        if not self.dimensions:
            return float(value)
        if self.lacking(value):
            return None
        weights = sum(one.weight for one in self.dimensions)
        return sum(one.weight * value[one.name] for one in self.dimensions) / weights if weights else None

    def words(self, value: Json) -> str:
        if self.dimensions:
            return ", ".join(f"{one.title} {value[one.name]:g}" for one in self.dimensions if one.name in value)
        title = next((mark.title for mark in self.marks if mark.at == value), "")
        number = f"{value:g}{self.unit and ' ' + self.unit}"
        return f"{number} ({title})" if title else number

    def tone(self, value: Json) -> str:
        total = self.total(value)
        if total is None or not self.better:
            return "plain"
        share = (total - self.min) / (self.max - self.min)
        share = share if self.better == "high" else 1 - share
        return "right" if share > 2 / 3 else "neutral" if share >= 1 / 3 else "wrong"

    def sample(self, around: Around = NOTHING) -> Json:
        middle = tidy(
            self.min + self.step * ((self.max - self.min) // (2 * self.step))
            if self.step
            else (self.min + self.max) / 2
        )
        return {one.name: middle for one in self.dimensions} or middle


class ProgressField(ScaleField):
    """Stores how much of the task is done after the step, in percent."""

    kind: Literal["progress"]  # type: ignore[assignment]
    level: Literal["interval"] = "interval"
    min: Literal[0] = 0
    max: Literal[100] = 100
    step: Literal[1, 5, 10] = 1
    unit: Literal["%"] = "%"
    dimensions: tuple[()] = ()


def tidy(number: float) -> float:
    """Without the dust of binary fractions, and whole numbers as such."""
    rounded = round(number, 9)
    return int(rounded) if rounded == int(rounded) else rounded


def _fits(value: float, start: float, step: float) -> bool:
    steps = (value - start) / step
    return abs(steps - round(steps)) < 1e-9
