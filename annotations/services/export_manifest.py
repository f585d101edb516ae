"""What stands beside every exported dataset: what it was made from, under which rules, and how to check it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from django.db.models import Count
from django.utils import timezone

from annotations.models import Annotation, Label, Project, Rater
from annotations.services.export_as import As

Manifest = dict[str, Any]


def of(
    project: Project,
    format: str,
    raters: list[Rater],
    zero: str,
    rows: int,
    counts: dict[str, Any],
    sums: dict[str, str],
    way: As | None = None,
) -> Manifest:
    """The manifest of one export. Only `created_at` differs between two exports of the same labels. `way`: to the
    scheme that the labels went out in, where it is another one; what was lost on it is counted there."""
    live = Annotation.objects.live().filter(rater__in=raters, trajectory__superseded_at__isnull=True)
    out = live.filter(state=Annotation.State.SUBMITTED)
    return {
        "project": {"slug": project.slug, "title": project.title},
        "format": format,
        "options": {"zero": zero} if format == "trl-stepwise" else {},
        **({"as": way.manifest()} if way else {}),
        "scheme": {"name": project.scheme.name, "version": project.scheme.version, "sha256": project.scheme.sha256},
        "schemes_used": sorted(set(out.values_list("scheme__sha256", flat=True))),
        "guideline_versions": _distinct(out, "guideline__version"),
        "visibility_modes": _distinct(out, "mode"),
        "propagation_policies": _distinct(out, "propagation"),
        "label_origins": _origins(out),
        "raters": _raters(raters, live),
        "counts": {"rows": rows, **counts},
        "sha256": sums,
        "created_at": timezone.now().isoformat(timespec="seconds"),
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
