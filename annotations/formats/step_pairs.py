"""What the rows of better and worse steps leave open, and which pairs that comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import pairs, step_text
from annotations.formats.pairs import Pair, Wanted
from annotations.formats.writer import Option
from annotations.records import Labelled, StepRecord

SOURCES = Option(
    "sources",
    "Where pairs come from",
    "every",
    (
        ("every", "Everywhere"),
        ("siblings", "Graded steps of a tree that were tried after the same one"),
        ("rollouts", "Graded steps of rollouts that begin with equal actions"),
        ("corrections", "A step and how somebody says it should have been"),
        ("values", "Steps of a tree by their values"),
    ),
)
GRADES = Option(
    "grades",
    "Two grades that make a pair",
    "right-wrong",
    (("right-wrong", "Right and wrong"), ("any", "A higher one and a lower one")),
)
MARGIN = Option("margin", "By how much two values differ at least", 0.0, least=0.0)
ENDS = Option(
    "values",
    "Values of the steps after the same one",
    "ends",
    (("ends", "The best against the worst"), ("every", "Every two")),
)
PREFIX = Option(
    "prefix",
    "The steps before",
    "sound",
    (("sound", "None of them is wrong"), ("any", "Whatever they are")),
)
RESULTS = Option(
    "results",
    "What tools answered the two steps",
    "without",
    (("without", "Left out: the model does not write it"), ("with", "With each step")),
)
OPTIONS = (SOURCES, GRADES, MARGIN, ENDS, PREFIX, RESULTS)


def found(rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[Pair]:
    """The pairs that are asked for. A pair whose steps read the same, or of which one says nothing, is none."""
    source = asked["sources"]
    wanted = Wanted(
        sources=pairs.SOURCES if source == "every" else (source,),
        any_grade=asked["grades"] == "any",
        least_value=float(asked["margin"]),
        ends=asked["values"] == "ends",
        after_errors=asked["prefix"] == "any",
    )
    for pair in pairs.find(rollouts, wanted):
        chosen, rejected = step_text.said(better(pair)).strip(), step_text.said(pair.rejected.step).strip()
        if chosen and rejected and chosen != rejected:
            yield pair


def better(pair: Pair) -> StepRecord:
    """The better step; one that somebody wrote has nothing but its message."""
    rejected = pair.rejected.step
    return pair.chosen.step if pair.chosen else StepRecord("agent", rejected.source_index, pair.correction)
