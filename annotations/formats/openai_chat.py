"""Plain OpenAI chat: one conversation a line, as fine-tuning files and agent logs have it."""

from __future__ import annotations

import hashlib
from typing import Any

from annotations.formats import chat
from annotations.formats.base import LineFormat, Refused, found, text, whole
from annotations.formats.lines import dump
from annotations.records import Json, StepRecord, TaskRecord, TrajectoryRecord

MAPPED = frozenset(["messages", "tools", "id", "task_id", "model", "rollout"])
NAME = 300


class OpenAIChat(LineFormat):
    """`messages` is needed; `tools`, `id`, `task_id`, `rollout` and `model` are read where they are there, the rest is
    kept. Conversations that begin with the same words and name no task are rollouts of one task."""

    name = "openai-chat"
    title = "OpenAI chat (JSONL)"
    keeps = "Messages with their tools, calls and observations, pictures, reasoning; fields of its own."
    loses = "Nothing is written in this format yet."

    def recognises(self, row: Json) -> bool:
        if not isinstance(row, dict) or {"query_index", "sample_index"} <= row.keys():
            return False
        messages = row.get("messages")
        return isinstance(messages, list) and all(isinstance(one, dict) and "role" in one for one in messages[:1])

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        steps = chat.steps_of(row.get("messages"))
        model = row.get("model")
        fields = {key: one for key, one in row.items() if key not in MAPPED}
        if model is not None and not isinstance(model, str):
            fields["model"] = model
        return TrajectoryRecord(
            task=TaskRecord(
                external_id=_name(row, "task_id") or _prompt_id(steps, row.get("tools")),
                instruction=_instruction(steps),
                tools=row.get("tools"),
            ),
            steps=steps,
            external_id=_name(row, "id"),
            rollout=whole(row, "rollout", required=False),
            policy_model=text(row, "model", 200) if isinstance(model, str) else "",
            extra={"fields": fields},
        )


def _name(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is not None and not isinstance(value, str):
        raise Refused(key, f"found {found(value)}; accepted is a text or a whole number")
    return text(row, key, NAME)


def _opening(steps: tuple[StepRecord, ...]) -> tuple[StepRecord, ...]:
    first = next(place for place, step in enumerate(steps) if step.source == "agent")
    return steps[:first]


def _prompt_id(steps: tuple[StepRecord, ...], tools: Json) -> str:
    said = dump([chat.messages_of(_opening(steps)), tools])
    return f"prompt-{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def _instruction(steps: tuple[StepRecord, ...]) -> str:
    return next((step.message for step in reversed(_opening(steps)) if step.source == "user"), "")
