"""Showing text that a stranger wrote: escaped, and with nothing hidden in it."""

from __future__ import annotations

from django import template
from django.template.defaultfilters import filesizeformat
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from annotations.rendering.marks import marked

register = template.Library()


@register.filter
def visible(text: str) -> SafeString:
    """The text escaped, each hidden character as a mark that names it."""
    return mark_safe(marked(escape(text)))


@register.filter
def size(count: int) -> str:
    """A number of bytes for people."""
    return filesizeformat(count)
