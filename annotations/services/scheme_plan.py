"""What a new version of its scheme does to a live project: which labels go along, which cannot, who is asked again.

`outcomes` says it pass by pass and is what the change itself goes by, so that the plan and the change are one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db.models import QuerySet

from annotations.models import Annotation
from annotations.records import Json
from annotations.schemes.maps import Converted, Lost
from annotations.schemes.rules import Place
from annotations.schemes.schema import Scheme
from annotations.services import completeness, scheme_history, scheme_passes
from annotations.services.board import PROPAGATED, Board, Said, Scope
from annotations.services.converting import Converting
from annotations.services.scheme_lost import Names, Unmapped, names_of, unmapped
from annotations.services.scheme_passes import Pass

EXAMPLES = 5


@dataclass(frozen=True)
class Outcome:
    """What becomes of one pass: `earlier` is the one of before that is good again as it stands, else `made` says which
    labels go along and `first` the same of a first progressive pass. `returned`: something required has no answer."""

    of: Pass
    earlier: Annotation | None = None
    made: Converted = field(default_factory=lambda: Converted({}))
    first: Converted = field(default_factory=lambda: Converted({}))
    returned: bool = False


@dataclass
class FieldPlan:
    """A field of a scheme that is left: how many of its labels go along to the field `becomes`, and how many cannot."""

    name: str
    title: str
    becomes: str
    kept: int = 0
    gone: int = 0
    examples: list[Unmapped] = field(default_factory=list)


@dataclass
class Plan:
    """`fresh` are fields that nobody was asked so far. `passes` get a successor, `restored` are in force again as they
    were, `returned` come back to their people. `loses` are the sentences of the maps that are gone over."""

    to: str
    fields: dict[str, FieldPlan] = field(default_factory=dict)
    fresh: list[dict[str, Any]] = field(default_factory=list)
    passes: int = 0
    restored: int = 0
    returned: int = 0
    loses: list[str] = field(default_factory=list)

    @property
    def kept(self) -> int:
        return sum(one.kept for one in self.fields.values())

    @property
    def gone(self) -> int:
        return sum(one.gone for one in self.fields.values())

    @property
    def counts(self) -> dict[str, int]:
        """What the log keeps of it."""
        return {
            "passes": self.passes,
            "restored": self.restored,
            "returned": self.returned,
            "labels": self.kept,
            "unmapped": self.gone,
        }

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"fields": [asdict(one) for one in self.fields.values()], "counts": self.counts}


class Planning:
    """Goes through a project's passes and adds up what becomes of them."""

    def __init__(self, before: int, new: Scheme, version: int | None) -> None:
        """`before`: the stored version in force; `version`: that of the new scheme, where there is one."""
        self.new, self.version = new, version
        self.converting = Converting(new, change=True)
        self.converting.route(before)
        self.plan = Plan(f"{new.name} {new.version}")

    def outcomes(self, annotations: QuerySet[Annotation]) -> Iterator[list[Outcome]]:
        """What becomes of these passes, in lists. Those that are under the new version already are left."""
        for chunk in scheme_passes.passes(annotations):
            old = [one for one in chunk if one.annotation.scheme_id != self.version]
            earlier = scheme_history.earlier([one.annotation for one in old], self.version)
            found = [self._of(one, earlier.get(one.annotation.pk)) for one in old]
            names = names_of(one.annotation for one in old)
            for outcome in found:
                self._count(outcome, names)
            yield found

    def finished(self) -> Plan:
        """The plan, once everything was gone through."""
        ways = [way for way in self.converting.routes.values() if way]
        self.plan.loses = list(dict.fromkeys(sentence for way in ways for sentence in way.loses))
        reached = {way.becomes(spec.name) for way in ways for spec in way.hops[0].source.fields}
        self.plan.fresh = [
            {"name": spec.name, "title": spec.title, "required": spec.required}
            for spec in self.new.fields
            if spec.name not in reached
        ]
        return self.plan

    def _of(self, one: Pass, earlier: Annotation | None) -> Outcome:
        if earlier:
            return Outcome(one, earlier)
        way = self.converting.route(one.annotation.scheme_id)
        assert way  # a change always finds one
        made = _without_orphans(one, way.convert(one.answers, list(one.steps), one.filled, after=one.after))
        first = way.convert(one.first_answers, list(one.steps), after=one.after)
        return Outcome(one, None, made, first, self._is_returned(one, made))

    def _is_returned(self, one: Pass, made: Converted) -> bool:
        """Whether the person who handed it in has something to add."""
        annotation = one.annotation
        if annotation.state != Annotation.State.SUBMITTED or annotation.rater.user_id is None:
            return False
        board = Board(annotation, Scope.ALL)
        board.scheme, board.steps, board.after = self.new, dict(one.steps), one.after
        board.labels = {
            place: Said(value, one.labels[made.came[place]].origin) for place, value in made.answers.items()
        }
        return bool(completeness.missing(board, board.labels))

    def _count(self, outcome: Outcome, names: Names) -> None:
        plan = self.plan
        plan.passes += outcome.earlier is None
        plan.restored += outcome.earlier is not None
        plan.returned += outcome.returned
        if outcome.earlier:
            return
        for place in set(outcome.made.came.values()):
            self._field(outcome, place).kept += 1
        for lost in outcome.made.lost:
            told = self._field(outcome, lost.place)
            told.gone += 1
            if len(told.examples) < EXAMPLES:
                told.examples.append(unmapped(outcome.of, lost, names))

    def _field(self, outcome: Outcome, place: Place) -> FieldPlan:
        name = place[1].partition("@")[0]
        if name not in self.plan.fields:
            way = self.converting.route(outcome.of.annotation.scheme_id)
            assert way
            spec = way.hops[0].source.field(name)
            self.plan.fields[name] = FieldPlan(name, spec.title if spec else name, way.becomes(name))
        return self.plan.fields[name]


def _without_orphans(one: Pass, made: Converted) -> Converted:
    """What a rule filled in goes along with the label that implied it, or not at all."""
    kept = {one.labels[source].pk for source in made.came.values()}
    orphans = {
        place: source
        for place, source in made.came.items()
        if one.labels[source].origin == PROPAGATED and one.labels[source].cause_id not in kept
    }
    if not orphans:
        return made
    why = "the label that implied it does not go along"
    lost = [Lost(source, one.labels[source].value, why) for source in orphans.values()]
    answers: Mapping[Place, Json] = {place: value for place, value in made.answers.items() if place not in orphans}
    came = {place: source for place, source in made.came.items() if place not in orphans}
    return Converted(answers, [*made.lost, *lost], came)
