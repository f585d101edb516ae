"""Conversations of several agents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from annotations import formats
from annotations.records import StepRecord
from tests.unit.test_formats_agents import agents, items_of, read, records_of


def turn(name: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "name": name, "content": content} | more


def names(steps: list[StepRecord]) -> list[str]:
    return [step.extra["fields"]["name"] for step in steps]


def test_every_agents_turn_is_a_step_under_its_name():
    chat, events, company, crew = read(Path("tests/samples/multi-agent.jsonl"))[1]
    assert names(agents(chat)) == ["Planner", "Calculator", "user_proxy", "Planner"]
    assert names(agents(events)) == ["writer", "critic"]
    assert names(agents(company)) == ["Alice"] and company.steps[0].source == "user"
    assert names(agents(crew)) == ["Researcher", "Writer"]
    assert (chat.outcome["summary"], crew.outcome) == ("Sixteen.", {"raw": "A spider writes."})


def test_results_go_to_the_calls_they_answer_in_either_generation():
    chat, events = read(Path("tests/samples/multi-agent.jsonl"))[1][:2]
    for record in (chat, events):
        (step,) = [step for step in agents(record) if step.tool_calls]
        assert [one["tool_call_id"] for one in step.observations] == [call["id"] for call in step.tool_calls]
    assert agents(events)[0].extra["values"] == {"prompt_tokens": 20, "completion_tokens": 5}


def test_a_list_of_turns_is_one_conversation():
    turns = [{"sender": "planner", "message": "Go."}, {"sender": {"name": "worker"}, "message": "Gone."}]
    one = formats.FORMATS["multi-agent"]
    assert one.recognises(turns)
    (record,) = records_of("multi-agent", turns)
    assert [(step.source_index, step.message) for step in agents(record)] == [(0, "Go."), (1, "Gone.")]
    assert names(agents(record)) == ["planner", "worker"]


def test_who_stands_for_a_person_is_an_agent_but_for_the_task_it_gives():
    turns = [turn("user_proxy", "Go.", role="user"), turn("a", "Hm."), turn("user_proxy", "exit code 0", role="user")]
    (record,) = records_of("multi-agent", {"chat_history": turns})
    assert [step.source for step in record.steps] == ["user", "agent", "agent"]
    assert record.task.instruction == "Go."


def test_calls_of_a_turn_that_is_no_step_are_kept():
    calls = [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]
    (record,) = records_of("multi-agent", {"history": [turn("human", "", tool_calls=calls), turn("a", "Hm.")]})
    assert (record.steps[0].tool_calls, record.steps[0].extra["fields"]["tool_calls"]) == ((), calls)


def test_a_turn_without_a_speaker_is_named():
    ((problem,),) = [i.problems for i in items_of("multi-agent", {"history": [turn("a", "Hm."), {"content": "?"}]})]
    assert (problem.field, "accepted are name, agent or role" in problem.reason) == ("history[1]", True)


@pytest.mark.parametrize(
    "value",
    [
        {"history": [turn("a", "b"), turn("c", "d")], "mistake_step": "0", "mistake_agent": "a"},
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        {
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "b"},
                {"role": "x", "content": "c"},
            ]
        },
        {"messages": [{"role": "user", "name": "ada", "content": "a"}, {"role": "assistant", "content": "b"}]},
        {"messages": [{"role": "assistant", "content": "a"}, {"role": "tool", "name": "f", "content": "b"}]},
        [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}],
        [{"name": "a", "text": "b"}, {"name": "c", "text": "d"}],
        [{"source": "web", "text": "b"}],
        {"history": [["a", "b"]]},
    ],
)
def test_other_files_are_not_taken_for_conversations_of_agents(value):
    assert not formats.FORMATS["multi-agent"].recognises(value)
