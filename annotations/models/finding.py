"""Finding things again: the words and the meaning of steps, and views of the list that somebody keeps."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from annotations.models.fields import SignsField
from annotations.models.projects import Project, User
from annotations.models.trajectories import Step


class StepWords(models.Model):
    """The words of a step's texts, as far as their beginnings go, for searching. Made after the step came in."""

    step = models.OneToOneField(Step, models.CASCADE, related_name="words", primary_key=True)
    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    words = SearchVectorField()

    class Meta:
        indexes = [GinIndex(fields=["words"], name="words_of_steps")]


class StepMeaning(models.Model):
    """What a sentence encoder made of a step, for finding steps that mean alike. Made by a run of its own."""

    step = models.OneToOneField(Step, models.CASCADE, related_name="meaning", primary_key=True)
    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    signs = SignsField(help_text="A bit a number of the vector, 1 where it is above 0: near vectors differ in few.")
    vector = models.BinaryField(help_text="The vector, of length 1, as half-precision floats, the low byte first.")


class SavedView(models.Model):
    """The list of trajectories as somebody filtered and sorted it, under a name, for everybody who may see it."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="views")
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=2000, blank=True, help_text="What the address of the list asks for.")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="one_view_per_project_and_name")]
