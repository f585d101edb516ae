"""What one may ask of the answers of a field, as an address spells it: that there is one, that it is this, or between.

    correction          a flag is set, a text is written, anything is said
    label:-1            this answer; of several chosen, that one among them; of spans, one of that type
    grade:2..5          a number between, both ends in; of a vector, grade.relevance:2..5
    checklist:sources   an item of a rubric that failed

Each is a path over stored JSON (PostgreSQL's jsonpath), so an answer of another shape is simply none of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import BooleanField, F, Func, Q, Value

from annotations.records import Json
from annotations.schemes.fields import FirstErrorField, PreferenceField, RubricField, ScaleField, SpansField
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.fields.places import NONE
from annotations.schemes.fields.preference import TIE
from annotations.schemes.schema import Scheme
from annotations.services.answers import of_field, shortened, words

BETWEEN = ".."


@dataclass(frozen=True)
class Asked:
    """One of them. `spelled` is how an address says it, `path` where it must be found ("": anywhere at all)."""

    spelled: str
    words: str
    field: FieldSpec
    path: str = ""
    name: str = ""  # of a scale: what it is asked of, and the two ends as they were written
    ends: tuple[str, str] = ("", "")

    def holds(self) -> Q:
        """Labels that say so."""
        return of_field(self.field) & (at(self.path) if self.path else Q())


def at(path: str) -> Q:
    """Labels in whose value the path finds something."""
    found: Any = Func(F("value"), _path(path), function="jsonb_path_exists", output_field=BooleanField())
    return Q(found)


def _path(path: str) -> Func:
    return Func(Value(path), template="(%(expressions)s)::jsonpath")


def read(text: str, scheme: Scheme) -> Asked:
    """What the text asks for. ValueError says what is accepted."""
    named, _, what = text.partition(":")
    name, _, dimension = named.partition(".")
    spec = scheme.field(name)
    if spec is None or "@" in name:
        raise ValueError(f"one of the fields {', '.join(one.name for one in scheme.fields)}")
    if isinstance(spec, ScaleField) and what:
        return _number(spec, dimension, what, text)
    if not what and not dimension:
        return Asked(text, f"{spec.title}: anything" if spec.kind != "flag" else spec.title, spec)
    for value, title in _answers(spec):
        if what == str(value) and not dimension:
            return Asked(text, f"{spec.title}: {title}", spec, _is(spec, value))
    raise ValueError(f"{name}, or {name}: and {_accepted(spec)}")


def _accepted(spec: FieldSpec) -> str:
    listed = [str(value) for value, _ in _answers(spec)]
    return f"one of {', '.join(listed)}" if listed else "nothing more"


def _answers(spec: FieldSpec) -> Iterator[tuple[Json, str]]:
    """What can be asked for one by one, with its words."""
    for option in spec.options:
        yield option.value, option.title
    if isinstance(spec, RubricField):
        for name, item in spec.asked().items():
            yield name, f"no to “{shortened(item.title)}”"
    if isinstance(spec, PreferenceField) and spec.ties and spec.form != "rank":
        yield TIE, words(spec, TIE)
    if isinstance(spec, FirstErrorField):
        yield NONE, "none"


def _is(spec: FieldSpec, value: Json) -> str:
    literal = json.dumps(value, ensure_ascii=False)
    if isinstance(spec, RubricField):
        return f'$.{literal} ? (@ == "no")'
    if isinstance(spec, SpansField):
        return f"$[*] ? (@.type == {literal})"
    return f"$[*] ? (@ == {literal})"


def _number(spec: ScaleField, dimension: str, what: str, text: str) -> Asked:
    titles = {one.name: f"{spec.title}, {one.title}" for one in spec.dimensions} or {"": spec.title}
    accepted = f"{spec.name}{'.' if spec.dimensions else ''}{'|'.join(titles)}:from{BETWEEN}to, {spec.range}"
    if dimension not in titles:
        raise ValueError(accepted)
    low, between, high = what.partition(BETWEEN)
    try:
        ends = [float(end) if end else None for end in (low, high if between else low)]
    except ValueError:
        raise ValueError(accepted) from None
    if any(end is not None and not abs(end) < 1e15 for end in ends) or ends == [None, None]:
        raise ValueError(accepted)
    limits = [f"@ {sign} {end:.9g}" for sign, end in zip((">=", "<="), ends, strict=True) if end is not None]
    said = [f"{word} {end:g}" for word, end in zip(("from", "to"), ends, strict=True) if end is not None]
    where = f'$."{dimension}"' if dimension else "$"
    numbers = '@.type() == "number"'
    path = f"{where} ? ({' && '.join([numbers, *limits])})"
    name = f"{spec.name}{dimension and '.'}{dimension}"
    return Asked(text, f"{titles[dimension]}: {' '.join(said)}", spec, path, name, (low, high if between else low))


class Range(NamedTuple):
    """A scale, or one dimension of it, as a form asks for its ends; `ends` are those that are asked for now."""

    name: str
    title: str
    low: float
    high: float
    ends: tuple[str, str] = ("", "")


def ranges(scheme: Scheme, asked: Iterable[Asked] = ()) -> list[Range]:
    ends = {one.name: one.ends for one in asked if one.name}
    found = []
    for spec in scheme.fields:
        if not isinstance(spec, ScaleField):
            continue
        for dimension, title in [(one.name, f"{spec.title}, {one.title}") for one in spec.dimensions] or [("", "")]:
            name = f"{spec.name}{dimension and '.'}{dimension}"
            found.append(Range(name, title or spec.title, spec.min, spec.max, ends.get(name, ("", ""))))
    return found


def options(scheme: Scheme) -> list[tuple[str, list[tuple[str, str]]]]:
    """For a form: each field's title with what can be asked of it, as an address spells it and in words."""
    found = []
    for spec in scheme.fields:
        anything = {"flag": "is set", "text": "is written", "correction": "is written"}.get(spec.kind, "any answer")
        listed = [(spec.name, anything), *((f"{spec.name}:{value}", title) for value, title in _answers(spec))]
        found.append((spec.title, [(spelled, f"{spec.title}: {words}") for spelled, words in listed]))
    return found
