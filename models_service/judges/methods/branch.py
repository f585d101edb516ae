"""Branch and rethink: the case is judged from two sides, and only where they part it is thought about again."""

from __future__ import annotations

from dataclasses import replace

from annotations.formats.lines import dump
from annotations.judges import prompts
from annotations.schemes.judging import path
from annotations.schemes.rules import Place
from models_service.judges.asked import Asking, Case, Judging, Verdict, together
from models_service.judges.methods import once
from models_service.judges.methods.telling import told_of
from models_service.judges.prompting import Extra


def asking(judging: Judging, case: Case) -> Asking[Verdict]:
    """What both sides say stands; the open places are asked again with what each said there. Where only one side could
    be read, its word stands, and that is told."""
    other_side = Extra(rules=prompts.part("method-other-side").filled())
    sides = [once.asking(judging, case), once.asking(judging, case, number=1, extra=other_side)]
    one, other = yield from together(sides)
    if one.failed or other.failed:
        left = other if one.failed else one
        left.detail["branch"] = {"failed": one.failed or other.failed}
        return left
    points = open_points(case, one, other)
    if not points:
        one.detail["branch"] = {"open": []}
        return one
    asked = replace(case, arounds={place: case.arounds[place] for place in points})
    told = f"### One side\n\n{told_of(asked, one)}\n\n### The other side\n\n{told_of(asked, other)}"
    rules = prompts.part("method-rethink").filled(said=told)
    again = yield from once.asking(judging, asked, number=2, extra=Extra(rules=rules))
    return _joined(case, one, again, points)


def open_points(case: Case, one: Verdict, other: Verdict) -> list[Place]:
    """Where they part, with every place of such a step: a step's answers hang together."""

    def parts(place: Place) -> bool:
        spec = case.scheme.field(place[1])
        known = spec is not None and spec.level != "none"
        return known and dump(one.labels.get(place)) != dump(other.labels.get(place))

    steps = {place[0] for place in case.arounds if parts(place)}
    return [place for place in case.arounds if place[0] in steps]


def _joined(case: Case, one: Verdict, again: Verdict, points: list[Place]) -> Verdict:
    """What was thought about again in place of what was open; open places that could not be read have no label."""
    made = Verdict(dict(one.labels), dict(one.explanations), detail=one.detail | {"again": again.detail})
    for place in points:
        made.labels.pop(place, None)
        made.explanations.pop(place, None)
    made.labels |= again.labels
    made.explanations |= again.explanations
    made.detail["branch"] = {"open": [path(place) for place in points]}
    if again.failed:
        made.detail["branch"]["failed"] = again.failed
    if not made.labels:
        made.failed = again.failed
    return made
