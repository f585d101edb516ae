"""Taking labels of a consensus over as passes of a rater of their own, and taking them back.

The rater is called after the method and the run ("dawid_skene v12"), its passes say what they are, and each label how
likely it was. Nobody's labels are touched, and nothing hears the rater that is not told to: it has no voice in
agreement and in the next consensus, is no suggestion, and is seen by nobody who labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from annotations import jobs
from annotations.models import Annotation, Event, Label, Project, Rater, Report, Run, Trajectory, User
from annotations.services import adjudication, consensus, consensus_steps, judge_probes_gate
from annotations.services.consensus_steps import Decided
from annotations.services.runs import Claim

ANCHORED = "gold_anchored"  # the one method that reads the reference
NO_FILE = "Its steps were not kept; compute it anew."


class AdoptionRefused(ValueError):
    """It cannot be adopted, or taken back. The message says why."""


@dataclass(frozen=True)
class Estimate:
    """What would come of adopting: the row of the report's thresholds, how many units it has, whether labels have
    changed since, and why it cannot be (""). `rater` is whose the passes will be."""

    method: Mapping[str, Any]
    row: Mapping[str, Any]
    units: int
    rater: str
    is_stale: bool
    refused: str

    @property
    def left(self) -> int:
        return self.units - int(self.row["accepted"])


def name_of(report: Report, method: str) -> str:
    return f"{method} v{report.run_id}"


def estimate(report: Report, method: str, at: float) -> Estimate:
    """AdoptionRefused where the report has no such method or threshold."""
    methods = {one["name"]: one for one in report.result["methods"]}
    if method not in methods:
        raise AdoptionRefused(f"The report has no method {method!r}; accepted: {', '.join(methods)}.")
    rows = {row["at"]: row for row in methods[method]["thresholds"]}
    if at not in rows:
        accepted = ", ".join(f"{one:g}" for one in rows) or f"none: {methods[method]['reason']}"
        raise AdoptionRefused(f"{at:g} is none of the report's thresholds; accepted: {accepted}.")
    return Estimate(
        method=methods[method],
        row=rows[at],
        units=report.result["counts"]["units"],
        rater=name_of(report, method),
        is_stale=consensus.is_stale(report),
        refused=_refusal(report, method, rows[at]),
    )


def _refusal(report: Report, method: str, row: Mapping[str, Any]) -> str:
    """Why it cannot be adopted; "" where it can."""
    if report.run is None or not report.run.file:
        return NO_FILE
    if not row["accepted"]:
        return "No label is that sure, so there is nothing to adopt."
    if report.inputs["mark"]["scheme"] != report.project.scheme_id:
        return "The project's scheme has changed since; compute it anew."
    if _passes(report.project, name_of(report, method)).exists():
        return f"{name_of(report, method)} is adopted already; take it back first."
    names = {(one["kind"], one["name"]) for one in report.result["raters"]}
    raters = [one for one in report.project.raters.all() if (one.kind, one.name) in names]
    barred = judge_probes_gate.barred(report.project, raters)
    for rater in raters:
        if rater.pk in barred:
            return f"It hears {rater.name}, whose labels may not go out: {barred[rater.pk]}. A manager can sign for it."
    return ""


def start(report: Report, by: User | None, method: str, at: float) -> Run:
    """Begin it. AdoptionRefused where it cannot be."""
    if reason := estimate(report, method, at).refused:
        raise AdoptionRefused(reason)
    return jobs.start(Run.Kind.ADOPT, report.project, by, report=report.pk, method=method, at=at)


def perform(claim: Claim) -> None:
    """Write the passes, all or none. A run that has done so does nothing. AdoptionRefused, or FileChanged."""
    run = claim.run
    if "rater" in run.result:
        return
    method, at = str(run.config["method"]), float(run.config["at"])
    found = Report.objects.select_related("project", "run").filter(kind=consensus.KIND, project=run.project)
    report = found.filter(pk=run.config["report"]).first()
    if report is None or report.run is None:
        raise AdoptionRefused(NO_FILE)
    if reason := estimate(report, method, at).refused:
        raise AdoptionRefused(reason)
    labels = list(consensus_steps.decided(report.run, method, at))
    claim.expect(len(labels))
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=run.project_id)  # one at a time
        name = name_of(report, method)
        if _passes(run.project, name).exists():
            raise AdoptionRefused(f"{name} is adopted already; take it back first.")
        rater, _ = Rater.objects.get_or_create(project=run.project, kind=Rater.Kind.CONSENSUS, name=name)
        passes, written = _write(claim, report, rater, labels)
        told = {"rater": rater.pk, "name": name, "passes": passes, "labels": written}
        after = {**told, "report": report.pk, "method": method, "at": at, "run": run.pk}
        Event.objects.create(project=run.project, actor=run.created_by, verb="consensus.adopted", after=after)
        claim.keep(**told, gone=len(labels) - written)


def _write(claim: Claim, report: Report, rater: Rater, labels: Iterable[Decided]) -> tuple[int, int]:
    """How many passes and labels were written. Those of trajectories that are not live any more are not."""
    project, passes, written = claim.run.project, 0, 0
    live = set(Trajectory.objects.live().filter(project=project).values_list("pk", flat=True))
    method = str(claim.run.config["method"])
    raters = [f"{one['kind']}:{one['name']}" for one in report.result["raters"]]
    provenance = {"method": method, "run": report.run_id, "threshold": float(claim.run.config["at"])}
    for trajectory, group in groupby(labels, key=lambda one: one.trajectory):
        if trajectory not in live:
            continue
        told = list(group)
        annotation = Annotation.objects.create(**_pass(project, rater, trajectory, provenance, raters))
        rows = [_label(annotation, report.result["field"], one, provenance) for one in told if one.value is not False]
        Label.objects.bulk_create(rows)
        passes, written = passes + 1, written + len(told)
        claim.advance(len(told))
    return passes, written


def _pass(
    project: Project, rater: Rater, trajectory: int, provenance: Mapping[str, Any], raters: list[str]
) -> dict[str, Any]:
    mode = Project.Mode.REFERENCE if provenance["method"] == ANCHORED else Project.Mode.BLIND
    sure = f"of a posterior of {provenance['threshold']:g} or more" if provenance["threshold"] else "of any posterior"
    return {
        "rater": rater,
        "trajectory_id": trajectory,
        "scheme_id": project.scheme_id,
        "guideline": None,
        "mode": mode,
        "state": Annotation.State.SUBMITTED,
        "submitted_at": timezone.now(),
        "comment": f"Consensus by {provenance['method']} in run {provenance['run']}, labels {sure}, "
        f"of {', '.join(raters)}."[:4000],
    }


def _label(annotation: Annotation, field: str, one: Decided, provenance: Mapping[str, Any]) -> Label:
    return Label(
        annotation=annotation,
        step_id=one.step,
        field=f"{field}@{one.part}" if one.part else field,
        value=one.value,
        origin=Label.Origin.CONSENSUS,
        suggestion={**provenance, "posterior": one.posterior},
    )


def _passes(project: Project, name: str) -> QuerySet[Annotation]:
    """Those of an adopted rater that stand."""
    rater = {"rater__project": project, "rater__kind": Rater.Kind.CONSENSUS, "rater__name": name}
    return Annotation.objects.live().filter(**rater)


def adopted(project: Project) -> list[dict[str, Any]]:
    """The raters whose labels are adopted, the newest first: {"rater", "passes", "run" the adopting one or None}."""
    standing = Count("annotations", filter=Q(annotations__retired_at__isnull=True))
    raters = project.raters.filter(kind=Rater.Kind.CONSENSUS).exclude(name=adjudication.RATER)
    found = list(raters.annotate(standing=standing).filter(standing__gt=0).order_by("-pk"))
    runs = Run.objects.filter(project=project, kind=Run.Kind.ADOPT, state=Run.State.DONE).order_by("pk")
    by_rater = {run.result.get("rater"): run for run in runs.select_related("created_by")}
    return [{"rater": one, "passes": one.standing, "run": by_rater.get(one.pk)} for one in found]


@transaction.atomic
def take_back(rater: Rater, by: User | None) -> int:
    """Retire the passes of an adopted rater; they stay as history. How many there were. AdoptionRefused where it is no
    such rater, or the project's reference."""
    project = Project.objects.select_for_update(no_key=True).get(pk=rater.project_id)
    if not consensus.is_adopted(rater):
        raise AdoptionRefused(f"The labels of {rater.name} were not adopted from a consensus.")
    if project.reference_id == rater.pk:
        raise AdoptionRefused(f"{rater.name} is the project's reference. Choose another one first.")
    many = _passes(project, rater.name).update(retired_at=timezone.now())
    if many:
        before = {"rater": rater.pk, "name": rater.name, "passes": many}
        Event.objects.create(project=project, actor=by, verb="consensus.taken_back", before=before)
    return many
