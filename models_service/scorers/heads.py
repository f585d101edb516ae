"""What is read off a trunk's hidden states at the marks. All in float32, whatever the trunk computes in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from models_service.scorers.checkpoints import Checkpoint, UnfitModel
from models_service.scorers.rendering import Rendered

if TYPE_CHECKING:
    import torch

CHUNK = 1024  # positions whose logits over the vocabulary are held at once


class Head(Protocol):
    def to(self, device: torch.device) -> Head: ...

    def __call__(self, states: Sequence[torch.Tensor], items: Sequence[Rendered], shared: int) -> torch.Tensor:
        """A row of numbers for each mark of each item, one item after another. `states` are (tokens, hidden), from
        token `shared` on."""
        ...


class Layers:
    """Linear layers with ReLU between them, applied at the marks and nowhere else: (marks, hidden) → (marks, classes).
    `softmax` over the classes, or `sigmoid` of the one."""

    def __init__(self, *layers: tuple[torch.Tensor, torch.Tensor | None], squash: str = "softmax") -> None:
        self.layers = [(weight.float(), None if bias is None else bias.float()) for weight, bias in layers]
        self.squash = squash

    def to(self, device: torch.device) -> Layers:
        self.layers = [(w.to(device), None if b is None else b.to(device)) for w, b in self.layers]
        return self

    def __call__(self, states: Sequence[torch.Tensor], items: Sequence[Rendered], shared: int) -> torch.Tensor:
        import torch

        at = [one[[mark - shared for mark in item.marks]] for one, item in zip(states, items, strict=True)]
        return self._squashed(self._applied(torch.cat(at).float()))

    def _applied(self, hidden: torch.Tensor) -> torch.Tensor:
        from torch.nn.functional import linear

        for place, (weight, bias) in enumerate(self.layers):
            hidden = linear(hidden.relu() if place else hidden, weight, bias)
        return hidden

    def _squashed(self, logits: torch.Tensor) -> torch.Tensor:
        if self.squash == "softmax":
            return logits.softmax(-1)
        return logits.sigmoid() if self.squash == "sigmoid" else logits


class TokenLogProbs:
    """The sum of log P(token | all before it) over the tokens from `first` up to each mark: one number a mark. Logits
    over the vocabulary are never held for more than CHUNK positions."""

    def __init__(self, vocabulary: torch.Tensor) -> None:
        self.vocabulary = vocabulary.float()

    def to(self, device: torch.device) -> TokenLogProbs:
        self.vocabulary = self.vocabulary.to(device)
        return self

    def __call__(self, states: Sequence[torch.Tensor], items: Sequence[Rendered], shared: int) -> torch.Tensor:
        import torch

        return torch.cat([self._sums(one, item, shared) for one, item in zip(states, items, strict=True)])

    def _sums(self, states: torch.Tensor, item: Rendered, shared: int) -> torch.Tensor:
        import torch

        last = item.marks[-1]
        start, end = item.begins - 1 - shared, last - shared  # the state before a token says how likely the token is
        tokens = torch.tensor(item.ids[item.begins : last + 1], device=states.device)
        places = range(start, end, CHUNK)
        chances = [self._chances(states[at : min(at + CHUNK, end)], tokens[at - start :][:CHUNK]) for at in places]
        return torch.cat(chances).double().cumsum(0)[[mark - item.begins for mark in item.marks], None]

    def _chances(self, states: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        logits = states.float() @ self.vocabulary.T  # differences of log-ratios are lost in anything shorter
        return logits.gather(1, tokens[:, None])[:, 0] - logits.logsumexp(-1)


def layer(checkpoint: Checkpoint, name: str, classes: int | None = None) -> tuple[torch.Tensor, torch.Tensor | None]:
    """A linear layer of that name, with its bias where it has one. UnfitModel unless it has that many outputs."""
    weight = checkpoint.tensor(f"{name}.weight")
    if classes is not None and weight.shape[0] != classes:
        raise UnfitModel(f"{checkpoint.folder} has {weight.shape[0]} classes; accepted are models of {classes}")
    return weight, checkpoint.tensor(f"{name}.bias") if checkpoint.holds(f"{name}.bias") else None


UNEMBEDDING = ("lm_head.weight", "model.embed_tokens.weight")  # the second where the two are tied


def vocabulary_rows(checkpoint: Checkpoint, ids: Sequence[int]) -> tuple[torch.Tensor, None]:
    """The rows of the language model's head that say how likely these tokens are."""
    return checkpoint.rows(ids, *UNEMBEDDING), None
