"""Agreement with its 2,000 resamples against the krippendorff package's point value of alpha, on the same matrix.

The package is GPL, so it is no dependency of ours: it is installed into a venv of its own in a temporary folder, and
run there on the matrix that we hand over as a file. The matrix is the reference and ten judges on the shared
trajectories, repeated with tasks of their own.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import tempfile
import venv
from array import array
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from annotations.tables import LabelTable, TableRater
from bench import common
from models_service.statistics import matrices, measures, report
from models_service.statistics.figures import Block, Figure, figures

PACKAGE = "krippendorff==0.9.0"
PEER = """
import json, sys, time
import krippendorff, numpy
matrix, level = numpy.load(sys.argv[1]), sys.argv[2]
times = []
for _ in range(20):
    start = time.perf_counter()
    value = krippendorff.alpha(reliability_data=matrix, level_of_measurement=level, value_domain=[0.0, 1.0, 2.0])
    times.append(time.perf_counter() - start)
print(json.dumps({"seconds": min(times), "value": float(value)}))
"""
VALUES = (1, 0, -1)
LIMIT = "krippendorff: ordinal alpha, point value"


def records(path: Path) -> dict[tuple[int, int], dict[str, Any]]:
    read = (json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines())
    return {(record["query_index"], record["sample_index"]): record for record in read}


def table(trajectories: int) -> LabelTable:
    """The shared labels, over and over, up to that many trajectories."""
    reference = records(common.TRAJECTORIES)
    judges = sorted((common.SHARED / "judges").glob("*/hotpotqa__*"))
    said = [reference, *(records(path) for path in judges)]
    rollouts = list(reference)
    columns: dict[str, array[int]] = {name: array("i") for name in LabelTable.__annotations__ if "_" in name}
    task = array("i")
    for number in range(trajectories):
        copy, place = divmod(number, len(rollouts))
        task.append(copy * 1_000 + rollouts[place][0])
        steps = list(reference[rollouts[place]]["step_labels"])
        start = len(columns["step_message"])
        columns["step_message"].extend(map(int, steps))
        columns["step_trajectory"].extend([number] * len(steps))
        for rater, each in enumerate(said):
            record = each[rollouts[place]]
            columns["pass_rater"].append(rater)
            columns["pass_trajectory"].append(number)
            columns["pass_failed"].append(str(record.get("comment") or "").startswith("llm_annotate_failed:"))
            for at, step in enumerate(steps):
                if (value := (record["step_labels"] or {}).get(step)) is not None:
                    columns["label_rater"].append(rater)
                    columns["label_step"].append(start + at)
                    columns["label_value"].append(VALUES.index(value))
                    columns["label_propagated"].append(0)
    return LabelTable(
        main="label",
        values=VALUES,
        ordinal=True,
        error=VALUES.index(-1),
        raters=tuple(TableRater(name, "judge") for name in ["gold", *(path.parent.name for path in judges)]),
        reference=0,
        trajectories=tuple(map(str, range(trajectories))),
        task=task,
        **{name: values for name, values in columns.items() if not name.startswith("final")},  # type: ignore[arg-type]
    )


def peer(folder: Path, matrix: matrices.Matrix, level: str) -> dict[str, float]:
    """What the package says of the matrix and how quickly: raters in rows, NaN for nothing."""
    data = np.where(matrix.labels == matrix.categories, np.nan, matrix.labels).T
    np.save(folder / "matrix.npy", data)
    command: list[str | Path] = [folder / "bin" / "python", "-c", PEER, folder / "matrix.npy", level]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def alpha(matrix: matrices.Matrix) -> Figure:
    """Ordinal alpha and its interval, from the matrix on."""
    block = measures.overall(matrix)["alpha"]
    ordinal = {"alpha_ordinal": block.measures["alpha_ordinal"]}
    return figures({"alpha": Block(block.sums, ordinal)}, report.RESAMPLES, 0)["alpha"]["alpha_ordinal"]


def main() -> None:
    rows, notes = [], {}
    with tempfile.TemporaryDirectory(prefix="stepmark-bench-") as temporary:
        folder = Path(temporary)
        venv.create(folder, with_pip=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", PACKAGE], check=True, stderr=subprocess.DEVNULL)
        for size in common.SIZES:
            labels = table(size)
            matrix = matrices.of_steps(labels)
            theirs = peer(folder, matrix, "ordinal")
            ours = alpha(matrix)
            assert ours.value is not None and abs(ours.value - theirs["value"]) < 1e-9, (ours, theirs)
            timings = {
                "alpha with 2,000 resamples": common.best(partial(alpha, matrix), 20),
                "whole report, all resampled": common.best(partial(report.compute, labels), 5),
            }
            for what, each in timings.items():
                note = "some 120 figures, each with an interval, against one without" if "report" in what else ""
                rows.append(common.at_most(what, size, each, theirs["seconds"], LIMIT, 5, note=note))
            notes[f"ordinal alpha at {size}"] = {"ours": [ours.value, ours.low, ours.high], "theirs": theirs["value"]}
    common.write("agreement", rows, raters=11, **notes)


if __name__ == "__main__":
    main()
