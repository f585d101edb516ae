"""What is known of judges beside their labels: how they were asked, what that cost and took, what they were taught
with, and how sure they were."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q, Sum

from annotations.models import Annotation, Judge, JudgeVerdict, Label, Project, Rater
from annotations.records import Json
from annotations.services import agreement

FROM_FILE = "Its labels came from a file, so what asking it cost and took is not known here."
NO_CALLS = "No question of its is kept."
NO_PRICE = "{} of its {} answers have no known price."


@dataclass(frozen=True)
class Spent:
    """What the standing passes of a judge took. `unpriced` of the `calls` have no known cost, `untimed` no time."""

    passes: int
    calls: int
    cost_micro: int
    unpriced: int
    latency_ms: int
    untimed: int


@dataclass
class Chances:
    """Parallel arrays, as in JudgedTable."""

    rater: array[int] = field(default_factory=lambda: array("i"))
    step: array[int] = field(default_factory=lambda: array("i"))
    shares: list[tuple[float, ...]] = field(default_factory=list)


def about(project: Project, known: Sequence[Rater]) -> dict[int, dict[str, Any]]:
    """By the rater's place, of those who are no people: "judge" (id, name, version, model, reading, sight, method,
    guideline), or null where the labels came from a file; "cost": {"per_1000_steps", "currency", "reason"}; "seconds":
    {"per_trajectory", "reason"}; "calls"."""
    raters = [rater.pk for rater in known]
    judges = {one.rater_id: one for one in _judges(project)}
    spent, labelled = _spent(project), _labelled(project, raters)
    found = {}
    for place, rater in enumerate(raters):
        if known[place].kind in (Rater.Kind.HUMAN, Rater.Kind.CONSENSUS):
            continue
        judge = judges.get(rater)
        told = spent.get(rater)
        found[place] = {
            "judge": None if judge is None else _said(judge),
            "cost": _cost(judge, told, labelled.get(rater, 0)),
            "seconds": _seconds(judge, told),
            "calls": told.calls if told else None,
        }
    return found


def taught(project: Project, raters: Sequence[int], rows: Mapping[int, int]) -> dict[int, frozenset[int]]:
    """The trajectories, by their rows in the table, of the examples that each judge is shown."""
    places = {rater: place for place, rater in enumerate(raters)}
    shown = {one.rater_id: one.settings.get("examples") or [] for one in _judges(project)}
    labels = {each["label"] for several in shown.values() for each in several if each.get("label")}
    found = Label.objects.filter(pk__in=labels, annotation__rater__project=project)
    of_label = dict(found.values_list("pk", "annotation__trajectory"))
    return {
        places[rater]: frozenset(rows[one] for one in _trajectories(several, of_label) if one in rows)
        for rater, several in shown.items()
        if several and rater in places
    }


def chances(
    project: Project, name: str, values: Sequence[Json], raters: Sequence[int], steps: Mapping[tuple[int, int], int]
) -> Chances:
    """What verdicts say of each value in the field of that name. `steps` are units by trajectory and the step's
    index."""
    places = {rater: place for place, rater in enumerate(raters)}
    spelled = {json.dumps(value, ensure_ascii=False): at for at, value in enumerate(values)}
    verdicts = JudgeVerdict.objects.filter(
        annotation__in=agreement.counted(project).exclude(state=Annotation.State.FAILED).values("pk"),
        annotation__scheme=project.scheme_id,
        detail__has_key="chances",
    ).order_by("pk")
    found = Chances()
    read = verdicts.values_list("annotation__rater", "annotation__trajectory", "detail__chances")
    for rater, trajectory, said in read.iterator(chunk_size=500):
        for path, shares in said.items() if rater in places and isinstance(said, dict) else ():
            unit = steps.get((trajectory, _index(path, name)))
            if unit is not None and (row := _shares(shares, spelled)):
                found.rater.append(places[rater])
                found.step.append(unit)
                found.shares.append(row)
    return found


def _index(path: str, name: str) -> int:
    """The step's index in "steps.3.label"; -1 where it is of no step, or of another field."""
    parts = path.split(".", 2)
    return int(parts[1]) if len(parts) == 3 and parts[0] == "steps" and parts[2] == name and parts[1].isdigit() else -1


def _shares(shares: Any, spelled: Mapping[str, int]) -> tuple[float, ...]:
    """In the order of the values; () where they are no numbers, or none is above 0."""
    if not isinstance(shares, dict):
        return ()
    row = [0.0] * len(spelled)
    for value, share in shares.items():
        if value in spelled and isinstance(share, int | float) and share >= 0:
            row[spelled[value]] += float(share)
    return tuple(row) if sum(row) > 0 else ()


def _judges(project: Project) -> Iterable[Judge]:
    return project.judges.select_related("server", "guideline").defer("prompt").order_by("pk")


def _said(judge: Judge) -> dict[str, Any]:
    asked = judge.settings
    return {
        "id": judge.pk,
        "name": judge.name,
        "version": judge.version,
        "model": judge.model,
        "prompt": judge.prompt_name,
        "reading": asked.get("reading", "whole"),
        "sight": asked.get("sight", "blind"),
        "method": asked.get("method", "single"),
        "guideline": judge.guideline.version if judge.guideline else None,
        "retired": judge.retired_at is not None,
    }


def _spent(project: Project) -> dict[int, Spent]:
    """By rater."""
    standing = JudgeVerdict.objects.filter(annotation__in=agreement.counted(project).values("pk"))
    rows = standing.values("annotation__rater").annotate(
        passes=Count("pk", distinct=True),
        asked=Count("calls"),
        cost=Sum("calls__cost_micro"),
        unpriced=Count("calls", filter=Q(calls__cost_micro__isnull=True)),
        took=Sum("calls__latency_ms"),
        untimed=Count("calls", filter=Q(calls__latency_ms__isnull=True)),
    )
    return {
        one["annotation__rater"]: Spent(
            one["passes"], one["asked"], one["cost"] or 0, one["unpriced"], one["took"] or 0, one["untimed"]
        )
        for one in rows.order_by()
    }


def _labelled(project: Project, raters: Sequence[int]) -> dict[int, int]:
    """How many steps each has labelled in passes that stand."""
    standing = agreement.counted(project).exclude(state=Annotation.State.FAILED).filter(rater__in=raters)
    labels = Label.objects.current().filter(annotation__in=standing.values("pk"), step__isnull=False)
    many = labels.order_by().values_list("annotation__rater").annotate(n=Count("step", distinct=True))
    return dict(many)


def _cost(judge: Judge | None, spent: Spent | None, labelled: int) -> dict[str, Any]:
    """In millionths, of a thousand labelled steps; what answers cost that failed is among it."""
    prices = judge.server.prices if judge else None
    found: dict[str, Any] = {"per_1000_steps": None, "currency": (prices or {}).get("currency", ""), "reason": ""}
    if judge is None or spent is None or not spent.calls:
        return found | {"reason": FROM_FILE if judge is None else NO_CALLS}
    if spent.unpriced:
        return found | {"reason": NO_PRICE.format(spent.unpriced, spent.calls)}
    if not labelled:
        return found | {"reason": "It has labelled no step."}
    return found | {"per_1000_steps": 1000 * spent.cost_micro / labelled}


def _seconds(judge: Judge | None, spent: Spent | None) -> dict[str, Any]:
    """Time of its answers, one after another, for each trajectory."""
    if judge is None or spent is None or not spent.calls:
        return {"per_trajectory": None, "reason": FROM_FILE if judge is None else NO_CALLS}
    if spent.untimed:
        return {"per_trajectory": None, "reason": f"The time of {spent.untimed} of its answers is not known."}
    return {"per_trajectory": spent.latency_ms / 1000 / spent.passes, "reason": ""}


def _trajectories(examples: Iterable[Mapping[str, Any]], of_label: Mapping[int, int]) -> Iterator[int]:
    for one in examples:
        known = one.get("trajectory") or of_label.get(one.get("label") or 0)
        if known:
            yield known
