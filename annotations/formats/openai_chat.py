"""Plain OpenAI chat: one conversation a line, as fine-tuning files and agent logs have it."""

from __future__ import annotations

from typing import Any

from annotations.formats import chat, naming
from annotations.formats.base import LineFormat, text, whole
from annotations.records import Json, TaskRecord, TrajectoryRecord

MAPPED = frozenset(["messages", "tools", "id", "task_id", "model", "rollout"])


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
                external_id=naming.name(row, "task_id") or naming.prompt_id(steps, row.get("tools")),
                instruction=naming.instruction(steps),
                tools=row.get("tools"),
            ),
            steps=steps,
            external_id=naming.name(row, "id"),
            rollout=whole(row, "rollout", required=False),
            policy_model=text(row, "model", 200) if isinstance(model, str) else "",
            extra={"fields": fields},
        )
