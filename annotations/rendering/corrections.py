"""A text beside its correction, word by word: what stayed, what went, what came."""

from __future__ import annotations

import difflib
from typing import NamedTuple

COMPARED = 4_000  # characters of a text that is held against its correction


class Bit(NamedTuple):
    """A stretch of a correction: kept, or one that came (+) or went (-)."""

    sign: str
    text: str


def compared(before: str, after: str) -> list[Bit]:
    """The correction with what went and what came, word by word; of long texts the correction alone."""
    if max(len(before), len(after)) > COMPARED:
        return [Bit("+", after)]
    old, new = _split(before), _split(after)
    found: list[Bit] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(Bit("", "".join(old[a:b])))
            continue
        found += [Bit(sign, text) for sign, text in (("-", "".join(old[a:b])), ("+", "".join(new[c:d]))) if text]
    return found


def _split(text: str) -> list[str]:
    """Words with the blanks after them."""
    found: list[str] = []
    for piece in text.splitlines(keepends=True):
        words = piece.split(" ")
        found += [f"{word} " for word in words[:-1]] + ([words[-1]] if words[-1] else [])
    return found
