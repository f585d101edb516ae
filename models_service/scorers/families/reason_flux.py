"""ReasonFlux-PRM-7B: read as Qwen's PRM, without a system message of ours."""

from __future__ import annotations

from typing import ClassVar

from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.families.qwen_prm import QwenPRM
from models_service.scorers.heads import Layers


class ReasonFlux(QwenPRM):
    """The 7B model (source: Gen-Verse/ReasonFlux). The 1.5B one keeps its head in a pickled reward_head.pt, which is
    not opened, and gives one score a text."""

    name = "reason-flux"
    title = "ReasonFlux-PRM-7B"
    source = "Gen-Verse/ReasonFlux-PRM-7B"
    trained: ClassVar[int | None] = None
    system = ""

    def head(self, checkpoint: Checkpoint) -> Layers:
        if (checkpoint.folder / "reward_head.pt").exists():
            raise UnfitModel(
                f"{checkpoint.folder}: reward_head.pt is pickled and not opened, and scores whole texts alone"
            )
        return super().head(checkpoint)
