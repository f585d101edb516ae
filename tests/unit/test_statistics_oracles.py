"""Ours beside other people's implementations, in an environment of their own, on published labels of people and
judges."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models_service.evaluating import evaluate
from models_service.evaluating_many import NAMES
from models_service.statistics import chance, coefficients, measures
from models_service.statistics.consensus import confusion, mace, voting
from models_service.statistics.consensus.outcome import labels_of
from models_service.statistics.consensus.votes import gathered
from models_service.statistics.figures import figures
from models_service.statistics.matrices import Matrix

pytestmark = pytest.mark.data

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / "var" / "oracles" / "bin" / "python"
SETS = ("hotpotqa", "bfcl")
EXACT = 1e-9
VALUES = (1, 0, -1)
K, NONE = 3, 3


def asked(script: str, labels: np.ndarray, folder: Path) -> Any:
    """What tests/oracles/SCRIPT says of a table. Where its environment is not there: skip; in CI, fail."""
    if not PYTHON.exists():
        if os.environ.get("CI"):
            pytest.fail(".ci/oracles has not been run")
        pytest.skip("needs .ci/oracles")
    np.savez(folder / "table.npz", labels=labels, categories=K)
    command = [PYTHON, ROOT / "tests" / "oracles" / script, folder / "table.npz"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


# --- the tables, read here once more


def rows_of(path: Path) -> dict[tuple[int, int], dict[str, Any]]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return {(one["query_index"], one["sample_index"]): one for one in map(json.loads, text.splitlines())}


def codes(row: dict[str, Any], steps: list[str]) -> list[int]:
    broke = str(row.get("comment") or "").startswith("llm_annotate_failed:")
    said = {} if broke else row["step_labels"] or {}
    return [NONE if said.get(step) is None else VALUES.index(said[step]) for step in steps]


def table_of(folder: Path, sets: tuple[str, ...]) -> np.ndarray:
    """(steps, 1 + judges): the reference and the judges by name, as numbers of VALUES, NONE for nothing."""
    judges = sorted({path.parent.name for path in (folder / "judges").glob("*/*")})
    blocks = []
    for name in sets:
        gold = rows_of(folder / "gold" / f"{name}_final.jsonl")
        said = [rows_of(next((folder / "judges" / judge).glob(f"{name}__*"))) for judge in judges]
        for place, row in gold.items():
            steps = sorted(row["step_labels"], key=int)
            blocks.append(np.array([codes(each[place], steps) for each in (gold, *said)], dtype=np.uint8).T)
    return np.concatenate(blocks)


@pytest.fixture(scope="module")
def published(shared_data: Path) -> Path:
    return shared_data / "agentprocessbench"


@pytest.fixture(scope="module")
def found(published: Path) -> dict[str, Any]:
    gold = [published / "gold" / f"{name}_final.jsonl" for name in SETS]
    return evaluate(gold, sorted((published / "judges").glob("*/*")), official=False, resamples=0)


def ours(labels: np.ndarray) -> dict[str, float]:
    """Every coefficient of a table, by the name that the report gives it."""
    nowhere = np.zeros(len(labels), dtype=np.int64)
    matrix = Matrix(labels, np.zeros(labels.shape, dtype=bool), K, nowhere, nowhere, nowhere[:1], 1)
    blocks = measures.overall(matrix, values=np.array(VALUES, dtype=np.float64))
    return {name: one.value for each in figures(blocks, 0, 0).values() for name, one in each.items()}


def agrees(values: dict[str, float], said: dict[str, dict[str, float]]) -> None:
    """Each coefficient is what two libraries say at least."""
    for name, value in values.items():
        theirs = {library: each[name] for library, each in said.items() if name in each}
        assert len(theirs) >= 2, name
        for library, one in theirs.items():
            assert one == pytest.approx(value, abs=EXACT, rel=0), (name, library)


# --- agreement


@pytest.mark.parametrize("sets", [("hotpotqa",), ("bfcl",), SETS], ids=["hotpotqa", "bfcl", "both"])
def test_many_is_what_two_libraries_say_of_gold_and_ten_judges(found, published, tmp_path, sets):
    labels = table_of(published, sets)
    many = found["many"] if sets == SETS else found["many"]["sets"][sets[0]]
    assert (many["units"], many["raters"], many["missing"]) == (*labels.shape, (labels == NONE).sum())
    said = asked("agreed.py", labels, tmp_path)
    agrees({key: many[name] for name, key in NAMES.items()}, said["all"])
    rows = found["all"] if sets == SETS else found["sets"][sets[0]]
    names = {"unweighted": "kappa", "linear": "kappa_linear", "quadratic": "kappa_quadratic"}
    against_gold = [each for each in said["pairs"] if each[0] == 0]
    assert len(against_gold) == 3 * len(rows) == 30
    for _, place, weights, *theirs in against_gold:
        row = rows[sorted(rows)[place - 1]]
        assert theirs == pytest.approx([row[names[weights]]] * 2, abs=EXACT, rel=0), (place, weights)


def test_so_is_what_complete_rows_alone_say(published, tmp_path):
    """statsmodels takes no gaps; without them it is a third and a fourth witness."""
    labels = table_of(published, SETS)
    complete = labels[(labels < NONE).all(axis=1)]
    said = asked("agreed.py", complete, tmp_path)
    agrees(ours(complete), said["all"] | said["complete"])
    assert set(said["complete"]["statsmodels"]) == {"fleiss_kappa", "brennan_prediger"}


def test_judges_among_themselves_are_what_the_libraries_say(found, published, tmp_path):
    said = asked("agreed.py", table_of(published, SETS)[:, 1:], tmp_path)
    alone = found["many"]["without_reference"]
    agrees({key: alone[name] for name, key in NAMES.items()}, said["all"])


def test_three_people_who_prefer_one_of_two_answers(shared_data, tmp_path):
    """PandaLM's test set: 999 pairs, each labelled tie, first or second by three people."""
    path = shared_data / "pandalm" / "testset-v1.json.gz"
    pairs = json.loads(gzip.decompress(path.read_bytes()))
    labels = np.array([[one[f"annotator{n}"] for n in (1, 2, 3)] for one in pairs], dtype=np.uint8)
    assert labels.shape == (999, 3) and set(np.unique(labels)) == {0, 1, 2}
    said = asked("agreed.py", labels, tmp_path)
    agrees(ours(labels), said["all"] | said["complete"])
    same_side = [one[a] == one[b] for one in labels for a, b in ((0, 1), (0, 2), (1, 2)) if one[a] and one[b]]
    assert 0.7 < np.mean(same_side) < 1  # they mostly want the same one, where two of them want one
    for one, other, weights, *theirs in said["pairs"]:
        table = np.zeros((K, K + 1))
        np.add.at(table, (labels[:, one], labels[:, other]), 1)
        kappa = coefficients.cohen(table.ravel(), K, chance.weights(K, weights))
        assert theirs == pytest.approx([float(kappa)] * 2, abs=EXACT, rel=0)


def test_gaps_at_random_change_nothing_of_that(published, tmp_path):
    labels = table_of(published, ("hotpotqa",))
    labels[np.random.default_rng(0).random(labels.shape) < 0.4] = NONE
    labels = labels[(labels < NONE).sum(axis=1) > 1]  # the libraries differ in what a unit with one label is for
    agrees(ours(labels), asked("agreed.py", labels, tmp_path)["all"])


# --- one label of many


def test_models_and_votes_are_those_of_crowd_kit(published, tmp_path):
    """On steps whose majority is no tie, since it breaks ties by its pandas. Its iterations end sooner than ours, hence
    1e-3 of the posterior; the labels are the same, all of them."""
    labels = table_of(published, SETS)[:, 1:]
    votes = gathered(labels, K)
    labels = labels[votes.spread((labels_of(votes.counts) < K).astype(float)) == 1]
    assert len(labels) == 3190
    votes = gathered(labels, K)
    said = asked("voted.py", labels, tmp_path)
    made = {
        "one_coin": confusion.one_coin(votes),
        "dawid_skene": confusion.dawid_skene(votes),
        "mace_vb": mace.mace_vb(votes),
        "mace_em": mace.mace_em(votes, smoothing=0.01 / K),
        "wawa": voting.wawa(votes),
    }
    for name, one in made.items():
        theirs = np.array(said[name]["posterior"])
        assert np.array_equal(theirs.argmax(axis=1), one.labels), name
        assert np.abs(theirs - one.posterior).max() < (EXACT if name == "wawa" else 1e-3), name
    assert made["wawa"].weight == pytest.approx(np.array(said["wawa"]["skills"]), abs=EXACT, rel=0)


def test_only_gold_lets_these_judges_together_keep_up_with_the_best_of_them(found):
    consensus = found["consensus"]
    best = consensus["best_rater"]
    assert (best["rater"], round(best["accuracy"], 4)) == ("Gemini-3-Flash-Preview", 0.7741)
    shown = {name: round(consensus[name]["accuracy"], 4) for name in ("majority", "wawa", "one_coin", "dawid_skene")}
    assert shown == {"majority": 0.7217, "wawa": 0.744, "one_coin": 0.7428, "dawid_skene": 0.728}
    assert (round(consensus["mace_vb"]["accuracy"], 3), round(consensus["mace_em"]["accuracy"], 3)) == (0.710, 0.706)
    assert consensus["majority"]["ties"] == 134
    assert consensus["gold_anchored"]["accuracy"] > best["accuracy"] - 0.01 > max(shown.values())
    for name in ("one_coin", "dawid_skene", "mace_em"):
        assert consensus[name]["converged"] and consensus[name]["log_likelihood"] < 0


MODELS = (confusion.one_coin, confusion.dawid_skene, mace.mace_vb, mace.mace_em)


@pytest.mark.parametrize("model", MODELS, ids=[one.__name__ for one in MODELS])
def test_what_a_model_of_these_judges_raises_never_falls_and_knows_no_order_of_rows(published, model):
    labels = table_of(published, SETS)[:, 1:]
    order = np.random.default_rng(0).permutation(len(labels))
    one, other = model(gathered(labels, K)), model(gathered(labels[order], K))
    assert one.converged and min(np.diff(one.trace)) >= 0
    assert np.array_equal(one.labels[order], other.labels)
    assert np.array_equal(one.posterior[order], other.posterior)
    assert one.trace == other.trace
