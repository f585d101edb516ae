"""The plain text of a step: what the agent said, what it called, what came back."""

from __future__ import annotations

import json

from annotations.records import Json, StepRecord


def flat(content: Json) -> str:
    """The text of a message's content, which is a string, null, a list of parts, or anything else JSON can hold."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list):
        return "\n".join(flat(part.get("text", part)) if isinstance(part, dict) else flat(part) for part in content)
    return json.dumps(content, ensure_ascii=False)


def said(step: StepRecord) -> str:
    return f"{step.reasoning}\n{step.message}" if step.reasoning else step.message


def call(tool_call: Json) -> str:
    """A call as one line: the tool's name and its arguments."""
    if not isinstance(tool_call, dict):
        return flat(tool_call)
    return f"{flat(tool_call.get('name'))}({flat(tool_call.get('arguments'))})"


def calls(step: StepRecord) -> list[str]:
    return [call(one) for one in step.tool_calls]


def observed(step: StepRecord) -> str:
    """All that the step's calls brought back."""
    return "\n".join(flat(one.get("content") if isinstance(one, dict) else one) for one in step.observations)
