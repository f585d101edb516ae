"""How far a first progressive pass has come: the last step it shows."""

from __future__ import annotations

from annotations.models import Annotation, Step
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.schema import Scheme
from annotations.services import around, completeness
from annotations.services.board import Board

ALWAYS = ("choice", "scale", "progress", "taxonomy", "rubric")  # kinds that every step has an answer to


def gates(scheme: Scheme) -> list[FieldSpec]:
    """What has to be said of a step before the next one is shown: the field that is sealed then, or the main one; where
    that need not be said of each step, the fields that must be. None: nothing holds the reader up, and all steps are
    shown."""
    main = scheme.field(scheme.foresight) or scheme.main_field
    if main.of_step and main.when is None and (main.required or main.kind in ALWAYS):
        return [main]
    return [spec for spec in scheme.step_fields if spec.required and spec.when is None]


def first(trajectory_id: int, scheme: Scheme) -> int | None:
    """Where a pass begins: everything up to the agent's first step; None where it has none."""
    steps = Step.objects.filter(trajectory_id=trajectory_id)
    if not gates(scheme):
        return steps.order_by("-index").values_list("index", flat=True).first()
    return steps.filter(source=Step.Source.AGENT).values_list("index", flat=True).first()


def moved(board: Board) -> int | None:
    """The frontier now that the board says what it says: on to the agent's next step once the one it stands at has its
    label, be it one that a person took over from the step before; behind the last one, to the end."""
    annotation = board.annotation
    at = annotation.frontier
    if at is None or not _is_done(board, at):
        return at
    following = _after(annotation, at)
    while following != at and not _is_asked(board, following):
        at, following = following, _after(annotation, following)
    return following


def _is_done(board: Board, index: int) -> bool:
    names = _names(board, index)
    return bool(names) and all((index, name) in board.labels for name in names)


def _is_asked(board: Board, index: int) -> bool:
    return not any(map(around.has_parts, gates(board.scheme))) or bool(_names(board, index))


def _names(board: Board, index: int) -> list[str]:
    """The names that the gates have at that step: one a part, where they ask of parts."""
    specs = gates(board.scheme)
    parts = around.parts(board.annotation, board.scheme).get(index, {}) if any(map(around.has_parts, specs)) else {}
    return [name for spec in specs for name in completeness.names(spec, parts.get(spec.name))]


def is_through(annotation: Annotation) -> bool:
    """Whether every step of the agent has been shown."""
    if annotation.frontier is None:
        return True
    steps = Step.objects.of_agent().filter(trajectory_id=annotation.trajectory_id)
    return not steps.filter(index__gt=annotation.frontier).exists()


def _after(annotation: Annotation, index: int) -> int:
    ahead = Step.objects.filter(trajectory_id=annotation.trajectory_id, index__gt=index).order_by("index")
    found = ahead.of_agent().values_list("index", flat=True).first()
    if found is None:
        found = ahead.values_list("index", flat=True).last()
    return index if found is None else found
