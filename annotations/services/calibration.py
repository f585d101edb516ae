"""Calibrating a scorer: asking for it, the labelled steps it is fitted to, and keeping what came of it.

The labels are those that a scorer may learn from (scores.taught). A calibration belongs to one scoring run: another run
may be of another model.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from annotations import jobs
from annotations.models import Calibration, Project, Run, Score, Task, User
from annotations.services import scorer_entries
from annotations.services.runs import Claim
from annotations.tables import ScoreTable

LEAST_TASKS = 5  # as many as there are folds
METHODS = {
    "": "The best by log-loss",
    "unchanged": "As the scorer says it",
    "temperature": "Temperature",
    "platt": "Platt",
    "isotonic": "Isotonic",
}

Labels = Mapping[int, Mapping[int, Mapping[int, int]]]  # task → trajectory → step → -1, 0 or 1


class CalibrationRefused(Exception):
    """It cannot be calibrated as asked. The message says why, and what to do."""


def start(project: Project, by: User | None, scorer: str, method: str = "") -> Run:
    """Begin to calibrate the newest run of the scorer that is done."""
    return jobs.start(Run.Kind.CALIBRATE, project, by, **asked(project, scorer, method))


def asked(project: Project, scorer: str, method: str = "") -> dict[str, Any]:
    """The configuration of such a run. CalibrationRefused where there is nothing to calibrate."""
    if method not in METHODS:
        accepted = ", ".join(filter(None, METHODS))
        raise CalibrationRefused(f"There is no method {method!r}. Accepted: {accepted}, or none for the best.")
    scored = newest_done(project, scorer)
    if scored is None:
        there = sorted(scorer_entries.all_of_them())
        unknown = "" if scorer in there else f" There is no such scorer; there are {', '.join(there)}."
        raise CalibrationRefused(
            f"The scorer {scorer!r} has no run here that is done: score the project first.{unknown}"
        )
    return {"scorer": scorer, "method": method, "scored": scored.pk}


def newest_done(project: Project, scorer: str) -> Run | None:
    done = Run.objects.scoring().filter(project=project, state=Run.State.DONE, config__scorer=scorer)
    return done.order_by("-id").first()


def table(run: Run, labels: Labels, held_out: Mapping[int, float] | None = None) -> ScoreTable:
    """What the scoring run says of the labelled steps. `held_out` has P(not wrong) by step id where the scorer has
    learnt from these labels itself: then it counts in place of what the run says."""
    flat = {step: label for tasks in labels.values() for steps in tasks.values() for step, label in steps.items()}
    found = Score.objects.filter(run=run, trajectory__in=[one for tasks in labels.values() for one in tasks])
    bare = held_out is None and Score.objects.filter(run=run, probability__isnull=True).exists()
    names = ("trajectory__task_id", "trajectory", "step", "value", "probability")
    ordered = found.order_by("trajectory__task_id", "trajectory__rollout", "trajectory", "step__index")
    rows = []
    for task, trajectory, step, value, probability in ordered.values_list(*names).iterator(chunk_size=5000):
        if step in flat and (held_out is None or step in held_out):
            said = value if bare else probability
            rows.append((task, trajectory, step, said if held_out is None else held_out[step]))
    tasks = {task: place for place, task in enumerate(dict.fromkeys(task for task, *_ in rows))}
    trajectories = {one: place for place, one in enumerate(dict.fromkeys(one for _, one, *_ in rows))}
    return ScoreTable(
        of="value" if bare else "probability",
        tasks=_names(list(tasks)),
        task=array("i", (tasks[task] for task, *_ in rows)),
        trajectory=array("i", (trajectories[one] for _, one, *_ in rows)),
        said=array("d", (float(said or 0) for *_, said in rows)),
        label=array("i", (flat[step] for _, _, step, _ in rows)),
        out_of_fold=held_out is not None,
    )


def _names(tasks: list[int]) -> tuple[str, ...]:
    names = dict(Task.objects.filter(pk__in=tasks).values_list("pk", "external_id"))
    return tuple(names[task] for task in tasks)


def digest(labels: Labels) -> str:
    """SHA-256 of which step has which label. Steps never change, so their ids say which."""
    flat = sorted(
        (step, label) for tasks in labels.values() for steps in tasks.values() for step, label in steps.items()
    )
    return hashlib.sha256("".join(f"{step}\t{label}\n" for step, label in flat).encode()).hexdigest()


@transaction.atomic
def store(claim: Claim, parameters: dict[str, Any], report: dict[str, Any], labels_sha256: str) -> Calibration:
    """Keep what was fitted. Once per run; the same map of the same scores by the same labels is not kept twice."""
    run, config = claim.run, claim.run.config
    claim.keep()  # locks the run's row: nobody else stores for it meanwhile
    newest = Calibration.objects.filter(scored=config["scored"]).order_by("-id").first()
    same = newest and (newest.parameters, newest.labels_sha256, newest.report["asked"])
    if newest is None or same != (parameters, labels_sha256, report["asked"]):
        newest = Calibration.objects.create(
            project=run.project,
            scored_id=config["scored"],
            run=run,
            scorer=config["scorer"],
            method=parameters["method"],
            parameters=parameters,
            report=report,
            labels_sha256=labels_sha256,
            created_by=run.created_by,
        )
    claim.keep(calibration=newest.pk, method=newest.method, steps=report["steps"], tasks=report["tasks"])
    return newest
