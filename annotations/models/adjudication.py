"""Where raters differ, and what was decided there."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from annotations.models.labels import Annotation
from annotations.models.projects import Project, User
from annotations.models.trajectories import Trajectory


class Standing(models.Model):
    """How far the raters of one trajectory differ: people by themselves, and everybody whose labels are there. Kept up
    with every pass that is handed in or taken back, so that no page has to compare labels."""

    trajectory = models.OneToOneField(Trajectory, models.CASCADE, related_name="standing", primary_key=True)
    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    people = models.PositiveSmallIntegerField(default=0, help_text="How many people have handed it in.")
    everybody = models.PositiveSmallIntegerField(default=0, help_text="Judges and files among them.")
    people_differ = models.PositiveIntegerField(default=0, help_text="Answers in which people differ.")
    everybody_differ = models.PositiveIntegerField(default=0)
    people_weight = models.FloatField(default=0.0, help_text="The same, each by how far apart the answers are.")
    everybody_weight = models.FloatField(default=0.0)
    first = models.PositiveIntegerField(null=True, help_text="Index of the first step on which anybody differs.")
    at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["project", "-people_weight", "trajectory"],
                condition=Q(people_differ__gt=0),
                name="people_differ_most",
            ),
            models.Index(
                fields=["project", "-everybody_weight", "trajectory"],
                condition=Q(everybody_differ__gt=0),
                name="everybody_differs_most",
            ),
        ]


class Adjudication(models.Model):
    """One trajectory on its way from several opinions to one. Its labels are those of `annotation`, a pass of the
    project's rater “adjudicated”; each names whose word it is and what was decided before that was seen."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="adjudications")
    trajectory = models.OneToOneField(Trajectory, models.CASCADE, related_name="adjudication")
    annotation = models.OneToOneField(Annotation, models.CASCADE, related_name="adjudication")
    by = models.ForeignKey(User, models.PROTECT, related_name="+", help_text="Who has it now, or settled it.")
    everybody = models.BooleanField(default=False, help_text="Judges and files are heard too, not only people.")
    blind = models.BooleanField(default=True, help_text="What raters said is shown only once something is decided.")
    firsts = models.JSONField(default=dict, help_text="By place: what was decided before the others were seen.")
    seen = models.JSONField(default=list, help_text="Places at which the others were seen.")
    reopened_because = models.TextField(blank=True)
    opened_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)
    weighed = models.JSONField(
        null=True,
        help_text="How far raters agreed before, and with what was decided. See services.adjudication_weighed.",
    )
