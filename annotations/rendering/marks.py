"""Text that a stranger wrote, escaped, and with nothing hidden in it. Every renderer shows its texts through here."""

from __future__ import annotations

import re
import unicodedata

# Control characters, zero-width ones, those that turn the direction of text, and selectors of variants where they
# select nothing: such carry messages that no reader sees. A zero-width joiner inside an emoji is part of the emoji.
_CLASS = (
    "\x00-\x08\x0b-\x0d\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a"
    "\U000e0000-\U000e007f\U000e0100-\U000e01ef"
)
_HIDDEN = re.compile(f"(?:[{_CLASS}]|(?<![\U0001f000-\U0001faff\ufe0f])\u200d|(?<=[\ufe0e\ufe0f])[\ufe0e\ufe0f])+")
_ONE_BY_ONE = 8  # hidden characters in a row that are named each; a longer row is one mark
_SUSPECT = re.compile(f"[{_CLASS}\u200d\ufe0e\ufe0f]")  # what every run begins with: seldom there, and quick to find


def inert(text: str) -> str:
    """The text as HTML to stand between tags, each hidden character as a mark that names it. Never in an attribute.

    A page shows as many characters as the text has, the marks counted for what they stand for: a carriage return
    before a newline comes as a reference, for a parser would drop it.
    """
    return marked(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def marked(html: str) -> str:
    """HTML with its hidden characters as marks. They must not stand inside a tag."""
    html = html.replace("\r\n", "&#13;\n")
    return _HIDDEN.sub(_marks, html) if _SUSPECT.search(html) else html


def is_hidden(one: str) -> bool:
    """Whether this character, standing alone, would be a mark."""
    return _HIDDEN.match(one) is not None


def _marks(found: re.Match[str]) -> str:
    run = found[0]
    if len(run) <= _ONE_BY_ONE:
        return "".join(_mark(one) for one in run)
    title = f"{_named(run[0])}, {len(set(run))} different in all"
    return _span(title, f"{_code(run[0])} and {len(run) - 1:,} more", f' data-count="{len(run)}"')


def _mark(one: str) -> str:
    return _span(_named(one), _code(one), kind=" breaks" if one == "\r" else "")


def _span(title: str, text: str, more: str = "", kind: str = "") -> str:
    return f'<span class="hidden-character{kind}" title="{title}"{more}>{text}</span>'


def _code(one: str) -> str:
    return f"U+{ord(one):04X}"


def _named(one: str) -> str:
    return f"{_code(one)} {unicodedata.name(one, 'control character').lower()}"
