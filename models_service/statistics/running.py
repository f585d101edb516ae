"""Agreement that is kept up as labels come in: whole numbers of each task, whose sums give the figures of a report.

What a coefficient needs of many units is how often each kind of unit occurs: two said the first value and one the
second, say. So a task is counted as

    {"counts": {"tasks": 1, "trajectories", "steps", "labels", "propagated", "accepted", "failed"},
     "passes": {RATER: trajectories}, "main": PART, "final": PART}
    PART    = {"all": KINDS, "people": KINDS, "margins": {RATER: {VALUE: n}}, "filled": LESS, "aided": LESS,
               "pairs": {"RATER RATER": {"VALUE VALUE": units}}, "settled": {"before": KINDS, "margins",
               "against": {RATER: {"VALUE VALUE": units}}}}
    KINDS   = {"2 0 1": units}, how many raters gave each value, in the order of the scheme
    LESS    = {"all": KINDS, "margins": {RATER: {VALUE: n}}}

A RATER is its number, a VALUE its place in the scheme; what is 0 is left out. "filled" is what taking out propagated
labels adds to "all" and to "margins", negative where it takes away; "aided" the same for labels that were propagated or
accepted. "settled" looks at the trajectories that have an adjudicated pass: raters among themselves, and each against
it, its value first; one who said nothing there has the place after the last value. Whole numbers add up without
rounding, so taking a task's old counts away and adding the new ones is as good as counting all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from annotations.tables import LabelTable, TableRater
from models_service.statistics import chance, coefficients, matrices, measures, sections
from models_service.statistics.coefficients import Codes
from models_service.statistics.figures import Figure, Floats, figures
from models_service.statistics.matrices import Matrix

Sums = dict[str, Any]


def counted(table: LabelTable) -> dict[int, Sums]:
    """What each task of the table comes to, by the task's own number. The table's reference is what was adjudicated, or
    nobody."""
    found: dict[int, Sums] = {}
    keys = _looked_at(table)
    parts = {"main": (matrices.of_steps(table), matrices.accepted(table))} if table.values else {}
    if table.final_values:
        finals = matrices.of_finals(table)
        parts["final"] = finals, np.zeros(finals.labels.shape, dtype=bool)
    columns = _Columns(table)
    whole = _counts(table)
    for place, key in enumerate(keys):
        said = {name: columns.part(matrix, place, accepted) for name, (matrix, accepted) in parts.items()}
        found[table.task_keys[key]] = _plain(whole[key] | said)
    return found


def figures_of(sums: Mapping[str, Any], frame: LabelTable, raters: Sequence[TableRater]) -> dict[str, Any]:
    """The figures without intervals: {"counts", "values", "main": SECTION or null, "final": SECTION or null}, where

        SECTION = {"all": OVERALL, "people": OVERALL or null, "by_hand": OVERALL or null, "unaided": OVERALL or null,
                   "pairs": as in a report,
                   "settled": {"before": OVERALL, "raters": [{"name", "kind", "percent", KAPPAS, "step_acc", "n",
                   "reason"}]} or null}

    with OVERALL and KAPPAS as in statistics.report. `frame` says which values there are; its labels are not looked
    at. `raters` are all who may be in the sums."""
    counts = dict.fromkeys(COUNTS, 0) | dict(sums.get("counts", {}))
    people = sum(rater.kind == "human" and str(rater.key) in sums.get("passes", {}) for rater in raters)
    found: dict[str, Any] = {"counts": counts | {"raters": len(sums.get("passes", {}))}, "main": None, "final": None}
    if frame.values:
        part = _Part(sums.get("main", {}), frame.values, frame.ordinal, "step", raters)
        found["main"] = part.section(people > 1, accepted=counts["accepted"] > 0)
    if frame.final_values:
        part = _Part(sums.get("final", {}), frame.final_values, frame.final_ordinal, "trajectory", raters)
        found["final"] = part.section(people > 1)
    return found


COUNTS = ("tasks", "trajectories", "steps", "labels", "propagated", "accepted", "failed")


def _looked_at(table: LabelTable) -> list[int]:
    """The tasks as a matrix numbers them."""
    return [int(one) for one in np.unique(matrices.numbers(table.task)[matrices.numbers(table.pass_trajectory)])]


def _counts(table: LabelTable) -> dict[int, Sums]:
    """What a report says it was computed from, by task, without what was adjudicated."""
    task, of_step = table.task, table.step_trajectory
    counts: dict[int, Counter[str]] = {}
    passes: dict[int, Counter[str]] = {}
    rated, labelled = set(), set()
    for rater, trajectory, failed in zip(table.pass_rater, table.pass_trajectory, table.pass_failed, strict=True):
        own = counts.setdefault(task[trajectory], Counter())
        passes.setdefault(task[trajectory], Counter())
        if rater != table.reference:
            own["tasks"] = 1
            own["trajectories"] += trajectory not in rated
            own["failed"] += failed
            passes[task[trajectory]][str(table.raters[rater].key)] += 1
            rated.add(trajectory)
    came = (table.label_propagated, table.label_accepted)
    for rater, step, filled, accepted in zip(table.label_rater, table.label_step, *came, strict=True):
        if rater != table.reference:
            own = counts[task[of_step[step]]]
            own["labels"] += 1
            own["propagated"] += filled
            own["accepted"] += accepted
            own["steps"] += step not in labelled
            labelled.add(step)
    return {place: {"counts": counts[place], "passes": passes[place]} for place in counts}


class _Columns:
    """The raters of a table, as they are counted."""

    def __init__(self, table: LabelTable) -> None:
        self.keys = [rater.key for rater in table.raters]
        self.reference = table.reference
        self.others = [place for place in range(len(self.keys)) if place != table.reference]
        self.people = [place for place in self.others if table.raters[place].kind == "human"]

    def part(self, matrix: Matrix, task: int, accepted: matrices.Bools) -> Sums:
        """What that task of the matrix comes to. Its units stand together."""
        start, stop = np.searchsorted(matrix.task, [task, task + 1])
        labels, size = matrix.labels[start:stop], matrix.categories
        found: Sums = {
            "all": _kinds(labels[:, self.others], size),
            "people": _kinds(labels[:, self.people], size),
            "margins": self._margins(labels, size),
            "pairs": dict(self._pairs(labels, size)),
        }
        filled, aided = matrix.propagated[start:stop], accepted[start:stop]
        if filled.any():
            found["filled"] = self._less(found, np.where(filled, size, labels), size)
        # Also where nothing was accepted, so that it adds up with other tasks to what is left of all.
        if filled.any() or aided.any():
            found["aided"] = self._less(found, np.where(filled | aided, size, labels), size)
        if self.reference is not None:
            found["settled"] = self._settled(labels, matrix.trajectory[start:stop], size)
        return found

    def _less(self, whole: Sums, left: Codes, size: int) -> Sums:
        """What is to be added to `whole` where only those labels are left."""
        margins = self._margins(left, size)
        return {
            "all": _difference(_kinds(left[:, self.others], size), whole["all"]),
            "margins": {key: _difference(margins[key], of) for key, of in whole["margins"].items()},
        }

    def _settled(self, labels: Codes, trajectory: Codes, size: int) -> Sums:
        decided = labels[:, self.reference]
        here = labels[np.isin(trajectory, trajectory[decided < size])]
        return {
            "before": _kinds(here[:, self.others], size),
            "margins": self._margins(here, size),
            "against": {
                str(self.keys[place]): _cells(decided, labels[:, place], decided < size, size)
                for place in self.others
                if (here[:, place] < size).any()
            },
        }

    def _margins(self, labels: Codes, size: int) -> Sums:
        return {
            str(self.keys[place]): {
                str(value): int(n) for value, n in enumerate(np.bincount(labels[:, place], minlength=size)[:size])
            }
            for place in self.others
        }

    def _pairs(self, labels: Codes, size: int) -> Iterator[tuple[str, Sums]]:
        here = [place for place in self.others if (labels[:, place] < size).any()]
        for one, other in combinations(sorted(here, key=lambda place: self.keys[place]), 2):
            first, second = labels[:, one], labels[:, other]
            both = (first < size) & (second < size)
            yield f"{self.keys[one]} {self.keys[other]}", _cells(first, second, both, size)


def _cells(first: Codes, second: Codes, here: matrices.Bools, size: int) -> Sums:
    cells = first[here].astype(np.int64) * (size + 1) + second[here]
    return {f"{cell // (size + 1)} {cell % (size + 1)}": int(n) for cell, n in enumerate(np.bincount(cells)) if n}


def _kinds(labels: Codes, size: int) -> Sums:
    """How many units have which counts; those without a label are left out."""
    per_unit = coefficients.counts(labels, size).astype(np.int64)
    kinds, times = np.unique(per_unit[per_unit.any(axis=1)], axis=0, return_counts=True)
    return {" ".join(map(str, kind)): int(n) for kind, n in zip(kinds.tolist(), times, strict=True)}


def _difference(of: Sums, and_: Sums) -> Sums:
    return {key: of.get(key, 0) - and_.get(key, 0) for key in {*of, *and_}}


def _plain(sums: Any) -> Any:
    """Without zeros and what is empty."""
    if not isinstance(sums, Mapping):
        return int(sums)
    plain = {key: _plain(one) for key, one in sums.items()}
    return {key: one for key, one in plain.items() if one}


@dataclass
class _Part:
    """The sums of one field on their way to figures."""

    sums: Mapping[str, Any]
    values: Sequence[Any]
    ordinal: bool
    unit: str
    raters: Sequence[TableRater]

    def section(self, with_people: bool, accepted: bool = False) -> dict[str, Any]:
        kinds, margins = self.sums.get("all", {}), self.sums.get("margins", {})
        people = {key: one for key, one in margins.items() if self._names.get(key, ("", ""))[1] == "human"}
        return {
            "all": self._overall(kinds, margins),
            "people": self._overall(self.sums.get("people", {}), people) if with_people else None,
            "by_hand": self._without("filled") if "filled" in self.sums else None,
            "unaided": self._without("aided") if accepted else None,
            "pairs": self._pairs(),
            "settled": self._settled(self.sums["settled"]) if self.sums.get("settled") else None,
        }

    @cached_property
    def _names(self) -> dict[str, tuple[str, str]]:
        return {str(rater.key): (rater.name, rater.kind) for rater in self.raters}

    def _without(self, some: str) -> dict[str, Any]:
        """As if the labels that are "filled", or "aided", had not been said."""
        less = self.sums.get(some, {})
        kinds = Counter(self.sums.get("all", {}))
        kinds.update(less.get("all", {}))
        margins = {key: Counter(one) for key, one in self.sums.get("margins", {}).items()}
        for key, one in less.get("margins", {}).items():
            margins.setdefault(key, Counter()).update(one)
        return self._overall({kind: n for kind, n in kinds.items() if n}, margins)

    def _overall(self, kinds: Mapping[str, int], margins: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
        size, numbers = len(self.values), sections.numbers(self.values)
        per_unit = np.array([kind.split() for kind in kinds], dtype=np.float64).reshape(len(kinds), size)
        times = np.array(list(kinds.values()), dtype=np.float64)
        said = [float(margins[key].get(str(value), 0)) for key in sorted(margins) for value in range(size)]
        pairs, shares = (times @ of(per_unit) for of in (coefficients.coincidences, chance.shares))
        blocks = measures.of_sums(pairs[None], shares[None], np.array([said]), self.unit, numbers)
        found = {name: _point(one) for each in figures(blocks, 0, 0).values() for name, one in each.items()}
        return sections.laid_out(found, ordinal=self.ordinal, in_numbers=numbers is not None)

    def _pairs(self) -> list[dict[str, Any]]:
        """Every two raters who have labelled a unit of the same task."""
        names, pairs = self._names, self.sums.get("pairs", {})
        told = self._told([self._table(cells) for cells in pairs.values()])
        found = []
        for pair, said in zip(pairs, told, strict=True):
            (one, _), (other, _) = (names[key] for key in pair.split())
            found.append({"a": one, "b": other, **said})
        return sorted(found, key=lambda pair: (pair["a"], pair["b"]))

    def _settled(self, sums: Mapping[str, Any]) -> dict[str, Any]:
        names, rows = self._names, []
        tables = {key: self._table(cells, said_nothing=1) for key, cells in sums.get("against", {}).items()}
        told = self._told([table[:, :-1] for table in tables.values()])
        for (key, table), said in zip(tables.items(), told, strict=True):
            name, kind = names[key]
            right = float(coefficients.step_acc(table.ravel(), len(self.values)))
            step_acc = None if np.isnan(right) else right
            rows.append({"name": name, "kind": kind, "step_acc": step_acc, **said})
        before = self._overall(sums.get("before", {}), sums.get("margins", {}))
        return {"before": before, "raters": sorted(rows, key=lambda row: (row["kind"], row["name"]))}

    def _told(self, tables: Sequence[Floats]) -> list[dict[str, Any]]:
        """What is said of two raters, from the table of each two."""
        if not tables:
            return []
        without = {} if self.ordinal else dict.fromkeys(measures.WEIGHTED)
        return [one | without for one in measures.of_pairs(np.stack(tables), self.unit)]

    def _table(self, cells: Mapping[str, int], said_nothing: int = 0) -> Floats:
        table = np.zeros((len(self.values), len(self.values) + said_nothing))
        for cell, n in cells.items():
            row, column = cell.split()
            table[int(row), int(column)] = n
        return table


def _point(figure: Figure) -> Figure:
    """There is no interval, and no word is lost about it."""
    return figure if figure.value is None else Figure(figure.value, n=figure.n)
