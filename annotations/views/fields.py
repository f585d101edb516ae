"""What the controls of each kind of field are drawn from, beyond what all have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from annotations.records import Json
from annotations.schemes.fields import ChoiceField, FlagField, RubricField, ScaleField, TaxonomyField
from annotations.schemes.fields.base import Choice, FieldSpec
from annotations.schemes.fields.rubric import WORDS, Item
from annotations.schemes.schema import Scheme

FEW = 9  # answers of a tree that are buttons; more are a list that opens
SHORT = 5  # answers that have room in the bar
LIKERT = 7  # numbers whose words stand on their buttons
TITLED = ("flag", "text", "correction")  # their buttons are called as the field is
POINTING = ("first_error", "intervention")  # of the trajectory, and said at a step
NO_LIST = {
    "task": "This task brings no list of its own, so there is nothing to answer here.",
    "judge": "Nobody has approved a list for this task yet, so there is nothing to answer here.",
}


def more(spec: FieldSpec, scheme: Scheme, items: Mapping[str, list[Json]]) -> dict[str, Any]:
    """What the template of the field's kind wants. `items` are the rubric items that come from the task, by field."""
    found: dict[str, Any] = {
        "titled": spec.kind not in TITLED and (spec.name != scheme.main or not isinstance(spec, ChoiceField)),
        "proposed": "" if spec.default is None else spec.words(spec.default),
        "told": [choice for choice in spec.options if choice.help],
        "here": f"workbench/fields/{spec.kind}_here.html",
    }
    if isinstance(spec, TaxonomyField):
        return found | {"large": len(spec.options) > FEW}
    if isinstance(spec, ScaleField):
        return found | _scale(spec)
    if isinstance(spec, RubricField):
        return found | _rubric(spec, items.get(spec.name))
    return found


def grouped(spec: FieldSpec, choices: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The answers of a tree under their headings; `choices` are those answers as they are drawn."""
    if not isinstance(spec, TaxonomyField):
        return []
    drawn = {item["choice"].value: item for item in choices}
    groups: list[dict[str, Any]] = []
    for heading, choice in _walked(spec.choices, ()):
        if not groups or groups[-1]["title"] != heading:
            groups.append({"title": heading, "choices": []})
        if choice.value in drawn:
            groups[-1]["choices"].append(drawn[choice.value])
    return [group for group in groups if group["choices"]]


def in_bar(scheme: Scheme) -> bool:
    """Whether what is asked of the trajectory is so little that it has room in the bar."""
    asked = scheme.trajectory_fields
    return len(asked) < 3 and all(
        isinstance(spec, FlagField) or (isinstance(spec, ChoiceField) and len(spec.choices) <= SHORT) for spec in asked
    )


def pointing(scheme: Scheme) -> tuple[FieldSpec, ...]:
    """Fields of the trajectory whose answer is a step: each step has a control for them."""
    return tuple(spec for spec in scheme.trajectory_fields if spec.kind in POINTING)


def explains(scheme: Scheme) -> str:
    """Where the label of the main field is explained: at the step, at the trajectory; "" where it is several."""
    main = scheme.main_field
    if main.kind == "preference" or main.target in ("tool_call", "sentence"):
        return ""
    return "step" if main.of_step else "trajectory"


def _walked(choices: Iterable[Choice], path: tuple[str, ...]) -> Iterator[tuple[str, Choice]]:
    for choice in choices:
        below = (*path, choice.title)
        yield " › ".join(below if choice.choices else path), choice
        yield from _walked(choice.choices, below)


def _scale(spec: ScaleField) -> dict[str, Any]:
    titles = {mark.at: mark.title for mark in spec.marks}
    rows = [{"name": one.name, "title": one.title, "help": one.help} for one in spec.dimensions]
    likert = len(spec.numbers) <= LIKERT
    return {
        "rows": rows or [{"name": "", "title": "", "help": ""}],
        "numbers": [{"text": f"{number:g}", "title": titles.get(number, "")} for number in spec.numbers],
        "likert": likert,
        "legend": [] if likert and spec.numbers else [(f"{mark.at:g}", mark.title) for mark in spec.marks],
        "bounds": (f"{spec.min:g}", f"{spec.max:g}"),
        "step": f"{spec.step:g}" if spec.step else "any",
    }


def _rubric(spec: RubricField, listed: list[Json] | None) -> dict[str, Any]:
    items = spec.items if listed is None else [Item.model_validate(one) for one in listed]
    weighs = spec.score != "share"
    groups = [
        {
            "title": item.title if item.checks else "",
            "help": item.help if item.checks else "",
            "weight": f"{item.weight:g}" if weighs and item.checks and item.weight != 1 else "",
            "items": [
                {"item": one, "weight": f"{one.weight:g}" if spec.score == "weighted" and one.weight != 1 else ""}
                for one in item.asked
            ],
        }
        for item in items
    ]
    answers = [{"value": answer, "title": WORDS[answer]} for answer in spec.answers]
    return {"criteria": groups, "answers": answers, "why": "" if groups else NO_LIST.get(spec.items_from, "")}
