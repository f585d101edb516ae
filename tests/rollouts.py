"""Labelled rollouts for tests of what is written: say only what the test is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from annotations.records import Labelled, StepRecord, TaskRecord, TrajectoryRecord

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def user(text: str, index: int = 0) -> StepRecord:
    return StepRecord("user", index, text)


def agent(index: int, text: str = "", call: str = "", answer: str = "", **fields: Any) -> StepRecord:
    """A turn of the agent: its words, a call of `look` with these arguments, what answered."""
    calls = ({"id": f"c{index}", "name": "look", "arguments": call},) if call else ()
    seen = ({"role": "tool", "tool_call_id": f"c{index}", "content": answer},) if answer else ()
    return StepRecord("agent", index, text, tool_calls=calls, observations=seen, **fields)


def rollout(
    *said: str | StepRecord,
    grades: Sequence[int | None] = (),
    asked: str = "Q",
    name: str = "t",
    task: Mapping[str, Any] | None = None,
    record: Mapping[str, Any] | None = None,
    **labels: Any,
) -> Labelled:
    """The user's question at 0, the agent's turns from 1; grades in the order of these turns, None for no label."""
    turns = [one if isinstance(one, StepRecord) else agent(place, one) for place, one in enumerate(said, start=1)]
    steps = (user(asked), *turns)
    agents = [place for place, step in enumerate(steps) if step.source == "agent"]
    given = {place: grade for place, grade in zip(agents, grades, strict=False) if grade is not None}
    about = TaskRecord(**{"external_id": "task", "instruction": asked, "tools": [TOOL], **(task or {})})
    whole = TrajectoryRecord(task=about, steps=steps, external_id=name, **(record or {}))
    return Labelled(whole, given, by="human:ada", **labels)


def tree(*nodes: tuple[int, str], grades: Mapping[int, int] | None = None, **fields: Any) -> Labelled:
    """A tree: after the question at 0, each node as (the place of its parent, its words)."""
    steps = [agent(place, text, parent=parent) for place, (parent, text) in enumerate(nodes, start=1)]
    made = rollout(*steps, **fields)
    return Labelled(**vars(made) | {"grades": dict(grades or {})})


def valued(place: int, text: str, parent: int, value: float) -> StepRecord:
    return agent(place, text, parent=parent, extra={"values": {"q": value}})
