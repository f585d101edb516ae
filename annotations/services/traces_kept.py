"""The traces of a project as a lead sees them: which wait, which are trajectories, which are none; and how long their
spans are kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from annotations.models import Event, Project, ReceivedSpan, Trace, Trajectory, User

WAITING, MADE, UNUSABLE = "waiting", "made", "unusable"
STATES = {WAITING: "Waiting", MADE: "Made into a trajectory", UNUSABLE: "Unusable"}
_STATES = {
    WAITING: Q(spans__gt=F("taken")),
    MADE: Q(spans__lte=F("taken"), problem=""),
    UNUSABLE: Q(spans__lte=F("taken")) & ~Q(problem=""),
}
PER_PAGE = 30
AT_ONCE = 200  # traces that are emptied in one transaction


class Row(NamedTuple):
    trace: Trace
    state: str
    trajectory: int | None


def of(project: Project, state: str = "", session: str = "") -> QuerySet[Trace]:
    """Newest first."""
    found = Trace.objects.filter(_STATES.get(state, Q()), project=project).order_by("-pk")
    return found.filter(session=session) if session else found


def counts(project: Project) -> dict[str, int]:
    asked = {name: Count("pk", filter=condition) for name, condition in _STATES.items()}
    return Trace.objects.filter(project=project).aggregate(**asked)


def rows(project: Project, traces: Iterable[Trace]) -> list[Row]:
    those = list(traces)
    live = project.trajectories.live().filter(external_id__in=[one.trace_id for one in those])
    found = dict(live.values_list("external_id", "pk"))
    return [Row(one, state_of(one), found.get(one.trace_id)) for one in those]


def state_of(trace: Trace) -> str:
    if trace.spans > trace.taken:
        return WAITING
    return UNUSABLE if trace.problem else MADE


def hurry(project: Project, pk: int) -> bool:
    """Wait for no more spans of a trace; one that is unusable is tried again. False where there is nothing to do."""
    mine = Trace.objects.filter(project=project, pk=pk)
    again = mine.filter(_STATES[UNUSABLE]).update(taken=0, problem="", ended=True)
    return bool(again or mine.filter(_STATES[WAITING]).update(ended=True))


@transaction.atomic
def delete_unusable(project: Project, by: User, pk: int | None = None) -> int:
    """Delete the traces that are no trajectories, or one of them, with their spans."""
    found = of(project, UNUSABLE).select_for_update()
    count = _delete(found.filter(pk=pk) if pk is not None else found)
    if count:
        Event.objects.create(project=project, actor=by, verb="traces.deleted", after={"traces": count})
    return count


def delete_old() -> int:
    """Delete the spans of traces that nothing came of for long: of those that are trajectories once the original holds
    all of them, of others with the trace. Several workers may do so at once. Returns of how many."""
    if settings.TRACE_KEEP_DAYS <= 0:
        return 0
    long_ago = Now() - timedelta(days=settings.TRACE_KEEP_DAYS)
    old = Trace.objects.filter(last_at__lt=long_ago, emptied=False)
    whole = Trajectory.objects.live().filter(
        project=OuterRef("project"), external_id=OuterRef("trace_id"), original__isnull=False
    )
    with transaction.atomic():
        # Locked, so that spans that come meanwhile make the trace wait after this and not before.
        locked = old.select_for_update(skip_locked=True, of=("self",))
        made = locked.filter(_STATES[MADE]).filter(Exists(whole))[:AT_ONCE]
        keys = {one.pk: (one.project_id, one.trace_id) for one in made}
        _delete_spans(keys.values())
        Trace.objects.filter(pk__in=keys).update(emptied=True)
        return len(keys) + _delete(locked.filter(_STATES[UNUSABLE])[:AT_ONCE])


def _delete(traces: QuerySet[Trace]) -> int:
    keys = {one.pk: (one.project_id, one.trace_id) for one in traces}
    _delete_spans(keys.values())
    Trace.objects.filter(pk__in=keys).delete()
    return len(keys)


def _delete_spans(keys: Iterable[tuple[int, str]]) -> None:
    of_project: dict[int, list[str]] = {}
    for project, trace_id in keys:
        of_project.setdefault(project, []).append(trace_id)
    for pk, traces in of_project.items():
        ReceivedSpan.objects.filter(project=pk, trace_id__in=traces).delete()
