"""What is labelled: tasks, their rollouts, the steps of each."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from annotations.models.fields import VerbatimJSONField
from annotations.models.projects import Project


class Task(models.Model):
    """One problem that agents were given."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="tasks")
    external_id = models.CharField(max_length=400)
    source = models.CharField(max_length=200, blank=True, help_text="The dataset it comes from.")
    instruction = models.TextField(blank=True)
    reference = VerbatimJSONField(null=True, help_text="The ground truth; hidden from annotators in blind mode.")
    tools = VerbatimJSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "external_id"], name="one_task_per_project_and_external_id")
        ]


class Original(models.Model):
    """What trajectories were made of: a record as it stood in its file, byte for byte; of files that belong together, a
    zip of them. Packed with Zstandard."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="originals")
    sha256 = models.CharField(max_length=64, help_text="Of the unpacked bytes.")
    size = models.PositiveBigIntegerField(help_text="In bytes, unpacked.")
    content = models.BinaryField()
    file = models.CharField(max_length=400, help_text="What its owner calls the file it was first found in.")
    line = models.PositiveBigIntegerField(help_text="Where it stands there: its line, or its place in a list, from 1.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "sha256"], name="one_original_per_project_and_content")
        ]


class TrajectoryQuerySet(models.QuerySet["Trajectory"]):
    def live(self) -> TrajectoryQuerySet:
        """The newest version of each rollout."""
        return self.filter(superseded_at__isnull=True)


class Trajectory(models.Model):
    """One rollout of a task. A changed one comes in as a new version; the old keeps its labels."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="trajectories")
    task = models.ForeignKey(Task, models.CASCADE, related_name="trajectories")
    external_id = models.CharField(max_length=400)
    rollout = models.PositiveIntegerField()
    version = models.PositiveIntegerField(default=1)
    superseded_at = models.DateTimeField(null=True, blank=True)
    policy_model = models.CharField(max_length=200, blank=True)
    outcome = VerbatimJSONField(null=True)
    content_hash = models.CharField(max_length=64)
    whole_hash = models.CharField(
        max_length=64, blank=True, db_default="", help_text="Of a segmented one: its content_hash by message."
    )
    turns_hash = models.CharField(
        max_length=32, blank=True, db_default="", help_text="Equal where all that was said, done and seen is."
    )
    actions_hash = models.CharField(
        max_length=32, blank=True, db_default="", help_text="Equal where the agent did the same, in the same order."
    )
    grouped = models.BooleanField(
        db_default=False, help_text="It stands for one with those of its task that have its actions_hash."
    )
    format = models.CharField(max_length=40)
    meta = models.JSONField(default=dict, help_text="The identifying numbers of the original record.")
    extra = VerbatimJSONField(default=dict)
    original = models.ForeignKey(Original, models.SET_NULL, null=True, related_name="trajectories")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TrajectoryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["task", "rollout", "version"], name="one_trajectory_per_task_rollout_and_version"
            ),
            models.UniqueConstraint(
                fields=["task", "rollout"],
                condition=Q(superseded_at__isnull=True),
                name="one_live_trajectory_per_task_and_rollout",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "id"], condition=Q(superseded_at__isnull=True), name="live_trajectories"),
            models.Index(fields=["project", "external_id"], name="trajectory_by_external_id"),
            models.Index(
                fields=["project", "turns_hash"], condition=Q(superseded_at__isnull=True), name="live_by_turns"
            ),
            models.Index(
                fields=["task", "actions_hash"], condition=Q(superseded_at__isnull=True), name="live_by_actions"
            ),
        ]

    def __str__(self) -> str:
        return self.external_id


class StepQuerySet(models.QuerySet["Step"]):
    def of_agent(self) -> StepQuerySet:
        """The steps that are labelled."""
        return self.filter(source=Step.Source.AGENT)


class Step(models.Model):
    """One turn. Only the agent's are labelled; the others are context and evidence."""

    class Source(models.TextChoices):
        SYSTEM = "system", "System"
        USER = "user", "User"
        AGENT = "agent", "Agent"

    trajectory = models.ForeignKey(Trajectory, models.CASCADE, related_name="steps")
    index = models.PositiveIntegerField(help_text="Place in the trajectory, from 0.")
    source = models.CharField(max_length=8, choices=Source)
    source_index = models.PositiveIntegerField(help_text="Place of its first message in the original file, from 0.")
    message = models.TextField(blank=True)
    reasoning = models.TextField(blank=True)
    tool_calls = VerbatimJSONField(default=list)
    observations = VerbatimJSONField(default=list)
    extra = VerbatimJSONField(default=dict)
    content_hash = models.CharField(max_length=64)
    ordinal = models.PositiveIntegerField(default=0, help_text="Which of the trajectory's equal steps, from 0.")
    action_hash = models.CharField(
        max_length=16, blank=True, db_default="", help_text="Equal for equal actions; ids do not count."
    )
    turn_hash = models.CharField(
        max_length=16, blank=True, db_default="", help_text="Equal where all that was said, done and seen is."
    )
    outline = VerbatimJSONField(null=True, help_text="The beginnings of its texts, where they are too long for a page.")
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="children")

    objects = StepQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trajectory", "index"], name="one_step_per_trajectory_and_index")
        ]
        ordering = ["index"]

    @property
    def stable_id(self) -> str:
        """The same for the same step of a re-imported trajectory, wherever it stands."""
        return f"{self.content_hash[:16]}-{self.ordinal}"
