"""The parts of a report: which statistics each is made of, and how their figures are laid out (see report)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotations.records import Json
from models_service.statistics import measures
from models_service.statistics.figures import Block, Figure
from models_service.statistics.matrices import Matrix

Key = tuple[str, ...]
Found = Mapping[Key, Mapping[str, Figure]]

NO_REFERENCE = "No reference rater is chosen."
NO_ERROR = "The scheme names no value for a wrong step, so there is no first error."
NO_ORDER = "The values of this field have no order."


def titles(values: Sequence[Json]) -> list[str]:
    return [str(value) for value in values]


@dataclass
class Row:
    """One rater, or one constant answer, against the reference.

    `against` is None where there is no reference, `first` where there is no first error. `released` holds the figures
    of the released arithmetic, which replace ours of the same name.
    """

    about: dict[str, Any]
    against: Block | None = None
    first: Block | None = None
    released: Mapping[str, Block] = field(default_factory=dict)

    def blocks(self) -> Iterator[tuple[str, Block]]:
        named = {"against": self.against, "first": self.first, **self.released}
        return ((key, block) for key, block in named.items() if block)

    def figures(self, found: Mapping[str, Mapping[str, Figure]], values: list[str]) -> dict[str, Figure]:
        if not self.against:
            return dict.fromkeys(_keys(values), Figure(None, reason=NO_REFERENCE))
        first = found["first"]["rate"] if self.first else Figure(None, reason=NO_ERROR)
        ours = {**found["against"], "first_err_acc": first}
        return ours | {key: found[key]["rate"] for key in self.released}


@dataclass
class Part:
    """All raters of a matrix at once, and each rater and constant answer against the reference."""

    matrix: Matrix
    ordinal: bool
    values: list[str]
    unit: str = "step"
    raters: dict[str, Row] = field(default_factory=dict)
    baselines: dict[str, Row] = field(default_factory=dict)

    def rows(self) -> Iterator[tuple[str, str, Row]]:
        for place, rows in (("raters", self.raters), ("baselines", self.baselines)):
            yield from ((place, name, row) for name, row in rows.items())

    def blocks(self) -> dict[Key, Block]:
        found: dict[Key, Block] = {(key,): block for key, block in measures.overall(self.matrix, self.unit).items()}
        return found | {(place, name, key): block for place, name, row in self.rows() for key, block in row.blocks()}

    def overall(self, found: Found) -> dict[str, Any]:
        figures = {**found[("shares",)], **found[("alpha",)]}
        if not self.ordinal:
            figures["alpha_ordinal"] = Figure(None, n=figures["alpha_nominal"].n, reason=NO_ORDER)
        plain = {key: figure.value for key, figure in figures.items()}
        return plain | {"figures": {key: figure.as_json() for key, figure in figures.items()}}

    def against(self, found: Found) -> dict[str, Any]:
        said: dict[str, Any] = {"raters": {}, "baselines": {}}
        for place, name, row in self.rows():
            own = {key: found[place, name, key] for key, _ in row.blocks()}
            said[place][name] = self._row(row, row.figures(own, self.values))
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
                found.append({"a": names[one], "b": names[other], **figures})
        return found


def _keys(values: list[str]) -> list[str]:
    return ["step_acc", "first_err_acc", "macro_f1", "coverage", "kappa", "percent", *(f"recall {v}" for v in values)]
