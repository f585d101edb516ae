"""Traces: Langfuse, LangSmith, OpenTelemetry and OpenInference, and labels that go back to their spans."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from annotations import formats
from annotations.formats.base import Item, Reader
from annotations.formats.openinference_annotations import OpenInferenceAnnotations
from annotations.formats.opening.sources import Source, of_path
from annotations.formats.otlp_messages import said
from annotations.records import Labelled, RatingRecord, TrajectoryRecord
from tests import spans
from tests.rollouts import rollout

SAMPLES = Path(__file__).parents[1] / "samples"


def items(name: str, *values: Any) -> list[Item]:
    text = "".join(json.dumps(one) + "\n" for one in values).encode()
    one = formats.FORMATS[name]
    assert isinstance(one, Reader)
    return list(one.read(Source("file.jsonl", lambda: BytesIO(text)), "lines"))


def records(name: str, *values: Any) -> list[TrajectoryRecord]:
    found = items(name, *values)
    assert [one.problems for one in found] == [()] * len(found)
    return [one.record for one in found if isinstance(one.record, TrajectoryRecord)]


def turns(record: TrajectoryRecord) -> list[tuple[str, str]]:
    return [(step.source, step.message) for step in record.steps]


def of_spans(*those: dict[str, Any]) -> TrajectoryRecord:
    (record,) = records("otlp", spans.document(*those))
    return record


def span_ids(record: TrajectoryRecord) -> list[str]:
    return [step.extra["fields"]["span_id"] for step in record.steps if step.source == "agent"]


# Counts of the real files, as their README gives them: observations, scores. And what each holds: agent's steps, calls.
REAL = {
    "openai-agents-2025-09-30": (5, 2, 2, 1),
    "langgraph-python-2025-08-22": (9, 2, 2, 1),
    "koog-2025-08-26": (11, 0, 2, 2),
    "pydantic-ai-with-gemini-2025-12-24": (1, 0, 1, 0),
    "csharp-agent-with-gemini-2026-03-09": (8, 0, 3, 2),
    "google-gemini-2025-08-01": (1, 2, 1, 0),
}


@pytest.mark.parametrize("name", REAL)
def test_a_real_trace_of_langfuse_is_one_conversation(shared_data, name):
    observations, scores, agents, calls = REAL[name]
    source = of_path(shared_data / "langfuse" / f"{name}.trace.json")
    form, _ = formats.detect(source)
    (item,) = form.read(source)
    record = item.record
    assert form.name == "langfuse" and item.problems == () and isinstance(record, TrajectoryRecord)
    of_agent = [step for step in record.steps if step.source == "agent"]
    assert len(record.extra["fields"]["spans"]) == observations
    assert len((record.outcome or {}).get("scores", {})) == scores
    assert (len(of_agent), sum(len(step.tool_calls) for step in of_agent)) == (agents, calls)
    assert all(len(step.observations) == len(step.tool_calls) for step in of_agent), "each call has its answer"
    assert all(step.extra["fields"]["span_id"] for step in of_agent)
    assert record.steps[0].source in ("system", "user") and record.policy_model


def test_the_tools_of_langgraph_stand_among_its_messages_and_are_no_messages(shared_data):
    path = shared_data / "langfuse" / "langgraph-python-2025-08-22.trace.json"
    (item,) = formats.FORMATS["langfuse"].read(of_path(path))  # type: ignore[attr-defined]
    assert [one["function"]["name"] for one in item.record.task.tools] == ["Web-Search"]
    assert [step.source for step in item.record.steps] == ["user", "user", "agent", "agent"]


def test_history_that_each_call_repeats_is_told_once_with_the_span_of_each_turn():
    record = of_spans(*reversed(spans.agent(turns=4)))
    assert [one for one in turns(record) if one[0] == "agent"] == [("agent", f"Answer {n}.") for n in range(4)]
    assert len(record.steps) == 8
    assert span_ids(record) == [f"{n:016x}" for n in (2, 3, 4, 5)]
    assert record.external_id == spans.TRACE and record.task.source == "weather-bot"


def test_history_that_was_shortened_on_the_way_loses_nothing_of_what_came_before():
    first, second = spans.said("assistant", "One."), spans.said("assistant", "Two.")
    whole = spans.chat(1, [spans.said("user", "Begin.")], first)
    short = spans.chat(2, [spans.said("system", "In short: …"), first, spans.said("user", "On.")], second)
    assert turns(of_spans(whole, short)) == [("user", "Begin."), ("agent", "One."), ("user", "On."), ("agent", "Two.")]


def test_agents_that_hear_nothing_of_each_other_are_told_one_after_the_other_by_name():
    boss = spans.span(1, {"gen_ai.operation.name": "invoke_agent"}, name="boss")
    clerk = spans.span(2, {"gen_ai.operation.name": "invoke_agent"}, name="clerk", parent=1)
    by_boss = spans.chat(3, [spans.said("user", "Do it.")], spans.said("assistant", "I ask the clerk."), parent=1)
    by_clerk = spans.chat(4, [spans.said("user", "Please.")], spans.said("assistant", "Done."), parent=2)
    record = of_spans(boss, clerk, by_boss, by_clerk)
    assert [one[1] for one in turns(record)] == ["Do it.", "I ask the clerk.", "Please.", "Done."]
    agents = [step for step in record.steps if step.source == "agent"]
    assert [step.extra["fields"]["name"] for step in agents] == ["boss", "clerk"]


def test_several_traces_of_a_file_are_several_trajectories_wherever_their_spans_stand():
    one, other = spans.agent(), spans.agent(trace="ab" * 16)
    mixed = [spans.document(a, b) for a, b in zip(one, other, strict=True)]
    assert [record.external_id for record in records("otlp", *mixed)] == [spans.TRACE, "ab" * 16]


@pytest.mark.parametrize("key", ["result", "response"])
def test_what_a_tool_answered_stands_under_either_key(key):
    call = {"type": "tool_call", "id": "c", "name": "f", "arguments": {"a": 1}}
    answer = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", key: {"b": 2}}]}
    history = [spans.said("user", "Q"), {"role": "assistant", "parts": [call]}, answer]
    record = of_spans(spans.chat(1, history, spans.said("assistant", "A")))
    assert record.steps[1].tool_calls == ({"id": "c", "name": "f", "arguments": '{"a":1}'},)
    assert [one["content"] for one in record.steps[1].observations] == ['{"b":2}']


def test_a_call_that_no_message_answers_is_answered_by_its_tools_span():
    call = {"type": "tool_call", "id": "c", "name": "f", "arguments": {"a": 1}}
    asked = spans.chat(1, [spans.said("user", "Q")], {"role": "assistant", "parts": [call]})
    told = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "f", "gen_ai.tool.call.id": "c"}
    tool = spans.span(2, told | {"gen_ai.tool.call.result": "42"})
    (seen,) = of_spans(asked, tool).steps[1].observations
    assert (seen["content"], seen["span_id"], seen["tool_call_id"]) == ("42", f"{2:016x}", "c")


@pytest.mark.parametrize(
    "attributes",
    [
        {
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "Q",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": "A",
        },
        {
            "openinference.span.kind": "LLM",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "Q",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.contents.0.message_content.type": "text",
            "llm.output_messages.0.message.contents.0.message_content.text": "A",
        },
        {"openinference.span.kind": "LLM", "input.value": "Q", "output.value": "A"},
        {"ai.operationId": "ai.generateText.doGenerate", "ai.prompt.messages": '[{"role":"user","content":"Q"}]'}
        | {"ai.response.text": "A"},
        {
            "gen_ai.operation.name": "chat",
            "events": '[{"event.name":"gen_ai.user.message","content":"Q"},{"event.name":"gen_ai.choice",'
            '"message":{"role":"assistant","content":"A"}}]',
        },
    ],
)
def test_every_convention_tells_the_same_conversation(attributes):
    assert turns(of_spans(spans.span(1, attributes))) == [("user", "Q"), ("agent", "A")]


def test_rows_of_attributes_alone_are_a_trajectory_each():
    row = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "m",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Q",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "f",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": "{}",
    }
    assert formats.FORMATS["otlp"].recognises(row)
    first, _ = records("otlp", row, row)
    assert first.steps[1].tool_calls[0]["name"] == "f" and first.policy_model == "m"


def test_a_row_as_the_sdks_console_writes_it_is_a_span():
    row = {
        "name": "chat",
        "context": {"trace_id": "0x" + "ab" * 16, "span_id": "0x" + "cd" * 8},
        "parent_id": None,
        "start_time": "2026-03-01T10:00:00Z",
        "attributes": {"gen_ai.input.messages": [spans.said("user", "Q")]}
        | {"gen_ai.output.messages": [spans.said("assistant", "A")]},
    }
    (record,) = records("otlp", row)
    assert record.external_id == "ab" * 16 and span_ids(record) == ["cd" * 8]


def test_an_unknown_role_is_refused_where_it_stands_and_the_other_traces_are_read():
    bad = spans.chat(1, [{"role": "critic", "parts": []}], spans.said("assistant", "A"), trace="ab" * 16)
    refused, good = items("otlp", spans.document(bad, *spans.agent()))
    (problem,) = refused.problems
    assert problem.field == "gen_ai.input.messages[0].role" and "'critic'" in problem.reason
    assert good.record


def test_scores_of_langfuse_are_the_outcomes_or_their_steps():
    whole, _ = (json.loads(line) for line in (SAMPLES / "langfuse.jsonl").read_text().splitlines())
    (record,) = records("langfuse", whole)
    assert record.outcome == {"answer": "Yes, four of them.", "scores": {"helpful": 1}}
    values = [step.extra["values"] for step in record.steps if step.source == "agent"]
    assert values[0] == {"input_tokens": 30, "output_tokens": 9, "cost": 0.0004, "right call": 0.5}


def test_observations_of_langfuse_as_rows_are_gathered_by_their_trace():
    whole, _ = (json.loads(line) for line in (SAMPLES / "langfuse.jsonl").read_text().splitlines())
    (record,) = records("langfuse", *whole["observations"])
    (same,) = records("langfuse", whole)
    assert turns(record) == turns(same) and record.external_id == whole["id"]


def test_feedback_of_langsmith_belongs_to_its_run_wherever_it_stands():
    rows = [json.loads(line) for line in (SAMPLES / "langsmith.jsonl").read_text().splitlines()]
    whole = rows[-1] | {"run_id": rows[0]["id"], "key": "good", "score": 0.5}
    (record,) = records("langsmith", rows[-1], whole, *rows[:-1])
    assert record.outcome == {"answer": "It is 42.", "scores": {"good": 0.5}}
    assert record.steps[-1].extra["values"] == {"correct": 1}
    assert record.task.external_id == "example-6x7"


def test_runs_of_langsmith_that_stand_in_each_other_are_a_tree_too():
    rows = [json.loads(line) for line in (SAMPLES / "langsmith.jsonl").read_text().splitlines()][:-1]
    children = [{key: value for key, value in one.items() if key != "parent_run_id"} for one in rows[1:]]
    (record,) = records("langsmith", rows[0] | {"child_runs": children})
    assert turns(record) == [("user", "What is 6 times 7?"), ("agent", ""), ("agent", "It is 42.")]


@pytest.mark.parametrize(
    ("value", "role", "expected"),
    [
        ('"\\"Hello\\""', "user", [("user", "Hello")]),
        ({"contents": "Q"}, "user", [("user", "Q")]),
        ({"candidates": [{"content": {"role": "model", "parts": [{"text": "A"}]}}]}, "assistant", [("assistant", "A")]),
        ({"choices": [{"message": {"role": "assistant", "content": "A"}}]}, "assistant", [("assistant", "A")]),
        ({"question": "Q"}, "user", [("user", "Q")]),
        ({"system": "S", "messages": [{"role": "user", "content": "Q"}]}, "user", [("system", "S"), ("user", "Q")]),
        (
            [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "R"}]}],
            "user",
            [("tool", "R")],
        ),
        (None, "user", []),
    ],
)
def test_messages_are_read_in_the_words_of_whoever_wrote_them(value, role, expected):
    assert [(one["role"], one["content"]) for one in said(value, role, "input").messages] == expected


def annotations(labelled: Labelled, **asked: Any) -> list[tuple[str, dict[str, Any]]]:
    return list(OpenInferenceAnnotations().files([labelled], asked))


def test_labels_are_written_on_the_spans_they_are_of():
    record = of_spans(*spans.agent())
    rating = RatingRecord(final=-1, final_explanation="It never says.")
    labelled = Labelled(
        TrajectoryRecord(**vars(record) | {"rating": rating}), {1: 1, 3: -1}, -1, explanations={3: "No."}, by="judge:j"
    )
    (_, right), (_, wrong), (file, whole) = annotations(labelled)
    about = {"task": record.task.external_id, "trajectory": spans.TRACE}
    assert right == {
        "trace_id": spans.TRACE,
        "span_id": f"{2:016x}",
        "name": "step_label",
        "annotator_kind": "LLM",
        "result": {"label": "right", "score": 1},
        "identifier": "judge:j",
        "metadata": about | {"step": 1},
    }
    assert wrong["result"] == {"label": "wrong", "score": -1, "explanation": "No."}
    assert file == "traces" and whole["span_id"] == f"{1:016x}"
    assert whole["result"] == {"label": "wrong", "score": -1, "explanation": "It never says."}


def test_labels_as_attributes_are_flat_and_name_themselves_as_openinference_does():
    ((_, row),) = annotations(rollout("a", grades=[0]), shape="attributes", annotator="CODE")
    assert row == {
        "trace_id": "t",
        "span_id": "t:1",
        "annotations.0.annotation.name": "step_label",
        "annotations.0.annotation.label": "neutral",
        "annotations.0.annotation.score": 0,
        "annotations.0.annotation.annotator_kind": "CODE",
        "annotations.0.annotation.identifier": "human:ada",
        "annotations.0.annotation.metadata": '{"task":"task","trajectory":"t","step":1}',
    }


def test_a_step_without_a_span_is_named_by_what_it_is_called_where_it_is_stored():
    stored = rollout("a", grades=[1])
    step = stored.record.steps[1]
    steps = (stored.record.steps[0], type(step)(**vars(step) | {"stable_id": "abc.0"}))
    ((_, row),) = annotations(Labelled(TrajectoryRecord(**vars(stored.record) | {"steps": steps}), {1: 1}))
    assert row["span_id"] == "abc.0"


def test_scores_that_stand_on_a_span_are_values_of_its_step():
    told = spans.chat(1, [spans.said("user", "Q")], spans.said("assistant", "A"))
    told["attributes"] += [
        {"key": "annotations.0.annotation.name", "value": {"stringValue": "step_label"}},
        {"key": "annotations.0.annotation.score", "value": {"doubleValue": -1.0}},
    ]
    assert of_spans(told).steps[1].extra["values"] == {"step_label": -1.0}
