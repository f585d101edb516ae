"""One step of a PRM800K row: its completions, the human one, and which was chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from annotations.formats import solutions
from annotations.formats.base import Refused, found, text
from annotations.records import Json, Labelled

ACCEPTED = "accepted are -1, 0, 1 and null"


@dataclass(frozen=True)
class Slot:
    """One completion. `fields` is what it says beside."""

    text: str
    rating: int | None
    fields: dict[str, Json] = field(default_factory=dict)

    def over(self, rest: dict[str, Any]) -> dict[str, Json]:
        """The completion again: what remained of it, with text and rating filled in."""
        return {**rest, "text": self.text} | (
            {"rating": self.rating} if "rating" in rest or self.rating is not None else {}
        )


@dataclass(frozen=True)
class Group:
    """The completions of one step. `rest` is the step without their texts and ratings, `chosen` the place of the one
    that the work went on from."""

    slots: tuple[Slot, ...]
    chosen: int | None
    rest: dict[str, Json]


def group(step: Json, number: int) -> Group:
    at = f"label.steps[{number}]"
    if not isinstance(step, dict):
        raise Refused(at, f"found {found(step)}; accepted is an object with completions")
    completions, human, chosen = (step.get(key) for key in ("completions", "human_completion", "chosen_completion"))
    if completions is not None and not isinstance(completions, list):
        raise Refused(f"{at}.completions", f"found {found(completions)}; accepted is a list or null")
    made = [_slot(one, f"{at}.completions[{place}]") for place, one in enumerate(completions or ())]
    went = _chosen(chosen, len(made), at)
    rest = {**step}
    if completions:
        rest["completions"] = [_without(one) for one in completions]
    if human is not None:
        went = len(made) if went is None else went
        made.append(_human(human, f"{at}.human_completion"))
        rest["human_completion"] = "" if isinstance(human, str) else _without(human)
    if went is None and len(made) == 1:
        went = 0
    return Group(tuple(made), went, rest)


def slots(template: dict[str, Any]) -> list[Json]:
    """The places of a remembered row where a completion is to be filled in."""
    label = template.get("label")
    steps = label.get("steps") if isinstance(label, dict) else None
    every: list[Json] = []
    for one in steps if isinstance(steps, list) else ():
        every += one.get("completions") or ()
        every += [] if one.get("human_completion") is None else [one["human_completion"]]
    return every


def foreign(labelled: Labelled) -> list[Json]:
    """The steps of another format's trajectory, on the way that was gone on, with what was tried beside them. They end
    with the first wrong one, or before the first that has no label."""
    way = gone_on(labelled)
    if way is None:
        return []
    made: list[Json] = []
    for place, said in zip(way.places, way.steps, strict=True):
        grade = labelled.grades.get(place)
        if grade is None:
            break
        beside = _siblings(labelled, place)
        completions = [{"text": said, "rating": grade, "flagged": None}]
        completions += [
            {"text": _said(labelled, one), "rating": labelled.grades[one], "flagged": None} for one in beside
        ]
        chosen = None if grade < 0 else 0
        made.append({"completions": completions, "human_completion": None, "chosen_completion": chosen})
        if grade < 0:
            break
    return made


def gone_on(labelled: Labelled) -> solutions.Written | None:
    """The way that is right furthest, and of such ones the longest; of a row of steps all of it."""
    return max(solutions.written(labelled.record), key=lambda one: _goodness(labelled, one), default=None)


def _goodness(labelled: Labelled, way: solutions.Written) -> tuple[int, int]:
    """How far a way goes before its first wrong step, and how far at all."""
    labels = way.labels(labelled)
    right = next((index for index, label in enumerate(labels) if label is None or label < 0), len(labels))
    return right, len(labels)


def _siblings(labelled: Labelled, place: int) -> list[int]:
    """The labelled steps that were tried after the same one."""
    steps = labelled.record.steps
    parent = steps[place].parent
    if parent is None:
        return []
    return [one for one in labelled.steps if one != place and steps[one].parent == parent and one in labelled.grades]


def _said(labelled: Labelled, place: int) -> str:
    return "\n\n".join(solutions.parts(labelled.record.steps[place]))


def _slot(one: Json, at: str) -> Slot:
    if not isinstance(one, dict):
        raise Refused(at, f"found {found(one)}; accepted is an object with text and rating")
    rating = one.get("rating")
    if isinstance(rating, float) and rating.is_integer():
        rating = int(rating)
    if rating is not None and (isinstance(rating, bool) or rating not in (-1, 0, 1)):
        raise Refused(f"{at}.rating", f"found {found(rating)}; {ACCEPTED}")
    if not isinstance(one.get("text"), str):
        raise Refused(f"{at}.text", f"found {found(one.get('text'))}; accepted is a text")
    fields = {key: value for key, value in one.items() if key not in ("text", "rating") and value is not None}
    return Slot(text(one, "text"), rating, fields)


def _human(human: Json, at: str) -> Slot:
    if isinstance(human, str):
        return Slot(human, None, {"source": "human"})
    made = _slot(human, at)
    return Slot(made.text, made.rating, {"source": "human"} | made.fields)


def _without(one: Json) -> Json:
    return {key: None if key in ("text", "rating") else value for key, value in one.items()}


def _chosen(chosen: Json, count: int, at: str) -> int | None:
    if chosen is None:
        return None
    if isinstance(chosen, bool) or not isinstance(chosen, int) or not 0 <= chosen < count:
        accepted = f"accepted is the index of a completion, below {count}, or null"
        raise Refused(f"{at}.chosen_completion", f"found {found(chosen)}; {accepted}")
    return chosen
