"""Who says what of which step. A change of mind adds a row; the old one keeps its date."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Case, F, Q, Value, When

from annotations.models.projects import Guideline, Project, SchemeVersion, User
from annotations.models.trajectories import Step, Trajectory


class Rater(models.Model):
    """Someone or something that rates: a person, a judge, a scorer, a file, a consensus."""

    class Kind(models.TextChoices):
        HUMAN = "human", "Person"
        JUDGE = "judge", "Judge"
        SCORER = "scorer", "Scorer"
        IMPORT = "import", "Imported"
        CONSENSUS = "consensus", "Consensus"

    project = models.ForeignKey(Project, models.CASCADE, related_name="raters")
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=150)
    user = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="raters")
    queue_from = models.BigIntegerField(
        default=0, help_text="A hint: before this place of the queue nothing was left for them under queue_overlap."
    )
    queue_overlap = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "kind", "name"], name="one_rater_per_project_kind_and_name"),
            models.UniqueConstraint(
                fields=["project", "user"], condition=Q(user__isnull=False), name="one_rater_per_project_and_user"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AnnotationQuerySet(models.QuerySet["Annotation"]):
    def live(self) -> AnnotationQuerySet:
        return self.filter(retired_at__isnull=True)

    def for_labels(self) -> AnnotationQuerySet:
        """Without gold items, training and items given again: those measure their people, and are no part of the
        dataset."""
        return self.filter(purpose="")

    def of_user(self, user: User) -> AnnotationQuerySet:
        """The person's own passes in projects they are still a member of."""
        return self.live().filter(rater__user=user, rater__project__memberships__user=user)

    def lapsed(self, now: datetime) -> AnnotationQuerySet:
        """Holding a seat on a lease that has run out."""
        return self.live().filter(seat__isnull=False, lease_until__lte=now)


class Annotation(models.Model):
    """One rater's pass over one trajectory under one scheme, guideline and mode.

    A person who labels holds one of the trajectory's seats: for the time of a lease while working, for good once
    submitted. Losing the seat loses no label. `revision` grows by one with every change.
    """

    class State(models.TextChoices):
        LEASED = "leased", "Leased"
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Submitted"
        SKIPPED = "skipped", "Skipped"
        RETURNED = "returned", "Returned"
        FAILED = "failed", "Failed"

    class Drawn(models.TextChoices):
        RANDOM = "random", "By chance"
        POLICY = "policy", "By policy"

    class Purpose(models.TextChoices):
        GOLD = "gold", "Gold item"
        TRAINING = "training", "Training"
        REPEAT = "repeat", "Given again"

    rater = models.ForeignKey(Rater, models.CASCADE, related_name="annotations")
    trajectory = models.ForeignKey(Trajectory, models.CASCADE, related_name="annotations")
    scheme = models.ForeignKey(SchemeVersion, models.PROTECT, related_name="+")
    guideline = models.ForeignKey(Guideline, models.PROTECT, null=True, related_name="+")
    mode = models.CharField(max_length=12, choices=Project.Mode, default=Project.Mode.BLIND)
    propagation = models.CharField(max_length=8, choices=Project.Propagation, default=Project.Propagation.OFF)
    state = models.CharField(max_length=10, choices=State)
    seat = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Which of the trajectory's seats, from 0.")
    lease_until = models.DateTimeField(null=True, blank=True)
    drawn = models.CharField(
        max_length=6,
        choices=Drawn,
        blank=True,
        default="",
        db_default="",
        help_text="How the queue came to give it out. Empty: in the order of import, or by a lead.",
    )
    purpose = models.CharField(
        max_length=8,
        choices=Purpose,
        blank=True,
        default="",
        db_default="",
        help_text="What it was given for, where that is not the dataset: such a pass is kept and not counted.",
    )
    frontier = models.PositiveIntegerField(
        null=True, blank=True, help_text="Progressive, first pass: the last step that was shown. Null: all are."
    )
    revealed_at = models.DateTimeField(
        null=True, blank=True, help_text="Progressive: when everything was shown. Labels of then are the first pass."
    )
    dismissed = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        help_text="Warnings the annotator has waved away, as rule:step.",
    )
    revision = models.PositiveIntegerField(default=0)
    time_spent_ms = models.PositiveIntegerField(default=0)
    comment = models.TextField(blank=True, help_text="Why it was skipped, returned, or failed.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True, help_text="Set when another pass took its place.")

    objects = AnnotationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "rater",
                "trajectory",
                Case(When(purpose="repeat", then=Value(1)), default=Value(0)),
                condition=Q(retired_at__isnull=True),
                name="one_live_annotation_and_one_repeat",
            ),
            models.UniqueConstraint(
                fields=["trajectory", "seat"],
                condition=Q(seat__isnull=False),
                name="one_annotation_per_trajectory_and_seat",
            ),
            models.CheckConstraint(
                condition=Q(lease_until__isnull=True) | Q(seat__isnull=False), name="a_lease_holds_a_seat"
            ),
        ]
        indexes = [
            models.Index(fields=["lease_until"], condition=Q(lease_until__isnull=False), name="annotation_leases"),
            models.Index(
                fields=["rater"],
                condition=Q(retired_at__isnull=True, state__in=["leased", "draft", "returned"]),
                name="annotations_begun",
            ),
        ]


class LabelQuerySet(models.QuerySet["Label"]):
    def current(self) -> LabelQuerySet:
        return self.filter(superseded_at__isnull=True)


class Label(models.Model):
    """One answer to one field, of one step or (step null) of the whole trajectory. Unlabelled is no row, never 0."""

    class Origin(models.TextChoices):
        HUMAN = "human", "Person"
        PROPAGATED = "propagated", "Propagated"
        ACCEPTED = "accepted", "Accepted suggestion"
        JUDGE = "judge", "Judge"
        IMPORT = "import", "Imported"
        ADJUDICATED = "adjudicated", "Adjudicated"
        CONSENSUS = "consensus", "Consensus"

    annotation = models.ForeignKey(Annotation, models.CASCADE, related_name="labels")
    step = models.ForeignKey(Step, models.CASCADE, null=True, blank=True, related_name="labels")
    field = models.CharField(max_length=80, help_text="A field of the scheme; of a part of a step, field@part.")
    value = models.JSONField()
    origin = models.CharField(max_length=12, choices=Origin)
    cause = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="implies", help_text="The label that implied it."
    )
    explanation = models.TextField(blank=True)
    guideline = models.ForeignKey(
        Guideline, models.PROTECT, null=True, related_name="+", help_text="The version in force when it was given."
    )
    time_ms = models.PositiveIntegerField(null=True, help_text="Time in sight since the person's change before it.")
    suggestion = models.JSONField(
        null=True, help_text="What was accepted: its source, value and confidence, and how long it was looked at (ms)."
    )
    revision = models.PositiveIntegerField(default=0, help_text="The annotation's revision that brought it.")
    created_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(null=True, blank=True)

    objects = LabelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["annotation", "step", "field"],
                condition=Q(superseded_at__isnull=True),
                nulls_distinct=False,
                name="one_current_label_per_annotation_step_and_field",
            ),
            models.CheckConstraint(
                condition=Q(cause__isnull=True) | ~Q(cause=F("id")), name="label_does_not_cause_itself"
            ),
            models.CheckConstraint(
                condition=~Q(origin="propagated") | Q(cause__isnull=False), name="propagated_label_names_its_cause"
            ),
        ]


class Look(models.Model):
    """How long one opening of the label page had one step in sight. Sums so far: sending them again is harmless."""

    annotation = models.ForeignKey(Annotation, models.CASCADE, related_name="looks")
    step = models.ForeignKey(Step, models.CASCADE, related_name="looks")
    page = models.UUIDField(help_text="Made by the browser for each opening of the page.")
    visible_ms = models.PositiveIntegerField(default=0)
    visits = models.PositiveIntegerField(default=0, help_text="How often it came into focus.")
    unfolds = models.PositiveIntegerField(default=0, help_text="How often one of its texts was opened.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["annotation", "step", "page"], name="one_look_per_annotation_step_and_page")
        ]
