"""Agreement before and after adjudication, as a page and a file show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from annotations.models import Adjudication, Project, Rater
from annotations.schemes.schema import Scheme
from annotations.services import agreement_live
from annotations.services.adjudication_weighed import NUMBERS
from annotations.services.agreement_live import Now
from annotations.services.projects import scheme_of

ONLY = {"overruled": "A majority was overruled", "changed": "A first decision was changed"}
FIELDS = (
    *("field", "places", "alike", "pairs", "same", "majority", "overruled", "blind", "kept"),
    *("share_same", "share_overruled", "share_kept"),
)
RATERS = ("rater", "kind", "field", "n", "same", "kappa", "reason")
TRAJECTORIES = (
    *("trajectory", "settled_at", "by", "places", "alike", "majority", "overruled", "blind", "kept"),
    *("places_overruled", "places_changed"),
)

NO_KAPPA = "It is given of the main field and of the verdict, where these are choices."


@dataclass(frozen=True)
class Weighed:
    """What the settled adjudications of a project come to. `before` are the figures of the main field among raters."""

    now: Now
    trajectories: int
    fields: list[dict[str, Any]]
    raters: list[dict[str, Any]]
    before: Mapping[str, Any] | None


def weighed(project: Project) -> Weighed:
    """Of all that is settled and counted."""
    scheme, now = scheme_of(project.scheme), agreement_live.now(project)
    decided = now.figures.get("decided") or {}
    main = (now.figures.get("main") or {}).get("settled")
    return Weighed(
        now=now,
        trajectories=decided.get("trajectories", 0),
        fields=list(_fields(scheme, decided.get("fields", {}))),
        raters=list(_raters(project, scheme, now.figures)),
        before=main["before"]["figures"] if main else None,
    )


def settled(project: Project, only: str = "") -> QuerySet[Adjudication]:
    """The settled ones that are weighed, the newest first; of those only in which a majority was overruled, or a first
    decision changed."""
    found = Adjudication.objects.filter(
        project=project, settled_at__isnull=False, trajectory__superseded_at=None, weighed__isnull=False
    )
    if only in ONLY:
        found = found.exclude(Q(**{f"weighed__{only}": []}))
    return found.select_related("by", "trajectory").order_by("-pk")


def row(one: Adjudication) -> dict[str, Any]:
    """One of them with its numbers over all fields."""
    weighed = one.weighed or {"fields": {}}
    total = {name: sum(numbers[name] for numbers in weighed["fields"].values()) for name in NUMBERS}
    return {"of": one, "weighed": weighed, **total}


def fields_table(project: Project) -> Iterator[list[Any]]:
    yield list(FIELDS)
    for one in weighed(project).fields:
        yield [one[name] for name in FIELDS]


def raters_table(project: Project) -> Iterator[list[Any]]:
    yield list(RATERS)
    for one in weighed(project).raters:
        yield [one[name] for name in RATERS]


def trajectories_table(project: Project) -> Iterator[list[Any]]:
    yield list(TRAJECTORIES)
    for one in settled(project).iterator(chunk_size=1_000):
        numbers = row(one)
        yield [
            *(one.trajectory.external_id, one.settled_at and one.settled_at.isoformat(), one.by.username),
            *(numbers[name] for name in TRAJECTORIES[3:9]),
            *(" ".join(numbers["weighed"][name]) for name in ("overruled", "changed")),
        ]


TABLES = {"fields": fields_table, "raters": raters_table, "trajectories": trajectories_table}


def _fields(scheme: Scheme, decided: Mapping[str, Mapping[str, int]]) -> Iterator[dict[str, Any]]:
    for spec in scheme.fields:
        if spec.name in decided:
            numbers = dict.fromkeys(NUMBERS, 0) | dict(decided[spec.name])
            yield {
                "field": spec.name,
                "title": spec.title,
                **numbers,
                "share_same": _share(numbers["same"], numbers["pairs"]),
                "share_overruled": _share(numbers["overruled"], numbers["majority"]),
                "share_kept": _share(numbers["kept"], numbers["blind"]),
            }


def _raters(project: Project, scheme: Scheme, figures: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Each rater against what was decided. Of the main field and the verdict it is what they say now, everybody; of the
    other fields it is those that were heard."""
    decided = (figures.get("decided") or {}).get("raters", {})
    raters = {str(one.pk): one for one in Rater.objects.filter(project=project, pk__in=decided)}
    for spec in scheme.fields:
        part = {scheme.main: "main", scheme.final: "final"}.get(spec.name, "")
        told = ((figures.get(part) or {}).get("settled") or {}).get("raters")
        if told is not None:
            for one in told:
                named = {name: one[name] for name in ("kind", "n", "kappa", "reason")}
                yield {"rater": one["name"], "field": spec.name, "title": spec.title, "same": one["percent"], **named}
            continue
        for key, rater in sorted(raters.items(), key=lambda item: (item[1].kind, item[1].name)):
            if numbers := decided[key].get(spec.name):
                yield {
                    "rater": rater.name,
                    "kind": rater.kind,
                    "field": spec.name,
                    "title": spec.title,
                    "n": numbers["n"],
                    "same": _share(numbers.get("same", 0), numbers["n"]),
                    "kappa": None,
                    "reason": NO_KAPPA,
                }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
