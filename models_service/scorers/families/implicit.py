"""Implicit process rewards: how much likelier a policy finds each step than the model it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.families.base import Family, Said
from models_service.scorers.heads import UNEMBEDDING, TokenLogProbs
from models_service.scorers.rendering import Pieces, Rendered, Text, neutral

REWARDS = ("single", "accumulative")


class Implicit(Family):
    """q_t = beta · Σ (log π(token) − log π_ref(token)) over the response up to the end of step t; a step's reward is
    q_t − q_(t−1), or q_t itself with reward="accumulative" (source: Free Process Rewards without Process Labels, and
    EurusPRM's card; beta .001). The user's turn is the problem, the assistant's the steps joined by empty lines, each
    begun "Step k:". The values lie near 0 without bounds: a fixed limit says nothing, they need calibrating."""

    name = "implicit"
    title = "EurusPRM, implicit PRM (policy against reference)"
    source = "PRIME-RL/EurusPRM-Stage2"
    range = (float("-inf"), float("inf"))
    probability = False
    references = True

    def __init__(self, tokenizer: Any, beta: float = 0.001, reward: str = "single") -> None:
        super().__init__(tokenizer)
        if reward not in REWARDS:
            raise UnfitModel(f"reward: found {reward!r}; accepted are {', '.join(REWARDS)}")
        self.beta, self.reward = beta, reward

    def head(self, checkpoint: Checkpoint) -> TokenLogProbs:
        return TokenLogProbs(checkpoint.tensor(*UNEMBEDDING))

    def render(self, text: Text) -> Rendered:
        prompt, *steps = [neutral(one, self.reserved) for one in [text.prompt, *text.steps]]
        opened: str = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
        )
        pieces, between = Pieces(opened), ""
        for number, step in enumerate(steps, start=1):
            pieces.add(f"{between}Step {number}: {step}".rstrip()).mark()
            between = "\n\n"
        return pieces.rendered(self.tokenizer, start=len(opened))

    def said(self, rows: Sequence[Sequence[float]], references: Sequence[Sequence[float]] = ()) -> list[Said]:
        sums = [self.beta * (one - other) for (one,), (other,) in zip(rows, references, strict=True)]
        if self.reward == "accumulative":
            return [Said(one) for one in sums]
        return [Said(one - before) for one, before in zip(sums, [0.0, *sums], strict=False)]
