"""A scheme as an annotator will see it: the label page's own controls over the scheme's sample. Nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from annotations.formats import chat
from annotations.formats.base import Refused
from annotations.models import Project, Step
from annotations.records import Json, StepRecord, TaskRecord, TrajectoryRecord
from annotations.schemes import keys as scheme_keys
from annotations.schemes.fields import RubricField
from annotations.schemes.schema import Scheme
from annotations.services import desk, rubrics
from annotations.viewer.leaf import Leaf
from annotations.views import fields, turns, workbench

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
    return {
        "turns": turns.turns(steps, {}),
        "step_fields": [workbench._control(spec, scheme, items) for spec in scheme.step_fields],
        "trajectory_fields": [workbench._control(spec, scheme, items) for spec in scheme.trajectory_fields],
        "pointing": [workbench._control(spec, scheme) for spec in fields.pointing(scheme)],
        "stock": not own,
        "no_sample": why,
        "data": _data(scheme, agent, own) | {"items": items},
    }


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
