"""A text in coloured pieces: (class, text) pairs, "" for no class. Put together, the texts are what a page shows."""

from __future__ import annotations

from collections.abc import Iterable

from annotations.rendering.marks import inert

Token = tuple[str, str]

KEY, STRING, NUMBER, LITERAL = "t-key", "t-str", "t-num", "t-lit"
ESCAPE, COMMENT, KEYWORD, NAME = "t-esc", "t-com", "t-kw", "t-name"
CLASSES = frozenset([KEY, STRING, NUMBER, LITERAL, ESCAPE, COMMENT, KEYWORD, NAME])


def to_html(tokens: Iterable[Token]) -> str:
    return "".join(f'<span class="{kind}">{inert(text)}</span>' if kind else inert(text) for kind, text in tokens)


def to_text(tokens: Iterable[Token]) -> str:
    return "".join(text for _, text in tokens)
