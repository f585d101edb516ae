"""One sample of an Inspect log as a trajectory: its messages with typed parts, attachments put back in their places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from annotations.formats import chat, naming
from annotations.formats.base import Refused, found, whole
from annotations.formats.turns import call, member, steps_at, words
from annotations.records import Json, TaskRecord, TrajectoryRecord

ATTACHED = ("attachment://", "tc://")  # the second is how logs of 2024 spelled it
MAPPED = frozenset(["id", "epoch", "input", "target", "messages", "scores", "score", "uuid"])
LEFT_OUT = frozenset(["events", "attachments", "events_data", "transcript", "timelines"])
DEEPEST = 40


def record(sample: Json, header: dict[str, Any]) -> TrajectoryRecord:
    """`header` is the log's, with its `eval`. Raises Refused."""
    if not isinstance(sample, dict):
        raise Refused("", f"found {found(sample)}; accepted is a sample, an object")
    log = member(header, "eval")
    attached = member(sample, "attachments") | member(member(sample, "transcript"), "content")
    messages, field = _conversation(sample)
    steps = steps_at(_messages(_resolved(messages, attached), field), field)
    name, epoch = naming.name(sample, "id"), whole(sample, "epoch", required=False)
    task = words(log, "task")
    run = words(log, "eval_id") or words(log, "run_id")
    tools = _resolved(_tools(sample), attached)
    meta = {"sample_id": sample.get("id"), "epoch": epoch, "eval_id": run}
    fields = {key: value for key, value in sample.items() if key not in MAPPED | LEFT_OUT}
    return TrajectoryRecord(
        task=TaskRecord(
            external_id=(f"{task}:{name}" if name else "")[: naming.NAME] or naming.prompt_id(steps, tools),
            source=(words(member(log, "dataset"), "name") or task)[:200],
            instruction=_instruction(_resolved(sample.get("input"), attached)) or naming.instruction(steps),
            reference=_resolved(sample.get("target"), attached) or None,
            tools=tools or None,
        ),
        steps=steps,
        external_id=(words(sample, "uuid") or (f"{run}:{name}:{epoch}" if run and name else ""))[: naming.NAME],
        policy_model=words(log, "model")[:200],
        outcome=_outcome(_resolved(sample.get("scores", sample.get("score")), attached)),
        meta={key: value for key, value in meta.items() if value not in (None, "")},
        extra={"fields": _resolved(fields, attached) | {"eval": _told(log)}},
    )


def _conversation(sample: dict[str, Any]) -> tuple[Json, str]:
    """The messages, and where they stand: those of the last call of the model where the sample has none itself."""
    messages = sample.get("messages")
    if messages or not (events := list(_model_events(sample))):
        return messages, "messages"
    pool = member(sample, "events_data").get("messages", sample.get("message_pool"))
    return max((_called(event, pool) for event in events), key=len), "events"


def _model_events(sample: dict[str, Any]) -> Iterator[dict[str, Any]]:
    events = sample.get("events") or member(sample, "transcript").get("events")
    for event in events if isinstance(events, list) else ():
        if isinstance(event, dict) and event.get("event") == "model":
            yield event


def _called(event: dict[str, Any], pool: Json) -> list[Json]:
    """What the model was given in this call, and what it said."""
    given = event.get("input")
    asked = list(given) if isinstance(given, list) and given else list(_pooled(event.get("input_refs"), pool))
    choices = member(event, "output").get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    said = first.get("message") if isinstance(first, dict) else None
    return [*asked, said] if isinstance(said, dict) else asked


def _pooled(ranges: Json, pool: Json) -> Iterator[Json]:
    """The messages of a pool that ranges [from, before] name."""
    for one in ranges if isinstance(ranges, list) and isinstance(pool, list) else ():
        if isinstance(one, list) and len(one) == 2 and all(isinstance(end, int) for end in one):
            yield from pool[max(0, one[0]) : max(0, one[1])]


def pooled(ranges: Json, pool: list[Json]) -> list[Json]:
    return list(_pooled(ranges, pool))


def _tools(sample: dict[str, Any]) -> Json:
    return next((event["tools"] for event in _model_events(sample) if event.get("tools")), None)


def _messages(messages: Json, field: str) -> Json:
    if not isinstance(messages, list):
        raise Refused(field, f"found {found(messages)}; accepted is a list of messages")
    return [_message(one) if isinstance(one, dict) else one for one in messages]


def _message(message: dict[str, Any]) -> dict[str, Json]:
    """In OpenAI's spelling; what that has no place for stays beside it under its own name."""
    if message.get("role") == "tool":
        return message | {"name": message.get("function")}
    if message.get("role") != "assistant":
        return message
    made = dict(message)
    if isinstance(calls := message.get("tool_calls"), list):
        made["tool_calls"] = [_call(one) for one in calls]
    if isinstance(content := message.get("content"), list) and "reasoning" not in message:
        thoughts = [part for part in content if isinstance(part, dict) and part.get("type") == "reasoning"]
        if thoughts:
            made["content"] = [part for part in content if part not in thoughts]
            made |= {"reasoning": "\n\n".join(filter(None, map(_thought, thoughts))), "thoughts": thoughts}
    return made


def _call(one: Json) -> Json:
    if not isinstance(one, dict) or isinstance(one.get("function"), dict):
        return one
    more = {key: value for key, value in one.items() if key not in ("id", "type", "function", "arguments")}
    return call(one.get("function"), one.get("arguments"), one.get("id"), **more)


def _thought(part: dict[str, Any]) -> str:
    """What is readable of a thought: one that its maker hid has at most a summary."""
    return (
        words(part, "summary") if part.get("redacted") is True else words(part, "reasoning") or words(part, "summary")
    )


def _instruction(given: Json) -> str:
    if isinstance(given, str):
        return given
    users = [one for one in given if words(one, "role") == "user"] if isinstance(given, list) else []
    return chat.text_of(users[-1].get("content")) if users else ""


def _outcome(scores: Json) -> Json:
    """The scores as the log has them; an answer where all scorers read the same one."""
    if not isinstance(scores, dict) or not scores:
        return None if scores in (None, {}) else {"scores": scores}
    each = {"score": scores} if "value" in scores and not isinstance(scores["value"], dict) else scores
    answers = {words(one, "answer") for one in each.values()} - {""}
    return ({"answer": answers.pop()} if len(answers) == 1 else {}) | {"scores": each}


def _told(log: dict[str, Any]) -> dict[str, Json]:
    """What the log says of itself, but for the list of its samples."""
    dataset = {key: value for key, value in member(log, "dataset").items() if key != "sample_ids"}
    return log | {"dataset": dataset} if dataset else dict(log)


def _resolved(value: Json, attached: dict[str, Any], depth: int = 0) -> Json:
    """The value with what was attached put back in its place."""
    if isinstance(value, str):
        scheme = next((one for one in ATTACHED if value.startswith(one)), "")
        return attached.get(value[len(scheme) :], value) if scheme else value
    if not attached or depth > DEEPEST:
        return value
    if isinstance(value, list):
        return [_resolved(one, attached, depth + 1) for one in value]
    if isinstance(value, dict):
        return {key: _resolved(one, attached, depth + 1) for key, one in value.items()}
    return value
