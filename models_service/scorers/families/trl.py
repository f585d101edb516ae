"""Checkpoints of TRL's PRM trainer: a token classifier read at the end of the separator after each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.families.base import Family, Said
from models_service.scorers.heads import Layers, layer
from models_service.scorers.rendering import Ids, Rendered, Text, neutral


class TRL(Family):
    """Prompt, then each step and a separator, every piece tokenised by itself, with no separator between prompt and
    first step; P(right) at the last id of each separator (source: trl.experimental.prm). `separator` is the text the
    model was trained to be judged at, which a checkpoint does not say; `right` the class that means right."""

    name = "trl"
    title = "TRL PRM trainer (token classification)"
    source = "huggingface/trl, PRMTrainer"
    begins: ClassVar[bool] = True  # with the tokenizer's first token, where it has one

    def __init__(self, tokenizer: Any, separator: str = "\n", right: int = 1) -> None:
        super().__init__(tokenizer)
        self.separator, self.right = self.encode([separator])[0], right
        if not self.separator:
            raise UnfitModel(f"separator: found {separator!r}, which makes no token; accepted is a text, say '\\n'")
        if right not in (0, 1):
            raise UnfitModel(f"right: found {right!r}; accepted are 0 and 1")

    def head(self, checkpoint: Checkpoint) -> Layers:
        name = "score" if checkpoint.holds("score.weight") else "classifier"
        if not checkpoint.holds(f"{name}.weight"):
            raise UnfitModel(f"{checkpoint.folder} holds no weights for score: not a token classifier")
        return Layers(layer(checkpoint, name, classes=2))

    def render(self, text: Text) -> Rendered:
        bos = self.tokenizer.bos_token_id
        built = Ids(self.encode, [bos] if self.begins and bos is not None else [])
        prompt, *steps = self.encode([neutral(one, self.reserved) for one in [text.prompt, *text.steps]])
        built.add(prompt)
        for step in steps:
            built.add(step).add(self.separator).mark()
        return built.rendered()

    def said(self, rows: Sequence[Sequence[float]], references: Sequence[Sequence[float]] = ()) -> list[Said]:
        return [Said(row[self.right]) for row in rows]
