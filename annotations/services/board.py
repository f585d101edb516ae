"""The current labels of one annotation, and how they settle when some of them change."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any

from django.db import connection

from annotations.models import Annotation, Label, Project, SchemeVersion, Step
from annotations.records import Json
from annotations.schemes import rules
from annotations.schemes.rules import After, Effect, Place, View
from annotations.schemes.schema import Scheme
from annotations.services import quick, trees
from annotations.services.projects import scheme_of

PROPAGATED = Label.Origin.PROPAGATED


@dataclass(frozen=True)
class Said:
    """One answer. `cause` is the index of the step whose label implied it; `suggestion` what was accepted, and how."""

    value: Json
    origin: str = Label.Origin.HUMAN
    cause: int | None = None
    explanation: str = ""
    suggestion: Json = None


Labels = Mapping[Place, Said]


@lru_cache(maxsize=256)
def scheme(version_id: int) -> Scheme:
    """The scheme of a stored version, kept in memory: versions never change."""
    return scheme_of(SchemeVersion.objects.get(pk=version_id))


def settle(
    scheme: Scheme,
    policy: str,
    steps: Sequence[int],
    labels: Labels,
    *,
    accept: bool = False,
    after: After | None = None,
) -> dict[Place, Said]:
    """The labels after the scheme's rule has had its say, under a Project.Propagation policy.

    What a person said stays as it is. A propagated label stays while its chain holds, names the cause that holds now,
    and goes otherwise. New ones come where the policy is to fill, or on `accept`.
    """
    persons = {place: one for place, one in labels.items() if one.origin != PROPAGATED}
    fill = accept or policy == Project.Propagation.FILL
    for step, cause in implied(scheme, policy, steps, persons, after).items():
        assert scheme.propagation  # something was implied
        place = (step, scheme.propagation.field)
        if fill or place in labels:
            persons[place] = Said(scheme.propagation.fills, PROPAGATED, cause)
    return persons


def implied(
    scheme: Scheme, policy: str, steps: Sequence[int], labels: Labels, after: After | None = None
) -> rules.Implied:
    """Index of a step → index of the step that implies its label; nothing where the policy is off."""
    if policy == Project.Propagation.OFF:
        return {}
    answers = {place: one.value for place, one in labels.items() if one.origin != PROPAGATED}
    return rules.implied_by(scheme, steps, answers, after)


def entry(place: Place, one: Said | None) -> dict[str, Json]:
    """A place and its answer as events and the browser's answers spell it."""
    step, field = place
    if one is None:
        return {"step": step, "field": field, "value": None, "origin": None, "cause": None}
    found = {"step": step, "field": field, "value": one.value, "origin": one.origin, "cause": one.cause}
    more = {"explanation": one.explanation, "suggestion": one.suggestion}
    return found | {name: value for name, value in more.items() if value}


def entries(places: Iterable[Place], labels: Labels) -> list[Json]:
    """One entry a place, in reading order: steps first, the whole trajectory last."""
    ordered = sorted(places, key=lambda place: (place[0] is None, place[0] or 0, place[1]))
    return [entry(place, labels.get(place)) for place in ordered]


def from_entries(found: Json) -> dict[Place, Said | None]:
    """What `entries` wrote."""
    return {(one["step"], one["field"]): _said(one) for one in found}


def _said(found: Json) -> Said | None:
    if found["value"] is None:
        return None
    more = (found.get("explanation", ""), found.get("suggestion"))
    return Said(found["value"], found["origin"], found["cause"], *more)


# Agent steps with what is said of them now. By hand, because it runs at every key.
_STEPS = """
    SELECT s.index, s.id, l.id, l.field, l.value, l.origin, l.cause_id, l.explanation, l.suggestion
      FROM annotations_step s
      LEFT JOIN annotations_label l ON l.step_id = s.id AND l.annotation_id = %s AND l.superseded_at IS NULL
     WHERE s.trajectory_id = %s AND s.source = 'agent' AND (%s::int IS NULL OR s.index <= %s)"""
_THESE = " AND s.index = ANY(%s)"
_LABELLED = """ AND s.id IN (
        SELECT c.step_id FROM annotations_label c WHERE c.annotation_id = %s AND c.superseded_at IS NULL
         UNION ALL
        SELECT t.id FROM annotations_step t WHERE t.trajectory_id = %s AND t.index = ANY(%s))"""

_CURRENT = """(
    SELECT c.id FROM annotations_label c
     WHERE c.annotation_id = %s AND c.step_id = %s AND c.field = %s AND c.superseded_at IS NULL)"""


MOST_NAMED = 100  # steps that an error lists


class Scope(Enum):
    """How much of an annotation is in memory: some places, every labelled step, or every step of the agent."""

    PLACES = 1
    LABELLED = 2
    ALL = 3


class Board:
    """What one annotation says now. `steps` maps the index of an agent step to its row, in order, as far as loaded; a
    step that a first progressive pass does not show yet is none."""

    def __init__(self, annotation: Annotation, scope: Scope) -> None:
        self.annotation = annotation
        self.scheme = scheme(annotation.scheme_id)
        self.scope = scope
        self.steps: dict[int, int] = {}
        self.rows: dict[Place, int] = {}
        self.labels: dict[Place, Said] = {}

    @classmethod
    def load(cls, annotation: Annotation, scope: Scope = Scope.ALL) -> Board:
        board = cls(annotation, scope)
        board._load_steps(())
        board._load_trajectory()
        return board

    @classmethod
    def around(cls, annotation: Annotation, changing: Collection[Place], *, fills: bool = False) -> Board:
        """As much as changing these places can touch. A rule only ever looks at what is said, so the steps that say
        nothing stay out; unless it fills them. `fills`: the change itself brings labels of the rule."""
        board = cls(annotation, _touched(annotation, changing, fills))
        indexes = {step for step, _ in changing if step is not None}
        if indexes or board.scope is not Scope.PLACES:
            board._load_steps(indexes)
        if None in {step for step, _ in changing}:
            board._load_trajectory()
        return board

    def _load_steps(self, indexes: Collection[int]) -> None:
        pk, trajectory, these = self.annotation.pk, self.annotation.trajectory_id, list(indexes)
        shown = self.annotation.frontier
        more: dict[Scope, tuple[str, list[Any]]] = {
            Scope.PLACES: (_THESE, [these]),
            Scope.LABELLED: (_LABELLED, [pk, trajectory, these]),
            Scope.ALL: ("", []),
        }
        narrower, params = more[self.scope]
        with connection.cursor() as cursor:
            cursor.execute(f"{_STEPS}{narrower} ORDER BY s.index", [pk, trajectory, shown, shown, *params])
            rows = cursor.fetchall()
        index_of = {row[2]: row[0] for row in rows}
        for index, step, pk, field, value, origin, cause, explanation, suggestion in rows:
            self.steps[index] = step
            if pk is not None:
                implied_by = index_of.get(cause) if cause else None
                accepted = json.loads(suggestion) if suggestion else None
                self._hold((index, field), pk, Said(json.loads(value), origin, implied_by, explanation, accepted))

    def _load_trajectory(self) -> None:
        mine = Label.objects.current().filter(annotation=self.annotation, step__isnull=True)
        columns = ("pk", "field", "value", "origin", "explanation", "suggestion")
        for pk, field, value, origin, explanation, suggestion in mine.values_list(*columns):
            self._hold((None, field), pk, Said(value, origin, None, explanation, suggestion))

    def _hold(self, place: Place, pk: int, one: Said) -> None:
        self.rows[place] = pk
        self.labels[place] = one

    def agent_steps(self) -> list[int]:
        """The first of the indexes that can be labelled, for saying which there are."""
        steps = Step.objects.of_agent().filter(trajectory_id=self.annotation.trajectory_id)
        if self.annotation.frontier is not None:
            steps = steps.filter(index__lte=self.annotation.frontier)
        return list(steps.values_list("index", flat=True)[:MOST_NAMED])

    def settled(self, labels: Labels, *, accept: bool = False) -> dict[Place, Said]:
        """The labels as the rule leaves them. What was loaded for a change that no rule looks at stays as it is."""
        if self.scope is Scope.PLACES:
            return dict(labels)
        return settle(
            self.scheme, self.annotation.propagation, list(self.steps), labels, accept=accept, after=self.after
        )

    def ghosts(self) -> rules.Implied:
        """Labels that are suggested and not stored: index of the step → index of its cause."""
        found = implied(self.scheme, self.annotation.propagation, list(self.steps), self.labels, self.after)
        rule = self.scheme.propagation
        return {step: cause for step, cause in found.items() if rule and (step, rule.field) not in self.labels}

    def effects(self, labels: Labels) -> list[Effect]:
        """What the scheme's rules make of what the person says."""
        answers = {place: one.value for place, one in labels.items() if one.origin != PROPAGATED}
        return rules.effects(self.scheme, View(list(self.steps), answers, self._revealed, self.after))

    @cached_property
    def after(self) -> After | None:
        """Where each step hangs, where the trajectory is a tree."""
        return trees.after(self.annotation.trajectory_id)

    @property
    def _revealed(self) -> bool | None:
        hides = self.annotation.mode == Project.Mode.PROGRESSIVE
        return self.annotation.revealed_at is not None if hides else None

    def sealed(self, field: str) -> str:
        """Why the field takes no change now; empty where it does. It depends on what was shown, not on what is said."""
        found = rules.effects(self.scheme, View((), {}, self._revealed)) if self.scheme.seals else ()
        return next((one.sealed[field] for one in found if field in one.sealed), "")

    def write(self, wanted: Labels, revision: int, now: datetime, time_ms: int | None = None) -> set[Place]:
        """Make `wanted` what the annotation says; rows are superseded, not edited. Returns the places that changed.

        `time_ms` is how long the person had looked since their change before; what a rule brought took none.
        """
        changed = {place for place in {*self.labels, *wanted} if self.labels.get(place) != wanted.get(place)}
        # A propagated label names a current row: where its cause is a new row, it is one too.
        replaced = changed | {place for place, one in wanted.items() if self._cause(one) in changed}
        if gone := [self.rows.pop(place) for place in replaced if place in self.rows]:
            Label.objects.filter(pk__in=gone).update(superseded_at=now)
        fresh = [self._row(place, wanted[place], revision, time_ms) for place in replaced if place in wanted]
        quick.insert([row for row in fresh if not row[1]])
        quick.insert([row for row in fresh if row[1]])  # after the rows that cause them
        self.labels = dict(wanted)
        return changed

    def _cause(self, one: Said) -> Place | None:
        rule = self.scheme.propagation
        return None if one.cause is None or rule is None else (one.cause, rule.field)

    def _row(self, place: Place, one: Said, revision: int, time_ms: int | None) -> quick.Row:
        step, field = place
        label = Label(
            annotation=self.annotation,
            step_id=None if step is None else self.steps[step],
            field=field,
            value=one.value,
            origin=one.origin,
            explanation=one.explanation,
            suggestion=one.suggestion,
            guideline_id=self.annotation.guideline_id,
            time_ms=None if one.origin == PROPAGATED else time_ms,
            revision=revision,
        )
        if (cause := self._cause(one)) is None or cause[0] is None:
            return label, {}
        return label, {"cause_id": quick.Computed(_CURRENT, (self.annotation.pk, self.steps[cause[0]], cause[1]))}


def _touched(annotation: Annotation, changing: Collection[Place], fills: bool) -> Scope:
    rule = scheme(annotation.scheme_id).propagation
    policy = annotation.propagation
    if not rule or policy == Project.Propagation.OFF or not {rule.field, rule.until} & {field for _, field in changing}:
        return Scope.PLACES
    if policy == Project.Propagation.FILL:
        return Scope.ALL
    # Where nothing is suggested but what the browser works out, there is nothing stored to settle.
    filled = Label.objects.current().filter(annotation=annotation, origin=PROPAGATED)
    return Scope.LABELLED if fills or filled.exists() else Scope.PLACES
