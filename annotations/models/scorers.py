"""Scorers that somebody added to the deployment beside those of its settings."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from annotations.models.projects import User


class DeployedScorer(models.Model):
    """How a scorer is made. Never changed: another way is another row. Holds no secrets, only the names of variables of
    the workers' environment that do."""

    name = models.SlugField(max_length=60)
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=200, help_text="Its class, one that workers know.")
    options = models.JSONField(default=dict)
    price = models.JSONField(null=True, help_text="Of a million tokens, in millionths of a currency.")
    added_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name"], condition=Q(removed_at__isnull=True), name="one_scorer_per_name")
        ]
