"""Everything said about one trajectory that one member may see: passes, labels step by step, scores, history."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import QuerySet

from annotations.models import Annotation, Label, Membership, Score, Trajectory
from annotations.schemes.schema import Scheme
from annotations.services import projects, scores, visibility
from annotations.services.visibility import Visible

HISTORY = 300


@dataclass(frozen=True)
class Place:
    """An agent step on the axis all strips share; `number` counts from 1."""

    id: int
    index: int
    number: int


class Word(NamedTuple):
    """What one rater says of one step: the main field, and the texts and flags beside it."""

    rater: str
    value: Any
    implied: bool
    cause: int | None  # index of the step whose label implied it
    explanation: str
    extras: dict[str, Any]


@dataclass
class Pass:
    """One rater's pass: the main field over the axis, and the verdict on the whole."""

    annotation: Annotation
    cells: list[tuple[Any, bool]] = field(default_factory=list)
    final: Any = None
    final_explanation: str = ""

    @property
    def name(self) -> str:
        return self.annotation.rater.name


class Curve(NamedTuple):
    """A scorer's newest run over the axis; None where it says nothing of a step."""

    title: str
    run: int
    values: list[float | None]


class StepScore(NamedTuple):
    title: str
    value: float
    probability: float | None
    flags: list[str]
    why: list[dict[str, Any]]


@dataclass(frozen=True)
class Change:
    """A label as it came or went."""

    at: datetime
    rater: str
    index: int | None
    field: str
    value: Any
    origin: str
    until: datetime | None


class Dossier:
    """All of it, in eight queries however much was said."""

    def __init__(self, membership: Membership, trajectory: Trajectory) -> None:
        self.trajectory = trajectory
        self.membership = membership
        self.visible: Visible = visibility.of(membership, trajectory)
        self.scheme: Scheme = projects.scheme_of(membership.project.scheme)
        steps = trajectory.steps.of_agent().order_by("index").values_list("id", "index")
        self.axis = [Place(pk, index, number) for number, (pk, index) in enumerate(steps, start=1)]
        self._index = {place.id: place.index for place in self.axis}
        self._labels = self._current()
        self.passes = self._passes()
        self.words = self._words()
        self.curves, self.scores = self._scored()

    def _current(self) -> dict[int, list[Label]]:
        """Current labels by annotation."""
        seen = visibility.annotations_visible_to(self.membership).live().filter(trajectory=self.trajectory)
        self._seen = list(seen.select_related("rater", "guideline").order_by("rater__kind", "rater__name"))
        found: dict[int, list[Label]] = defaultdict(list)
        labels = Label.objects.current().filter(annotation__in=[one.pk for one in self._seen])
        for label in labels.select_related("cause").order_by("id"):
            found[label.annotation_id].append(label)
        return found

    def _passes(self) -> list[Pass]:
        return [self._pass(annotation) for annotation in self._seen]

    def _pass(self, annotation: Annotation) -> Pass:
        main, made = {}, Pass(annotation)
        for label in self._labels[annotation.pk]:
            if label.step_id is None and label.field == self.scheme.final:
                made.final, made.final_explanation = label.value, label.explanation
            elif label.field == self.scheme.main and label.step_id is not None:
                main[label.step_id] = (label.value, label.origin == Label.Origin.PROPAGATED)
        made.cells = [main.get(place.id, (None, False)) for place in self.axis]
        return made

    def _words(self) -> dict[int, list[Word]]:
        """What raters say, by step index."""
        found: dict[int, list[Word]] = defaultdict(list)
        for annotation in self._seen:
            by_step: dict[int, list[Label]] = defaultdict(list)
            for label in self._labels[annotation.pk]:
                if label.step_id is not None:
                    by_step[label.step_id].append(label)
            for step, labels in by_step.items():
                if step in self._index:
                    found[self._index[step]].append(self._word(annotation.rater.name, labels))
        return found

    def _word(self, rater: str, labels: list[Label]) -> Word:
        said = next((one for one in labels if one.field == self.scheme.main), None)
        extras = {self._title(one.field): one.value for one in labels if one is not said}
        if said is None:
            return Word(rater, None, False, None, "", extras)
        cause = self._index.get(said.cause.step_id or 0) if said.cause else None
        return Word(rater, said.value, said.origin == Label.Origin.PROPAGATED, cause, said.explanation, extras)

    def _title(self, name: str) -> str:
        spec = self.scheme.field(name)
        return spec.title if spec else name

    def _scored(self) -> tuple[list[Curve], dict[int, list[StepScore]]]:
        runs = scores.latest(self.membership.project.pk) if self.visible.scores else {}
        by_run: dict[int, dict[int, Score]] = defaultdict(dict)
        for score in visibility.scores_visible_to(self.membership).filter(
            run__in=runs.values(), trajectory=self.trajectory
        ):
            by_run[score.run_id][score.step_id] = score
        curves, by_step = [], defaultdict(list)
        for name, run in runs.items():
            said = by_run[run]
            if not said:
                continue
            title = settings.SCORERS.get(name, {}).get("title", name)
            values = [said[place.id].probability if place.id in said else None for place in self.axis]
            curves.append(Curve(title, run, values))
            for step, score in said.items():
                flags, why = score.detail.get("flags") or [], score.detail.get("why") or []
                by_step[self._index[step]].append(StepScore(title, score.value, score.probability, flags, why))
        return curves, by_step

    def history(self) -> list[Change]:
        """The newest changes first, at most HISTORY of them."""
        labels: QuerySet[Label] = visibility.labels_visible_to(self.membership).filter(
            annotation__trajectory=self.trajectory
        )
        rows = labels.select_related("annotation__rater").order_by("-created_at", "-id")[:HISTORY]
        return [
            Change(
                one.created_at,
                one.annotation.rater.name,
                self._index.get(one.step_id) if one.step_id else None,
                self._title(one.field),
                one.value,
                one.get_origin_display(),
                one.superseded_at,
            )
            for one in rows
        ]

    def siblings(self) -> list[tuple[int, int]]:
        """(id, rollout) of all live rollouts of the task, this one included."""
        rollouts = Trajectory.objects.live().filter(task=self.trajectory.task_id).order_by("rollout")
        return list(rollouts.values_list("id", "rollout")[:50])
