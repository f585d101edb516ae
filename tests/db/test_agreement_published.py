"""Ten published judges, imported and reported, against arithmetic done again here on the raw files."""

from __future__ import annotations

import gzip
import json
from io import StringIO

import pytest
from django.core.management import call_command

from annotations.services import imports, projects, ratings
from models_service.statistics import official

pytestmark = [pytest.mark.django_db, pytest.mark.data]

# StepAcc and FirstErr of whole hotpotqa (250 records) as measured apart from this code.
KNOWN = {
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


def lines(path):
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def published(shared_data):
    return shared_data / "agentprocessbench"


def judge_file(published, judge):
    (found,) = (published / "judges" / judge).glob("hotpotqa__*")
    return found


@pytest.mark.parametrize("judge", KNOWN)
def test_the_released_arithmetic_gives_the_published_numbers(published, judge):
    found = official.compare(
        lines(published / "gold" / "hotpotqa_final.jsonl"), lines(judge_file(published, judge)), "hotpotqa"
    )
    assert (round(found.step_acc, 3), round(found.first_err_acc, 3)) == KNOWN[judge]


def by_rollout(records):
    return {(record["query_index"], record["sample_index"]): record for record in records}


def first(labels):
    wrong = [int(place) for place, value in labels.items() if value == -1]
    return min(wrong) if wrong else None


def again(references, predictions):
    """All figures of the released script, and macro-F1, recall and kappa, written out once more in plain loops."""
    hits = steps = first_hits = failed = 0
    table = {(one, other): 0 for one in (1, 0, -1) for other in (1, 0, -1, None)}
    for rollout, reference in references.items():
        record = predictions[rollout]
        said = {place: value for place, value in record["step_labels"].items() if value is not None}
        for place, value in reference["step_labels"].items():
            steps += 1
            hits += said.get(place) == value
            table[value, said.get(place)] += 1
        first_hits += first(said) == first(reference["step_labels"])
        failed += record["comment"].startswith("llm_annotate_failed:")
    recall, scores = {}, []
    for value in (1, 0, -1):
        row = sum(count for (one, _), count in table.items() if one == value)
        column = sum(count for (_, other), count in table.items() if other == value)
        recall[str(value)] = table[value, value] / row
        scores.append(2 * table[value, value] / (row + column))
    both = {cell: count for cell, count in table.items() if cell[1] is not None}
    total = sum(both.values())
    observed = sum(both[value, value] for value in (1, 0, -1)) / total
    chance = sum(
        sum(count for (one, _), count in both.items() if one == value)
        * sum(count for (_, other), count in both.items() if other == value)
        for value in (1, 0, -1)
    )
    kappa = (observed - chance / total**2) / (1 - chance / total**2)
    return {
        "step_acc": hits / steps,
        "first_err_acc": first_hits / len(references),
        "macro_f1": sum(scores) / 3,
        "recall": recall,
        "coverage": total / steps,
        "failed": failed,
        "kappa": kappa,
    }


def test_ten_imported_judges_report_what_the_raw_files_say(published):
    project = projects.create(slug="hotpot")
    trajectories = published / "trajectories" / "hotpotqa_q00-29.jsonl.gz"
    imports.import_trajectories(project, [trajectories])
    for judge in KNOWN:
        ratings.import_labels(project, [judge_file(published, judge)], rater=judge, kind="judge")

    out = StringIO()
    call_command("agreement", "hotpot", "--reference", "gold", "--official", "--json", stdout=out)
    said = json.loads(out.getvalue())

    references = by_rollout(lines(trajectories))
    assert said["counts"]["trajectories"] == len(references) == 150
    assert set(said["raters"]) == set(KNOWN)
    for judge, row in said["raters"].items():
        expected = again(references, by_rollout(lines(judge_file(published, judge))))
        recall = expected.pop("recall")
        assert row["recall"] == pytest.approx(recall, abs=1e-9)
        assert {key: row[key] for key in expected} == pytest.approx(expected, abs=1e-9)
    assert said["baselines"]["1"]["step_acc"] == pytest.approx(286 / 426, abs=1e-9)
