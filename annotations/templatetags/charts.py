"""Charts as SVG text, coloured by classes of pages.css. Each is a picture of numbers the page also says as a table.

No markup comes from outside: what goes in are numbers, and names through format_html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Protocol

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from annotations.schemes.schema import Scheme
from annotations.services import legends
from annotations.services.answers import Mark
from annotations.services.axis import Strip
from annotations.services.heat import Cell

register = template.Library()

CELL, GAP = 10, 2
SIDE = 200


@register.simple_tag
def strip(one: Strip, classes: str = "") -> SafeString:
    """One cell per step, or per some steps where there are many. At most five paths however many cells there are."""
    width = max(1, len(one.cells)) * (CELL + GAP) - GAP
    words = escape(f"{one.rater}: {in_words(one)}" if one.rater else in_words(one))
    # Not format_html: a list draws a hundred of these.
    return mark_safe(
        f'<svg class="strip {classes}" width="{width}" viewBox="0 0 {width} {CELL}" preserveAspectRatio="none"'
        f' role="img" aria-label="{words}">{"".join(_paths(one.cells))}</svg>'
    )


@register.simple_tag
def strips(rows: Iterable[Strip]) -> SafeString:
    """Small strips one above another, one a rater."""
    return mark_safe("".join(strip(one, "mini") for one in rows))


@register.simple_tag
def heat_strip(cells: Sequence[Cell]) -> SafeString:
    """One cell a step: the taller, the further apart; a line where fewer than two have spoken."""
    width = max(1, len(cells)) * (CELL + GAP) - GAP
    drawn: dict[str, list[str]] = {"blank": [], "agreed": [], "apart": []}
    for place, cell in enumerate(cells):
        x = place * (CELL + GAP)
        if not cell.apart:
            kind = "blank" if cell.apart is None else "agreed"
            drawn[kind].append(f"M{x} {CELL - 1}h{CELL}v1h-{CELL}z")
            continue
        tall = max(3, round(cell.apart * CELL))
        drawn["apart"].append(f"M{x} {CELL - tall}h{CELL}v{tall}h-{CELL}z")
    differ = sum(bool(cell.apart) for cell in cells)
    words = escape(f"Raters differ in {differ:,} of {len(cells):,} cells")
    paths = "".join(f'<path class="{kind}" d="{"".join(parts)}"/>' for kind, parts in drawn.items() if parts)
    return mark_safe(
        f'<svg class="strip heat" width="{width}" viewBox="0 0 {width} {CELL}" preserveAspectRatio="none"'
        f' role="img" aria-label="{words}">{paths}</svg>'
    )


@register.filter
def legend(scheme: Scheme) -> list[Mark]:
    """What strips of the scheme say."""
    return legends.of(scheme)


@register.simple_tag
def glyph(mark: Mark) -> SafeString:
    """The one cell that an answer makes in a strip, for a legend."""
    return mark_safe(
        f'<svg class="strip glyph" width="{CELL}" viewBox="0 0 {CELL} {CELL}" aria-hidden="true">'
        f"{''.join(_paths([(mark, False)]))}</svg>"
    )


def _paths(cells: Sequence[tuple[Mark | None, bool]]) -> Iterable[str]:
    drawn: dict[str, list[str]] = {}
    for place, (mark, implied) in enumerate(cells):
        x = place * (CELL + GAP)
        if mark is None:
            drawn.setdefault("blank", []).append(f"M{x} {CELL / 2 - 0.5}h{CELL}v1h-{CELL}z")
            continue
        kind, (top, bottom) = mark.look or "other", mark.bar
        bar = f"M{x} {top}h{CELL}v{bottom - top}h-{CELL}z"
        drawn.setdefault(f"{kind} implied" if implied else kind, []).append(bar)
    for kind, parts in drawn.items():
        yield f'<path class="{kind}" d="{"".join(parts)}"/>'


def in_words(one: Strip) -> str:
    """A strip read aloud: all of a short one, the counts of a long one."""
    if one.steps <= 20 and len(one.cells) == one.steps:
        apart = ", " if any(mark and " " in mark.words for mark, _ in one.cells) else " "
        return apart.join("·" if mark is None else mark.words for mark, _ in one.cells) or "no steps"
    said = ", ".join(f"{count:,} × {mark.words}" for mark, count in one.counts.items() if count)
    return f"{one.steps:,} steps: {said or 'none labelled'}"


@register.simple_tag
def curve(values: Sequence[float | None], name: str = "") -> SafeString:
    """Numbers in 0..1 over the steps, on the strips' axis; a step without one breaks the line."""
    height = 40
    parts, dots, pen = [], [], "M"
    for place, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        x, y = place * (CELL + GAP) + CELL / 2, round(height - 2 - value * (height - 4), 1)
        parts.append(f"{pen}{x} {y}")
        dots.append(f"M{x - 1.5} {y - 1.5}h3v3h-3z")
        pen = "L"
    said = [value for value in values if value is not None]
    words = f"{name}: {len(said)} steps scored, lowest {min(said):.2f}" if said else f"{name}: nothing scored"
    return format_html(
        '<svg class="curve" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path class="axis" d="M0 {}H{}"/><path class="line" d="{}"/><path class="dots" d="{}"/></svg>',
        max(1, len(values)) * (CELL + GAP) - GAP,
        height,
        words,
        height / 2,
        max(1, len(values)) * (CELL + GAP),
        "".join(parts) or "M0 0",
        "".join(dots) or "M0 0",
    )


class Bar(Protocol):
    """One bar of a histogram: counts by class in the order they are stacked, and their sum."""

    @property
    def counts(self) -> Mapping[str, int]: ...

    @property
    def total(self) -> int: ...


@register.simple_tag
def histogram(bins: Sequence[Bar], name: str) -> SafeString:
    """Stacked bars over equal spans; the classes are those of labels, or "count"."""
    width, height, top = 400, 120, max((one.total for one in bins), default=0) or 1
    each = width / max(1, len(bins))
    drawn: dict[str, list[str]] = {}
    for place, one in enumerate(bins):
        y = float(height)
        for kind, count in one.counts.items():
            tall = count / top * height
            y -= tall
            if count:
                x = round(place * each + 1, 2)
                drawn.setdefault(kind, []).append(f"M{x} {y:.2f}h{each - 2:.2f}v{tall:.2f}h-{each - 2:.2f}z")
    paths = "".join(f'<path class="{kind}" d="{"".join(parts)}"/>' for kind, parts in drawn.items())
    return format_html(
        '<svg class="histogram" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path class="axis" d="M0 {}H{}"/>{}</svg>',
        width,
        height,
        f"{name}: {sum(one.total for one in bins)} in {len(bins)} bins; the table below says the same.",
        height,
        width,
        mark_safe(paths),
    )


@register.simple_tag
def interval(low: float | None, value: float | None, high: float | None, floor: float = 0) -> SafeString:
    """A number and its interval on the line from `floor` to 1."""
    if value is None:
        return mark_safe("")
    low, high = (value if end is None else end for end in (low, high))
    start, point, end = (round(100 * (max(floor, one) - floor) / (1 - floor), 1) for one in (low, value, high))
    return format_html(
        '<svg class="interval" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="axis" d="M0 5H100"/><path class="line" d="M{} 5H{}"/>'
        '<path class="dots" d="M{} 1h1.6v8h-1.6z"/></svg>',
        start,
        end,
        max(0, point - 0.8),
    )


@register.simple_tag
def risk_coverage(rows: Sequence[Mapping[str, Any]]) -> SafeString:
    """Errors among the surest labels, from the few on the left to all on the right: what is expected, and what was
    found where it is known. The height is the greatest of them."""
    top = max((one[name] or 0.0 for one in rows for name in ("expected", "error")), default=0.0) or 1.0
    return format_html(
        '<svg class="reliability risk" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path class="frame" d="M0 0H{}V{}H0z"/>{}</svg>',
        2 * SIDE,
        SIDE,
        f"Errors among accepted labels at {len(rows)} shares, at most {top:.3f}; the table below says the same.",
        2 * SIDE,
        SIDE,
        mark_safe(_risk(rows, "error", "before", top) + _risk(rows, "expected", "after", top)),
    )


def _risk(rows: Sequence[Mapping[str, Any]], name: str, kind: str, top: float) -> str:
    points = [(2 * SIDE * one["coverage"], SIDE * (1 - one[name] / top)) for one in rows if one[name] is not None]
    if not points:
        return ""
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dots = "".join(f"M{x - 2:.1f} {y - 2:.1f}h4v4h-4z" for x, y in points)
    return f'<g class="{kind}"><path class="line" d="M{line}"/><path class="dots" d="{dots}"/></g>'


@register.simple_tag
def reliability(report: Mapping[str, Any], method: str) -> SafeString:
    """What was said against what was seen, both from 0 to 1, a dot a bin; on the diagonal the two are equal. As the
    scorer says it and by the method, one line where that leaves it unchanged."""
    bins = report["bins"]
    ways = ["after"] if method == "unchanged" or "before" not in bins else ["before", "after"]
    return format_html(
        '<svg class="reliability" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<path class="frame" d="M0 0H{}V{}H0z"/><path class="axis" d="M0 {}L{} 0"/>{}</svg>',
        SIDE,
        SIDE,
        f"Reliability: said against seen in {len(bins['after'])} bins; the table below says the same.",
        SIDE,
        SIDE,
        SIDE,
        SIDE,
        mark_safe("".join(_reliability(bins[way], way) for way in ways)),
    )


def _reliability(bins: Sequence[Mapping[str, float]], kind: str) -> str:
    """A line through the bins; of what is calibrated also the interval of what was seen."""
    points = [(one["said"] * SIDE, (1 - one["seen"]) * SIDE) for one in bins]
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dots = "".join(f"M{x - 2:.1f} {y - 2:.1f}h4v4h-4z" for x, y in points)
    spans = "".join(
        f"M{one['said'] * SIDE:.1f} {(1 - one['low']) * SIDE:.1f}V{(1 - one['high']) * SIDE:.1f}"
        for one in bins
        if one["low"] is not None and kind == "after"
    )
    whiskers = f'<path class="range" d="{spans}"/>' if spans else ""
    return f'<g class="{kind}">{whiskers}<path class="line" d="M{line}"/><path class="dots" d="{dots}"/></g>'
