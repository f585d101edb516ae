"""Probing a judge: beginning to, what is known for certain, and the reports that came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from annotations import jobs
from annotations.judges.probe_limits import LISTED, TASKS
from annotations.judges.settings import Settings
from annotations.models import Annotation, Judge, Project, Rater, Report, Run, Step, Trajectory, User
from annotations.schemes.fields import PreferenceField
from annotations.schemes.schema import Scheme
from annotations.services import export_asked, judges, projects
from annotations.services.export_grades import Grading
from annotations.services.export_labelled import Entry, Labelling
from annotations.services.judge_probes_kept import KIND, bounds
from annotations.services.judges import JudgeRefused
from annotations.services.run_estimates import LOOKED_AT, Cost
from annotations.services.runs import Claim

MOST = 1_000  # trajectories that are looked at


def start(judge: Judge, by: User | None, *, probes: Iterable[str] = (), tasks: int = TASKS, seed: int = 0) -> Run:
    """Begin to probe. No probes: all that fit the judge. JudgeRefused where it cannot be."""
    return jobs.start(Run.Kind.PROBE, judge.project, by, **asked(judge, probes=probes, tasks=tasks, seed=seed))


def asked(judge: Judge, *, probes: Iterable[str] = (), tasks: int = TASKS, seed: int = 0) -> dict[str, Any]:
    """The configuration of a run. JudgeRefused where the judge cannot be probed so."""
    if judge.retired_at or judge.server.removed_at:
        raise JudgeRefused(f"{judge} or its server is retired; make a new version.")
    known, chosen = [one.name for one in LISTED], set(probes)
    if unknown := sorted(chosen - set(known)):
        raise JudgeRefused(f"There is no probe {', '.join(unknown)}; accepted are {', '.join(known)}.")
    if not 1 <= tasks <= 500:
        raise JudgeRefused("A probe is tried on 1 to 500 tasks.")
    scheme = projects.scheme_of(judge.project.scheme)
    if compared(scheme) is None and not Grading(scheme).known:
        raise JudgeRefused(f"Answers of {scheme.title} do not say that a step is wrong, so there is nothing to probe.")
    if not raters(judge.project):
        raise JudgeRefused(
            "Probes need steps that people have labelled, or the project's reference. There are none yet."
        )
    return {
        "judge": judge.pk,
        "rater": judge.rater_id,
        "name": str(judge),
        "probes": sorted(chosen) or known,
        "tasks": tasks,
        "seed": seed,
        "limits": bounds(judge.project),
    }


def calls(judge: Judge, tasks: int, probes: Iterable[str] = ()) -> int:
    """About how many questions that would be at most: two copies of each pair, controls once."""
    chosen = set(probes) or {one.name for one in LISTED}
    compares = compared(projects.scheme_of(judge.project.scheme)) is not None
    ways = sum(one.pairwise if compares else one.absolute for one in LISTED if one.name in chosen)
    settings = Settings.model_validate(judge.settings)
    each = 1 if compares or settings.reading == "whole" else _steps(judge.project)
    return (ways + 1) * tasks * each * judges.rounds_of(settings)


def cost(judge: Judge, questions: int) -> Cost | None:
    """About what so many questions cost, by the length of the project's trajectories; None where no price is known."""
    each = judges.estimate(judge, {"again": True, "limit": LOOKED_AT})
    if each.cost is None or not each.calls:
        return None
    return replace(each.cost, micro=round(each.cost.micro / each.calls * questions))


def _steps(project: Project) -> int:
    """How many steps of the agent a trajectory has, about."""
    live = Trajectory.objects.live().filter(project=project)
    counted = live.count()
    return max(1, round(Step.objects.of_agent().filter(trajectory__in=live).count() / counted)) if counted else 1


def compared(scheme: Scheme) -> PreferenceField | None:
    """The field in which the scheme compares two rollouts, where that is its main one."""
    main = scheme.main_field
    return main if isinstance(main, PreferenceField) and main.target == "task" and main.form == "pair" else None


def raters(project: Project) -> list[Rater]:
    """Whose word is the truth: the people who labelled, else the project's reference."""
    said = Annotation.objects.live().filter(state=Annotation.State.SUBMITTED)
    people = list(project.raters.filter(kind=Rater.Kind.HUMAN, annotations__in=said).distinct().order_by("name"))
    reference = project.reference
    return people or ([reference] if reference and reference.kind != Rater.Kind.JUDGE else [])


def known(project: Project, without: Iterable[int] = ()) -> list[Entry]:
    """Trajectories with what most people say of them, in the order of tasks; not those with these ids."""
    asked = export_asked.read({"format": "apb", "rule": "majority"})
    shown = set(without)
    with transaction.atomic(), closing(Labelling(project, asked, raters(project)).stream()) as found:
        return list(islice((one for one in found if one.trajectory not in shown), MOST))


def fingerprint(entries: Sequence[Entry]) -> str:
    """SHA-256 of what was known: the grades of each trajectory."""
    told = [[one.trajectory, sorted(one.labelled.grades.items()), one.labelled.final] for one in entries]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def keep_log(claim: Claim, text: str) -> None:
    """Keep every pair with what was said of it, in the storage, under the run."""
    name, data = f"probes/{claim.run.pk}/pairs.jsonl", text.encode("utf-8", "replace")
    default_storage.delete(name)  # an attempt that died may have left one
    default_storage.save(name, ContentFile(data))
    claim.attach(name, hashlib.sha256(data).hexdigest())


def store(claim: Claim, inputs: dict[str, Any], result: dict[str, Any]) -> Report:
    """Keep the report. Once per run: a run taken up again keeps its first."""
    run = claim.run
    report, _ = Report.objects.get_or_create(
        run=run,
        defaults={"project": run.project, "kind": KIND, "config": run.config, "inputs": inputs, "result": result},
    )
    claim.keep(report=report.pk)
    return report
