"""In which order the queue gives trajectories out, where that is not the order of import."""

from __future__ import annotations

from django.db import models

from annotations.models.labels import Annotation
from annotations.models.runs import Run
from annotations.models.trajectories import Trajectory


class QueueRank(models.Model):
    """The place one run of the project's policy gave to a trajectory. In force are those of `Project.queue_ranking`."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="ranks", db_index=False)
    trajectory = models.ForeignKey(Trajectory, models.CASCADE, related_name="ranks")
    place = models.PositiveIntegerField(help_text="From 1.")
    drawn = models.CharField(max_length=6, choices=Annotation.Drawn)
    policy = models.CharField(max_length=12, help_text="Which policy put it there; of a mixture, which of its parts.")
    priority = models.FloatField(null=True, help_text="The higher the sooner. Null: it was drawn, or has no score.")
    reason = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "place"], name="one_trajectory_per_run_and_place"),
            models.UniqueConstraint(fields=["run", "trajectory"], name="one_rank_per_run_and_trajectory"),
        ]
