"""How rollouts stand against others of their task, by what raters say of pairs, of the best one or of the order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from annotations.models import Annotation, Label, Project, Rater, SchemeVersion, Trajectory
from annotations.records import Json
from annotations.schemes.fields import PreferenceField
from annotations.schemes.fields.preference import TIE
from annotations.schemes.schema import Scheme
from annotations.services import board


class Standing(NamedTuple):
    """The share of its comparisons that a rollout won, and how many raters made them."""

    share: float
    raters: int


Standings = dict[int, dict[int, Standing]]  # task → rollout →


def compares(scheme: Scheme) -> PreferenceField | None:
    """The field that compares the rollouts of a task: the main one, else the first that does."""
    fields = sorted(scheme.fields, key=lambda spec: spec.name != scheme.main)
    return next((one for one in fields if isinstance(one, PreferenceField) and one.target == "task"), None)


def standings(project: Project, raters: Sequence[Rater], states: Sequence[str]) -> Standings:
    """By the newest answer of each of these raters to each question, in passes of these states. All that they compared
    counts the same, a tie as half won; a rollout that nobody compared is not there."""
    passes = (
        Annotation.objects.live()
        .for_labels()
        .filter(rater__in=raters, state__in=states, trajectory__project=project, trajectory__superseded_at__isnull=True)
    )
    won: dict[tuple[int, int], list[tuple[int, float]]] = defaultdict(list)
    for version in SchemeVersion.objects.filter(pk__in=passes.order_by().values("scheme_id").distinct()):
        if spec := compares(board.scheme(version.pk)):
            for task, rollout, rater, share in _counted(spec, passes.filter(scheme=version)):
                won[task, rollout].append((rater, share))
    found: Standings = {}
    for (task, rollout), each in won.items():
        share = sum(one for _, one in each) / len(each)
        found.setdefault(task, {})[rollout] = Standing(share, len({rater for rater, _ in each}))
    return found


def _counted(spec: PreferenceField, passes: QuerySet[Annotation]) -> Iterator[tuple[int, int, int, float]]:
    """Task, rollout, rater, and 1, 0.5 or 0: twice for each comparison."""
    said = Label.objects.current().filter(Q(field=spec.name) | Q(field__startswith=f"{spec.name}@"), step=None)
    rows = said.filter(annotation__in=passes).order_by("created_at", "pk")
    names = ("annotation__rater_id", "annotation__trajectory__task_id", "field", "value")
    newest = {(rater, task, field): value for rater, task, field, value in rows.values_list(*names)}
    there = _rollouts({task for _, task, _ in newest}) if spec.form == "best" else {}
    for (rater, task, field), value in newest.items():
        for one, other, better in _pairs(spec, field.partition("@")[2], value, there.get(task, [])):
            for rollout in (one, other):
                yield task, rollout, rater, 0.5 if better == TIE else float(better == rollout)


def _pairs(spec: PreferenceField, part: str, value: Any, there: list[int]) -> Iterator[tuple[int, int, Json]]:
    """Two rollouts and which is better, nothing of an answer that the field does not take."""
    if spec.refusal(value):
        return
    if spec.form == "best":
        among = [(one, other, TIE) for one, other in combinations(there, 2)] if value == TIE else []
        yield from among or [(value, other, value) for other in there if value in there and other != value]
        return
    told = [(part, value)] if spec.form == "pair" else [(unit.name, unit.value) for unit in spec.units(value)]
    for name, better in told:
        one, _, other = name.partition("-")
        if one.isdecimal() and other.isdecimal() and (better == TIE or better in (int(one), int(other))):
            yield int(one), int(other), better


def _rollouts(tasks: set[int]) -> dict[int, list[int]]:
    """Those that are there now, by task."""
    found: dict[int, list[int]] = defaultdict(list)
    for task, rollout in Trajectory.objects.live().filter(task__in=tasks).values_list("task_id", "rollout"):
        found[task].append(rollout)
    return found
