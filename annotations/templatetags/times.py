"""Times and shares as the pace pages write them."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def took(milliseconds: float | None) -> str:
    """A span somebody looked or worked for: 0.8 s, 12 s, 3 min 05 s, 2 h 10 min."""
    if milliseconds is None:
        return "—"
    seconds = milliseconds / 1000
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


@register.filter
def minutes(milliseconds: float | None) -> str:
    """The same in minutes, for what things cost."""
    return "—" if milliseconds is None else f"{milliseconds / 60_000:.1f}" if milliseconds >= 6_000 else "< 0.1"


@register.filter
def seconds(number: float) -> str:
    """A limit as it was asked for: 2, 2.5."""
    return f"{number:g}"
