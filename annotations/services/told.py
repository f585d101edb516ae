"""What a rater said of a step or of the whole, field by field, with the texts that the answers point at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from annotations.models import Label
from annotations.records import Json
from annotations.rendering.corrections import Bit, compared
from annotations.schemes.fields import (
    CorrectionField,
    FirstErrorField,
    InterventionField,
    RubricField,
    ScaleField,
    SpansField,
)
from annotations.schemes.fields.base import Around, FieldSpec
from annotations.schemes.fields.rubric import WORDS, Item
from annotations.services.answers import Mark, Voices, fits, shortened

QUOTED = 300  # characters of a text that an answer points at
BESIDE = 30  # characters on either side of it
LONG = 90  # characters from which on an answer stands below its rater's others
Texts = Mapping[str, str]  # the texts of a step by part


class Line(NamedTuple):
    """One piece of an answer: an item of a rubric, a span, a dimension. `before`, `quote` and `after` are the text it
    is about, `more` what was noted beside it."""

    title: str
    mark: Mark | None = None
    before: str = ""
    quote: str = ""
    after: str = ""
    more: str = ""


@dataclass(frozen=True)
class Answer:
    """One answer. `part` says of what part of the step it is, `quote` how that reads. `mark` is it in a few words, None
    where `lines`, `bits` or `text` say it all. `at` is the index of a step that it names."""

    title: str
    kind: str
    mark: Mark | None
    part: str = ""
    quote: str = ""
    lines: Sequence[Line] = ()
    bits: Sequence[Bit] = ()
    text: str = ""
    is_main: bool = False
    implied: bool = False
    cause: int | None = None
    explanation: str = ""
    at: int | None = None

    @property
    def stands_below(self) -> bool:
        """Whether it needs a line of its own."""
        return bool(self.lines or self.bits or self.part or self.quote or self.explanation) or len(self.text) > LONG


@dataclass(frozen=True)
class Word:
    """What one rater says of one step, or of the whole: the main field first, the others as the scheme has them."""

    rater: str
    answers: Sequence[Answer]

    @property
    def short(self) -> list[Answer]:
        return [one for one in self.answers if not one.stands_below]

    @property
    def below(self) -> list[Answer]:
        return [one for one in self.answers if one.stands_below]


class Teller:
    """Makes answers of labels. `items` are the items of rubrics by field, where those are the task's own."""

    def __init__(self, voices: Voices, items: Mapping[str, Mapping[str, Json]]) -> None:
        self.voices, self.scheme, self.items = voices, voices.scheme, items
        self._order = {spec.name: place for place, spec in enumerate(self.scheme.fields)}

    def word(self, rater: str, labels: Iterable[Label], texts: Texts, *, whole: bool = True) -> Word:
        return Word(rater, [self.answer(one, texts, whole=whole) for one in sorted(labels, key=self._place)])

    def _place(self, label: Label) -> tuple[bool, int, str, int]:
        base, _, part = label.field.partition("@")
        first = part.removeprefix("call-").partition("-")[0]
        number = int(first) if first.isdecimal() else 0
        return base != self.scheme.main, self._order.get(base, len(self._order)), base, number

    def answer(self, label: Label, texts: Texts, *, whole: bool = True) -> Answer:
        base, _, part = label.field.partition("@")
        spec = self.scheme.field(base)
        mark = self.voices.mark(label.field, label.value)
        cause = label.cause.step.index if label.cause and label.cause.step else None
        about: dict[str, Any] = {
            "title": spec.title if spec else base,
            "kind": spec.kind if spec else "",
            "part": _part(spec, part, texts),
            "quote": _quote_of_part(spec, part, texts),
            "is_main": base == self.scheme.main,
            "implied": label.origin == Label.Origin.PROPAGATED,
            "cause": cause,
            "explanation": label.explanation,
        }
        if spec is None or not fits(spec, label.value):
            return Answer(mark=mark, **about)
        return Answer(**about, **self._said(spec, label.value, mark, texts, part))

    def _said(self, spec: FieldSpec, value: Json, mark: Mark, texts: Texts, part: str) -> dict[str, Any]:
        """How the kind of field shows its answer."""
        if isinstance(spec, SpansField):
            return {"mark": None, "lines": [_span(spec, one, texts) for one in value]}
        if isinstance(spec, RubricField):
            return self._rubric(spec, value, mark)
        if isinstance(spec, CorrectionField):
            before = _original(part, texts)
            return {"mark": None, "bits": compared(before, value)} if before else {"mark": None, "text": value}
        if isinstance(spec, InterventionField):
            return {"mark": None, "text": value["text"], "at": value["step"]}
        if isinstance(spec, FirstErrorField):
            return {"mark": mark, "at": value if isinstance(value, int) else None}
        if spec.kind == "text":
            return {"mark": None, "text": value}
        if isinstance(spec, ScaleField) and spec.dimensions:
            named = ((one, value[one.name]) for one in spec.dimensions if one.name in value)
            return {"mark": None, "lines": [Line(one.title, Mark(f"{number:g}{spec.unit}")) for one, number in named]}
        return {"mark": mark}

    def _rubric(self, spec: RubricField, value: Json, mark: Mark) -> dict[str, Any]:
        listed = self.items.get(spec.name)
        around = Around(items=listed) if listed is not None else Around()
        asked: Mapping[str, Item] = spec.asked(around)
        points = spec.points(value, around)
        words = mark.words if points is None else f"{mark.words} · {100 * points:.0f} %"
        names = [*(name for name in asked if name in value), *(name for name in value if name not in asked)]
        lines = [_item(asked.get(name), name, value[name]) for name in names]
        return {"mark": mark._replace(words=words), "lines": lines}


def _item(item: Item | None, name: str, said: str) -> Line:
    fault = item is not None and item.weight < 0
    good = (said == "yes") != fault
    tone = "plain" if said == "na" else "right" if good else "wrong"
    return Line(item.title if item else name, Mark(WORDS[said], tone))


def _span(spec: SpansField, span: Mapping[str, Json], texts: Texts) -> Line:
    option = next(one for one in spec.types if one.value == span["type"])
    text, start, end = texts.get(span["part"], ""), span["start"], span["end"]
    evidence = span.get("evidence") or {}
    found = evidence.get("text") or (f"#{evidence['step']}, {evidence['part']}" if "step" in evidence else "")
    more = [span.get("note", ""), found and f"evidence: {found}"]
    where = "" if span["part"] == "message" else f" in {span['part'].replace('-', ' ')}"
    mark = Mark(option.title, option.tone or "wrong")
    return Line(where.strip(), mark, *around_of(text, start, end), more="; ".join(one for one in more if one))


def around_of(text: str, start: int, end: int) -> tuple[str, str, str]:
    """What stands before a stretch, the stretch, and what stands after it, as far as a page shows them."""
    before, after = text[max(0, start - BESIDE) : start], text[end : end + BESIDE]
    return (
        ("…" if start > BESIDE else "") + before,
        shortened(text[start:end], QUOTED),
        after + ("…" if len(text) > end + BESIDE else ""),
    )


def _part(spec: FieldSpec | None, part: str, texts: Texts) -> str:
    """Which part of the step it is, or which pair."""
    if not part:
        return ""
    one, _, other = part.partition("-")
    if one == "call":
        return f"call {int(other) + 1}" if other.isdecimal() else part
    if spec is not None and spec.kind == "preference":
        return f"rollout {one} or {other}" if spec.target == "task" else f"#{one} or #{other}"
    return "" if spec is not None and spec.target == "sentence" else part


def _quote_of_part(spec: FieldSpec | None, part: str, texts: Texts) -> str:
    if spec is None or spec.target not in ("tool_call", "sentence"):
        return ""
    return shortened(_original(part, texts), QUOTED) if part else ""


def _original(part: str, texts: Texts) -> str:
    """The text of that part; of none, the message."""
    start, _, end = part.partition("-")
    if part.startswith("call-"):
        return texts.get(part, "")
    whole = texts.get("message", "")
    return whole[int(start) : int(end)] if start.isdecimal() and end.isdecimal() else whole
