"""What the page on judges says of comparing label files is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from models_service import evaluating
from models_service.evaluating_command import table

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "judges.md").read_text()


def listed(head: str) -> set[str]:
    """The names in the first column of the table that begins so."""
    table = PAGE[PAGE.index(f"| {head} |") :].split("\n\n")[0]
    rows = re.findall(r"^\| ([^|]+) \|", table, re.M)[1:]
    return {name for names in rows for name in re.findall(r"`(\w+)`", names)}


@pytest.fixture
def result(tmp_path):
    gold = tmp_path / "gold.jsonl"
    gold.write_text(json.dumps({"dataset": "mine", "record_id": "a", "annotator": "me", "step_labels": {"2": 1}}))
    return evaluating.evaluate([gold], [gold], official=False)


def test_each_number_of_a_row_is_in_the_table_and_no_other(result):
    intervals = {f"{name}_{end}" for name in evaluating.WITH_INTERVAL[1:] for end in ("low", "high")}
    assert set(result["all"]["me"]) - intervals == listed("In a row") | {"kappa_steps"}  # which the row of kappa tells
    assert "the `kappa_steps` steps" in PAGE
    told = re.findall(r"`(\w+)`", PAGE[PAGE.index("interval, also of") : PAGE.index("resamples of questions")])
    assert told == [*evaluating.WITH_INTERVAL[1:]]


def test_everything_beside_the_rows_is_named(result):
    assert [name for name in [*result, *result["reference"]["mine"]] if f"`{name}`" not in PAGE] == []
    assert f"{evaluating.RESAMPLES:,} resamples" in PAGE


def test_so_is_each_number_of_all_together(result):
    def plain(row):
        return {name for name in row if not name.endswith(("_low", "_high"))} - {"reasons"}

    assert plain(result["many"]) - {"sets", "without_reference"} == listed("In `many`")
    assert set(result["consensus"]) - {"sets", "raters"} == listed("In `consensus`")
    assert plain(result["consensus"]["dawid_skene"]) == listed("In each of them") | {"rounds", "converged"}
    assert "in each of its `rounds` until it has `converged`" in PAGE


@pytest.mark.data
def test_the_table_on_the_page_is_what_the_command_says(shared_data):
    folder = shared_data / "agentprocessbench"
    gold, judges = sorted((folder / "gold").glob("*")), sorted((folder / "judges").glob("*/*"))
    said = list(table(evaluating.evaluate(gold, judges, official=False)))
    shown = [line.removeprefix("    ") for line in re.findall(r"^    [^\s*].*|^     .*", PAGE, re.M)]
    assert len(shown) == 12
    assert [line for line in shown if line not in said and line.strip() != "…"] == []
