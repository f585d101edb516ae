"""What is kept of probes: the reports of each judge, and the limits that a project sets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet

from annotations.judges.probe_limits import LIMITS, limits
from annotations.models import Event, Project, Rater, Report, User

KIND = "probe"
UNPROBED = "unprobed"  # in Project.judge_limits: "refused" where a judge that was never probed may not be exported


class Found(NamedTuple):
    """A report's number, whose it is, and its verdicts."""

    report: int
    rater: int
    verdicts: list[dict[str, Any]]


def reports(rater: Rater) -> QuerySet[Report]:
    """The judge's reports, newest first."""
    return Report.objects.filter(project=rater.project_id, kind=KIND, config__rater=rater.pk).order_by("-pk")


def found(project: Project | int) -> list[Found]:
    """The verdicts of every report of the project, newest first. Nothing else of the reports is read."""
    rows = Report.objects.filter(project=project, kind=KIND).order_by("-pk")
    read = rows.values_list("pk", "config__rater", "result__verdicts")
    return [Found(pk, rater, verdicts or []) for pk, rater, verdicts in read]


def merged(reports: Iterable[Found]) -> list[dict[str, Any]]:
    """Of each limit the verdict of the newest report that has one, in the order of the limits."""
    newest: dict[str, dict[str, Any]] = {}
    for one in reports:
        for verdict in one.verdicts:
            newest.setdefault(name_of(verdict), {**verdict, "report": one.report})
    order = {one.name: place for place, one in enumerate(LIMITS)}
    return sorted(newest.values(), key=lambda one: order.get(name_of(one), len(order)))


def name_of(verdict: dict[str, Any]) -> str:
    return f"{verdict['limit']['probe']}.{verdict['limit']['number']}"


def above(verdicts: Iterable[dict[str, Any]]) -> list[str]:
    """The limits that it is convicted by."""
    return [name_of(one) for one in verdicts if one["standing"] == "above"]


def bounds(project: Project) -> dict[str, Any]:
    """The bounds that the project has set itself."""
    found = project.judge_limits.get("bounds", {}) if isinstance(project.judge_limits, dict) else {}
    return dict(found)


def refuses_unprobed(project: Project) -> bool:
    return isinstance(project.judge_limits, dict) and project.judge_limits.get(UNPROBED) == "refused"


@transaction.atomic
def set_limits(project: Project, by: User, own: dict[str, Any], refuse_unprobed: bool) -> None:
    """Set what the project's judges must keep to. BadLimits where that cannot be read."""
    limits(own)
    locked = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    new = {"bounds": own, UNPROBED: "refused" if refuse_unprobed else "allowed"}
    if locked.judge_limits == new:
        return
    Event.objects.create(project=locked, actor=by, verb="judge.limits", before=locked.judge_limits or None, after=new)
    project.judge_limits = locked.judge_limits = new
    locked.save(update_fields=["judge_limits"])
