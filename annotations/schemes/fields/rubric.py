"""A checklist: yes or no to each item, weighed into one score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, Field

from annotations.records import Json
from annotations.schemes.fields.base import NOTHING, Around, Code, FieldSpec, Number, Strict, Unit

Answer = Literal["yes", "no", "na"]
WORDS = {"yes": "Yes", "no": "No", "na": "Does not apply"}


class Item(BaseModel):
    """One question that yes or no answers. An item with `checks` is a criterion: its checks are asked, not it. A
    negative weight is a fault that takes points."""

    model_config = Strict
    name: Code
    title: str
    help: str = ""
    weight: Number = 1
    checks: tuple[Item, ...] = ()

    @property
    def asked(self) -> tuple[Item, ...]:
        return self.checks or (self,)


class RubricField(FieldSpec):
    """Stores {item: "yes", "no" or "na"} of the items that are asked.

    `items_from` says where they come from: the `scheme`, the `task` (its file, or a person), or a `judge` whose list a
    person has approved. `score`: `share` of yes among yes and no (TICK); `weighted` sum of the weights that apply over
    that of the positive ones; `penalty`: each criterion gets (1 - failed / checks) ** `power`, weighed by criterion.
    """

    kind: Literal["rubric"]
    level: Literal["nominal"] = "nominal"
    items_from: Literal["scheme", "task", "judge"] = "scheme"
    items: tuple[Item, ...] = ()
    na: bool = False
    score: Literal["share", "weighted", "penalty"] = "share"
    power: Number = Field(2, gt=0)

    def problem(self) -> str:
        if self.items_from == "scheme" and not self.items:
            return "a rubric lists its items, or says items_from: task or judge"
        return problem_of(self.items)

    @property
    def answers(self) -> tuple[Answer, ...]:
        return ("yes", "no", "na") if self.na else ("yes", "no")

    def asked(self, around: Around = NOTHING) -> dict[str, Item]:
        """The questions by name: those of the place, else the scheme's own."""
        items = self.items if around.items is None else [Item.model_validate(one) for one in around.items.values()]
        return {one.name: one for item in items for one in item.asked}

    def refusal(self, value: Json, around: Around = NOTHING) -> str:
        accepted = f"an object of item: {' or '.join(self.answers)}"
        if not isinstance(value, dict) or not value:
            return f"{self.name} takes {accepted}, not {value!r}"
        if bad := next((name for name, said in value.items() if said not in self.answers), None):
            return f"{self.name}: {bad} takes {' or '.join(self.answers)}, not {value[bad]!r}"
        known = self.asked(around)
        if known and (unknown := next((name for name in value if name not in known), None)):
            return f"{self.name} has no item {unknown!r}; it has {', '.join(known)}"
        return ""

    def lacking(self, value: Json, around: Around = NOTHING) -> str:
        open_items = [one.title for name, one in self.asked(around).items() if name not in value]
        return f"{len(open_items)} of its items" if len(open_items) > 3 else ", ".join(open_items)

    def accepted(self, around: Around = NOTHING) -> list[Json]:
        return [f"{name}: {' or '.join(self.answers)}" for name in self.asked(around)] or [
            f"item: {' or '.join(self.answers)}"
        ]

    def json_schema(self, around: Around = NOTHING) -> dict[str, Json]:
        answer = {"enum": list(self.answers)}
        names = list(self.asked(around))
        if not names:
            return {"type": "object", "additionalProperties": answer, "minProperties": 1}
        properties = dict.fromkeys(names, answer)
        return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}

    def units(self, value: Json) -> list[Unit]:
        return [Unit(name, said) for name, said in value.items()]

    def points(self, value: Mapping[str, str], around: Around = NOTHING) -> float | None:
        """The score from 0 to 1 by the field's rule; None where nothing applies."""
        items = self.items if around.items is None else [Item.model_validate(one) for one in around.items.values()]
        if self.score == "share":
            said = [one for one in value.values() if one != "na"]
            return said.count("yes") / len(said) if said else None
        return weighted(items, value) if self.score == "weighted" else penalised(items, value, self.power)

    def words(self, value: Json) -> str:
        said = list(value.values())
        return f"{said.count('yes')} of {len(said) - said.count('na')} yes"

    def tone(self, value: Json) -> str:
        points = self.points(value) if self.items_from == "scheme" else None
        if points is None:
            return "plain"
        return "right" if points == 1 else "neutral" if points >= 0.5 else "wrong"

    def sample(self, around: Around = NOTHING) -> Json:
        names = list(self.asked(around)) or ["answers-the-question"]
        return {name: "no" if place == 1 else "yes" for place, name in enumerate(names)}


def weighted(items: Iterable[Item], value: Mapping[str, str]) -> float | None:
    """Weights of the items that hold over the weights of the positive items that apply, as in DiagBench's rubrics."""
    asked = [one for one in leaves(items) if value.get(one.name) in ("yes", "no")]
    best = sum(one.weight for one in asked if one.weight > 0)
    held = sum(one.weight for one in asked if value[one.name] == "yes")
    return held / best if best else None


def penalised(items: Iterable[Item], value: Mapping[str, str], power: float) -> float | None:
    """Criteria weighed, each (1 - failed / its checks) ** power, after the two-level rubrics of ProImage-Bench."""
    parts: list[tuple[float, float]] = []
    for item in items:
        said = [value[one.name] for one in item.asked if value.get(one.name) in ("yes", "no")]
        if said:
            parts.append((item.weight, (said.count("yes") / len(said)) ** power))
    total = sum(weight for weight, _ in parts)
    return sum(weight * score for weight, score in parts) / total if total else None


def leaves(items: Iterable[Item]) -> Iterator[Item]:
    for item in items:
        yield from item.asked


def problem_of(items: Iterable[Item]) -> str:
    """Why a list of items cannot be asked; empty where it can."""
    items = list(items)
    names = [item.name for item in items] + [check.name for item in items for check in item.checks]
    if doubled := next((name for name in names if names.count(name) > 1), None):
        return f"two items have the name {doubled!r}"
    deep = next((check.name for item in items for check in item.checks if check.checks), None)
    return f"the check {deep!r} has checks of its own; a rubric has two levels" if deep else ""
