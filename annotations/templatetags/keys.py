"""Keys as people read them, as static/js/help.js writes them on the label page."""

from __future__ import annotations

import re

from django import template

register = template.Library()

SHOWN = {
    "ArrowDown": "↓",
    "ArrowUp": "↑",
    "ArrowLeft": "←",
    "ArrowRight": "→",
    "Escape": "Esc",
    "Mod": "Ctrl",
    "-": "−",
    " ": "Space",
}


@register.filter
def presses(key: str) -> list[str]:
    """What is pressed one after the other: "g g" is g and g, "Mod+z" is Ctrl+Z."""
    return [_shown(one) for one in key.split(" ")] if key.strip() else [_shown(key)]


def _shown(key: str) -> str:
    *held, last = (SHOWN.get(part, part) for part in re.split(r"\+(?=.)", key))
    return "+".join([*held, last.upper() if held and len(last) == 1 else last])
