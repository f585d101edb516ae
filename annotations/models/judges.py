"""Judges: language models that label as people do. Where they are asked, what they are asked, and every question with
its answer and its price."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from annotations.models.fields import VerbatimJSONField
from annotations.models.labels import Annotation, Rater
from annotations.models.projects import Guideline, Project, User
from annotations.models.reports import Report
from annotations.models.runs import Run
from annotations.models.schemes import Rubric
from annotations.models.trajectories import Task, Trajectory


class JudgeServer(models.Model):
    """Where models are asked: an address that speaks the API of OpenAI, for all projects. Never changed: another way is
    another row. Holds no secret, only the name of the variable of the workers' environment that does."""

    name = models.SlugField(max_length=60)
    title = models.CharField(max_length=200)
    url = models.CharField(max_length=400, help_text="As API clients are given it, ending in /v1.")
    key_env = models.CharField(max_length=100, blank=True)
    options = models.JSONField(default=dict, help_text="annotations.judges.servers.Options.")
    prices = models.JSONField(null=True, help_text="annotations.judges.servers.Prices; null: no price is known.")
    added_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(removed_at__isnull=True), name="one_judge_server_per_name"
            )
        ]

    def __str__(self) -> str:
        return self.name


class JudgePace(models.Model):
    """How many requests and tokens the server may still be sent at that moment: what is shared by all workers. Refilled
    by the second, up to a minute's worth."""

    server = models.OneToOneField(JudgeServer, models.CASCADE, related_name="pace", primary_key=True)
    requests = models.FloatField()
    tokens = models.FloatField()
    at = models.DateTimeField()


class Judge(models.Model):
    """One version of a judge of a project: which model, what it is asked, and how. Never changed: another wording is
    another version, with a rater of its own, so that labels of two versions never mix."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="judges")
    name = models.SlugField(max_length=60)
    version = models.PositiveIntegerField()
    rater = models.OneToOneField(Rater, models.PROTECT, related_name="judge")
    server = models.ForeignKey(JudgeServer, models.PROTECT, related_name="judges")
    model = models.CharField(max_length=200, help_text="As the server calls it.")
    prompt = models.TextField(help_text="The template, as it was when this version was made.")
    prompt_name = models.CharField(max_length=100, help_text="Which file it came from, name and version; or own.")
    guideline = models.ForeignKey(
        Guideline, models.PROTECT, null=True, related_name="+", help_text="The project's rubric that it is shown."
    )
    settings = models.JSONField(help_text="annotations.judges.settings.Settings.")
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name", "version"], name="one_judge_per_name_and_version")
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class JudgeCall(models.Model):
    """One question to a server and what came of it. Known by its content, so that no answer is paid twice: the row is
    there before the question goes out, and whoever asks the same later finds it."""

    class State(models.TextChoices):
        PENDING = "pending", "Asked"
        ANSWERED = "answered", "Answered"
        FAILED = "failed", "Failed"
        REFUSED = "refused", "Refused"  # asking again would bring the same

    project = models.ForeignKey(Project, models.CASCADE, related_name="judge_calls")
    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="judge_calls", help_text="That asked first.")
    judge = models.ForeignKey(Judge, models.SET_NULL, null=True, related_name="calls")
    trajectory = models.ForeignKey(Trajectory, models.SET_NULL, null=True, related_name="+")
    server = models.ForeignKey(JudgeServer, models.PROTECT, related_name="+")
    model = models.CharField(max_length=200)
    key = models.CharField(max_length=64, help_text="SHA-256 of all that makes the answer what it is.")
    purpose = models.CharField(max_length=60, help_text="What it is for: verdict, critique, repair, …")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    question = VerbatimJSONField(help_text="Messages, schema and sampling, as they were sent.")
    answer = models.TextField(blank=True, help_text="Word for word.")
    rung = models.CharField(max_length=20, blank=True, help_text="How its form was asked for.")
    finish = models.CharField(max_length=40, blank=True)
    served_model = models.CharField(max_length=200, blank=True, help_text="As the answer names it.")
    detail = models.JSONField(null=True, help_text="Log-probabilities of its tokens, where they were asked for.")
    error = models.TextField(blank=True)
    prompt_tokens = models.PositiveBigIntegerField(null=True)
    cached_tokens = models.PositiveBigIntegerField(null=True)
    completion_tokens = models.PositiveBigIntegerField(null=True)
    reasoning_tokens = models.PositiveBigIntegerField(null=True)
    reserved_micro = models.PositiveBigIntegerField(default=0, help_text="Held of the budget while it is pending.")
    cost_micro = models.PositiveBigIntegerField(null=True, help_text="Null: no price or no count of tokens is known.")
    price_version = models.CharField(max_length=60, blank=True)
    latency_ms = models.PositiveIntegerField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    asked_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="one_judge_call_per_content")]
        indexes = [models.Index(fields=["judge", "trajectory"], name="calls_of_a_judge")]


class JudgeVerdict(models.Model):
    """How a judge came to one pass: the votes and the questions behind its labels, or why it has said nothing."""

    annotation = models.OneToOneField(Annotation, models.CASCADE, related_name="verdict")
    judge = models.ForeignKey(Judge, models.CASCADE, related_name="verdicts")
    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="verdicts")
    calls = models.ManyToManyField(JudgeCall, related_name="verdicts")
    detail = models.JSONField(default=dict, help_text="By place: chances of each value, votes, reliability.")
    made_at = models.DateTimeField(auto_now_add=True)


class RubricWriting(models.Model):
    """What came of asking a judge for a task's list: the list, or why there is none. The run's configuration says what
    the judge was told."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="rubric_writings")
    task = models.ForeignKey(Task, models.CASCADE, related_name="rubric_writings")
    judge = models.ForeignKey(Judge, models.CASCADE, related_name="rubric_writings")
    rubric = models.OneToOneField(Rubric, models.CASCADE, null=True, related_name="writing")
    failed = models.TextField(blank=True)
    calls = models.ManyToManyField(JudgeCall, related_name="rubric_writings")
    detail = models.JSONField(default=dict, help_text="What the judge considered, and the evidence of each item.")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "task"], name="one_writing_per_run_and_task"),
            models.CheckConstraint(
                condition=Q(rubric__isnull=False, failed="") | (Q(rubric__isnull=True) & ~Q(failed="")),
                name="a_writing_is_a_list_or_a_reason",
            ),
        ]


class JudgeBudget(models.Model):
    """What a project's judges may spend, in millionths of the currency. The row is the limit: no question goes out that
    it cannot hold."""

    project = models.OneToOneField(Project, models.CASCADE, related_name="judge_budget", primary_key=True)
    currency = models.CharField(max_length=3, default="USD")
    limit_micro = models.PositiveBigIntegerField()
    spent_micro = models.PositiveBigIntegerField(default=0)
    reserved_micro = models.PositiveBigIntegerField(default=0)
    changed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    @property
    def left_micro(self) -> int:
        return self.limit_micro - self.spent_micro - self.reserved_micro


class JudgeLeave(models.Model):
    """A manager's word that a judge's labels may be used although its probes speak against it, or are not there."""

    rater = models.ForeignKey(Rater, models.CASCADE, related_name="leaves")
    report = models.ForeignKey(Report, models.PROTECT, null=True, related_name="+", help_text="What was known then.")
    reason = models.TextField()
    signed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    signed_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rater"], condition=Q(withdrawn_at__isnull=True), name="one_leave_per_judge"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gte=F("signed_at")),
                name="a_leave_ends_after_it_began",
            ),
        ]
