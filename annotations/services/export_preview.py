"""The first rows of an export, shortened for looking at; what the files hold is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import islice
from typing import Any

from django.db import transaction

from annotations.formats.agentprocessbench import AgentProcessBench, dataset_of
from annotations.formats.agentprocessbench_labels import AgentProcessBenchLabels
from annotations.formats.base import Refused
from annotations.formats.stepmark import Stepmark
from annotations.formats.writer import Writer
from annotations.models import Annotation, Project, Rater
from annotations.records import Json, Labelled
from annotations.segmenting.labelled import by_message
from annotations.services import export_asked, export_judge, exports, projects
from annotations.services.export_as import As
from annotations.services.export_asked import Asked, ExportRefused
from annotations.services.export_labelled import Labelling
from annotations.services.export_rows import ORDER, long_rows, records, said_by
from annotations.services.export_whole import whole_records

ROWS = 3
LONGEST = 160
MOST = 6
READ = 200  # trajectories that are looked at for a row


class NoPreview(Exception):
    """Why there is nothing to show, and what to do about it."""


def first_rows(project: Project, format: str, **said: Any) -> list[str]:
    """Up to ROWS rows as indented JSON, long texts and lists cut with a mark. Raises NoPreview."""
    try:
        return of(project, export_asked.read({"format": format, **said}))
    except ExportRefused as no:
        raise NoPreview(f"{str(no)[:1].upper()}{str(no)[1:]}.") from no


def of(project: Project, asked: Asked) -> list[str]:
    """The same, of what was read already. Raises ExportRefused where it cannot be exported at all."""
    way, raters = exports.check(project, asked)
    with transaction.atomic(), ExitStack() as reading:
        rows = _rows(project, asked, way, raters, reading)
        try:
            return [
                json.dumps(_shortened(row), ensure_ascii=False, indent=1, default=str) for row in islice(rows, ROWS)
            ]
        except Refused as no:
            raise ExportRefused(f"the format cannot hold the first trajectories: {no}") from no


def _rows(project: Project, asked: Asked, way: As | None, raters: list[Rater], reading: ExitStack) -> Iterator[Json]:
    labelling = Labelling(project, asked, raters, way)
    if asked.writer:
        return _written(project, asked.writer, asked, labelling, reading)
    if asked.format == AgentProcessBench.name and asked.rule != "one":
        entries = reading.enter_context(closing(labelling.stream()))
        return (AgentProcessBench().row(one.labelled.record) for one in entries)
    first = _first(Labelling(project, asked, raters), reading)
    if asked.format == Stepmark.name:
        found = labelling.trajectories(labelled=False)
        found = found.filter(pk__in=first) if first is not None else found[:ROWS]
        whole = reading.enter_context(closing(whole_records(project, raters, found)))
        return (json.loads(Stepmark().line(record)) for record in whole)
    if asked.format in (AgentProcessBench.name, AgentProcessBenchLabels.name):
        return _of_raters(project, asked, way, raters, first)
    chosen = labelling.trajectories(labelled=False)
    chosen = chosen.filter(pk__in=first) if first is not None else chosen
    kept = asked.propagated == "kept"
    labels = reading.enter_context(closing(long_rows(project, raters, chosen, asked.states, propagated=kept)))
    return way.rows(labels) if way else labels


def _written(
    project: Project, writer: Writer, asked: Asked, labelling: Labelling, reading: ExitStack
) -> Iterator[Json]:
    """The rows of a Writer. A trajectory that it cannot hold is left out, unless nothing else is there."""

    def groups() -> Iterator[list[Labelled]]:
        entries = islice(reading.enter_context(closing(labelling.stream())), READ)
        yield from (by_message(writer.whole, one) for one in labelling.groups(entries, together=writer.together))

    options = {**asked.options, **writer.ahead(groups(), asked.options)}  # of a file: ahead over all of it
    if teacher := export_judge.teacher(project, asked):
        options["judge"] = teacher
    refused, rows = None, 0
    for group in groups():
        try:
            made = list(writer.files(group, options))
        except Refused as no:
            refused = refused or no
            continue
        for name, row in made:
            rows += 1
            yield {"in the file": name, "row": row} if name else row
    if refused and not rows:
        raise refused


def _first(labelling: Labelling, reading: ExitStack) -> list[int] | None:
    """The first trajectories that labels let through; None where all do."""
    if not labelling.asked.looks_at_labels:
        return None
    found = reading.enter_context(closing(labelling.stream(bodies=False)))
    return [one.trajectory for one in islice(found, ROWS)]


def _of_raters(
    project: Project, asked: Asked, way: As | None, raters: list[Rater], first: list[int] | None
) -> Iterator[Json]:
    whole = asked.format == AgentProcessBenchLabels.name
    states = [*asked.states, *([Annotation.State.FAILED] if whole else [])]
    chosen = Labelling(project, asked, raters).trajectories(labelled=False).order_by()
    chosen = chosen.filter(pk__in=first) if first is not None else chosen
    for rater in raters:
        said = said_by(rater, *states).filter(trajectory__in=chosen).order_by(*ORDER)
        passes = Annotation.objects.filter(pk__in=list(said.values_list("pk", flat=True)[:ROWS]))
        scheme, kept = projects.scheme_of(project.scheme), asked.propagated == "kept"
        with closing(records(scheme, passes, propagated=kept)) as found:
            for record in way.records(found) if way else found:
                if whole:
                    yield AgentProcessBenchLabels().row(record, rater.name, dataset_of(record.task.source))
                else:
                    yield AgentProcessBench().row(record, 0)


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]}… ({len(value):,} characters)"
    if isinstance(value, dict):
        return {key: _shortened(one) for key, one in value.items()}
    if isinstance(value, list) and len(value) > MOST:
        return [*map(_shortened, value[:MOST]), f"… ({len(value) - MOST:,} more)"]
    return [_shortened(one) for one in value] if isinstance(value, list) else value
