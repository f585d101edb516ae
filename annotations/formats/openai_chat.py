"""OpenAI chat: conversations as fine-tuning files, agent logs and logged requests have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import chat, naming, solutions
from annotations.formats.base import LabelRecord, LineFormat, Refused, text, whole
from annotations.formats.loose import listed, loaded, mapping, objects, without
from annotations.formats.writer import Writer
from annotations.records import Json, Labelled, TaskRecord, TrajectoryRecord
from annotations.segmenting import joined

KEYS = ("messages", "tools", "id", "task_id", "rollout", "model")
MAPPED = frozenset(KEYS)
ANSWERS = ("completion", "response")
ROLES = chat.SOURCES.keys() | chat.OBSERVATIONS


class OpenAIChat(LineFormat, Writer):
    """`messages` is needed; `tools`, `id`, `task_id`, `rollout` and `model` are read where they are there, the rest is
    kept. Conversations that begin with the same words and name no task are rollouts of one task. Every choice of a
    logged response is a rollout of its own."""

    name = "openai-chat"
    title = "OpenAI chat (JSONL)"
    listed = "messages"
    keeps = "Messages with their tools, calls and observations, pictures, reasoning; names; fields of its own."
    loses = (
        "Labels, outcomes and references of records that come from elsewhere: the format has no place for "
        "them. Of a tree each way to a leaf is a conversation of its own, with no number of a rollout."
    )
    whole = True
    graded = False

    def recognises(self, value: Json) -> bool:
        if isinstance(value, list):
            return objects(value, "role") and all(_is_message(one) for one in value[:20])
        if not isinstance(value, dict) or {"query_index", "sample_index"} <= value.keys():
            return False
        messages = loaded(value.get("messages"))
        if isinstance(messages, list):
            return all(isinstance(one, dict) and "role" in one for one in messages[:1])
        return _is_logged(value) or _is_completion(value)

    def records(self, value: Any) -> Iterable[TrajectoryRecord | LabelRecord | Refused]:
        if not isinstance(value, dict):
            return super().records(value)
        return [self.record(row) for row in _rows(value)]

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        row = _completed(row)
        steps = chat.steps_of(loaded(row.get("messages")))
        tools = loaded(row.get("tools"))
        model = row.get("model")
        record = TrajectoryRecord(
            task=TaskRecord(
                external_id=naming.name(row, "task_id") or naming.prompt_id(steps, tools),
                instruction=naming.instruction(steps),
                tools=tools,
            ),
            steps=steps,
            external_id=naming.name(row, "id"),
            rollout=whole(row, "rollout", required=False),
            policy_model=text(row, "model", 200) if isinstance(model, str) else "",
            extra={"fields": _fields(row)},
        )
        if list(row) != _usual(record):
            record.extra["keys"] = list(row)
        return record

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        for labelled in rollouts:
            yield from map(self.row, solutions.apart(labelled.record))

    def row(self, record: TrajectoryRecord) -> dict[str, Json]:
        record = joined(record)
        own = without(record.extra.get("fields", {}), "messages")
        values = {
            "messages": chat.messages_of(record.steps),
            "tools": record.task.tools,
            "id": record.external_id,
            "task_id": record.task.external_id,
            "rollout": record.rollout,
            "model": record.policy_model,
        } | own
        keys = record.extra.get("keys", ())
        order = keys if "messages" in keys and values.keys() >= set(keys) else _usual(record)  # else another format's
        return {key: values[key] for key in order}


def _usual(record: TrajectoryRecord) -> list[str]:
    """The keys that a row of this record has, in their order, where it says no more than it must."""
    fields = record.extra.get("fields", {})
    derived = naming.prompt_id(record.steps, record.task.tools)
    said = {
        "messages": True,
        "tools": record.task.tools is not None,
        "id": bool(record.external_id),
        "task_id": record.task.external_id != derived,
        "rollout": record.rollout is not None,
        "model": bool(record.policy_model),
    }
    return [*(key for key in KEYS if said[key] or key in fields), *(key for key in fields if key not in said)]


def _fields(row: dict[str, Any]) -> dict[str, Json]:
    """What the record has no place for, and names that are no texts, as found."""
    kept = {key: one for key, one in row.items() if key not in MAPPED}
    kept |= {key: row[key] for key in ("id", "task_id", "model") if key in row and not _is_name(row[key])}
    if isinstance(row.get("tools"), str) and loaded(row["tools"]) is not row["tools"]:
        kept["tools"] = row["tools"]
    return kept


def _is_name(value: Json) -> bool:
    return isinstance(value, str) and bool(value)


def _is_message(value: Json) -> bool:
    """Whether it is a message of this format, and no item of another that has roles too."""
    if not isinstance(value, dict) or value.get("role") not in list(ROLES) or "type" in value:
        return False
    return isinstance(value.get("content"), (str, list)) or "tool_calls" in value or value.get("content", "") is None


def _is_logged(row: dict[str, Any]) -> bool:
    """A request and its response, side by side."""
    asked, answered = loaded(row.get("request")), loaded(row.get("response"))
    return objects(mapping(asked).get("messages"), "role") and objects(mapping(answered).get("choices"), "message")


def _is_completion(row: dict[str, Any]) -> bool:
    """A prompt with the one answer to it, as texts or as messages."""
    answers = [row[key] for key in ANSWERS if key in row]
    if len(answers) != 1 or "label" in row or "chosen" in row:
        return False
    sides = (loaded(row.get("prompt")), loaded(answers[0]))
    return all(isinstance(side, str) or objects(side, "role") for side in sides)


def _rows(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The row, or one for each choice of the response that it holds."""
    if "messages" not in row and _is_logged(row):
        asked, answered = loaded(row["request"]), loaded(row["response"])
        said = {key: one for key in ("tools", "model") for one in [answered.get(key) or asked.get(key)] if one}
        rest = without(row, "request", "response")
        kept = {"request": _but(asked, said, "messages"), "response": _but(answered, said, "choices")}
        return _chosen(asked["messages"], answered["choices"], said | rest | kept)
    if objects(row.get("choices"), "message"):
        return _chosen(row.get("messages"), row["choices"], without(row, "messages", "choices"))
    return [row]


def _but(row: dict[str, Any], said: dict[str, Any], key: str) -> dict[str, Any]:
    """The row without the key, and without what is said beside it already."""
    return {name: one for name, one in row.items() if name != key and not (name in said and said[name] == one)}


def _chosen(messages: Json, choices: list[Json], rest: dict[str, Any]) -> list[dict[str, Any]]:
    made = []
    for choice in map(mapping, choices):
        own = without(choice, "message")
        said = [choice["message"]] if choice.get("message") else []
        made.append({"messages": [*listed(loaded(messages)), *said], **rest} | ({"choice": own} if own else {}))
    return made


def _completed(row: dict[str, Any]) -> dict[str, Any]:
    """The row with all of its conversation in `messages`: a prompt with its answer is one, and `system` opens it."""
    if "messages" not in row and _is_completion(row):
        answer = next(key for key in ANSWERS if key in row)
        both = [*_turns(row["prompt"], "user"), *_turns(row[answer], "assistant")]
        row = {"messages": both} | without(row, "prompt", answer)
    messages = loaded(row.get("messages"))
    if isinstance(row.get("system"), str) and isinstance(messages, list) and not _has_system(messages):
        opened = [{"role": "system", "content": row["system"]}, *messages]
        row = {key: opened if key == "messages" else one for key, one in row.items() if key != "system"}
    return row


def _has_system(messages: list[Json]) -> bool:
    return bool(messages) and mapping(messages[0]).get("role") in ("system", "developer")


def _turns(said: Json, role: str) -> list[Json]:
    said = loaded(said)
    return listed(said) or [{"role": role, "content": said}]
