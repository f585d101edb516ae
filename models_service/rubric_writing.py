"""Working off a run in which a judge writes the lists of tasks: each task once, through the same calls as labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from django.db import transaction

from annotations.judges.settings import Settings
from annotations.models import Judge, RubricWriting, Task
from annotations.records import TaskRecord, TrajectoryRecord
from annotations.schemes.fields.rubric import RubricField
from annotations.schemes.schema import Scheme
from annotations.services import judge_calls, projects, rubric_lists, rubric_writing, scores
from annotations.services.runs import Claim
from models_service import judging
from models_service.judges.asked import Case, Judging, Verdict
from models_service.judges.methods import rubrics
from models_service.judges.methods.rubrics import Wish
from models_service.judging_asking import Asker, Ended, Job, job

AT_ONCE = 10  # tasks whose texts are in memory together


def perform(claim: Claim) -> None:
    """Ask for what this run has not asked for yet, so that another worker goes on where one died. A task for which the
    judge writes nothing is kept with the reason."""
    config = claim.run.config
    judge = Judge.objects.select_related("server", "guideline", "project__scheme").get(pk=config["judge"])
    judging.keep_scheme(claim)
    scheme = projects.scheme_of(judge.project.scheme)
    spec = rubric_lists.field_of(scheme, config["field"])
    judge_calls.let_go(claim.run.project)
    todo = rubric_writing.left(claim.run)
    already = RubricWriting.objects.filter(run=claim.run).count()
    claim.expect(already + len(todo), already=already)
    asking = judge_calls.Asking(claim.run, judge.server, judge.model, judge)
    with judging.line(judge) as going:
        asker: Asker[Task, Verdict] = Asker(claim, asking, going)
        for ended in asker.drive(_jobs(claim, judge, scheme, spec, todo)):
            _store(claim, judge, spec, ended, asker.counts)
            claim.advance()


def _jobs(
    claim: Claim, judge: Judge, scheme: Scheme, spec: RubricField, todo: Sequence[int]
) -> Iterator[Job[Task, Verdict]]:
    config = claim.run.config
    how = Judging(config["prompt"], Settings.model_validate(judge.settings))
    wish = Wish(spec, config["most"], config["reference"])
    guideline = judge.guideline.text if judge.guideline else ""
    for start in range(0, len(todo), AT_ONCE):
        some = todo[start : start + AT_ONCE]
        attempts = _attempts(judge, some, config["rollouts"], seen=config["reference"])
        rejected = rubric_writing.rejected(some, spec.name)
        for task in Task.objects.filter(pk__in=some).order_by("pk"):
            record = TrajectoryRecord(_record(task, seen=config["reference"]), ())
            shown = dict(enumerate(attempts.get(task.external_id, ())))
            case = Case(record, scheme, {}, guideline, shown, task.external_id)
            wanted = replace(wish, rejected=rejected.get(task.pk, ()))
            yield job(task, rubrics.asking(how, case, wanted))


def _record(task: Task, *, seen: bool) -> TaskRecord:
    reference = task.reference if seen else None
    return TaskRecord(task.external_id, instruction=task.instruction, reference=reference, tools=task.tools)


def _attempts(judge: Judge, tasks: Sequence[int], most: int, *, seen: bool) -> Mapping[str, list[TrajectoryRecord]]:
    """The rollouts that the judge is shown, by their task's external id. Which model's they are is never told."""
    chosen = set(rubric_writing.shown(tasks, most))
    found: dict[str, list[TrajectoryRecord]] = {}
    rows = scores.rollouts(judge.project, tasks, with_reference=seen, with_outcome=seen) if chosen else ()
    for one in rows:
        if one.id in chosen:
            found.setdefault(one.record.task.external_id, []).append(replace(one.record, policy_model=""))
    return found


def _store(
    claim: Claim, judge: Judge, spec: RubricField, ended: Ended[Task, Verdict], counts: Mapping[str, int]
) -> None:
    """Keep what came of it, only while the hold is good."""
    verdict = ended.told
    with transaction.atomic():
        # First, because it locks the run's row: whoever takes the run over waits for this and sees it.
        claim.keep(asking=dict(counts))
        told = rubric_writing.Told(
            items=verdict.labels.get((None, spec.name)), detail=verdict.detail, calls=ended.calls, failed=verdict.failed
        )
        rubric_writing.store(claim.run, judge, ended.name, spec, told)
