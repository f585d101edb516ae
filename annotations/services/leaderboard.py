"""Gathering what judges are measured by, and keeping what came of it."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Func, Max, Sum, TextField

from annotations import jobs
from annotations.judged_table import NONE as NO_ERROR
from annotations.judged_table import JudgedTable
from annotations.models import Annotation, Label, Project, Rater, Report, Run, Step, Trajectory, User
from annotations.records import Json
from annotations.schemes.fields.places import NONE
from annotations.schemes.schema import Scheme
from annotations.services import agreement, leaderboard_facts
from annotations.services.agreement import AgreementRefused
from annotations.services.projects import scheme_of
from annotations.services.runs import Claim
from annotations.tables import LabelTable

KIND = "leaderboard"
ARITHMETIC = 2  # grows where the same labels give other figures
TRIES = 3
# What text cannot hold (NUL, half of a surrogate pair) is put out of a hostile call's way before it is taken apart.
CALLS = r"regexp_replace(%(expressions)s, '\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\ufffd', 'g')::json"
NAMES = (
    f"CASE json_typeof({CALLS}) WHEN 'array' THEN"
    f" (SELECT json_agg(one -> 'name') FROM json_array_elements({CALLS}) AS one"
    " WHERE json_typeof(one) = 'object')::text END"
)
NO_LEADERBOARD = (
    "Judges are held against people where the main field is a choice, or names the first wrong step. Here it is "
    "“{title}” ({kind}): the report of Agreement has its figures."
)


class LeaderboardRefused(Exception):
    """There can be no leaderboard as asked. The message says why, and what would do."""


@dataclass(frozen=True)
class Known:
    """Rows of the database by their places in the table."""

    raters: list[Rater]
    trajectories: list[tuple[int, str, str, str]]  # pk, name, source, policy model

    @property
    def rows(self) -> dict[int, int]:
        return {one[0]: place for place, one in enumerate(self.trajectories)}


def start(project: Project, by: User | None, reference: str, *, official: bool = False) -> Run:
    """Begin one. LeaderboardRefused where there can be none."""
    config: dict[str, Any] = {"reference": reference, "official": official}
    refuse(project, config)
    return jobs.start(Run.Kind.LEADERBOARD, project, by, **config)


def refuse(project: Project, config: Mapping[str, Any]) -> None:
    """LeaderboardRefused where there can be no leaderboard as asked."""
    if reason := unfit(project):
        raise LeaderboardRefused(reason)
    try:
        reference = agreement.find(project, config.get("reference"))
    except AgreementRefused as no:
        raise LeaderboardRefused(str(no)) from no
    values = scheme_of(project.scheme).main_field.values
    if config.get("official") and not (values and all(type(value) is int for value in values)):
        raise LeaderboardRefused("The released arithmetic is for labels that are whole numbers; this field’s are not.")
    if reference is None:
        raise LeaderboardRefused("A leaderboard needs a reference: somebody whose labels are held to be right.")


def unfit(project: Project) -> str:
    """Why the project's scheme has no leaderboard; "" where it has."""
    main = scheme_of(project.scheme).main_field
    if agreement.is_classic(scheme_of(project.scheme)) or main.kind == "first_error":
        return ""
    return NO_LEADERBOARD.format(title=main.title, kind=main.kind)


def settle(claim: Claim) -> None:
    """Say in the run's configuration whom judges are held against, where the project's own reference was meant."""
    refuse(claim.run.project, claim.run.config)
    reference = agreement.find(claim.run.project, claim.run.config.get("reference"))
    if reference:
        name = f"{reference.kind}:{reference.name}"
        claim.configure(reference=name, official=bool(claim.run.config.get("official")))


def gathered(project: Project, config: dict[str, Any]) -> JudgedTable:
    """What the labels and the judges' rows say now; no text of a step is read. LeaderboardRefused."""
    refuse(project, config)
    for _ in range(TRIES):
        table = agreement.table(project, config)
        known = _known(project, table, config)
        if known:
            return _judged(project, table, known)
    raise LeaderboardRefused("The project's labels change while they are read; try again when it is quiet.")


def _known(project: Project, table: LabelTable, config: dict[str, Any]) -> Known | None:
    """The rows that the table was made of; None where they have changed since."""
    passes = agreement.counted(project)
    reference = agreement.find(project, config.get("reference"))
    heard = agreement.heard(project, reference).values_list("rater", flat=True)
    seen = {*heard.order_by().distinct(), *([reference.pk] if reference else [])}
    raters = list(Rater.objects.filter(pk__in=seen).order_by("kind", "name"))
    trajectories = list(
        Trajectory.objects.filter(pk__in=passes.values("trajectory"))
        .order_by("task", "rollout")
        .values_list("pk", "external_id", "task__source", "policy_model")
    )
    same = agreement.named(raters) == table.raters and tuple(one[1] for one in trajectories) == table.trajectories
    return Known(raters, trajectories) if same else None


def _judged(project: Project, table: LabelTable, known: Known) -> JudgedTable:
    scheme = scheme_of(project.scheme)
    rows, raters = known.rows, [rater.pk for rater in known.raters]
    steps = _steps(project, rows)
    lengths = array("i", [0] * len(rows))
    for row, *_ in steps:
        lengths[row] += 1
    of_steps = scheme.main_field.of_step and bool(table.values)
    units = {(pk, index): at for at, (_, _, pk, index, _) in enumerate(steps)}
    sure = leaderboard_facts.chances(project, scheme.main, table.values, raters, units if of_steps else {})
    firsts = _firsts(project, scheme, raters, rows, steps) if scheme.main_field.kind == "first_error" else []
    return JudgedTable(
        labels=table if scheme.main_field.of_step else replace(table, error=None),
        raters=tuple(raters),
        sources=tuple(source for _, _, source, _ in known.trajectories),
        models=tuple(model for *_, model in known.trajectories),
        lengths=lengths,
        tools=tuple(tool for *_, tool in steps) if of_steps else (),
        about=leaderboard_facts.about(project, known.raters),
        taught=leaderboard_facts.taught(project, raters, rows),
        chance_rater=sure.rater,
        chance_step=sure.step,
        chances=tuple(sure.shares),
        names_first=scheme.main_field.kind == "first_error",
        first_rater=array("i", (rater for rater, _, _ in firsts)),
        first_trajectory=array("i", (row for _, row, _ in firsts)),
        first_step=array("i", (step for _, _, step in firsts)),
    )


def _steps(project: Project, rows: Mapping[int, int]) -> list[tuple[int, int, int, int, str]]:
    """The agent's steps in the table's order: row, message, trajectory, index, names of the tools that are called."""
    names: Any = Func(F("tool_calls"), template=NAMES, output_field=TextField())
    found = Step.objects.of_agent().filter(trajectory__in=agreement.counted(project).values("trajectory")).order_by()
    read = found.annotate(tools=names).values_list("trajectory", "source_index", "pk", "index", "tools")
    ordered = sorted(
        (rows[trajectory], message, pk, trajectory, index, tools)
        for trajectory, message, pk, index, tools in read.iterator(chunk_size=10_000)
        if trajectory in rows
    )
    return [(row, message, trajectory, index, _tool(tools)) for row, message, _, trajectory, index, tools in ordered]


def _tool(names: str) -> str:
    """The one tool that is called; "several tools" where they differ."""
    found = {one for one in json.loads(names or "[]") if isinstance(one, str)}
    return next(iter(found), "").replace("\x00", "")[:100] if len(found) < 2 else "several tools"


def _firsts(
    project: Project,
    scheme: Scheme,
    raters: Sequence[int],
    rows: Mapping[int, int],
    steps: Iterable[tuple[int, int, int, int, str]],
) -> list[tuple[int, int, int]]:
    """(rater, trajectory, which of the agent's steps) of every first error that is named; a step that is not there is
    no answer."""
    ordinals: dict[tuple[int, int], int] = {}
    counted: dict[int, int] = {}
    for row, _, _, index, _ in steps:
        ordinals[row, index] = counted[row] = counted.get(row, -1) + 1
    places = {rater: place for place, rater in enumerate(raters)}
    passes = agreement.counted(project).exclude(state=Annotation.State.FAILED).filter(scheme=project.scheme_id)
    labels = Label.objects.current().filter(field=scheme.main, step__isnull=True, annotation__in=passes.values("pk"))
    read = labels.order_by("pk").values_list("annotation__rater", "annotation__trajectory", "value")
    found = [
        (places[rater], rows[trajectory], _ordinal(value, rows[trajectory], ordinals))
        for rater, trajectory, value in read.iterator(chunk_size=10_000)
        if rater in places and trajectory in rows
    ]
    return [(rater, row, step) for rater, row, step in found if step is not None]


def _ordinal(value: Json, row: int, ordinals: Mapping[tuple[int, int], int]) -> int | None:
    return NO_ERROR if value == NONE else ordinals.get((row, value)) if isinstance(value, int) else None


def fingerprint(of: JudgedTable) -> str:
    """SHA-256 of all that the figures are made of. The same labels and answers of the same judges give the same."""
    rest = {
        "arithmetic": ARITHMETIC,
        "labels": agreement.fingerprint(of.labels),
        "passes": [of.labels.pass_rater.tolist(), of.labels.pass_trajectory.tolist(), of.labels.pass_failed.tolist()],
        "reference": of.labels.reference,
        "raters": of.raters,
        "trajectories": [of.labels.trajectories, of.labels.task.tolist(), of.sources, of.models],
        "tools": of.tools,
        "about": {str(place): dict(said) for place, said in of.about.items()},
        "taught": {str(place): sorted(said) for place, said in of.taught.items()},
        "chances": [of.chance_rater.tolist(), of.chance_step.tolist(), of.chances],
        "firsts": [of.first_rater.tolist(), of.first_trajectory.tolist(), of.first_step.tolist()],
    }
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def mark(project: Project) -> dict[str, Any]:
    """What is cheap to read and changes whenever a label does: how many passes count, the newest, their revisions."""
    found = agreement.counted(project).aggregate(passes=Count("pk"), newest=Max("pk"), revisions=Sum("revision"))
    return {name: value or 0 for name, value in found.items()}


def is_stale(report: Report) -> bool:
    """Whether labels have come, gone or changed since it was made, or was last found to be what they say."""
    found = Run.objects.filter(project=report.project_id, kind=Run.Kind.LEADERBOARD, result__leaderboard=report.pk)
    marks = [report.inputs.get("mark"), *found.values_list("result__mark", flat=True)]
    return mark(report.project) not in marks


def same(claim: Claim, sha256: str) -> Report | None:
    """The newest report of the same labels, asked for alike."""
    reports = Report.objects.filter(project=claim.run.project, kind=KIND, inputs__sha256=sha256)
    return next((one for one in reports.order_by("-pk") if one.config == claim.run.config), None)


def glance(result: Mapping[str, Any]) -> dict[str, Any]:
    """What a list says of a report: {"reference", "official", "best", "step_acc", "first_err_acc", "kappa"}, the last
    four of the best single judge; null where there is none."""
    best = next((row for row in result["rows"] if row["key"] == result["best"]), None)
    figures = {name: best and best["figures"][name]["value"] for name in ("step_acc", "first_err_acc", "kappa")}
    named = {"reference": result["reference"], "official": result["official"]}
    return {**named, "best": best and best["name"], **figures}


@transaction.atomic
def store(claim: Claim, result: dict[str, Any], sha256: str, before: dict[str, Any]) -> Report:
    """Keep the result with what it was computed from. Once per run: a run taken up again keeps its first report.
    `before` is the mark of before the labels were read."""
    run = claim.run
    inputs = {"counts": result["counts"], "sha256": sha256, "mark": before, "glance": glance(result)}
    fields = {"project": run.project, "kind": KIND, "config": run.config, "inputs": inputs, "result": result}
    report, _ = Report.objects.get_or_create(run=run, defaults=fields)
    claim.keep(leaderboard=report.pk, mark=before)
    return report
