"""Drawing texts token by token: which token comes next, what it reads as, and where the text ends."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from models_service.scorers.language.asked import Completion, Sampling, Token

if TYPE_CHECKING:
    import torch

LOOK_BACK = 8  # tokens that are read again with each new one: a character can be made of several


def picked(logits: torch.Tensor, chances: Sequence[float], sampling: Sampling) -> list[int]:
    """A token for each row of logits (rows, vocabulary). `chances` are numbers in [0, 1), one a row, that decide: the
    token at which the probabilities, summed in the vocabulary's order, first exceed it. Likeliest tokens are kept as
    `top_k` says, then as `top_p` says of what is left."""
    import torch

    if sampling.temperature == 0:
        best: list[int] = logits.argmax(-1).tolist()
        return best
    scaled = logits / sampling.temperature
    if sampling.top_k:
        least = scaled.topk(min(sampling.top_k, scaled.shape[-1])).values[:, -1:]
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    if sampling.top_p < 1:
        ordered = scaled.sort(descending=True).values
        shares = ordered.softmax(-1)
        least = ordered.masked_fill(shares.cumsum(-1) - shares >= sampling.top_p, torch.inf).amin(-1, keepdim=True)
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    sums = scaled.double().softmax(-1).cumsum(-1)
    at = torch.tensor(chances, dtype=torch.double, device=sums.device)[:, None] * sums[:, -1:]
    found: list[int] = torch.searchsorted(sums, at, right=True)[:, 0].clamp(max=sums.shape[-1] - 1).tolist()
    return found


class Words:
    """What tokens read as."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.one = lru_cache(maxsize=None)(self._one)

    def read(self, ids: Sequence[int]) -> str:
        """Without special tokens, and nothing tidied up."""
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def _one(self, token: int) -> str:
        text: str = self.tokenizer.decode([token], clean_up_tokenization_spaces=False)
        return text

    def added(self, ids: Sequence[int]) -> str:
        """What the last of these tokens adds to the text: "" while a character is not complete."""
        begin = max(0, len(ids) - 1 - LOOK_BACK)
        before, after = self.read(ids[begin:-1]), self.read(ids[begin:])
        return "" if after.endswith("\ufffd") else after[len(before.rstrip("\ufffd")) :]


class Draft:
    """One text as it is drawn. Its chances come of the seed, the prompt and its number alone, so that company in a
    batch changes nothing."""

    def __init__(self, words: Words, ids: Sequence[int], number: int, sampling: Sampling) -> None:
        digest = hashlib.sha256(np.asarray(ids, dtype=np.int64).tobytes()).digest()
        self.random = np.random.default_rng([sampling.seed, number, int.from_bytes(digest[:8], "big")])
        self.words, self.sampling = words, sampling
        self.ids: list[int] = []
        self.tokens: list[Token] = []
        self.text, self.ended, self.done, self.stopped = "", False, False, False

    def add(self, token: int, ends: set[int], log_prob: float, top: Sequence[tuple[int, float]]) -> None:
        """One more token; `done` is set where it was the last."""
        if token in ends:
            self.ended = self.done = True
            return
        self.ids.append(token)
        if self.sampling.top or self.sampling.stop:
            self._read(log_prob, top)
        self.done = self.done or len(self.ids) >= self.sampling.most

    def _read(self, log_prob: float, top: Sequence[tuple[int, float]]) -> None:
        """What the last token adds, for those who need to know at once."""
        added = self.words.added(self.ids)
        self.text += added
        if self.sampling.top:
            self.tokens.append(Token(added, log_prob, pooled([(self.words.one(one), value) for one, value in top])))
        stops = [at for one in self.sampling.stop if (at := self.text.find(one)) >= 0]
        if stops:
            self._cut(min(stops))

    def _cut(self, at: int) -> None:
        """Ends the text where a stop text begins, and drops the tokens that stand wholly behind that."""
        self.text, self.ended, self.done, self.stopped = self.text[:at], True, True, True
        read = 0
        kept: list[Token] = []
        for token in self.tokens:
            if read >= at:
                break
            kept.append(token)
            read += len(token.text)
        self.tokens = kept

    def completion(self) -> Completion:
        whole = self.text if self.stopped else self.words.read(self.ids)  # a last character may have stayed incomplete
        rest = whole[len(self.text) :]
        if rest and self.tokens:
            self.tokens[-1] = replace(self.tokens[-1], text=self.tokens[-1].text + rest)
        return Completion(whole, tuple(self.tokens), self.ended)


def pooled(found: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Log-probabilities by text; those of tokens that read the same are summed as probabilities."""
    sums: dict[str, float] = {}
    for text, value in found:
        sums[text] = float(np.logaddexp(sums[text], value)) if text in sums else value
    return sums
