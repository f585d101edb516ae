"""Ten published judges, imported: the leaderboard against evaluate_labels and the released script's arithmetic."""

from __future__ import annotations

import gzip
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from annotations.services import imports, projects, ratings
from models_service.evaluating import evaluate
from models_service.statistics import official

pytestmark = [pytest.mark.django_db, pytest.mark.data]

EXACT = 1e-12
FIGURES = (
    *("step_acc", "first_err_acc", "first_err_acc_error", "first_err_acc_clean", "processbench_f1"),
    *("step_exact", "macro_f1", "kappa", "coverage"),
)


def lines(path: Path) -> list[dict[str, Any]]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def published(shared_data: Path) -> Path:
    return shared_data / "agentprocessbench"


@pytest.fixture
def judged(published: Path) -> dict[str, Path]:
    """The project “hotpot” with the ten judges; their files by name."""
    project = projects.create(slug="hotpot")
    imports.import_trajectories(project, [published / "trajectories" / "hotpotqa_q00-29.jsonl.gz"])
    files = {path.parent.name: path for path in sorted((published / "judges").glob("*/hotpotqa__*"))}
    for judge, path in files.items():
        ratings.import_labels(project, [path], rater=judge, kind="judge")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as the database does by itself, a while after
    return files


def board(*options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("leaderboard", "hotpot", "--reference", "gold", *options, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def here(published: Path, tmp_path: Path) -> Path:
    """The reference's records of the 150 trajectories that are here."""
    inside = {(one["query_index"], one["sample_index"]) for one in lines(published / "trajectories" / ROLLOUTS)}
    kept = [one for one in lines(published / "gold" / "hotpotqa_final.jsonl") if place(one) in inside]
    assert len(kept) == 150
    path = tmp_path / "hotpotqa_final.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in kept))
    return path


ROLLOUTS = "hotpotqa_q00-29.jsonl.gz"


def place(record: dict[str, Any]) -> tuple[int, int]:
    return record["query_index"], record["sample_index"]


def evaluated(here: Path, judged: dict[str, Path], as_released: bool) -> dict[str, Any]:
    """With the judges' other files too, so that their folders are their names."""
    files = [one for path in judged.values() for one in sorted(path.parent.iterdir())]
    return evaluate([here], files, as_released, resamples=10)


def test_with_official_every_figure_is_that_of_the_label_files_and_of_the_released_script(judged, here):
    said = board("--official")
    expected = evaluated(here, judged, True)["sets"]["hotpotqa"]
    judges = [row for row in said["rows"] if row["kind"] == "judge"]
    assert len(judges) == len(expected) == 10
    for row in judges:
        files = expected[row["name"]]
        found = {name: row["figures"][name]["value"] for name in FIGURES}
        assert found == pytest.approx({name: files[name] for name in FIGURES}, abs=EXACT, rel=0)
        recall = {one["label"]: one["recall"]["value"] for one in row["classes"]}
        assert recall == pytest.approx(files["recall"], abs=EXACT, rel=0)
        assert row["failed"] + row["missing"] == files["failed"]
        whole = official.compare(lines(here), _inside(lines(judged[row["name"]]), here), "hotpotqa")
        released = {"step_acc": whole.step_acc, "first_err_acc": whole.first_err_acc, "step_exact": whole.step_exact}
        assert {name: found[name] for name in released} == pytest.approx(released, abs=EXACT, rel=0)


def _inside(records: list[dict[str, Any]], here: Path) -> list[dict[str, Any]]:
    known = {place(one) for one in lines(here)}
    return [one for one in records if place(one) in known]


def test_without_it_they_are_those_of_the_label_files_as_ours(judged, here):
    said = board()
    result = evaluated(here, judged, False)
    for row in (row for row in said["rows"] if row["kind"] == "judge"):
        found = {name: row["figures"][name]["value"] for name in FIGURES}
        files = result["sets"]["hotpotqa"][row["name"]]
        assert found == pytest.approx({name: files[name] for name in FIGURES}, abs=EXACT, rel=0)
    constants = result["baselines"]["sets"]["hotpotqa"]
    for row, value in zip(said["baselines"], ("1", "0", "-1"), strict=True):
        found = {name: row["figures"][name]["value"] for name in FIGURES}
        assert found == pytest.approx({name: constants[value][name] for name in FIGURES}, abs=EXACT, rel=0)


def test_a_judge_below_the_constant_answer_is_said_to_be(judged):
    said = board()
    rows = {row["name"]: row for row in said["rows"] if row["kind"] == "judge"}
    always = said["baselines"][0]["figures"]["step_acc"]["value"]
    for row in rows.values():
        below = row["figures"]["step_acc"]["value"] <= always
        assert ("always +1" in [one["name"] for one in row["below"]]) == below
    assert "always +1" in [one["name"] for one in rows["Llama-3.1-8B-Instruct"]["below"]]


def test_all_ten_weighed_on_gold_stand_beside_the_best_of_them(judged):
    """What they come to is what label files alone come to."""
    said = {row["key"]: row for row in board()["rows"]}
    best = max(row["figures"]["step_acc"]["value"] for row in said.values() if row["kind"] == "judge")
    assert said["majority"]["figures"]["step_acc"]["value"] < best
    assert said["weighed"]["figures"]["macro_f1"]["value"] > said["majority"]["figures"]["macro_f1"]["value"]
    assert said["weighed"]["chances"]["steps"] == 426


def test_a_few_chosen_on_gold_are_no_worse_than_the_best_and_find_more_of_the_rare(judged):
    said = {row["key"]: row for row in board()["rows"]}
    single = [row["figures"] for row in said.values() if row["kind"] == "judge"]
    figures = {name: one["value"] for name, one in said["chosen"]["figures"].items()}
    assert figures["macro_f1"] > max(one["macro_f1"]["value"] for one in single)
    assert figures["step_acc"] > said["majority"]["figures"]["step_acc"]["value"]
    chosen = said["chosen"]["chosen"]
    assert {one["name"] for one in chosen["judges"]} <= set(judged)
    assert sum(one["whole"] for one in chosen["judges"]) >= 3


def test_a_layer_on_gold_lifts_the_weak_judges_and_is_told_beside_the_best(judged):
    said = board()
    rows = {row["name"]: row for row in said["rows"]}
    corrected = {one["name"]: one["figures"]["step_acc"]["value"] for one in said["corrected"]}
    assert set(corrected) == set(judged)
    for weak in ("Llama-3.1-8B-Instruct", "Llama-3.3-70B-Instruct", "Qwen3-4B"):
        assert corrected[weak] > rows[weak]["figures"]["step_acc"]["value"]
    assert {one["best"]["b"] for one in said["corrected"]} == {said["best"]}
