"""Finding things again: the words of steps, and views of the list that somebody keeps."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from annotations.models.projects import Project, User
from annotations.models.trajectories import Step


class StepWords(models.Model):
    """The words of a step's texts, as far as their beginnings go, for searching. Made after the step came in."""

    step = models.OneToOneField(Step, models.CASCADE, related_name="words", primary_key=True)
    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    words = SearchVectorField()

    class Meta:
        indexes = [GinIndex(fields=["words"], name="words_of_steps")]


class SavedView(models.Model):
    """The list of trajectories as somebody filtered and sorted it, under a name, for everybody who may see it."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="views")
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=2000, blank=True, help_text="What the address of the list asks for.")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="one_view_per_project_and_name")]
