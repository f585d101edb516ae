"""Ways of asking a language model for verdicts on steps, by name."""

from __future__ import annotations

from models_service.scorers.checkpoints import UnfitModel
from models_service.scorers.generative.agent_prm import AgentPRM
from models_service.scorers.generative.base import Verifier
from models_service.scorers.generative.data_prm import DataPRM
from models_service.scorers.generative.gen_prm import GenPRM
from models_service.scorers.generative.prints import PRInTS
from models_service.scorers.generative.think_prm import ThinkPRM
from models_service.scorers.generative.tool_prm import ToolPRM
from models_service.scorers.generative.web_shepherd import WebShepherd

LISTED = (GenPRM, ThinkPRM, WebShepherd, DataPRM, AgentPRM, ToolPRM, PRInTS)
VERIFIERS: dict[str, type[Verifier]] = {one.name: one for one in LISTED}


def verifier(name: str) -> type[Verifier]:
    if name not in VERIFIERS:
        raise UnfitModel(f"family: found {name!r}; accepted are {', '.join(sorted(VERIFIERS))}")
    return VERIFIERS[name]
