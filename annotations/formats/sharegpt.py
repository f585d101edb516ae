"""ShareGPT, and what LLaMA-Factory makes of it: conversations of turns, instructions with outputs, typed parts."""

from __future__ import annotations

from typing import Any

from annotations.formats import naming
from annotations.formats.base import LineFormat
from annotations.formats.loose import listed, loaded, mapping, objects, without
from annotations.formats.sharegpt_turns import is_part, messages_of, named, with_pictures
from annotations.formats.turns import steps_at
from annotations.records import Json, TaskRecord, TrajectoryRecord

TURNS = ("conversations", "conversation", "messages")


class ShareGPT(LineFormat):
    """Every turn is a message in its place; where a system prompt stands beside them, it is the first one."""

    name = "sharegpt"
    title = "ShareGPT and LLaMA-Factory (JSON or JSONL)"
    listed = "conversations"
    keeps = "Turns, calls and observations, reasoning, pictures of the columns beside, tools, fields of its own."
    loses = "How roles and calls were spelled: human is user, function_call is a call."

    def recognises(self, value: Json) -> bool:
        if isinstance(value, list):
            return objects(value, "from", "value")
        if not isinstance(value, dict) or "chosen" in value or "rejected" in value or "kto_tag" in value:
            return False
        return bool(_turns(value)) or _is_instruction(value)

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        key = _turns(row) or ("" if _is_instruction(row) else "conversations")
        messages = opened(row, messages_of(row.get(key), key) if key else _instructed(row))
        steps = steps_at(messages, key or "history")
        tools = loaded(row.get("tools"))
        return TrajectoryRecord(
            task=TaskRecord(
                external_id=naming.prompt_id(steps, tools),
                instruction=naming.instruction(steps),
                tools=tools,
            ),
            steps=steps,
            external_id=naming.name(row, "id"),
            extra={"fields": own_fields(row, *([key] if key else ["instruction", "output", "history"]))},
        )


def opened(row: dict[str, Any], messages: list[Json]) -> list[Json]:
    """The messages with what stands in columns beside them: the system prompt and the pictures."""
    system = row.get("system")
    if isinstance(system, str) and system:
        messages = [{"role": "system", "content": system}, *messages]
    return with_pictures(messages, loaded(row.get("images")))


def own_fields(row: dict[str, Any], *said: str) -> dict[str, Json]:
    """What the record has no place for, beside what is said under these keys."""
    system = ["system"] if isinstance(row.get("system"), str) else []
    return without(row, "tools", "id", *system, *said)


def _turns(row: dict[str, Any]) -> str:
    """Under which key the conversation is, "" where none is in a spelling of this format."""
    return next((key for key in TURNS if _spelled(loaded(row.get(key)), row)), "")


def _spelled(turns: Json, row: dict[str, Any]) -> bool:
    if not objects(turns):
        return False
    names = {named(turn) for turn in turns[:20]}
    if ("", "") in names:
        return False
    if names - {("role", "content")} or turns is not row.get("messages") and "messages" not in row:
        return True
    said = [part for turn in turns[:20] for part in (listed(turn["content"]) or [turn["content"]])]
    pictured = bool(listed(row.get("images"))) and any("<image>" in part for part in said if isinstance(part, str))
    return pictured or any(is_part(part) for part in said)


def _is_instruction(row: dict[str, Any]) -> bool:
    """An instruction with its output, as Alpaca has them."""
    return all(isinstance(row.get(key), str) for key in ("instruction", "output"))


def _instructed(row: dict[str, Any]) -> list[Json]:
    messages: list[Json] = []
    for asked, said in (pair for pair in listed(loaded(row.get("history"))) if listed(pair) and len(pair) == 2):
        messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
    return [
        *messages,
        {"role": "user", "content": asked_of(row)},
        {"role": "assistant", "content": row["output"]},
    ]


def asked_of(row: dict[str, Any]) -> str:
    """An instruction with the input it is about."""
    parts = [mapping(row).get(key) for key in ("instruction", "input")]
    return "\n".join(part for part in parts if isinstance(part, str) and part)
