"""How far a project is, by state and by person, and what waits for whom. Counted when asked, kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet, Sum

from annotations.models import Annotation, Project, Rater, Run, Trajectory, User

State = Annotation.State
HELD = Q(state__in=[State.LEASED, State.DRAFT])


@dataclass(frozen=True)
class Progress:
    """Trajectories of a project, each counted once: with all the passes it wants, with some, with none."""

    total: int
    finished: int
    begun: int

    @property
    def untouched(self) -> int:
        return self.total - self.finished - self.begun


def of_project(project: Project) -> Progress:
    """Passes by people only; a trajectory is finished once `overlap` people have submitted it."""
    live = Trajectory.objects.live().filter(project=project)
    passes = (
        people(project)
        .filter(trajectory__superseded_at__isnull=True)
        .values("trajectory")
        .annotate(submitted=Count("id", filter=Q(state=State.SUBMITTED)))
        .values_list("submitted", flat=True)
    )
    submitted = list(passes)
    finished = sum(count >= project.overlap for count in submitted)
    return Progress(live.count(), finished, len(submitted) - finished)


def people(project: Project) -> QuerySet[Annotation]:
    """The live passes of the project's people for the dataset, those given up by skipping left out."""
    humans = Annotation.objects.live().for_labels().filter(rater__project=project, rater__kind=Rater.Kind.HUMAN)
    return humans.exclude(state=State.SKIPPED)


def by_person(project: Project) -> Sequence[Mapping[str, object]]:
    """One row per person who has begun anything: passes by state, and the time spent in milliseconds."""
    humans = Annotation.objects.live().filter(rater__project=project, rater__kind=Rater.Kind.HUMAN)
    rows = humans.values(name=F("rater__name")).annotate(
        submitted=Count("id", filter=Q(state=State.SUBMITTED)),
        open=Count("id", filter=HELD),
        returned=Count("id", filter=Q(state=State.RETURNED)),
        skipped=Count("id", filter=Q(state=State.SKIPPED)),
        time_spent_ms=Sum("time_spent_ms"),
    )
    return list(rows.order_by("-submitted", "name"))


def raters(project: Project) -> Sequence[Mapping[str, object]]:
    """One row per rater that is no person: passes, and how many of them failed."""
    machines = Rater.objects.filter(project=project).exclude(kind=Rater.Kind.HUMAN)
    counts = machines.annotate(
        passes=Count("annotations", filter=Q(annotations__retired_at__isnull=True)),
        failed=Count("annotations", filter=Q(annotations__retired_at__isnull=True, annotations__state=State.FAILED)),
    )
    return list(counts.order_by("kind", "name").values("name", "kind", "passes", "failed"))


def my_passes(project: Project, user: User) -> QuerySet[Annotation]:
    """The person's passes that want something of them: open, returned or skipped, the newest first."""
    mine = Annotation.objects.of_user(user).filter(rater__project=project)
    waiting = mine.filter(HELD | Q(state__in=[State.RETURNED, State.SKIPPED]))
    return waiting.select_related("trajectory").order_by("-updated_at")


def my_count(project: Project, user: User) -> int:
    """How many trajectories the person has submitted."""
    return Annotation.objects.of_user(user).filter(rater__project=project, state=State.SUBMITTED).count()


@dataclass(frozen=True)
class Mine:
    """One of the user's projects: the role there, their passes by what they want, and the runs in flight."""

    project: Project
    role: str
    open: int
    returned: int
    submitted: int
    runs: int


def my_projects(user: User) -> list[Mine]:
    """The user's projects by title. Three queries however many there are."""
    mine = Annotation.objects.live().filter(rater__user=user).values("rater__project")
    counted = mine.annotate(
        open=Count("id", filter=HELD),
        returned=Count("id", filter=Q(state=State.RETURNED)),
        submitted=Count("id", filter=Q(state=State.SUBMITTED)),
    )
    names = ("open", "returned", "submitted")
    passes = {row[0]: dict(zip(names, row[1:], strict=True)) for row in counted.values_list("rater__project", *names)}
    in_flight = Run.objects.open().filter(project__memberships__user=user).values("project_id")
    runs = dict(in_flight.annotate(count=Count("id")).values_list("project_id", "count"))
    nothing = {"open": 0, "returned": 0, "submitted": 0}
    return [
        Mine(
            one.project,
            one.get_role_display(),
            runs=runs.get(one.project_id, 0),
            **passes.get(one.project_id, nothing),
        )
        for one in user.memberships.select_related("project").order_by("project__title")
    ]


@dataclass(frozen=True)
class Pace:
    """How a run goes: items a second over the time workers had it, and the seconds left; None where it cannot be
    said."""

    rate: float | None
    left: float | None


def pace(run: Run) -> Pace:
    worked = run.time_worked
    if not worked or worked.total_seconds() <= 0 or run.done == 0:
        return Pace(None, None)
    rate = run.done / worked.total_seconds()
    rests = run.is_over or run.is_paused
    left = (run.total - run.done) / rate if run.total is not None and not rests else None
    return Pace(rate, left)
