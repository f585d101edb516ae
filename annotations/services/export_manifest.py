"""What stands beside every exported dataset: what it was made from, under which rules, and how to check it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.db.models import Count
from django.utils import timezone

from annotations.formats.stepmark import Stepmark
from annotations.models import Annotation, Label, Project, Rater, Report, Run
from annotations.models.labels import AnnotationQuerySet
from annotations.services import calibrated, export_judge, judge_probes_gate
from annotations.services.export_asked import Asked
from annotations.services.export_work import Work

Manifest = dict[str, Any]
OVERALL = ("percent", "alpha_ordinal", "alpha_nominal", "fleiss_kappa", "ac1")


def of(project: Project, asked: Asked, raters: list[Rater], work: Work, rows: int, sums: Mapping[str, str]) -> Manifest:
    """The manifest of one export. Only `created_at` differs between two exports of the same labels. `left_out` counts
    trajectories by why they are not in the files, `as` says what was lost on the way to another scheme."""
    every = Annotation.objects.live().filter(rater__in=raters, trajectory__superseded_at__isnull=True)
    live = every if asked.format == Stepmark.name else every.for_labels()
    out = live.filter(state__in=asked.states)
    run = work.labelling.run if asked.writer else None
    return {
        "project": {"slug": project.slug, "title": project.title},
        "format": asked.format,
        "options": dict(asked.options),
        "filters": asked.filters(),
        **({"as": work.way.manifest()} if work.way else {}),
        "scheme": {"name": project.scheme.name, "version": project.scheme.version, "sha256": project.scheme.sha256},
        "schemes_used": sorted(set(out.values_list("scheme__sha256", flat=True))),
        "guideline_versions": _distinct(out, "guideline__version"),
        "visibility_modes": _distinct(out, "mode"),
        "propagation_policies": _distinct(out, "propagation"),
        "label_origins": _origins(out),
        "raters": _raters(raters, live),
        **({"judges": judges} if (judges := judge_probes_gate.manifest(project, raters)) else {}),
        **({"judge": export_judge.manifest(project, asked, work.teacher)} if work.teacher else {}),
        "scores": _scores(run) if run else None,
        "agreement": _agreement(project),
        "sources": _sources(project, asked),
        **({"split": _split(asked, work)} if asked.test_share else {}),
        "counts": {"rows": rows, **work.counts},
        "left_out": {why: number for why, number in sorted(work.left_out.items()) if number},
        **_set_aside(every.filter(state__in=asked.states), whole=live is every),
        "refused": work.refused,
        "columns": work.columns,
        "sha256": dict(sums),
        "created_at": timezone.now().isoformat(timespec="seconds"),
    }


def _set_aside(passes: AnnotationQuerySet, *, whole: bool) -> dict[str, Any]:
    """The passes that are no part of the dataset, by what they were given for, and what became of them."""
    counts = dict(passes.exclude(purpose="").order_by().values_list("purpose").annotate(number=Count("pk")))
    if not counts:
        return {}
    why = "in the file, each with its purpose" if whole else "left out: they measured or trained their people"
    return {"set_aside": counts | {"why": why}}


def _split(asked: Asked, work: Work) -> dict[str, Any]:
    """How tasks were put into train and test, and how many of them came to each."""
    tasks = {name: len(found) for name, found in sorted(work.tasks.items())}
    return {"by": "the hash of what the task asks", "test_share": asked.test_share, "tasks": tasks}


def _sources(project: Project, asked: Asked) -> dict[str, int]:
    """The datasets that tasks of the project come from, with how many of its trajectories each has."""
    found = project.trajectories.live().order_by("task__source").values_list("task__source")
    found = found.filter(task__source__in=asked.sources) if asked.sources else found
    return {source or "not named": number for source, number in found.annotate(number=Count("pk"))}


def _agreement(project: Project) -> dict[str, Any] | None:
    """The newest report, by its number and what was measured of each pair of raters together."""
    newest = Report.objects.filter(project=project, kind="agreement").order_by("-pk").first()
    if newest is None:
        return None
    return {
        "report": newest.pk,
        "created_at": newest.created_at.isoformat(timespec="seconds"),
        "figures": _figures(newest.result),
    }


def _figures(result: Mapping[str, Any]) -> dict[str, Any]:
    """The measures over all raters and over people alone, with their intervals."""
    among = {"all raters": result, "people": result.get("people") or {}}
    kept = ("value", "low", "high", "n")
    return {
        who: {
            name: {key: one.get(key) for key in kept}
            for name, one in sorted(part["figures"].items())
            if name in OVERALL
        }
        for who, part in among.items()
        if part.get("figures")
    }


def text(manifest: Manifest) -> str:
    return json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"


def _distinct(annotations: Any, name: str) -> dict[str, int]:
    """How many annotations were made under each; "none" where it is not known."""
    counted = Counter(annotations.order_by().values_list(name, flat=True))
    return {"none" if key is None else str(key): number for key, number in sorted(counted.items(), key=str)}


def _origins(annotations: Any) -> dict[str, int]:
    labels = Label.objects.current().filter(annotation__in=annotations)
    return dict(labels.order_by("origin").values_list("origin").annotate(number=Count("pk")))


def _raters(raters: list[Rater], live: Any) -> list[dict[str, Any]]:
    """Each rater with its annotations by state: submitted ones went out, the others did not (failed: as failed)."""
    states: dict[int, dict[str, int]] = {rater.pk: {} for rater in raters}
    for pk, state, number in live.order_by("rater", "state").values_list("rater", "state").annotate(n=Count("pk")):
        states[pk][state] = number
    return [{"kind": rater.kind, "name": rater.name, "annotations": states[rater.pk]} for rater in raters]


def _scores(run: Run) -> dict[str, Any]:
    """Which numbers decided, and by which calibration they are probabilities."""
    held = calibrated.in_force(run.project_id, [run.pk]).get(run.pk)
    return {"run": run.pk, "scorer": run.config.get("scorer", ""), "calibration": held.pk if held else None}
