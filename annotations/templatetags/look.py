"""Links to steps and words for them, on pages of a server and on pages that stand alone."""

from __future__ import annotations

from typing import Any

from django import template

from annotations.services.axis import Place

register = template.Library()


@register.simple_tag(takes_context=True)
def to(context: dict[str, Any], index: int) -> str:
    """The address of a step on this page: with the window that has it, unless the page has them all."""
    return f"#step-{index}" if context.get("alone") else f"?at={index}#step-{index}"


@register.filter
def named(place: Place) -> str:
    """A step by its number among the agent's, else by its place."""
    return f"#{place.index}" if place.number is None else f"step {place.number:,}".replace(",", "\u202f")


@register.filter
def short(place: Place) -> str:
    """Where it was said already that numbers are those of steps."""
    return named(place).removeprefix("step ")


@register.filter
def spaced(values: list[int]) -> str:
    """Numbers for a data attribute."""
    return " ".join(map(str, values))


@register.filter
def listed(names: list[str]) -> str:
    """a, b and c; of many the first ones."""
    shown = names if len(names) <= 6 else [*names[:5], f"{len(names) - 5} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


@register.filter
def has(among: frozenset[int], one: int) -> bool:
    return one in among


@register.filter
def fold_same(address: str) -> str:
    """The address of a comparison with what is the same in all folded."""
    return address.replace("&same=shown", "")
