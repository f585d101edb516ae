"""Universal-PRM: a value of each prefix of a solution, through a server."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from models_service.scorers.families.base import Said
from models_service.scorers.families.whole import WholeFamily

SYSTEM = "You are a helpful assistant."
WITHOUT = "There is no reference answer for this question."


class UniversalPRM(WholeFamily):
    """The user's turn is the question, a line of marks and what is said of a reference answer; the assistant's the
    steps so far, joined by empty lines, and the end token; the sigmoid of one number is the step's score (our reading
    of what others cite of the model card of Universal-PRM-7B). It is always told that there is no reference answer, so
    that it judges what people judge. Its users report decisions at .70 that swing with the hundredths: calibrate it."""

    name = "universal-prm"
    title = "Universal-PRM (through a server)"
    source = "infly/Universal-PRM-7B"
    trained: ClassVar[int | None] = 32768

    def read(self, prompt: str, steps: Sequence[str], own: Sequence[str], count: int) -> list[int]:
        asked = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": f"{prompt}\n\n###\n\n{WITHOUT}"},
        ]
        said = self.encode(["\n\n".join(steps[:count])])[0] if count else []
        return [*self.chat(asked, opening=True), *said, self.tokenizer.eos_token_id]

    def said(self, rows: Sequence[Sequence[float]], references: Sequence[Sequence[float]] = ()) -> list[Said]:
        return [Said(0.5 + 0.5 * math.tanh(row[0] / 2)) for row in rows]  # the sigmoid, without overflow
