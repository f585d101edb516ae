"""The section "fields" of a report: how far raters agree in every field of the scheme, by the field's own level.

    [{"field": "severity", "part": "", "title": "Severity", "kind": "scale", "of": "step", "level": "interval",
      "raters": how many said something, "units": how many things two raters said something of, "labels": how many
      answers there are, "left_out": answers that the scheme does not take any more,
      "figures": {NAME: FIGURE}, "people": {NAME: FIGURE} or null, "by_hand": {NAME: FIGURE} or null,
      "unaided": {NAME: FIGURE} or null,
      "reason": why it is not measured, or ""}, …]

A row is a field, or one of its parts: a dimension of a vector, an item of a rubric, a type of span. Rows stand in the
order of the scheme. `people` is over human raters alone (null when there are fewer than two), `by_hand` over labels
that were not propagated (null when none of the row was), `unaided` over those that were neither propagated nor
suggested and accepted (null when none of the row was accepted). FIGURE is as in statistics.report. NAMEs by level:

    nominal   alpha_nominal, percent; of a first error also none_alpha, none_percent (whether both say there is none),
              exact, near (among pairs who both name a step: the same one; at most one step off); of a preference also
              sides (the same one, among raters who both choose one), half (a tie beside a side counting half); where
              both orders of a pair are asked, both_orders (the share a rater answers alike, each with themselves)
    ordinal   alpha_ordinal, percent
    interval  alpha_interval, mean_difference, percent
    set       alpha_masi, jaccard, percent
    spans     alpha_characters, f1_exact, f1_overlap, f1_iou
    ranking   percent (pairs ordered alike), alpha_nominal over pairs
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from annotations.tables import FieldTable, FieldTables
from models_service.statistics import preferring, spans, units
from models_service.statistics.figures import Block, Figure, Ints, figures
from models_service.statistics.matrices import numbers
from models_service.statistics.units import SILENT, Units

Blocks = Mapping[str, Block]
WORDS = {"tool_call": "tool call", "task": "task or pair"}


@dataclass
class Row:
    """One row of the section, with the statistics each of its sets of figures is made of."""

    table: FieldTable
    part: str = ""
    title: str = ""
    raters: int = 0
    labels: int = 0
    sets: dict[str, Blocks] = field(default_factory=dict)
    units: int = 0

    def as_json(self, found: Mapping[tuple[str, str], Mapping[str, Figure]]) -> dict[str, Any]:
        said: dict[str, Any] = {"figures": {}, "people": None, "by_hand": None, "unaided": None}
        for (which, _), each in found.items():
            said[which] = (said[which] or {}) | {name: figure.as_json() for name, figure in each.items()}
        return {
            "field": self.table.name,
            "part": self.part,
            "title": self.title or self.table.title,
            "kind": self.table.kind,
            "of": self.table.target,
            "level": self.table.level,
            "raters": self.raters,
            "units": self.units,
            "labels": self.labels,
            "left_out": self.table.left_out,
            "reason": self.table.reason,
            **said,
        }


def section(tables: FieldTables, resamples: int, seed: int) -> list[dict[str, Any]]:
    """The rows. All figures come from the same resamples of the same tasks as the rest of the report."""
    people = [place for place, rater in enumerate(tables.raters) if rater.kind == "human"]
    rows = [row for table in tables.fields for row in _rows(table, tables, people)]
    blocks = {
        (place, which, key): block
        for place, row in enumerate(rows)
        for which, each in row.sets.items()
        for key, block in each.items()
    }
    found = figures(blocks, resamples, seed)
    mine: list[dict[tuple[str, str], Mapping[str, Figure]]] = [{} for _ in rows]
    for (place, which, key), each in found.items():
        mine[place][which, key] = each
    return [row.as_json(each) for row, each in zip(rows, mine, strict=True)]


def _rows(table: FieldTable, tables: FieldTables, people: Sequence[int]) -> Iterator[Row]:
    if table.reason:
        yield Row(table)
    elif table.spans is not None:
        yield from _of_spans(table, tables, people)
    else:
        matrix = Answers(table, tables)
        if table.together:
            yield matrix.row(None, people)
        if table.apart:
            yield from (matrix.row(part, people) for part in range(len(table.parts)))


@dataclass
class Answers:
    """The labels of a field as units."""

    table: FieldTable
    tables: FieldTables

    @cached_property
    def part(self) -> Ints:
        return numbers(self.table.unit_part)

    @cached_property
    def units(self) -> Units:
        shape = len(self.table.unit_task), len(self.tables.raters)
        labels, filled = np.full(shape, SILENT, dtype=np.int64), np.zeros(shape, dtype=bool)
        labels[self._cells] = numbers(self.table.label_value)
        filled[self._cells] = numbers(self.table.label_propagated) == 1
        return Units(labels, filled, np.ones(shape[0]), numbers(self.table.unit_task), max(1, self.tables.tasks))

    @cached_property
    def aided(self) -> Units:
        """The same, what was suggested and accepted among what was filled in."""
        filled = self.units.filled.copy()
        filled[self._cells] |= numbers(self.table.label_accepted) == 1
        return replace(self.units, filled=filled)

    @property
    def _cells(self) -> tuple[Ints, Ints]:
        return numbers(self.table.label_unit), numbers(self.table.label_rater)

    def row(self, part: int | None, people: Sequence[int]) -> Row:
        """Of one part, or of all together."""
        mine, aided = self.units, self.aided
        if part is not None:
            mine, aided = mine.where(self.part == part), aided.where(self.part == part)
        said = mine.labels != SILENT
        row = Row(self.table, raters=int(said.any(axis=0).sum()), labels=int(said.sum()))
        row.units = int((mine.said >= 2).sum())
        if part is not None:
            row.part, row.title = self.table.parts[part], self.table.titles[part]
        row.sets["figures"] = self._blocks(mine)
        if len(people) > 1:
            row.sets["people"] = self._blocks(mine.only(people))
        if mine.filled.any():
            row.sets["by_hand"] = self._blocks(mine.by_hand())
        if (aided.filled & ~mine.filled).any():
            row.sets["unaided"] = self._blocks(aided.by_hand())
        return row

    def _blocks(self, mine: Units) -> Blocks:
        values, level = self.table.values, self.table.level
        unit = WORDS.get(self.table.target, self.table.target)
        if self.table.kind == "first_error":
            return units.first_errors(mine, values)
        if level == "ordinal":
            return {"": units.ordinal(mine, len(values), unit)}
        if level == "interval":
            return {"": units.interval(mine, values, unit)}
        if level == "set":
            return {"": units.sets(mine, [frozenset(value) for value in values], unit)}
        found = {"": units.nominal(mine, len(values), "pair" if level == "ranking" else unit)}
        if self.table.kind == "preference":
            found["sides"] = preferring.preferred(mine, values)
        if len(self.table.unit_mirror):
            found["orders"] = units.both_orders(mine, values, numbers(self.table.unit_mirror))
        return found


def _of_spans(table: FieldTable, tables: FieldTables, people: Sequence[int]) -> Iterator[Row]:
    """All types, then each type where there are several."""
    assert table.spans is not None
    everybody = range(len(tables.raters))
    tasks = max(1, tables.tasks)
    found = spans.blocks(table.spans, everybody, tasks)
    of_people = spans.blocks(table.spans, people, tasks) if len(people) > 1 else None
    kind = numbers(table.spans.span_type)
    for place in range(len(found) if len(found) > 2 else 1):
        here = np.ones(len(kind), dtype=bool) if place == 0 else kind == place - 1
        row = Row(table, raters=len(set(table.spans.reader_rater)), labels=int(here.sum()))
        row.units = len(spans.texts(table.spans, everybody))
        if place:
            row.part, row.title = table.parts[place - 1], table.titles[place - 1]
        row.sets["figures"] = found[place]
        if of_people:
            row.sets["people"] = of_people[place]
        yield row
