"""The sample that ships is what its builder makes, and it shows what an agent's trouble looks like."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from annotations.demo import build
from annotations.demo.rules import tool_errors, ungrounded
from annotations.demo.tools import Tools


@pytest.fixture(scope="module")
def made():
    return build.files()


def test_what_ships_is_what_the_builder_makes(made):
    for name, rows in made.items():
        assert (build.HERE / name).read_text() == build.text(rows), f"run python -m annotations.demo.build ({name})"


def test_there_are_at_least_sixty_rollouts_of_twelve_tasks_with_every_label(made):
    rows = made["trajectories.jsonl"]
    assert len(rows) >= 60
    assert len({row["query_index"] for row in rows}) == 12
    assert set(Counter(label for row in rows for label in row["step_labels"].values())) == {1, 0, -1}
    assert {row["final_label"] for row in rows} == {1, -1}


def test_every_agent_turn_is_labelled_by_its_message_index(made):
    for row in made["trajectories.jsonl"]:
        turns = [str(index) for index, message in enumerate(row["messages"]) if message["role"] == "assistant"]
        assert list(row["step_labels"]) == turns


def test_an_error_can_be_followed_by_a_recovery_and_a_right_end(made):
    labels = [list(row["step_labels"].values()) for row in made["trajectories.jsonl"] if row["final_label"] == 1]
    assert any(-1 in one and one[-1] == 1 for one in labels)


def test_the_two_people_differ_on_some_steps_and_agree_on_most(made):
    maya, tomas = (
        [label for row in made[f"labels/{name}.jsonl"] for label in row["step_labels"].values()]
        for name in ("maya", "tomas")
    )
    same = sum(a == b for a, b in zip(maya, tomas, strict=True)) / len(maya)
    assert 0.6 < same < 0.95


def test_tools_run_for_real():
    tools = Tools()
    assert json.loads(tools.call("calculator", '{"expression": "2 * (3 + 4)"}')[0]) == {"result": 14}
    assert tools.call("sql", '{"query": "select count(*) from orders"}')[1]


def test_a_wrong_call_gets_the_tools_own_error():
    tools = Tools()
    for name, arguments in (
        ("sql", '{"query": "drop table orders"}'),
        ("sql", '{"query": "select nothing from orders"}'),
        ("calculator", '{"expression": "__import__(1)"}'),
        ("calculator", '{"expression": "1 / 0"}'),
        ("read_file", '{"path": "/etc/passwd"}'),
        ("nonsense", "{}"),
        ("search", '{"query": "x"'),
    ):
        reply, worked = tools.call(name, arguments)
        assert not worked
        assert "error" in json.loads(reply)


def test_a_rule_that_looks_for_repeats_finds_the_second_call():
    call = {"id": "a", "function": {"name": "look", "arguments": "{}"}}
    turn = {"role": "assistant", "content": "", "tool_calls": [call]}
    reply = {"role": "tool", "content": "{}", "tool_call_id": "a"}
    assert tool_errors([turn, reply, turn, reply]) == {0: 1, 2: -1}


def test_a_rule_that_looks_for_numbers_finds_the_one_nobody_said():
    messages = [
        {"role": "user", "content": "How many of the 3?"},
        {"role": "assistant", "content": "Answer: 3"},
        {"role": "assistant", "content": "Answer: 7"},
    ]
    assert ungrounded(messages) == {1: 1, 2: -1}
