"""What every method says of every step, as the file of a consensus run: written once, read where labels are adopted.

A CSV of one row a step, part of a step or trajectory: `trajectory` (its name), `trajectory_id`, `step` (its index),
`step_id`, `part`, `reference`, how many raters gave each value ("said VALUE"), and for each method its label and how
likely each value is by it ("METHOD VALUE"). Labels are JSON; empty is none.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from django.core.files import File
from django.core.files.storage import default_storage

from annotations.consensus_table import ConsensusTable
from annotations.models import Run
from annotations.records import Json
from annotations.services.runs import Claim

FIRST = ("trajectory", "trajectory_id", "step", "step_id", "part", "reference")
EVEN = 1e-9  # of a posterior: nearer than this is the same, as in statistics.consensus.outcome


class FileChanged(ValueError):
    """The run's file is not there, or not the one that the run wrote."""


class Decided(NamedTuple):
    """One label that a method has, and how likely it is by it."""

    trajectory: int
    step: int | None
    part: str
    value: Json
    posterior: float


def write(of: ConsensusTable, lines: Iterable[Mapping[str, Any]], methods: Sequence[str], to: Path) -> None:
    """`lines` are a unit's labels and posteriors by method, in the order of the units."""
    values = [json.dumps(value, ensure_ascii=False) for value in of.values]
    reference = dict(zip(of.reference_unit, of.reference_value, strict=True))
    said = [[0] * len(values) for _ in of.units]
    for at, value in zip(of.label_unit, of.label_value, strict=True):
        said[at][value] += 1
    heads = [f"said {value}" for value in values]
    for name in methods:
        heads += [name, *(f"{name} {value}" for value in values)]
    with to.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow([*FIRST, *heads])
        for place, (unit, line) in enumerate(zip(of.units, lines, strict=True)):
            truth = values[reference[place]] if place in reference else ""
            row = [inert(unit.name), unit.trajectory, _cell(unit.index), _cell(unit.step), unit.part, truth]
            row += said[place]
            for name in methods:
                row += _told(line[name], values)
            table.writerow(row)


def _told(one: Mapping[str, Any], values: Sequence[str]) -> list[str]:
    label, posterior = one["label"], one["posterior"]
    sure = [""] * len(values) if posterior is None else [f"{number:.12g}" for number in posterior]
    return ["" if label is None else values[label], *sure]


def inert(text: str) -> str:
    """A text of somebody else's that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _cell(number: int | None) -> str:
    return "" if number is None else str(number)


def keep(claim: Claim, path: Path) -> None:
    """In the storage as the run's file, also where an attempt that died left one."""
    name = f"consensus/{claim.run.pk}/steps.csv"
    default_storage.delete(name)
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        default_storage.save(name, File(stream))
    claim.attach(name, sha256)


def decided(run: Run, method: str, at: float) -> Iterator[Decided]:
    """The labels of that method whose posterior is that or more. FileChanged where the file is not as it was
    written."""
    if not run.file or not default_storage.exists(run.file):
        raise FileChanged("The file with its steps is not there any more; compute it anew.")
    with default_storage.open(run.file, "rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != run.sha256:
            raise FileChanged("The file with its steps is not the one that was written; compute it anew.")
    with default_storage.open(run.file, "rb") as stream:
        for row in csv.DictReader(io.TextIOWrapper(stream, encoding="utf-8", newline="")):
            label = row[method]
            if label and (posterior := float(row[f"{method} {label}"])) >= at - EVEN:
                step = int(row["step_id"]) if row["step_id"] else None
                yield Decided(int(row["trajectory_id"]), step, row["part"], json.loads(label), posterior)
