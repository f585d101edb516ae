"""Conversations of several agents: AutoGen (both generations), MetaGPT, CrewAI and what is like them.

Every agent's turn is a step and keeps the agent's name. What people and the task say is context: a turn is a person's
where its speaker is called so, or where it opens the conversation. `source_index` is the place of the turn in the list.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from annotations.formats import naming
from annotations.formats.base import Refused, ValueFormat, found
from annotations.formats.loose import listed, loaded, mapping, without
from annotations.formats.multi_agent_turns import content_of, is_result, speaker_of, steps_of
from annotations.formats.turns import words
from annotations.records import Json, TaskRecord, TrajectoryRecord

LISTS = ("chat_history", "history", "messages", "conversation", "dialogue", "turns", "tasks_output", "log")
ASKED = ("task", "question", "instruction", "problem", "query", "prompt", "description", "idea")
NAMES = ("task_id", "question_ID", "question_id", "instance_id", "id")
CAME = ("summary", "final_answer", "answer", "result", "raw", "success", "is_correct", "stop_reason", "cost", "score")
MODELS = ("model", "model_name", "llm")
ANOTHERS = frozenset(["mistake_agent", "mistake_step", "query_index", "trajectory_format", "chosen", "rejected"])
CHAT = frozenset(["user", "assistant", "system", "developer", "tool", "function"])


class MultiAgent(ValueFormat):
    name = "multi-agent"
    title = "Conversations of several agents (AutoGen, MetaGPT, CrewAI)"
    keeps = "Every agent's turn under its name, calls and results, whom it was said to, the task, what came of it."
    loses = "Nothing but the word that a call is of a function."

    def recognises(self, value: Json) -> bool:
        if isinstance(value, list):
            return _are_turns(value, alone=True)
        if not isinstance(value, dict) or value.keys() & ANOTHERS:
            return False
        return _are_turns(value.get(_key(value)))

    def records(self, value: Any) -> Iterable[TrajectoryRecord | Refused]:
        if isinstance(value, list):
            return (_record({}, value, ""),)
        if not isinstance(value, dict):
            raise Refused("", f"found {found(value)}; accepted is an object with the history of a conversation")
        key = _key(value) or "history"
        return (_record(value, loaded(value.get(key)), key),)


def _key(row: dict[str, Any]) -> str:
    return next((key for key in LISTS if isinstance(loaded(row.get(key)), list)), "")


def _are_turns(value: Json, *, alone: bool = False) -> bool:
    """Whether turns are told by who speaks. Chat messages are, where two or more have names beside their roles."""
    turns = [one for one in listed(loaded(value))[:20] if not is_result(one)]
    if not turns or not all(isinstance(one, dict) and content_of(one) is not None for one in turns):
        return False
    if all(words(one, "role") in CHAT for one in turns):
        return len({words(one, "name") for one in turns} - {""}) > 1
    return all(_is_spoken(one, alone=alone) for one in turns) and len({speaker_of(one) for one in turns}) > 1


def _is_spoken(turn: dict[str, Any], *, alone: bool) -> bool:
    """Whether the turn says who speaks. A name alone says it only where the list is called a conversation."""
    named = any(speaker_of({key: turn.get(key)}) for key in ("agent", "agent_name", "sender", "speaker", "sent_from"))
    if role := words(turn, "role"):
        return named or bool(words(turn, "name")) or role not in ("assistant", "tool", "function")
    event = bool(words(turn, "source") and words(turn, "type"))
    return named or event or bool(words(turn, "name")) and not alone


def _record(row: dict[str, Any], turns: Json, key: str) -> TrajectoryRecord:
    if not isinstance(turns, list) or not turns:
        raise Refused(key, f"found {found(turns)}; accepted is a list of turns, each with its speaker and content")
    asked = next((row[one] for one in ASKED if isinstance(row.get(one), str) and row[one]), "")
    steps = steps_of(turns, key)
    if not any(step.source == "agent" for step in steps):
        raise Refused(key, "found no turn of an agent, so there is no step to label; accepted is one")
    named = next((one for one in NAMES if row.get(one) not in (None, "")), "")
    model = next((one for one in MODELS if words(row, one)), "")
    came = {one: row[one] for one in CAME if row.get(one) not in (None, "")}
    asked = asked or naming.instruction(steps)
    rest = without(row, key, named, model, *came)
    return TrajectoryRecord(
        task=TaskRecord(
            external_id=naming.name(row, named)
            if named
            else naming.hashed(asked)
            if asked
            else naming.prompt_id(steps),
            instruction=asked,
            reference=mapping(row).get("ground_truth"),
        ),
        steps=steps,
        policy_model=words(row, model)[:200],
        outcome=came or None,
        extra={"fields": rest} if rest else {},
    )
