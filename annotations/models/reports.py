"""Computed results, and the log of who did what. Rows here are never updated."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from annotations.models.labels import Annotation
from annotations.models.projects import Project, User
from annotations.models.runs import Run


class Report(models.Model):
    """One computed result and exactly what it was computed from."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="reports")
    run = models.OneToOneField(Run, models.SET_NULL, null=True, related_name="report")
    kind = models.CharField(max_length=20, default="agreement")
    config = models.JSONField(default=dict)
    inputs = models.JSONField(default=dict, help_text="Counts and the hash of the labels it was computed from.")
    result = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)


class Event(models.Model):
    """Who did what to what, before and after. A change to labels carries the id its browser gave it, so that a
    request that arrives twice is one change."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="events")
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=40)
    annotation = models.ForeignKey(Annotation, models.CASCADE, null=True, related_name="events")
    revision = models.PositiveIntegerField(null=True, help_text="The annotation's revision after it.")
    change = models.UUIDField(null=True)
    undoes = models.ForeignKey("self", models.PROTECT, null=True, related_name="undone_by")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["annotation", "change"], condition=Q(change__isnull=False), name="one_event_per_change"
            )
        ]
        indexes = [models.Index(fields=["project", "-id"], name="events_of_a_project")]
