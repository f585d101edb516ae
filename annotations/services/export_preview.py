"""The first rows of an export, shortened for looking at; what the files hold is whole."""

from __future__ import annotations

import json
from contextlib import closing
from itertools import islice
from typing import Any

from django.db import transaction

from annotations.formats.agentprocessbench import AgentProcessBench, dataset_of
from annotations.formats.agentprocessbench_labels import AgentProcessBenchLabels
from annotations.formats.base import Refused
from annotations.formats.long_csv import LongCSV
from annotations.formats.parquet import LongParquet
from annotations.formats.stepmark import Stepmark
from annotations.formats.trl_stepwise import TRLStepwise
from annotations.models import Annotation, Project, Rater
from annotations.records import Json, TrajectoryRecord
from annotations.services import agreement, exports, projects
from annotations.services.agreement import AgreementRefused
from annotations.services.export_as import As
from annotations.services.export_rows import ORDER, long_rows, records, said_by
from annotations.services.export_whole import trajectories, whole_records

ROWS = 3
LONGEST = 160
MOST = 6


class NoPreview(Exception):
    """Why there is nothing to show, and what to do about it."""


def first_rows(project: Project, format: str, rater: str | None, zero: str, as_scheme: str = "") -> list[str]:
    """Up to ROWS rows as indented JSON, long texts and lists cut with a mark. Raises NoPreview."""
    way = _way(project, format, as_scheme)
    if format == Stepmark.name:
        first = trajectories(project)[:ROWS]
        with transaction.atomic(), closing(whole_records(project, _raters(project, rater), first)) as found:
            return [_shown(json.loads(Stepmark().line(record))) for record in found]
    if format in (LongParquet.name, LongCSV.name):
        with transaction.atomic(), closing(long_rows(project, _raters(project, rater))) as labels:
            return [_shown(row) for row in islice(way.rows(labels) if way else labels, ROWS)]
    if format == AgentProcessBenchLabels.name and rater is None:
        said = _raters(project, None)
    else:
        said = [_one(project, rater)]
    rows = (row for one in said for row in _of_rater(project, format, one, zero, way))
    return [_shown(row) for row in islice(rows, ROWS)]


def _way(project: Project, format: str, as_scheme: str) -> As | None:
    try:
        return exports.way(project, format, as_scheme)
    except exports.ExportRefused as no:
        raise NoPreview(f"{str(no)[:1].upper()}{str(no)[1:]}.") from no


def _of_rater(project: Project, format: str, rater: Rater, zero: str, way: As | None) -> list[Json]:
    states = [Annotation.State.FAILED] if format == AgentProcessBenchLabels.name else []
    first = list(said_by(rater, *states).order_by(*ORDER).values_list("pk", flat=True)[:ROWS])
    found = records(projects.scheme_of(project.scheme), Annotation.objects.filter(pk__in=first))
    try:
        with transaction.atomic(), closing(found):
            rows = [_row(format, record, rater, zero) for record in (way.records(found) if way else found)]
    except Refused as no:
        raise NoPreview(f"The scheme does not fit this format: {no}") from no
    return [row for row in rows if row is not None]


def _row(format: str, record: TrajectoryRecord, rater: Rater, zero: str) -> Json:
    if format == AgentProcessBench.name:
        return AgentProcessBench().row(record, 0)
    if format == TRLStepwise.name:
        return TRLStepwise().row(record, zero)
    return AgentProcessBenchLabels().row(record, rater.name, dataset_of(record.task.source))


def _raters(project: Project, asked: str | None) -> list[Rater]:
    return [_one(project, asked)] if asked else list(project.raters.order_by("kind", "name"))


def _one(project: Project, asked: str | None) -> Rater:
    try:
        found = agreement.find(project, asked)
    except AgreementRefused as no:
        raise NoPreview(str(no)) from no
    if found is None:
        raise NoPreview("The project has no reference rater: choose whose labels to export, or set one in settings.")
    return found


def _shown(row: Json) -> str:
    return json.dumps(_shortened(row), ensure_ascii=False, indent=1, default=str)


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]}… ({len(value):,} characters)"
    if isinstance(value, dict):
        return {key: _shortened(one) for key, one in value.items()}
    if isinstance(value, list) and len(value) > MOST:
        return [*map(_shortened, value[:MOST]), f"… ({len(value) - MOST:,} more)"]
    return [_shortened(one) for one in value] if isinstance(value, list) else value
