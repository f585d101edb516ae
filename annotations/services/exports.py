"""Taking datasets away: whole files or none, a manifest beside them, the same bytes from the same labels."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction

from annotations import formats
from annotations.formats.stepmark import Stepmark
from annotations.models import Event, Project, Rater, Run
from annotations.services import (
    export_as,
    export_asked,
    export_card,
    export_fit,
    export_judge,
    export_labelled,
    export_manifest,
    projects,
    views,
)
from annotations.services.export_as import As, NoWay
from annotations.services.export_asked import Asked, ExportRefused
from annotations.services.export_work import Work
from annotations.services.runs import Claim

ExportResult = dict[str, Any]
MANIFEST = "manifest.json"
CARD = "README.md"


def export(
    project: Project, format: str, out: Path, *, rater: str | None = None, claim: Claim | None = None, **said: Any
) -> ExportResult:
    """Write the dataset's files, README.md and manifest.json into the folder `out`, making it. Returns `rows`, `files`
    by name and the `sha256` of each but the manifest.

    `said` is what services.export_asked reads: options, raters, filters. Formats made of one word a trajectory hold the
    project's reference by default, the others every rater's. `rater` is a name or "kind:name". Files appear complete or
    not at all, and from the same labels they are the same bytes. `as_scheme` names a scheme that comes with Stepmark,
    in whose words the labels go out. Raises ExportRefused and formats.UnknownFormat.
    """
    raters = said.pop("raters", None) or ([rater] if rater else [])
    return perform_asked(project, export_asked.read({"format": format, "raters": raters, **said}), out, claim)


def perform_asked(project: Project, asked: Asked, out: Path, claim: Claim | None = None) -> ExportResult:
    """As `export`, of what was read already."""
    via, raters = check(project, asked)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".stepmark-") as name, _snapshot(), ExitStack() as reading:
        folder = Path(name)
        work = Work(project, asked, raters, via, folder, claim, reading)
        rows = work.write()
        sums = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
        manifest = export_manifest.of(project, asked, raters, work, rows, sums)
        (folder / CARD).write_text(export_card.text(project, asked, manifest), encoding="utf-8")
        sums[CARD] = manifest["sha256"][CARD] = _sha256(folder / CARD)
        (folder / MANIFEST).write_text(export_manifest.text(manifest), encoding="utf-8")
        for each in [*sums, MANIFEST]:
            os.replace(folder / each, out / each)
    return {"rows": rows, "files": [*sums, MANIFEST], "sha256": sums}


def check(project: Project, asked: Asked) -> tuple[As | None, list[Rater]]:
    """The way to the scheme that was asked for and the raters, where the export is possible. Raises ExportRefused."""
    via = way(project, asked.format, asked.as_scheme)
    if asked.format == Stepmark.name and asked.propagated != "kept":
        raise ExportRefused(f"{asked.format} keeps every label as it was given", "propagated", ["kept"])
    export_labelled.scoring_run(project, asked.scores)
    if asked.view and asked.view not in {one.name for one in views.of(project)}:
        kept = [one.name for one in views.of(project)]
        raise ExportRefused(f"there is no view {asked.view!r}; there are {', '.join(kept) or 'none'}", "view", kept)
    export_judge.check(project, asked)
    judged = export_judge.is_judged(asked.format)
    everyone = formats.FORMATS[asked.format].everyone or judged and bool(asked.raters)
    raters = export_labelled.raters_for(project, asked, everyone=everyone)
    if judged:
        export_judge.people(project, raters)
    return via, raters


def perform(claim: Claim) -> None:
    """Do an export run: its files go to the default storage under exports/<run>/."""
    run = claim.run
    with tempfile.TemporaryDirectory() as folder:
        result = perform_asked(run.project, export_asked.read(run.config), Path(folder), claim)
        for name in result["files"]:
            _keep(f"exports/{run.pk}/{name}", Path(folder) / name)
        manifest = hashlib.sha256((Path(folder) / MANIFEST).read_bytes()).hexdigest()
    with transaction.atomic():
        Event.objects.create(
            project=run.project, actor=run.created_by, verb="exported", after={"run": run.pk, **run.config, **result}
        )
        claim.attach(f"exports/{run.pk}/{MANIFEST}", manifest)
        claim.keep(**result)


def _keep(name: str, path: Path) -> None:
    """In the storage under exactly this name, also where an attempt that died left one."""
    default_storage.delete(name)
    with path.open("rb") as stream:
        default_storage.save(name, File(stream))


def way(project: Project, format: str, asked: str) -> As | None:
    """The way to the scheme that was asked for; None where the labels go out as they are. Raises ExportRefused
    also where the format cannot hold what comes out."""
    found = _way(project, format, asked) if asked else None
    scheme = found.scheme if found else projects.scheme_of(project.scheme)
    if reason := export_fit.why_not(scheme, format):
        raise ExportRefused(reason, "format", export_fit.fitting(scheme))
    return found


def _way(project: Project, format: str, asked: str) -> As:
    if format == Stepmark.name:
        others = ", ".join(name for name in formats.writable() if name != format)
        raise ExportRefused(
            f"{format} keeps every label as it was given; accepted with another scheme are {others}", "format"
        )
    try:
        return As(project, asked)
    except NoWay as no:
        raise ExportRefused(str(no), "as_scheme", [name for name, _ in export_as.ways(project)]) from no


@contextmanager
def _snapshot() -> Iterator[None]:
    """All reading sees one moment; where the caller has a transaction, that one decides."""
    outer = connection.in_atomic_block
    with transaction.atomic():
        if not outer:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def files_of(run: Run) -> dict[str, str]:
    """The files an export run brought, by name, each with its SHA-256; empty until it is done."""
    if run.state != Run.State.DONE:
        return {}
    sums = {MANIFEST: run.sha256, **(run.result.get("sha256") or {})}
    return {name: sums.get(name, "") for name in run.result.get("files") or []}
