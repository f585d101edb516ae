"""The labels that cannot go along to another scheme: as rows that a person finds them by, and as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from annotations.formats.lines import dump
from annotations.models import Annotation, Event, Project, Trajectory
from annotations.records import Json
from annotations.schemes.maps import Lost
from annotations.services.scheme_history import CARRIED
from annotations.services.scheme_passes import Pass

Names = Mapping[int, tuple[str, str, int]]  # of a trajectory: its task's id, its own, its rollout
COLUMNS = ("task", "trajectory", "rollout", "step", "rater", "rater_kind", "field", "value", "why")


@dataclass(frozen=True)
class Unmapped:
    """`step` is the index of the label's step; None: it is of the whole trajectory."""

    task: str
    trajectory: str
    rollout: int
    step: int | None
    rater: str
    rater_kind: str
    field: str
    value: Json
    why: str


def names_of(annotations: Iterable[Annotation]) -> Names:
    """What their trajectories are called."""
    rows = Trajectory.objects.filter(pk__in={one.trajectory_id for one in annotations})
    columns = ("pk", "task__external_id", "external_id", "rollout")
    return {pk: (task, name, rollout) for pk, task, name, rollout in rows.values_list(*columns)}


def unmapped(one: Pass, lost: Lost, names: Names) -> Unmapped:
    """A label of that pass that does not go along."""
    rater = one.annotation.rater
    where = names[one.annotation.trajectory_id]
    return Unmapped(*where, lost.place[0], rater.name, rater.kind, lost.place[1], lost.value, lost.why)


def told(lost: Iterable[Lost]) -> list[dict[str, Json]]:
    """As the log of a pass keeps them."""
    return [{"step": one.place[0], "field": one.place[1], "value": one.value, "why": one.why} for one in lost]


def of_change(project: Project, change: UUID) -> Iterator[Unmapped]:
    """What did not go along in a change that was made, from the log."""
    events = Event.objects.filter(project=project, verb=CARRIED, change=change).order_by("pk")
    for event in events.select_related("annotation__rater").iterator(chunk_size=500):
        assert event.annotation and event.after
        rater = event.annotation.rater
        lost = event.after["lost"]
        names = names_of([event.annotation]) if lost else {}
        for one in lost:
            where = names[event.annotation.trajectory_id]
            yield Unmapped(*where, one["step"], rater.name, rater.kind, one["field"], one["value"], one["why"])


def as_csv(rows: Iterable[Unmapped]) -> Iterator[str]:
    """The table line by line; values are JSON."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        yield _taken(out)
        said = asdict(row) | {"value": dump(row.value)}
        writer.writerow(_cell(said[name]) if name != "value" else said[name] for name in COLUMNS)
    yield _taken(out)


def _taken(out: io.StringIO) -> str:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text


def _cell(value: Any) -> Any:
    """A spreadsheet runs text that begins like a formula; a quote before it keeps it text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
