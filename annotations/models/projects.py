"""Who works on what, and under which rules."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db import models
from django.db.models import Q


class User(AbstractUser):
    """A person with a login."""

    preferences = models.JSONField(
        default=dict, blank=True, help_text="How they like to work: services/preferences.py."
    )


class SchemeVersion(models.Model):
    """A frozen scheme document. Never updated: a change is a new row."""

    name = models.SlugField(max_length=60)
    version = models.CharField(max_length=20)
    document = models.JSONField()
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: User | AnonymousUser) -> ProjectQuerySet:
        """Projects the user is a member of. Nobody sees another one, by any door."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(memberships__user=user)


class Project(models.Model):
    class Mode(models.TextChoices):
        BLIND = "blind", "Blind"
        REFERENCE = "reference", "Reference"
        ASSISTED = "assisted", "Assisted"
        PROGRESSIVE = "progressive", "Progressive"

    class Propagation(models.TextChoices):
        OFF = "off", "Off"
        SUGGEST = "suggest", "Suggest"
        FILL = "fill", "Fill"

    class Queue(models.TextChoices):
        IMPORT = "import", "As imported"
        WRONG = "wrong", "Most likely wrong first"
        DISAGREEMENT = "disagreement", "Where judges and the scorer differ"
        CRITICAL = "critical", "Largest fall from one step to the next"
        UNCERTAIN = "uncertain", "Where the scorer is least sure"
        DIVERSE = "diverse", "Different courses of action in turn"
        RANDOM = "random", "By chance, from all tasks alike"
        ACTIVE = "active", "Active learning"
        VIEW = "view", "What a kept view shows"

    LEAST_AT_RANDOM = 10  # percent

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    scheme = models.ForeignKey(SchemeVersion, models.PROTECT, related_name="projects")
    overlap = models.PositiveSmallIntegerField(default=2, help_text="How many people label each trajectory.")
    lease_minutes = models.PositiveSmallIntegerField(default=15)
    mode = models.CharField(max_length=12, choices=Mode, default=Mode.BLIND)
    propagation = models.CharField(max_length=8, choices=Propagation, default=Propagation.SUGGEST)
    prefill = models.CharField(
        max_length=170,
        blank=True,
        help_text="Whose labels an assisted pass suggests, as scorer:<name> or judge:<name>.",
    )
    prefill_confidence = models.FloatField(default=0.8, help_text="Suggestions below it are not shown.")
    blind_share = models.PositiveSmallIntegerField(
        default=15, help_text="Percent of assisted passes that are begun blind, so that quality can be measured."
    )
    reference = models.ForeignKey(
        "Rater",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The rater others are held against.",
    )
    queue_policy = models.CharField(max_length=12, choices=Queue, default=Queue.IMPORT)
    queue_scorer = models.CharField(
        max_length=150, blank=True, help_text="Whose scores order the queue. Empty: those of the newest run."
    )
    queue_view = models.CharField(
        max_length=80, blank=True, help_text="The kept view of the list whose trajectories come first."
    )
    queue_random = models.PositiveSmallIntegerField(
        default=20, help_text="Percent of the trajectories that come by chance, whatever their scores."
    )
    queue_ranking = models.ForeignKey(
        "Run",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The run whose ranks are the queue's order. Null: the order of import.",
    )
    judge_limits = models.JSONField(
        default=dict, blank=True, help_text="What the project's judges must keep to, where that is not the default."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(overlap__gte=1), name="project_wants_at_least_one_label"),
            models.CheckConstraint(condition=Q(lease_minutes__gte=1), name="project_leases_last_a_minute_or_more"),
            models.CheckConstraint(
                condition=Q(prefill_confidence__range=(0, 1)), name="project_prefill_confidence_is_in_0_1"
            ),
            models.CheckConstraint(condition=Q(blind_share__lte=100), name="project_blind_share_is_a_percentage"),
            models.CheckConstraint(condition=Q(queue_random__range=(10, 100)), name="project_draws_a_tenth_at_random"),
        ]

    def __str__(self) -> str:
        return self.slug


class Guideline(models.Model):
    """One version of a project's guidelines, in Markdown. The newest is in force; labels name the one they saw."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="guidelines")
    version = models.PositiveIntegerField()
    text = models.TextField()
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "version"], name="one_guideline_per_project_and_version")
        ]
        ordering = ["-version"]


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    MANAGER = "manager", "Manager"
    REVIEWER = "reviewer", "Reviewer"
    ANNOTATOR = "annotator", "Annotator"
    VIEWER = "viewer", "Viewer"


class Membership(models.Model):
    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_membership_per_project_and_user")]
