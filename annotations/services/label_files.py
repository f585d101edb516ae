"""Rows of label files: which of several about one trajectory counts, and which trajectory a row is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models.fields.json import KeyTextTransform

from annotations.formats.base import LabelRecord
from annotations.models import Project
from annotations.records import Problem
from annotations.services.sources import Unit


class Row(NamedTuple):
    """One row of a label file and where it stands."""

    file: str
    line: int
    record: LabelRecord


class Match(NamedTuple):
    row: Row
    trajectory: int


def newest(units: Sequence[Unit], rejected: list[Problem]) -> set[tuple[int, int]]:
    """The (unit, line) of the row that counts for each trajectory the files name; appends what cannot be read.

    The newest counts; one with a time beats one without; of equals the last. Times are texts in UTC that compare.
    """
    best: dict[tuple[Any, ...], tuple[str, int, int]] = {}
    for number, unit in enumerate(units):
        for item in unit.items():
            rejected += item.problems
            if isinstance(item.record, LabelRecord):
                rank = (item.record.rating.updated_at, number, item.line)
                key = _key(item.record)
                best[key] = max(best.get(key, rank), rank)
    return {(number, line) for _, number, line in best.values()}


def _key(record: LabelRecord) -> tuple[Any, ...]:
    triple = (record.data_source, record.query_index, record.sample_index)
    if None not in triple:
        return triple
    return (record.record_id,) if record.total_index is None else (record.total_index,)


@dataclass(frozen=True)
class _Known:
    """A stored trajectory under the names a label file may use."""

    pk: int
    external_id: str
    total: int | None
    triple: tuple[Any, ...]


class Matches:
    """Rows joined to the project's live trajectories: on total_index, else data_source with query and sample index,
    else the record id. Names that contradict each other are a problem; a trajectory that is not here is not."""

    def __init__(self, project: Project, rows: Sequence[Row]) -> None:
        self.found: list[Match] = []
        self.unmatched: list[dict[str, Any]] = []
        self.problems: list[Problem] = []
        known = _known(project, rows)
        self._by_total = {one.total: one for one in known if one.total is not None}
        self._by_triple = {one.triple: one for one in known}
        self._by_name = {one.external_id: one for one in known}
        for row in rows:
            self._match(row)

    def _match(self, row: Row) -> None:
        said = row.record
        triple = (said.data_source, said.query_index, said.sample_index)
        whole = None not in triple
        by_total = self._by_total.get(said.total_index) if said.total_index is not None else None
        by_triple = self._by_triple.get(triple) if whole else None
        if by_total and whole and by_total.triple != triple:
            self._contradiction(row, by_total)
        elif by_triple and said.total_index is not None and by_triple.total not in (None, said.total_index):
            self._contradiction(row, by_triple)
        elif one := by_total or by_triple or self._named(said, whole):
            self.found.append(Match(row, one.pk))
        else:
            self.unmatched.append({"file": row.file, "line": row.line, "record": said.name})

    def _named(self, said: LabelRecord, whole: bool) -> _Known | None:
        """By record id, where the row has nothing better."""
        return None if whole or said.total_index is not None else self._by_name.get(said.record_id)

    def _contradiction(self, row: Row, one: _Known) -> None:
        reason = (
            f"found total_index {row.record.total_index} with {row.record.name}, but here {one.external_id!r}"
            f" has total_index {one.total} and is {':'.join(map(str, one.triple))}"
        )
        self.problems.append(Problem(row.file, row.line, "total_index", reason))


def _known(project: Project, rows: Sequence[Row]) -> list[_Known]:
    """The live trajectories that any of the rows could mean."""
    tasks = {f"{row.record.data_source}:{row.record.query_index}" for row in rows if row.record.query_index is not None}
    totals = {str(row.record.total_index) for row in rows if row.record.total_index is not None}
    names = {row.record.record_id for row in rows if row.record.record_id}
    live = project.trajectories.live().order_by()
    found = set(live.filter(task__external_id__in=tasks).values_list("pk", flat=True))
    found |= set(live.filter(external_id__in=names).values_list("pk", flat=True))
    if totals:
        numbered = live.annotate(total=KeyTextTransform("total_index", "meta")).filter(total__in=totals)
        found |= set(numbered.values_list("pk", flat=True))
    columns = ("pk", "external_id", "meta", "task__source", "rollout")
    return [_one(*row) for row in live.filter(pk__in=found).values_list(*columns)]


def _one(pk: int, external_id: str, meta: dict[str, Any], source: str, rollout: int) -> _Known:
    triple = (meta.get("data_source", source), meta.get("query_index"), meta.get("sample_index", rollout))
    return _Known(pk, external_id, meta.get("total_index"), triple)
