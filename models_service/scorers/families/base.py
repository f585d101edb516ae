"""What a family of process reward models says of itself: how a trajectory is rendered, what is read, what it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from models_service.scorers.checkpoints import Checkpoint
from models_service.scorers.heads import Head
from models_service.scorers.rendering import Rendered, Text


class Said(NamedTuple):
    """A step's score in the family's range, and what else the model said of it, by name."""

    value: float
    more: dict[str, float] = {}


class Family:
    """Models that are read in one way. `range` is that of their scores, `probability` whether these are chances of
    being right, if uncalibrated ones. `trained` is the longest they saw, in tokens: what is longer is scored and says
    so. `references`: they are read beside a reference model, for a log-ratio. `version` changes with the rendering.
    `labels` are the tokens whose chances are read at the marks, where that is what is read."""

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    version: ClassVar[int] = 1
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    probability: ClassVar[bool] = True
    trained: ClassVar[int | None] = None
    references: ClassVar[bool] = False
    labels: Sequence[int] = ()

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.reserved = frozenset(tokenizer.get_added_vocab())

    def encode(self, pieces: list[str]) -> list[list[int]]:
        """Each text as ids, without the tokens that a tokenizer adds of itself."""
        ids: list[list[int]] = self.tokenizer(pieces, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    def chat(self, messages: list[dict[str, str]], *, opening: bool = False) -> list[int]:
        """A conversation in the checkpoint's own template. `opening`: the assistant's turn is begun."""
        ids: list[int] = self.tokenizer.apply_chat_template(
            messages, tokenize=True, add_generation_prompt=opening, return_dict=False
        )
        return ids

    def head(self, checkpoint: Checkpoint) -> Head:
        """What is read at the marks. Raises UnfitModel where the folder does not hold it."""
        raise NotImplementedError

    def render(self, text: Text) -> Rendered:
        """The ids and a mark for each step."""
        raise NotImplementedError

    def said(self, rows: Sequence[Sequence[float]], references: Sequence[Sequence[float]] = ()) -> list[Said]:
        """What the numbers read at the marks of one text say, a step each. `references` are the other model's."""
        raise NotImplementedError
