"""Logs of agents: Claude Code sessions and ATIF documents."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

from annotations import formats
from annotations.formats.base import Item, Reader
from annotations.formats.lines import dump
from annotations.formats.opening.sources import Source, of_path
from annotations.formats.writer import Writer
from annotations.records import Labelled, RatingRecord, StepRecord, TrajectoryRecord


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


def atif(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "schema_version": "ATIF-v1.6",
        "session_id": "s",
        "agent": {"name": "n", "version": "1"},
        "steps": list(steps),
    } | more


def written(record: TrajectoryRecord, labels: str = "extra", **labelled: Any) -> dict[str, Any]:
    one = formats.FORMATS["atif"]
    assert isinstance(one, Writer)
    (row,) = one.rows([Labelled(record, **labelled)], {"labels": labels})
    return dict(row)


def test_labels_written_to_atif_are_read_back_as_ratings():
    (record,) = records_of("atif", atif({"step_id": 1, "source": "agent", "message": "Hi."}))
    made = written(record, grades={0: -1}, final=1, explanations={0: "Rude."})
    assert made["steps"][0]["extra"] == {"stepmark": {"label": -1, "explanation": "Rude."}}
    (again,) = records_of("atif", made)
    assert again.rating == RatingRecord({0: -1}, 1, {0: "Rude."})
    assert written(again, "none") == written(record, "none"), "the old file's labels are not written unasked"


def test_a_label_of_a_user_turn_is_refused_where_it_stands():
    user = {"source": "user", "message": "Hi.", "extra": {"stepmark": {"label": 1}}}
    ((problem,),) = [item.problems for item in items_of("atif", atif(user, {"source": "agent", "message": "Ho."}))]
    assert problem.field == "steps[0].extra.stepmark.label"


def test_parts_of_one_session_are_different_trajectories_of_one_task():
    user, agent = {"source": "user", "message": "Go."}, {"source": "agent", "message": "Gone."}
    first = atif(user, agent, continued_trajectory_ref="b.json")
    second = atif(user, agent, agent={"name": "n", "version": "1", "extra": {"continuation_index": 1}})
    one, two = records_of("atif", first, second)
    assert one.task.external_id == two.task.external_id
    assert (one.external_id, two.external_id) == ("n/s", "n/s/continuation-1")
    assert (one.meta["continued_in"], two.meta["continuation"]) == ("b.json", 1)


def test_a_wrong_step_of_atif_is_named():
    for step, field in [
        ({"source": "robot"}, "steps[1].source"),
        ({"source": "agent", "tool_calls": {}}, "steps[1].tool_calls"),
        ({"source": "agent", "observation": []}, "steps[1].observation"),
        (7, "steps[1]"),
    ]:
        ((problem,),) = [item.problems for item in items_of("atif", atif({"source": "agent", "message": ""}, step))]  # type: ignore[arg-type]
        assert (problem.field, "accepted" in problem.reason) == (field, True)
    ((problem,),) = [item.problems for item in items_of("atif", atif({"source": "agent"}, schema_version="ATIF-v2.0"))]
    assert problem.field == "schema_version"


def test_another_formats_trajectory_is_valid_atif():
    """Ids of results are those of calls, arguments are objects, and only the agent calls."""
    (record, *_) = read(Path("tests/samples/apb.jsonl"))[1]
    made = written(record)
    assert [step["step_id"] for step in made["steps"]] == list(range(1, len(record.steps) + 1))
    for step in made["steps"]:
        ids = [one["tool_call_id"] for one in step.get("tool_calls", [])]
        assert step["source"] == "agent" or not ids
        assert all(isinstance(one["arguments"], dict) for one in step.get("tool_calls", []))
        results = step.get("observation", {"results": []})["results"]
        assert all(one.get("source_call_id", ids and ids[0]) in ids for one in results if ids)
    (again,) = records_of("atif", made)
    assert [step.message for step in again.steps] == [step.message for step in record.steps]
    assert again.task.external_id == record.task.external_id


def test_real_atif_documents_come_back_byte_for_byte(shared_data: Path):
    counts = {}
    for path in sorted((shared_data / "atif").iterdir()):
        name, (record,), broken = read(path)
        assert (name, broken) == ("atif", [])
        assert dump(written(record)) == dump(json.loads(path.read_text()))
        counts[record.external_id] = len(record.steps), len(agents(record))
    assert counts == {
        "openhands/NORMALIZED_SESSION_ID": (6, 2),
        "terminus-2/NORMALIZED_SESSION_ID": (5, 3),
        "terminus-2/NORMALIZED_SESSION_ID/continuation-1": (8, 5),
    }


def test_a_type_that_is_no_text_is_nobodys():
    assert not formats.FORMATS["claude-code"].recognises(
        {"type": ["user"], "sessionId": "s", "message": {"role": "user"}}
    )
