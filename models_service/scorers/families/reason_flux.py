"""ReasonFlux-PRM: the 7B model, read as Qwen's PRM without a system message of ours, and the small one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.families.base import Family, Said
from models_service.scorers.families.qwen_prm import QwenPRM
from models_service.scorers.heads import Layers, layer
from models_service.scorers.rendering import Ids, Rendered, Text, neutral

PICKLED, HEAD = "reward_head.pt", "reward_head"


class ReasonFlux(QwenPRM):
    """The 7B model (source: Gen-Verse/ReasonFlux)."""

    name = "reason-flux"
    title = "ReasonFlux-PRM-7B"
    source = "Gen-Verse/ReasonFlux-PRM-7B"
    trained: ClassVar[int | None] = None
    system = ""

    def head(self, checkpoint: Checkpoint) -> Layers:
        if (checkpoint.folder / PICKLED).exists():
            raise UnfitModel(f"{checkpoint.folder} holds {PICKLED}, as the small model does: name reason-flux-small")
        return super().head(checkpoint)


class ReasonFluxSmall(Family):
    """The 1.5B model: problem and answer as one plain text, sigmoid of a linear layer at its last token, one number a
    text (source: the example of Gen-Verse/ReasonFlux, which reads 2,048 tokens). Each step gets the number of the text
    up to its end, all of them in one pass. Its head is published in a pickled file, which is not opened."""

    name = "reason-flux-small"
    title = "ReasonFlux-PRM-1.5B, its head converted"
    source = "Gen-Verse/ReasonFlux-PRM-1.5B"
    trained = 2048

    def head(self, checkpoint: Checkpoint) -> Layers:
        if not checkpoint.holds(f"{HEAD}.weight") and (checkpoint.folder / PICKLED).exists():
            raise UnfitModel(
                f"{checkpoint.folder}: {PICKLED} is pickled and not opened. Where you trust it, convert it once: "
                f"h = torch.load({PICKLED!r}, weights_only=True); safetensors.torch.save_file("
                f"{{'{HEAD}.' + name.split('.')[-1]: h[name].contiguous() for name in h}}, '{HEAD}.safetensors')"
            )
        return Layers(layer(checkpoint, HEAD, classes=1), squash="sigmoid")

    def render(self, text: Text) -> Rendered:
        prompt, *steps = [neutral(one, self.reserved) for one in [text.prompt or "\n", *text.steps]]
        built = Ids(self.encode).text(prompt)
        for place, step in enumerate(steps):
            built.text(*(["\n\n"] if place else []), step).mark()
        return built.rendered()

    def said(self, rows: Sequence[Sequence[float]], references: Sequence[Sequence[float]] = ()) -> list[Said]:
        return [Said(row[0]) for row in rows]
