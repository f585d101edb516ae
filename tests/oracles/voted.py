"""What crowd-kit makes of many labels. Runs in the environment of .ci/oracles: python voted.py TABLE.npz, as agreed.py.

Printed is {method: {"labels": [category of each unit], "posterior": [[share of each category]]}}, and of Wawa its
skills. crowd-kit is used where it is right: its MACE wants the rows sorted by rater and label, its Dawid-Skene stops
after two rounds unless it is told that anything is progress. Its other methods, which ask for large libraries, are not
loaded.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

found = importlib.util.find_spec("crowdkit")
assert found is not None and found.origin is not None
package = types.ModuleType("crowdkit.aggregation")
package.__path__ = [str(Path(found.origin).parent / "aggregation")]
sys.modules["crowdkit.aggregation"] = package

from crowdkit.aggregation.classification.dawid_skene import DawidSkene, OneCoinDawidSkene  # noqa: E402
from crowdkit.aggregation.classification.mace import MACE  # noqa: E402
from crowdkit.aggregation.classification.wawa import Wawa  # noqa: E402

ROUNDS = 100


def rows(labels, size):
    """A label a row, sorted so that names are met in order everywhere."""
    unit, rater = np.nonzero(labels < size)
    frame = pd.DataFrame({"task": unit, "worker": rater, "label": labels[unit, rater]})
    return frame.sort_values(["label", "worker", "task"], ignore_index=True)


def made(posterior, units, size):
    return posterior.reindex(index=range(units), columns=range(size), fill_value=0.0).to_numpy().tolist()


def main(path):
    read = np.load(path)
    labels, size = read["labels"].astype(np.int64), int(read["categories"])
    data = rows(labels, size)
    said = {}
    for name, model in (
        ("dawid_skene", DawidSkene(n_iter=ROUNDS, tol=-1e9)),
        ("one_coin", OneCoinDawidSkene(n_iter=40, tol=-1e9)),
        ("mace_vb", MACE(n_restarts=1, n_iter=ROUNDS, method="vb")),
        ("mace_em", MACE(n_restarts=1, n_iter=ROUNDS, method="em")),
    ):
        said[name] = {"posterior": made(model.fit_predict_proba(data), len(labels), size)}
    wawa = Wawa().fit(data)
    said["wawa"] = {
        "posterior": made(wawa.predict_proba(data), len(labels), size),
        "skills": wawa.skills_.reindex(range(labels.shape[1])).tolist(),
    }
    return said


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.stdout.write(json.dumps(main(sys.argv[1]), default=float))
