"""Alpha, AC1 and kappa with 2,000 resamples of tasks, against the fastest library's point values, on the same labels.

The libraries are those of .ci/oracles, which run in an environment of their own on labels that we hand over as a file:
krippendorff for alpha, the quicker of agreement and irrCAC for AC1, of scikit-learn and statsmodels for kappa. The
labels are invented: raters who agree about as much as the published judges do, one label in a hundred missing.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench import common
from models_service.statistics import measures, report
from models_service.statistics.figures import Block, figures
from models_service.statistics.matrices import Matrix

ORACLES = common.ROOT / "var" / "oracles" / "bin" / "python"
SIZES = ((8_509, 21, 1_000, 200), (1_000_000, 5, 120_000, 24_000))  # steps, raters, trajectories, tasks
CATEGORIES = 3
WANTED = {"alpha": "alpha_ordinal", "shares": "ac1", "kappa": "kappa"}
PEER = """
import json, sys, time
import agreement, irrCAC.raw, krippendorff, numpy as np, pandas as pd
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats import inter_rater
labels, size = np.load(sys.argv[1]), 3
small = len(labels) < 100_000

def alpha():
    data = np.where(labels == size, np.nan, labels).T
    return krippendorff.alpha(data, level_of_measurement="ordinal", value_domain=[0.0, 1.0, 2.0])

def by_agreement():
    counts = np.stack([(labels == one).sum(axis=1) for one in range(size)], axis=1).astype(float)
    return agreement.metrics.gwets_gamma(counts)

def by_irrcac():
    frame = pd.DataFrame(np.where(labels == size, np.nan, labels))
    return irrCAC.raw.CAC(frame, categories=[0.0, 1.0, 2.0], digits=15).gwet()["est"]["coefficient_value"]

def both():
    return labels[(labels[:, 0] < size) & (labels[:, 1] < size), :2]

def by_sklearn():
    return cohen_kappa_score(*both().T, labels=range(size))

def by_statsmodels():
    table = np.zeros((size, size))
    np.add.at(table, tuple(both().T), 1)
    return inter_rater.cohens_kappa(table, return_results=False)

found = {}
ways = {"alpha": [alpha], "shares": [by_agreement], "kappa": [by_sklearn, by_statsmodels]}
if small:
    ways["shares"].append(by_irrcac)
for name, each in ways.items():
    for one in each:
        times = []
        for _ in range(10 if small else 2):
            start = time.perf_counter()
            value = float(one())
            times.append(time.perf_counter() - start)
        if name not in found or min(times) < found[name]["seconds"]:
            found[name] = {"seconds": min(times), "value": value, "by": one.__name__}
print(json.dumps(found))
"""
LIMIT = "the three point values of the fastest libraries, added up"


def matrix(steps: int, raters: int, trajectories: int, tasks: int) -> Matrix:
    """Steps in trajectories, trajectories in tasks; each rater right about three steps of four."""
    draw = np.random.default_rng(0)
    truth = draw.choice(CATEGORIES, size=steps, p=[0.63, 0.05, 0.32])
    right = draw.random((steps, raters)) < 0.75
    labels = np.where(right, truth[:, None], draw.integers(0, CATEGORIES, size=(steps, raters))).astype(np.uint8)
    labels[draw.random(labels.shape) < 0.01] = CATEGORIES
    trajectory = np.sort(draw.integers(0, trajectories, size=steps))
    task_of = np.arange(trajectories) * tasks // trajectories
    nowhere = np.zeros(labels.shape, dtype=bool)
    return Matrix(labels, nowhere, CATEGORIES, trajectory, task_of[trajectory], task_of, tasks)


def ours(given: Matrix, resamples: int) -> dict[str, tuple[float | None, ...]]:
    """The three, with their intervals, from the labels on."""
    blocks = measures.overall(given)
    blocks["kappa"] = measures.against(given, given.labels[:, 0], given.labels[:, 1], ["1", "0", "-1"])
    kept = {name: Block(blocks[name].sums, {key: blocks[name].measures[key]}) for name, key in WANTED.items()}
    found = figures(kept, resamples, 0)
    one = {name: found[name][key] for name, key in WANTED.items()}
    return {name: (each.value, each.low, each.high) for name, each in one.items()}


def peer(folder: Path, given: Matrix) -> dict[str, dict[str, Any]]:
    np.save(folder / "labels.npy", given.labels)
    command = [ORACLES, "-W", "ignore", "-c", PEER, folder / "labels.npy"]
    found: dict[str, dict[str, Any]] = json.loads(
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
    )
    return found


def main() -> None:
    subprocess.run([common.ROOT / ".ci" / "oracles"], check=True)
    rows, notes = [], {}
    for steps, raters, trajectories, tasks in SIZES:
        given = matrix(steps, raters, trajectories, tasks)
        with tempfile.TemporaryDirectory(prefix="stepmark-bench-") as folder:
            theirs = peer(Path(folder), given)
        made = ours(given, report.RESAMPLES)
        for name, one in theirs.items():
            assert abs((made[name][0] or 0.0) - one["value"]) < 1e-9, (name, made[name], one)
        limit = sum(one["seconds"] for one in theirs.values())
        note = f"{steps:,} × {raters}, {tasks:,} tasks; libraries give no interval by tasks"
        repeats = 5 if steps < 100_000 else 2
        for what, resamples in (("point values", 0), ("with 2,000 resamples of tasks", report.RESAMPLES)):
            taken = common.best(partial(ours, given, resamples), repeats)
            rows.append(common.beside(f"alpha, AC1, kappa {what}", steps, taken, limit, LIMIT, note=note))
        notes[f"{steps} by {raters}"] = {"ours": made, "theirs": theirs}
    common.write("coefficients", rows, **notes)


if __name__ == "__main__":
    main()
