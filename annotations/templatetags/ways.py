"""The picture of the ways that rollouts take, as SVG. Its table stands below it and says the same, so the picture is
hidden from screen readers and its links from the keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from django import template
from django.utils.safestring import SafeString, mark_safe

from annotations.rendering.marks import is_hidden
from annotations.services.paths_words import Shown
from annotations.topology.graph import Through
from annotations.topology.layout import WIDTH, Box, Layout, Line

register = template.Library()

LONGEST = 15  # characters of a tool's name that fit
THICK = 5  # of the line that most rollouts take


@register.simple_tag
def ways(layout: Layout, rows: Sequence[Shown]) -> SafeString:
    """Boxes for stretches of states, as tall as many rollouts go through them; lines as thick as many go along."""
    most = max((line.weight for line in layout.lines), default=1)
    lines = "".join(_line(line, layout.boxes, most) for line in layout.lines)
    boxes = "".join(_box(box, row) for box, row in zip(layout.boxes, rows, strict=True))
    return mark_safe(
        f'<svg class="ways" width="{layout.width}" height="{layout.height}"'
        f' viewBox="0 0 {layout.width} {layout.height}" aria-hidden="true">{lines}{boxes}</svg>'
    )


@register.filter
def counted(through: Through) -> str:
    """How many passed: "3 of 4", and of how many nothing is known."""
    known = f"{through.passed} of {through.known}" if through.known else "not known"
    left = through.rollouts - through.known
    return f"{known}, {left} not known" if left and through.known else known


@register.filter
def level(through: Through) -> str:
    """The class that colours it: five from "none passed" to "all did"."""
    return "unknown" if through.share is None else f"s{round(through.share * 4)}"


def _box(box: Box, row: Shown) -> str:
    stretch, middle = row.stretch, box.y + box.height / 2
    through = stretch.through
    more = f" +{len(stretch.states) - 1}" if len(stretch.states) > 1 else ""
    name = row.title if len(row.title) <= LONGEST else row.title[: LONGEST - 1] + "…"
    name = escape("".join("\ufffd" if is_hidden(one) else one for one in name))  # HTML for a mark would end the SVG
    said = f"{through.passed}/{through.known}" if through.known else "?"
    if through.known < through.rollouts:
        said += f" ({through.rollouts})"
    return (
        f'<a href="#stretch-{stretch.number}" tabindex="-1"><g class="{level(through)}">'
        f"<title>{escape(f'{stretch.number}: {through.rollouts} rollouts, passed {counted(through)}')}</title>"
        f'<rect x="{box.x}" y="{box.y}" width="{WIDTH}" height="{box.height}" rx="4"/>'
        f'<text class="name" x="{box.x + 7}" y="{middle - 3:.0f}">{stretch.number}</text>'
        f'<text class="said" x="{box.x + WIDTH - 7}" y="{middle - 3:.0f}">{said}</text>'
        f'<text class="tool" x="{box.x + 7}" y="{middle + 12:.0f}">{name}{more}</text></g></a>'
    )


def _line(line: Line, boxes: Sequence[Box], most: int) -> str:
    tail, head = boxes[line.tail], boxes[line.head]
    wide = f"{1 + (THICK - 1) * line.weight / most:.1f}"
    if line.back:  # around below, dashed
        low = max(tail.y + tail.height, head.y + head.height) + 9
        way = (
            f"M{tail.x + WIDTH} {tail.middle:.0f}C{tail.x + WIDTH + 26} {low} {tail.x + WIDTH} {low}"
            f" {tail.x + WIDTH - 20} {low}H{head.x + 20}C{head.x} {low} {head.x - 26} {low} {head.x} {head.middle:.0f}"
        )
        return f'<path class="back" stroke-width="{wide}" d="{way}"/>'
    start, end = tail.x + WIDTH, head.x
    bend = min(40, (end - start) / 2)
    way = (
        f"M{start} {tail.middle:.0f}C{start + bend:.0f} {tail.middle:.0f}"
        f" {end - bend:.0f} {head.middle:.0f} {end} {head.middle:.0f}"
    )
    return f'<path stroke-width="{wide}" d="{way}"/>'
