"""Everything said about one trajectory that one member may see: strips over all of it, words where one reads.

However many steps there are, what is said of all of them is counted by the database into the cells of an axis; labels
and scores themselves are read for the steps that are shown, and for no other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from django.db.models import Count, Exists, F, Min, OuterRef, Q, TextField
from django.db.models.functions import Cast

from annotations.formats.lines import load
from annotations.models import Annotation, JudgeVerdict, Label, Membership, Trajectory
from annotations.models.labels import LabelQuerySet
from annotations.schemes.fields import RubricField
from annotations.schemes.schema import Scheme
from annotations.services import answers, projects, rubrics, said, sight, trees, visibility
from annotations.services.answers import Mark, Voices, of_field
from annotations.services.axis import Axis, Group, Strip, strip, up_to
from annotations.services.scored import Curve, Scored, StepScore
from annotations.services.told import Teller, Word
from annotations.services.visibility import Visible
from annotations.services.wrongs import Wrong

HISTORY = 300
SIBLINGS = 50


@dataclass
class Pass:
    """One rater's pass: the main field over the axis, the verdict on the whole, and all that is said of the whole."""

    annotation: Annotation
    strip: Strip
    final: Mark | None = None
    whole: Word | None = None
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
    def tells(self) -> bool:
        """Whether more is said of the whole than one word."""
        said = self.whole.answers if self.whole else ()
        return len(said) > 1 or any(one.stands_below or one.text or one.mark != self.final for one in said)

    @property
    def returnable(self) -> bool:
        """Whether it can be given back to the person who made it."""
        return self.annotation.state == Annotation.State.SUBMITTED and self.annotation.rater.user_id is not None


@dataclass(frozen=True)
class Change:
    """A label as it came or went."""

    at: datetime
    rater: str
    index: int | None
    field: str
    said: Mark
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
        self.voices, self.wrong = Voices(self.scheme), Wrong(self.scheme)
        self.axis: Axis = sight.axis(membership, trajectory)
        self.tree = trees.of(trajectory.pk)

    @cached_property
    def annotations(self) -> list[Annotation]:
        """The passes of which something may be shown."""
        seen = visibility.annotations_visible_to(self.membership).live().filter(trajectory=self.trajectory)
        if self.raters is not None:
            seen = seen.filter(rater__in=self.raters)
        seen = seen.annotate(is_explained=Exists(JudgeVerdict.objects.filter(annotation=OuterRef("pk"))))
        return list(seen.select_related("rater", "guideline").order_by("rater__kind", "rater__name"))

    def labels(self) -> LabelQuerySet:
        """The current labels of those passes."""
        found: LabelQuerySet = Label.objects.current()
        return found.filter(annotation__in=[one.pk for one in self.annotations])

    def main(self) -> LabelQuerySet:
        """Those of them that are about steps, in the field that strips are about."""
        return self.labels().filter(of_field(self.scheme.main_field), step__isnull=False)

    @property
    def has_strips(self) -> bool:
        """Whether the main field speaks of steps, so that it can be laid along them."""
        return self.scheme.main_field.of_step or self.wrong.names_a_step

    @property
    def verdict(self) -> str:
        """What the verdict on the whole is called; empty where none is asked for."""
        spec = answers.verdict(self.scheme)
        return spec.title if spec else ""

    @cached_property
    def passes(self) -> list[Pass]:
        counted, whole = self._counted(), self._whole()
        final = answers.verdict(self.scheme)
        found = []
        for annotation in self.annotations:
            of_pass, labels = counted[annotation.pk], whole.get(annotation.pk, [])
            made = Pass(annotation, strip(self.axis, annotation.rater.name, of_pass.groups))
            given = [one.value for one in labels if final and one.field.partition("@")[0] == final.name]
            made.final = self.voices.mark(final.name, given[0]) if final and len(given) == 1 else None
            made.whole = self.teller.word(annotation.rater.name, labels, {}) if labels else None
            made.first_error = of_pass.first_error
            made.is_reference = annotation.rater_id == self.membership.project.reference_id
            found.append(made)
        return found

    def _counted(self) -> Mapping[int, _Said]:
        """By pass, how often each answer stands in each cell."""
        found: dict[int, _Said] = defaultdict(_Said)
        if self.wrong.names_a_step:
            return self._up_to_the_first(found)
        cell = F("step__index") / self.axis.width
        rows = self.main().annotate(cell=cell, said=Cast("value", TextField())).order_by()
        groups = rows.values_list("annotation_id", "cell", "said", "origin")
        for annotation, key, text, origin, count, first in groups.annotate(n=Count("pk"), first=Min("step__index")):
            value, of_pass = load(text), found[annotation]
            of_pass.groups.append((key, self.voices.main.mark(value), origin == Label.Origin.PROPAGATED, count))
            if self.wrong.says(value):
                of_pass.first_error = first if of_pass.first_error is None else min(first, of_pass.first_error)
        return found

    def _up_to_the_first(self, found: dict[int, _Said]) -> Mapping[int, _Said]:
        """The same where passes name the first wrong step alone: what comes before it is right, by that."""
        for annotation, value in self.of_whole().filter(field=self.scheme.main).values_list("annotation_id", "value"):
            first = value if self.wrong.says(value) else None
            before = len(self.axis) if first is None else self.axis.rank(first)
            groups = up_to(self.axis, first, self.voices.main.mark(value), before)
            found[annotation] = _Said(groups, first)
        return found

    def of_whole(self) -> LabelQuerySet:
        """Those that are about the trajectory or its task."""
        return self.labels().filter(step__isnull=True)

    def _whole(self) -> Mapping[int, list[Label]]:
        """By pass, what is said of the whole."""
        found: dict[int, list[Label]] = defaultdict(list)
        for label in self.of_whole().order_by("id"):
            found[label.annotation_id].append(label)
        return found

    @cached_property
    def teller(self) -> Teller:
        listed = {
            spec.name: rubrics.of_task(self.trajectory.task, spec)
            for spec in self.scheme.fields
            if isinstance(spec, RubricField)
        }
        return Teller(self.voices, {name: items for name, items in listed.items() if items is not None})

    def tally(self, first: int, last: int) -> Mapping[int, list[tuple[Mark, int]]]:
        """How often each answer was given to the steps with first ≤ index < last, by index; the worst first."""
        found: dict[int, Counter[Mark]] = defaultdict(Counter)
        if self.wrong.names_a_step:
            for one in self.passes:
                if one.first_error is not None and first <= one.first_error < last:
                    found[one.first_error][self.voices.main.mark(one.first_error)] += 1
        else:
            rows = self.main().filter(step__index__gte=first, step__index__lt=last).order_by()
            counted = rows.annotate(said=Cast("value", TextField())).values_list("step__index", "said")
            for index, text, count in counted.annotate(n=Count("pk")):
                found[index][self.voices.main.mark(load(text))] += count
        return {index: sorted(marks.items(), key=lambda one: -one[0].rank) for index, marks in found.items()}

    def words(self, first: int, last: int) -> Mapping[int, Sequence[Word]]:
        """What raters say of the steps with first ≤ index < last, by index."""
        return said.of_steps(self, first, last)

    def _title(self, name: str) -> str:
        spec = self.scheme.field(name)
        return spec.title if spec else name

    @cached_property
    def scored(self) -> Scored:
        """What scorers say."""
        return Scored(self.membership, self.trajectory, self.axis, self.visible, asked=self.raters is None)

    @property
    def curves(self) -> list[Curve]:
        return self.scored.curves

    def scores(self, first: int, last: int) -> Mapping[int, Sequence[StepScore]]:
        """What scorers say of the steps with first ≤ index < last, by index."""
        return self.scored.of_steps(first, last)

    def history(self) -> list[Change]:
        """The newest changes first, at most HISTORY of them."""
        rows = visibility.labels_visible_to(self.membership).filter(annotation__trajectory=self.trajectory)
        newest = (
            rows.select_related("annotation__rater", "step").defer(*said.STEP_BODIES).order_by("-created_at", "-id")
        )
        return [
            Change(
                one.created_at,
                one.annotation.rater.name,
                one.step.index if one.step else None,
                self._title(one.field),
                self.voices.mark(one.field, one.value),
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
