"""What the strips of a scheme say, cell by cell: the answers there are, or what their looks mean."""

from __future__ import annotations

from collections import defaultdict

from annotations.schemes.fields import FirstErrorField, RubricField, ScaleField, SpansField, TaxonomyField
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.schema import Scheme
from annotations.services.answers import BARS, TONES, Mark, Voice, shortened
from annotations.services.axis import BEFORE

MOST = 12  # answers that are named one by one


def of(scheme: Scheme) -> list[Mark]:
    """The marks a reader meets in strips of the main field, with their words."""
    spec = scheme.main_field
    voice = Voice(spec)
    if spec.kind == "choice" and len(spec.values) <= MOST:
        return [voice.mark(value) for value in spec.values]
    if isinstance(spec, FirstErrorField):
        return [BEFORE, Mark("the first one", "wrong", bar=BARS["wrong"])]
    if isinstance(spec, ScaleField):
        return _of_scale(spec, voice)
    if isinstance(spec, RubricField):
        named = (("all of it", "right"), ("half or more", "neutral"), ("less than half", "wrong"))
        return [Mark(words, tone, bar=BARS[tone]) for words, tone in named]
    if spec.options:
        return _by_tone(spec)
    return [Mark({"flag": "set", "text": "written", "correction": "corrected"}.get(spec.kind, "answered"))]


def _of_scale(spec: ScaleField, voice: Voice) -> list[Mark]:
    if not spec.dimensions:
        return [voice.mark(spec.min), voice.mark(spec.max)]
    ends = ({one.name: end for one in spec.dimensions} for end in (spec.min, spec.max))
    return [
        voice.mark(end)._replace(words=f"all {number:g}", title="")
        for end, number in zip(ends, (spec.min, spec.max), strict=True)
    ]


def _by_tone(spec: FieldSpec) -> list[Mark]:
    """Of many answers, what each look means."""
    titles: dict[str, list[str]] = defaultdict(list)
    for option in spec.options:
        tone = option.tone or ("wrong" if isinstance(spec, SpansField) else "plain")
        titles[tone if isinstance(spec, SpansField | TaxonomyField) else spec.tone(option.value)].append(option.title)
    return [Mark(shortened(", ".join(titles[tone])), tone, bar=BARS[tone]) for tone in TONES if tone in titles]
