"""Agreement on stretches of text that does not need them to be the same.

Characters: every code point of every text that two raters looked at is a unit, and what a rater says of it is the set
of types of their spans that cover it, empty outside all of them. Alpha over these units (Krippendorff 2011) has the
MASI distance over all types at once, and is nominal, covered or not, for one type. This is the reading of unitised
texts by their intersections in Krippendorff, Mathet, Bouvry and Widlöcher, "On the reliability of unitizing textual
continua" (2016), as an ordinary alpha: not Krippendorff's older unitising coefficient, which squares lengths. Spans of
one rater may overlap. Text that everybody leaves out hardly moves it: both disagreements shrink alike.

Spans: F1 = 2 * matched / all spans of the two, matched one to one as often as can be, for every two raters who looked
at the text. Hripcsak and Rothschild, "Agreement, the F-measure, and Reliability in Information Retrieval" (2005): what
kappa comes to where there is no end of things that nobody marked. Matched are spans of the same type that are equal
(exact), that share a code point (overlap), or whose intersection is half of their union or more (iou).

By hand: a text of 10, one rater marks 2-6, the other 4-8, same type. Inside/outside: both in 2 code points, both out 4,
apart 4; n = 20, inside 8, outside 12; alpha = 1 - 19 * 8 / (2 * 8 * 12) = 5/24. F1: exact 0, overlap 1, iou 2/6: 0.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

import numpy as np

from annotations.tables import SpanTable
from models_service.statistics import units
from models_service.statistics.coefficients import ratio
from models_service.statistics.figures import Block, Floats, Measure
from models_service.statistics.units import SILENT, Units

NOT_READ = "No text was looked at by two raters."
NO_SPANS = "Nobody marked anything in a text that two raters looked at."
SAME = "All characters are marked alike, so agreement cannot be told from chance."


class Stretch(NamedTuple):
    start: int
    end: int


def equal(one: Stretch, other: Stretch) -> bool:
    return one == other


def overlap(one: Stretch, other: Stretch) -> bool:
    return one.start < other.end and other.start < one.end


def half(one: Stretch, other: Stretch) -> bool:
    """Intersection over union at least one half."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    return 2 * shared >= one.end - one.start + other.end - other.start - shared


MATCHES: dict[str, Callable[[Stretch, Stretch], bool]] = {"exact": equal, "overlap": overlap, "iou": half}


def matched(ours: Sequence[Stretch], theirs: Sequence[Stretch], match: Callable[[Stretch, Stretch], bool]) -> int:
    """How many can be paired one to one at most (augmenting paths; Kuhn 1955). 0-9 against 0-3 and 4-9 overlaps both:
    one pair."""
    near = [[place for place, other in enumerate(theirs) if match(one, other)] for one in ours]
    taken: dict[int, int] = {}
    return sum(_augmented(start, near, taken) for start in range(len(ours)))


def _augmented(start: int, near: Sequence[Sequence[int]], taken: dict[int, int]) -> bool:
    """Find a partner for one more, moving others to another where that helps."""
    came_from: dict[int, int] = {}
    queue = [start]
    for one in queue:
        for place in near[one]:
            if place in came_from:
                continue
            came_from[place] = one
            if place in taken:
                queue.append(taken[place])
                continue
            _hand_over(place, came_from, taken)
            return True
    return False


def _hand_over(place: int, came_from: dict[int, int], taken: dict[int, int]) -> None:
    """Each on the way gives up the partner it had for the one that was found for it."""
    partners = {one: held for held, one in taken.items()}
    at: int | None = place
    while at is not None:
        one = came_from[at]
        taken[at] = one
        at = partners.get(one)


@dataclass
class Text:
    """One text: what each of its readers marked, by number of the rater."""

    task: int
    length: int
    marks: dict[int, list[tuple[Stretch, int]]] = field(default_factory=dict)

    def stretches(self) -> Iterator[tuple[int, dict[int, frozenset[int]]]]:
        """Its code points, those that everybody marked alike in one: how many, and the types each reader gave them."""
        ends = sorted({0, self.length, *(edge for marks in self.marks.values() for span, _ in marks for edge in span)})
        types: dict[int, list[set[int]]] = {rater: [set() for _ in ends[1:]] for rater in self.marks}
        for rater, marks in self.marks.items():
            for span, kind in marks:
                for place in range(bisect_left(ends, span.start), bisect_left(ends, span.end)):
                    types[rater][place].add(kind)
        for place, (start, end) in enumerate(zip(ends, ends[1:], strict=False)):
            yield end - start, {rater: frozenset(found[place]) for rater, found in types.items()}

    def of_type(self, rater: int) -> dict[int, list[Stretch]]:
        found: dict[int, list[Stretch]] = defaultdict(list)
        for span, kind in self.marks[rater]:
            found[kind].append(span)
        return found


def texts(table: SpanTable, raters: Sequence[int]) -> list[Text]:
    """The texts that two of these raters looked at."""
    wanted = set(raters)
    found = [Text(task, length) for task, length in zip(table.text_task, table.text_length, strict=True)]
    for rater, text in zip(table.reader_rater, table.reader_text, strict=True):
        if rater in wanted:
            found[text].marks[rater] = []
    spans = zip(table.span_rater, table.span_text, table.span_start, table.span_end, table.span_type, strict=True)
    for rater, text, start, end, kind in spans:
        if rater in found[text].marks and start < (end := min(end, found[text].length)):
            found[text].marks[rater].append((Stretch(start, end), kind))
    return [text for text in found if len(text.marks) > 1]


def blocks(table: SpanTable, raters: Sequence[int], tasks: int) -> list[dict[str, Block]]:
    """The figures over all types, then of each type: alpha_characters, f1_exact, f1_overlap, f1_iou."""
    read = texts(table, raters)
    characters, values = _characters(read, raters, tasks)
    sums = _matches(read, len(table.types), tasks)
    found = [{"characters": _alpha(units.sets(characters, values, "text"), "alpha_masi"), "spans": _f1(sums[0])}]
    for kind in range(len(table.types)):
        inside = np.array([kind in value for value in values] + [False])
        covered = np.where(characters.labels == SILENT, SILENT, inside[characters.labels].astype(np.int64))
        of_type = Units(covered, characters.filled, characters.weight, characters.task, tasks)
        found.append(
            {"characters": _alpha(units.nominal(of_type, 2, "text"), "alpha_nominal"), "spans": _f1(sums[1 + kind])}
        )
    return found


def _characters(read: Sequence[Text], raters: Sequence[int], tasks: int) -> tuple[Units, list[frozenset[int]]]:
    columns = {rater: place for place, rater in enumerate(raters)}
    values: dict[frozenset[int], int] = {}
    rows: list[list[int]] = []
    weight: list[int] = []
    task: list[int] = []
    for text in read:
        for length, said in text.stretches():
            row = [SILENT] * len(raters)
            for rater, value in said.items():
                row[columns[rater]] = values.setdefault(value, len(values))
            rows.append(row)
            weight.append(length)
            task.append(text.task)
    labels = np.array(rows, dtype=np.int64).reshape(len(rows), len(raters))
    filled = np.zeros(labels.shape, dtype=bool)
    found = Units(labels, filled, np.array(weight, dtype=np.float64), np.array(task, dtype=np.int64), tasks)
    return found, list(values)


def _matches(read: Sequence[Text], types: int, tasks: int) -> Floats:
    """(1 + types, tasks, 5), the first over all types: twice the matched of each kind, all spans of each pair of
    readers, and all spans, each once."""
    sums = np.zeros((1 + types, tasks, 2 + len(MATCHES)))
    for text in read:
        if not any(text.marks.values()):
            continue
        spans = {rater: text.of_type(rater) for rater in text.marks}
        for one, other in combinations(spans, 2):
            for kind in {*spans[one], *spans[other]}:
                ours, theirs = spans[one][kind], spans[other][kind]
                pair = [2 * matched(ours, theirs, match) for match in MATCHES.values()] + [len(ours) + len(theirs)]
                sums[1 + kind, text.task, :-1] += pair
        for found in spans.values():
            for kind, each in found.items():
                sums[1 + kind, text.task, -1] += len(each)
    sums[0] = sums[1:].sum(axis=0)
    return sums


def _alpha(block: Block, key: str) -> Block:
    """Of a block over characters, alpha alone: nearly all characters are outside, so equal shares say little."""
    of = block.measures[key]
    why = Measure(of.of, of.n, lambda sums: SAME if sums[2] else NOT_READ)
    return Block(block.sums, {"alpha_characters": why})


def _f1(sums: Floats) -> Block:
    def rate(place: int) -> Callable[[Floats], Floats]:
        return lambda found: ratio(found[..., place], found[..., -2])

    def n(found: Floats) -> float:
        return float(found[-1])

    return Block(sums, {f"f1_{key}": Measure(rate(place), n, lambda _: NO_SPANS) for place, key in enumerate(MATCHES)})
