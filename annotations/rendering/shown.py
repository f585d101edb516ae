"""How a text stands on a page. First as evidence: what only lays out or colours is shown at once, the rest if asked."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe

from annotations.rendering import jsons
from annotations.rendering.marks import inert
from annotations.rendering.tokens import to_html

MOST = 200_000  # characters; a longer text is shown as it was written
WRITTEN, RENDERED = "written", "rendered"


class Shown(NamedTuple):
    """`kind` of content, `html` to put into a page, and what the button beside it brings: written, rendered or ""."""

    kind: str
    html: SafeString
    offers: str = ""


def first(text: str) -> Shown:
    """What a reader sees before they ask for anything else."""
    if len(text) <= MOST and jsons.is_json(text):
        return Shown("json", _pre(to_html(jsons.laid_out(text))), WRITTEN)
    return Shown("plain", _pre(inert(text)))


def written(text: str) -> Shown:
    """The text as it was written, hidden characters marked."""
    return first(text)._replace(html=_pre(inert(text)))


def _pre(html: str) -> SafeString:
    # A parser drops a newline right after <pre>: one of ours goes before the text's own.
    return mark_safe(f'<pre class="text" dir="auto">\n{html}</pre>')
