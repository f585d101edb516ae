"""JSON laid out for reading. Every token stays as it was written: repeated keys, the spelling of numbers, escapes.

What changes is the space between tokens, a `\\u` escape of a visible character becomes that character, and a long
string breaks after each `\\n` in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import accumulate, zip_longest

from annotations.rendering.marks import is_hidden
from annotations.rendering.tokens import ESCAPE, KEY, LITERAL, NUMBER, STRING, Token

LINE = 100  # characters of JSON that may share a line
BREAKS_FROM = 60  # characters of a string that is worth breaking at its newlines
_DEEPEST_ALIGNED = 36  # columns; text that begins further right goes on below with a small indent
_DEEPEST = 60  # columns that nesting may indent
_NEVER_FITS = 1_000_000

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL)
_PIECES = re.compile(r"(\\u[0-9a-fA-F]{4}|\\.)", re.DOTALL)


def is_json(text: str) -> bool:
    """Whether the text is one object or array."""
    return text.lstrip().startswith(("{", "[")) and _parses(text)


def is_lines(text: str) -> bool:
    """Whether the text is objects or arrays, one a line, two at least."""
    lines = text.splitlines()
    return len(lines) > 1 and all(line.startswith(("{", "[")) for line in lines) and all(map(_parses, lines))


def laid_out(text: str) -> list[Token]:
    """The tokens of text that is JSON, with the space that makes them readable."""
    return list(_Layout(_TOKEN.findall(text)).pieces())


def _parses(text: str) -> bool:
    try:
        json.loads(text, strict=False, parse_int=len, parse_float=len)
    except (ValueError, RecursionError):
        return False
    return True


class _Layout:
    """What fits stays on a line, and a container of one thing opens on its line. No recursion: nesting may be deep."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = [_readable(one) if one[0] == '"' and "\\u" in one else one for one in tokens]
        self.end, self.many = self._containers()
        self.upto = [0, *accumulate(map(_width, self.tokens))]
        self.column = 0

    def _containers(self) -> tuple[dict[int, int], set[int]]:
        """Place of an opening bracket → place of the closing one; and those that hold more than one thing."""
        end, many, open_ = {}, set(), []
        for place, token in enumerate(self.tokens):
            if token in ("{", "["):
                open_.append(place)
            elif token in ("}", "]"):
                end[open_.pop()] = place
            elif token == "," and open_:
                many.add(open_[-1])
        return end, many

    def pieces(self) -> Iterator[Token]:
        for kind, text in self._pieces():
            newline = text.rfind("\n")
            self.column = self.column + len(text) if newline < 0 else len(text) - newline - 1
            yield kind, text

    def _pieces(self) -> Iterator[Token]:
        indents, opened, place = [0], list[int](), 0
        while place < len(self.tokens):
            token = self.tokens[place]
            if not opened and place:
                yield "", "\n"
            if token in ("{", "["):
                end = self.end[place]
                if self.column + self.upto[end + 1] - self.upto[place] <= LINE:
                    yield from self._flat(place, end)
                    place = end
                else:
                    opened.append(place)
                    indents.append(min(indents[-1] + 2, _DEEPEST) if place in self.many else indents[-1])
                    yield "", token + (f"\n{' ' * indents[-1]}" if place in self.many else "")
            elif token in ("}", "]"):
                indents.pop()
                yield "", (f"\n{' ' * indents[-1]}" if opened.pop() in self.many else "") + token
            elif token == ",":
                yield "", f",\n{' ' * indents[-1]}"
            else:
                yield from self._scalar(place, indents[-1])
            place += 1

    def _flat(self, first: int, last: int) -> Iterator[Token]:
        for place in range(first, last + 1):
            token = self.tokens[place]
            if token == ",":
                yield "", ", "
            elif token in ("{", "[", "}", "]"):
                yield "", token
            else:
                yield from self._scalar(place, 0)

    def _scalar(self, place: int, indent: int) -> Iterator[Token]:
        token = self.tokens[place]
        if token == ":":
            yield "", ": "
        elif token[0] != '"':
            yield (NUMBER if token[0] in "-0123456789" else LITERAL), token
        elif place + 1 < len(self.tokens) and self.tokens[place + 1] == ":":
            yield KEY, token
        elif _breaks(token):
            yield from _broken(token, self.column + 1 if self.column <= _DEEPEST_ALIGNED else indent + 4)
        else:
            yield STRING, token


def _width(token: str) -> int:
    if token in (",", ":"):
        return 2
    return _NEVER_FITS if _breaks(token) else len(token)


def _breaks(token: str) -> bool:
    return token[0] == '"' and len(token) >= BREAKS_FROM and "\\n" in token


def _broken(token: str, indent: int) -> Iterator[Token]:
    """A string with a line of its own for each of its lines. The `\\n` stays in sight."""
    pieces = [piece for piece in _PIECES.split(token) if piece]
    for piece, after in zip_longest(pieces, pieces[1:]):
        yield (ESCAPE if piece[0] == "\\" else STRING), piece
        if piece == "\\n" and after != '"':
            yield "", f"\n{' ' * indent}"


def _readable(token: str) -> str:
    """The string with \\u escapes of visible characters undone."""
    return _ESCAPE.sub(_unescaped, token)


def _unescaped(found: re.Match[str]) -> str:
    escape = found[0]
    if escape[1] != "u":
        return escape
    one: str = json.loads(f'"{escape}"')
    hidden = one in '"\\' or not one.isprintable() or is_hidden(one) or "\ud800" <= one <= "\udfff"
    return escape if hidden else one
