"""What a pass still lacks before it can be handed in, and what it says that is not asked any more."""

from __future__ import annotations

from collections.abc import Iterator

from annotations.records import Json
from annotations.schemes import rules
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.rules import Effect, Place
from annotations.services import around
from annotations.services.board import Board, Labels, Said


def missing(board: Board, labels: Labels) -> list[Json]:
    """Required places without a whole answer in reading order, then what a rule objects to: {"step", "field"}, and
    "reason" where something is there already. The board must hold every step."""
    effects = board.effects(labels)
    found = [one for place, spec in places(board) if (one := _lack(board, labels, effects, place, spec))]
    for one in effects:
        found += [{"step": step, "field": field, "reason": reason} for (step, field), reason in one.problems.items()]
    return found


def places(board: Board) -> Iterator[tuple[Place, FieldSpec]]:
    """Every place the scheme asks, in reading order; a rubric without a list asks nothing."""
    parts = around.parts(board.annotation, board.scheme)
    silent = {spec.name for spec in board.scheme.fields if around.asks_nothing(board.annotation, spec)}
    for step in (*board.steps, None):
        for spec in board.scheme.trajectory_fields if step is None else board.scheme.step_fields:
            for name in () if spec.name in silent else names(spec, parts.get(step, {}).get(spec.name)):
                yield (step, name), spec


def names(spec: FieldSpec, parts: list[str] | None) -> list[str]:
    """The names a field is asked under at a place: its own, or one a part. What compares siblings is asked of the first
    of them, and of no other step."""
    if around.has_parts(spec) or (spec.kind == "preference" and spec.of_step):
        return [f"{spec.name}@{part}" if part else spec.name for part in parts or ()]
    return [spec.name]


def set_aside(board: Board, labels: Labels) -> dict[Place, Said]:
    """The labels without those at places that the rules do not ask any more."""
    effects = board.effects(labels)
    return {place: one for place, one in labels.items() if not rules.is_closed(effects, *place)}


def _lack(board: Board, labels: Labels, effects: list[Effect], place: Place, spec: FieldSpec) -> Json:
    step, name = place
    one = labels.get(place)
    if one is None:
        return {"step": step, "field": name} if spec.required and not rules.is_closed(effects, *place) else None
    if type(spec).lacking is FieldSpec.lacking or rules.is_closed(effects, *place):
        return None
    reason = spec.lacking(one.value, around.of(board.annotation, spec, step, name))
    return {"step": step, "field": name, "reason": reason} if reason else None
