"""A process reward model for agents by prompt alone: how promising the state is, and how far the step brought it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models_service.scorers.checkpoints import UnfitModel
from models_service.scorers.generative.base import Reading, Verifier
from models_service.scorers.generative.verdicts import YES_NO, Reply
from models_service.scorers.generative.views import View
from models_service.scorers.language.asked import Sampling


class AgentPRM(Verifier):
    """(1 − w) · promise + w · progress, both chances of Yes from log-probabilities; w is the option `progress`. What is
    asked follows "AgentPRM: Process Reward Models for LLM Agents via Step-Wise Promise and Progress", where both are
    learned by temporal differences: promise as the value of the state, progress as the step's advantage. No checkpoint
    is known to us; that any language model can be asked, and the weighing, are our reading."""

    name = "agentprm"
    title = "Promise and progress, asked of any model"
    source = ""

    def __init__(self, asked: Sampling, wording: str = "", temperature: float = 1.0, progress: float = 0.5) -> None:
        super().__init__(asked, wording, temperature)
        if not 0 <= progress <= 1:
            raise UnfitModel(f"progress: found {progress}; accepted is a share from 0 to 1")
        self.progress = progress

    @property
    def options(self) -> dict[str, Any]:
        return {"progress": self.progress}

    def reader(self, view: View) -> Callable[[Reply], Reading | None]:
        return self._read

    def _read(self, reply: Reply) -> Reading | None:
        found: dict[str, float] = {}
        for name in ("promise", "progress"):
            at = reply.line(name, YES_NO)
            shares = None if at is None else reply.shares(at, YES_NO)
            if shares is None:
                return None
            found[name] = shares["yes"]
        return Reading((1 - self.progress) * found["promise"] + self.progress * found["progress"], found)
