"""What `python -m bench embedded` measures, on the shared trajectories: the judges as published, and floors for us."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from bench import embedded as bench
from models_service.scorers import features, measures
from models_service.statistics import official

pytestmark = pytest.mark.data
EVERYTHING = np.arange(426), np.arange(150)


@pytest.fixture(scope="module")
def gold(shared_data) -> bench.Gold:
    return bench.read()


def mean(said: list[bench.Said]) -> dict[str, float]:
    return dict(zip(bench.FIGURES, np.mean([one.figures(*EVERYTHING) for one in said], axis=0), strict=True))


def test_judges_are_counted_as_the_released_script_counts_them(gold: bench.Gold) -> None:
    assert (len(gold.records), len(gold.steps), len(bench.judges())) == (150, 426, 10)
    for path in bench.judges():
        with gzip.open(path) as stream:
            released = official.compare(gold.records, map(json.loads, stream), "hotpotqa")
        found = mean([bench.judge(gold, path)])
        assert (found["step_acc"], found["first_err_acc"]) == (released.step_acc, released.first_err_acc), path


def test_it_ranks_wrong_steps_better_than_each_judge_and_than_the_shape_alone(gold: bench.Gold) -> None:
    """Measured over ten deals of the folds: .792, .741, .594 and .903."""
    ours, shape = (mean(bench.rounds(gold, names, 2)) for names in (features.NAMES, features.STRUCTURE))
    judged = [mean([bench.judge(gold, path)]) for path in bench.judges()]
    assert ours["auroc"] > max(one["auroc"] for one in judged)
    assert ours["auroc"] > max(0.87, shape["auroc"] + 0.05)
    assert ours["step_acc"] > max(0.75, shape["step_acc"])
    assert ours["first_err_acc"] > max(0.70, shape["first_err_acc"])
    assert ours["macro_f1"] > 0.53


def test_shuffled_labels_rank_nothing(gold: bench.Gold) -> None:
    areas = []
    for seed in range(4):
        shuffled = np.random.default_rng(seed).permutation(gold.truth)
        [said] = bench.rounds(bench.relabelled(gold, shuffled), features.NAMES, 1)
        areas.append(measures.auroc(said.wrong, shuffled == bench.WRONG))
    assert np.mean(areas) == pytest.approx(0.5, abs=0.06)
