"""Gathering what labels say of the policies that made the rollouts, and keeping what came of it."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction

from annotations import jobs
from annotations.models import Annotation, Label, Project, Rater, Report, Run, Trajectory, User
from annotations.records import Json
from annotations.schemes.fields.base import FieldSpec
from annotations.services import agreement, answers, findings, insight_facts, insight_spent, trees
from annotations.services.agreement import AgreementRefused
from annotations.services.projects import scheme_of
from annotations.services.runs import Claim

KIND = "insight"
GRADES = {"right": 1, "neutral": 0, "wrong": -1}


class InsightRefused(ValueError):
    """There can be none as asked. The message says why."""


def start(project: Project, by: User | None, rater: str) -> Run:
    """Begin one over what that rater says. InsightRefused where there can be none."""
    refuse(project, {"rater": rater})
    return jobs.start(Run.Kind.INSIGHT, project, by, rater=rater)


def unfit(project: Project) -> str:
    """Why the project's scheme has none; "" where it has."""
    main = scheme_of(project.scheme).main_field
    if (
        main.kind == "choice"
        and main.of_step
        and "@" not in main.name
        and {main.tone(v) for v in main.values} & {"wrong"}
    ):
        return ""
    return f"Insight needs a main field that calls steps right or wrong; here it is “{main.title}” ({main.kind})."


def refuse(project: Project, config: Mapping[str, Any]) -> Rater:
    if reason := unfit(project):
        raise InsightRefused(reason)
    try:
        found = agreement.find(project, config.get("rater"))
    except AgreementRefused as no:
        raise InsightRefused(str(no)) from no
    if found is None:
        raise InsightRefused("Say whose labels it is about.")
    return found


def gathered(project: Project, config: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The live rollouts that the rater has labelled, as fields of statistics.rollouts.Rollout."""
    rater = refuse(project, config)
    scheme = scheme_of(project.scheme)
    passes = Annotation.objects.live().for_labels().filter(rater=rater, trajectory__superseded_at=None)
    passes = passes.filter(state=Annotation.State.SUBMITTED)
    grades = _grades(passes, scheme.main_field)
    verdicts = _verdicts(project, passes)
    known = insight_facts.steps(passes.values("trajectory"))
    spent = insight_spent.of(passes.values("trajectory"))
    grown = trees.among(known)
    rows = Trajectory.objects.filter(annotations__in=passes).order_by("pk")
    for pk, name, task, source, model, outcome in rows.values_list(
        "pk", "external_id", "task", "task__source", "policy_model", "outcome"
    ):
        failed = findings.failed(outcome, verdicts[pk])
        steps = known.get(pk, [])
        yield {
            "pk": pk,
            "name": name,
            "task": task,
            "source": source,
            "model": model,
            "grades": tuple(grades.get(one.pk) for one in steps),
            "tools": tuple(one.tool for one in steps),
            "success": None if failed is None else not failed,
            "calls": tuple(one.calls for one in steps),
            "spent": spent.get(pk, {}),
            # The steps of a tree are no one way: none of them comes after all others.
            "attempts": () if pk in grown else tuple((grades.get(one.pk), one.action) for one in steps if one.answers),
        }


def _grades(passes: Any, main: FieldSpec) -> dict[int, int]:
    """By step, what the label comes to."""
    labels = Label.objects.current().filter(annotation__in=passes, field=main.name, step__isnull=False)
    tones = {json.dumps(value): GRADES.get(main.tone(value)) for value in main.values}
    found = {step: tones.get(json.dumps(value)) for step, value in labels.values_list("step", "value")}
    return {step: grade for step, grade in found.items() if grade is not None}


def _verdicts(project: Project, passes: Any) -> dict[int, list[bool]]:
    """By trajectory, whether the verdict on the whole is a bad one, where it is good or bad at all."""
    spec = answers.verdict(scheme_of(project.scheme))
    found: dict[int, list[bool]] = defaultdict(list)
    labels = Label.objects.current().filter(annotation__in=passes, step=None, field=spec.name) if spec else None
    for trajectory, value in labels.values_list("annotation__trajectory", "value") if labels is not None else ():
        tone = _tone(spec, value)
        if tone in ("right", "wrong"):
            found[trajectory].append(tone == "wrong")
    return found


def _tone(spec: FieldSpec | None, value: Json) -> str:
    return spec.tone(value) if spec and not spec.refusal(value) else "plain"


@transaction.atomic
def store(claim: Claim, result: dict[str, Any]) -> Report:
    """Keep it as a report of its own."""
    told = json.dumps(result, sort_keys=True).encode()
    report = Report.objects.create(
        project=claim.run.project,
        run=claim.run,
        kind=KIND,
        config=claim.run.config,
        inputs={"sha256": hashlib.sha256(told).hexdigest(), **result["counts"]},
        result=result,
    )
    claim.keep(insight=report.pk)
    return report


def reports(project: Project) -> list[Report]:
    return list(Report.objects.filter(project=project, kind=KIND).order_by("-pk")[:30])
