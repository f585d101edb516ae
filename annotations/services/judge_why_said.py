"""What a judge says of a trajectory, place by place, beside what people say there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from annotations.models import Annotation, JudgeVerdict, Label, Membership, Rater
from annotations.schemes.judging import path
from annotations.schemes.rules import Place, base_of
from annotations.schemes.schema import Scheme
from annotations.services import visibility
from annotations.services.answers import Mark, Voices

MOST = 1_000  # labels of the judge's, and of people's, on a page
PEOPLE = (Rater.Kind.HUMAN, Rater.Kind.CONSENSUS, Rater.Kind.IMPORT)
NEEDED = ("field", "value", "explanation", "step__index", "annotation__rater__name", "annotation__rater__kind")


@dataclass(frozen=True)
class Word:
    """What one person says at a place. `differs`: otherwise than the judge, where that says something."""

    rater: Rater
    mark: Mark
    why: str
    differs: bool


@dataclass
class Row:
    """One place: a step by its index (None: the whole) and the name of a field. `mark` is None where the judge says
    nothing there. `evidence` are the words it rests on, which stand nowhere in the trajectory where it is `unfounded`;
    `sure` is from 0 to 100."""

    step: int | None
    name: str
    mark: Mark | None = None
    why: str = ""
    evidence: str = ""
    unfounded: bool = False
    sure: float | None = None
    people: list[Word] = field(default_factory=list)

    @property
    def is_corrected(self) -> bool:
        return any(one.differs for one in self.people)


def rows(membership: Membership, found: JudgeVerdict, scheme: Scheme, step: int | None = None) -> list[Row]:
    """In the order of steps and fields, the whole last; of one step where that is asked for. People's labels are those
    of passes that are handed in, none of gold items and training, as far as the member may see them."""
    theirs = (
        visibility.labels_visible_to(membership)
        .current()
        .filter(
            annotation__retired_at=None,
            annotation__trajectory=found.annotation.trajectory_id,
            annotation__rater__kind__in=PEOPLE,
            annotation__state=Annotation.State.SUBMITTED,
            annotation__purpose="",
        )
    )
    own = found.annotation.labels.current().order_by("step__index", "pk")
    voices, said = Voices(scheme), {(_at(one), one.field): one for one in _read(own, step)}
    made = {place: _row(place, one, found.detail, voices) for place, one in said.items()}
    for one in _read(theirs.order_by("annotation__rater__kind", "annotation__rater__name"), step):
        place = (_at(one), one.field)
        differs = place in said and said[place].value != one.value
        word = Word(one.annotation.rater, voices.mark(one.field, one.value), one.explanation, differs)
        made.setdefault(place, Row(*place)).people.append(word)
    order = {spec.name: number for number, spec in enumerate(scheme.fields)}
    return sorted(made.values(), key=lambda row: (row.step is None, row.step or 0, order.get(base_of(row.name), -1)))


def _read(labels: QuerySet[Label], step: int | None) -> QuerySet[Label]:
    """These labels, without the texts of their steps."""
    found = labels.select_related("step", "annotation__rater").only(*NEEDED)
    return (found.filter(step__index=step) if step is not None else found)[:MOST]


def _at(label: Label) -> int | None:
    return label.step.index if label.step else None


def _row(place: Place, label: Label, detail: Mapping[str, Any], voices: Voices) -> Row:
    at = path(place)
    return Row(
        *place,
        mark=voices.mark(label.field, label.value),
        why=label.explanation,
        evidence=str(detail.get("evidence", {}).get(at, "")),
        unfounded=at in detail.get("unfounded", ()),
        sure=detail.get("confidence", {}).get(at),
    )
