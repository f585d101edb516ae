"""Working off a judge's run: what is left of it, each trajectory once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.db import transaction

from annotations.judges.servers import Options
from annotations.judges.settings import Settings
from annotations.models import Judge, JudgeVerdict, Task
from annotations.schemes.fields import PreferenceField, RubricField
from annotations.schemes.judging import path
from annotations.schemes.schema import Scheme
from annotations.services import judge_calls, judge_labels, judges, projects, rubrics, scores
from annotations.services.grounds import Ground
from annotations.services.runs import Claim
from models_service import chunks
from models_service.judges import methods
from models_service.judges.asked import Case, Judging, Verdict
from models_service.judges.line import Address, Line
from models_service.judging_asking import Asker, Ended, Job, job

AT_ONCE = 20  # trajectories whose texts are in memory together, about


def perform(claim: Claim) -> None:
    """Judge what this run has not judged yet, so that another worker goes on where one died. A trajectory of which the
    judge says nothing is a pass that failed, with the reason."""
    judge = Judge.objects.select_related("server", "guideline", "project", "rater").get(pk=claim.run.config["judge"])
    keep_scheme(claim)
    judge_calls.let_go(claim.run.project)
    _chosen(claim, judge)
    todo = judges.left(claim.run, judge)
    already = JudgeVerdict.objects.filter(run=claim.run).count()
    claim.expect(already + len(todo), already=already)
    asking = judge_calls.Asking(claim.run, judge.server, judge.model, judge)
    with line(judge) as going:
        asker: Asker[scores.Rollout, Verdict] = Asker(claim, asking, going)
        for ended in asker.drive(_jobs(judge, todo)):
            _store(claim, judge, ended, asker.counts)
            claim.advance()


def keep_scheme(claim: Claim) -> None:
    """ValueError where the run goes on under another scheme than it began with: its labels would be of two."""
    scheme = claim.run.project.scheme_id
    if claim.run.result.get("scheme", scheme) != scheme:
        raise ValueError("the project's scheme has changed since this run began; begin it anew")
    claim.keep(scheme=scheme)


def line(judge: Judge) -> Line:
    """The way to the judge's server."""
    options = Options.model_validate(judge.server.options)
    return Line(Address(judge.server.url, judge.server.key_env), judge.model, options, options.at_once)


def cases(judge: Judge, todo: list[tuple[int, int]]) -> Iterator[tuple[scores.Rollout, Case]]:
    """Each trajectory with what the judge is asked about it. Reference and outcome are there only where it may see
    them; which model's rollout it is, never."""
    scheme = projects.scheme_of(judge.project.scheme)
    seen = judge.settings["sight"] == "reference"
    for tasks, wanted in chunks.of_tasks(todo, AT_ONCE):
        found = scores.rollouts(judge.project, tasks, with_reference=seen, with_outcome=seen)
        items = _items(scheme, tasks)
        by_task: dict[str, list[scores.Rollout]] = {}
        for one in found:
            by_task.setdefault(one.record.task.external_id, []).append(one)
        for one in found:
            if one.id in wanted:
                siblings = by_task[one.record.task.external_id]
                yield one, case(judge, scheme, one, siblings, items.get(one.record.task.external_id, {}))


def case(
    judge: Judge,
    scheme: Scheme,
    rollout: scores.Rollout,
    siblings: list[scores.Rollout],
    items: dict[str, Any] | None = None,
) -> Case:
    """One trajectory as the judge is asked about it."""
    compares = any(isinstance(spec, PreferenceField) for spec in scheme.fields)
    numbered = {one.record.rollout: _hidden(one) for one in siblings if one.record.rollout is not None}
    ground = Ground(rollout.record.steps, sorted(numbered) if compares else None, items)
    return Case(
        record=_hidden(rollout),
        scheme=scheme,
        arounds=ground.arounds(scheme),
        guideline=judge.guideline.text if judge.guideline else "",
        rollouts=numbered if compares else {},
        name=rollout.record.external_id,
    )


def _hidden(rollout: scores.Rollout) -> Any:
    return replace(rollout.record, policy_model="")


def _items(scheme: Scheme, tasks: list[int]) -> dict[str, dict[str, Any]]:
    """The lists of each task, by field, for rubrics that are a task's own."""
    specs = [spec for spec in scheme.fields if isinstance(spec, RubricField) and spec.items_from != "scheme"]
    found: dict[str, dict[str, Any]] = {}
    for task in Task.objects.filter(pk__in=tasks) if specs else ():
        lists = {spec.name: rubrics.of_task(task, spec) for spec in specs}
        found[task.external_id] = {name: listed for name, listed in lists.items() if listed is not None}
    return found


def _jobs(judge: Judge, todo: list[tuple[int, int]]) -> Iterator[Job[scores.Rollout, Verdict]]:
    judging = Judging(judge.prompt, Settings.model_validate(judge.settings))
    for rollout, asked in cases(judge, todo):
        yield job(rollout, methods.asking(judging, asked), rollout.id)


def _chosen(claim: Claim, judge: Judge) -> None:
    """Settle which trajectories a run looks at that is only a try."""
    limit = claim.run.config.get("limit")
    if limit and "sample" not in claim.run.result:
        there = sorted(judges.waiting(judge, claim.run.config).values_list("pk", flat=True))
        claim.keep(sample=random.Random(claim.run.pk).sample(there, min(limit, len(there))))


def _store(claim: Claim, judge: Judge, ended: Ended[scores.Rollout, Verdict], counts: dict[str, int]) -> None:
    """Keep the verdict, only while the hold is good."""
    verdict = ended.told
    with transaction.atomic():
        # First, because it locks the run's row: whoever takes the run over waits for these labels and sees them.
        claim.keep(asking=dict(counts))
        told = judge_labels.Told(
            rollout=ended.name,
            labels=verdict.labels,
            explanations=verdict.explanations,
            detail=detail(verdict),
            calls=ended.calls,
            failed=verdict.failed,
        )
        judge_labels.store(claim.run, judge, told)


def detail(verdict: Verdict) -> dict[str, Any]:
    """What is kept of a verdict beside its labels, as JSON."""
    chances = {path(place): dict(each) for place, each in verdict.chances.items()}
    return verdict.detail | ({"chances": chances} if chances else {})
