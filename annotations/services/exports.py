"""Taking datasets away: whole files or none, a manifest beside them, the same bytes from the same labels."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction

from annotations import formats
from annotations.formats.agentprocessbench import AgentProcessBench, dataset_of, safe
from annotations.formats.agentprocessbench_labels import AgentProcessBenchLabels
from annotations.formats.base import Refused
from annotations.formats.lines import dump
from annotations.formats.long_csv import LongCSV
from annotations.formats.parquet import LongParquet
from annotations.formats.stepmark import Stepmark
from annotations.formats.trl_stepwise import ZEROS, TRLStepwise
from annotations.models import Annotation, Event, Project, Rater, Run
from annotations.records import TrajectoryRecord
from annotations.services import agreement, export_fit, export_manifest, projects
from annotations.services.export_as import As, NoWay
from annotations.services.export_rows import long_rows, records, said_by
from annotations.services.export_whole import trajectories, whole_records
from annotations.services.runs import Claim
from annotations.services.watch import Watch

ExportResult = dict[str, Any]
Row = TypeVar("Row")
MANIFEST = "manifest.json"


class ExportRefused(ValueError):
    """What was asked cannot be exported; the message says what can."""


class Unfit(ExportRefused):
    """The format cannot hold the scheme's labels. `accepted` names those that can."""

    def __init__(self, reason: str, accepted: list[str]) -> None:
        super().__init__(reason)
        self.accepted = accepted


def export(
    project: Project,
    format: str,
    out: Path,
    *,
    rater: str | None = None,
    zero: str = "drop",
    as_scheme: str = "",
    claim: Claim | None = None,
) -> ExportResult:
    """Write the dataset's files and manifest.json into the folder `out`, making it. Returns `rows`, `files` by name
    and the `sha256` of each data file.

    `apb` and `trl-stepwise` hold one rater's labels (the project's reference by default), the others every rater's.
    `rater` is a name or "kind:name". Only finished work goes out. Files appear complete or not at all, and from the
    same labels they are the same bytes. `as_scheme` names a scheme that comes with Stepmark, in whose words the labels
    go out. Raises ExportRefused and formats.UnknownFormat.
    """
    if format not in formats.writable():
        raise formats.UnknownFormat(f"no format {format!r} is written; accepted are {', '.join(formats.writable())}")
    if zero not in ZEROS:
        raise ExportRefused(f"zero is {zero!r}; accepted are {', '.join(ZEROS)}")
    via = way(project, format, as_scheme)
    raters = _raters(project, format, rater)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".stepmark-") as folder, _snapshot(), ExitStack() as reading:
        work = _Export(project, Path(folder), zero, via, claim, reading)
        rows = work.write(format, raters)
        sums = {path.name: _sha256(path) for path in sorted(Path(folder).iterdir())}
        manifest = export_manifest.of(project, format, raters, zero, rows, work.counts, sums, via)
        (Path(folder) / MANIFEST).write_text(export_manifest.text(manifest))
        for name in [*sums, MANIFEST]:
            os.replace(Path(folder) / name, out / name)
    return {"rows": rows, "files": [*sums, MANIFEST], "sha256": sums}


def perform(claim: Claim) -> None:
    """Do an export run: its files go to the default storage under exports/<run>/."""
    run = claim.run
    with tempfile.TemporaryDirectory() as folder:
        asked = {name: run.config[name] for name in ("rater", "zero", "as_scheme") if run.config.get(name)}
        result = export(run.project, run.config["format"], Path(folder), **asked, claim=claim)
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
    """The way to the scheme that was asked for; None where the labels go out as they are. Raises ExportRefused, Unfit
    where the format cannot hold what comes out."""
    found = _way(project, format, asked) if asked else None
    scheme = found.scheme if found else projects.scheme_of(project.scheme)
    if reason := export_fit.why_not(scheme, format):
        raise Unfit(reason, export_fit.fitting(scheme))
    return found


def _way(project: Project, format: str, asked: str) -> As:
    if format == Stepmark.name:
        others = ", ".join(name for name in formats.writable() if name != format)
        raise ExportRefused(f"{format} keeps every label as it was given; accepted with another scheme are {others}")
    try:
        return As(project, asked)
    except NoWay as no:
        raise ExportRefused(str(no)) from no


def _raters(project: Project, format: str, asked: str | None) -> list[Rater]:
    """Whose labels go out."""
    every = list(project.raters.order_by("kind", "name"))
    if asked is None and formats.FORMATS[format].everyone:
        return every
    try:
        one = agreement.find(project, asked or None)
    except agreement.AgreementRefused as exc:
        raise ExportRefused(str(exc)) from exc
    if one is None:
        named = ", ".join(f"{rater.kind}:{rater.name}" for rater in every) or "none yet"
        raise ExportRefused(f"the project has no reference rater; name one with --rater. Its raters: {named}")
    return [one]


@contextmanager
def _snapshot() -> Iterator[None]:
    """All reading sees one moment; where the caller has a transaction, that one decides."""
    outer = connection.in_atomic_block
    with transaction.atomic():
        if not outer:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


class _Export:
    """One export's files. `counts` says what of each rater's work went out, and what was left out. `reading` closes
    what is half read when the export stops: a cursor of the server outlives its transaction only to spoil another."""

    def __init__(
        self, project: Project, folder: Path, zero: str, way: As | None, claim: Claim | None, reading: ExitStack
    ) -> None:
        self.project, self.folder, self.zero, self.way, self.reading = project, folder, zero, way, reading
        self.scheme = projects.scheme_of(project.scheme)
        self.watch = Watch(claim)
        self.counts: dict[str, Any] = {}

    def write(self, format: str, raters: list[Rater]) -> int:
        """The data files; returns the number of rows."""
        writers: dict[str, Callable[[list[Rater]], int]] = {
            AgentProcessBench.name: self._full,
            AgentProcessBenchLabels.name: self._labels,
            TRLStepwise.name: self._stepwise,
            LongParquet.name: self._long(LongParquet()),
            LongCSV.name: self._long(LongCSV()),
            Stepmark.name: self._whole,
        }
        return writers[format](raters)

    def _whole(self, raters: list[Rater]) -> int:
        form, rows, name = Stepmark(), 0, f"{safe(self.project.slug)}.jsonl"
        self.watch.expect(trajectories(self.project).count())
        with _Files(self.folder) as files:
            files.open(name)
            for record in self._watched(whole_records(self.project, raters)):
                files.line(name, form.line(record))
                rows += 1
        return rows

    def _full(self, raters: list[Rater]) -> int:
        """One file a dataset, named as the original's evaluation looks for it."""
        form, query, task, rows = AgentProcessBench(), -1, None, 0
        with _Files(self.folder) as files:
            for record in self._records(raters[0]):
                if record.task.external_id != task:
                    query, task = query + 1, record.task.external_id
                files.line(f"{dataset_of(record.task.source)}.jsonl", form.line(record, query))
                rows += 1
        return rows

    def _labels(self, raters: list[Rater]) -> int:
        """One file a dataset and rater, failed attempts included as failed."""
        form, rows = AgentProcessBenchLabels(), 0
        called = _file_names(raters)
        for rater in raters:
            with _Files(self.folder) as files:
                for record in self._records(rater, Annotation.State.FAILED, bodies=False):
                    dataset = dataset_of(record.task.source)
                    row = form.row(record, rater.name, dataset)
                    files.line(f"{dataset}__{called[rater.pk]}.jsonl", dump(row))
                    rows += 1
        return rows

    def _stepwise(self, raters: list[Rater]) -> int:
        form, rows, empty = TRLStepwise(), 0, 0
        name = f"{safe(self.project.slug)}__{_file_names(raters)[raters[0].pk]}.jsonl"
        with _Files(self.folder) as files:
            files.open(name)
            for record in self._records(raters[0]):
                try:
                    row = form.row(record, self.zero)
                except Refused as exc:
                    scheme = f"the scheme {(self.way or self).scheme.name} does not fit trl-stepwise"
                    raise ExportRefused(f"{scheme}: {exc}, in {record.external_id}") from exc
                if row is None:
                    empty += 1
                    continue
                files.line(name, dump(row))
                rows += 1
        self.counts["without_a_usable_step"] = empty
        return rows

    def _long(self, form: LongParquet | LongCSV) -> Callable[[list[Rater]], int]:
        path = self.folder / f"{safe(self.project.slug)}{form.suffix}"
        return lambda raters: form.write(self._rows(raters), path)

    def _rows(self, raters: list[Rater]) -> Iterator[dict[str, Any]]:
        rows = self._watched(long_rows(self.project, raters))
        return self.way.rows(rows) if self.way else rows

    def _records(self, rater: Rater, *states: str, bodies: bool = True) -> Iterable[TrajectoryRecord]:
        said = said_by(rater, *states)
        self.watch.expect(said.count())
        found = self._watched(records(self.scheme, said, bodies=bodies))
        return self.way.records(found) if self.way else found

    def _watched(self, rows: Generator[Row, None, None]) -> Iterator[Row]:
        return self.watch.over(self.reading.enter_context(closing(rows)))


class _Files(AbstractContextManager["_Files"]):
    """The JSONL files of an export, opened when their first line comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._open: dict[str, IO[str]] = {}

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def open(self, name: str) -> IO[str]:
        if name not in self._open:
            stream = (self.folder / name).open("w", encoding="utf-8", newline="\n")
            self._open[name] = self._stack.enter_context(stream)
        return self._open[name]

    def line(self, name: str, text: str) -> None:
        self.open(name).write(text + "\n")


def _file_names(raters: list[Rater]) -> dict[int, str]:
    """What each rater is called in file names: the name, with the kind before it where two would be called the same."""
    short = {rater.pk: safe(rater.name) or "rater" for rater in raters}
    taken = list(short.values())
    names = {pk: name if taken.count(name) == 1 else "" for pk, name in short.items()}
    for rater in raters:
        names[rater.pk] = names[rater.pk] or f"{rater.kind}-{short[rater.pk]}"
    doubled = [name for name in names.values() if list(names.values()).count(name) > 1]
    return {pk: f"{name}-{pk}" if name in doubled else name for pk, name in names.items()}


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def files_of(run: Run) -> dict[str, str]:
    """The files an export run brought, by name, each with its SHA-256; empty until it is done."""
    if run.state != Run.State.DONE:
        return {}
    sums = {MANIFEST: run.sha256, **(run.result.get("sha256") or {})}
    return {name: sums.get(name, "") for name in run.result.get("files") or []}
