"""Two raters that are rules, and are named as rules: they read the record and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Rule = Callable[[list[dict[str, Any]]], dict[int, int]]


def tool_errors(messages: list[dict[str, Any]]) -> dict[int, int]:
    """−1 where a call failed or says again what an earlier call said; +1 elsewhere."""
    said: set[str] = set()
    labels = {}
    for index, message in _agent_turns(messages):
        calls = [json.dumps(call["function"], sort_keys=True) for call in message.get("tool_calls", [])]
        failed = any('"error"' in reply["content"] for reply in _replies(messages, index))
        labels[index] = -1 if failed or said & set(calls) else 1
        said |= set(calls)
    return labels


def ungrounded(messages: list[dict[str, Any]]) -> dict[int, int]:
    """−1 where the agent states a number that nothing before it says; 0 where it neither calls nor answers."""
    labels = {}
    for index, message in _agent_turns(messages):
        before = " ".join(one["content"] for one in messages[:index])
        known = set(re.findall(r"\d+", before))
        if not message.get("tool_calls") and "Answer:" not in message["content"]:
            labels[index] = 0
        else:
            labels[index] = 1 if set(re.findall(r"\d+", message["content"])) <= known else -1
    return labels


RULES: dict[str, Rule] = {"rule-tool-errors": tool_errors, "rule-ungrounded": ungrounded}


def _agent_turns(messages: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    return [(index, message) for index, message in enumerate(messages) if message["role"] == "assistant"]


def _replies(messages: list[dict[str, Any]], index: int) -> list[dict[str, Any]]:
    ids = {call["id"] for call in messages[index].get("tool_calls", [])}
    return [message for message in messages if message.get("tool_call_id") in ids]
