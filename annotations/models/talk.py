"""What annotators ask and flag at a step, what leads answer, and what leads say among themselves."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When

from annotations.models.labels import Annotation
from annotations.models.projects import Project, User
from annotations.models.trajectories import Step, Trajectory


class ThreadQuerySet(models.QuerySet["Thread"]):
    def with_state(self) -> ThreadQuerySet:
        """Each with `state` and `last`, the id of its newest message."""
        spoken = self.annotate(last=Subquery(_newest().values("pk")[:1]), last_by=_speaker())
        closed = When(closed_at__isnull=False, then=Value(Thread.State.CLOSED))
        waiting = When(last_by=F("begun_by"), then=Value(Thread.State.OPEN))
        return spoken.annotate(state=Case(closed, waiting, default=Value(Thread.State.ANSWERED)))

    def in_state(self, state: str) -> ThreadQuerySet:
        return self.with_state().filter(state=state)  # type: ignore[misc]

    def waiting(self) -> ThreadQuerySet:
        """The open ones: nobody has answered since the person who began it spoke last. Comments wait for nobody."""
        asked = self.filter(closed_at__isnull=True, kind__in=Thread.ASKED)
        return asked.alias(last_by=_speaker()).filter(last_by=F("begun_by"))


def _newest() -> models.QuerySet[Message]:
    return Message.objects.filter(thread=OuterRef("pk")).order_by("-pk")


def _speaker() -> Subquery:
    """Who spoke last."""
    return Subquery(_newest().values("author")[:1])


class Thread(models.Model):
    """A question or a flag about one step (null: the whole trajectory), with what was said since. Between the person
    who began it and those who lead; it tells a lead nothing else of the pass, and other annotators nothing at all. A
    comment is said by those who adjudicate, to one another."""

    class Kind(models.TextChoices):
        ASK = "ask", "Question"
        FLAG = "flag", "Flag"
        NOTE = "note", "Comment"

    ASKED = (Kind.ASK, Kind.FLAG)  # what one may begin in a pass of one's own

    class State(models.TextChoices):
        """What a thread has come to. It follows from who spoke last and whether it was closed since."""

        OPEN = "open", "Open"
        ANSWERED = "answered", "Answered"
        CLOSED = "closed", "Closed"

    project = models.ForeignKey(Project, models.CASCADE, related_name="threads")
    trajectory = models.ForeignKey(Trajectory, models.CASCADE, related_name="threads")
    step = models.ForeignKey(Step, models.CASCADE, null=True, blank=True, related_name="threads")
    annotation = models.ForeignKey(
        Annotation, models.SET_NULL, null=True, blank=True, related_name="threads", help_text="The pass it arose in."
    )
    kind = models.CharField(max_length=4, choices=Kind)
    begun_by = models.ForeignKey(User, models.PROTECT, related_name="threads")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ThreadQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["project", "-id"], name="threads_of_a_project"),
            models.Index(fields=["project"], condition=Q(closed_at__isnull=True), name="open_threads_of_a_project"),
        ]


class Message(models.Model):
    """One thing said in a thread. Never updated. `key` is the browser's, so that sending twice says it once."""

    thread = models.ForeignKey(Thread, models.CASCADE, related_name="messages")
    author = models.ForeignKey(User, models.PROTECT, related_name="+")
    text = models.TextField()
    key = models.UUIDField(unique=True)
    seen_at = models.DateTimeField(null=True, blank=True, help_text="When the other side first had it before them.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
