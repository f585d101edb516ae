"""What is said of steps, and how they should have been: rows for learning to criticise, and to mend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import step_text, training
from annotations.formats.training import Line
from annotations.formats.writer import Option, Writer
from annotations.records import Json, Labelled

KEPT = Option(
    "kept",
    "Which critiques",
    "every",
    (("every", "Every one"), ("refined", "Those that come with a correction"), ("wrong", "Those of wrong steps")),
)
LOSS = Option(
    "loss",
    "What counts in the loss",
    "both",
    (("both", "The critique and the refined step"), ("critique", "The critique"), ("refined", "The refined step")),
)


class Critiques(Writer):
    """`response` is a step in the agent's own words and `prompt` all before it; `critique` is what its rater said of
    it, and `refined` how they say it should have been ("" where nobody did). `text` is the four, a blank line between
    any two, and `loss_mask` the stretches [start, end) of it that count, in code points. A step of which nothing is
    said has no row."""

    name = "critiques"
    title = "Critiques of steps, and refined steps (JSONL)"
    keeps = "What came before, the step, its critique, its correction, and its grade where it has one."
    loses = "Steps of which nothing is said, and how tool calls and thoughts were kept apart."
    purpose = "fine-tuning"
    options = (KEPT, LOSS)
    graded = False

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        asked = training.usual(self.options, asked)
        for labelled in rollouts:
            given: set[int] = set()
            for line in training.lines_of(labelled):
                for place in line.agents:
                    if place not in given and _wanted(labelled, place, asked["kept"]):
                        given.add(place)
                        row = _row(line, place, asked["loss"])
                        if row["loss_mask"]:
                            yield row


def _wanted(labelled: Labelled, place: int, kept: str) -> bool:
    if not labelled.explanations.get(place, "").strip():
        return False
    if kept == "refined":
        return bool(labelled.corrections.get(place, "").strip())
    return kept == "every" or labelled.grades.get(place) == -1


def _row(line: Line, place: int, loss: str) -> dict[str, Json]:
    labelled = line.labelled
    pieces = {
        "prompt": step_text.joined(line.steps, line.before(place)),
        "response": step_text.said(line.steps[place]),
        "critique": labelled.explanations[place],
        "refined": labelled.corrections.get(place, ""),
    }
    counting = ("critique", "refined") if loss == "both" else (loss,)
    text, mask = "", []
    for name, said in pieces.items():
        start = len(text) + (2 if text and said else 0)
        text = "\n\n".join(filter(None, [text, said]))
        mask += [[start, len(text)]] if said and name in counting else []
    return {
        **pieces,
        "text": text,
        "loss_mask": mask,
        "grade": labelled.grades.get(place),
        "by": labelled.by,
        "task": labelled.record.task.external_id,
        "trajectory": line.name,
        "step": place,
    }
