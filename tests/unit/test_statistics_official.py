"""The released AgentProcessBench arithmetic, quirk by quirk."""

from __future__ import annotations

import pytest

from models_service.statistics.official import Tally, compare, first_error, key, labels, newest

FAIL = "llm_annotate_failed:"


def record(labels=None, *, total=0, **more):
    return {"total_index": total, "step_labels": labels, **more}


def tally(reference, prediction):
    return compare([record(reference)], [prediction] if prediction is not None else [], "hotpotqa")


def test_steps_are_pooled_over_records_so_long_ones_weigh_more():
    reference = [record({"2": 1, "4": 1, "6": 1}), record({"2": -1}, total=1)]
    found = compare(reference, [record({"2": 1, "4": 1, "6": 1}), record({"2": 1}, total=1)], "hotpotqa")
    assert (found.step_acc, found.first_err_acc, found.step_exact) == (3 / 4, 1 / 2, 1 / 2)


@pytest.mark.parametrize(
    ("why", "reference", "prediction", "expected"),
    [
        # 1: an absent or empty prediction is wrong on every step, yet a hit where there is no error to find
        ("absent, no error", {"2": 1, "4": 0}, None, Tally(1, 1, 2, 0, 0, 1)),
        ("absent, an error", {"2": 1, "4": -1}, None, Tally(1, 1, 2, 0, 0, 0)),
        ("empty, no error", {"2": 1}, record({}), Tally(1, 0, 1, 0, 0, 1)),
        ("null, no error", {"2": 1}, record(None), Tally(1, 0, 1, 0, 0, 1)),
        ("nothing on both sides", {}, record({}), Tally(1, 0, 0, 0, 1, 1)),
        # 2: only the comment makes a failure, and what a failed record says counts all the same
        ("failed with labels", {"2": 1}, record({"2": 1}, comment=FAIL + " timeout"), Tally(1, 1, 1, 1, 1, 1)),
        ("failed, indented", {"2": -1}, record(None, comment="  " + FAIL), Tally(1, 1, 1, 0, 0, 0)),
        ("failure only mentioned", {"2": 1}, record({"2": 1}, comment="not " + FAIL), Tally(1, 0, 1, 1, 1, 1)),
        ("a comment that is no text", {"2": 1}, record({"2": 1}, comment=7), Tally(1, 0, 1, 1, 1, 1)),
        # 3: how labels are read
        ("keys join as strings", {2: 1}, record({"2": 1}), Tally(1, 0, 1, 1, 1, 1)),
        ("a list goes by place", {"0": 1, "1": -1}, record([1, -1]), Tally(1, 0, 2, 2, 1, 1)),
        ("a list does not know message places", {"2": 1, "4": -1}, record([1, -1]), Tally(1, 0, 2, 0, 0, 0)),
        ("whole floats and digits", {"2": 1, "4": -1}, record({"2": 1.0, "4": " -1 "}), Tally(1, 0, 2, 2, 1, 1)),
        ("booleans", {"2": 1, "4": 0}, record({"2": True, "4": False}), Tally(1, 0, 2, 2, 1, 1)),
        ("other values are dropped", {"2": 1, "4": 1}, record({"2": 0.5, "4": "right"}), Tally(1, 0, 2, 0, 0, 1)),
        # 4: first errors are ranked as numbers, over all keys of the prediction
        ("10 comes after 9", {"9": -1, "10": -1}, record({"10": -1, "9": -1}), Tally(1, 0, 2, 2, 1, 1)),
        ("an error at a key the reference lacks", {"4": -1}, record({"2": -1, "4": -1}), Tally(1, 0, 1, 1, 0, 0)),
        ("a false alarm at a key the reference lacks", {"4": 1}, record({"2": -1, "4": 1}), Tally(1, 0, 1, 1, 0, 0)),
        ("an extra key fails exactness only", {"4": 1}, record({"2": 1, "4": 1}), Tally(1, 0, 1, 1, 0, 1)),
        ("a key that is no number is no place", {"a": -1, "4": 1}, record({"4": 1, "a": -1}), Tally(1, 0, 2, 2, 1, 1)),
        # 7: the verdict is not looked at
        ("final ignored", {"2": 1}, record({"2": 1}, final_label=-1), Tally(1, 0, 1, 1, 1, 1)),
    ],
)  # fmt: skip
def test_each_quirk_of_the_released_script(why, reference, prediction, expected):
    assert tally(reference, prediction) == expected


@pytest.mark.parametrize(
    ("why", "records", "winner"),
    [  # 5
        ("the newest", [{"updated_at": "2026-01-02T00:00:00"}, {"updated_at": "2026-01-01T00:00:00"}], 0),
        ("the first date found in order", [{"updated_at": "?", "timestamp": 9e9}, {"created_at": "2026-01-01"}], 0),
        ("dated before undated", [{"timestamp": 5}, {}], 0),
        ("dated before undated, later", [{}, {"timestamp": 5}], 1),
        ("ties: the later line", [{"timestamp": 5}, {"timestamp": 5}], 1),
        ("no dates: the later line", [{}, {}], 1),
        ("Z is UTC", [{"updated_at": "2026-01-01T01:00:00Z"}, {"updated_at": "2026-01-01T01:30:00+01:00"}], 0),
        ("milliseconds and seconds", [{"timestamp": 1_700_000_001_000}, {"timestamp": 1_700_000_000}], 0),
    ],
)
def test_of_several_predictions_one_counts(why, records, winner):
    records = [record(**each) for each in records]
    assert newest(records, "hotpotqa")["total 0"] is records[winner]


def test_a_reference_that_has_a_record_twice_is_an_error():
    with pytest.raises(ValueError, match="total 3 twice"):
        compare([record({}, total=3), record({}, total=3)], [], "hotpotqa")


@pytest.mark.parametrize(
    ("fields", "dataset", "expected"),
    [  # 6
        ({"total_index": "7", "query_index": 9, "sample_index": 9}, "bfcl", "total 7"),
        ({"query_index": 2, "sample_index": 3}, "bfcl", "total 513"),
        ({"query_index": 2, "sample_index": 3, "record_id": "x"}, "mine", "query 2 sample 3"),
        ({"query_index": 2, "record_id": " x "}, "bfcl", "record x"),
    ],
)
def test_records_join_on_the_first_identity_they_have(fields, dataset, expected):
    assert key(fields, dataset) == expected


def test_a_record_without_identity_or_with_labels_of_no_kind_is_an_error():
    with pytest.raises(KeyError, match="no total_index"):
        key({"record_id": " "}, "bfcl")
    with pytest.raises(TypeError, match="step_labels is a str"):
        labels("1,0")


def test_tallies_add_up_over_datasets_before_dividing():
    both = Tally(2, 0, 10, 9, 1, 2) + Tally(2, 1, 2, 0, 0, 0)
    assert (both.step_acc, both.first_err_acc, both.failed_ratio) == (9 / 12, 2 / 4, 1 / 4)
    assert Tally().step_acc == Tally().first_err_acc == 0.0


def test_no_error_has_its_own_number():
    assert first_error({"2": 1}) == -1
