"""Skywork-o1-Open-PRM: a value read at the line end after each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models_service.scorers.checkpoints import Checkpoint
from models_service.scorers.families.base import Family, Said
from models_service.scorers.heads import Layers, layer
from models_service.scorers.rendering import Ids, Rendered, Text, neutral


class Skywork(Family):
    """`bos + problem + "\\n"`, then each step tokenised by itself with the line end's id behind it; sigmoid of a linear
    layer there (source: SkyworkAI/skywork-o1-prm-inference). It takes every line for a step: line ends within ours
    become spaces. Some of its tokenizers have no first token."""

    name = "skywork"
    title = "Skywork-o1-Open-PRM"
    source = "Skywork/Skywork-o1-Open-PRM-Qwen-2.5-7B"
    trained = 4096

    def __init__(self, tokenizer: Any) -> None:
        super().__init__(tokenizer)
        self.line_end = self.encode(["\n"])[0][-1:]

    def head(self, checkpoint: Checkpoint) -> Layers:
        return Layers(layer(checkpoint, "v_head.summary", classes=1), squash="sigmoid")

    def render(self, text: Text) -> Rendered:
        bos = self.tokenizer.bos_token_id
        prompt, *steps = [neutral(one, self.reserved) for one in [text.prompt, *text.steps]]
        built = Ids(self.encode, [] if bos is None else [bos]).text(f"{prompt}\n")
        for step in self.encode([" ".join(one.split("\n")) for one in steps]) if steps else ():
            built.add(step).add(self.line_end).mark()
        return built.rendered()

    def said(self, rows: Sequence[Sequence[float]], references: Sequence[Sequence[float]] = ()) -> list[Said]:
        return [Said(row[0]) for row in rows]
