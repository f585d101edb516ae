"""From a label table to the parts of its report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from annotations.records import Json
from annotations.tables import LabelTable
from models_service.statistics import matrices, measures, released
from models_service.statistics.coefficients import Codes
from models_service.statistics.figures import Block
from models_service.statistics.matrices import Bools, Matrix
from models_service.statistics.sections import NO_FIRST, Part, Row, numbers, titles


def parts(table: LabelTable, official: bool) -> dict[str, Part]:
    """By name: all; people, final and by hand where there is something to say. None but final of a table without
    values: its main field is no choice."""
    source = Source(table)
    found = {"all": source.steps_part(official)} if table.values else {}
    people = [place for place, rater in enumerate(table.raters) if rater.kind == "human"]
    if len(people) > 1 and table.values:
        values = titles(table.values)
        found["people"] = Part(source.steps.only(people), table.ordinal, values, numbers=numbers(table.values))
    if table.final_values:
        found["final"] = source.final_part()
    if source.steps.propagated.any():
        found["by hand"] = source.hand_part()
    if table.values and source.accepted.any():
        found["unaided"] = source.unaided_part()
    return found


@dataclass
class Source:
    table: LabelTable

    @property
    def reference(self) -> int | None:
        return self.table.reference

    @cached_property
    def accepted(self) -> Bools:
        return matrices.accepted(self.table)

    @cached_property
    def steps(self) -> Matrix:
        return matrices.of_steps(self.table)

    def steps_part(self, official: bool) -> Part:
        part = self._part(self.steps, None)
        if official and self.reference is not None:
            self._add_released(part)
        return part

    def hand_part(self) -> Part:
        """Steps where either of the two was filled in are left out. First errors are the same: what is filled in
        follows from an earlier label, so it is never the first error."""
        return self._part(self.steps.without(self.steps.propagated), self.steps.propagated)

    def unaided_part(self) -> Part:
        """The same with what was accepted left out too. An accepted label may itself be the first error: without it
        nothing is known of that."""
        aided = self.steps.propagated | self.accepted
        part = self._part(self.steps.without(aided), aided)
        for _, _, row in part.rows():
            row.first, row.no_first = None, NO_FIRST
        return part

    def final_part(self) -> Part:
        finals = matrices.of_finals(self.table)
        values = self.table.final_values
        part = Part(finals, self.table.final_ordinal, titles(values), "trajectory", numbers(values), among=self._among)
        for place, name in self._others():
            part.raters[name] = Row(self._about(place))
            if self.reference is not None:
                columns = finals.labels[:, self.reference], finals.labels[:, place]
                part.raters[name].against = measures.against(finals, *columns, part.values, unit="trajectory")
        return part

    def _part(self, matrix: Matrix, filled: Bools | None) -> Part:
        values = self.table.values
        part = Part(matrix, self.table.ordinal, titles(values), numbers=numbers(values), among=self._among)
        for place, name in self._others():
            skip = None if filled is None or self.reference is None else filled[:, self.reference] | filled[:, place]
            part.raters[name] = self._row(self._about(place), self.steps.labels[:, place], skip)
        for number, value in enumerate(self.table.values):
            skip = None if filled is None or self.reference is None else filled[:, self.reference]
            constant = np.full(len(matrix.labels), number, dtype=np.uint8)
            part.baselines[str(value)] = self._row(_constant(value), constant, skip)
        return part

    def _row(self, about: dict[str, Json], labels: Codes, skip: Bools | None) -> Row:
        row = Row(about)
        if self.reference is None:
            return row
        reference = self.steps.labels[:, self.reference]
        row.against = measures.against(self.steps, reference, labels, titles(self.table.values), skip=skip)
        if self.table.error is not None:
            row.first = measures.first_error(self.steps, reference, labels, self.table.error)
        return row

    def _add_released(self, part: Part) -> None:
        assert self.reference is not None
        records = released.records(self.table)
        reference = records[self.reference]

        def of(rater: released.Records) -> dict[str, Block]:
            return released.blocks(reference, rater, self.steps.task_of, self.steps.tasks)

        for place, name in self._others():
            part.raters[name].released = of(records[place])
        for value in self.table.values:
            part.baselines[str(value)].released = of(released.constant(self.table, value))

    def _others(self) -> Iterator[tuple[int, str]]:
        return ((place, rater.name) for place, rater in enumerate(self.table.raters) if place != self.reference)

    @property
    def _among(self) -> list[int]:
        """The raters that speak for themselves: a consensus is made of what the others say."""
        return [place for place, rater in enumerate(self.table.raters) if rater.kind != "consensus"]

    @cached_property
    def _asked(self) -> Bools:
        """The trajectories that count: those the reference labelled (rated, where the main field is no choice), or
        without a reference all that anybody rated."""
        asked = np.zeros(len(self.table.trajectories), dtype=bool)
        if self.reference is None:
            asked[matrices.numbers(self.table.pass_trajectory)] = True
        elif not self.table.values:
            asked |= self._rated[self.reference] & ~self._failed[self.reference]
        else:
            said = self.steps.labels[:, self.reference] < self.steps.categories
            asked[self.steps.trajectory[said]] = True
        return asked

    @cached_property
    def _rated(self) -> Bools:
        """(raters, trajectories): whether there is a pass at all."""
        rated = np.zeros((len(self.table.raters), len(self.table.trajectories)), dtype=bool)
        rated[matrices.numbers(self.table.pass_rater), matrices.numbers(self.table.pass_trajectory)] = True
        return rated

    @cached_property
    def _failed(self) -> Bools:
        return matrices.failed_passes(self.table)

    def _about(self, place: int) -> dict[str, Json]:
        rater = self.table.raters[place]
        return {
            "kind": rater.kind,
            "title": rater.name,
            "failed": int((self._failed[place] & self._asked).sum()),
            "missing": int((~self._rated[place] & self._asked).sum()),
        }


def _constant(value: Json) -> dict[str, Json]:
    shown = f"{value:+d}" if isinstance(value, int) and value else str(value)
    return {"kind": "baseline", "title": f"always {shown}", "failed": 0, "missing": 0}
