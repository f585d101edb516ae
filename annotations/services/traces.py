"""Spans that are sent while agents work: kept first, and made a trajectory of once their trace is quiet.

A trace waits while it has more spans than were taken. Whoever takes it up writes the trajectory and how many spans it
was made of in one transaction; killed before that, nothing happened and the next does it. Spans that come later make
the trace wait again, and its trajectory a new version.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from kombu.exceptions import OperationalError as BrokerIsAway

from annotations.models import Event, Project, Trace
from annotations.services import traces_made
from annotations.services.traces_made import COUNTED, Made
from annotations.services.traces_wire import Sent, batches

logger = logging.getLogger(__name__)

TASK, QUEUE = "models_service.take_traces", "light"
SETTLES = 2.0  # seconds after a root span in which its last children may come
AT_ONCE = 100  # traces in one transaction

_KEEP = """
    WITH came AS (
        SELECT * FROM unnest(%b::text[], %b::text[], %b::bytea[], %b::bytea[], %b::bool[], %b::text[])
            AS came (trace_id, span_id, around, payload, root, service)
    ), kept AS (
        INSERT INTO annotations_receivedspan (project_id, trace_id, span_id, around, payload)
        SELECT %b::bigint, trace_id, span_id, around, payload FROM came
        ON CONFLICT DO NOTHING RETURNING trace_id, span_id
    ), told AS (
        INSERT INTO annotations_trace (project_id, trace_id, spans, taken, ended, problem, service, first_at, last_at)
        SELECT %b::bigint, trace_id, count(*), 0, bool_or(root), '', max(service), clock_timestamp(), clock_timestamp()
          FROM kept JOIN came USING (trace_id, span_id) GROUP BY trace_id ORDER BY trace_id
        ON CONFLICT (project_id, trace_id) DO UPDATE SET
            spans = annotations_trace.spans + excluded.spans,
            ended = annotations_trace.ended OR excluded.ended,
            service = CASE WHEN annotations_trace.service = '' THEN excluded.service ELSE annotations_trace.service END,
            last_at = excluded.last_at, emptied = false
        RETURNING trace_id
    )
    SELECT (SELECT count(*) FROM kept), (SELECT count(*) FROM told)
"""


def receive(project: Project, spans: Sequence[Sent]) -> int:
    """Keep the spans that are not kept yet; returns how many these are. Once it returns, they are on disk."""
    if not spans:
        return 0
    # In one order, so that two requests with the same spans wait for each other and never in a circle.
    sorted_ = sorted({(one.trace_id, one.span_id): one for one in reversed(spans)}.values())
    columns = [list(column) for column in zip(*sorted_, strict=True)]
    with connection.wrap_database_errors, connection.cursor() as cursor:
        cursor.execute(_KEEP, [*columns, project.pk, project.pk])
        kept: int = cursor.fetchone()[0]
    return kept


def due() -> QuerySet[Trace]:
    """Traces with spans that no trajectory was made of, to which nothing more is coming: the root is there, or there
    was silence for long enough."""
    ended = Q(ended=True, last_at__lt=Now() - timedelta(seconds=SETTLES))
    quiet = Q(last_at__lt=Now() - timedelta(seconds=settings.TRACE_QUIET_SECONDS))
    return Trace.objects.filter(ended | quiet, spans__gt=F("taken"))


def send() -> bool:
    """Tell a worker where there are traces to take up. Telling twice is harmless: one of them does the work."""
    if not due().exists():
        return False
    try:
        current_app.send_task(TASK, queue=QUEUE, retry=False, expires=60)
    except (BrokerIsAway, OSError):
        logger.warning("traces wait: the broker cannot be reached")
    return True


def take_all() -> dict[str, int]:
    """Take up every trace that is due, project by project. Returns what was done, as an import counts it."""
    total = dict.fromkeys((*COUNTED, "rejected"), 0)
    for pk in due().order_by().values_list("project", flat=True).distinct():
        project = Project.objects.select_related("scheme").get(pk=pk)
        waiting = list(due().filter(project=project).order_by("last_at").values_list("trace_id", flat=True))
        for some in batches(waiting, AT_ONCE):
            for name, number in take(project, some).items():
                total[name] += number
    return total


@transaction.atomic
def take(project: Project, traces: Sequence[str]) -> dict[str, int]:
    """Make trajectories of these traces, where no other worker is at it just now."""
    counts = dict.fromkeys((*COUNTED, "rejected"), 0)
    if not _alone(project):
        return counts
    # How many spans there are is read before the spans: one that comes in between makes the trace wait again.
    rows = {one.trace_id: one for one in Trace.objects.filter(project=project, trace_id__in=traces)}
    waiting = {name: one for name, one in rows.items() if one.spans > one.taken}
    made = traces_made.make(project, waiting)
    _mark(waiting, made)
    counts |= {name: getattr(made.arrived, name) for name in COUNTED}
    counts["rejected"] = len(made.problems)
    if counts["created"] or counts["updated"]:
        Event.objects.create(project=project, verb="traces.taken", after=counts)
    return counts


_MARK = """
    UPDATE annotations_trace SET taken = made.spans, problem = made.problem, session = made.session
      FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[]) AS made (id, spans, problem, session)
     WHERE annotations_trace.id = made.id
"""


def _mark(waiting: dict[str, Trace], made: Made) -> None:
    """Write of how many spans each was taken up, why it is no trajectory, and which conversation it is of."""
    rows = [
        (one.pk, one.spans, made.problems.get(name, ""), made.sessions.get(name, one.session))
        for name, one in waiting.items()
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_MARK, [list(column) for column in zip(*rows, strict=True)])


def _alone(project: Project) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"stepmark traces {project.pk}"])
        return bool(cursor.fetchone()[0])
