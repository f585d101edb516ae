"""Parts of a step as the label page asks of them: its calls, and its message sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django import template
from django.utils.safestring import SafeString, mark_safe

from annotations.rendering.marks import inert
from annotations.schemes.sentences import sentences

register = template.Library()

BLANKS = " \t\r\n"  # between sentences these need not be seen


class Piece(NamedTuple):
    """A sentence with its number from 1 and the name of its part, or what stands between two (number 0)."""

    number: int
    part: str
    html: SafeString
    blank: bool = False


@register.filter
def by_sentence(text: str) -> Iterator[Piece]:
    """The whole text, in order and without a character lost."""
    at = 0
    for number, (start, end) in enumerate(sentences(text), 1):
        yield from _between(text[at:start])
        yield Piece(number, f"{start}-{end}", _inert(text[start:end]))
        at = end
    yield from _between(text[at:])


@register.filter
def call_number(part: str) -> int:
    """Which call of its step a part is, from 1."""
    return int(part.partition("-")[2]) + 1


def _between(text: str) -> Iterator[Piece]:
    if text:
        yield Piece(0, "", _inert(text), not text.strip(BLANKS))


def _inert(text: str) -> SafeString:
    return mark_safe(inert(text))
