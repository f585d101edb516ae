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
AT_ONCE = 500  # trajectories between looks at whether the run is still wanted
LOOKED_AT = 10  # adopted raters of which a page says whether labels have changed
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
    raters = [
        one
        for one in report.project.raters.all()
        if names & {(one.kind, one.name), (one.kind, f"{one.name} ({one.kind})")}
    ]
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
    raters = [f"{one['kind']}:{one['name']}" for one in report.result["raters"]]
    asked = claim.run.config
    provenance = {"method": str(asked["method"]), "run": report.run_id, "threshold": float(asked["at"])}
    told = [(pk, list(group)) for pk, group in groupby(labels, key=lambda one: one.trajectory) if pk in live]
    for start in range(0, len(told), AT_ONCE):
        some = told[start : start + AT_ONCE]
        made = Annotation.objects.bulk_create(_pass(project, rater, pk, provenance, raters) for pk, _ in some)
        Label.objects.bulk_create(
            _label(annotation, report.result["field"], one, provenance)
            for annotation, (_, group) in zip(made, some, strict=True)
            for one in group
            if one.value is not False  # a flag that is not set has no label
        )
        many = sum(len(group) for _, group in some)
        passes, written = passes + len(some), written + many
        claim.advance(many)
    return passes, written


def _pass(
    project: Project, rater: Rater, trajectory: int, provenance: Mapping[str, Any], raters: list[str]
) -> Annotation:
    mode = Project.Mode.REFERENCE if provenance["method"] == ANCHORED else Project.Mode.BLIND
    sure = f"of a posterior of {provenance['threshold']:g} or more" if provenance["threshold"] else "of any posterior"
    return Annotation(
        rater=rater,
        trajectory_id=trajectory,
        scheme_id=project.scheme_id,
        mode=mode,
        state=Annotation.State.SUBMITTED,
        submitted_at=timezone.now(),
        comment=f"Consensus by {provenance['method']} in run {provenance['run']}, labels {sure}, "
        f"of {', '.join(raters)}."[:4000],
    )


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


@dataclass(frozen=True)
class Adopted:
    """A rater whose labels are adopted: how many passes stand, the run that wrote them and the report they are of, None
    where they came in by a file; whether labels have changed since the report, None where that is not known."""

    rater: Rater
    passes: int
    run: Run | None
    report: Report | None
    is_stale: bool | None


def adopted(project: Project) -> list[Adopted]:
    """The newest first. Of the newest LOOKED_AT it is told whether labels have changed."""
    standing = Count("annotations", filter=Q(annotations__retired_at__isnull=True))
    raters = project.raters.filter(kind=Rater.Kind.CONSENSUS).exclude(name=adjudication.RATER)
    found = list(raters.annotate(standing=standing).filter(standing__gt=0).order_by("-pk"))
    done = (
        Run.objects.filter(project=project, kind=Run.Kind.ADOPT, state=Run.State.DONE) if found else Run.objects.none()
    )
    runs = {run.result.get("rater"): run for run in done.select_related("created_by").order_by("pk")}
    wanted = {run.config["report"] for run in runs.values()}
    reports = Report.objects.filter(pk__in=wanted).select_related("project__scheme").defer("result").in_bulk()
    rows = []
    for place, one in enumerate(found):
        run = runs.get(one.pk)
        report = reports.get(run.config["report"]) if run else None
        stale = consensus.is_stale(report) if report and place < LOOKED_AT else None
        rows.append(Adopted(one, one.standing, run, report, stale))
    return rows


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
