"""A tree in files that know only rows of steps: each way to a leaf is written for itself, or the tree is refused."""

from __future__ import annotations

import pytest

from annotations import formats
from annotations.formats.base import Refused
from tests.rollouts import rollout, tree

# The question is 0. 1 and 4 were tried after it, 2 and 3 after 1.
NODES = ((0, "a"), (1, "b"), (1, "c"), (0, "d"))


def written(name, labelled, **asked):
    return list(formats.FORMATS[name].rows([labelled], asked))


def test_each_way_of_a_tree_is_a_solution_of_processbench_with_its_own_first_error():
    rows = written("processbench", tree(*NODES, grades={1: 1, 2: 1, 3: -1, 4: -1}, final=1))
    assert [(row["id"], row["steps"], row["label"]) for row in rows] == [
        ("t#0", ["a", "b"], -1),
        ("t#1", ["a", "c"], 1),
        ("t#2", ["d"], 0),
    ]
    assert {row["final_answer_correct"] for row in rows} == {None}, "the verdict is on the whole tree"


def test_a_tree_of_one_way_is_a_row_of_steps():
    (row,) = written("processbench", tree((0, "a"), (1, "b"), grades={1: 1, 2: 1}, final=1))
    assert (row["id"], row["final_answer_correct"]) == ("t", True)
    assert written("prm-rows", tree((0, "a"), (1, "b"), grades={1: 1}, final=1))[0]["final_label"] == 1


@pytest.mark.parametrize(
    ("name", "asked", "grades"),
    [
        ("trl-stepwise", {}, {1: 1}),
        ("math-shepherd", {}, {1: 1}),
        ("prm-rows", {"labels": "hard", "zero": "drop"}, {1: 1, 2: 0, 3: 0}),
    ],
)
def test_ways_that_are_cut_to_the_same_steps_are_one_row(name, asked, grades):
    assert len(written(name, tree(*NODES[:3], grades=grades), **asked)) == 1
    assert len(written(name, tree(*NODES[:3], grades={1: 1, 2: 1, 3: -1}), **asked)) == 2


def test_the_way_of_prm800k_ends_as_it_ends_whatever_was_tried_beside_it():
    (row,) = written("prm800k", tree(*NODES, grades={1: 1, 2: 1, 3: -1, 4: -1}))
    steps = row["label"]["steps"]
    assert [[one["text"] for one in step["completions"]] for step in steps] == [["a", "d"], ["b", "c"]]
    assert row["label"]["finish_reason"] == "solution"
    (wrong,) = written("prm800k", tree(*NODES[:2], grades={1: 1, 2: -1}))
    assert wrong["label"]["finish_reason"] == "found_error"


def test_the_ways_of_a_tree_are_conversations_of_their_own():
    rows = written("openai-chat", tree(*NODES, record={"rollout": 3}))
    assert [[one["content"] for one in row["messages"]] for row in rows] == [
        ["Q", "a", "b"],
        ["Q", "a", "c"],
        ["Q", "d"],
    ]
    assert [row["id"] for row in rows] == ["t#0", "t#1", "t#2"]
    records = [formats.FORMATS["openai-chat"].record(row) for row in rows]
    assert {record.rollout for record in records} == {None}, "three ways are no one rollout"


def test_atif_takes_no_tree_and_says_so():
    with pytest.raises(Refused, match="3 ends"):
        written("atif", tree(*NODES))
    assert written("atif", tree((0, "a"), (1, "b")))
    assert written("atif", rollout("a", "b"))
