"""Gathering what labels say of the policies that made the rollouts, and keeping what came of it."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, Func, TextField

from annotations import jobs
from annotations.models import Annotation, Label, Project, Rater, Report, Run, Step, Trajectory, User
from annotations.records import Json
from annotations.schemes.fields.base import FieldSpec
from annotations.services import agreement, answers, findings
from annotations.services.agreement import AgreementRefused
from annotations.services.leaderboard import NAMES
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
    """The live rollouts that the rater has labelled, as fields of statistics.insight.Rollout. No text is read."""
    rater = refuse(project, config)
    scheme = scheme_of(project.scheme)
    passes = Annotation.objects.live().for_labels().filter(rater=rater, trajectory__superseded_at=None)
    passes = passes.filter(state=Annotation.State.SUBMITTED)
    grades = _grades(passes, scheme.main_field)
    verdicts = _verdicts(project, passes)
    tools = _tools(passes)
    rows = Trajectory.objects.filter(annotations__in=passes).order_by("pk")
    for pk, name, task, source, model, outcome in rows.values_list(
        "pk", "external_id", "task", "task__source", "policy_model", "outcome"
    ):
        known = findings.failed(outcome, verdicts[pk])
        called = tools[pk]
        yield {
            "pk": pk,
            "name": name,
            "task": task,
            "source": source,
            "model": model,
            "grades": tuple(grades.get(step) for step, _ in called),
            "tools": tuple(tool for _, tool in called),
            "success": None if known is None else not known,
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


def _tools(passes: Any) -> dict[int, list[tuple[int, str]]]:
    """By trajectory, the agent's steps in order with the tool each calls first."""
    called: Any = Func(F("tool_calls"), template=NAMES, output_field=TextField())
    steps = Step.objects.of_agent().filter(trajectory__in=passes.values("trajectory")).order_by("trajectory", "index")
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    rows = steps.annotate(tool=called).values_list("trajectory", "pk", "tool")
    for trajectory, pk, tool in rows.iterator(chunk_size=10_000):
        found[trajectory].append((pk, _first(tool)))
    return found


def _first(names: str | None) -> str:
    found = next((one for one in json.loads(names or "[]") if isinstance(one, str)), "")
    return found.replace("\x00", "")[:100]


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
