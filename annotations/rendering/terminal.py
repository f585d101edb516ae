"""What a terminal printed: colours as classes, carriage returns and backspaces as they came out on the screen.

Every other escape sequence is shown as text, dimmed: no titles are set, no links made, nothing is cleared. The palette
is ours and small, and every colour of it can be read on every other: text cannot be hidden by painting it over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from annotations.rendering.marks import inert

_SEQUENCE = re.compile(
    r"\x1b\[([0-9;:]{0,64})m"  # 1: colours and weights
    r"|(\x1b\[[012]?K)"  # 2: the rest of the line, or all of it, is wiped
    r"|(\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]"  # 3: every other, as far as it goes
    r"|\x1b[\]P^_X][^\x07\x1b\n]{0,2000}(?:\x07|\x1b\\)?|\x1b[ -/]{0,8}[0-~]?)"
    r"|(\r+\n)|(\r)|(\x08)|(\n)"
)
_BASIC = (
    (0, 0, 0), (205, 49, 49), (13, 188, 121), (205, 205, 16), (36, 114, 200), (188, 63, 188), (17, 168, 205),
    (204, 204, 204), (102, 102, 102), (241, 76, 76), (35, 209, 139), (245, 245, 67), (59, 142, 234), (214, 112, 214),
    (41, 184, 219), (255, 255, 255),
)  # fmt: skip


class Style(NamedTuple):
    """How a character is printed. Colours are 0 to 15; None: the page's own."""

    front: int | None = None
    back: int | None = None
    flags: frozenset[str] = frozenset()


class Screen(NamedTuple):
    """`html` of what is to be seen at the end, and how many characters had been printed over."""

    html: str
    overwritten: int


PLAIN = Style()
_INERT = Style(flags=frozenset(["a-inert"]))
_ON = {
    1: "a-bold",
    2: "a-dim",
    3: "a-italic",
    4: "a-under",
    7: "a-inverse",
    8: "a-concealed",
    9: "a-struck",
    21: "a-under",
}
_OFF = {
    22: ("a-bold", "a-dim"),
    23: ("a-italic",),
    24: ("a-under",),
    27: ("a-inverse",),
    28: ("a-concealed",),
    29: ("a-struck",),
}

_Cell = tuple[str, Style]


def is_terminal(text: str) -> bool:
    """Whether the text has escape sequences, or moves back over what it has printed."""
    return "\x1b" in text or "\x08" in text or re.search(r"\r(?![\r\n])(?!\Z)", text) is not None


def printed(text: str) -> Screen:
    """The text as it stands on a terminal that is as wide as it takes."""
    lines, paper = [], _Paper()
    style, at = PLAIN, 0
    for found in _SEQUENCE.finditer(text):
        paper.print(text[at : found.start()], style)
        at = found.end()
        codes, wipe, other, ends, back, rubout, newline = found.groups()
        if codes is not None:
            style = _styled(style, codes)
        elif wipe:
            paper.wipe(whole_line="2K" in wipe, before="1K" in wipe)
        elif other:
            paper.print(other, _INERT)
        elif back:
            paper.column = 0
        elif rubout:
            paper.column = max(0, paper.column - 1)
        elif ends or newline:
            lines.append(paper.line())
    paper.print(text[at:], style)
    lines.append(paper.line())
    return Screen("\n".join(map(_line, lines)), paper.overwritten)


class _Paper:
    """The line that is being printed."""

    def __init__(self) -> None:
        self.cells: list[_Cell] = []
        self.column = 0
        self.overwritten = 0

    def print(self, text: str, style: Style) -> None:
        first, last = self.column, self.column + len(text)
        gone = self.cells[first:last]
        self.overwritten += sum(old != new and old != " " for (old, _), new in zip(gone, text, strict=False))
        self.cells[first:last] = [(one, style) for one in text]
        self.column = last

    def wipe(self, *, whole_line: bool, before: bool) -> None:
        if whole_line or not before:
            first = 0 if whole_line else self.column
            self.overwritten += sum(one != " " for one, _ in self.cells[first:])
            del self.cells[first:]
            self.cells.extend([(" ", PLAIN)] * (self.column - len(self.cells)))
        else:
            blank = [(" ", PLAIN)] * min(self.column, len(self.cells))
            self.overwritten += sum(one != " " for one, _ in self.cells[: len(blank)])
            self.cells[: len(blank)] = blank

    def line(self) -> Sequence[_Cell]:
        cells, self.cells, self.column = self.cells, [], 0
        return cells


def _line(cells: Sequence[_Cell]) -> str:
    return "".join(
        _run(style, "".join(one for one, _ in run)) for style, run in groupby(cells, key=lambda cell: cell[1])
    )


def _run(style: Style, text: str) -> str:
    if style == PLAIN:
        return inert(text)
    if style is _INERT:
        return f'<span class="a-inert">{inert(text)}</span>'
    return f'<span class="{_classes(style)}">{inert(text)}</span>'


@lru_cache(maxsize=1024)
def _classes(style: Style) -> str:
    colours = [f"a-fg{style.front}"] * (style.front is not None) + [f"a-bg{style.back}"] * (style.back is not None)
    return " ".join([*colours, *sorted(style.flags)])


@lru_cache(maxsize=1024)
def _styled(style: Style, codes: str) -> Style:
    """The style after a sequence. Numbers that mean nothing are passed over."""
    numbers = iter([int(one) if one.isdigit() and len(one) < 6 else 0 for one in re.split("[;:]", codes)])
    for number in numbers:
        style = _after(style, number, numbers)
    return style


def _after(style: Style, number: int, more: Iterator[int]) -> Style:
    if number == 0:
        return PLAIN
    if number in _ON:
        return style._replace(flags=style.flags | {_ON[number]})
    if number in _OFF:
        return style._replace(flags=style.flags - set(_OFF[number]))
    if number in (38, 48):
        colour = _extended(more)
        return style._replace(front=colour) if number == 38 else style._replace(back=colour)
    if number in (39, 49):
        return style._replace(front=None) if number == 39 else style._replace(back=None)
    if 30 <= number <= 37 or 90 <= number <= 97:
        return style._replace(front=number - 30 if number < 40 else number - 82)
    if 40 <= number <= 47 or 100 <= number <= 107:
        return style._replace(back=number - 40 if number < 50 else number - 92)
    return style


def _extended(more: Iterator[int]) -> int | None:
    """The colour of 5;n or 2;r;g;b, as near as the palette has one."""
    kind = next(more, 0)
    if kind == 2:
        return _nearest((next(more, 0), next(more, 0), next(more, 0)))
    number = next(more, 0) if kind == 5 else -1
    if 0 <= number < 16:
        return number
    if 232 <= number < 256:
        return _nearest((8 + 10 * (number - 232),) * 3)
    if 16 <= number < 232:
        place = number - 16
        return _nearest(tuple(55 + 40 * one if one else 0 for one in (place // 36, place // 6 % 6, place % 6)))
    return None


@lru_cache(maxsize=4096)
def _nearest(colour: Sequence[int]) -> int:
    return min(range(16), key=lambda one: sum((a - b) ** 2 for a, b in zip(_BASIC[one], colour, strict=True)))
