"""The scripted agent: seven habits, each walking a task's moves its own way over tools that really run.

A habit yields turns; what it says after a call depends on what the tool really answered. Beside each turn stands the
label its author gives it and a word for what happened there, from which the sample raters differ.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from annotations.demo.tasks import DemoTask, Move
from annotations.demo.tools import SCHEMAS, Tools

SYSTEM = "You are a careful assistant. Use the tools; give the final answer in a line that starts with 'Answer:'."


@dataclass(frozen=True)
class Turn:
    """One agent turn as scripted: what it says, what it calls (None: nothing), and what its author thinks of it."""

    say: str
    call: tuple[str, str] | None
    label: int
    what: str
    kept: bool = True  # whether the reply counts among those the answer is read from


Habit = Callable[[DemoTask, Callable[[], list[Any]]], Iterator[Turn]]


def _do(move: Move, label: int = 1, what: str = "right", say: str = "") -> Turn:
    return Turn(say or move.think, (move.tool, json.dumps(move.args)), label, what)


def _slip(move: Move, what: str = "slip", **more: Any) -> Turn:
    return Turn(move.slip_think or move.think, (move.tool, json.dumps(move.slip)), -1, what, **more)


def _answer(text: str, task: DemoTask, what: str) -> Turn:
    return Turn(f"Answer: {text}", None, 1 if text == task.truth else -1, what)


def careful(task: DemoTask, seen: Callable[[], list[Any]]) -> Iterator[Turn]:
    """Does it right and says what it found."""
    for move in task.moves:
        yield _do(move)
    yield _answer(task.answer(seen()), task, "answer")


def hasty(task: DemoTask, seen: Callable[[], list[Any]]) -> Iterator[Turn]:
    """Slips on the last call and goes on with whatever came back."""
    for move in task.moves[:-1]:
        yield _do(move)
    yield _slip(task.moves[-1])
    yield _answer(task.answer(seen()), task, "after-slip")


def misreading(task: DemoTask, seen: Callable[[], list[Any]]) -> Iterator[Turn]:
    """Calls the right tools and misreads what they say."""
    for move in task.moves:
        yield _do(move)
    yield _answer(task.misread, task, "misread")


def looping(task: DemoTask, seen: Callable[[], list[Any]]) -> Iterator[Turn]:
    """Asks the same thing again and again, then guesses."""
    first = task.moves[0]
    yield _do(first)
    yield _do(first, 0, "repeat", "Let me make sure.")
    yield _do(first, -1, "loop", "I check this once more.")
    yield _do(first, -1, "loop", "I check this once more.")
    yield _answer(task.invented, task, "invented")


def recovering(task: DemoTask, seen: Callable[[], list[Any]]) -> Iterator[Turn]:
    """Slips on the first call, notices, and sets it right."""
    first = task.moves[0]
    yield _slip(first, kept=False)
    yield _do(first, 1, "correction", "That is not what I need: the last call was wrong. I try again, properly.")
    for move in task.moves[1:]:
        yield _do(move)
    yield _answer(task.answer(seen()), task, "answer")


def stumbling(task: DemoTask, seen: Callable[[], list[Any]]) -> Iterator[Turn]:
    """Writes a broken call, reads the error, and goes on; thinks aloud before answering."""
    first = task.moves[0]
    broken = json.dumps(first.args)[:-1]
    yield Turn(first.think, (first.tool, broken), 0, "broken-call", kept=False)
    for move in task.moves:
        yield _do(move)
    yield Turn("I have all I need; let me put it together.", None, 0, "thinking")
    yield _answer(task.answer(seen()), task, "answer")


def wandering(task: DemoTask, seen: Callable[[], list[Any]]) -> Iterator[Turn]:
    """Tries everything, the wrong ways too, round and round, and finds the answer late. A long one, to scroll in."""
    for lap in range(4):
        for move in task.moves:
            yield _do(move, 1 if lap == 0 else -1, "right" if lap == 0 else "loop", "" if lap == 0 else "Once more.")
            yield _slip(move, "slip" if lap == 0 else "loop", kept=False)
    yield Turn("I have gone in circles; what the first round showed is enough.", None, 1, "correction")
    yield _answer(task.answer(seen()[: len(task.moves)]), task, "answer")


HABITS: dict[str, Habit] = {
    "careful": careful,
    "hasty": hasty,
    "misreading": misreading,
    "looping": looping,
    "recovering": recovering,
    "stumbling": stumbling,
    "wandering": wandering,
}
USUAL = ("careful", "hasty", "misreading", "looping", "recovering", "stumbling")


@dataclass(frozen=True)
class Rollout:
    """A finished run in OpenAI-chat messages; labels and words are keyed by message index."""

    messages: list[dict[str, Any]]
    labels: dict[int, int]
    words: dict[int, str]
    answer: str
    metrics: dict[str, list[dict[str, str]]]


def run(task: DemoTask, habit: Habit) -> Rollout:
    """Let the habit loose on the task, with fresh tools."""
    tools = Tools()
    seen: list[Any] = []
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": task.question},
    ]
    rollout = Rollout(messages, {}, {}, "", {})
    answer = ""
    for turn in habit(task, lambda: seen):
        at = len(messages)
        rollout.labels[at], rollout.words[at] = turn.label, turn.what
        answer = turn.say.removeprefix("Answer: ")
        message: dict[str, Any] = {"role": "assistant", "content": turn.say}
        messages.append(message)
        if turn.call is None:
            continue
        name, arguments = turn.call
        call_id = f"call_{at}"
        message["tool_calls"] = [
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        ]
        reply, worked = tools.call(name, arguments)
        rollout.metrics.setdefault(name, []).append({"status": "success" if worked else "error"})
        messages.append({"role": "tool", "name": name, "content": reply, "tool_call_id": call_id})
        if turn.kept:
            seen.append(json.loads(reply))
    return Rollout(messages, rollout.labels, rollout.words, answer, rollout.metrics)


def record(task: DemoTask, habit: str, query: int, sample: int) -> tuple[dict[str, Any], dict[int, str]]:
    """One AgentProcessBench record and, beside it, the word for what happened at each labelled message."""
    rollout = run(task, HABITS[habit])
    row = {
        "total_index": query * 10 + sample,
        "query_index": query,
        "sample_index": sample,
        "question": task.question,
        "data_source": "stepmark_demo",
        "ground_truth": {"target": [task.truth]},
        "answer_text": rollout.answer,
        "messages": rollout.messages,
        "tool_metrics": rollout.metrics,
        "tools": [SCHEMAS[name] for name in task.tool_names],
        "step_labels": {str(index): label for index, label in rollout.labels.items()},
        "final_label": 1 if rollout.answer == task.truth else -1,
    }
    return row, rollout.words
