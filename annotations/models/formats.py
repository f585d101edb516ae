"""Formats that people made by pointing at JSON that no other format knows."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

from annotations.models.projects import Project, User

NAME = RegexValidator(r"^[a-z0-9][a-z0-9-]{0,38}\Z", "A name has up to 39 small letters, digits and hyphens.")


class NamedFormat(models.Model):
    """Where a file of a project has its turns, roles and labels. `config` holds formats.mapped.Pointers."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="formats")
    name = models.CharField(max_length=39, validators=[NAME], help_text="What it is called where a format is chosen.")
    title = models.CharField(max_length=120, blank=True)
    config = models.JSONField()
    created_by = models.ForeignKey(User, models.PROTECT, null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="one_format_per_project_and_name")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.title or self.name
