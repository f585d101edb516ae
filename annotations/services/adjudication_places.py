"""The places of one trajectory as an adjudicator meets them: where raters differ, who says what, what is agreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import Q

from annotations.formats.lines import dump
from annotations.models import Label, Rater
from annotations.records import Json
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.schema import Scheme
from annotations.services import standing
from annotations.services.standing import Place

Rank = tuple[bool, int, int]


class Voice(NamedTuple):
    """What one rater says at a place. `letter` is the key that takes it."""

    rater: Rater
    value: Json
    why: str
    origin: str
    letter: str = ""


@dataclass
class Spot:
    """One place. `decided` is what the adjudicator has said there (None: nothing yet), `taken` whose word that was,
    `first` what they had said before they saw the others."""

    place: Place
    spec: FieldSpec
    voices: list[Voice] = field(default_factory=list)
    decided: Label | None = None
    first: Json = None
    is_seen: bool = False

    @property
    def path(self) -> str:
        return path(self.place)

    @property
    def differs(self) -> bool:
        return len({dump(one.value) for one in self.voices}) > 1

    @property
    def agreed(self) -> Json:
        """What two or more raters say alike; None where they differ, or one alone has spoken."""
        return self.voices[0].value if len(self.voices) > 1 and not self.differs else None

    @property
    def taken(self) -> list[str]:
        told = self.decided.suggestion if self.decided else None
        return list(told.get("raters", [])) if isinstance(told, dict) else []


LETTERS = "abcdefghi"  # j and k go from place to place


def path(place: Place) -> str:
    """A place as an address names it."""
    step, name = place
    return f"{'whole' if step is None else step}.{name}"


def read(text: str) -> Place | None:
    """The place that an address names; None where it names none."""
    step, _, name = text.partition(".")
    if not name or not (step == "whole" or step.isdecimal()) or len(step) > 9:
        return None
    return (None if step == "whole" else int(step)), name


def spots(scheme: Scheme, trajectory: int, *, everybody: bool, besides: int | None = None) -> list[Spot]:
    """Every place where somebody who is heard has answered, or `besides`, the id of the adjudicator's own pass, in
    reading order: steps, then the whole."""
    found: dict[Place, Spot] = {}
    specs = {spec.name: spec for spec in standing.compared(scheme)}
    heard = standing.passes([trajectory])
    if not everybody:
        heard = heard.filter(rater__kind=Rater.Kind.HUMAN)
    labels = Label.objects.current().filter(annotation__in=heard).select_related("annotation__rater")
    steps = ("pk", "field", "value", "explanation", "origin", "annotation", "step__index")
    order = labels.order_by("annotation__rater__kind", "annotation__rater__name", "pk")
    for label in order.select_related("step").only(*steps, "annotation__rater"):
        spec = specs.get(label.field.partition("@")[0])
        if spec is None:
            continue
        place = (label.step.index if label.step else None, label.field)
        spot = found.setdefault(place, Spot(place, spec))
        letter = LETTERS[len(spot.voices)] if len(spot.voices) < len(LETTERS) else ""
        rater = label.annotation.rater
        spot.voices.append(Voice(rater, label.value, label.explanation, label.origin, letter))
    _add_own(found, specs, besides)
    rank = {name: place for place, name in enumerate(specs)}
    return sorted(found.values(), key=lambda spot: _rank(spot, rank))


def _add_own(found: dict[Place, Spot], specs: dict[str, FieldSpec], annotation: int | None) -> None:
    own = Label.objects.current().filter(Q(annotation=annotation)) if annotation else Label.objects.none()
    for label in own.select_related("step").defer("step__message", "step__reasoning", "step__observations"):
        spec = specs.get(label.field.partition("@")[0])
        if spec is not None:
            place = (label.step.index if label.step else None, label.field)
            found.setdefault(place, Spot(place, spec)).decided = label


def _rank(spot: Spot, rank: dict[str, int]) -> tuple[bool, int, int, str]:
    step, name = spot.place
    return step is None, step or 0, rank[spot.spec.name], name


def differing(found: Sequence[Spot]) -> list[Spot]:
    return [spot for spot in found if spot.differs]
