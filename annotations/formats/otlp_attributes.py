"""What a span's attributes and events say, by the conventions that are written in the wild.

OpenTelemetry GenAI: `gen_ai.input.messages` and its like (semantic conventions 1.37 and later, and those of the
semantic-conventions-genai repository), message events (1.28 to 1.36), and the indexed attributes of before, which
OpenLLMetry writes still. OpenInference: its flattened keys (openinference-semantic-conventions 0.1). And Vercel's AI
SDK: `ai.prompt.messages`, `ai.response.text`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats.loose import listed, mapping
from annotations.formats.otlp_messages import Said, opened, said
from annotations.formats.otlp_parts import definitions, text
from annotations.formats.otlp_spans import Kind, Span, numbers
from annotations.formats.turns import call, words
from annotations.records import Json

OPERATIONS: dict[str, Kind] = {
    **dict.fromkeys(("chat", "text_completion", "generate_content", "completion"), "llm"),
    **dict.fromkeys(("invoke_agent", "create_agent", "invoke_workflow", "agent", "workflow"), "agent"),
    **dict.fromkeys(("execute_tool", "tool"), "tool"),
    **dict.fromkeys(("llm", "generation"), "llm"),
}
KINDS = (
    "openinference.span.kind",
    "gen_ai.operation.name",
    "traceloop.span.kind",
    "llm.request.type",
    "gen_ai.span.kind",
)
MODELS = ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "llm.request.model", "ai.model.id")
TOOLS = ("gen_ai.tool.definitions", "gen_ai.request.tools", "ai.prompt.tools")
CALLED = ("gen_ai.tool.call.id", "tool_call.id", "ai.toolCall.id")
NAMES = ("gen_ai.tool.name", "tool.name", "ai.toolCall.name", "traceloop.entity.name")
ARGUMENTS = ("gen_ai.tool.call.arguments", "tool_arguments", "ai.toolCall.args", "input.value", "tool.parameters")
RESULTS = ("gen_ai.tool.call.result", "tool_response", "ai.toolCall.result", "output.value", "traceloop.entity.output")
SYSTEM = ("gen_ai.system_instructions", "gen_ai.system.instructions", "ai.prompt.system")
HEARD = ("gen_ai.input.messages", "ai.prompt.messages", "pydantic_ai.all_messages")
ANSWERED = ("gen_ai.output.messages",)
INDEXED_IN = ("gen_ai.prompt", "llm.input_messages", "llm.prompts")
INDEXED_OUT = ("gen_ai.completion", "llm.output_messages")
VALUES = {
    "gen_ai.usage.input_tokens": "input_tokens",
    "gen_ai.usage.prompt_tokens": "input_tokens",
    "llm.token_count.prompt": "input_tokens",
    "gen_ai.usage.output_tokens": "output_tokens",
    "gen_ai.usage.completion_tokens": "output_tokens",
    "llm.token_count.completion": "output_tokens",
    "llm.cost.total": "cost",
    "gen_ai.usage.cost": "cost",
}
EVENTS = {"system": "system", "user": "user", "assistant": "assistant", "tool": "tool", "choice": "assistant"}


def fill(span: Span, attributes: Mapping[str, Any], events: Sequence[Json] = ()) -> Span:
    """The span with all that its attributes and events say. Raises Refused."""
    span.kind = span.kind or kind_of(attributes)
    span.model = span.model or first(attributes, MODELS)
    heard, answer = _told(attributes, [*listed(events), *_written_events(attributes)])
    span.heard.messages += heard.messages
    span.heard.tools += [*tools_of(attributes), *heard.tools]
    span.answer += answer
    if span.kind == "tool" or (not span.kind and "gen_ai.tool.name" in attributes):
        span.kind = "tool"
        name = first(attributes, NAMES) or span.name.removeprefix("execute_tool ")
        span.call = call(name, text(_first(attributes, ARGUMENTS)) or "{}", first(attributes, CALLED))
        result = _first(attributes, RESULTS)
        span.result = None if result is None else text(result)
    elif not span.kind and heard.messages and answer:
        span.kind = "llm"
    elif span.kind == "llm" and not span.heard.messages and not span.answer:
        _by_value(span, attributes)
    span.values |= numbers({VALUES[key]: value for key, value in attributes.items() if key in VALUES})
    span.values |= numbers(evaluations(attributes) | _evaluated(listed(events)))
    return span


def _by_value(span: Span, attributes: Mapping[str, Any]) -> None:
    """A model's span that has no messages, but the whole of what went in and came out."""
    heard = said(_first(attributes, ("input.value", "traceloop.entity.input")), "user", "input.value")
    span.heard.messages += heard.messages
    span.answer += said(
        _first(attributes, ("output.value", "traceloop.entity.output")), "assistant", "output.value"
    ).messages


def kind_of(attributes: Mapping[str, Any]) -> Kind:
    for key in KINDS:
        if isinstance(value := attributes.get(key), str):
            return OPERATIONS.get(value.lower(), "")
    operation = words(dict(attributes), "ai.operationId") or words(dict(attributes), "operation.name")
    if operation.endswith((".doGenerate", ".doStream")):
        return "llm"
    return "tool" if operation == "ai.toolCall" else ""


def system_of(attributes: Mapping[str, Any]) -> list[Json]:
    return said(_first(attributes, SYSTEM), "system", SYSTEM[0]).messages


def tools_of(attributes: Mapping[str, Any]) -> list[Json]:
    """The tools that a model was offered."""
    given = [opened(one) for one in listed(opened(_first(attributes, TOOLS)))]
    for one in indexed(attributes, "llm.tools"):
        inner = mapping(one.get("tool")) or one
        given.append(opened(inner.get("json_schema") or inner.get("parameters") or inner))
    given += indexed(attributes, "llm.request.functions")
    return [one for one in definitions(given) if isinstance(one, dict)]


def evaluations(attributes: Mapping[str, Any]) -> dict[str, Json]:
    """Scores that stand on the span itself, by OpenInference: one annotation, or several that are numbered."""
    found: dict[str, Json] = {}
    if not any(key.startswith(("annotation", "evaluation")) for key in attributes):
        return found
    for prefix in ("annotation", "evaluation"):
        one = {key: attributes.get(f"{prefix}.{key}") for key in ("name", "score")}
        several = [mapping(one.get(prefix)) or one for one in indexed(attributes, f"{prefix}s")]
        for each in (one, *several):
            if isinstance(each.get("name"), str):
                found[each["name"][:80]] = each.get("score")
    return found


def _evaluated(events: Sequence[Json]) -> dict[str, Json]:
    """Scores that came as events, by OpenTelemetry."""
    bodies = (mapping(mapping(one).get("attributes")) for one in events)
    return {
        one["gen_ai.evaluation.name"][:80]: one.get("gen_ai.evaluation.score.value")
        for one in bodies
        if words(one, "gen_ai.evaluation.name")
    }


def _told(attributes: Mapping[str, Any], events: Sequence[Json]) -> tuple[Said, list[Json]]:
    """What was heard, and what was answered."""
    heard = Said()
    answer: list[Json] = []
    given = _first(attributes, HEARD)
    inputs = given if given is not None else _listed(attributes, INDEXED_IN)
    outputs = _first(attributes, ANSWERED)
    outputs = outputs if outputs is not None else _listed(attributes, INDEXED_OUT)
    for name, value in (("input", inputs), ("output", outputs)):
        one = said(value, "user" if name == "input" else "assistant", f"gen_ai.{name}.messages")
        heard.tools += one.tools
        (heard.messages if name == "input" else answer).extend(one.messages)
    answer = answer or _by_vercel(attributes)
    for role, body in _of_events(events):
        if role == "choice":
            answer += said(body, "assistant", "gen_ai.choice").messages
        else:
            heard.messages += said(body, role, f"gen_ai.{role}.message").messages
    if not any(one["role"] == "system" for one in heard.messages):
        heard.messages[:0] = system_of(attributes)
    return heard, answer


def _by_vercel(attributes: Mapping[str, Any]) -> list[Json]:
    words_, calls = attributes.get("ai.response.text"), opened(attributes.get("ai.response.toolCalls"))
    if not isinstance(words_, str) and not calls:
        return []
    message = {"role": "assistant", "content": words_ if isinstance(words_, str) else "", "tool_calls": listed(calls)}
    return said(message, "assistant", "ai.response").messages


def _of_events(events: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    """Each event that tells a message: who says it, and the message."""
    for event in events:
        inner = mapping(event)
        body = mapping(inner.get("attributes")) or inner
        name = words(inner, "name") or words(body, "event.name")
        for key, role in (("gen_ai.input.messages", "user"), ("gen_ai.output.messages", "choice")):
            if key in body:
                yield role, body[key]
        for key, role in (("gen_ai.prompt", "user"), ("gen_ai.completion", "choice")):
            if name == f"gen_ai.content.{key.split('.')[1]}" and key in body:
                yield role, body[key]
        part = name.removeprefix("gen_ai.").removesuffix(".message")
        if name.startswith("gen_ai.") and part in EVENTS:
            yield ("choice" if part == "choice" else EVENTS[part]), _body(body, EVENTS[part])


def _body(body: dict[str, Any], role: str) -> Json:
    """The message of an event: its fields stand in the event, or in a `message` of it."""
    inner = opened(body.get("message"))
    said = (
        {**body, **inner} if isinstance(inner, dict) else {**body, "content": inner if inner else body.get("content")}
    )
    said["tool_calls"] = opened(said.get("tool_calls"))
    held = opened(said.get("content"))
    content = held if isinstance(held, list) else said.get("content")
    answers = {"tool_call_id": said["id"]} if role == "tool" and isinstance(said.get("id"), str) else {}
    return {"content": content, "tool_calls": said["tool_calls"], **answers, "role": said.get("role") or role}


def _written_events(attributes: Mapping[str, Any]) -> list[Json]:
    """Events that are written into an attribute."""
    for key in ("events", "all_messages_events"):
        if isinstance(held := opened(attributes.get(key)), list):
            return held
    return []


def _listed(attributes: Mapping[str, Any], prefixes: Sequence[str]) -> Json:
    for prefix in prefixes:
        if found := indexed(attributes, prefix):
            return [mapping(one.get("message")) or one for one in found]
        if attributes.get(prefix):
            return attributes[prefix]
    return None


def indexed(attributes: Mapping[str, Any], prefix: str) -> list[dict[str, Any]]:
    """The list whose elements are told as keys of their own, `prefix.0.role`, or that is there as a list."""
    if isinstance(held := opened(attributes.get(prefix)), list):
        return [one for one in held if isinstance(one, dict)]
    dotted = f"{prefix}."
    flat = {key[len(dotted) :]: value for key, value in attributes.items() if key.startswith(dotted)}
    nested = _nested(flat) if flat else None
    return [one for one in nested if isinstance(one, dict)] if isinstance(nested, list) else []


def _nested(flat: Mapping[str, Any]) -> Json:
    """Dotted keys as objects; one whose keys are all numbers as a list."""
    direct: dict[str, Any] = {}
    deeper: dict[str, dict[str, Any]] = {}
    for key, value in flat.items():
        head, dot, rest = key.partition(".")
        if dot:
            deeper.setdefault(head, {})[rest] = value
        else:
            direct[head] = value
    whole = direct | {head: _nested(inner) for head, inner in deeper.items()}
    if whole and all(key.isascii() and key.isdigit() for key in whole):
        return [whole[key] for key in sorted(whole, key=lambda key: (len(key), key))]
    return whole


def first(attributes: Mapping[str, Any], keys: Sequence[str]) -> str:
    """The first of the keys that holds a text."""
    return next((attributes[key] for key in keys if isinstance(attributes.get(key), str) and attributes[key]), "")


def _first(attributes: Mapping[str, Any], keys: Sequence[str]) -> Json:
    return next((attributes[key] for key in keys if attributes.get(key) is not None), None)
