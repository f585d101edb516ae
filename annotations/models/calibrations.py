"""How the numbers of a scoring run are read as probabilities. Rows here are never updated."""

from __future__ import annotations

from django.db import models

from annotations.models.projects import Project, User
from annotations.models.runs import Run


class Calibration(models.Model):
    """One map from a scoring run's numbers to P(the step is not wrong), and how well it does on tasks it has not seen.
    The newest of a scoring run holds; scores stay as the scorer said them."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="calibrations")
    scored = models.ForeignKey(
        Run, models.CASCADE, related_name="calibrations", help_text="The scoring run whose numbers it reads."
    )
    run = models.OneToOneField(
        Run, models.SET_NULL, null=True, related_name="calibration", help_text="The run that fitted it."
    )
    scorer = models.CharField(max_length=200)
    method = models.CharField(max_length=20)
    parameters = models.JSONField(help_text="The map: see docs/calibration.md.")
    report = models.JSONField(help_text="Figures before and after, out of fold, with intervals.")
    labels_sha256 = models.CharField(max_length=64, help_text="Of the labels it was fitted to.")
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["scored", "-id"], name="calibrations_of_a_run")]
