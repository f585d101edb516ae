"""Which answers of a pass from a file the project's scheme and the trajectory can take, and why not the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from annotations.records import AnswerRecord, Json, PassRecord
from annotations.schemes import moving
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.rules import Place
from annotations.schemes.schema import Scheme
from annotations.services import around
from annotations.services.grounds import Ground

LISTED = 20  # names that a reason lists


class Saying(NamedTuple):
    """A label as tables hold it. `cause` is the id of the step whose label implied it."""

    value: Json
    origin: str
    cause: int | None
    explanation: str
    suggestion: Json


@dataclass
class Fitting:
    """`sayings` by the place of their step and their field; `problems` as (where in the pass, why)."""

    sayings: dict[Place, AnswerRecord] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)


class _Unfit(Exception):
    """Why an answer cannot be taken, and which part of it that is."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(reason)
        self.part, self.reason = part, reason


def fit(scheme: Scheme, ground: Ground, said: PassRecord, numbers: Mapping[int, int]) -> Fitting:
    """The answers that can be taken, with the steps they name where these stand now."""
    found = Fitting()
    for one in said.answers:
        try:
            taken = _taken(scheme, ground, one, numbers)
            if (taken.place, taken.field) in found.sayings:
                raise _Unfit("field", "found a second answer at this place; accepted is one")
            found.sayings[taken.place, taken.field] = taken
        except _Unfit as no:
            found.problems.append((f"labels[{one.number}].{no.part}", f"{_named(one, said)}: {no.reason}"))
    _causes(found, said)
    return found


def _taken(scheme: Scheme, ground: Ground, said: AnswerRecord, numbers: Mapping[int, int]) -> AnswerRecord:
    spec = scheme.field(said.field)
    if said.place is not None and said.place not in ground.agents:
        raise _Unfit("step", f"found no such step of the agent; accepted are {_listed(ground.agents)}")
    if spec is None or spec.of_step != (said.place is not None):
        target = "the trajectory" if said.place is None else "a step"
        names = [one.name for one in scheme.fields if one.of_step == (said.place is not None)]
        asked = f"{scheme.name} {scheme.version} asks of {target} {_listed(names)}"
        raise _Unfit("field", f"found the field {said.field!r}; {asked}")
    name = _moved_name(spec, said.field, numbers)
    if ("@" in name) != around.has_parts(spec) or not ground.is_part(spec, said.place, name):
        raise _Unfit("field", f"found {said.field!r}; accepted is the field asked of {around.asked_of(spec)}")
    here = ground.around(spec, said.place, name)
    moved = _moved_value(spec, said.value, numbers)
    if reason := spec.refusal(moved, here):
        raise _Unfit("value", f"{reason}; accepted is {_listed(spec.accepted(here))}")
    # What stood there first is no label of now, so nothing is said of it where the field cannot take it.
    first = None if spec.refusal(said.first_value) else spec.moved(said.first_value, numbers)
    return replace(said, field=name, value=moved, first_value=first)


def _moved_value(spec: FieldSpec, value: Json, numbers: Mapping[int, int]) -> Json:
    """The value where the steps it names stand now. One of another shape is left to be refused."""
    moved = moving.value(spec, value, numbers)
    if moved is None and value is not None:
        steps = _listed(sorted(numbers))
        raise _Unfit("value", f"found {value!r}, which names a step that the record does not have; it has {steps}")
    return moved


def _moved_name(spec: FieldSpec, name: str, numbers: Mapping[int, int]) -> str:
    moved = moving.name(spec, name, numbers)
    if moved is None:
        raise _Unfit("field", f"found {name!r}, which names a step that the record does not have")
    return moved


def _causes(found: Fitting, said: PassRecord) -> None:
    """A label that a rule brought stays only with the one that implied it."""
    sayings = found.sayings
    while orphans := [one for one in sayings.values() if one.origin == "propagated" and not _has_cause(found, one)]:
        for one in orphans:
            del sayings[one.place, one.field]
            reason = "its cause is no label that came in; accepted is the id of the step whose label implied it"
            found.problems.append((f"labels[{one.number}].cause", f"{_named(one, said)}: {reason}"))
    for place, one in sayings.items():
        if one.cause is not None and not _has_cause(found, one):
            sayings[place] = replace(one, cause=None)


def _has_cause(found: Fitting, said: AnswerRecord) -> bool:
    return said.cause is not None and said.cause != said.place and (said.cause, said.field) in found.sayings


def _named(said: AnswerRecord, by: PassRecord) -> str:
    of = "the trajectory" if said.place is None else f"step {said.place}" if said.place >= 0 else "a step"
    return f"{said.field} of {of} by {by.kind}:{by.rater}"


def _listed(names: Sequence[Json]) -> str:
    shown = ", ".join(map(str, names[:LISTED])) or "nothing"
    return shown + (", …" if len(names) > LISTED else "")
