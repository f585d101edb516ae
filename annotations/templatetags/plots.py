"""Plots as SVG, coloured by classes of pages.css. A table beside each says the same. Series differ in shape or dash as
well as in colour; names of strangers are escaped, with nothing hidden in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from django import template
from django.utils.safestring import SafeString, mark_safe

from annotations.plots import Forest, Lines, Point
from annotations.rendering.marks import is_hidden

register = template.Library()

LEFT, ACROSS, RIGHT = 10, 410, 12  # the axis from 0 to 1, and the halves of its last ticks
TOP, NAME, ROW, BETWEEN, BELOW = 4, 18, 13, 8, 24  # a group's name, its series, the gap after it, and the ticks
LONGEST = 60  # characters of a name
TICKS = (0, 0.25, 0.5, 0.75, 1)
TALL, WIDE, EDGE = 170, 375, 40  # of lines
MOST = 40  # rows that are drawn; the table has all
# Shapes around 0, 0, four units to each side.
SHAPES = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
    "M-3.5 -3.5h7v7h-7z",
    "M0 -4.6l4.4 8h-8.8z",
    "M0 -5l5 5l-5 5l-5 -5z",
    "M-4 -1.3h2.7v-2.7h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7z",
    "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0zM-2.2 0a2.2 2.2 0 1 1 4.4 0a2.2 2.2 0 1 1 -4.4 0z",
)
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 4", "12 4")


@register.simple_tag
def forest(plot: Forest | None) -> SafeString:
    """Points with their intervals on the line from 0 to 1: for each thing its name, and below it a point a series."""
    if plot is None:
        return mark_safe("")
    rows, each = plot.rows[:MOST], NAME + ROW * len(plot.series) + BETWEEN
    bottom = TOP + each * len(rows)
    drawn = "".join(_group(title, points, TOP + place * each) for place, (title, points) in enumerate(rows))
    body = f"{_ticks(bottom)}{drawn}"
    whole = _whole(plot.name, plot.series, LEFT + ACROSS + RIGHT, bottom + BELOW, body, "forest")
    left = len(plot.rows) - len(rows)
    return whole + mark_safe(f'<p class="muted small">{left} more in the table.</p>' if left else "")


@register.simple_tag
def lines(plot: Lines | None) -> SafeString:
    """Lines over places, from 0 at the bottom to 1 at the top."""
    if plot is None:
        return mark_safe("")
    step = WIDE / max(1, len(plot.places) - 1)
    axis = "".join(
        f'<path class="axis" d="M{EDGE} {_y(tick):.0f}h{WIDE}"/>'
        f'<text class="end" x="{EDGE - 6}" y="{_y(tick) + 4:.0f}">{tick:g}</text>'
        for tick in TICKS
    )
    every = max(1, -(-len(plot.places) // 12))
    axis += "".join(
        f'<text class="mid" x="{EDGE + at * step:.0f}" y="{TOP + TALL + 18}">{_shown(place)}</text>'
        for at, place in enumerate(plot.places)
        if at % every == 0
    )
    axis += f'<text class="mid" x="{EDGE + WIDE / 2:.0f}" y="{TOP + TALL + 36}">{_shown(plot.across)}</text>'
    drawn = "".join(_line(number, values, step) for number, (_, values) in enumerate(plot.series))
    names = [name for name, _ in plot.series]
    return _whole(plot.name, names, EDGE + WIDE + 20, TOP + TALL + 46, axis + drawn, "over")


def _whole(name: str, series: Sequence[str], width: int, height: int, body: str, kind: str) -> SafeString:
    said = f"{name}: {', '.join(series)}. The table says the same."
    drawn = f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(said)}">{body}</svg>'
    wrap = f'<div class="plot-wrap" tabindex="0" role="region" aria-label="Plot: {escape(name)}">{drawn}</div>'
    return mark_safe(f'<figure class="plot">{_legend(series)}{wrap}</figure>')


def _legend(series: Sequence[str]) -> str:
    """What each shape stands for; nothing where there is one alone, which the heading names."""
    keys = (
        f'<span><svg class="p{number % len(SHAPES)}" width="14" height="12" viewBox="-7 -6 14 12" aria-hidden="true">'
        f'<path d="{SHAPES[number % len(SHAPES)]}"/></svg>{_shown(name)}</span>'
        for number, name in enumerate(series)
    )
    return f'<figcaption class="legend small">{"".join(keys)}</figcaption>' if len(series) > 1 else ""


def _ticks(bottom: int) -> str:
    return "".join(
        f'<path class="axis" d="M{_x(tick):.0f} {TOP}V{bottom}"/>'
        f'<text class="mid" x="{_x(tick):.0f}" y="{bottom + 16}">{tick:g}</text>'
        for tick in TICKS
    )


def _group(title: str, points: Sequence[Point], top: int) -> str:
    name = f'<text x="{LEFT}" y="{top + NAME - 5}">{_shown(title)}</text>'
    return name + "".join(_point(number, one, top + NAME + ROW * (number + 0.5)) for number, one in enumerate(points))


def _point(number: int, one: Point, y: float) -> str:
    if one.value is None:
        return ""
    kind = number % len(SHAPES)
    span = (
        f'<path class="span" d="M{_x(one.low):.1f} {y}H{_x(one.high):.1f}"/>'
        if one.low is not None and one.high is not None
        else ""
    )
    dot = f'<path transform="translate({_x(one.value):.1f} {y})" d="{SHAPES[kind]}"/>'
    return f'<g class="p{kind}"><title>{one.value:.3f}</title>{span}{dot}</g>'


def _line(number: int, values: Sequence[float | None], step: float) -> str:
    kind = number % len(SHAPES)
    ways = "".join(_strokes(values, step))
    dots = "".join(
        f'<path transform="translate({EDGE + at * step:.1f} {_y(value):.1f})" d="{SHAPES[kind]}"/>'
        for at, value in enumerate(values)
        if value is not None
    )
    dash = f' stroke-dasharray="{DASHES[kind]}"' if DASHES[kind] else ""
    return f'<g class="p{kind}"><path class="way" d="{ways or "M0 0"}"{dash}/>{dots}</g>'


def _strokes(values: Sequence[float | None], step: float) -> Iterator[str]:
    for known, some in groupby(enumerate(values), key=lambda one: one[1] is not None):
        if known:
            yield "M" + "L".join(f"{EDGE + at * step:.1f} {_y(value or 0):.1f}" for at, value in some)


def _x(value: float) -> float:
    return LEFT + ACROSS * min(1.0, max(0.0, value))


def _y(value: float) -> float:
    return TOP + TALL * (1 - min(1.0, max(0.0, value)))


def _shown(text: str) -> str:
    """A stranger's text for an SVG, where the HTML of a mark would end it."""
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return escape("".join("\ufffd" if is_hidden(one) else one for one in text))
