"""Asking a language model for one word, and how likely it says the one against the other."""

from __future__ import annotations

import math
from collections.abc import Sequence

from models_service.scorers.base import CannotScore
from models_service.scorers.belief.base import Asking
from models_service.scorers.belief.formulas import log_probs
from models_service.scorers.language.asked import NotServed, Prompt, Sampling, chance
from models_service.scorers.language.gathering import Drawn, Forced, Work, log_probs_of, texts_of

TOP = 20  # likeliest tokens that are asked for
ONE_WORD = Sampling(most=1, top=TOP)
Words = tuple[str, str]  # the word that counts as yes, and as no

YES_NO: Words = ("Yes", "No")
TRUE_FALSE: Words = ("True", "False")


def chances(asking: Asking, questions: Sequence[str], words: Words) -> Work[list[float]]:
    """For each question P(yes) against no as the first token of the reply, spellings with and without capitals pooled.
    Where neither is among the likeliest tokens, or these are not told, by the two words' own probabilities."""
    prompts = [_prompt(asking, one, words) for one in questions]
    served = True
    try:
        drawn = yield from texts_of([Drawn(one, ONE_WORD) for one in prompts])
        tops = [texts[0].tokens[0].top if texts and texts[0].tokens else {} for texts in drawn]
    except NotServed:
        served, tops = False, [{} for _ in prompts]
    yes, no = _spelled(words[0]), _spelled(words[1])
    found = [chance(top, yes, no) for top in tops]
    try:
        left = iter((yield from _compared([one for one, p in zip(prompts, found, strict=True) if p is None], words)))
    except NotServed as no:
        if served:
            raise CannotScore(f"neither {words[0]} nor {words[1]} is among the {TOP} likeliest replies") from no
        raise
    return [next(left) if p is None else p for p in found]


def _compared(prompts: Sequence[Prompt], words: Words) -> Work[list[float]]:
    """By how likely each of the two words is after the prompt, as texts."""
    asks = [Forced(one, word if one.messages else f" {word}") for one in prompts for word in words]
    read = yield from log_probs_of(asks)
    sums = [math.fsum(log_probs(tokens)) for tokens in read]
    return [1 / (1 + math.exp(min(700.0, no - yes))) for yes, no in zip(sums[::2], sums[1::2], strict=True)]


def _prompt(asking: Asking, question: str, words: Words) -> Prompt:
    asked = f"{question}\nAnswer with one word, {words[0]} or {words[1]}."
    if asking.chat:
        return Prompt(({"role": "user", "content": asked},), asking.opening)
    return Prompt(opening=f"{asked}\n\nAnswer:{asking.opening}")


def _spelled(word: str) -> list[str]:
    return [word, word.lower(), word.upper()]
