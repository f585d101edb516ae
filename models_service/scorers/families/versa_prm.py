"""VersaPRM and its kin: a run of line ends after each step, at whose single token - or + is foretold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from models_service.scorers.base import CannotScore
from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.families.base import Family, Said
from models_service.scorers.families.rlhflow import single
from models_service.scorers.heads import Layers, vocabulary_rows
from models_service.scorers.rendering import Pieces, Rendered, Text, neutral


class VersaPRM(Family):
    """`{question} \\n\\n`, then each `{step} \\n\\n\\n\\n`: with its leading space the marker is a token of its own.
    Softmax over - and +, in that order, at the marker (source: UW-Madison-Lee-Lab/VersaPRM; the same for their
    Llama-PRM800K and Qwen-PRM800K). Trained on reasoning about 14 subjects, up to 750 tokens."""

    name = "versa-prm"
    title = "VersaPRM"
    source = "UW-Madison-Lee-Lab/VersaPRM"
    trained: ClassVar[int | None] = 750
    marker: ClassVar[str] = " \n\n\n\n"
    between: ClassVar[str] = " \n\n"
    verdicts: ClassVar[tuple[str, str]] = ("-", "+")

    def __init__(self, tokenizer: Any) -> None:
        super().__init__(tokenizer)
        self.labels = [single(self, verdict) for verdict in self.verdicts]
        self.mark = single(self, self.marker)

    def head(self, checkpoint: Checkpoint) -> Layers:
        if (checkpoint.folder / "adapter_config.json").exists():
            raise UnfitModel(f"{checkpoint.folder} holds an adapter alone; merge it into its base model first")
        return Layers(vocabulary_rows(checkpoint, self.labels))

    def render(self, text: Text) -> Rendered:
        pieces = Pieces(neutral(text.prompt, self.reserved).strip() + self.between)
        for step in text.steps:
            pieces.add((neutral(step, self.reserved).strip() or ".") + self.marker).mark()
        rendered = pieces.rendered(self.tokenizer, special=True)
        if strange := {rendered.ids[mark] for mark in rendered.marks} - {self.mark}:
            raise CannotScore(f"the tokenizer makes {sorted(strange)} of a marker, not {self.mark}")
        return rendered

    def said(self, rows: Sequence[Sequence[float]], references: Sequence[Sequence[float]] = ()) -> list[Said]:
        return [Said(row[1]) for row in rows]


class MathPSA(VersaPRM):
    """As VersaPRM, with five line ends, and verdicts with a leading space (source: openreasoner/openr)."""

    name = "math-psa"
    title = "Math-PSA (OpenR)"
    source = "openreasoner/Math-psa"
    trained: ClassVar[int | None] = None
    marker = " \n\n\n\n\n"
    verdicts = (" -", " +")
