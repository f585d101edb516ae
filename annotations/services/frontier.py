"""How far a first progressive pass has come: the last step it shows."""

from __future__ import annotations

from annotations.models import Annotation, Step
from annotations.services.board import Board


def first(trajectory_id: int) -> int | None:
    """Where a pass begins: everything up to the agent's first step; None where it has none."""
    steps = Step.objects.of_agent().filter(trajectory_id=trajectory_id)
    return steps.values_list("index", flat=True).first()


def moved(board: Board) -> int | None:
    """The frontier now that the board says what it says: on to the agent's next step once the one it stands at has a
    label, be it one that a person took over from the step before; behind the last one, to the end."""
    annotation = board.annotation
    if annotation.frontier is None:
        return None
    if (annotation.frontier, board.scheme.main) not in board.labels:
        return annotation.frontier
    return _after(annotation, annotation.frontier)


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
