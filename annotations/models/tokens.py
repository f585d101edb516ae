"""API tokens: many a person, named, limited to reading or to one project where wanted."""

from __future__ import annotations

from django.db import models
from knox.models import AbstractAuthToken

from annotations.models.projects import Project


class ApiToken(AbstractAuthToken):
    class Scope(models.TextChoices):
        READ = "read", "Read"
        WRITE = "write", "Read and write"

    name = models.CharField(max_length=80)
    scope = models.CharField(max_length=5, choices=Scope, default=Scope.WRITE)
    project = models.ForeignKey(
        Project, models.CASCADE, null=True, blank=True, related_name="tokens", help_text="Empty: all the person sees."
    )
