"""What tasks and trajectories are called: by the ids their file gives them, else by the words they begin with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from annotations.formats import chat
from annotations.formats.base import Refused, found, text
from annotations.formats.lines import dump
from annotations.records import Json, StepRecord

NAME = 300


def name(row: dict[str, Any], key: str) -> str:
    """The row's name under the key, a whole number as text; "" where it is absent."""
    value = row.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return text({key: str(value)}, key, NAME)
    if value is not None and not isinstance(value, str):
        raise Refused(key, f"found {found(value)}; accepted is a text or a whole number")
    return text(row, key, NAME)


def opening(steps: Sequence[StepRecord]) -> Sequence[StepRecord]:
    """What was said before the agent's first turn."""
    first = next((place for place, step in enumerate(steps) if step.source == "agent"), len(steps))
    return steps[:first]


def prompt_id(steps: Sequence[StepRecord], tools: Json = None) -> str:
    """A name for the task that these steps begin with: conversations with the same opening and tools share it."""
    return hashed([chat.messages_of(opening(steps)), tools])


def hashed(value: Json) -> str:
    """A name for a task that is known by nothing but this value."""
    return f"prompt-{hashlib.sha256(dump(value).encode()).hexdigest()[:16]}"


def instruction(steps: Sequence[StepRecord]) -> str:
    """What the user asked last before the agent's first turn."""
    return next((step.message for step in reversed(opening(steps)) if step.source == "user"), "")
