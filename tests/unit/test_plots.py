"""Plots as SVG: what is known is drawn where it belongs, and nothing that a stranger wrote breaks out."""

from __future__ import annotations

from xml.etree import ElementTree

from annotations.plots import Lines, forest
from annotations.templatetags import plots

SVG = "{http://www.w3.org/2000/svg}"


def drawn(html: str) -> ElementTree.Element:
    start = html.index('<svg class="forest"' if "forest" in html else '<svg class="over"')
    text = html[start : html.index("</svg>", start) + 6]
    return ElementTree.fromstring(text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def figure(value: float | None, low: float | None = None, high: float | None = None) -> dict[str, float | None]:
    return {"value": value, "low": low, "high": high}


def test_a_point_stands_where_its_share_is_and_its_interval_around_it():
    plot = forest("Right", ["right"], [("a", [figure(0.5, 0.25, 0.75)])])
    svg = drawn(plots.forest(plot))
    [group] = list(svg.iter(f"{SVG}g"))
    span, dot = group.findall(f"{SVG}path")
    middle, quarter = plots.LEFT + plots.ACROSS / 2, plots.ACROSS / 4
    assert dot.attrib["transform"].startswith(f"translate({middle:.1f} ")
    assert span.attrib["d"].startswith(f"M{middle - quarter:.1f} ")
    assert span.attrib["d"].endswith(f"H{middle + quarter:.1f}")
    assert "The table says the same" in svg.attrib["aria-label"]


def test_what_is_not_known_is_not_drawn_and_a_plot_of_nothing_is_none():
    plot = forest("Right", ["one", "two"], [("a", [figure(None), figure(0.2)]), ("b", [None, figure(None)])])
    assert plot is not None
    assert (plot.series, [title for title, _ in plot.rows]) == (["two"], ["a"])
    assert len(list(drawn(plots.forest(plot)).iter(f"{SVG}g"))) == 1
    assert forest("Right", ["one"], [("a", [figure(None)])]) is None
    assert plots.forest(None) == plots.lines(None) == ""


def test_a_line_breaks_where_nothing_is_known():
    svg = drawn(plots.lines(Lines("Along", "of the way", ["0", "1", "2", "3"], [("wrong", [0.0, 1.0, None, 0.5])])))
    [way] = [one for one in svg.iter(f"{SVG}path") if one.attrib.get("class") == "way"]
    assert way.attrib["d"].count("M") == 2
    assert way.attrib["d"].startswith(f"M{plots.EDGE}.0 {plots.TOP + plots.TALL}.0L")
    assert len([one for one in svg.iter(f"{SVG}path") if "transform" in one.attrib]) == 3


def test_several_series_have_a_legend_with_shapes_of_their_own():
    html = plots.forest(forest("Right", ["one", "two"], [("a", [figure(0.1), figure(0.2)])]))
    assert html.count("<figcaption") == 1 and 'class="p0"' in html and 'class="p1"' in html
    assert "<figcaption" not in plots.forest(forest("Right", ["one"], [("a", [figure(0.1)])]))
    assert len(set(plots.SHAPES)) == len(plots.DASHES) == 6


def test_of_many_rows_the_first_are_drawn_and_the_rest_counted():
    plot = forest("Right", ["right"], [(f"r{number}", [figure(0.1)]) for number in range(plots.MOST + 2)])
    html = plots.forest(plot)
    assert len(list(drawn(html).iter(f"{SVG}g"))) == plots.MOST
    assert "2 more in the table" in html


def test_names_of_strangers_stay_text():
    html = plots.forest(forest('"><b>', ["<i>"], [("</svg><script>\u202e", [figure(0.1)])]))
    assert "<script" not in html and "<b>" not in html and "\u202e" not in html
    assert "&lt;/svg&gt;&lt;script&gt;\ufffd" in html
    drawn(html)
