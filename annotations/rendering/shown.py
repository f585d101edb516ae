"""How a text stands on a page. What only lays out or colours comes first, with the text as written a press away.

Markdown, maths and tables come as they were written, and are drawn on request: drawing takes characters away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe

from annotations.rendering import code, diffs, jsons, kinds, markdown, tables, terminal
from annotations.rendering.kinds import Kind
from annotations.rendering.marks import inert
from annotations.rendering.tokens import to_html

MOST = 200_000  # characters; a longer text is shown as it was written
WRITTEN, RENDERED = "written", "rendered"


class Shown(NamedTuple):
    """`kind` of content, `html` to put into a page, and what the button beside it brings: written, rendered or "".

    `exact` says that the page has the text's own characters one by one, so that a place in one is a place in the other.
    `note` says what the view leaves out.
    """

    kind: str
    html: SafeString
    offers: str = ""
    exact: bool = False
    note: str = ""


def first(text: str, part: str = "", title: str = "") -> Shown:
    """What a reader sees before they ask for anything else. `part` and `title` are those of the text's Part."""
    kind = _kind(text, part, title)
    drawer = _AT_ONCE.get(kind.name)
    return drawer(text, kind) if drawer else _as_written(text, kind)


def written(text: str, part: str = "", title: str = "") -> Shown:
    """The text as it was written, hidden characters marked."""
    return _as_written(text, _kind(text, part, title))


def rendered(text: str, part: str = "", title: str = "") -> Shown:
    """Markdown, maths and tables drawn; whatever else, as it comes first."""
    kind = _kind(text, part, title)
    if kind.name == "markdown":
        return Shown(kind.name, _prose(markdown.drawn(text)), RENDERED)
    table = tables.parse(text) if kind.name == "table" else None
    return Shown(kind.name, mark_safe(tables.to_html(table)), RENDERED) if table else first(text, part, title)


def cut(text: str) -> Shown:
    """A piece of a text: as it was written, and nothing else is on offer."""
    return Shown("plain", _pre(inert(text)), exact=True)


def _kind(text: str, part: str, title: str) -> Kind:
    return kinds.of(text, part, title) if len(text) <= MOST else kinds.PLAIN


def _as_written(text: str, kind: Kind) -> Shown:
    offers = WRITTEN if kind.name in _AT_ONCE else RENDERED if kind != kinds.PLAIN else ""
    return Shown(kind.name, _pre(inert(text)), offers, exact=True)


def _json(text: str, kind: Kind) -> Shown:
    return Shown(kind.name, _pre(to_html(jsons.laid_out(text))), WRITTEN)


def _diff(text: str, kind: Kind) -> Shown:
    return Shown(kind.name, _pre(diffs.to_html(text)), WRITTEN, exact=True)


def _code(text: str, kind: Kind) -> Shown:
    return Shown(kind.name, _pre(to_html(code.coloured(text, kind.language))), WRITTEN, exact=True)


def _terminal(text: str, kind: Kind) -> Shown:
    screen = terminal.printed(text)
    note = f"{screen.overwritten:,} characters were printed over" if screen.overwritten else ""
    return Shown(kind.name, _pre(screen.html), WRITTEN, note=note)


_AT_ONCE: dict[str, Callable[[str, Kind], Shown]] = {
    "json": _json,
    "lines": _json,
    "diff": _diff,
    "code": _code,
    "terminal": _terminal,
}


def _pre(html: str) -> SafeString:
    # A parser drops a newline right after <pre>: one of ours goes before the text's own.
    return mark_safe(f'<pre class="text" dir="auto">\n{html}</pre>')


def _prose(html: str) -> SafeString:
    return mark_safe(f'<div class="prose" dir="auto">{html}</div>')
