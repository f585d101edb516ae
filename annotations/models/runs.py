"""Background work, what it computed, and the workers that do it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import DurationField, Expression, F, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotations.models.fields import VerbatimJSONField
from annotations.models.projects import Project, User
from annotations.models.trajectories import Step, Trajectory


def worked_until(moment: Expression | F) -> Expression:
    """The time a worker has held the run, where the hold that is on it now, if any, lasted until then."""
    now_held = Coalesce(moment - F("held_at"), Value(timedelta()), output_field=DurationField())
    return F("worked") + now_held


class RunQuerySet(models.QuerySet["Run"]):
    def abandoned(self, now: datetime) -> RunQuerySet:
        """Begun, and not heard of for too long: their worker is dead or cut off."""
        return self.filter(state=Run.State.RUNNING, beat_at__lt=now - timedelta(seconds=settings.RUN_STALE_SECONDS))

    def open(self) -> RunQuerySet:
        return self.filter(state__in=[Run.State.QUEUED, Run.State.RUNNING, Run.State.PAUSED])

    def scoring(self) -> RunQuerySet:
        """Runs that score all there is; not those that tried a scorer on a few trajectories."""
        return self.filter(kind=Run.Kind.SCORE).exclude(config__has_key="limit")

    def let_go(self, **fields: Any) -> int:
        """Take the runs from their workers, and set what else is given; how many there were."""
        return self.update(claim=None, held_at=None, worked=worked_until(F("beat_at")), **fields)

    def listed(self) -> RunQuerySet:
        """For tables: newest first, each with who began it, without results, which can be megabytes."""
        return self.defer("result").select_related("created_by").order_by("-id")


class Run(models.Model):
    """One piece of background work. Claimed once at a time; resumed where it stood, never repeated, never reused."""

    class Kind(models.TextChoices):
        IMPORT = "import", "Import"
        SCORE = "score", "Pre-score"
        AGREEMENT = "agreement", "Agreement"
        EXPORT = "export", "Export"
        SCHEME = "scheme", "Scheme change"
        PUSH = "push", "Push"
        CALIBRATE = "calibrate", "Calibrate"
        TRAIN = "train_scorer", "Learn"
        QUEUE = "queue", "Order of the queue"
        JUDGE = "judge", "Judge"
        PROBE = "probe", "Probe a judge"
        LEADERBOARD = "leaderboard", "Judges against people"
        INSIGHT = "insight", "Insight"
        RUBRICS = "rubrics", "Write rubrics"
        CONSENSUS = "consensus", "Consensus"
        MEANINGS = "meanings", "Take meanings down"
        ADOPT = "adopt", "Adopt a consensus"

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    # Each stores what it did bit by bit, and goes on from there: such runs may be paused.
    PAUSABLE = frozenset({Kind.SCORE, Kind.IMPORT, Kind.JUDGE, Kind.PROBE, Kind.RUBRICS, Kind.MEANINGS})
    # Of these what was done stays where something outside failed, and resuming goes on from there.
    KEEPING = frozenset({Kind.SCORE, Kind.JUDGE, Kind.PROBE, Kind.RUBRICS, Kind.MEANINGS})

    project = models.ForeignKey(Project, models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=16, choices=Kind)
    config = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(null=True, help_text="Null until it is known.")
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    file = models.CharField(max_length=400, blank=True, help_text="Input of an import, output of an export.")
    sha256 = models.CharField(max_length=64, blank=True)
    claim = models.UUIDField(null=True, help_text="The worker's hold. Who holds another claim writes nothing.")
    retry_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="retries")
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="runs")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    held_at = models.DateTimeField(null=True, help_text="When the worker that has it now took it up.")
    worked = models.DurationField(default=timedelta, help_text="How long workers before that one had it.")

    objects = RunQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["project", "-id"], name="runs_of_a_project")]
        constraints = [
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(kind="train_scorer", state__in=["queued", "running"]),
                name="one_training_at_a_time",
            )
        ]

    @property
    def is_over(self) -> bool:
        return self.state in {self.State.DONE, self.State.FAILED, self.State.CANCELLED}

    @property
    def is_paused(self) -> bool:
        return self.state == self.State.PAUSED

    @property
    def can_go_on(self) -> bool:
        """Whether it rests, or failed at something outside it and has kept what it had scored."""
        return self.is_paused or (self.kind in self.KEEPING and self.state == self.State.FAILED)

    @property
    def can_pause(self) -> bool:
        return self.kind in self.PAUSABLE and self.state in {self.State.QUEUED, self.State.RUNNING}

    @property
    def time_worked(self) -> timedelta | None:
        """How long workers had it, without the time it waited or was paused; None where that is not known."""
        if self.held_at and self.beat_at:
            return self.worked + max(timedelta(), self.beat_at - self.held_at)
        if self.worked:
            return self.worked
        until = self.finished_at or self.beat_at  # of runs that ended before such times were kept
        return until - self.started_at if until and self.started_at and self.state != self.State.QUEUED else None


class Score(models.Model):
    """What one scoring run says of one step. The number is in the scorer's own range."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="scores")
    trajectory = models.ForeignKey(Trajectory, models.CASCADE, related_name="scores")
    step = models.ForeignKey(Step, models.CASCADE, related_name="scores")
    value = models.FloatField()
    probability = models.FloatField(null=True, help_text="P(the step is not wrong), where the scorer is calibrated.")
    detail = models.JSONField(default=dict, help_text="Flags (truncated, window, out_of_domain) and the scorer's why.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "step"], name="one_score_per_run_and_step"),
            models.CheckConstraint(
                condition=Q(probability__isnull=True) | Q(probability__range=(0, 1)), name="probability_is_in_0_1"
            ),
        ]


class ScorerArtefact(models.Model):
    """The trained head of a project's embedded scorer. The newest activated one is in force."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="scorer_artefacts")
    artefact = VerbatimJSONField()
    report = models.JSONField(default=dict, help_text="Out-of-fold figures beside the baselines.")
    activated = models.BooleanField(help_text="Whether it passed the activation rule.")
    created_at = models.DateTimeField(auto_now_add=True)


class WorkerBeat(models.Model):
    """A worker's sign of life, so that a page can say when none is there."""

    ALIVE_FOR = timedelta(seconds=15)

    name = models.CharField(max_length=200, unique=True)
    queues = models.JSONField(default=list)
    beat_at = models.DateTimeField()

    @classmethod
    def alive(cls) -> models.QuerySet[WorkerBeat]:
        return cls.objects.filter(beat_at__gt=timezone.now() - cls.ALIVE_FOR)
