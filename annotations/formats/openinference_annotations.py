"""Labels as annotations of spans: to be sent to Phoenix, or as OpenInference's attributes of the spans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import training
from annotations.formats.lines import dump
from annotations.formats.loose import listed, mapping
from annotations.formats.turns import words
from annotations.formats.writer import Option, Writer
from annotations.records import Json, Labelled, RatingRecord, StepRecord

SHAPE = Option(
    "shape",
    "What a row is",
    "upload",
    (("upload", "An annotation to upload to Phoenix"), ("attributes", "OpenInference attributes of the span")),
)
KIND = Option(
    "annotator",
    "Whose word it is",
    "rater",
    (
        ("rater", "As the rater's kind says"),
        ("HUMAN", "People's"),
        ("LLM", "A language model's"),
        ("CODE", "A program's"),
    ),
)
KINDS = {"judge": "LLM", "scorer": "CODE"}
STEP, WHOLE = "step_label", "trajectory_label"
GRADES = {1: "right", 0: "neutral", -1: "wrong"}


class OpenInferenceAnnotations(Writer):
    """One row a labelled step, named by its span, or by the step where it came of none; the verdicts on the whole are
    in a file of their own, named by the trace. `score` is 1 for right, 0 for neither and -1 for wrong. `identifier` is
    the rater: uploaded again, a row takes the place of the one before."""

    name = "openinference-annotations"
    title = "OpenInference annotations of spans (JSONL)"
    purpose = "elsewhere"
    keeps = "Each label with its grade, explanation and rater, the span and trace it is of, corrections."
    loses = "The conversation itself, which is where the spans are."
    options = (SHAPE, KIND)
    graded = False
    packed = frozenset(["metadata"])

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        return (row for name, row in self.files(rollouts, asked) if not name)

    def files(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Json]]]:
        asked = training.usual(self.options, asked)
        shaped = _attributes if asked["shape"] == "attributes" else _upload
        for labelled in rollouts:
            kind = _kind(labelled.by) if asked["annotator"] == "rater" else asked["annotator"]
            trace, rating = _trace(labelled), labelled.record.rating or RatingRecord()
            for place in labelled.steps:
                if place in labelled.grades:
                    step = labelled.record.steps[place]
                    where = {"trace_id": trace, "span_id": _span(labelled, step)}
                    told = _told(STEP, labelled.grades[place], rating.steps.get(step.source_index))
                    told |= _because(labelled.explanations.get(place, ""))
                    yield "", shaped(where, told, labelled.by, kind, _beside(labelled, place))
            if labelled.final is not None:
                told = _told(WHOLE, labelled.final, rating.final) | _because(rating.final_explanation)
                where = {"trace_id": trace} | ({"span_id": root} if (root := _root(labelled)) else {})
                yield "traces", shaped(where, told, labelled.by, kind, _about(labelled))


def _told(name: str, grade: int, given: Json) -> dict[str, Json]:
    """The label under its own name where it has one, and as a number."""
    return {"name": name, "label": given if isinstance(given, str) else GRADES[grade], "score": grade}


def _because(explanation: str) -> dict[str, Json]:
    return {"explanation": explanation} if explanation else {}


def _upload(
    where: dict[str, str], told: dict[str, Json], by: str, kind: str, about: dict[str, Json]
) -> dict[str, Json]:
    result = {key: value for key, value in told.items() if key != "name"}
    return {
        **where,
        "name": told["name"],
        "annotator_kind": kind,
        "result": result,
        "identifier": by,
        "metadata": about,
    }


def _attributes(
    where: dict[str, str], told: dict[str, Json], by: str, kind: str, about: dict[str, Json]
) -> dict[str, Json]:
    said = {**told, "annotator_kind": kind, **({"identifier": by} if by else {}), "metadata": dump(about)}
    return {**where, **{f"annotations.0.annotation.{key}": value for key, value in said.items()}}


def _about(labelled: Labelled) -> dict[str, Json]:
    return {"task": labelled.record.task.external_id, "trajectory": labelled.record.external_id}


def _beside(labelled: Labelled, place: int) -> dict[str, Json]:
    about = _about(labelled) | {"step": place}
    if place in labelled.propagated:
        about["propagated"] = True
    if correction := labelled.corrections.get(place):
        about["correction"] = correction
    return about


def _kind(by: str) -> str:
    return KINDS.get(by.partition(":")[0], "HUMAN")


def _trace(labelled: Labelled) -> str:
    return words(mapping(labelled.record.meta), "trace_id") or labelled.record.external_id


def _span(labelled: Labelled, step: StepRecord) -> str:
    given = words(mapping(mapping(step.extra).get("fields")), "span_id")
    return given or step.stable_id or f"{labelled.record.external_id}:{step.source_index}"


def _root(labelled: Labelled) -> str:
    """The span that the others of the trace hang from, where the trajectory came of spans."""
    spans = listed(mapping(mapping(labelled.record.extra).get("fields")).get("spans"))
    return next((words(one, "id") for one in spans if not words(one, "parent") and words(one, "id")), "")
