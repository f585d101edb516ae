"""What becomes of the spans of a trace: a document of them all, and of that a trajectory, whose original it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO

from django.db import DataError, OperationalError, transaction
from psycopg.errors import ProgramLimitExceeded

from annotations.formats.base import Item
from annotations.formats.loose import mapping
from annotations.formats.opening.sources import Source
from annotations.formats.otlp import OTLP
from annotations.models import Original, Project, ReceivedSpan, Trace
from annotations.records import TrajectoryRecord
from annotations.schemes.schema import Scheme
from annotations.services import copying, originals, projects
from annotations.services.arrivals import Arrived, Batch
from annotations.services.drafts import Draft, draft
from annotations.services.traces_wire import document

COUNTED = ("created", "updated", "unchanged", "steps", "tasks", "carried")
SESSIONS = ("session.id", "gen_ai.conversation.id")


@dataclass
class Made:
    """What came of traces: counts, and by a trace's id why it is no trajectory and which conversation it names."""

    arrived: Arrived = field(default_factory=Arrived)
    problems: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)


def make(project: Project, traces: dict[str, Trace]) -> Made:
    """Needs a transaction."""
    made = Made()
    drafts = _drafts(project, traces, made)
    copying.lock(project)
    for one in _stored(project, projects.scheme_of(project.scheme), drafts, made.arrived):
        made.problems[one.file] = _refusal(made.arrived, one)
    if made.arrived.unchanged:
        _keep_whole(project, [one for one in drafts if one.file not in made.problems])
    return made


def _drafts(project: Project, traces: dict[str, Trace], made: Made) -> list[Draft]:
    spans: dict[str, list[tuple[bytes, bytes]]] = {name: [] for name in traces}
    rows = ReceivedSpan.objects.filter(project=project, trace_id__in=traces).order_by("pk")
    for trace_id, around, payload in rows.values_list("trace_id", "around", "payload").iterator(2000):
        spans[trace_id].append((bytes(around), bytes(payload)))
    earlier = _earlier(project, [name for name, kept in spans.items() if len(kept) < traces[name].spans])
    drafts: list[Draft] = []
    for name, kept in spans.items():
        try:
            item = _item(name, document(kept, earlier.get(name, b"")))
            if isinstance(item.record, TrajectoryRecord):
                drafts.append(draft(item.record, name, 1, item.original))
                made.sessions[name] = _session(item.record)
                continue
            reasons = [one.reason.removeprefix(f"trace {name}: ") for one in item.problems]
            made.problems[name] = "; ".join(reasons)[:2000]
        except (RecursionError, ValueError) as exc:
            made.problems[name] = f"cannot be stored: {exc}"
    return drafts


def _earlier(project: Project, names: Iterable[str]) -> dict[str, bytes]:
    """The originals of traces whose older spans were deleted."""
    if not names:
        return {}
    live = project.trajectories.live().filter(external_id__in=names)
    return {one.external_id: originals.content(one.original) for one in live.select_related("original") if one.original}


def _item(name: str, text: bytes) -> Item:
    return next(OTLP().read(Source(name, lambda: BytesIO(text)), "object"))


def _session(record: TrajectoryRecord) -> str:
    said = mapping(mapping(record.extra.get("fields")).get("attributes"))
    return next((str(said[key])[:300] for key in SESSIONS if key in said), "")


def _stored(project: Project, scheme: Scheme, drafts: Sequence[Draft], arrived: Arrived) -> list[Draft]:
    """Store the drafts; returns those that the database cannot hold."""
    if not drafts:
        return []
    try:
        with transaction.atomic():
            batch = Batch(project, scheme, OTLP.name).store(drafts)
    except (DataError, OperationalError) as exc:
        if isinstance(exc, OperationalError) and not isinstance(exc.__cause__, ProgramLimitExceeded):
            raise
        if len(drafts) == 1:
            return list(drafts)
        return [bad for one in drafts for bad in _stored(project, scheme, [one], arrived)]
    for name in COUNTED:
        setattr(arrived, name, getattr(arrived, name) + getattr(batch, name))
    arrived.problems += batch.problems
    return [one for one in drafts if one.file in {problem.file for problem in batch.problems}]


def _refusal(arrived: Arrived, one: Draft) -> str:
    said = [problem.reason for problem in arrived.problems if problem.file == one.file]
    return "; ".join(said)[:2000] or "the database cannot hold it"


def _keep_whole(project: Project, drafts: Sequence[Draft]) -> None:
    """Spans that changed nothing of a trajectory are of its original all the same."""
    kept = originals.keep(project, drafts)
    wanted = {one.external_id: kept[id(one.original)] for one in drafts}
    live = project.trajectories.live().filter(external_id__in=wanted, original__isnull=False)
    replaced = []
    for pk, name, original in live.values_list("pk", "external_id", "original_id"):
        if original != wanted[name]:
            project.trajectories.filter(pk=pk).update(original=wanted[name])
            replaced.append(original)
    Original.objects.filter(pk__in=replaced, trajectories=None).delete()
