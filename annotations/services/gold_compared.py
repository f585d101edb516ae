"""One pass held against the one that is known to be right: the main field and the verdict on the whole, place by place.

Compared is every place at which the reference has an answer. Who leaves such a place open has not given it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q

from annotations.formats.lines import dump
from annotations.models import Label
from annotations.records import Json
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.schema import Scheme
from annotations.services import answers
from annotations.services.answers import of_name

Place = tuple[int | None, str]  # index of a step (None: the whole), and a field


@dataclass(frozen=True)
class Compared:
    """What was said at one place, None where nothing was, and what is right there, with the reference's reason."""

    step: int | None
    field: str
    said: Json
    reference: Json
    why: str

    @property
    def right(self) -> bool:
        return dump(self.said) == dump(self.reference)


def fields(scheme: Scheme) -> list[FieldSpec]:
    """The fields that are compared: not texts, and nothing else of which two answers are never alike."""
    verdict = answers.verdict(scheme)
    asked = [scheme.main_field, *([verdict] if verdict and verdict.name != scheme.main else [])]
    return [one for one in asked if one.level != "none"]


def unfit(scheme: Scheme) -> str:
    """Why nothing can be held against a reference under the scheme; "" where it can."""
    if fields(scheme):
        return ""
    return f"Answers to “{scheme.main_field.title}” cannot be held against each other, so there are no gold items here."


def compare(scheme: Scheme, pairs: Mapping[int, int]) -> dict[int, list[Compared]]:
    """By pass, all compared places in reading order. `pairs`: pass → the pass that is right, by id."""
    asked = fields(scheme)
    if not pairs or not asked:
        return {}
    said = _said(asked, {*pairs, *pairs.values()})
    order = {one.name: place for place, one in enumerate(asked)}
    return {one: list(_against(said[one], said[right], order)) for one, right in pairs.items()}


def _against(
    own: Mapping[Place, tuple[Json, str]], right: Mapping[Place, tuple[Json, str]], order: Mapping[str, int]
) -> Iterable[Compared]:
    def read(place: Place) -> tuple[bool, int, int, str]:
        step, name = place
        return step is None, step or 0, order[name.partition("@")[0]], name

    for step, name in sorted(right, key=read):
        value, why = right[step, name]
        yield Compared(step, name, own.get((step, name), (None, ""))[0], value, why)


def _said(asked: list[FieldSpec], passes: Iterable[int]) -> dict[int, dict[Place, tuple[Json, str]]]:
    names = Q()
    for spec in asked:
        names |= of_name(spec.name)
    found: dict[int, dict[Place, tuple[Json, str]]] = defaultdict(dict)
    rows = Label.objects.current().filter(names, annotation__in=set(passes))
    for one, step, name, value, why in rows.values_list("annotation", "step__index", "field", "value", "explanation"):
        found[one][step, name] = value, why
    return found
