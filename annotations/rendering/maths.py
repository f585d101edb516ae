r"""Maths in Markdown: \( \), \[ \], $$ $$ and bare environments become elements that carry the TeX as their text.

The page draws them (js/maths.js); without JavaScript the TeX stays readable. A single $ is money unless the text has a
pair of them around a TeX command: then pairs that hug what they enclose are maths as well.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType

from annotations.rendering.marks import inert

MOST = 5_000  # characters of one formula
_INLINE = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}
_BLOCKS = {"$$": "$$", "\\[": "\\]"}
_DISPLAY = frozenset(["\\[", "$$"])
_BEGIN = re.compile(
    r"\\begin\{((?:equation|align|alignat|gather|multline|cases|[pbvB]?matrix|array|aligned|split)\*?)\}"
)
_DOLLARS = re.compile(r"\$(?=[^\s$])([^$\n]{1,1000}?)(?<=[^\s\\])\$(?!\d)")
_TEX_DOLLARS = re.compile(r"\$(?=[^\s$])[^$\n]{0,500}\\[a-zA-Z]{2,}[^$\n]{0,500}\$(?!\d)")


def has_maths(text: str) -> bool:
    return any(opening in text for opening in ("\\(", "\\[", "$$", "\\begin{")) or dollars_are_maths(text)


def dollars_are_maths(text: str) -> bool:
    return _TEX_DOLLARS.search(text) is not None


def plugin(reader: MarkdownIt) -> None:
    reader.inline.add_terminator_char("$")
    reader.inline.ruler.before("escape", "maths", _inline)
    reader.block.ruler.before("fence", "maths", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    reader.add_render_rule("maths", _draw)


def _draw(self: Any, tokens: list[Token], place: int, options: object, env: EnvType) -> str:
    token = tokens[place]
    tag, kind = ("div", "maths display") if token.block else ("span", token.info)
    return f'<{tag} class="{kind}">{inert(token.content)}</{tag}>'


def _inline(state: StateInline, silent: bool) -> bool:
    opening = state.src[state.pos : state.pos + 2]
    if opening in _INLINE:
        return _enclosed(state, opening, _INLINE[opening], silent)
    if opening[:1] == "$" and state.env.get("dollars"):
        found = _DOLLARS.match(state.src, state.pos)
        return _push(state, found[1], found.end(), "maths", silent) if found else False
    return False


def _enclosed(state: StateInline, opening: str, closing: str, silent: bool) -> bool:
    first = state.pos + 2
    end = _closing(state, closing, first)
    if end < 0 or end - first > MOST or not state.src[first:end].strip():
        return False
    kind = "maths display" if opening in _DISPLAY else "maths"
    return _push(state, state.src[first:end], end + 2, kind, silent)


def _closing(state: StateInline, closing: str, first: int) -> int:
    """Where the closing mark stands; asked once where there is none, for hostile text opens without end."""
    none = state.env.setdefault("unclosed", {})
    if none.get(closing) is state.src:
        return -1
    if (end := state.src.find(closing, first)) < 0:
        none[closing] = state.src
    return end


def _push(state: StateInline, tex: str, end: int, kind: str, silent: bool) -> bool:
    if not silent:
        token = state.push("maths", "", 0)
        token.content, token.info = tex, kind
    state.pos = end
    return True


def _block(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    if state.is_code_block(first):
        return False
    text = _line(state, first)
    begin = _BEGIN.match(text)
    opening = next((one for one in _BLOCKS if text.startswith(one)), "")
    if not begin and not opening:
        return False
    closing = f"\\end{{{begin[1]}}}" if begin else _BLOCKS[opening]
    end = _closing_line(state, first, last, opening, closing)
    if end is None:
        return False
    if not silent:
        whole = "\n".join(_line(state, one) for one in range(first, end + 1)).strip()
        token = state.push("maths", "", 0)
        token.block, token.map = True, [first, end + 1]
        token.content = whole if begin else whole.removeprefix(opening).removesuffix(closing)
    state.line = end + 1
    return True


def _closing_line(state: StateBlock, first: int, last: int, opening: str, closing: str) -> int | None:
    """The first line from there that ends with the closing mark, if it is near enough."""
    ends = _lines_ending_with(state, closing)
    alone = opening != "" and _line(state, first).rstrip() == opening  # $$ opens and closes: not both in two characters
    place = bisect_left(ends, first + alone)
    if place == len(ends) or ends[place] >= last or state.eMarks[ends[place]] - state.bMarks[first] > MOST:
        return None
    return ends[place]


def _lines_ending_with(state: StateBlock, closing: str) -> list[int]:
    """Looked up once for a text: hostile ones open on every line."""
    known: dict[str, list[int]] = state.env.setdefault("lines ending with", {})
    if closing not in known:
        lines = enumerate(zip(state.bMarks, state.eMarks, strict=True))
        known[closing] = [place for place, (begin, end) in lines if _ends(state.src[begin:end], closing)]
    return known[closing]


def _ends(line: str, closing: str) -> bool:
    return line.rstrip().endswith(closing)


def _line(state: StateBlock, place: int) -> str:
    return state.src[state.bMarks[place] + state.tShift[place] : state.eMarks[place]]
