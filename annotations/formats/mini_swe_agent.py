"""mini-SWE-agent: a run as one conversation. What the shell printed comes as a user's or a tool's message."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from annotations.formats import instances, naming, turns
from annotations.formats.base import Item, LineFormat, Refused, found
from annotations.formats.loose import listed, mapping, objects, without
from annotations.formats.opening.sources import Source
from annotations.formats.opening.values import Shape
from annotations.formats.turns import member, words
from annotations.records import Json, StepRecord, TaskRecord, TrajectoryRecord

PRINTED = frozenset(["returncode", "raw_output", "exception_info", "output_dict", "run_result"])
_OUTPUT = re.compile(r"\s*(?:<returncode>|<output>|<output_head>|<warning>\s|Observation:)")
MAPPED = ("messages", "instance_id", "trajectory_format")


class MiniSWEAgent(LineFormat):
    name = "mini-swe-agent"
    title = "mini-SWE-agent runs (.traj.json)"
    keeps = "Messages, the commands that were run and what they printed, costs, the patch, the whole configuration."
    loses = "The model interface's raw responses beside the messages that were made of them."

    def recognises(self, value: Json) -> bool:
        if not isinstance(value, dict) or not objects(value.get("messages"), "role"):
            return False
        return words(value, "trajectory_format").startswith("mini-swe-agent") or "mini_version" in member(value, "info")

    def read(self, source: Source, shape: Shape | None = None) -> Iterator[Item]:
        yield from instances.named(super().read(source, shape), source.name)

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        messages = row.get("messages")
        if not isinstance(messages, list) or not messages:
            raise Refused("messages", f"found {found(messages)}; accepted is a list of chat messages")
        steps = tuple(map(_with_actions, turns.steps_at(list(_told(messages)), "messages")))
        info = member(row, "info")
        config = member(member(info, "config"), "model")
        return TrajectoryRecord(
            task=TaskRecord(
                external_id=naming.name(row, "instance_id") or naming.prompt_id(steps),
                instruction=naming.instruction(steps),
            ),
            steps=steps,
            policy_model=(words(config, "model_name") or words(info, "model_name"))[:200],
            outcome=_outcome(info),
            meta={"trajectory_format": row["trajectory_format"]} if words(row, "trajectory_format") else {},
            extra={"fields": without(row, *MAPPED)},
        )


def _told(messages: list[Json]) -> Iterator[Json]:
    """The messages under the roles of a chat: what was printed is a tool's, and the last word of the run a user's."""
    asked = False
    for message in messages:
        if not isinstance(message, dict):
            yield message
            continue
        role, extra = message.get("role"), message.get("extra")
        if isinstance(extra, dict) and "response" in extra:
            message = message | {"extra": without(extra, "response")}
        if role == "user" and asked and _is_printed(message):
            message = message | {"role": "tool"}
        elif role == "exit":
            message = message | {"role": "user", "name": "exit"}
        asked = asked or role == "assistant"
        yield message


def _is_printed(message: dict[str, Any]) -> bool:
    extra, content = message.get("extra"), message.get("content")
    if isinstance(extra, dict) and extra.keys() & PRINTED:
        return True
    return isinstance(content, str) and bool(_OUTPUT.match(content))


def _with_actions(step: StepRecord) -> StepRecord:
    """The step with the commands that were found in its words, where it calls no tools by itself."""
    extra = mapping(mapping(step.extra.get("fields")).get("extra"))
    if step.source == "agent" and not step.tool_calls:
        actions = [one for one in listed(extra.get("actions")) if isinstance(one, dict)]
        step = replace(step, tool_calls=tuple(_call(one) for one in actions))
    return turns.with_values(step, {"cost": extra.get("cost")})


def _call(action: dict[str, Any]) -> Json:
    more = without(action, "tool_call_id", "command")
    call = {"id": words(action, "tool_call_id"), "name": "bash", "arguments": action.get("command")}
    return call | ({"more": more} if more else {})


def _outcome(info: dict[str, Any]) -> Json:
    said = {"answer": info.get("submission"), "exit_status": info.get("exit_status")}
    return {key: one for key, one in said.items() if one is not None} or None
