"""Answers of any field as lists, strips and badges show them: a few words, what they look like, how bad they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import F, Func, Q, TextField, Value
from django.db.models.functions import Concat, Greatest, Least

from annotations.formats.lines import dump
from annotations.records import Json
from annotations.schemes.fields import FirstErrorField, PreferenceField, RubricField, ScaleField, SpansField
from annotations.schemes.fields.base import Around, FieldSpec
from annotations.schemes.fields.places import NONE
from annotations.schemes.fields.preference import TIE
from annotations.schemes.schema import Scheme
from annotations.services import around

LONGEST = 60  # characters of an answer in a badge
TONES = {"plain": 0, "right": 1, "neutral": 2, "wrong": 3}
# The top and bottom of a bar in its cell, in tenths: position tells without colour.
BARS = {"right": (0, 5), "neutral": (4, 6), "wrong": (5, 10), "plain": (2, 8)}
FLAT = 2  # how tall the bar is of one of many answers that have no order


class Mark(NamedTuple):
    """An answer in a few words. `tone` is right, neutral, wrong or plain; of two in one cell the one of the higher
    `rank` shows, as a bar from the one tenth of the cell to the other. `title` is what it is called in full."""

    words: str
    tone: str = "plain"
    rank: int = 0
    bar: tuple[int, int] = BARS["plain"]
    title: str = ""

    @property
    def look(self) -> str:
        """The class that colours it; none for an answer that is neither good nor bad."""
        return "" if self.tone == "plain" else self.tone


class Voice:
    """Puts the answers of one field into words. What does not fit the field, as an answer from before the scheme was
    changed, is shown as it is stored."""

    def __init__(self, spec: FieldSpec | None) -> None:
        self.spec = spec
        self._known: dict[str, Mark] = {}
        self._badness = severity(spec) if spec else {}
        self._signed = any(type(value) is int and value < 0 for value in self._badness)

    def mark(self, value: Json) -> Mark:
        key = dump(value)
        if key not in self._known:
            self._known[key] = self._mark(value)
        return self._known[key]

    def _mark(self, value: Json) -> Mark:
        spec = self.spec
        if spec is None or not fits(spec, value):
            return Mark(shortened(value if isinstance(value, str) else dump(value)))
        title, tone = shortened(words(spec, value), 400), spec.tone(value)
        said = signed(value) if self._signed else title
        return Mark(shortened(said), tone, self._rank(value, tone), self._bar(value, tone), title)

    def _rank(self, value: Json, tone: str) -> int:
        within = self._badness.get(value, 0) if isinstance(value, int | float | str) else 0
        return TONES[tone] * 1000 + min(499, max(-499, within))

    def _bar(self, value: Json, tone: str) -> tuple[int, int]:
        if isinstance(self.spec, ScaleField) and (total := self.spec.total(value)) is not None:
            share = (total - self.spec.min) / (self.spec.max - self.spec.min)
            return min(9, round(10 - 10 * share)), 10
        values = self.spec.values if self.spec and self.spec.kind == "choice" else ()
        if tone == "plain" and len(values) > 1 and value in values:
            top = round(values.index(value) * (10 - FLAT) / (len(values) - 1))
            return top, top + FLAT
        return BARS[tone]


class Voices:
    """A voice for each field of a scheme, by the name labels are stored under."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme
        self._made: dict[str, Voice] = {}

    def of(self, name: str) -> Voice:
        base = name.partition("@")[0]
        if base not in self._made:
            self._made[base] = Voice(self.scheme.field(base))
        return self._made[base]

    def mark(self, name: str, value: Json) -> Mark:
        return self.of(name).mark(value)

    @property
    def main(self) -> Voice:
        return self.of(self.scheme.main)


def severity(spec: FieldSpec) -> Mapping[Json, int]:
    """How bad each fixed answer is: by its number where answers are ordered and go below zero, else by its place."""
    values = spec.values
    numbers = [value for value in values if isinstance(value, int)]
    if spec.level == "ordinal" and len(numbers) == len(values) and min(numbers, default=0) < 0:
        return {value: -value for value in numbers}
    return {value: place for place, value in enumerate(values)}


def fits(spec: FieldSpec, value: Json) -> bool:
    """Whether the field could have taken the value, whatever the place. The items of a rubric may be the task's own."""
    own = isinstance(spec, RubricField) and spec.items_from != "scheme" and isinstance(value, dict)
    items = {name: {"name": name, "title": name} for name in value} if own else None
    return not spec.refusal(value, Around(items=items))


def words(spec: FieldSpec, value: Json) -> str:
    """The answer in words: what it names as pages name it, and of spans the types alone."""
    if isinstance(spec, SpansField):
        types = Counter(one["type"] for one in value)
        titles = {one.value: one.title for one in spec.types}
        return ", ".join(f"{count} × {titles[one]}" if count > 1 else titles[one] for one, count in types.items())
    if isinstance(spec, FirstErrorField):
        return spec.words(value) if value == NONE else f"#{value}"
    if not isinstance(spec, PreferenceField):
        return spec.words(value)
    one = "rollout {}" if spec.target == "task" else "#{}"
    if spec.form == "rank":
        return " > ".join(" = ".join(one.format(number) for number in group) for group in value)
    if value == TIE:
        return "a tie"
    return f"{one.format(value)} is {'better' if spec.form == 'pair' else 'the best'}"


def signed(value: Json) -> str:
    """A number with its sign: +1, 0, −1."""
    return f"+{value}" if value > 0 else f"−{-value}" if value < 0 else "0"


def shortened(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def of_name(name: str) -> Q:
    """Labels of the field of that name, those of its parts as well."""
    return Q(field=name) | Q(field__startswith=f"{name}@")


def of_field(spec: FieldSpec) -> Q:
    """The same, as an index finds it where the field is asked of no parts."""
    return of_name(spec.name) if around.has_parts(spec) else Q(field=spec.name)


def asked_as(spec: FieldSpec) -> Any:
    """The name that a label is stored under, such that raters who were asked the same have the same: a pair is one pair
    whichever way round it was asked, unless it is asked in both."""
    if not around.is_pair(spec) or getattr(spec, "both_orders", False):
        return F("field")
    pair = _split(F("field"), "@", 2)
    one, other = _split(pair, "-", 1), _split(pair, "-", 2)
    dash = Value("-", output_field=TextField())
    return Concat(Least(one, other), dash, Greatest(one, other), output_field=TextField())


def _split(text: Any, by: str, place: int) -> Func:
    return Func(text, Value(by), Value(place), function="split_part", output_field=TextField())


def verdict(scheme: Scheme) -> FieldSpec | None:
    """The field that judges the whole: the scheme's final one, else the main one where that is not about steps."""
    if scheme.final:
        return scheme.field(scheme.final)
    main = scheme.main_field
    return None if main.of_step else main
