"""Rows for a process reward model: a prompt, the steps, and a label for each, of the kind that is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import solutions
from annotations.formats.processbench import first_error
from annotations.formats.writer import Option, Writer
from annotations.records import Json, Labelled, StepRecord

KINDS = Option(
    "labels",
    "Labels",
    "hard",
    (
        ("hard", "true or false"),
        ("ternary", "1, 0 or -1"),
        ("soft", "P(not wrong) of a scorer"),
        ("q", "Values of a search tree"),
    ),
)
ZERO = Option(
    "zero",
    "A neutral step",
    "null",
    (("null", "No label"), ("drop", "Cut before it"), ("true", "Count it as true"), ("false", "Count it as false")),
    "Asked of labels that are true or false only.",
)
PROPAGATED = Option(
    "propagated",
    "A label that a rule filled in",
    "labelled",
    (("labelled", "As labelled"), ("masked", "No label")),
    "Training on an error that was carried on counts it once a step.",
)
VALUES = ("q", "value", "score")  # what a step's value is called, the best known name first


class PRMRows(Writer):
    """All steps are in the row, and a step without a label of the kind has null, so that a loss can pass over it. Of a
    tree there is a row for each way to a leaf (one for ways that were cut to the same steps), without a final label:
    the verdict is on the whole tree. `first_error` goes by the grades, whatever kind the labels are: the
    index of the first wrong step, -1 where every step is graded and none is wrong, null where it is not known. A label
    that is masked is not graded. A trajectory with no label at all is not written."""

    name = "prm-rows"
    title = "Rows for process reward models (JSONL)"
    purpose = "reward"
    keeps = "Prompt, steps as text, a label or a number for each, whose they are, the first error and the verdict."
    loses = "Explanations, corrections, how a tree branches, and how tool calls and thoughts were kept apart."
    options = (KINDS, ZERO, PROPAGATED)

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        asked = {one.name: one.default for one in self.options} | dict(asked)
        for labelled in rollouts:
            made: set[tuple[int, ...]] = set()
            for way in solutions.written(labelled.record):
                row = _row(labelled, way, asked)
                if row and (places := way.places[: len(row["steps"])]) not in made:
                    made.add(places)
                    yield row


def _row(labelled: Labelled, way: solutions.Written, asked: Mapping[str, Any]) -> dict[str, Json] | None:
    grades = way.labels(labelled, masked=asked["propagated"] == "masked")
    until = len(grades)
    if (asked["labels"], asked["zero"]) == ("hard", "drop") and 0 in grades:
        until = grades.index(0)
    labels = _labels(labelled, way, grades, asked)[:until]
    if all(label is None for label in labels):
        return None
    return {
        "prompt": way.prompt,
        "steps": list(way.steps[:until]),
        "labels": labels,
        "label_source": {"soft": "scorer", "q": "tree"}.get(asked["labels"], labelled.by),
        "first_error": first_error(grades[:until]),
        "final_label": way.final(labelled),
    }


def _labels(
    labelled: Labelled, way: solutions.Written, grades: Sequence[int | None], asked: Mapping[str, Any]
) -> list[Json]:
    if asked["labels"] == "soft":
        return [labelled.scores.get(place) for place in way.places]
    if asked["labels"] == "q":
        return [_value(labelled.record.steps[place]) for place in way.places]
    if asked["labels"] == "ternary":
        return list(grades)
    neutral = {"true": True, "false": False}.get(asked["zero"])
    return [None if grade is None else neutral if grade == 0 else grade > 0 for grade in grades]


def _value(step: StepRecord) -> float | None:
    """The step's value in the tree it comes from."""
    values = step.extra.get("values") if isinstance(step.extra, dict) else None
    said = [values.get(name) for name in VALUES] if isinstance(values, dict) else []
    return next((float(one) for one in said if isinstance(one, int | float) and not isinstance(one, bool)), None)
