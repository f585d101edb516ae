"""Search trees: every branch is in the record, each step after the one it was tried after."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from annotations import formats
from annotations.formats.base import Refused, ValueFormat
from annotations.formats.opening.sources import Source, of_path
from annotations.records import StepRecord, TrajectoryRecord
from annotations.services.grounds import Ground

SAMPLES = Path(__file__).parents[1] / "samples"


def records(path: Path) -> list[TrajectoryRecord]:
    items = list(formats.detect(of_path(path))[0].read(of_path(path)))
    assert [item.problems for item in items] == [()] * len(items)
    return [item.record for item in items if isinstance(item.record, TrajectoryRecord)]


def made(name: str, value: Any) -> TrajectoryRecord:
    form = formats.FORMATS[name]
    assert isinstance(form, ValueFormat)
    (record,) = form.records(value)
    assert isinstance(record, TrajectoryRecord)
    return record


def hung(record: TrajectoryRecord) -> list[tuple[str, int | None]]:
    """The steps' words and what they hang on."""
    return [(step.message, step.parent) for step in record.steps]


def called(step: StepRecord) -> list[tuple[str, Any]]:
    return [(call["name"], call["arguments"]) for call in step.tool_calls]


def node(kind: str, said: str, **more: Any) -> dict[str, Any]:
    return {"node_type": kind, "description": said, "is_terminal": False, "pruned": False, **more}


def finish(said: str) -> list[dict[str, Any]]:
    answer = json.dumps({"return_type": "give_answer", "final_answer": said})
    return [node("Action", "Finish"), node("Action Input", answer, observation="given", observation_code=3)]


def tries(*chains: Any, **answer: Any) -> dict[str, Any]:
    found = [{"chain": one, "win": place == 1} for place, one in enumerate(chains)]
    return {
        "win": True,
        "try_count": len(found),
        "trys": found,
        "compare_candidates": [],
        "forward_args": {"pass_at": 2},
        "answer_generation": {"query": "Which tea?", "function": [{"name": "find_tea"}], "valid_data": True, **answer},
    }


def test_each_try_of_a_chain_is_a_rollout_of_the_task_with_the_steps_one_after_the_other() -> None:
    look = [node("Thought", "I look."), node("Action", "find_tea"), node("Action Input", "{}", observation="[]")]
    given = finish("Black.")
    value = tries(
        [*look, node("Thought", "Nothing.", pruned=True)], [*look, *given], final_answer=given[1]["description"]
    )
    source = Source("chain.json", lambda: BytesIO(json.dumps(value, indent=1).encode()))
    form, _ = formats.detect(source)
    assert form.name == "toolbench-tree"
    first, second = [item.record for item in form.read(source) if isinstance(item.record, TrajectoryRecord)]
    assert hung(first) == [("Which tea?", None), ("I look.", 0), ("Nothing.", 1)]
    assert [called(step) for step in second.steps] == [[], [("find_tea", "{}")], [("Finish", given[1]["description"])]]
    assert second.steps[1].observations[0]["content"] == "[]"
    assert (first.outcome, second.outcome) == (
        {"answer": None, "resolved": False},
        {"answer": "Black.", "resolved": True},
    )
    assert first.task == second.task and first.extra["fields"]["try_count"] == 2
    assert "trys" not in first.extra["fields"]


def test_a_try_that_is_none_is_named_and_the_others_are_read() -> None:
    value = tries([], finish("Black."), "none", [7])
    form = formats.FORMATS["toolbench-tree"]
    assert isinstance(form, ValueFormat) and form.recognises(value)
    found = list(form.records(value))
    refused = [(one.field, one.reason[:8]) for one in found if isinstance(one, Refused)]
    assert refused == [
        ("trys[0].chain.children", "found no"),
        ("trys[2].chain", "found th"),
        ("trys[3].chain", "found a "),
    ]
    assert isinstance(found[1], TrajectoryRecord)


def test_a_chain_of_thought_action_and_input_is_one_step() -> None:
    (record,) = records(SAMPLES / "toolbench-tree.json")
    assert hung(record) == [
        ("You can use tools.", None),
        ("Is there tea?", None),
        ("", 1),
        ("None found. I try black.", 2),
        ("", 3),
        ("I could say what I know.", 2),
        ("", 5),
        ("Perhaps ask first.", 1),
    ]
    assert called(record.steps[3]) == [("find_tea", '{"kind": "black"}')]
    assert record.steps[3].observations[0]["content"] == "[]"


def test_a_thought_that_was_looked_at_by_itself_is_a_step_of_its_own() -> None:
    (record,) = records(SAMPLES / "toolbench-tree.json")
    assert (record.steps[5].tool_calls, called(record.steps[6])[0][0]) == ((), "Finish")


def test_branches_that_were_given_up_say_so_and_siblings_are_found() -> None:
    (record,) = records(SAMPLES / "toolbench-tree.json")
    flags = [(step.extra["fields"]["pruned"], step.extra["fields"]["finished"]) for step in record.steps[2:]]
    assert flags == [(False, False), (False, False), (True, False), (False, False), (False, True), (True, False)]
    assert Ground(record.steps).siblings == {2: [2, 7], 3: [3, 5]}
    assert record.outcome == {"answer": "No tea.", "resolved": True, "finish_type": "give_answer"}


TREES = {  # nodes in each file, from its README
    "G1_answer_10": 7,
    "G1_answer_11": 10,
    "G1_answer_57": 26,
    "G1_answer_59": 11,
    "G1_answer_69": 66,
    "G2_answer_102": 10,
    "G2_answer_10": 83,
    "G2_answer_119": 65,
    "G2_answer_127": 19,
    "G2_answer_52": 74,
}


@pytest.mark.parametrize(("name", "size"), TREES.items())
def test_real_trees_come_in_with_every_node(name: str, size: int, shared_data: Path) -> None:
    (record,) = records(shared_data / "toolbench_tree" / f"{name}_ChatGPT_DFS_woFilter_w2.json")
    assert record.extra["fields"].keys() >= {"forward_args", "query_count"}
    steps = [step for step in record.steps if step.source == "agent"]
    nodes = sum(bool(step.message) + 2 * bool(step.tool_calls) for step in steps)
    assert nodes + 1 == size, "a thought, an action and its input each, and the root"
    assert all(
        step.parent is not None and step.parent < place for place, step in enumerate(record.steps) if step in steps
    )


def test_a_nested_tree_has_its_numbers_and_its_root_is_what_was_asked() -> None:
    nested = records(SAMPLES / "search-tree.jsonl")[0]
    assert hung(nested) == [
        ("2 + 3 * 4?", None),
        ("3 * 4 = 12.", 0),
        ("2 + 12 = 14.", 1),
        ("2 + 12 = 15.", 1),
        ("2 + 3 = 5.", 0),
    ]
    assert nested.steps[1].extra["values"] == {"q": 0.9, "visits": 5, "prior": 0.6}
    assert nested.steps[2].extra["fields"] == {"is_terminal": True}
    assert (nested.task.external_id, nested.task.reference, nested.policy_model) == ("q1", "14", "small")


def test_a_flat_list_is_put_in_order_and_repeated_words_are_left_out() -> None:
    flat = records(SAMPLES / "search-tree.jsonl")[1]
    assert hung(flat) == [("1 + 1?", None), ("One and one.", 0), ("That is 2.", 1), ("It is 3.", 0)]
    assert [step.source_index for step in flat.steps] == [0, 2, 1, 4], "places in the list, from 1"
    assert flat.steps[2].extra["fields"]["text"] == "One and one.\nThat is 2."
    assert flat.steps[2].extra["values"] == {"value": 0.9, "visits": 2}


def test_nodes_that_are_called_by_their_way_hang_together() -> None:
    tagged = records(SAMPLES / "search-tree.jsonl")[2]
    assert hung(tagged) == [("5 - 2?", None), ("Take two away.", 0), ("It is 3.", 1), ("Add two.", 0)]
    assert tagged.steps[2].extra["values"] == {"q": 1.0, "visits": 2}


def test_layers_of_thoughts_hang_on_what_they_were_made_of() -> None:
    layers = records(SAMPLES / "search-tree.jsonl")[3]
    assert hung(layers) == [
        ("1 1 4 6", None),
        ("4 * 6 = 24 (left: 1 1 24)\n", 0),
        ("1 + 1 = 2 (left: 2 4 6)\n", 0),
        ("1 * 24 = 24 (left: 1 24)\n", 1),
    ]
    assert [step.extra["values"]["value"] for step in layers.steps[1:]] == [20.0, 0.001, 60.0]
    assert [step.extra["fields"]["selected"] for step in layers.steps[1:]] == [True, False, True]


def test_a_state_of_thought_action_and_observation_is_a_turn() -> None:
    states = records(SAMPLES / "search-tree.jsonl")[4]
    assert called(states.steps[1]) == [("Search", "tea")]
    assert states.steps[1].observations[0]["content"] == "Tea is a drink."
    assert (states.steps[2].message, states.steps[2].parent) == ("I know it.", 0)


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([{"id": 1, "parent": None, "text": "a"}, {"id": 1, "parent": 1, "text": "b"}], "'1' twice"),
        ([{"id": 1, "parent": None, "text": "a"}, {"id": 2, "parent": 7, "text": "b"}], "the parent '7'"),
        ([{"id": 0, "parent": None}, {"id": 1, "parent": 2}, {"id": 2, "parent": 1}], "each other's parents"),
    ],
)
def test_what_is_no_tree_is_refused_where_it_is_none(nodes: Any, said: str) -> None:
    with pytest.raises(Refused, match=said) as refused:
        made("search-tree", {"question": "?", "nodes": nodes})
    assert refused.value.field.startswith("nodes")
