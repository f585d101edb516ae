"""Rows that a judge of a project is fine-tuned on: it is asked just as it is asked, and a person's labels answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats.writer import Option, Writer
from annotations.records import Json, Labelled

FORM = Option(
    "form",
    "A row is",
    "chat",
    (
        ("chat", "The question and the right answer"),
        ("pairs", "The question, the right answer and a wrong one that the judge gave"),
    ),
)
WHICH = Option(
    "which",
    "Which questions",
    "every",
    (("every", "Every one"), ("corrected", "Those that the judge and the person answer otherwise")),
)
REASONS = Option(
    "reasons",
    "Answers whose verdicts nobody gave a reason for",
    "kept",
    (("kept", "Are written, with a dash for a reason"), ("dropped", "Are not written")),
    "A judge that learns from dashes learns to give no reasons.",
)
SIGHT = Option(
    "sight",
    "What it is shown",
    "judge",
    (
        ("judge", "What the judge is shown"),
        ("blind", "Neither the task’s reference nor the outcome"),
        ("reference", "The task’s reference and the outcome too"),
    ),
)


class JudgeSFT(Writer):
    """The questions of a judge of the project, word for word, and the labels as the answer in the form that it is asked
    for. `asked["judge"]` puts them together, of one trajectory at a time: it knows the judge, which no format does.
    Without it there are no rows."""

    name = "judge-sft"
    title = "Fine-tuning a judge of the project, as it is asked (JSONL)"
    keeps = "The judge’s prompt and question, word for word, and all fields of a whole pass as the judge’s answer."
    loses = "Passes that lack answers, pictures (a mark stays), texts beyond what the judge is shown of each."
    purpose = "fine-tuning"
    options = (FORM, WHICH, REASONS, SIGHT)
    graded = False
    judged = True

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        for labelled in rollouts if "judge" in asked else ():
            yield from asked["judge"](labelled)
