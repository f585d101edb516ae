"""What a lead sees of the queue: what comes next and why, how the order came about, how passes were drawn so far.

Who labels blind must not see it: why a trajectory comes tells of its scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Count, F, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from annotations.models import Annotation, Project, QueueRank, Rater, Run, SavedView, Trajectory
from annotations.services import queue_policies_facts as facts
from annotations.services import seats

PER_PAGE = 50
NOTHING = (
    "Nothing scored the trajectories yet, so all of them come by chance. Once a scoring run is done the order follows."
)
NOTHING_OF = "{} has scored nothing here yet, so all trajectories come by chance. Once it has, the order follows."
READ_TRUTH = (
    "These scores were made by reading the reference, and labellers are not shown it here: the order would tell of it. "
    "So all trajectories come by chance."
)
EMPTY_VIEW = "The view shows nothing that is still to be labelled, so all trajectories come by chance."
NO_USE = {
    Project.Queue.DISAGREEMENT: "No judge has labelled a step that is scored, so all trajectories come by chance.",
    Project.Queue.UNCERTAIN: "These scores are not calibrated and do not say how sure the scorer is, so all "
    "trajectories come by chance. Calibrate them on the page of scores.",
    Project.Queue.CRITICAL: "No trajectory has two steps that are scored, so all of them come by chance.",
}
TITLES = {**dict(Project.Queue.choices), "none": "The rest"}


@dataclass(frozen=True)
class Upcoming:
    """A trajectory with room. `place` goes into `after` for what follows it; `by` and `reason` say why it stands there,
    both empty in the order of import."""

    place: int
    trajectory: int
    external_id: str
    task: str
    taken: int
    drawn: str = ""
    policy: str = ""
    priority: float | None = None
    reason: str = ""

    @property
    def by(self) -> str:
        if self.drawn == Annotation.Drawn.RANDOM:
            return Annotation.Drawn.RANDOM.label
        return str(TITLES.get(self.policy, self.policy))


@dataclass(frozen=True)
class Status:
    """`ordered` is the run whose order is in force, `scored` that whose scores it follows, `working` one that works on
    the next order; `notice` says what a lead should know of it; `view` is the query of the view it follows."""

    ordered: Run | None
    scored: Run | None
    working: Run | None
    notice: str
    view: str = ""


def upcoming(project: Project, after: int = 0, limit: int = PER_PAGE) -> list[Upcoming]:
    """The next trajectories with a free seat behind that place, in the order in which they are given out."""
    rows = _imported(project) if project.queue_ranking_id is None else _ranked(project)
    behind = rows.filter(at__gt=after, taken__lt=project.overlap).order_by("at")
    names = ("at", "pk_of", "name", "task_name", "taken", "how", "part", "number", "why")
    return [Upcoming(*row) for row in behind.values_list(*names)[:limit]]


def _ranked(project: Project) -> QuerySet[Any]:
    ranks = QueueRank.objects.filter(run=project.queue_ranking_id, trajectory__superseded_at__isnull=True)
    return ranks.annotate(
        at=F("place"),
        pk_of=F("trajectory"),
        name=F("trajectory__external_id"),
        task_name=F("trajectory__task__external_id"),
        taken=_taken("trajectory"),
        how=F("drawn"),
        part=F("policy"),
        number=F("priority"),
        why=F("reason"),
    )


def _imported(project: Project) -> QuerySet[Any]:
    nothing = Value("", CharField())
    return (
        Trajectory.objects.live()
        .filter(project=project)
        .annotate(
            at=F("pk"),
            pk_of=F("pk"),
            name=F("external_id"),
            task_name=F("task__external_id"),
            taken=_taken("pk"),
            how=nothing,
            part=nothing,
            number=Value(None, IntegerField(null=True)),
            why=nothing,
        )
    )


def _taken(trajectory: str) -> Coalesce:
    held = Annotation.objects.filter(trajectory=OuterRef(trajectory), seat__lt=seats.BESIDE).order_by()
    counted = held.values("trajectory").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def status(project: Project) -> Status:
    runs = Run.objects.filter(project=project, kind=Run.Kind.QUEUE)
    ordered = runs.filter(pk=project.queue_ranking_id).first() if project.queue_ranking_id else None
    working = runs.open().order_by("-id").first()
    scored = facts.scored_by(project)
    kept = SavedView.objects.filter(project=project, name=project.queue_view).values_list("query", flat=True).first()
    return Status(ordered, scored, working, _notice(project, scored, ordered), kept or "")


def _notice(project: Project, scored: Run | None, ordered: Run | None) -> str:
    if project.queue_policy in (Project.Queue.IMPORT, Project.Queue.RANDOM, Project.Queue.DIVERSE):
        return ""
    spoke = bool(ordered and ordered.result.get("spoke"))
    if project.queue_policy == Project.Queue.VIEW:
        return "" if spoke or ordered is None else EMPTY_VIEW
    if scored is None:
        if facts.would_read_the_truth(project):
            return READ_TRUTH
        return NOTHING_OF.format(project.queue_scorer) if project.queue_scorer else NOTHING
    if ordered and ordered.result.get("scored_by") and not spoke:
        return NO_USE.get(Project.Queue(project.queue_policy), "")
    return ""


def drawn(project: Project) -> dict[str, int]:
    """How many passes that people submitted were drawn by chance, by policy, and otherwise ("")."""
    passes = (
        Annotation.objects.live()
        .for_labels()
        .filter(rater__project=project, rater__kind=Rater.Kind.HUMAN, state=Annotation.State.SUBMITTED)
    )
    found = dict(passes.values_list("drawn").annotate(count=Count("pk")).order_by())
    return {kind: found.get(kind, 0) for kind in (*Annotation.Drawn.values, "")}
