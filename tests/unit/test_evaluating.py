"""Label files held against a reference's: whose a record is, what counts in ours and in the released arithmetic."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_service.evaluating import evaluate
from models_service.evaluating_sums import ReferenceRefused
from models_service.statistics import official as script

FAIL = "llm_annotate_failed: timeout"
NO_PLACE = {"query_index": None, "sample_index": None}


def row(labels: Any = None, query: int = 0, sample: int = 0, **more: Any) -> dict[str, Any]:
    said = {"dataset": "hotpotqa", "annotator": "judge", "query_index": query, "sample_index": sample}
    return said | {"step_labels": labels} | more


def bare(labels: Any, **more: Any) -> dict[str, Any]:
    """A record that does not say of which set it is."""
    return {key: value for key, value in row(labels, **more).items() if key != "dataset"}


@pytest.fixture
def written(tmp_path: Path):
    """written("a/b.jsonl", row, …): that file, with a line for each."""

    def write(name: str, *rows: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in rows)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return write


@pytest.fixture
def held(written):
    """held(reference rows, prediction rows): what comes of one file against another."""

    def hold(reference: list[Any], predictions: list[Any], official: bool = False) -> dict[str, Any]:
        return evaluate(
            [written("gold.jsonl", *reference)], [written("said.jsonl", *predictions)], official, resamples=50
        )

    return hold


def only(result: dict[str, Any], name: str = "hotpotqa") -> dict[str, Any]:
    """The row of the one rater."""
    (found,) = result["sets"][name].values()
    return found


GOLD = [row({"2": 1, "4": 1}), row({"2": 1, "4": -1}, 1)]
SHOWN = ("step_acc", "first_err_acc", "step_exact", "failed", "coverage")

# What is said, and what comes of it in ours and as released. The reference: one trajectory without an error, one with.
EDGES = [
    ("all right", GOLD, (1, 1, 1, 0, 1), (1, 1, 1, 0, 1)),
    # 1: who is not there is wrong everywhere; as released yet a hit where there is no error to find
    ("one absent", GOLD[1:], (0.5, 0.5, 0.5, 1, 0.5), (0.5, 1, 0.5, 1, 0.5)),
    ("said nothing", [row({}), row(None, 1)], (0, 0, 0, 0, 0), (0, 0.5, 0, 0, 0)),
    # 2: what a failed record says counts as released only
    ("failed with labels", [row({"2": 1, "4": 1}, comment=FAIL), GOLD[1]], (0.5, 0.5, 0.5, 1, 0.5), (1, 1, 1, 1, 0.5)),
    ("failed, indented", [row(None, comment=f"  {FAIL}"), GOLD[1]], (0.5, 0.5, 0.5, 1, 0.5), (0.5, 1, 0.5, 1, 0.5)),
    ("failure only named", [row({"2": 1, "4": 1}, comment=f"no {FAIL}"), GOLD[1]], (1, 1, 1, 0, 1), (1, 1, 1, 0, 1)),
    # a step left out: the whole trajectory's first error is missed in ours
    ("half said", [row({"2": 1}), GOLD[1]], (0.75, 0.5, 0.5, 0, 0.75), (0.75, 1, 0.5, 0, 0.75)),
    # 3: how labels are read; a list goes by place, which no message index is
    ("a list", [row([1, 1]), GOLD[1]], (0.5, 0.5, 0.5, 0, 0.5), (0.5, 1, 0.5, 0, 0.5)),
    ("true, 1.0 and a text", [row({"2": True, "4": 1.0}), row({"2": "1", "4": " -1 "}, 1)],
     (1, 1, 1, 0, 1), (1, 1, 1, 0, 1)),
    ("what is no label", [row({"2": 1, "4": "good"}), GOLD[1]], (0.75, 0.5, 0.5, 0, 0.75), (0.75, 1, 0.5, 0, 0.75)),
    # 4: an error at a step that the reference lacks is seen as released, and spoils exactness in both
    ("an error elsewhere", [row({"1": -1, "2": 1, "4": 1}), GOLD[1]], (1, 1, 0.5, 0, 1), (1, 0.5, 0.5, 0, 1)),
    # 7: the verdict is not looked at
    ("another verdict", [row({"2": 1, "4": 1}, final_label=-1), GOLD[1]], (1, 1, 1, 0, 1), (1, 1, 1, 0, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("why", "said", "ours", "released"), EDGES, ids=[one[0] for one in EDGES])
def test_each_edge_in_ours_and_as_released(held, why, said, ours, released):
    for official, expected in ((False, ours), (True, released)):
        found = only(held(GOLD, said, official))
        assert tuple(found[name] for name in SHOWN) == expected, official
        assert (found["steps"], found["trajectories"]) == (4, 2)


def test_steps_are_ranked_as_numbers():
    """Edge 4 again: "10" comes after "9"."""
    assert script.first_error({"10": -1, "9": -1}) == 9


@pytest.mark.parametrize("official", [False, True])
def test_ten_comes_after_nine(held, official):
    gold = [row({"9": -1, "10": -1})]
    assert only(held(gold, [row({"10": -1, "9": -1})], official))["first_err_acc"] == 1
    assert only(held(gold, [row({"10": -1, "9": 1})], official))["first_err_acc"] == 0


@pytest.mark.parametrize("official", [False, True])
def test_of_several_predictions_the_newest_counts_and_a_dated_one_first(held, official):
    right, wrong = {"2": 1, "4": 1}, {"2": 0, "4": 0}
    orders = [
        [row(right, updated_at="2026-01-02"), row(wrong, updated_at="2026-01-01")],
        [row(right, timestamp=5), row(wrong)],
        [row(wrong, timestamp=5), row(right, timestamp=5)],
        [row(wrong), row(right)],
    ]
    for said in orders:
        found = only(held(GOLD[:1], said, official))
        assert (found["step_acc"], found["superseded"], found["trajectories"]) == (1, 1, 1)


@pytest.mark.parametrize("official", [False, True])
def test_a_reference_that_has_a_record_twice_is_refused_with_both_places(held, official):
    with pytest.raises(ReferenceRefused, match=r"total 3 of hotpotqa twice: .*gold\.jsonl, line 1, and .*line 2"):
        held([row({"2": 1}, 0, 3), row({"2": 1}, 7, 7, total_index=3)], GOLD, official)


@pytest.mark.parametrize(
    ("reference", "prediction", "joined"),
    [
        (row({"2": 1}, **{**NO_PLACE, "total_index": 7}), row({"2": 1}, 1, 2), True),
        (row({"2": 1}, 9, 9, total_index="7"), row({"2": 1}, 1, 2), True),
        (row({"2": 1}, 1, 2), row({"2": 1}, 1, 3), False),
        (row({"2": 1}, 1, 2, dataset="mine"), row({"2": 1}, "1", 2.0, dataset="mine"), True),
        (row({"2": 1}, dataset="mine", record_id=" x ", **NO_PLACE),
         row({"2": 1}, dataset="mine", record_id="x", **NO_PLACE), True),
        (row({"2": 1}, dataset="mine", total_index=3), row({"2": 1}, dataset="mine"), False),
    ],
)  # fmt: skip
def test_records_join_by_the_first_identity_they_have(written, reference, prediction, joined):
    files = [written("gold.jsonl", fitting(reference)), written("said.jsonl", fitting(prediction))]
    found = evaluate(files[:1], files[1:], official=False)
    (name,) = found["sets"]
    assert only(found, name)["missing"] == (0 if joined else 1)
    assert found["unreferenced"] == ({} if joined else {name: {"judge": 1}})


def fitting(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value is not None}


def test_sets_are_pooled_before_dividing_and_not_averaged(written):
    gold = written("gold.jsonl", row({"2": 1, "4": 1, "6": -1}), row({"2": -1}, dataset="bfcl"))
    said = written("said.jsonl", row({"2": 1, "4": 1, "6": -1}), row({"2": 1}, dataset="bfcl"))
    for official in (False, True):
        found = evaluate([gold], [said], official)
        assert [found["sets"][name]["judge"]["step_acc"] for name in ("hotpotqa", "bfcl")] == [1, 0]
        assert found["all"]["judge"]["step_acc"] == 3 / 4
        assert found["all"]["judge"]["first_err_acc"] == 1 / 2
        assert found["all"]["judge"]["steps"] == 4
        assert found["all"]["judge"]["sets"] == ["hotpotqa", "bfcl"]
        assert found["baselines"]["sets"]["bfcl"]["-1"]["step_acc"] == 1
        assert found["baselines"]["all"]["1"]["step_acc"] == 2 / 4
        assert found["baselines"]["all"]["0"]["step_acc"] == 0


def test_who_has_said_nothing_of_a_set_has_no_row_there_and_is_pooled_over_the_others(written):
    gold = written("gold.jsonl", row({"2": 1}), row({"2": -1}, dataset="bfcl"))
    found = evaluate([gold], [written("said.jsonl", row({"2": 1}))], official=False)
    assert found["sets"]["bfcl"] == {}
    assert (found["all"]["judge"]["step_acc"], found["all"]["judge"]["sets"]) == (1, ["hotpotqa"])


def test_the_figures_of_a_table_worked_by_hand(held):
    """Reference 1 1 1 0 -1 -1, said 1 1 -1 0 -1 1: each a trajectory of its own."""
    gold = [row({"2": value}, at) for at, value in enumerate([1, 1, 1, 0, -1, -1])]
    said = [row({"2": value}, at) for at, value in enumerate([1, 1, -1, 0, -1, 1])]
    found = held(gold, said)
    mine = only(found)
    assert mine["step_acc"] == pytest.approx(4 / 6)
    assert mine["recall"] == pytest.approx({"1": 2 / 3, "0": 1, "-1": 1 / 2})
    assert mine["error_f1"] == pytest.approx(2 * 1 / (2 + 2))
    assert mine["macro_f1"] == pytest.approx((2 * 2 / (3 + 3) + 1 + 0.5) / 3)
    chance = (3 * 3 + 1 * 1 + 2 * 2) / 36
    assert mine["kappa"] == pytest.approx((4 / 6 - chance) / (1 - chance))
    assert mine["kappa_low"] <= mine["kappa"] <= mine["kappa_high"]
    assert (mine["first_err_acc_error"], mine["first_err_acc_clean"]) == (1 / 2, 3 / 4)
    assert mine["processbench_f1"] == pytest.approx(2 * (1 / 2) * (3 / 4) / (1 / 2 + 3 / 4))
    assert found["reference"]["hotpotqa"] == {
        "trajectories": 6, "steps": 6, "tasks": 6, "labels": {"1": 3, "0": 1, "-1": 2}, "clean": 4
    }  # fmt: skip


def test_what_is_undefined_is_null_with_the_reason(held):
    found = only(held([row({"2": 1, "4": 1})], [row({"2": 1, "4": 1})]))
    for name in ("kappa", "error_f1", "first_err_acc_error", "processbench_f1"):
        assert (found[name], bool(found["reasons"][name])) == (None, True), name
    assert (found["recall"]["-1"], bool(found["reasons"]["recall -1"])) == (None, True)
    assert (found["step_acc"], found["step_acc_low"]) == (1, None)
    assert "one task" in found["reasons"]["step_acc_low"]


def test_rollouts_of_a_question_are_drawn_together(held):
    """Two tasks of five rollouts each are two things to draw, with or without a query_index."""
    gold = [row({"2": 1}, at // 5, at % 5) for at in range(10)]
    numbered = [row({"2": 1}, **NO_PLACE, total_index=at) for at in range(10)]
    for rows in (gold, [fitting(one) for one in numbered]):
        assert held(rows, gold)["reference"]["hotpotqa"]["tasks"] == 2


# --- whose, and of which set


def raters(result: dict[str, Any]) -> dict[str, set[str]]:
    return {name: set(rows) for name, rows in result["sets"].items()}


def test_files_that_share_a_folder_are_of_one_rater_who_is_called_like_it(written):
    gold = written("gold/both.jsonl", row({"2": 1}), row({"2": 1}, dataset="bfcl"))
    said = [
        written("one/hotpotqa.jsonl", row({"2": 1}, annotator="small")),
        written("one/bfcl.jsonl", row({"2": 1}, dataset="bfcl", annotator="other")),
        written("two/bfcl.jsonl", row({"2": 1}, dataset="bfcl", annotator="alone")),
    ]
    found = evaluate([gold], said, official=False)
    assert raters(found) == {"hotpotqa": {"one"}, "bfcl": {"one", "alone"}}
    assert found["notes"] == []


def test_a_folder_of_several_annotators_of_the_same_records_is_not_taken_for_one_rater(written):
    gold = written("gold.jsonl", row({"2": 1}))
    said = [written(f"all/{name}.jsonl", row({"2": value}, annotator=name)) for name, value in (("a", 1), ("b", 0))]
    found = evaluate([gold], said, official=False)
    assert {name: one["step_acc"] for name, one in found["sets"]["hotpotqa"].items()} == {"a": 1, "b": 0}
    assert "they go by annotator" in found["notes"][0]


def test_one_annotator_of_the_same_records_in_two_folders_is_not_taken_for_one_rater(written):
    """As Qwen3-8B is called with and without thinking."""
    gold = written("gold.jsonl", row({"2": 1}))
    said = [written(f"{name}/hotpotqa.jsonl", row({"2": value})) for name, value in (("plain", 1), ("thinking", 0))]
    found = evaluate([gold], said, official=False)
    assert {name: one["step_acc"] for name, one in found["sets"]["hotpotqa"].items()} == {"plain": 1, "thinking": 0}
    assert "they go by folder" in found["notes"][0]


def test_folders_of_one_name_are_told_apart(written):
    gold = written("gold.jsonl", row({"2": 1}))
    said = [written(f"{name}/judge/{file}.jsonl", row({"2": 1}, at)) for name in "xy" for at, file in enumerate("pq")]
    assert raters(evaluate([gold], said, official=False)) == {"hotpotqa": {"x/judge", "y/judge"}}


@pytest.mark.parametrize(
    ("gold", "said", "expected"),
    [
        ("hotpotqa_final.jsonl", "hotpotqa__blind_small.jsonl.gz", "hotpotqa"),
        ("gaia_dev_final.jsonl", "gaia_dev__blind_small.jsonl", "gaia_dev"),
        ("mine__gold.jsonl", "judge.jsonl", "mine"),
    ],
)
def test_records_that_name_no_set_are_of_that_of_their_file(written, gold, said, expected):
    found = evaluate([written(gold, bare({"2": 1}))], [written(said, bare({"2": 1}))], official=False)
    assert raters(found) == {expected: {"judge"}}


def test_a_record_that_names_no_set_is_of_that_of_the_others_of_its_file(written):
    gold = written("a.jsonl", row({"2": 1}, dataset="b"), bare({"2": 1}, query=1), row({"2": 1}, 2, dataset="b"))
    assert evaluate([gold], [gold], official=False)["reference"]["b"]["trajectories"] == 3


def test_who_hands_in_an_empty_file_is_wrong_everywhere_but_for_the_released_first_error(written):
    gold, said = written("hotpotqa.jsonl", *GOLD), written("hotpotqa__nobody.jsonl")
    ours, released = (only(evaluate([gold], [said], official)) for official in (False, True))
    assert (ours["step_acc"], ours["first_err_acc"], ours["failed"], ours["missing"]) == (0, 0, 2, 2)
    assert (released["step_acc"], released["first_err_acc"], released["failed"]) == (0, 0.5, 2)
    assert (ours["kappa"], ours["coverage"]) == (None, 0)


def test_without_annotator_a_rater_is_called_like_the_file(written):
    said = written("some-judge.jsonl.gz", fitting(row({"2": 1}, annotator=None)))
    assert raters(evaluate([written("gold.jsonl", *GOLD)], [said], official=False)) == {"hotpotqa": {"some-judge"}}


@pytest.mark.parametrize("indent", [None, 1])
def test_a_file_may_be_one_list(tmp_path, written, indent):
    said = tmp_path / "said.json"
    said.write_text(json.dumps(GOLD, indent=indent))
    assert only(evaluate([written("gold.jsonl", *GOLD)], [said], official=False))["step_acc"] == 1


# --- what cannot be used


def test_what_cannot_be_used_is_told_by_file_line_and_field_and_nothing_else_is_lost(held):
    said = [
        GOLD[0],
        "not json",
        [1],
        {"step_labels": {"2": 1}, "dataset": "hotpotqa"},
        row("1,0", 5),
        row({"2": 1}, 6, dataset=["x"]),
        row({"2": 1, "4": 7}, 1),
        fitting(row(None, 8)),
        row({"2": "9" * 5000}, 9),
        row({"2": 1}, 10, updated_at=10**400),
    ]
    found = held(GOLD, said)
    told = {one["line"]: (one["field"], one["reason"]) for one in found["refused"]}
    assert {one["file"].rsplit("/", 1)[-1] for one in found["refused"]} == {"said.jsonl"}
    assert sorted(told) == list(range(2, 11))
    assert told[2][1].startswith("not JSON")
    assert told[3] == ("", "found a list of 1; accepted is a JSON object with step_labels")
    assert told[4][0] == "total_index" and "accepted is total_index, or" in told[4][1]
    assert told[5] == ("step_labels", "found the text '1,0'; accepted is an object, a list or null")
    assert told[6] == ("dataset", "found a list of 1; accepted is a text")
    assert told[7] == ("step_labels.4", "found the number 7; accepted is -1, 0, 1 or null")
    assert told[8][0] == "step_labels" and told[8][1].startswith("found nothing")
    assert "too long" in told[9][1] and "too long" in told[10][1]
    assert (only(found)["step_acc"], only(found)["coverage"]) == (3 / 4, 3 / 4)


def test_a_packed_file_that_breaks_off_is_used_as_far_as_it_goes(tmp_path, written):
    whole = gzip.compress("".join(json.dumps(row({"2": 1}, at)) + "\n" for at in range(4000)).encode())
    said = tmp_path / "said.jsonl.gz"
    said.write_bytes(whole[: len(whole) // 2])
    gold = written("gold.jsonl", *(row({"2": 1}, at) for at in range(4000)))
    found = evaluate([gold], [said], official=False, resamples=10)
    assert 0 < only(found)["missing"] < 4000
    assert "breaks off" in found["refused"][-1]["reason"]


@pytest.mark.parametrize("rows", [[], ["nonsense"], [row({})], [row({"2": 1}, comment=FAIL)]])
def test_a_reference_without_a_label_is_refused(held, rows):
    with pytest.raises(ReferenceRefused, match="no labelled step"):
        held(rows, GOLD)


def test_labels_of_steps_that_the_reference_lacks_are_counted(held):
    assert only(held(GOLD, [row({"2": 1, "4": 1, "6": 1, "8": 0}), GOLD[1]]))["extra"] == 2


def test_a_reference_record_that_failed_is_none_but_as_released(held):
    gold = [*GOLD, row({"2": 1}, 2, comment=FAIL)]
    assert [only(held(gold, GOLD, official))["trajectories"] for official in (False, True)] == [2, 3]


# A line of a file: a record, one with anything at one place, or anything.
junk = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 10**20) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=5,
)
label = st.sampled_from([-1, 0, 1, True, 1.0, "-1", 0.5, "right", None, 2])
labels = st.dictionaries(st.sampled_from(["2", "4", "10", "a"]), label) | st.lists(label, max_size=3) | st.none()
dated = st.sampled_from([{}, {"updated_at": "2026-01-02"}, {"timestamp": 5}, {"comment": FAIL}])
good = st.builds(lambda said, query, more: row(said, query) | more, labels, st.integers(0, 3), dated)
odd = st.builds(lambda one, key, value: one | {key: value}, good, st.sampled_from(list(row())), junk)


@settings(max_examples=60, deadline=None)
@given(first=good, more=st.lists(good | odd | junk, max_size=6))
def test_whatever_a_file_says_the_rest_is_scored_as_released(tmp_path_factory, first, more):
    said = [first, *more]
    folder = tmp_path_factory.mktemp("any")
    gold, path = folder / "gold.jsonl", folder / "hotpotqa.jsonl"
    gold.write_text("".join(json.dumps(one) + "\n" for one in GOLD))
    path.write_text("".join(json.dumps(one) + "\n" for one in said))
    found = evaluate([gold], [path], official=True, resamples=2)
    lost = {one["line"] for one in found["refused"] if not one["field"].startswith("step_labels.")}
    kept = [one for line, one in enumerate(said, 1) if line not in lost and set_of(one) == "hotpotqa"]
    assert {rater_of(one) for one in kept} <= set(found["sets"].get("hotpotqa", ()))
    for rater, mine in found["sets"]["hotpotqa"].items():
        tally = script.compare(GOLD, [one for one in kept if rater_of(one) == rater], "hotpotqa")
        for name in ("step_acc", "first_err_acc", "step_exact", "failed"):
            assert mine[name] == getattr(tally, name)


def set_of(one: dict[str, Any]) -> str:
    return (one.get("dataset") or "").strip() or "hotpotqa"


def rater_of(one: dict[str, Any]) -> str:
    said = one.get("annotator")
    return said.strip() if isinstance(said, str) and said.strip() else "hotpotqa"
