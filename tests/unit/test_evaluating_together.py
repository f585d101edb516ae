"""How far all raters of label files agree, and what they say together, in the object that programs get."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models_service.evaluating import evaluate
from models_service.statistics.consensus.comparing import METHODS

MANY = {
    *("observed", "fleiss", "conger", "brennan_prediger", "ac1", "ac2_linear", "ac2_quadratic"),
    *("alpha_nominal", "alpha_ordinal", "alpha_interval", "units", "raters", "missing"),
}
FITTED = ("one_coin", "dawid_skene", "mace_vb", "mace_em")
# Four steps of two questions in one set, one of another in a second set.
GOLD = [("mine", 0, [1, 1]), ("mine", 1, [-1, 0]), ("other", 0, [1])]


def file(folder: Path, name: str, said: list[list[int | None] | None]) -> Path:
    path = folder / f"{name}.jsonl"
    rows = [
        {"dataset": dataset, "query_index": query, "sample_index": 0, "annotator": name, "step_labels": labels}
        for (dataset, query, _), labels in zip(GOLD, said, strict=True)
        if labels is not None
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.fixture
def together(tmp_path: Path):
    """together(a=[labels of each trajectory], …): what comes of these raters against the reference."""

    def evaluated(**raters: list[list[int | None] | None]) -> dict[str, Any]:
        gold = file(tmp_path, "gold", [labels for _, _, labels in GOLD])
        (tmp_path / "said").mkdir()
        files = [file(tmp_path / "said", name, said) for name, said in raters.items()]
        return evaluate([gold], files, official=False, resamples=50)

    return evaluated


RIGHT: list[list[int | None] | None] = [[1, 1], [-1, 0], [1]]


def test_the_object_has_what_is_promised_over_all_and_in_each_set(together):
    found = together(a=RIGHT, b=RIGHT, c=[[1, 1], [1, 0], None])
    assert set(found["many"]["sets"]) == set(found["consensus"]["sets"]) == {"mine", "other"}
    for many in (found["many"], *found["many"]["sets"].values()):
        assert set(many) >= MANY and set(many["without_reference"]) >= MANY
        for one in (many, many["without_reference"]):
            assert set(one["reasons"]) == {name for name, value in one.items() if value is None}
    for consensus in (found["consensus"], *found["consensus"]["sets"].values()):
        assert set(consensus) >= {"majority", "wawa", *FITTED, "gold_anchored", "best_rater"}
        for name in (*METHODS, "gold_anchored", "best_rater"):
            one = consensus[name]
            assert set(one["reasons"]) == {key for key, value in one.items() if value is None}, name
            assert all(one["reasons"].values())


def test_agreement_is_over_the_steps_of_the_reference_with_it_and_without(together):
    found = together(a=RIGHT, b=[[1, 1], [-1, 1], None])["many"]
    # Steps 111, 111, -1 -1 -1, 0 0 1, 1 1 nobody: all pairs of four of them, a third of the fourth.
    assert found["observed"] == pytest.approx((4 + 1 / 3) / 5)
    assert (found["units"], found["pairable"], found["raters"], found["missing"]) == (5, 5, 3, 1)
    alone = found["without_reference"]
    assert alone["observed"] == 3 / 4
    assert (alone["units"], alone["pairable"], alone["raters"], alone["missing"]) == (5, 4, 2, 1)
    assert found["sets"]["other"]["units"] == 1
    assert found["sets"]["other"]["raters"] == 2  # who said nothing of a set is none of its raters
    assert found["sets"]["other"]["reasons"]["alpha_nominal"].startswith("All labels are one and the same value")
    assert found["sets"]["other"]["without_reference"]["reasons"]["observed"] == "No step has labels from two raters."


def test_what_a_failed_record_says_is_in_none_of_it(together, tmp_path):
    found = together(a=RIGHT, b=RIGHT)
    rows = [json.loads(line) for line in (tmp_path / "said" / "b.jsonl").read_text().splitlines()]
    rows[0] |= {"comment": "llm_annotate_failed: timeout", "step_labels": [-1, -1]}
    (tmp_path / "said" / "b.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    files = [tmp_path / "said" / f"{name}.jsonl" for name in "ab"]
    again = evaluate([tmp_path / "gold.jsonl"], files, official=False, resamples=50)
    assert found["many"]["missing"] == 0
    assert again["many"]["missing"] == 2
    assert again["many"]["observed"] == 1
    assert again["consensus"]["majority"]["accuracy"] == 1


def test_a_tie_is_no_consensus_and_wrong(together):
    majority = together(a=RIGHT, b=[[1, -1], [-1, 0], None])["consensus"]["majority"]
    assert (majority["accuracy"], majority["coverage"]) == (4 / 5, 4 / 5)
    assert (majority["steps"], majority["decided"], majority["ties"], majority["silent"]) == (5, 4, 1, 0)


def test_a_step_that_nobody_labelled_has_no_consensus_either(together):
    majority = together(a=[[1, 1], None, None], b=[[1, 1], None, None])["consensus"]["majority"]
    assert (majority["accuracy"], majority["decided"], majority["ties"], majority["silent"]) == (2 / 5, 2, 0, 3)


def test_the_best_rater_stands_beside(together):
    found = together(a=[[0, 0], [0, 0], [0]], b=RIGHT, c=[[1, 1], [1, 1], [1]])["consensus"]
    assert (found["best_rater"]["rater"], found["best_rater"]["accuracy"]) == ("b", 1)
    assert found["sets"]["mine"]["best_rater"]["rater"] == "b"


def test_what_cannot_be_fitted_is_null_and_says_why(together):
    found = together(a=RIGHT)["consensus"]
    for name in FITTED:
        assert found[name]["accuracy"] is None and found[name]["expected_error"] is None
        assert found[name]["reasons"]["accuracy"] == "There are not two raters who labelled anything."
        assert found[name]["ties"] == 0
    assert found["majority"]["accuracy"] == 1
    assert found["sets"]["other"]["gold_anchored"]["reasons"]["accuracy"].startswith("There are not two raters")


def test_one_value_alone_fits_no_model(together):
    same: list[list[int | None] | None] = [[1, 1], [1, 1], [1]]
    found = together(a=same, b=same)["consensus"]
    for name in FITTED:
        assert found[name]["reasons"]["log_likelihood"].startswith("All labels are one and the same value")
    assert found["wawa"]["accuracy"] == 3 / 5


def test_the_order_of_files_and_records_changes_nothing(together, tmp_path):
    found = together(a=RIGHT, b=[[1, -1], [-1, 0], [1]], c=[[1, 1], [1, 0], [-1]])
    for name in ("gold.jsonl", "said/a.jsonl", "said/b.jsonl", "said/c.jsonl"):
        path = tmp_path / name
        path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    files = [tmp_path / "said" / f"{name}.jsonl" for name in "cba"]
    again = evaluate([tmp_path / "gold.jsonl"], files, official=False, resamples=0)
    for name in (*METHODS, "gold_anchored"):
        one, other = (each["consensus"][name] for each in (found, again))
        # The sets come in another order, and questions are numbered anew; labels and weights are the same.
        for key in ("accuracy", "decided", "ties", "log_likelihood", "bound", "rounds", "weights", "risk"):
            assert one[key] == other[key], (name, key)


def test_official_says_the_same_of_all_together(together, tmp_path):
    found = together(a=RIGHT, b=[[1, -1], [-1, 0], [1]])
    files = [tmp_path / "said" / f"{name}.jsonl" for name in "ab"]
    released = evaluate([tmp_path / "gold.jsonl"], files, official=True, resamples=50)
    assert (released["many"], released["consensus"]) == (found["many"], found["consensus"])
