"""Verdicts in a model's own words, and how sure it was of them at the token where each begins.

Only what the model wrote is read. What it was shown is never searched, so that no text of a trajectory is taken for a
verdict.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from models_service.scorers.language.asked import Completion, Token

Groups = Mapping[str, Sequence[str]]  # a verdict → its spellings, in lower case
YES_NO: Groups = {"yes": ("yes",), "no": ("no",)}
BOXED = re.compile(r"\\boxed\s{0,9}\{\s{0,9}(?:\\text\s{0,9}\{\s{0,9})?")
EDGES = re.compile(r"^\W+|\W+$")
THOUGHT = "</think>"
LABELS = ("item ", "part ", "verdict ")
ENDS = ",.;:(–—-*]"


class Reply:
    """One text that a model wrote. `temperature` divides the log-probabilities that chances are made of."""

    def __init__(self, completion: Completion, temperature: float = 1.0) -> None:
        self.tokens, self.temperature = completion.tokens, temperature
        self.text = "".join(one.text for one in self.tokens) if self.tokens else completion.text
        at = self.text.rfind(THOUGHT)
        self.begin = at + len(THOUGHT) if at >= 0 else 0  # verdicts within a finished thought are not the last word

    def shares(self, at: int, groups: Groups) -> dict[str, float] | None:
        """The chances of all verdicts at the character where one begins, summing to 1: from the log-probabilities of
        the token there and of those that were likely in its stead, spellings pooled. A verdict that is not among these
        has at most the chance of the least of them, or what they leave, and that it gets. Without log-probabilities the
        verdict that stands there has all. None where none stands there, however likely one was."""
        found = self._token(at)
        if found is None:
            said = _begins(self.text[at:], groups)
            return None if said is None else {name: float(name == said) for name in groups}
        token, prefix = found
        if belongs(token.text[len(prefix) :], groups) is None:
            return None
        told = {**token.top, token.text: token.log_prob}
        least = min(min(told.values()), math.log(max(1e-300, 1 - sum(map(math.exp, told.values())))))
        sums = dict.fromkeys(groups, 0.0)
        for text, log_prob in told.items():
            name = belongs(text.removeprefix(prefix), groups)
            if name:
                sums[name] += math.exp(log_prob / self.temperature)
        sums = {name: one or math.exp(least / self.temperature) for name, one in sums.items()}
        total = sum(sums.values())
        return {name: one / total for name, one in sums.items()} if total else None

    def _token(self, at: int) -> tuple[Token, str] | None:
        """The token that holds this character, and what of it stands before."""
        begin = 0
        for token in self.tokens:
            if begin <= at < begin + len(token.text):
                return token, token.text[: at - begin]
            begin += len(token.text)
        return None

    def boxed(self, groups: Groups, *, thoughts: bool = False) -> list[int]:
        """Where the verdicts within \\boxed{…} begin; with `thoughts` also those within a thought."""
        starts = [one.end() for one in BOXED.finditer(self.text, 0 if thoughts else self.begin)]
        return [at for at in starts if _begins(self.text[at : at + 40], groups)]

    def line(self, key: str, groups: Groups) -> int | None:
        """Where the verdict begins in the last line that gives one under this key: "[key] verdict", "key: verdict"."""
        for start, line in reversed(list(self._lines())):
            found = _in_line(line, key, groups)
            if found is not None:
                return start + found
        return None

    def _lines(self) -> Iterator[tuple[int, str]]:
        start = self.begin
        for line in self.text[self.begin :].split("\n"):
            yield start, line
            start += len(line) + 1


def belongs(text: str, groups: Groups) -> str | None:
    """The verdict that a token is, or begins: case and what is no letter at its ends are not counted, and a beginning
    counts where only one verdict begins so."""
    word = EDGES.sub("", text).lower()
    if not word:
        return None
    for name, spellings in groups.items():
        if word in spellings:
            return name
    begun = [name for name, spellings in groups.items() if any(one.startswith(word) for one in spellings)]
    return begun[0] if len(begun) == 1 else None


def _begins(text: str, groups: Groups) -> str | None:
    """The verdict that this text begins with, as a word of its own."""
    low = _lower(text)
    for spelling, name in _longest(groups):
        if low.startswith(spelling) and not low[len(spelling) : len(spelling) + 1].isalnum():
            return name
    return None


def _in_line(line: str, key: str, groups: Groups) -> int | None:
    """Where in this line a verdict begins: right behind the key, or at the line's end."""
    at = _skip(line, 0)
    at += next((len(label) for label in LABELS if _lower(line[at:]).startswith(label)), 0)
    if not _lower(line[at:]).startswith(key) or line[at + len(key) : at + len(key) + 1].isalnum():
        return None
    at = _skip(line, at + len(key))
    end = len(line)
    while end > at and not line[end - 1].isalnum():
        end -= 1
    low = _lower(line[:end])
    for spelling, _ in _longest(groups):
        after = line[at + len(spelling) :].lstrip(" ")
        if low.startswith(spelling, at) and (not after or after[0] in ENDS):
            return at
    for spelling, _ in _longest(groups):
        start = end - len(spelling)
        if start >= at and low.endswith(spelling) and not line[start - 1].isalnum():
            return None if low[:start].endswith(" or ") else start  # "Yes or No" is the question over again
    return None


def _lower(text: str) -> str:
    """In lower case, with every character at its place."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(one.lower()[:1] for one in text)


def _skip(line: str, at: int) -> int:
    while at < len(line) and not line[at].isalnum():
        at += 1
    return at


def _longest(groups: Groups) -> list[tuple[str, str]]:
    every = [(one, name) for name, spellings in groups.items() for one in spellings]
    return sorted(every, key=lambda pair: -len(pair[0]))
