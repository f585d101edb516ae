"""AgentProcessBench scored once more, apart from our own arithmetic: what is written as its records and label files is
accepted, and both give the same numbers, whatever is in a file."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.formats.agentprocessbench import AgentProcessBench
from annotations.formats.agentprocessbench_labels import AgentProcessBenchLabels
from annotations.records import RatingRecord
from models_service.statistics import official

Row = dict[str, Any]
FIRST_OF = {"hotpotqa": 0, "gaia_dev": 250, "bfcl": 500, "tau2": 750}
FAIL = "llm_annotate_failed:"


def number(said: Any) -> int | None:
    """What counts as a whole number: true and false, whole fractions and digits among them."""
    if type(said) is str:
        digits = said.strip().removeprefix("-")
        return int(said) if digits and all(one in "0123456789" for one in digits) else None
    if type(said) is float:
        return int(said) if said == said // 1 else None
    return int(said) if type(said) in (bool, int) else None


def identity(row: Row, dataset: str) -> tuple[Any, ...]:
    if (total := number(row.get("total_index"))) is not None:
        return ("total", total)
    place = number(row.get("query_index")), number(row.get("sample_index"))
    if None not in place:
        if dataset in FIRST_OF:
            return ("total", FIRST_OF[dataset] + 5 * place[0] + place[1])  # type: ignore[operator]
        return ("rollout", *place)
    if str(row.get("record_id") or "").strip():
        return ("id", row["record_id"].strip())
    raise LookupError("a record without identity")


def said_by(row: Row | None) -> dict[str, int]:
    labels = (row or {}).get("step_labels") or {}
    pairs = list(labels.items()) if isinstance(labels, dict) else list(zip(range(len(labels)), labels, strict=True))
    whole = [(str(key), number(value)) for key, value in pairs]
    return {key: value for key, value in whole if value is not None}


def first_wrong(labels: dict[str, int]) -> int:
    wrong = sorted(place for key, value in labels.items() if value == -1 and (place := number(key)) is not None)
    return wrong[0] if wrong else -1


def moment(row: Row) -> float | None:
    for name in ("updated_at", "created_at", "timestamp"):
        said = row.get(name)
        if isinstance(said, int | float):
            return said / 1e9 if said > 1e15 else said / 1e3 if said > 1e12 else said
        try:
            when = datetime.fromisoformat(str(said).strip())
        except ValueError:
            continue
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    return None


def counted(predictions: list[Row], dataset: str) -> dict[tuple[Any, ...], Row]:
    """Of several rows for one record the newest: undated ones first, of equal ones the later line last."""
    order = sorted(predictions, key=lambda row: (moment(row) is not None, moment(row) or 0.0))  # stable
    return {identity(row, dataset): row for row in order}


def score(references: list[Row], predictions: list[Row], dataset: str) -> dict[str, Fraction]:
    """Every figure of the released script as an exact fraction."""
    if len({identity(row, dataset) for row in references}) < len(references):
        raise ValueError("a reference twice")
    found = counted(predictions, dataset)
    pairs = [(row, found.get(identity(row, dataset))) for row in references]
    truths = [said_by(row) for row, _ in pairs]
    words = [said_by(row) for _, row in pairs]
    cells = [(word.get(key), value) for truth, word in zip(truths, words, strict=True) for key, value in truth.items()]
    failed = [row is None or str(row.get("comment") or "").strip().startswith(FAIL) for _, row in pairs]
    return {
        "step_acc": share([one == other for one, other in cells]),
        "first_err_acc": share([first_wrong(a) == first_wrong(b) for a, b in zip(truths, words, strict=True)]),
        "step_exact": share([a == b for a, b in zip(truths, words, strict=True)]),
        "failed_ratio": share(failed),
    }


def share(hits: list[bool]) -> Fraction:
    return Fraction(sum(hits), len(hits)) if hits else Fraction(0)


def agree(references: list[Row], predictions: list[Row], dataset: str) -> dict[str, Fraction]:
    """Our figures, which must be those of the scoring above."""
    ours, theirs = official.compare(references, predictions, dataset), score(references, predictions, dataset)
    assert {name: getattr(ours, name) for name in theirs} == {name: float(one) for name, one in theirs.items()}
    return theirs


label = st.sampled_from([-1, 0, 1, -1, 1, True, False, 1.0, -1.0, 0.5, "-1", " 1 ", "right", None, 2])
labels = st.none() | st.dictionaries(st.sampled_from(["2", "4", "10", "9", "a"]), label) | st.lists(label, max_size=3)
dated = st.sampled_from(
    [{}, {"updated_at": "2026-01-02T00:00:00Z"}, {"created_at": "2026-01-02"}, {"timestamp": 1_767_312_000_000}]
) | st.fixed_dictionaries({"timestamp": st.integers(0, 3)})
comment = st.sampled_from(["", FAIL + " timeout", "  " + FAIL, "not " + FAIL, None])


@st.composite
def named(draw: st.DrawFn, query: int) -> Row:
    """One of the ways to say which record it is, all for the same one where the dataset is known."""
    total = {"total_index": draw(st.sampled_from([query * 5, str(query * 5)]))}
    place = {"query_index": query, "sample_index": draw(st.sampled_from([0, "0", 0.0]))}
    return draw(st.sampled_from([total, place, total | place]))


@st.composite
def row(draw: st.DrawFn, query: int) -> Row:
    said = {"step_labels": draw(labels), "comment": draw(comment), "final_label": draw(label)}
    return draw(named(query)) | said | draw(dated)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_both_scorings_agree_on_any_files(data):
    references = [data.draw(row(query)) for query in range(data.draw(st.integers(1, 4)))]
    predictions = data.draw(st.lists(st.integers(0, 5).flatmap(row), max_size=8))
    agree(references, predictions, "hotpotqa")


@pytest.mark.parametrize("scorer", [official.compare, score])
def test_a_reference_that_stands_twice_is_an_error_to_both(scorer):
    with pytest.raises(ValueError):
        scorer([{"total_index": 3}, {"query_index": 0, "sample_index": 3}], [], "hotpotqa")


@pytest.mark.parametrize("scorer", [official.compare, score])
def test_a_record_without_identity_is_an_error_to_both(scorer):
    with pytest.raises(LookupError):
        scorer([{"record_id": " "}], [], "hotpotqa")


def test_records_of_an_unknown_dataset_are_joined_by_rollout_or_name():
    place = {"query_index": 1, "sample_index": 0, "step_labels": {"2": 1}}
    name = {"record_id": " x ", "step_labels": {"2": -1}}
    found = agree([place, name], [{"record_id": "x", "step_labels": {"2": -1}}, place | {"total_index": 5}], "mine")
    assert (found["step_acc"], found["failed_ratio"]) == (Fraction(1, 2), Fraction(1, 2))


SAMPLES = Path(__file__).parents[1] / "samples"


def test_what_is_exported_is_scored_as_what_was_labelled():
    """Every grade that a step can have, said by a rater of the records of the sample."""
    form = AgentProcessBench()
    records = [form.record(json.loads(line)) for line in (SAMPLES / "apb.jsonl").read_text().splitlines()]
    references = [json.loads(form.line(record)) for record in records]
    assert agree(references, references, "hotpotqa")["step_exact"] == 1
    flipped = []
    for record in records:
        rating = record.rating or RatingRecord()
        other = {index: -value for index, value in rating.steps.items()}
        flipped.append(json.loads(form.line(replace(record, rating=RatingRecord(other)))))
    neutral = sum(value == 0 for one in references for value in one["step_labels"].values())
    steps = sum(len(one["step_labels"]) for one in references)
    assert agree(references, flipped, "hotpotqa")["step_acc"] == Fraction(neutral, steps)


def lines(path: Path) -> list[Row]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(one) for one in raw.splitlines()]


def test_nobody_is_right_about_every_error_free_trajectory(shared_data):
    gold = lines(shared_data / "agentprocessbench" / "gold" / "hotpotqa_final.jsonl")
    found = agree(gold, [], "hotpotqa")
    assert (found["first_err_acc"], found["step_acc"], found["failed_ratio"]) == (Fraction(146, 250), 0, 1)


def test_the_released_judges_score_alike_before_and_after_they_went_through_us(shared_data):
    """The trajectories as we write them are the reference, each judge's file as it was released and as we write it."""
    folder, form, said = shared_data / "agentprocessbench", AgentProcessBench(), AgentProcessBenchLabels()
    (path,) = (folder / "trajectories").glob("hotpotqa*")
    raw = lines(path)
    records = [form.record(one) for one in raw]
    references = [json.loads(form.line(record)) for record in records]
    at = {(one.meta["query_index"], one.meta["sample_index"]): one for one in records}
    judges = sorted((folder / "judges").glob("*/hotpotqa__*"))
    assert (len(references), len(judges)) == (150, 10)
    for judge in judges:
        released = [one for one in lines(judge) if (one["query_index"], one["sample_index"]) in at]
        ours = []
        for one in released:
            label = said.record(one)
            record = replace(at[one["query_index"], one["sample_index"]], rating=label.rating)
            ours.append(json.loads(json.dumps(said.row(record, "judge", "hotpotqa"))))
        found = agree(references, released, "hotpotqa")
        assert agree(references, ours, "hotpotqa") == found == agree(raw, released, "hotpotqa")
