"""Markdown as inert HTML: no scripts, no styles, no images from elsewhere, nothing htmx would act on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import EnvType

from annotations.rendering import code, diffs, maths, tokens
from annotations.rendering.marks import inert, marked
from annotations.rendering.tables import scrolling

MOST = 120_000  # characters; drawing takes up to a second for as many
_TAGS = set(
    "p br hr h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code em strong s a table thead tbody tr th td".split()  # noqa: SIM905
)
_OURS = {
    "span": {"maths", "display", "address", "remote", "d-line", "d-head", "d-hunk", *tokens.CLASSES},
    "div": {"maths", "display"},
    "p": {"heading"},
    **dict.fromkeys(["th", "td"], {"number", "middle"}),
}
_ALIGNED = {"text-align:right": "number", "text-align:center": "middle"}
_TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)
_READER = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
_SIGNS = re.compile(
    r"^#{1,6} \S|^ {0,3}(?:```|~~~)|^ {0,3}[-*+] \S[^\n]*\n+ {0,8}[-*+] \S|^ {0,3}\d{1,3}[.)] \S|^> \S"
    r"|^\|[ |:-]{3,400}$|\*\*[^\s*]|__[^\s_]|~~\S|`[^`\n]{1,200}`|\[[^\[\]\n]{1,200}\]\([^()\n]{1,400}\)",
    re.MULTILINE,
)


def to_html(text: str) -> SafeString:
    """Text of our own people (guidelines) as HTML that can be put into a page whoever wrote it."""
    cleaned = nh3.clean(
        _READER.render(text),
        tags=_TAGS,
        attributes={"*": set(), "a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(cleaned)


def is_markdown(text: str) -> bool:
    """Whether drawing the text as Markdown or maths would make a difference worth a button, and not take too long."""
    return len(text) <= MOST and (_SIGNS.search(text) is not None or maths.has_maths(text))


def drawn(text: str) -> str:
    """Text of a stranger as HTML. Links say where they lead, images say where they are and are not loaded, headings
    are none of the page's, hidden characters are marks, and maths waits for the page to draw it."""
    cleaned = nh3.clean(
        _STRANGERS.render(text, {"dollars": maths.dollars_are_maths(text)}),
        tags=_TAGS | {"span", "div", "ins", "del"},
        attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
        allowed_classes=_OURS,
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )
    return marked(_TABLE.sub(_table, cleaned))


def _table(found: re.Match[str]) -> str:
    return scrolling(found[0].replace("<th></th>", "<td></td>"))


def _strangers() -> MarkdownIt:
    options = {"html": False, "linkify": False, "highlight": _highlighted}
    reader = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    maths.plugin(reader)
    for name, rule in _RULES.items():
        reader.add_render_rule(name, rule)
    return reader


def _highlighted(text: str, language: str, attributes: str) -> str:
    diff = language in ("diff", "patch") and diffs.is_diff(text)
    return f"<pre><code>{diffs.to_html(text) if diff else tokens.to_html(code.coloured(text, language))}</code></pre>"


def _heading_open(self: Any, found: Sequence[Token], place: int, options: object, env: EnvType) -> str:
    return '<p class="heading"><strong>'


def _heading_close(self: Any, found: Sequence[Token], place: int, options: object, env: EnvType) -> str:
    return "</strong></p>\n"


def _link_close(self: Any, found: Sequence[Token], place: int, options: object, env: EnvType) -> str:
    opening = next(at for at in range(place, -1, -1) if found[at].type == "link_open")  # links do not nest
    address = str(found[opening].attrs.get("href", ""))
    said = "".join(one.content for one in found[opening:place])
    return "</a>" if said == address else f' <span class="address">{inert(address)}</span></a>'


def _image(self: Any, found: Sequence[Token], place: int, options: object, env: EnvType) -> str:
    address = str(found[place].attrs.get("src", ""))
    return f'<span class="remote">[image: {inert(found[place].content)} {inert(address)}]</span>'


def _cell(self: Any, found: Sequence[Token], place: int, options: object, env: EnvType) -> str:
    aligned = _ALIGNED.get(str(found[place].attrs.get("style", "")))
    return f'<{found[place].tag} class="{aligned}">' if aligned else f"<{found[place].tag}>"


_RULES = {
    "heading_open": _heading_open,
    "heading_close": _heading_close,
    "link_close": _link_close,
    "image": _image,
    "th_open": _cell,
    "td_open": _cell,
}
_STRANGERS = _strangers()
