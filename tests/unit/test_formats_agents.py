"""Logs of agents that work at a terminal: Claude Code sessions."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

from annotations import formats
from annotations.formats.base import Item, Reader
from annotations.formats.opening.sources import Source, of_path
from annotations.records import StepRecord, TrajectoryRecord


def items_of(name: str, *values: Any) -> list[Item]:
    text = "".join(f"{json.dumps(value)}\n" for value in values).encode()
    one = formats.FORMATS[name]
    assert isinstance(one, Reader)
    return list(one.read(Source("made.jsonl", lambda: BytesIO(text))))


def records_of(name: str, *values: Any) -> list[TrajectoryRecord]:
    records = [item.record for item in items_of(name, *values) if isinstance(item.record, TrajectoryRecord)]
    assert records
    return records


def read(path: Path) -> tuple[str, list[TrajectoryRecord], list[Item]]:
    """The format that is detected, the records, and the items that hold none."""
    one, _ = formats.detect(of_path(path))
    items = list(one.read(of_path(path)))
    return (
        one.name,
        [i.record for i in items if isinstance(i.record, TrajectoryRecord)],
        [i for i in items if not i.record],
    )


def agents(record: TrajectoryRecord) -> list[StepRecord]:
    return [step for step in record.steps if step.source == "agent"]


def line(kind: str, uuid: str, parent: str | None, content: Any, **more: Any) -> dict[str, Any]:
    message = {"role": kind, "content": content} | more.pop("message", {})
    return {"type": kind, "uuid": uuid, "parentUuid": parent, "sessionId": "s", "message": message} | more


def said(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text}]


def call(number: str) -> list[dict[str, Any]]:
    return [{"type": "tool_use", "id": number, "name": "Bash", "input": {"command": "ls"}}]


def result(number: str) -> list[dict[str, Any]]:
    return [{"type": "tool_result", "tool_use_id": number, "content": "a.py"}]


def test_lines_with_one_reply_id_are_one_step_and_results_go_to_their_calls():
    (record,) = records_of(
        "claude-code",
        line("user", "u", None, "go"),
        line("assistant", "a", "u", said("Two calls."), message={"id": "m", "usage": {"output_tokens": 3}}),
        line("assistant", "b", "a", call("1"), message={"id": "m"}),
        line("user", "r1", "b", result("1")),
        line("assistant", "c", "b", call("2"), message={"id": "m", "usage": {"output_tokens": 9}}),
        line("user", "r2", "c", result("2")),
        line("assistant", "d", "r2", said("Done."), message={"id": "n"}),
    )
    first, last = agents(record)
    assert (first.message, [one["id"] for one in first.tool_calls]) == ("Two calls.", ["1", "2"])
    assert [one["tool_call_id"] for one in first.observations] == ["1", "2"]
    assert (first.source_index, last.source_index, first.extra["values"]) == (1, 6, {"output_tokens": 9})
    assert [step.parent for step in record.steps] == [None, None, None], "results of calls made together are no branch"


def test_a_conversation_that_was_rewound_is_a_tree():
    (record,) = records_of(
        "claude-code",
        line("user", "u", None, "go"),
        line("assistant", "a", "u", said("One way.")),
        line("user", "w", "a", "no"),
        line("assistant", "b", "w", said("Wrong.")),
        line("user", "x", "a", "yes"),
        line("assistant", "c", "x", said("Right.")),
    )
    assert [step.parent for step in record.steps] == [None, 0, 1, 2, 1, 4]


def test_a_notice_beside_the_conversation_is_no_branch():
    (record,) = records_of(
        "claude-code",
        line("user", "u", None, "go"),
        {"type": "system", "uuid": "n", "parentUuid": "u", "sessionId": "s", "content": "A hook ran."},
        line("assistant", "a", "u", said("Done.")),
    )
    assert [(step.source, step.parent) for step in record.steps] == [("user", None), ("system", None), ("agent", None)]


def test_sub_agents_are_trajectories_of_their_own():
    records = records_of(
        "claude-code",
        line("user", "u", None, "go"),
        line("assistant", "a", "u", call("1")),
        line("user", "s1", None, "look", isSidechain=True),
        line("assistant", "s2", "s1", said("Looked."), isSidechain=True),
        line("assistant", "t", None, said("Seen."), isSidechain=True, agentId="helper"),
        line("user", "r", "a", result("1"), toolUseResult={"agentId": "helper"}),
    )
    assert [record.external_id for record in records] == ["s", "s/s1", "s/helper"]
    assert [record.meta for record in records] == [{}, {"sidechain": True}, {"sidechain": True}]
    assert agents(records[0])[0].observations[0]["agentId"] == "helper"


def test_a_session_as_it_is_streamed_says_what_came_of_it():
    (record,) = records_of(
        "claude-code",
        {"type": "system", "subtype": "init", "session_id": "s", "tools": ["Bash"], "model": "m"},
        {
            "type": "assistant",
            "session_id": "s",
            "message": {"role": "assistant", "model": "m", "content": said("Hi.")},
        },
        {
            "type": "result",
            "session_id": "s",
            "result": "Hi.",
            "is_error": False,
            "total_cost_usd": 0.01,
            "num_turns": 1,
        },
    )
    assert record.outcome == {"answer": "Hi.", "is_error": False, "cost": 0.01}
    assert (record.policy_model, record.task.tools, record.extra["fields"]["result"]["num_turns"]) == ("m", ["Bash"], 1)


def test_a_session_without_a_reply_is_named():
    ((problem,),) = [item.problems for item in items_of("claude-code", line("user", "u", None, "go"))]
    assert (problem.line, "session s: found no message" in problem.reason) == (1, True)


def test_summaries_go_to_the_session_that_has_their_line():
    name, records, broken = read(Path("tests/samples/claude-code.jsonl"))
    assert (name, broken, len(records)) == ("claude-code", [], 3)
    assert records[0].extra["fields"]["notes"] == [{"summary": "Counting words"}]


def test_real_sessions_are_read_and_their_junk_is_named(shared_data: Path):
    folder, counts = shared_data / "claude_code", {}
    for path in sorted(folder.iterdir()):
        name, records, broken = read(path)
        assert name == "claude-code"
        counts[path.stem] = ([len(agents(record)) for record in records], [item.line for item in broken])
    assert counts == {
        "edge_cases": ([3, 1], [10, 11, 13, 14, 15, 16]),
        "representative_messages": ([5], []),
        "session_b": ([1], []),
        "todowrite_examples": ([6], []),
    }
