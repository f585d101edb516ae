"""Twenty published label files of ten judges, evaluated, against the same arithmetic written out here once more."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from models_service.evaluating import evaluate

pytestmark = pytest.mark.data

SETS = ("hotpotqa", "bfcl")
EXACT = 1e-12
Rows = dict[tuple[int, int], dict[str, Any]]  # by query and sample

# The benchmark's own counts of its reference: trajectories, steps, +1, 0, -1, trajectories without -1.
COUNTED = {"hotpotqa": (250, 734, 499, 56, 179, 146), "bfcl": (250, 2590, 1916, 104, 570, 66)}
# StepAcc and FirstErrAcc on hotpotqa as published, to three places.
PUBLISHED = {
    "Gemini-3-Flash-Preview": (0.767, 0.700),
    "DeepSeek-V3.2": (0.744, 0.652),
    "Kimi-K2.5": (0.717, 0.672),
    "GPT-5.2-Chat": (0.714, 0.700),
    "Qwen3-30B-A3B-Instruct-2507": (0.658, 0.544),
    "Qwen3-8B": (0.604, 0.572),
    "Qwen3-8B-Thinking": (0.597, 0.580),
    "Qwen3-4B": (0.586, 0.592),
    "Llama-3.3-70B-Instruct": (0.463, 0.600),
    "Llama-3.1-8B-Instruct": (0.346, 0.536),
}


def rows_of(path: Path) -> Rows:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rows = [json.loads(line) for line in text.splitlines()]
    assert len({(one["query_index"], one["sample_index"]) for one in rows}) == len(rows) == 250
    return {(one["query_index"], one["sample_index"]): one for one in rows}


@pytest.fixture(scope="module")
def files(shared_data: Path) -> tuple[list[Path], list[Path]]:
    folder = shared_data / "agentprocessbench"
    judges = sorted((folder / "judges").glob("*/*"))
    assert len(judges) == 20
    return [folder / "gold" / f"{name}_final.jsonl" for name in SETS], judges


@pytest.fixture(scope="module")
def found(files) -> dict[bool, dict[str, Any]]:
    return {official: evaluate(*files, official, resamples=200) for official in (False, True)}


@pytest.fixture(scope="module")
def raw(files) -> tuple[dict[str, Rows], dict[str, dict[str, Rows]]]:
    """The reference by set, and the judges' rows by judge and set."""
    gold, judges = files
    references = {path.name.split("_")[0]: rows_of(path) for path in gold}
    said: dict[str, dict[str, Rows]] = {}
    for path in judges:
        said.setdefault(path.parent.name, {})[path.name.split("__")[0]] = rows_of(path)
    return references, said


def first(labels: dict[str, Any]) -> int:
    return min((int(step) for step, label in labels.items() if label == -1), default=-1)


def again(pairs: list[tuple[dict[str, Any], dict[str, Any]]], official: bool) -> dict[str, Any]:
    """Every figure over (reference, prediction), as an exact fraction."""
    cells: Counter[tuple[int, int | None]] = Counter()
    hits, sizes, exact, failed = Counter[bool](), Counter[bool](), 0, 0
    for right, row in pairs:
        broke = str(row.get("comment") or "").startswith("llm_annotate_failed:")
        truth = right["step_labels"]
        said = {step: label for step, label in (row["step_labels"] or {}).items() if label is not None}
        silent = not official and (broke or any(step not in said for step in truth))
        cells.update((label, said.get(step)) for step, label in truth.items())
        clean = first(truth) == -1
        sizes[clean] += 1
        hits[clean] += first(said) == first(truth) and not silent
        exact += said == truth
        failed += broke
    every, both = sum(cells.values()), {cell: n for cell, n in cells.items() if cell[1] is not None}
    right_of = {one: sum(n for (truth, _), n in cells.items() if truth == one) for one in (1, 0, -1)}
    said_of = {one: sum(n for (_, said), n in cells.items() if said == one) for one in (1, 0, -1)}
    f1 = {one: Fraction(2 * cells[one, one], right_of[one] + said_of[one]) for one in (1, 0, -1)}
    same = sum(cells[one, one] for one in (1, 0, -1))
    shared = sum(both.values())
    right_both = {one: sum(n for (truth, _), n in both.items() if truth == one) for one in (1, 0, -1)}
    chance = Fraction(sum(right_both[one] * said_of[one] for one in (1, 0, -1)), shared**2)
    error, none = Fraction(hits[False], sizes[False]), Fraction(hits[True], sizes[True])
    return {
        "step_acc": Fraction(same, every),
        "first_err_acc": Fraction(hits[True] + hits[False], len(pairs)),
        "step_exact": Fraction(exact, len(pairs)),
        "macro_f1": sum(f1.values()) / 3,
        "kappa": (Fraction(same, shared) - chance) / (1 - chance),
        "coverage": Fraction(shared, every),
        "error_f1": f1[-1],
        "first_err_acc_error": error,
        "first_err_acc_clean": none,
        "processbench_f1": 2 * error * none / (error + none) if error + none else Fraction(0),
        "recall": {str(one): Fraction(cells[one, one], right_of[one]) for one in (1, 0, -1)},
        "failed": failed,
        "steps": every,
        "trajectories": len(pairs),
        "kappa_steps": shared,
    }


def agrees(row: dict[str, Any], expected: dict[str, Any]) -> None:
    recall = {name: float(one) for name, one in expected.pop("recall").items()}
    assert row["recall"] == pytest.approx(recall, abs=EXACT, rel=0)
    assert {name: row[name] for name in expected} == pytest.approx(
        {name: float(one) for name, one in expected.items()}, abs=EXACT, rel=0
    )
    assert (row["missing"], row["extra"], row["superseded"]) == (0, 0, 0)


def pairs_of(references: Rows, said: Rows) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(one, said[place]) for place, one in references.items()]


@pytest.mark.parametrize("official", [False, True])
def test_each_judge_on_each_set_and_on_both_is_what_plain_arithmetic_gives(found, raw, official):
    references, judges = raw
    result = found[official]
    for name in SETS:
        assert set(result["sets"][name]) == set(judges)
        for judge, of in judges.items():
            agrees(result["sets"][name][judge], again(pairs_of(references[name], of[name]), official))
    for judge, of in judges.items():
        everything = [pair for name in SETS for pair in pairs_of(references[name], of[name])]
        agrees(result["all"][judge], again(everything, official))
        assert result["all"][judge]["sets"] == list(SETS)
    assert (result["refused"], result["notes"], result["unreferenced"]) == ([], [], {})


@pytest.mark.parametrize("official", [False, True])
def test_so_are_constant_answers(found, raw, official):
    references, _ = raw
    for value in (1, 0, -1):
        everything = []
        for name in SETS:
            same = {
                place: {"step_labels": dict.fromkeys(one["step_labels"], value)}
                for place, one in references[name].items()
            }
            pairs = pairs_of(references[name], same)
            agrees(found[official]["baselines"]["sets"][name][str(value)], again(pairs, official))
            everything += pairs
        agrees(found[official]["baselines"]["all"][str(value)], again(everything, official))


def test_the_reference_has_as_much_of_everything_as_the_benchmark_counts(found):
    for name, (trajectories, steps, good, neither, wrong, clean) in COUNTED.items():
        assert found[True]["reference"][name] == {
            "trajectories": trajectories,
            "steps": steps,
            "tasks": 50,
            "labels": {"1": good, "0": neither, "-1": wrong},
            "clean": clean,
        }


def test_the_released_arithmetic_gives_the_published_figures(found):
    rows = found[True]["sets"]["hotpotqa"]
    figures = {judge: (round(row["step_acc"], 3), round(row["first_err_acc"], 3)) for judge, row in rows.items()}
    assert figures == PUBLISHED
    assert round(max(row["macro_f1"] for row in rows.values()), 3) == 0.594 == round(rows["Kimi-K2.5"]["macro_f1"], 3)
    always = found[True]["baselines"]["sets"]["hotpotqa"]["1"]
    assert [round(always[name], 3) for name in ("step_acc", "first_err_acc", "macro_f1")] == [0.680, 0.584, 0.270]


def test_ours_and_the_released_differ_only_where_calls_failed(found):
    for name in SETS:
        for judge, row in found[False]["sets"][name].items():
            released = found[True]["sets"][name][judge]
            same = row["first_err_acc"] == released["first_err_acc"]
            assert same or row["failed"]
            assert row["first_err_acc"] <= released["first_err_acc"]
            assert (row["step_acc"], row["kappa"]) == (released["step_acc"], released["kappa"])


def test_with_one_set_alone_two_runs_of_one_model_are_still_two_judges(files):
    """Qwen3-8B is the annotator of both, with thinking and without, and each folder now holds one file."""
    gold, judges = files
    found = evaluate(gold[:1], [path for path in judges if path.name.startswith("hotpotqa")], False, resamples=2)
    assert {"Qwen3-8B", "Qwen3-8B-Thinking"} <= set(found["all"])
    assert (len(found["all"]), len(found["notes"])) == (10, 1)
