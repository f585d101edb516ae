"""The steps of an ATIF document, both ways: what one direction takes apart the other puts together again."""

from __future__ import annotations

from typing import Any

from annotations.formats import chat
from annotations.formats.base import Refused, found
from annotations.formats.lines import dump
from annotations.formats.loose import loaded, mapping, without
from annotations.formats.turns import number, words
from annotations.records import Json, StepRecord

SOURCES = ("system", "user", "agent")
CALL = ("tool_call_id", "function_name", "arguments")
MAPPED = ("source", "message", "content", "reasoning_content", "tool_calls", "observation")
ORDER, BESIDE = "atif_keys", "atif_content"  # what a step's extra says that is meant for ATIF alone


def step_of(step: Json, place: int, ours: str) -> StepRecord:
    """A step of the document. What it says under `ours` in its extra are labels, and no part of it. Raises Refused."""
    at = f"steps[{place}]"
    if not isinstance(step, dict):
        raise Refused(at, f"found {found(step)}; accepted is an object with source and message")
    if step.get("source") not in SOURCES:
        said = found(step["source"]) if "source" in step else "nothing"
        raise Refused(f"{at}.source", f"found {said}; accepted are {', '.join(SOURCES)}")
    for key in ("tool_calls", "observation"):
        if step.get(key) is not None and not isinstance(step[key], list if key == "tool_calls" else dict):
            kind = "a list" if key == "tool_calls" else "an object with results"
            raise Refused(f"{at}.{key}", f"found {found(step[key])}; accepted is {kind}")
    message, thought = step.get("message"), step.get("reasoning_content")
    calls = tuple(_call(one) for one in step.get("tool_calls") or ())
    results = mapping(step.get("observation")).get("results")
    results = results if isinstance(results, list) else []
    fields = _fields(step, ours)
    if "message" in step and not isinstance(message, str):
        fields["content"] = message
    if "reasoning_content" in step and not isinstance(thought, str):
        fields["reasoning_content"] = thought
    if "tool_calls" in step and not calls:
        fields["tool_calls"] = step["tool_calls"]
    if "observation" in step and not _is_usual(step["observation"]):
        fields["observation"] = step["observation"]
    values = {key: one for key, one in mapping(step.get("metrics")).items() if number(one)}
    own: dict[str, Json] = {ORDER: [key for key in step if key != "extra" or "extra" in fields], "fields": fields}
    own |= {BESIDE: step["content"]} if "content" in step else {}
    return StepRecord(
        source=step["source"],
        source_index=place,
        message=chat.text_of(message),
        reasoning=thought if isinstance(thought, str) else "",
        tool_calls=calls,
        observations=tuple(_observation(one) for one in results),
        extra=own | ({"values": values} if values else {}),
    )


def row_of(step: StepRecord) -> dict[str, Json]:
    """The step as the document had it, without labels."""
    fields = dict(step.extra["fields"])
    values: dict[str, Json] = {
        "source": step.source,
        "message": fields.pop("content", step.message),
        "reasoning_content": step.reasoning,
        "tool_calls": [_call_row(one) for one in step.tool_calls],
        "observation": {"results": [_result(one) for one in step.observations]},
    }
    values |= fields | ({"content": step.extra[BESIDE]} if BESIDE in step.extra else {})
    if not step.tool_calls and "tool_calls" not in fields:
        del values["tool_calls"]  # they were in a part of the step that is not here
    return {key: values[key] for key in step.extra[ORDER] if key in values}


def foreign(step: StepRecord, number_of: int) -> dict[str, Json]:
    """A step of another format as ATIF has it. Only the agent's steps may think, call and cost."""
    row: dict[str, Json] = {"step_id": number_of, "source": step.source, "message": step.message}
    fields: dict[str, Json] = {}
    if step.source == "agent":
        row |= {"reasoning_content": step.reasoning} if step.reasoning else {}
        row |= (
            {"tool_calls": [_foreign_call(one, place) for place, one in enumerate(step.tool_calls)]}
            if step.tool_calls
            else {}
        )
    elif step.reasoning or step.tool_calls:
        fields |= {"reasoning_content": step.reasoning, "tool_calls": list(step.tool_calls)}
    if step.observations:
        ids = [one["tool_call_id"] for one in row.get("tool_calls", [])]
        row["observation"] = {"results": [_foreign_result(one, ids) for one in step.observations]}
    fields |= {key: step.extra[key] for key in ("fields", "values") if mapping(step.extra).get(key)}
    return row | ({"extra": fields} if fields else {})


def _fields(step: dict[str, Any], ours: str) -> dict[str, Json]:
    fields = without(step, *MAPPED)
    extra = fields.get("extra")
    if isinstance(extra, dict) and isinstance(extra.get(ours), dict):
        label = without(extra[ours], "label", "explanation")
        kept = extra | {ours: label} if label else without(extra, ours)
        if kept:
            return fields | {"extra": kept}
        del fields["extra"]
    return fields


def _call(call: Json) -> Json:
    said = call if isinstance(call, dict) else {}
    ours = {"id": words(said, "tool_call_id"), "name": words(said, "function_name"), "arguments": said.get("arguments")}
    usual = tuple(said) == CALL and isinstance(said["tool_call_id"], str) and isinstance(said["function_name"], str)
    return ours if usual else ours | {"atif_call": call}


def _call_row(call: Json) -> Json:
    if "atif_call" in call:
        return call["atif_call"]
    return {"tool_call_id": call["id"], "function_name": call["name"], "arguments": call["arguments"]}


def _is_usual(observation: Json) -> bool:
    """Whether the observation is told by its results alone, one or more objects."""
    return (
        isinstance(observation, dict)
        and list(observation) == ["results"]
        and bool(observation["results"])
        and isinstance(observation["results"], list)
    )


def _observation(result: Json) -> Json:
    if not isinstance(result, dict) or "role" in result or "tool_call_id" in result:
        content = result.get("content") if isinstance(result, dict) else result
        return {"role": "tool", "content": content, "original": result}
    named = {("tool_call_id" if key == "source_call_id" else key): one for key, one in result.items()}
    return {"role": "tool", **named}


def _result(observation: Json) -> Json:
    if "original" in observation:
        return observation["original"]
    return {
        ("source_call_id" if key == "tool_call_id" else key): one for key, one in observation.items() if key != "role"
    }


def _foreign_call(call: Json, place: int) -> Json:
    said = mapping(call)
    arguments = loaded(said.get("arguments"))
    row: dict[str, Json] = {
        "tool_call_id": words(said, "id") or f"call_{place}",
        "function_name": words(said, "name"),
        "arguments": arguments if isinstance(arguments, dict) else {} if arguments is None else {"raw": arguments},
    }
    return row


def _foreign_result(observation: Json, ids: list[str]) -> Json:
    said = mapping(observation)
    content = said.get("content") if isinstance(observation, dict) else observation
    if content is not None and not isinstance(content, str):
        content = chat.text_of(content) if isinstance(content, list) else dump(content)
    named = words(said, "tool_call_id")
    return ({"source_call_id": named} if named in ids else {}) | {"content": content}
