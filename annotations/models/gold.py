"""Items whose answer is known: slipped into the queue to see how people do, or to train newcomers with; and items that
are given to the same person again."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from annotations.models.labels import Annotation, Rater
from annotations.models.projects import Project, User
from annotations.models.trajectories import Trajectory


class GoldPlan(models.Model):
    """What a project does with its gold items, and with items given again. None for a project: nothing."""

    class Shown(models.TextChoices):
        NOTHING = "nothing", "Nothing"
        TOTALS = "totals", "Their totals up to the day before, never which items they were"
        ITEMS = "items", "Also which items they were, and what is right, once the day is over"

    project = models.OneToOneField(Project, models.CASCADE, related_name="gold_plan", primary_key=True)
    every = models.PositiveSmallIntegerField(
        default=0, help_text="One in so many of what an annotator is given is gold. 0: none is."
    )
    shown = models.CharField(max_length=8, choices=Shown, default=Shown.TOTALS)
    again = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="One in so many of what an annotator is given is one of theirs from before. 0: none is.",
    )
    again_after = models.PositiveSmallIntegerField(
        default=7, db_default=7, help_text="Days that lie between the two passes at least."
    )
    seed = models.CharField(max_length=32, help_text="What the draw hangs on.")
    training = models.PositiveSmallIntegerField(
        default=0, help_text="How many training items a newcomer does before the queue. 0: none."
    )
    mark = models.PositiveSmallIntegerField(
        default=80, help_text="Percent of the reference's answers that a newcomer has to give to pass."
    )
    training_since = models.DateTimeField(null=True, help_text="Who was a member before then is not trained.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(every=1), name="not_everything_that_is_given_is_gold"),
            models.CheckConstraint(condition=~Q(again=1), name="not_everything_is_given_again"),
            models.CheckConstraint(condition=Q(mark__lte=100), name="gold_mark_is_a_percentage"),
        ]


class Gold(models.Model):
    """A trajectory whose labels are known. `reference` is the pass that is held to be right."""

    class Use(models.TextChoices):
        QUEUE = "queue", "Slipped into the queue"
        TRAINING = "training", "Training"

    project = models.ForeignKey(Project, models.CASCADE, related_name="gold")
    trajectory = models.OneToOneField(Trajectory, models.CASCADE, related_name="gold")
    reference = models.OneToOneField(Annotation, models.CASCADE, related_name="gold")
    use = models.CharField(max_length=8, choices=Use, default=Use.QUEUE)
    explanation = models.TextField(blank=True, help_text="What a newcomer is told beside the reference's own words.")
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)


class Training(models.Model):
    """How a newcomer's training goes. `rounds` are in order, each {"items": ids of gold items, "right", "compared"};
    the last two are there once it is over."""

    rater = models.OneToOneField(Rater, models.CASCADE, related_name="training", primary_key=True)
    rounds = models.JSONField(default=list)
    passed_at = models.DateTimeField(null=True)
    passed_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", help_text="The lead who let them pass. Null: by their score."
    )
    created_at = models.DateTimeField(auto_now_add=True)
