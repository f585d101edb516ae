"""Spans as they were sent: kept as they came, until their trace is a trajectory, and some days more."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from annotations.models.projects import Project


class Trace(models.Model):
    """A trace that spans came of. It waits while `spans` is more than `taken`, those its trajectory was made of. Once
    it was `emptied`, its older spans stand in its trajectory's original alone."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="traces")
    trace_id = models.CharField(max_length=32, help_text="In hex. Its trajectory's name.")
    spans = models.PositiveIntegerField(help_text="How many came.")
    taken = models.PositiveIntegerField(default=0, help_text="Of how many its trajectory was made.")
    ended = models.BooleanField(
        default=False, help_text="Whether its root span came, which comes last, or it is not to be waited for."
    )
    problem = models.TextField(blank=True, help_text="Why there is no trajectory of it, where there is none.")
    service = models.CharField(max_length=200, db_default="", help_text="Whose spans they are, by their resource.")
    session = models.CharField(max_length=300, db_default="", help_text="The conversation, where its spans name one.")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    emptied = models.BooleanField(db_default=False, help_text="Whether the spans that came first were deleted.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "trace_id"], name="one_trace_per_project_and_id")]
        indexes = [
            models.Index(fields=["last_at"], name="traces_that_wait", condition=Q(spans__gt=F("taken"))),
            models.Index(fields=["last_at"], name="traces_with_old_spans", condition=Q(emptied=False)),
            models.Index(fields=["project", "-id"], name="traces_newest_first"),
        ]


class ReceivedSpan(models.Model):
    """One span, byte for byte of what was said of it: a protobuf Span, or JSON where it begins with a brace. `around`
    is the ResourceSpans that it stood in, without its spans, in the same encoding."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="received_spans")
    trace_id = models.CharField(max_length=32)
    span_id = models.CharField(max_length=16)
    around = models.BinaryField()
    payload = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "trace_id", "span_id"], name="one_span_per_trace_and_id")
        ]
