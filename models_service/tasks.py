"""The doors from a message to the work: claim the run, call the service. A second delivery finds the run taken."""

from __future__ import annotations

from celery import shared_task

from annotations.models import Annotation, Label, Step, Task, Trajectory
from annotations.services import (
    agreement,
    agreement_fields,
    agreement_live,
    consensus_adopt,
    copying,
    export_push,
    exports,
    imports,
    insight,
    queue_policies_run,
    runs,
    scheme_changes,
    similar,
    traces,
    words,
)
from models_service import (
    calibration,
    consensus,
    counting,
    insight_choosing,
    judging,
    leaderboard,
    learning,
    meanings,
    probing,
    rubric_writing,
    scoring,
)
from models_service.statistics import report
from models_service.statistics.insight import compute as compute_insight
from models_service.statistics.rollouts import Rollout


@shared_task(name="models_service.run_import")
def run_import(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            imports.perform(claim)
            copying.counted(Task, Trajectory, Step, Annotation, Label)
    if claim:
        queue_policies_run.follow(claim.run)
        words.take_down(claim.run.project)
        similar.follow(claim.run)


@shared_task(name="models_service.run_export")
def run_export(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            exports.perform(claim)


@shared_task(name="models_service.run_push")
def run_push(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            export_push.perform(claim)


@shared_task(name="models_service.run_scheme_change")
def run_scheme_change(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            scheme_changes.perform(claim)


@shared_task(name="models_service.run_agreement")
def run_agreement(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            table = agreement.table(claim.run.project, claim.run.config)
            fields = agreement_fields.tables(claim.run.project)
            result = report.compute(table, fields, **agreement.options(claim.run.config))
            agreement.store(claim, table, result, agreement_fields.fingerprint(fields))


@shared_task(name=agreement_live.TASK)
def count_agreement() -> None:
    counting.count_all()


@shared_task(name="models_service.run_judge")
def run_judge(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            judging.perform(claim)
    if claim:
        queue_policies_run.follow(claim.run)


@shared_task(name="models_service.run_leaderboard")
def run_leaderboard(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            leaderboard.perform(claim)


@shared_task(name="models_service.run_probe")
def run_probe(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            probing.perform(claim)


@shared_task(name="models_service.run_rubrics")
def run_rubrics(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            rubric_writing.perform(claim)


@shared_task(name="models_service.run_meanings")
def run_meanings(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            meanings.perform(claim)


@shared_task(name="models_service.run_insight")
def run_insight(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            rollouts = [Rollout(**one) for one in insight.gathered(claim.run.project, claim.run.config)]
            result = compute_insight(rollouts) | {"choosing": insight_choosing.of(claim.run.project)}
            insight.store(claim, result)


@shared_task(name="models_service.run_consensus")
def run_consensus(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            consensus.perform(claim)


@shared_task(name="models_service.run_adoption")
def run_adoption(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            consensus_adopt.perform(claim)


@shared_task(name="models_service.run_scoring")
def run_scoring(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            scoring.perform(claim)
    if claim:
        queue_policies_run.follow(claim.run)


@shared_task(name="models_service.run_queue")
def run_queue(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            queue_policies_run.perform(claim)


@shared_task(name="models_service.run_calibration")
def run_calibration(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            calibration.perform(claim)
    if claim:
        queue_policies_run.follow(claim.run)


@shared_task(name="models_service.run_training")
def run_training(run_id: int) -> None:
    with runs.working_on(run_id) as claim:
        if claim:
            learning.perform(claim)


@shared_task(name=traces.TASK)
def take_traces() -> None:
    traces.take_all()
