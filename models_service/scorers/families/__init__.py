"""The families of process reward models, by name. To add one: a file here, a line below, golden ids in the tests."""

from __future__ import annotations

from typing import Any

from models_service.scorers.checkpoints import UnfitModel
from models_service.scorers.families.agent_value import AgentValue
from models_service.scorers.families.base import Family
from models_service.scorers.families.implicit import Implicit
from models_service.scorers.families.math_shepherd import MathShepherd
from models_service.scorers.families.pure import PURE
from models_service.scorers.families.qwen_prm import QwenPRM
from models_service.scorers.families.reason_eval import ReasonEval
from models_service.scorers.families.reason_flux import ReasonFlux, ReasonFluxSmall
from models_service.scorers.families.rlhflow import RLHFlow
from models_service.scorers.families.skywork import Skywork
from models_service.scorers.families.trl import TRL
from models_service.scorers.families.universal import UniversalPRM
from models_service.scorers.families.versa_prm import MathPSA, VersaPRM

LISTED = (
    *(TRL, QwenPRM, ReasonFlux, ReasonFluxSmall, MathShepherd, RLHFlow, VersaPRM, MathPSA),
    *(Skywork, Implicit, PURE, ReasonEval),
)
FAMILIES: dict[str, type[Family]] = {one.name: one for one in LISTED}
SERVED: dict[str, type[Family]] = {one.name: one for one in (UniversalPRM, AgentValue)}  # a server alone reads them


def family(name: str) -> type[Family]:
    """Which one is never guessed: causal models of several families cannot be told apart by their files."""
    known = FAMILIES | SERVED
    if name not in known:
        raise UnfitModel(f"family: found {name!r}; accepted are {', '.join(sorted(known))}")
    return known[name]


def made(name: str, tokenizer: Any, **options: Any) -> Family:
    """The family with its tokenizer. UnfitModel names options that it does not have."""
    try:
        return family(name)(tokenizer, **options)
    except TypeError as exc:
        raise UnfitModel(f"options of {name}: {exc}") from exc
