"""Qwen2.5-Math-PRM: a two-layer head read at the token <extra_0> after each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.families.base import Family, Said
from models_service.scorers.heads import Layers, layer
from models_service.scorers.rendering import Ids, Rendered, Text, neutral

SYSTEM = "Please reason step by step, and put your final answer within \\boxed{}."
MARKER = "<extra_0>"


class QwenPRM(Family):
    """System and user turn, then the steps as one assistant turn, each followed by the marker; softmax over two classes
    of Linear–ReLU–Linear, of which 1 is right (source: the model card, and search-and-learn). A marker that a text
    spells out is broken, and positions are those where it was set: a saturated probability of exactly 0 is a score."""

    name = "qwen-prm"
    title = "Qwen2.5-Math-PRM"
    source = "Qwen/Qwen2.5-Math-PRM-7B"
    trained: ClassVar[int | None] = 4096
    system = SYSTEM

    def __init__(self, tokenizer: Any) -> None:
        super().__init__(tokenizer)
        marker = self.encode([MARKER])[0]
        if len(marker) != 1:
            raise UnfitModel(f"the tokenizer makes {len(marker)} tokens of {MARKER}; accepted is one")
        self.marker = marker

    def head(self, checkpoint: Checkpoint) -> Layers:
        return Layers(layer(checkpoint, "score.0"), layer(checkpoint, "score.2", classes=2))

    def render(self, text: Text) -> Rendered:
        prompt, *steps = [neutral(one, self.reserved) for one in [text.prompt, *text.steps]]
        asked = [{"role": "user", "content": prompt}]
        built = Ids(self.encode, self.chat(self.opening() + asked, opening=True))
        for step in self.encode(steps) if steps else ():
            built.add(step).add(self.marker).mark()
        return built.rendered()

    def opening(self) -> list[dict[str, str]]:
        return [{"role": "system", "content": self.system}] if self.system else []

    def said(self, rows: Sequence[Sequence[float]], references: Sequence[Sequence[float]] = ()) -> list[Said]:
        return [Said(row[1]) for row in rows]
