"""A scheme as an annotator will see it: the label page's own controls over the scheme's sample. Nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from annotations.formats import chat
from annotations.formats.base import Refused
from annotations.models import Project, Step
from annotations.records import Json, StepRecord, TaskRecord, TrajectoryRecord
from annotations.rendering import shown
from annotations.rendering.parts import parts
from annotations.schemes import keys as scheme_keys
from annotations.schemes.fields import RubricField, SpansField
from annotations.schemes.schema import Scheme
from annotations.schemes.sentences import sentences
from annotations.services import desk, rubrics
from annotations.viewer.leaf import Leaf
from annotations.views import fields, turns, workbench
from annotations.views.turns import Turn

EXAMPLE: list[Json] = [
    {"role": "user", "content": "How long does the ferry to the island take?"},
    {
        "role": "assistant",
        "content": "I look for the timetable. It should name the length of the crossing.",
        "tool_calls": [{"id": "1", "function": {"name": "search", "arguments": '{"query": "island ferry timetable"}'}}],
    },
    {"role": "tool", "tool_call_id": "1", "content": "Departures 08:10 and 14:30. Crossing: 55 minutes."},
    {"role": "assistant", "content": "The ferry takes 55 minutes. It leaves twice a day."},
]


def preview(scheme: Scheme) -> dict[str, Any]:
    """What the preview draws, and what its script starts from."""
    records, own, why = _steps(scheme)
    items = _items(scheme)
    steps = Leaf(TrajectoryRecord(TaskRecord("sample"), records), "").steps(0, len(records))
    agent = [step.index for step in steps if step.source == Step.Source.AGENT]
    controls = [workbench._control(spec, scheme, items) for spec in scheme.step_fields]
    drawn = turns.turns(steps, {})
    return {
        "places": [
            (_written(turn, step) if marks_text(scheme) else turn, list(_groups(controls, step)))
            for turn, step in zip(drawn, steps, strict=True)
        ],
        "trajectory_fields": [workbench._control(spec, scheme, items) for spec in scheme.trajectory_fields],
        "pointing": [workbench._control(spec, scheme) for spec in fields.pointing(scheme)],
        "stock": not own,
        "no_sample": why,
        "data": _data(scheme, agent, own) | {"items": items},
    }


def marks_text(scheme: Scheme) -> bool:
    """Whether something is marked in the texts, so that they have to stand as they were written."""
    return any(isinstance(spec, SpansField) for spec in scheme.fields)


def _written(turn: Turn, step: Step) -> Turn:
    texts = {one.name: one for one in parts(step)}
    blocks = [
        replace(block, shown=shown.written(texts[block.part].text, block.kind, block.title)) for block in turn.blocks
    ]
    return replace(turn, blocks=tuple(blocks))


def _groups(controls: Sequence[dict[str, Any]], step: Step) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(of what, its controls): the step's own, then those of each of its parts."""
    by_target: dict[str, list[dict[str, Any]]] = {}
    for one in controls:
        by_target.setdefault(one["spec"].target, []).append(one)
    yield "", by_target.get("step", [])
    if asked := by_target.get("tool_call"):
        for place, call in enumerate(step.tool_calls):
            yield f"Call {place + 1}: {call.get('name', '')}", [one | {"part": f"call-{place}"} for one in asked]
    if asked := by_target.get("sentence"):
        for start, end in sentences(step.message):
            yield f"“{step.message[start:end]}”", [one | {"part": f"{start}-{end}"} for one in asked]


def _steps(scheme: Scheme) -> tuple[tuple[StepRecord, ...], bool, str]:
    """The turns of the sample, whether they are its own, and why not where it has one that cannot be read."""
    if scheme.sample is None:
        return chat.steps_of(EXAMPLE), False, ""
    try:
        return chat.steps_of([dict(one) for one in scheme.sample.messages]), True, ""
    except Refused as no:
        return chat.steps_of(EXAMPLE), False, f"{no.field}: {no.reason}"


def _items(scheme: Scheme) -> dict[str, list[Json]]:
    """The lists that the sample's task brings for the rubrics, by field."""
    reference = scheme.sample.reference if scheme.sample else None
    found = {
        spec.name: rubrics.of_reference(reference, spec.name) for spec in scheme.fields if isinstance(spec, RubricField)
    }
    return {name: listed for name, listed in found.items() if listed is not None}


def _data(scheme: Scheme, agent: Sequence[int], own: bool) -> dict[str, Json]:
    """As the label page has it, but for what only a stored pass has."""
    said = scheme.sample.answers if own and scheme.sample else ()
    labels = [
        {
            "step": None if one.step is None else agent[one.step],
            "field": one.field,
            "value": one.value,
            "origin": "human",
            "cause": None,
        }
        for one in said
        if one.step is None or 0 <= one.step < len(agent)
    ]
    return {
        "scheme": workbench._told(scheme),
        "propagation": Project.Propagation.SUGGEST,
        "keys": [action._asdict() for action in scheme_keys.actions(scheme)],
        "steps": desk.runs(agent),
        "state": {"labels": labels, "revision": 0, "state": "draft"},
    }
