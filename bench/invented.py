"""Invented trajectories of ten steps, as records of formats: an agent that looks things up, with texts of its own each.

What only comes in is made here; what also goes out is better made by exporting these again.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

STEPS = 10
ROLLOUTS = 5  # of a task
WORDS = """
    about after answer before between bridge chair closer count could deeper door evening first found garden harbour
    hill house island known ladder letter light long market measure metre minute mountain name never number older
    other page paper place question reading river road second seven shaft should stone street table third through
    tower train under wall water well where which window without year
"""
_words = WORDS.split()
TOOL = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {"for": {"type": "string"}}}},
}


@dataclass(frozen=True)
class Turn:
    """One step: what was thought, what was looked for, what came back."""

    said: str
    wanted: str
    found: str


@dataclass(frozen=True)
class Run:
    number: int
    question: str
    answer: str
    turns: tuple[Turn, ...]
    wrong: int | None  # the first wrong step


def run(number: int) -> Run:
    """The same run for the same number; the rollouts of a task share its question."""
    chance = random.Random(number)
    question = f"Question {number // ROLLOUTS}: {words(random.Random(-1 - number // ROLLOUTS), 20)}?"
    turns = tuple(Turn(words(chance, 40) + ".", words(chance, 4), words(chance, 60)) for _ in range(STEPS))
    return Run(number, question, words(chance, 3), turns, chance.choice([None, 3, 6, 9]))


def words(chance: random.Random, many: int) -> str:
    return " ".join(chance.choices(_words, k=many))


def chat(one: Run) -> list[dict[str, Any]]:
    """As OpenAI messages."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": one.question}]
    for place, turn in enumerate(one.turns):
        call = {"name": "look", "arguments": json.dumps({"for": turn.wanted})}
        calls = [{"id": f"c{place}", "type": "function", "function": call}]
        messages.append({"role": "assistant", "content": turn.said, "tool_calls": calls})
        messages.append({"role": "tool", "name": "look", "content": turn.found, "tool_call_id": f"c{place}"})
    return messages


def apb(one: Run) -> dict[str, Any]:
    places = range(1, 2 * STEPS, 2)
    labels = {str(at): 1 if one.wrong is None or nth < one.wrong else -1 for nth, at in enumerate(places)}
    return {
        "total_index": one.number,
        "query_index": one.number // ROLLOUTS,
        "sample_index": one.number % ROLLOUTS,
        "question": one.question,
        "data_source": "invented",
        "ground_truth": {"target": [one.answer]},
        "answer_text": one.answer,
        "messages": chat(one),
        "tool_metrics": {},
        "tools": [TOOL],
        "step_labels": labels,
        "final_label": 1 if one.wrong is None else -1,
    }


def sharegpt(one: Run) -> dict[str, Any]:
    said = [{"from": "human", "value": one.question}]
    for turn in one.turns:
        call = {"name": "look", "arguments": {"for": turn.wanted, "because": turn.said}}
        said.append({"from": "function_call", "value": json.dumps(call)})
        said.append({"from": "observation", "value": turn.found})
    return {"id": f"run-{one.number}", "conversations": said, "tools": json.dumps([TOOL["function"]])}


def anthropic(one: Run) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"role": "user", "content": one.question}]
    for place, turn in enumerate(one.turns):
        use = {"type": "tool_use", "id": f"t{place}", "name": "look", "input": {"for": turn.wanted}}
        messages.append({"role": "assistant", "content": [{"type": "text", "text": turn.said}, use]})
        back = {"type": "tool_result", "tool_use_id": f"t{place}", "content": turn.found}
        messages.append({"role": "user", "content": [back]})
    tools = [{"name": "look", "input_schema": {"type": "object"}}]
    return {"id": f"run-{one.number}", "model": "small-1", "tools": tools, "messages": messages}


def swe_agent(one: Run) -> dict[str, Any]:
    steps, history = [], [{"role": "user", "content": one.question, "agent": "primary"}]
    for turn in one.turns:
        action, response = f"find {turn.wanted}\n", f"{turn.said}\n```\nfind {turn.wanted}\n```"
        steps.append(
            {
                "action": action,
                "observation": turn.found,
                "response": response,
                "state": '{"open_file": "n/a"}',
                "thought": turn.said,
            }
        )
        told = {"role": "assistant", "content": response, "thought": turn.said, "action": action, "agent": "primary"}
        history += [told, {"role": "user", "content": turn.found, "agent": "primary"}]
    info = {"exit_status": "submitted", "submission": one.answer, "model_stats": {"api_calls": STEPS}}
    return {"environment": f"run-{one.number}", "trajectory": steps, "history": history, "info": info}


def otlp(one: Run) -> dict[str, Any]:
    """One request a trace: a model's span a turn, each with the history before it, as tracing does."""
    said: list[dict[str, Any]] = [_said("user", {"type": "text", "content": one.question})]
    spans = []
    for place, turn in enumerate(one.turns):
        call = {"type": "tool_call", "id": f"c{place}", "name": "look", "arguments": {"for": turn.wanted}}
        out = _said("assistant", {"type": "text", "content": turn.said}, call)
        told = {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "small-1",
            "gen_ai.input.messages": json.dumps(said),
            "gen_ai.output.messages": json.dumps([out]),
        }
        spans.append(_span(one.number, place, told))
        back = {"type": "tool_call_response", "id": f"c{place}", "result": turn.found}
        said += [out, _said("tool", back)]
    return {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"scope": {}, "spans": spans}]}]}


def _said(role: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "parts": list(parts)}


def _span(number: int, place: int, told: dict[str, str]) -> dict[str, Any]:
    start = 1_772_359_200_000_000_000 + place * 1_000_000_000
    return {
        "traceId": f"{number + 1:032x}",
        "spanId": f"{number * STEPS + place + 1:016x}",
        "name": "chat small-1",
        "kind": 3,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 900_000_000),
        "attributes": [{"key": key, "value": {"stringValue": one}} for key, one in told.items()],
    }


MAKERS: dict[str, Callable[[Run], dict[str, Any]]] = {
    "apb": apb,
    "anthropic": anthropic,
    "otlp": otlp,
    "sharegpt": sharegpt,
    "swe-agent": swe_agent,
}


def lines(form: str, count: int) -> Iterator[bytes]:
    """A JSONL file of that format, line by line."""
    make = MAKERS[form]
    for number in range(count):
        yield json.dumps(make(run(number)), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
