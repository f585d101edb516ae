"""Math-Shepherd: a plain text in which a marker stands after each step, and + or - is what may follow it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from models_service.scorers.base import CannotScore
from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.families.base import Family, Said
from models_service.scorers.heads import Layers, vocabulary_rows
from models_service.scorers.rendering import Pieces, Rendered, Text, neutral

MARKER = "ки"
NUMBERED = re.compile(r"\s*step\s*\d+\s*:", re.I)
ALONE = re.compile(rf"(?<!\w){MARKER}(?!\w)")  # the marker as a word of a text, which would be read as one


class MathShepherd(Family):
    """`{question} Step 1: … ки\\nStep 2: … ки\\n`, without a chat template; P(+) against - at each marker, whose own
    position foretells the verdict (source: peiyi9979/math-shepherd-mistral-7b-prm, and search-and-learn). Steps that do
    not begin with their number get it."""

    name = "math-shepherd"
    title = "Math-Shepherd"
    source = "peiyi9979/math-shepherd-mistral-7b-prm"
    trained = 4096

    def __init__(self, tokenizer: Any) -> None:
        super().__init__(tokenizer)
        self.labels = self.encode(["+ -"])[0][-2:]
        self.marker = self.encode([f" {MARKER}"])[0][-1]
        read = [tokenizer.decode([one]).strip() for one in self.labels]
        if read != ["+", "-"]:
            raise UnfitModel(f"the tokenizer reads the last two tokens of '+ -' as {read}; accepted are + and -")

    def head(self, checkpoint: Checkpoint) -> Layers:
        return Layers(vocabulary_rows(checkpoint, self.labels))

    def render(self, text: Text) -> Rendered:
        pieces, between = Pieces(_plain(text.prompt, self.reserved)), " "
        for number, step in enumerate(text.steps, start=1):
            step = _plain(step, self.reserved).strip()
            numbered = step if NUMBERED.match(step) else f"Step {number}: {step}"
            pieces.add(f"{between}{numbered} {MARKER}").mark()
            between = "\n"
        rendered = pieces.rendered(self.tokenizer, special=True)
        if strange := {rendered.ids[mark] for mark in rendered.marks} - {self.marker}:
            raise CannotScore(f"the tokenizer makes {sorted(strange)} of a marker, not {self.marker}")
        return rendered

    def said(self, rows: Sequence[Sequence[float]], references: Sequence[Sequence[float]] = ()) -> list[Said]:
        return [Said(row[0]) for row in rows]


def _plain(text: str, reserved: frozenset[str]) -> str:
    return ALONE.sub(" ".join(MARKER), neutral(text, reserved))
