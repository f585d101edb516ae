"""tau-bench's few-shot examples: a whole dialogue as one text, a turn a paragraph that begins with its role."""

from __future__ import annotations

import re
from typing import Any

from annotations.formats import naming
from annotations.formats.base import LineFormat, Refused, found
from annotations.formats.turns import steps_at
from annotations.records import Json, TaskRecord, TrajectoryRecord

KEY = "messages_display"
_TURN = re.compile(r"^(system|user|assistant|tool): ?", re.MULTILINE)


class TauDialogues(LineFormat):
    name = "tau-dialogues"
    title = "tau-bench few-shot dialogues"
    keeps = "Who said what; a turn of the agent without words is the call that the tool's answer after it answers."
    loses = "Nothing; the files do not say what was called."

    def recognises(self, value: Json) -> bool:
        return isinstance(value, dict) and isinstance(value.get(KEY), str)

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        text = row.get(KEY)
        if not isinstance(text, str):
            raise Refused(KEY, f"found {found(text)}; accepted is a dialogue as one text")
        steps = steps_at(_messages(text), KEY)
        return TrajectoryRecord(
            task=TaskRecord(naming.prompt_id(steps), source="tau-bench", instruction=naming.instruction(steps)),
            steps=steps,
            extra={"fields": {key: value for key, value in row.items() if key != KEY}},
        )


def _messages(text: str) -> list[Json]:
    """The turns; "None" is how a turn without words is written."""
    turns = list(_TURN.finditer(text))
    if not turns or text[: turns[0].start()].strip():
        raise Refused(
            KEY, f"found {found(text)}; accepted are turns that begin with user:, assistant:, tool: or system:"
        )
    ends = [turn.start() for turn in turns[1:]] + [len(text)]
    said = [(turn[1], text[turn.end() : end].removesuffix("\n")) for turn, end in zip(turns, ends, strict=True)]
    return [
        {"role": role, "content": None if role == "assistant" and words == "None" else words} for role, words in said
    ]
