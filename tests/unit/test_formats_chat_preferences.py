"""Pairs of answers become two rollouts of one task, each with what was said of it."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from annotations.formats.base import Refused
from annotations.formats.preference_pairs import PreferencePairs
from annotations.records import TrajectoryRecord
from tests.unit.test_formats_chat import records, said

USER = {"role": "user", "content": "Which?"}
GOOD, BAD = {"role": "assistant", "content": "This."}, {"role": "assistant", "content": "That."}
BETTER, WORSE = [("user", "Which?"), ("agent", "This.")], [("user", "Which?"), ("agent", "That.")]


def pair(value: Any) -> tuple[TrajectoryRecord, TrajectoryRecord]:
    first, second = records(value, "preference-pairs")
    assert first.task == second.task and first.task.instruction == "Which?"
    assert first.meta["pair"] == second.meta["pair"] and (first.meta["side"], second.meta["side"]) == (0, 1)
    return first, second


@pytest.mark.parametrize(
    "value",
    [
        {"prompt": "Which?", "chosen": "This.", "rejected": "That."},
        {"prompt": [USER], "chosen": [GOOD], "rejected": [BAD]},
        {"prompt": json.dumps([USER]), "chosen": json.dumps([GOOD]), "rejected": json.dumps([BAD])},
        {"chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"prompt": "Which?", "chosen": [USER, GOOD], "rejected": [USER, BAD], "messages": [USER, GOOD]},
        {"chosen": "\n\nHuman: Which?\n\nAssistant: This.", "rejected": "\n\nHuman: Which?\n\nAssistant: That."},
        {"conversations": [{"from": "human", "value": "Which?"}]}
        | {"chosen": {"from": "gpt", "value": "This."}, "rejected": {"from": "gpt", "value": "That."}},
        {"chosen_messages": [USER, GOOD], "rejected_messages": [USER, BAD]},
        {"instruction": "Which?", "input": "", "chosen": "This.", "rejected": "That."},
        {"instruction": "Which?", "output": ["This.", "That."]},
    ],
)
def test_the_chosen_answer_is_preferred_and_the_rejected_one_is_not(value):
    first, second = pair(value)
    assert (said(first), said(second)) == (BETTER, WORSE)
    assert (first.outcome, second.outcome) == ({"preferred": True}, {"preferred": False})


def compared(**verdicts: Any) -> dict[str, Any]:
    return {"idx": 0, "instruction": "Which?", "input": "", "response1": "This.", "response2": "That.", **verdicts}


@pytest.mark.parametrize(
    ("verdicts", "first", "second"),
    [
        ({"annotator1": 2, "annotator2": 2, "annotator3": 1}, False, True),
        ({"annotator1": 0, "annotator2": 0, "annotator3": 1}, "tie", "tie"),
        ({"gpt_result": "1", "gpt_reason": "It is."}, True, False),
        ({"winner": "model_b"}, False, True),
        ({"winner": "tie (bothbad)"}, "tie", "tie"),
        ({"preference": 2.0}, False, True),
    ],
)
def test_what_most_verdicts_say_is_preferred_and_all_are_kept(verdicts, first, second):
    records = pair(compared(**verdicts))
    assert [record.outcome["preferred"] for record in records] == [first, second]
    assert all(verdicts.items() >= record.outcome["verdicts"].items() for record in records)


@pytest.mark.parametrize("verdicts", [{"annotator1": 0, "annotator2": 1, "annotator3": 2}, {"annotator1": 7}, {}])
def test_where_no_verdict_has_most_voices_nothing_is_preferred(verdicts):
    for record in pair(compared(**verdicts)):
        assert "preferred" not in record.outcome and record.outcome.get("verdicts", {}) == verdicts


def test_a_compared_pair_has_names_models_and_what_was_said_beside():
    first, second = pair(compared(cmp_key="m-1_m-2", motivation_app="app") | {"idx": 12})
    assert (first.task.external_id, first.external_id, second.external_id) == ("12", "12:1", "12:2")
    assert (first.rollout, second.rollout, first.policy_model, second.policy_model) == (0, 1, "m-1", "m-2")
    assert first.extra["fields"] == {"motivation_app": "app", "cmp_key": "m-1_m-2", "input": ""}


def test_scores_and_models_of_a_pair_go_to_their_sides():
    row = {"prompt": "Which?", "chosen": "This.", "rejected": "That.", "score_chosen": 8, "rejected-rating": 2.5}
    first, second = pair(row | {"chosen_model": "m-1"})
    assert (first.outcome["score"], second.outcome["score"], first.policy_model) == (8, 2.5, "m-1")


def test_earlier_rounds_belong_to_the_prompt():
    earlier = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Yes?"}]
    first, second = pair({"prompt": [*earlier, USER], "chosen": [GOOD], "rejected": [BAD]})
    other, _ = pair({"prompt": [*earlier[:1], GOOD, USER], "chosen": [GOOD], "rejected": [BAD]})
    assert len(first.steps) == len(second.steps) == 4
    assert first.task.external_id != other.task.external_id


def test_answers_of_several_turns_with_calls_are_told_from_the_prompt_they_share():
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    chosen = [USER, {"role": "assistant", "content": "", "tool_calls": [call]}]
    chosen += [{"role": "tool", "tool_call_id": "c", "content": "r"}, GOOD]
    first, _ = pair({"chosen": chosen, "rejected": [USER, BAD], "tools": json.dumps([{"name": "f"}])})
    assert first.steps[1].tool_calls[0]["name"] == "f" and first.steps[1].observations
    assert first.task.tools == [{"name": "f"}]


@pytest.mark.parametrize(
    "value",
    [
        {"prompt": "Which?", "completion": "This.", "label": False},
        {"prompt": [USER], "completion": [GOOD], "label": False},
        {"messages": [USER, GOOD], "label": False},
        {"conversations": [{"from": "human", "value": "Which?"}, {"from": "gpt", "value": "This."}], "kto_tag": False},
        {"instruction": "Which?", "output": "This.", "kto_tag": False},
    ],
)
def test_a_single_answer_is_wanted_or_not(value):
    (record,) = records(value, "preference-pairs")
    assert (said(record), record.outcome) == (BETTER, {"preferred": False})


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"prompt": [USER], "chosen": [GOOD]}, "chosen"),
        ({"prompt": [USER, {"role": "pilot", "content": ""}], "chosen": [GOOD], "rejected": [BAD]}, "prompt[1].role"),
        ({"prompt": [USER], "chosen": [GOOD], "rejected": [USER]}, "rejected"),
    ],
)
def test_what_is_no_pair_is_named(row, field):
    with pytest.raises(Refused) as refused:
        list(PreferencePairs().records(row))
    assert refused.value.field == field


@pytest.mark.parametrize(("file", "pairs"), [("dpo_en_demo.json.gz", 300), ("v1_dpo_demo.jsonl", 10)])
def test_every_pair_of_llama_factory_is_two_rollouts(shared_data: Path, file: str, pairs: int):
    raw = (shared_data / "sharegpt" / file).read_bytes()
    read = records(gzip.decompress(raw) if file.endswith(".gz") else raw, "preference-pairs")
    assert Counter(record.outcome["preferred"] for record in read) == {True: pairs, False: pairs}
    assert all(a.task == b.task for a, b in zip(read[::2], read[1::2], strict=True))


def test_the_pairs_of_pandalm_keep_three_people_and_two_judges(shared_data: Path):
    def read(name: str) -> list[TrajectoryRecord]:
        return records(gzip.decompress((shared_data / "pandalm" / name).read_bytes()), "preference-pairs")

    people = read("testset-v1.json.gz")
    assert len(people) == 2 * 999 and len({record.task.external_id for record in people}) == 999
    assert all(len(record.outcome["verdicts"]) == 3 and record.policy_model for record in people)
    for name, judge in (("gpt-3.5-turbo-testset-v1.json.gz", "gpt"), ("pandalm-7b-testset-v1.json.gz", "pandalm")):
        said = read(name)
        assert len(said) == 999 and all(f"{judge}_result" in record.outcome["verdicts"] for record in said)
