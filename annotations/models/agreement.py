"""How far raters agree as it stands now: what is counted of each task, the sums of it all, what waits to be counted."""

from __future__ import annotations

from django.db import models

from annotations.models.projects import Project, SchemeVersion
from annotations.models.trajectories import Task


class AgreementMark(models.Model):
    """A task whose labels have changed since it was counted. Written in the transaction of the change, one row a
    change, so that nobody waits for anybody; taken away by whoever counts the task."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    task = models.ForeignKey(Task, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        indexes = [models.Index(fields=["project", "id"], name="agreement_marks_of_a_project")]


class TaskAgreement(models.Model):
    """What was counted of one task: how often answers stand together. See models_service.statistics.running."""

    task = models.OneToOneField(Task, models.CASCADE, related_name="+", primary_key=True)
    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    counts = models.JSONField()


class ProjectAgreement(models.Model):
    """The sums of a project's tasks, all whole numbers, and the figures that follow from them. Whoever changes it holds
    the row's lock from before the labels are read until the sums are written."""

    project = models.OneToOneField(Project, models.CASCADE, related_name="agreement", primary_key=True)
    scheme = models.ForeignKey(SchemeVersion, models.PROTECT, related_name="+", help_text="Counted in its words.")
    sums = models.JSONField(default=dict)
    figures = models.JSONField(default=dict)
    at = models.DateTimeField(null=True, help_text="When the figures were last worked out.")
