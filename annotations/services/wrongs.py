"""Which answers of the main field say that a step is wrong, for finding where the first one stands."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Case, F, IntegerField, Q, TextField, When
from django.db.models.functions import Cast

from annotations.models.labels import LabelQuerySet
from annotations.records import Json
from annotations.schemes.fields import ChoiceField, FirstErrorField, ScaleField, SpansField, TaxonomyField
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.schema import Scheme
from annotations.services.answers import fits, of_field
from annotations.services.asked import at


class Wrong:
    """What a scheme calls wrong. `known` is false where its main field has no such answer."""

    def __init__(self, scheme: Scheme) -> None:
        self.spec = scheme.main_field
        self.names_a_step = isinstance(self.spec, FirstErrorField)
        self._values = _values(scheme)
        self._path = _path(self.spec, self._values)
        self.known = bool(self._path)

    def says(self, value: Json) -> bool:
        """Whether the answer says that its step is wrong."""
        if not self.known or not fits(self.spec, value):
            return False
        if isinstance(self.spec, ChoiceField):
            return any(value == one and type(value) is type(one) for one in self._values)
        return self.spec.tone(value) == "wrong"

    def among(self, labels: LabelQuerySet) -> Any:
        """Those of the labels that say so, each with the index of the step as `at`."""
        chosen = labels.filter(of_field(self.spec), step__isnull=self.names_a_step)
        if not self.known:
            return chosen.none().annotate(at=F("step__index"))
        if not self.names_a_step:
            only = Q(value=self._values[0]) if _is_plain(self.spec, self._values) else at(self._path)
            return chosen.filter(only).annotate(at=F("step__index"))
        # PostgreSQL may look at a value before it has filtered by it.
        index = Case(When(at(self._path), then=Cast(Cast("value", TextField()), IntegerField())))
        return chosen.filter(at(self._path)).annotate(at=index)


def _is_plain(spec: FieldSpec, values: list[Json]) -> bool:
    return isinstance(spec, ChoiceField) and len(values) == 1


def _values(scheme: Scheme) -> list[Json]:
    spec = scheme.main_field
    if not isinstance(spec, ChoiceField | TaxonomyField | SpansField):
        return []
    listed = isinstance(spec, TaxonomyField)
    toned = [value for value in spec.values if spec.tone(_holding(spec, value) if not listed else [value]) == "wrong"]
    wrong = scheme.wrong
    return toned if wrong is None or wrong in toned else [*toned, wrong]


def _holding(spec: FieldSpec, value: Json) -> Json:
    return [{"part": "message", "start": 0, "end": 1, "type": value}] if isinstance(spec, SpansField) else value


def _path(spec: FieldSpec, values: list[Json]) -> str:
    """Where PostgreSQL finds such an answer; empty where there is none."""
    if isinstance(spec, FirstErrorField):
        return '$ ? (@.type() == "number")'
    if not spec.of_step:
        return ""
    if isinstance(spec, ScaleField):
        return _low(spec)
    held = "@.type" if isinstance(spec, SpansField) else "@"
    tests = " || ".join(f"{held} == {json.dumps(value, ensure_ascii=False)}" for value in values)
    return f"$[*] ? ({tests})" if tests else ""


def _low(spec: ScaleField) -> str:
    """The bad third of a scale, as the tone of its answers has it."""
    if spec.dimensions or not spec.better:
        return ""
    third = (spec.max - spec.min) / 3
    limit = f"@ < {spec.min + third:.12g}" if spec.better == "high" else f"@ > {spec.max - third:.12g}"
    return f'$ ? (@.type() == "number" && {limit})'
