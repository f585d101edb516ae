"""What a plot shows, before it is drawn: points with intervals in rows, or lines over places. Numbers from 0 to 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any, NamedTuple

from annotations.records import Json


class Point(NamedTuple):
    """A share and its interval; None is not known, and not drawn."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


class Forest(NamedTuple):
    """A row for each thing, with a point for each of `series`."""

    name: str
    series: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Point]]]


class Lines(NamedTuple):
    """A line for each of `series` over the same places; a place without a number breaks it. `across` names them."""

    name: str
    across: str
    places: Sequence[str]
    series: Sequence[tuple[str, Sequence[float | None]]]


def point(figure: Mapping[str, Json] | None) -> Point:
    """Of a figure as reports keep it: {"value", "low", "high"}."""
    return Point(*(figure.get(name) for name in Point._fields)) if figure else Point()


def forest(name: str, series: Sequence[str], rows: Sequence[tuple[str, Sequence[Any]]]) -> Forest | None:
    """Without the things and the series of which nothing is known; None where there is nothing to see."""
    drawn = [(title, [point(one) for one in figures]) for title, figures in rows]
    seen = [any(points[at].value is not None for _, points in drawn) for at in range(len(series))]
    known = [
        (title, list(compress(points, seen))) for title, points in drawn if any(one.value is not None for one in points)
    ]
    return Forest(name, list(compress(series, seen)), known) if known else None
