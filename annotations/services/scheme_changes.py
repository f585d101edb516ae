"""Another version of its scheme for a live project: every pass goes on under it, and nothing that was said is lost.

A pass gets a successor with the labels that map exactly; the old one is retired, whole, with all its labels. Going back
puts the passes of before in force again where nobody has said anything new. All of it is one transaction, so that a
worker that is killed has changed nothing, and one that comes after it begins anew.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from annotations import jobs
from annotations.models import Annotation, Event, Project, ProjectScheme, Run, SchemeVersion, User
from annotations.schemes.schema import Scheme
from annotations.services import copying, projects, scheme_lost, scheme_texts, scheme_writing, standing
from annotations.services.outcomes import NotAccepted
from annotations.services.runs import Claim
from annotations.services.scheme_lost import Unmapped
from annotations.services.scheme_plan import Plan, Planning

IN_FORCE = "scheme.in_force"
MANY = 500  # passes that one request still changes by itself


@dataclass(frozen=True)
class Changed:
    """A change that was made: what came of it, and the id its events carry."""

    plan: Plan
    change: uuid.UUID


def preview(project: Project, new: Scheme) -> Plan:
    """What would become of the project's labels under the new scheme. Nothing is written."""
    planning = Planning(project.scheme_id, new, _version(new))
    for _ in planning.outcomes(_live(project)):
        pass
    return planning.finished()


def unmapped(project: Project, new: Scheme) -> Iterator[Unmapped]:
    """Every label that would not go along."""
    planning = Planning(project.scheme_id, new, _version(new))
    for outcomes in planning.outcomes(_live(project)):
        names = scheme_lost.names_of(one.of.annotation for one in outcomes)
        for outcome in outcomes:
            for lost in outcome.made.lost:
                yield scheme_lost.unmapped(outcome.of, lost, names)


def change(project: Project, version: ProjectScheme, by: User | None) -> Changed | Run:
    """Put the version in force: at once, or where many passes go along as a run. Raises NotAccepted as `apply`."""
    _refuse(project, version)
    if _live(project).count() <= MANY:
        return apply(project, version, by)
    return jobs.start(Run.Kind.SCHEME, project, by, version=version.number)


@transaction.atomic
def apply(project: Project, version: ProjectScheme, by: User | None, *, claim: Claim | None = None) -> Changed:
    """Put the version in force and take every live pass along. Raises NotAccepted where the project's mode does not go
    with it, or where it is in force and every pass is under it."""
    copying.lock(project)  # no import writes labels meanwhile
    locked = Project.objects.select_for_update(no_key=True).select_related("scheme").get(pk=project.pk)
    _refuse(locked, version)
    before = scheme_texts.in_force(locked)
    planning = Planning(locked.scheme_id, projects.scheme_of(version.scheme), version.scheme_id)
    passes = _live(locked)
    # Whoever is saving a label of one of these finishes first, and the next finds the successor.
    held = list(passes.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk", flat=True))
    if claim:
        claim.expect(len(held))
    made = uuid.uuid4()
    for outcomes in planning.outcomes(passes):
        scheme_writing.write(locked, version.scheme, outcomes, made, by)
        if claim:
            claim.advance(len(outcomes))
    plan = planning.finished()
    locked.scheme = project.scheme = version.scheme
    locked.save(update_fields=["scheme"])
    standing.touch_all(locked)
    scheme_texts.mark_used(version)
    Event.objects.create(
        project=locked,
        actor=by,
        verb=IN_FORCE,
        change=made,
        before={"version": before.number} if before else None,
        after={"version": version.number, **plan.counts},
    )
    if claim:
        claim.keep(change=str(made), version=version.number, plan=plan.as_json(), finished=True)
    return Changed(plan, made)


def perform(claim: Claim) -> None:
    """Do a run's change. One that was made before its worker was lost is not made again."""
    run = claim.run
    if run.result.get("finished"):
        return
    version = ProjectScheme.objects.select_related("scheme").get(project=run.project, number=run.config["version"])
    apply(run.project, version, run.created_by, claim=claim)


def _refuse(project: Project, version: ProjectScheme) -> None:
    if reason := scheme_texts.in_the_way(project, version):
        raise NotAccepted(reason, "mode", [Project.Mode.PROGRESSIVE])
    if scheme_texts.in_force(project) == version and not _live(project).exclude(scheme=version.scheme_id).exists():
        others = ProjectScheme.objects.filter(project=project).exclude(pk=version.pk)
        raise NotAccepted("This version is in force already.", "version", list(others.values_list("number", flat=True)))


def _live(project: Project) -> QuerySet[Annotation]:
    """The passes that go along: the live ones over live trajectories."""
    return Annotation.objects.live().filter(rater__project=project, trajectory__superseded_at__isnull=True)


def _version(new: Scheme) -> int | None:
    """The stored version of exactly this scheme, if there is one."""
    return SchemeVersion.objects.filter(sha256=projects.digest(new)).values_list("pk", flat=True).first()
