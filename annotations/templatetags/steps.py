"""Showing text that a stranger wrote: escaped, and with nothing hidden in it."""

from __future__ import annotations

import re
import unicodedata

from django import template
from django.template.defaultfilters import filesizeformat
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

# Control characters, zero-width ones and those that turn the direction of text. A zero-width joiner inside an emoji
# is part of the emoji.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
    "|(?<![\U0001f000-\U0001faff\ufe0f])\u200d"
)


@register.filter
def visible(text: str) -> SafeString:
    """The text escaped, each hidden character as a mark that names it."""
    return mark_safe(_HIDDEN.sub(_mark, escape(text)))


def _mark(found: re.Match[str]) -> str:
    code = f"U+{ord(found[0]):04X}"
    name = unicodedata.name(found[0], "control character").lower()
    return format_html('<span class="hidden-character" title="{} {}">{}</span>', code, name, code)


@register.filter
def size(count: int) -> str:
    """A number of bytes for people."""
    return filesizeformat(count)
