"""LangSmith: runs as rows, in trees by their parents, with what was said of them (feedback)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from annotations.formats.loose import listed, mapping
from annotations.formats.otlp_log import SpanLog
from annotations.formats.otlp_messages import opened, said
from annotations.formats.otlp_parts import definitions, text
from annotations.formats.otlp_spans import Kind, Span, Trace, moment, numbers, traced
from annotations.formats.turns import call, number, words
from annotations.records import Json

KINDS: dict[str, Kind] = {"llm": "llm", "tool": "tool", "chain": ""}
TYPES = frozenset(["llm", "tool", "chain", "retriever", "embedding", "prompt", "parser"])
RUN, FEEDBACK = "run", "feedback"
SHOWN = frozenset(["inputs", "outputs", "child_runs", "serialized", "events", "extra", "child_run_ids"])


class LangSmith(SpanLog):
    name = "langsmith"
    title = "LangSmith runs (JSON, JSONL)"
    keeps = "The conversation with its tool calls and results, the run of each turn, feedback, tokens, cost, tools."
    loses = "Events, tags and metadata of the runs within a tree, which stay in the original."

    def recognises(self, value: Json) -> bool:
        return isinstance(value, dict) and (_is_run(value) or _is_feedback(value))

    def parts(self, value: Json) -> Iterator[tuple[str, Any]]:
        if isinstance(value, dict) and isinstance(value.get("runs"), list):
            for one in value["runs"]:
                yield from self.parts(one)
        elif isinstance(value, dict) and _is_run(value):
            trace = words(value, "trace_id") or _root(value)
            for run in _with_children(value, 0):
                yield trace, (RUN, run)
            for one in listed(value.get("feedback")):
                yield trace, (FEEDBACK, one)
        elif isinstance(value, dict) and _is_feedback(value):
            yield words(value, "trace_id") or words(value, "run_id"), (FEEDBACK, value)

    def together(self, trace: str, parts: list[Any]) -> Trace:
        runs = [one for kind, one in parts if kind == RUN]
        feedback = [one for kind, one in parts if kind == FEEDBACK and isinstance(one, dict)]
        ids = {words(one, "id") for one in runs}
        top = next((one for one in runs if words(one, "parent_run_id") not in ids), runs[0] if runs else {})
        of_run: dict[str, dict[str, Json]] = {}
        for one in feedback:
            score = one.get("score")
            of = of_run.setdefault(words(one, "run_id") or words(top, "id"), {})
            of[words(one, "key")[:80] or "feedback"] = score if number(score) else one.get("value", score)
        spans = [_span(one, of_run, place) for place, one in enumerate(runs)]
        return _whole(trace, top, traced(("", one) for one in spans).get("", []), of_run, feedback)


def _whole(
    trace: str, top: dict[str, Any], spans: list[Span], of_run: dict[str, dict[str, Json]], feedback: list[Json]
) -> Trace:
    rest = {key: value for key, value in top.items() if key not in SHOWN and value not in (None, "", [], {})}
    metadata = mapping(mapping(top.get("extra")).get("metadata"))
    is_model = words(top, "run_type") == "llm"
    example = top.get("reference_example_id")
    return Trace(
        id=trace,
        spans=spans,
        name=words(top, "session_name") or words(top, "name"),
        heard=said(top.get("inputs"), "user", "inputs"),
        answer=[] if is_model else said(top.get("outputs"), "assistant", "outputs").messages[-1:],
        scores=of_run.get(words(top, "id"), {}),
        task=example[:300] if isinstance(example, str) else "",
        fields={"run": rest}
        | ({"metadata": metadata} if metadata else {})
        | ({"feedback": feedback} if feedback else {}),
    )


def _is_run(value: dict[str, Any]) -> bool:
    placed = isinstance(value.get("id"), str) and any(
        key in value for key in ("trace_id", "dotted_order", "start_time")
    )
    return placed and words(value, "run_type") in TYPES


def _is_feedback(value: dict[str, Any]) -> bool:
    named = isinstance(value.get("run_id"), str) and isinstance(value.get("key"), str)
    return named and ("score" in value or "value" in value)


def _root(run: dict[str, Any]) -> str:
    """The id of the tree's root: the first in dotted_order, where times stand before the ids."""
    first = words(run, "dotted_order").partition(".")[0]
    return first.partition("Z")[2] or words(run, "id")


def _with_children(run: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
    yield run
    for one in listed(run.get("child_runs")) if depth < 100 else []:
        if isinstance(one, dict):
            yield from _with_children({"parent_run_id": run.get("id"), **one}, depth + 1)


def _span(run: dict[str, Any], feedback: dict[str, dict[str, Json]], place: int) -> Span:
    inputs, outputs = opened(run.get("inputs")), opened(run.get("outputs"))
    span = Span(
        id=words(run, "id"),
        parent=words(run, "parent_run_id"),
        name=words(run, "name"),
        kind=KINDS.get(words(run, "run_type"), ""),
        start=moment(run.get("start_time")),
        end=moment(run.get("end_time")),
    )
    if span.kind == "llm":
        _model(span, run, f"runs[{place}]")
    elif span.kind == "tool":
        held = mapping(outputs)
        message = mapping(mapping(held.get("output")).get("kwargs")) or mapping(held.get("output")) or held
        asked = mapping(inputs).get("input", inputs)
        span.call = call(span.name, text(asked) or "{}", words(message, "tool_call_id"))
        result = message["content"] if "content" in message else held.get("output", outputs)
        span.result = None if result is None else text(result)
    usage = {"input_tokens": run.get("prompt_tokens"), "output_tokens": run.get("completion_tokens")}
    usage["cost"] = run.get("total_cost")
    span.values = numbers(usage) | numbers(feedback.get(span.id, {}))
    return span


def _model(span: Span, run: dict[str, Any], where: str) -> None:
    inputs, extra = opened(run.get("inputs")), mapping(run.get("extra"))
    span.heard = said(_first_batch(inputs), "user", f"{where}.inputs")
    span.answer = said(run.get("outputs"), "assistant", f"{where}.outputs").messages
    asked = mapping(extra.get("invocation_params"))
    offered = opened(asked.get("tools") or asked.get("functions") or mapping(inputs).get("tools"))
    span.heard.tools += definitions(offered)
    metadata = mapping(extra.get("metadata"))
    names = (words(asked, "model"), words(asked, "model_name"), words(metadata, "ls_model_name"))
    span.model = next(filter(None, names), "")


def _first_batch(inputs: Json) -> Json:
    """LangChain tells messages in batches; a run is of one."""
    messages = mapping(inputs).get("messages")
    if isinstance(messages, list) and messages and isinstance(messages[0], list):
        return {**mapping(inputs), "messages": messages[0]}
    return inputs
