"""Labels as the answer that a judge would have given: what `reading` takes, the other way round.

Nothing is made up. Where nobody gave a reason, a dash stands; where nobody quoted anything, nothing does; and nobody
but a judge says how sure it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from annotations.records import Json, StepRecord
from annotations.schemes.fields import RubricField, SpansField
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.judging import Arounds, is_explained, path
from annotations.schemes.judging_rules import ENDS
from annotations.schemes.rules import Place, base_of, part_of
from annotations.schemes.schema import Scheme
from models_service.judges import forms, quotes

NOT_GIVEN = "-"  # a reason that nobody gave: forms want one, and it may not be empty


@dataclass(frozen=True)
class Words:
    """What stands beside verdicts: reasons by place; evidence, and from 0 to 100 how sure, by the place's path."""

    whys: Mapping[Place, str] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    confidence: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """What somebody says of a trajectory, with their words."""

    labels: Mapping[Place, Json]
    words: Words = field(default_factory=Words)


def answer(
    scheme: Scheme, arounds: Arounds, steps: Sequence[StepRecord], told: Told, step: int | None = None
) -> dict[str, Json]:
    """The answer about these places, in the form of `forms.schema`; with `step` in that of `forms.of_step`."""
    writing = _Writing(scheme, arounds, steps, told)
    if step is not None:
        return {"labels": writing.place(step)}
    asked = sorted({at for at, _ in arounds if at is not None})
    ends = any(rule.rule in ENDS for rule in scheme.rules)
    made: dict[str, Json] = {}
    if asked:
        over = {at for at in asked[1:] if ends and not any(place[0] == at for place in told.labels)}
        made["steps"] = {str(at): None if at in over else writing.place(at) for at in asked}
    if any(at is None for at, _ in arounds):
        made["trajectory"] = writing.place(None)
    return made


@dataclass(frozen=True)
class _Writing:
    scheme: Scheme
    arounds: Arounds
    steps: Sequence[StepRecord]
    told: Told

    def place(self, at: int | None) -> dict[str, Json]:
        """What is said of one step, or of the trajectory; null in a field of which nothing is said."""
        made: dict[str, Json] = {}
        for spec in self.scheme.fields:
            names = {
                part_of(name)[1:]: name for step, name in self.arounds if step == at and base_of(name) == spec.name
            }
            if names:
                entries = {part: self._entry(spec, (at, name)) for part, name in names.items()}
                made[spec.name] = entries.get("", entries)
        return made

    def _entry(self, spec: FieldSpec, place: Place) -> dict[str, Json] | None:
        if place not in self.told.labels:
            return None
        said = self._answer(spec, place, self.told.labels[place])
        if not is_explained(spec):
            return {"answer": said}
        words, at = self.told.words, path(place)
        made = {"evidence": words.evidence.get(at, ""), "why": words.whys.get(place) or NOT_GIVEN, "answer": said}
        if forms.is_central(self.scheme, spec):
            sure = words.confidence.get(at)
            made["confidence"] = int(sure) if sure is not None and float(sure).is_integer() else None
        return made

    def _answer(self, spec: FieldSpec, place: Place, value: Json) -> Json:
        step = place[0]
        if spec.refusal(value, self.arounds[place]):
            return value  # whoever reads the answer says what is wrong with it
        if isinstance(spec, SpansField) and step is not None:
            spans = [quotes.said(one, step, self.steps) for one in value]
            return [{**one, "evidence": one.get("evidence")} if spec.evidence else one for one in spans]
        if isinstance(spec, RubricField) and not spec.asked(self.arounds[place]):
            return [{"item": item, "answer": said} for item, said in value.items()]
        return value
