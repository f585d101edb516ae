"""Rollouts to be learned from, without their errors: messages, what of them counts, and the same as text with spans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import sft_ways, step_text, training
from annotations.formats.sft_ways import Turn
from annotations.formats.training import Line
from annotations.formats.writer import Option, Writer
from annotations.records import Json, Labelled

MODE = Option(
    "mode",
    "What of a rollout is written",
    "cut",
    (
        ("cut", "The steps before the first that is not good enough"),
        ("keep", "All steps; those that are not good enough without loss"),
        ("corrected", "The steps before the first wrong one, and its correction"),
        ("spliced", "All without the dead ends that a right step came back from"),
    ),
)
GRADE = Option("grade", "A step is good enough where it is", "1", (("1", "Right"), ("0", "Right or neutral")))


class SFT(Writer):
    """An assistant's message has `weight` 1 where it counts in the loss and 0 where it does not, as OpenAI's
    fine-tuning reads it; `loss` says the same of every message, in order. `text` is the conversation as plain text, and
    `loss_mask` the stretches [start, end) of it that count, in code points. Only words of the agent count, never those
    of users or tools. Which turns are in each mode is said in sft_ways.py. Of a tree there is a row for each way to a
    leaf; rows that read the same are written once."""

    name = "sft"
    title = "Filtered fine-tuning conversations (JSONL)"
    keeps = "The turns that are good enough, the task's tools, and which words count in the loss."
    loses = "Labels, explanations, what was cut out, and pictures, of which a mark stays."
    whole = True
    purpose = "fine-tuning"
    options = (MODE, GRADE)
    packed = frozenset(["tools"])

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        asked = training.usual(self.options, asked)
        for labelled in rollouts:
            given: set[str] = set()
            for line in training.lines_of(labelled):
                turns = sft_ways.WAYS[asked["mode"]](line, int(asked["grade"]))
                row = _row(line, turns, asked["mode"])
                if row["loss_mask"] and row["text"] not in given:
                    given.add(row["text"])
                    yield row


def _row(line: Line, turns: list[Turn], mode: str) -> dict[str, Json]:
    steps = [turn.step for turn in turns]
    said, loss = _messages(turns)
    written = step_text.written(steps, range(len(steps)))
    mask = [
        [one.start, one.end]
        for one in written.stretches
        if one.role == "assistant" and turns[one.place].loss and one.start < one.end
    ]
    return {
        "messages": said,
        "loss": loss,
        "tools": training.tools(line.labelled),
        "text": written.text,
        "loss_mask": mask,
        "mode": mode,
        "task": line.labelled.record.task.external_id,
        "trajectory": line.name,
    }


def _messages(turns: Sequence[Turn]) -> tuple[list[dict[str, Json]], list[bool]]:
    said: list[dict[str, Json]] = []
    loss: list[bool] = []
    for step, counts in turns:
        own, seen = training.message(step), training.observations(step)
        if step.source == "agent":
            own["weight"] = int(counts)
        said += [own, *seen]
        loss += [counts and step.source == "agent", *[False] * len(seen)]
    return said, loss
