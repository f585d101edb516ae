"""Everything said about one trajectory that one member may see: strips over all of it, words where one reads.

However many steps there are, what is said of all of them is counted by the database into the cells of an axis; labels
and scores themselves are read for the steps that are shown, and for no other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, F, Min, Q, QuerySet, TextField
from django.db.models.functions import Cast

from annotations.formats.lines import load
from annotations.models import Annotation, Label, Membership, Score, Trajectory
from annotations.models.labels import LabelQuerySet
from annotations.schemes.schema import Scheme
from annotations.services import projects, scores, sight, visibility
from annotations.services.axis import Axis, Group, Strip, severity, strip
from annotations.services.visibility import Visible

HISTORY = 300
SIBLINGS = 50


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
    strip: Strip
    final: Any = None
    final_explanation: str = ""
    first_error: int | None = None  # index of the first step the rater finds wrong
    is_reference: bool = False

    @property
    def name(self) -> str:
        return self.annotation.rater.name

    @property
    def kind(self) -> str:
        return self.annotation.rater.get_kind_display().lower()

    @property
    def state(self) -> str:
        return self.annotation.get_state_display()

    @property
    def comment(self) -> str:
        return self.annotation.comment

    @property
    def returnable(self) -> bool:
        """Whether it can be given back to the person who made it."""
        return self.annotation.state == Annotation.State.SUBMITTED and self.annotation.rater.user_id is not None


class Curve(NamedTuple):
    """A scorer's newest run over the axis; None where it says nothing. `lowest` is where, and what it says there."""

    title: str
    run: int
    values: list[float | None]
    lowest: tuple[int, float] | None


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


@dataclass
class _Said:
    """The main field of one pass, counted."""

    groups: list[Group] = field(default_factory=list)
    first_error: int | None = None


class Dossier:
    """All of it, in as many queries however much was said. `raters` narrows it to what these say, without scores."""

    def __init__(self, membership: Membership, trajectory: Trajectory, raters: Collection[int] | None = None) -> None:
        self.trajectory, self.raters = trajectory, raters
        self.membership = membership
        self.visible: Visible = visibility.of(membership, trajectory)
        self.scheme: Scheme = projects.scheme_of(membership.project.scheme)
        self.wrong = self.scheme.wrong
        self.axis: Axis = sight.axis(membership, trajectory)

    @cached_property
    def annotations(self) -> list[Annotation]:
        """The passes of which something may be shown."""
        seen = visibility.annotations_visible_to(self.membership).live().filter(trajectory=self.trajectory)
        if self.raters is not None:
            seen = seen.filter(rater__in=self.raters)
        return list(seen.select_related("rater", "guideline").order_by("rater__kind", "rater__name"))

    def labels(self) -> LabelQuerySet:
        """The current labels of those passes."""
        found: LabelQuerySet = Label.objects.current()
        return found.filter(annotation__in=[one.pk for one in self.annotations])

    def main(self) -> LabelQuerySet:
        """Those of them that are about steps, in the field that strips are about."""
        return self.labels().filter(field=self.scheme.main, step__isnull=False)

    @cached_property
    def passes(self) -> list[Pass]:
        counted, finals = self._counted(), self._finals()
        badness = severity(self.scheme.main_field)
        found = []
        for annotation in self.annotations:
            said = counted[annotation.pk]
            made = Pass(annotation, strip(self.axis, annotation.rater.name, said.groups, badness))
            made.final, made.final_explanation = finals.get(annotation.pk, (None, ""))
            made.first_error = said.first_error
            made.is_reference = annotation.rater_id == self.membership.project.reference_id
            found.append(made)
        return found

    def _counted(self) -> Mapping[int, _Said]:
        """By pass, how often each value stands in each cell."""
        cell = F("step__index") / self.axis.width
        rows = self.main().annotate(cell=cell, said=Cast("value", TextField())).order_by()
        groups = rows.values_list("annotation_id", "cell", "said", "origin")
        found: dict[int, _Said] = defaultdict(_Said)
        for annotation, key, text, origin, count, first in groups.annotate(n=Count("pk"), first=Min("step__index")):
            value, said = load(text), found[annotation]
            said.groups.append((key, value, origin == Label.Origin.PROPAGATED, count))
            if value == self.wrong:
                said.first_error = first if said.first_error is None else min(first, said.first_error)
        return found

    def _finals(self) -> Mapping[int, tuple[Any, str]]:
        rows = self.labels().filter(field=self.scheme.final, step__isnull=True)
        return {pk: (value, why) for pk, value, why in rows.values_list("annotation_id", "value", "explanation")}

    def tally(self, first: int, last: int) -> Mapping[int, list[tuple[Any, int]]]:
        """How often each value was given to the steps with first ≤ index < last, by index; the worst first."""
        rows = self.main().filter(step__index__gte=first, step__index__lt=last).order_by()
        counted = rows.annotate(said=Cast("value", TextField())).values_list("step__index", "said")
        found: dict[int, list[tuple[Any, int]]] = defaultdict(list)
        for index, text, count in counted.annotate(n=Count("pk")):
            found[index].append((load(text), count))
        badness = severity(self.scheme.main_field)
        return {index: sorted(said, key=lambda one: -badness.get(one[0], 0)) for index, said in found.items()}

    def words(self, first: int, last: int) -> Mapping[int, Sequence[Word]]:
        """What raters say of the steps with first ≤ index < last, by index."""
        rows = self.labels().filter(step__index__gte=first, step__index__lt=last).order_by("id")
        by_step: dict[tuple[int, int], list[Label]] = defaultdict(list)
        for label in rows.select_related("step", "cause__step").defer(*_BODIES):
            assert label.step is not None  # the filter has seen to it
            by_step[label.annotation_id, label.step.index].append(label)
        places = {annotation.pk: at for at, annotation in enumerate(self.annotations)}
        found: dict[int, list[Word]] = defaultdict(list)
        for (annotation, index), labels in sorted(by_step.items(), key=lambda one: places[one[0][0]]):
            found[index].append(self._word(self.annotations[places[annotation]].rater.name, labels))
        return found

    def _word(self, rater: str, labels: Sequence[Label]) -> Word:
        said = next((one for one in labels if one.field == self.scheme.main), None)
        extras = {self._title(one.field): one.value for one in labels if one is not said}
        if said is None:
            return Word(rater, None, False, None, "", extras)
        cause = said.cause.step.index if said.cause and said.cause.step else None
        return Word(rater, said.value, said.origin == Label.Origin.PROPAGATED, cause, said.explanation, extras)

    def _title(self, name: str) -> str:
        spec = self.scheme.field(name)
        return spec.title if spec else name

    @cached_property
    def _runs(self) -> Mapping[int, str]:
        """The runs whose scores may be shown → the title of their scorer."""
        shown = self.visible.scores and self.raters is None
        runs = scores.latest(self.membership.project.pk) if shown else {}
        return {run: settings.SCORERS.get(name, {}).get("title", name) for name, run in runs.items()}

    def _scores(self) -> QuerySet[Score]:
        shown = visibility.scores_visible_to(self.membership)
        return shown.filter(run__in=self._runs, trajectory=self.trajectory)

    @cached_property
    def curves(self) -> list[Curve]:
        if not self._runs:
            return []
        found: dict[int, list[float | None]] = {}
        places = self.axis.cells()
        cells = self._scores().annotate(cell=F("step__index") / self.axis.width).order_by()
        for run, cell, low in cells.values_list("run_id", "cell").annotate(low=Min("probability")):
            if cell in places:
                found.setdefault(run, [None] * len(places))[places[cell]] = low
        lowest = self._lowest()
        return [Curve(title, run, found[run], lowest.get(run)) for run, title in self._runs.items() if run in found]

    def _lowest(self) -> Mapping[int, tuple[int, float]]:
        rows = self._scores().filter(probability__isnull=False).order_by("run_id", "probability", "step__index")
        found = rows.distinct("run_id").values_list("run_id", "step__index", "probability")
        return {run: (index, low) for run, index, low in found if low is not None}

    def scores(self, first: int, last: int) -> Mapping[int, Sequence[StepScore]]:
        """What scorers say of the steps with first ≤ index < last, by index."""
        found: dict[int, list[StepScore]] = defaultdict(list)
        if not self._runs:
            return found
        rows = self._scores().filter(step__index__gte=first, step__index__lt=last).order_by("run_id")
        for run, index, value, probability, detail in rows.values_list(
            "run_id", "step__index", "value", "probability", "detail"
        ):
            flags, why = detail.get("flags") or [], detail.get("why") or []
            found[index].append(StepScore(self._runs[run], value, probability, flags, why))
        return found

    def history(self) -> list[Change]:
        """The newest changes first, at most HISTORY of them."""
        rows = visibility.labels_visible_to(self.membership).filter(annotation__trajectory=self.trajectory)
        newest = rows.select_related("annotation__rater", "step").defer(*_STEP_BODIES).order_by("-created_at", "-id")
        return [
            Change(
                one.created_at,
                one.annotation.rater.name,
                one.step.index if one.step else None,
                self._title(one.field),
                one.value,
                one.get_origin_display(),
                one.superseded_at,
            )
            for one in newest[:HISTORY]
        ]

    def siblings(self) -> list[tuple[int, int, str]]:
        """(id, rollout, policy model) of the live rollouts of the task, this one included; at most SIBLINGS."""
        rollouts = Trajectory.objects.filter(task=self.trajectory.task_id)
        live = rollouts.filter(Q(superseded_at__isnull=True) | Q(pk=self.trajectory.pk)).order_by("rollout", "version")
        return list(live.values_list("id", "rollout", "policy_model")[:SIBLINGS])


_HEAVY = ("message", "reasoning", "tool_calls", "observations", "extra", "outline")
_STEP_BODIES = tuple(f"step__{name}" for name in _HEAVY)
_BODIES = (*_STEP_BODIES, *(f"cause__step__{name}" for name in _HEAVY))
