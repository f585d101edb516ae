"""Exports of what a judge of the project is asked: which judge, whose passes answer, what puts the rows together."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from annotations import formats
from annotations.formats.writer import Writer
from annotations.judges import ways
from annotations.models import Judge, Project, Rater
from annotations.records import Json, Labelled
from annotations.services import projects
from annotations.services.export_asked import Asked, ExportRefused

MACHINES = (Rater.Kind.JUDGE, Rater.Kind.SCORER)


class Teacher(Protocol):
    """Puts together the rows of one trajectory after the other. The setting JUDGE_ROWS names it: it is workers' code.
    `left_out` counts passes that gave no row by why, `refused` names some of them, `counts` says what the rows hold."""

    left_out: Counter[str]
    refused: list[dict[str, str]]
    counts: Counter[str]

    def __init__(self, project: Project, judge: Judge, asked: Asked) -> None: ...

    def __call__(self, labelled: Labelled) -> Iterator[dict[str, Json]]: ...

    def otherwise(self) -> list[str]:
        """What of the judge's way of asking is not in the rows, in sentences."""
        ...


def is_judged(format: str) -> bool:
    """Whether the format's rows are what a judge is asked."""
    one = formats.FORMATS[format]
    return isinstance(one, Writer) and one.judged


def offered(project: Project) -> list[Judge]:
    """The project's judges, the newest version of each name first."""
    return list(project.judges.select_related("rater").order_by("name", "-version"))


def judge(project: Project, asked: Asked) -> Judge:
    """The judge of that name and version. Raises ExportRefused naming those there are."""
    names = [str(one) for one in offered(project)]
    there = ", ".join(names) or "none yet: a judge is made on the page Judges"
    if not asked.judge:
        raise ExportRefused(f"{asked.format} is made of what a judge is asked; name one of {there}", "judge", names)
    found = next((one for one in offered(project) if str(one) == asked.judge), None)
    if found is None:
        raise ExportRefused(f"there is no judge {asked.judge!r}; there are {there}", "judge", names)
    return Judge.objects.select_related("server", "guideline", "project__scheme", "rater").get(pk=found.pk)


def check(project: Project, asked: Asked) -> None:
    """Raises ExportRefused where the export cannot be made of a judge's questions, or names a judge for nothing."""
    if not is_judged(asked.format):
        if asked.judge:
            raise ExportRefused(f"{asked.format} is not made of what a judge is asked, and takes no judge", "judge")
        return
    judge(project, asked)
    if asked.rule != "one":
        raise ExportRefused(f"{asked.format} holds whole passes as they were given; no rule makes one", "rule", ["one"])
    if asked.as_scheme:
        raise ExportRefused(f"{asked.format} is in the scheme that the judge is asked under", "as_scheme")
    if compared := ways.compared(projects.scheme_of(project.scheme)):
        raise ExportRefused(
            f"{compared[0].name} compares candidates, which a judge is asked in both orders and this format cannot "
            "hold; preference-pairs can",
            "format",
        )


def people(project: Project, raters: Sequence[Rater]) -> None:
    """Raises ExportRefused where one of those whose passes are to answer is a machine."""
    named = [f"{one.kind}:{one.name}" for one in raters if one.kind in MACHINES]
    if named:
        known = project.raters.exclude(kind__in=MACHINES).order_by("kind", "name")
        accepted = [f"{one.kind}:{one.name}" for one in known]
        raise ExportRefused(
            f"{', '.join(named)} is no person; a judge is taught with the passes of {', '.join(accepted) or 'people'}",
            "raters",
            accepted,
        )


def teacher(project: Project, asked: Asked) -> Teacher | None:
    """What puts the rows together; None for formats that are made without a judge."""
    if not is_judged(asked.format):
        return None
    made: Teacher = import_string(settings.JUDGE_ROWS)(project, judge(project, asked), asked)
    return made


def manifest(project: Project, asked: Asked, teacher: Teacher) -> dict[str, Any]:
    """Which judge was asked with what prompt, and what its rows hold."""
    one = judge(project, asked)
    said = one.settings
    return {
        "name": str(one),
        "model": one.model,
        "prompt": {
            "name": one.prompt_name,
            "sha256": hashlib.sha256(one.prompt.encode()).hexdigest(),
            "text": one.prompt,
        },
        "guideline": one.guideline.version if one.guideline else None,
        "settings": {
            **{key: said[key] for key in ("reading", "sight", "method", "answer", "mitigations", "observation_limit")},
            "examples": len(said["examples"]),
        },
        "otherwise": teacher.otherwise(),
        "rows": dict(sorted(teacher.counts.items())),
    }
