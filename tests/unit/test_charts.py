"""Charts say what they draw, and take no markup from names or values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from annotations.schemes import shipped
from annotations.services.answers import Mark, Voice
from annotations.services.axis import Strip
from annotations.templatetags import charts

VOICE = Voice(shipped()["agent-process"].main_field)


def marked(value: Any) -> Mark | None:
    return None if value is None else VOICE.mark(value)


def said(*values: Any, by: str = "", implied: Collection[int] = ()) -> Strip:
    """A strip of one cell a step; `implied` are places that a rule filled in."""
    counts = Counter(VOICE.mark(value) for value in values if value is not None)
    return Strip(by, [(marked(value), at in implied) for at, value in enumerate(values)], counts, len(values))


def test_a_strip_draws_each_value_in_its_place_and_reads_itself_aloud() -> None:
    drawn = charts.strip(said(1, 0, -1, None, -1, by="Ines", implied=[4]))
    assert 'aria-label="Ines: +1 0 −1 · −1"' in drawn
    assert '<path class="right" d="M0 0h10v5h-10z"/>' in drawn
    assert '<path class="neutral" d="M12 4h10v2h-10z"/>' in drawn
    assert '<path class="wrong" d="M24 5h10v5h-10z"/>' in drawn
    assert '<path class="wrong implied" d="M48 5h10v5h-10z"/>' in drawn


def test_a_long_strip_counts_instead() -> None:
    assert charts.in_words(said(*[1] * 30, -1, -1, None)) == "33 steps: 30 × +1, 2 × −1"


def test_a_strip_whose_cells_are_shared_says_what_stands_in_all() -> None:
    right, wrong = VOICE.mark(1), VOICE.mark(-1)
    drawn = charts.strip(Strip("Ines", [(right, False), (wrong, False)], {right: 29_999, wrong: 1}, 30_000))
    assert 'aria-label="Ines: 30,000 steps: 29,999 × +1, 1 × −1"' in drawn
    assert drawn.count("<path") == 2


def test_a_name_and_a_value_are_text() -> None:
    drawn = charts.strips([said("</svg><script>", by='"><script>')])
    assert "<script>" not in drawn
    assert drawn.count("<svg") == drawn.count("</svg>") == 1
    assert "<script>" not in charts.curve([0.5], "<script>")


def test_a_curve_breaks_where_nothing_was_said() -> None:
    drawn = charts.curve([1.0, None, 0.0], "scorer")
    assert "2 steps scored, lowest 0.00" in drawn
    assert 'd="M5.0 2.0M29.0 38.0"' in drawn


def test_an_interval_spans_its_ends_and_nothing_is_drawn_of_nothing() -> None:
    assert "M20.0 5H80.0" in charts.interval(0.2, 0.5, 0.8)
    assert "M0.0 5H" in charts.interval(-0.3, 0.1, 0.2), "what lies below the floor is drawn at it"
    assert charts.interval(None, None, None) == ""


class Span:
    def __init__(self, **counts: int) -> None:
        self.counts, self.total = counts, sum(counts.values())


def test_a_histogram_stacks_to_the_tallest_bar() -> None:
    drawn = charts.histogram([Span(right=3, wrong=1), Span(right=0, wrong=2)], "scores")
    assert 'aria-label="scores: 6 in 2 bins' in drawn
    assert '<path class="right" d="M1.0 30.00h198.00v90.00h-198.00z"/>' in drawn
    assert drawn.count("<path") == 3, "an axis, and a path for each class"
    assert "<svg" in charts.histogram([], "nothing")
