"""The parts of a report: which statistics each is made of, and how their figures are laid out (see report)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from annotations.records import Json
from models_service.statistics import measures
from models_service.statistics.figures import Block, Figure, Floats
from models_service.statistics.matrices import Matrix

Key = tuple[str, ...]
Found = Mapping[Key, Mapping[str, Figure]]

NO_REFERENCE = "No reference rater is chosen."
NO_ERROR = "The scheme names no value for a wrong step, so there is no first error."
NO_FIRST = "A label that was accepted may be the first error itself, so that is given with all labels only."
NO_ORDER = "The values of this field have no order."
NO_NUMBERS = "The values of this field are no numbers."
OVERALL = (
    *("percent", "alpha_ordinal", "alpha_nominal", "alpha_interval", "fleiss_kappa", "conger_kappa"),
    *("brennan_prediger", "ac1", "ac2_linear", "ac2_quadratic"),
)
KEYS = ("step_acc", "first_err_acc", "macro_f1", "coverage", "kappa", *measures.WEIGHTED, "percent")
ORDERED = ("alpha_ordinal", "ac2_linear", "ac2_quadratic")


def titles(values: Sequence[Json]) -> list[str]:
    return [str(value) for value in values]


def numbers(values: Sequence[Json]) -> Floats | None:
    """The values where all are numbers."""
    if not all(type(value) in (int, float) for value in values):
        return None
    return np.array(values, dtype=np.float64)


def laid_out(defined: Mapping[str, Figure], *, ordinal: bool, in_numbers: bool) -> dict[str, Any]:
    """An OVERALL of those figures; what needs an order or numbers is null without them."""
    known = dict(defined)
    n = known["percent"].n
    if not in_numbers:
        known["alpha_interval"] = Figure(None, n=n, reason=NO_NUMBERS)
    if not ordinal:
        known |= dict.fromkeys(ORDERED, Figure(None, n=n, reason=NO_ORDER))
    figures = {name: known[name] for name in OVERALL}
    plain = {key: figure.value for key, figure in figures.items()}
    return plain | {"figures": {key: figure.as_json() for key, figure in figures.items()}}


@dataclass
class Row:
    """One rater, or one constant answer, against the reference.

    `against` is None where there is no reference, `first` where there is no first error (`no_first` says why).
    `released` holds the figures of the released arithmetic, which replace ours of the same name.
    """

    about: dict[str, Any]
    against: Block | None = None
    first: Block | None = None
    no_first: str = NO_ERROR
    released: Mapping[str, Block] = field(default_factory=dict)

    def blocks(self) -> Iterator[tuple[str, Block]]:
        named = {"against": self.against, "first": self.first, **self.released}
        return ((key, block) for key, block in named.items() if block)

    def figures(self, found: Mapping[str, Mapping[str, Figure]], values: list[str]) -> dict[str, Figure]:
        if not self.against:
            return dict.fromkeys(KEYS + tuple(f"recall {value}" for value in values), Figure(None, reason=NO_REFERENCE))
        first = found["first"]["rate"] if self.first else Figure(None, reason=self.no_first)
        ours = {**found["against"], "first_err_acc": first}
        return ours | {key: found[key]["rate"] for key in self.released}


@dataclass
class Part:
    """All raters of a matrix at once, or those that are `among`, and each rater and constant answer against the
    reference."""

    matrix: Matrix
    ordinal: bool
    values: list[str]
    unit: str = "step"
    numbers: Floats | None = None
    raters: dict[str, Row] = field(default_factory=dict)
    baselines: dict[str, Row] = field(default_factory=dict)
    among: list[int] | None = None

    def rows(self) -> Iterator[tuple[str, str, Row]]:
        for place, rows in (("raters", self.raters), ("baselines", self.baselines)):
            yield from ((place, name, row) for name, row in rows.items())

    def blocks(self) -> dict[Key, Block]:
        found: dict[Key, Block] = {(key,): block for key, block in self._overall.items()}
        return found | {(place, name, key): block for place, name, row in self.rows() for key, block in row.blocks()}

    @cached_property
    def _overall(self) -> dict[str, Block]:
        matrix = self.matrix if self.among is None else self.matrix.only(self.among)
        return measures.overall(matrix, self.unit, self.numbers)

    def overall(self, found: Found) -> dict[str, Any]:
        defined = {name: figure for key in self._overall for name, figure in found[(key,)].items()}
        return laid_out(defined, ordinal=self.ordinal, in_numbers=self.numbers is not None)

    def against(self, found: Found) -> dict[str, Any]:
        said: dict[str, Any] = {"raters": {}, "baselines": {}}
        for place, name, row in self.rows():
            own = {key: found[place, name, key] for key, _ in row.blocks()}
            figures = row.figures(own, self.values)
            if row.against and not self.ordinal:
                figures |= {key: Figure(None, n=figures["kappa"].n, reason=NO_ORDER) for key in measures.WEIGHTED}
            said[place][name] = self._row(row, figures)
        return said

    def _row(self, row: Row, figures: dict[str, Figure]) -> dict[str, Any]:
        recall = {value: figures.pop(f"recall {value}") for value in self.values}
        plain = {key: figure.value for key, figure in figures.items()}
        laid_out: dict[str, Any] = {key: figure.as_json() for key, figure in figures.items()}
        laid_out["recall"] = [{"label": value} | figure.as_json() for value, figure in recall.items()]
        return {
            **row.about,
            **plain,
            "recall": {value: figure.value for value, figure in recall.items()},
            "figures": laid_out,
            "confusion": self._confusion(row),
        }

    def _confusion(self, row: Row) -> dict[str, Any] | None:
        if not row.against:
            return None
        table = measures.table_of(row.against.sums.sum(axis=0), len(self.values))
        return {"rows": self.values, "columns": [*self.values, "none"], "table": table}

    def pairs(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """Every two raters, by what both labelled."""
        found = []
        tables = measures.pairs(self.matrix)
        for one in range(len(names)):
            for other in range(one + 1, len(names)):
                figures = measures.of_pair(tables[one, other], self.unit)
                if not self.ordinal:
                    figures |= dict.fromkeys(measures.WEIGHTED)
                found.append({"a": names[one], "b": names[other], **figures})
        return found
