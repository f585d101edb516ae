"""The documents a project labels by, as people wrote them, and the rubrics of its tasks."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from annotations.models.projects import Project, SchemeVersion, User
from annotations.models.trajectories import Task


class ProjectScheme(models.Model):
    """One version of a project's scheme: the YAML as it was written, and what was frozen of it. The project's own
    `scheme` says which is in force; a version that was never in force is a draft."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="schemes")
    number = models.PositiveIntegerField()
    scheme = models.ForeignKey(SchemeVersion, models.PROTECT, related_name="+")
    text = models.TextField()
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True, help_text="When it first came into force.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="one_scheme_per_project_and_number")]
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.project} scheme {self.number}"


class Rubric(models.Model):
    """The items of a rubric field for the rollouts of one task. Never updated but for a person's word on it."""

    class Source(models.TextChoices):
        FILE = "file", "File"
        PERSON = "person", "Person"
        JUDGE = "judge", "Judge"

    task = models.ForeignKey(Task, models.CASCADE, related_name="rubrics")
    field = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    items = models.JSONField()
    source = models.CharField(max_length=8, choices=Source)
    rater = models.CharField(max_length=150, blank=True, help_text="The judge that made it.")
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    rejected_at = models.DateTimeField(null=True, blank=True)
    edited_from = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="edits", help_text="The judge's list that a person made it of."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "field", "number"], name="one_rubric_per_task_field_and_number"),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True) | Q(rejected_at__isnull=True),
                name="rubric_is_approved_or_rejected",
            ),
        ]
