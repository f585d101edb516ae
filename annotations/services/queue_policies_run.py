"""Ordering a queue by its project's policy: when that is begun, and how the new order comes into force.

The order is worked out by a run and kept as one row a trajectory, so that who asks for the next one waits for nothing
but an index. Until it is ready, and for what came in since, the order before it holds.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from annotations import jobs
from annotations.models import Project, QueueRank, Run, User
from annotations.services import copying
from annotations.services import queue_policies_facts as facts
from annotations.services.queue_policies_order import RANDOM, Ranked, measures, mixture, order
from annotations.services.runs import Claim
from annotations.services.scores import READ_REFERENCE

LONGEST_REASON = QueueRank._meta.get_field("reason").max_length or 0
COLUMNS = "run_id trajectory_id place drawn policy priority reason"


def asked(project: Project) -> dict[str, Any]:
    """What the project's settings ask of its queue."""
    found = {"policy": project.queue_policy, "scorer": project.queue_scorer, "random": project.queue_random}
    return found | {"view": project.queue_view} if project.queue_policy == Project.Queue.VIEW else found


def start(project: Project, by: User | None) -> Run | None:
    """Begin to order the queue by the project's settings; None where it is in the order of import. One that waits to be
    begun with the same settings is taken for this one."""
    if project.queue_policy == Project.Queue.IMPORT:
        return None
    wanted = asked(project)
    waiting = Run.objects.filter(project=project, kind=Run.Kind.QUEUE, state=Run.State.QUEUED, config=wanted)
    return waiting.first() or jobs.start(Run.Kind.QUEUE, project, by, **wanted)


def follow(run: Run) -> Run | None:
    """Order the queue anew after a run that brought scores, trajectories, or another reading of scores."""
    project = Project.objects.select_related("scheme").get(pk=run.project_id)
    if project.queue_policy == Project.Queue.IMPORT:
        return None
    ended = Run.objects.filter(pk=run.pk, state=Run.State.DONE)
    if not ended.exists():
        return None
    if run.kind == Run.Kind.SCORE and facts.scored_by(project) != run:
        return None
    return start(project, run.created_by)


def settle(project: Project, changed: dict[str, Any], by: User | None) -> None:
    """See to it that the queue follows settings that have just been changed. The project must be locked."""
    if not changed.keys() & {"queue_policy", "queue_scorer", "queue_view", "queue_random", "overlap", "mode"}:
        return
    in_order = project.queue_policy == Project.Queue.IMPORT
    if project.queue_ranking_id and (in_order or _tells_of_the_truth(project)):
        _put_in_force(project, None)
    start(project, by)


def _tells_of_the_truth(project: Project) -> bool:
    """Whether the order in force follows scores that it may not follow any more."""
    followed = project.queue_ranking.result.get("scored_by") if project.queue_ranking else None
    if followed is None or facts.reads_the_truth(project):
        return False
    return Run.objects.filter(pk=followed, result__contains=READ_REFERENCE).exists()


def perform(claim: Claim) -> None:
    project = Project.objects.select_related("scheme").get(pk=claim.run.project_id)
    wanted = asked(project)
    if wanted["policy"] == Project.Queue.IMPORT:
        claim.keep(in_force=False, why="the queue is in the order of import")
        return
    scored = None if "view" in wanted else facts.scored_by(project)
    known = facts.known(project, scored, courses=wanted["policy"] == "diverse", view=wanted.get("view", ""))
    claim.expect(len(known.waiting))
    mixed = mixture(wanted["policy"], wanted["random"] / 100)
    seed = f"queue {project.pk}"
    measured = measures(known.facts, mixed, seed)
    ranked = order(known.facts, known.waiting, measured, mixed, seed, done=known.done)
    claim.check()
    with transaction.atomic():
        rows = [_row(claim.run, place, one) for place, one in enumerate(ranked, 1)]
        copying.insert(QueueRank, COLUMNS, rows)
        locked = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        why = _outdated(locked, wanted, claim.run)
        if why:
            QueueRank.objects.filter(run=claim.run).delete()
        else:
            _put_in_force(locked, claim.run)
        told = {"scored_by": scored.pk if scored else None, "spoke": any(measured.values())}
        claim.keep(in_force=not why, why=why, **told, **_counts(ranked))
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {connection.ops.quote_name(QueueRank._meta.db_table)}")
    claim.advance(len(ranked))


def _outdated(project: Project, wanted: dict[str, Any], run: Run) -> str:
    """Why the order that this run has worked out is not to be put in force; empty where it is."""
    if asked(project) != wanted:
        return "the settings were changed meanwhile"
    if project.queue_ranking_id and project.queue_ranking_id > run.pk:
        return f"the order of a newer run, {project.queue_ranking_id}, holds"
    return ""


def _row(run: Run, place: int, one: Ranked) -> tuple[Any, ...]:
    reason = one.reason.replace("\x00", "")
    short = reason if len(reason) <= LONGEST_REASON else reason[: LONGEST_REASON - 1] + "…"
    return (run.pk, one.trajectory, place, one.drawn, one.policy, one.priority, short)


def _put_in_force(project: Project, run: Run | None) -> None:
    """From now on these ranks are the order. Where people's last searches ended says nothing of it."""
    Project.objects.filter(pk=project.pk).update(queue_ranking=run)
    project.raters.filter(queue_from__gt=0).update(queue_from=0)
    QueueRank.objects.filter(run__project=project).exclude(run=run).delete()


def _counts(ranked: list[Ranked]) -> dict[str, int]:
    by_policy = [one for one in ranked if one.priority is not None]
    by_chance = [one for one in ranked if one.drawn == RANDOM]
    return {
        "by_policy": len(by_policy),
        "by_chance": len(by_chance),
        "unscored": len(ranked) - len(by_policy) - len(by_chance),
    }
