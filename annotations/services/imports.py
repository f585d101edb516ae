"""Bringing trajectories in: streaming, each batch one transaction, each record once however often it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.db import DataError, OperationalError, transaction
from psycopg.errors import ProgramLimitExceeded

from annotations.formats.base import Item
from annotations.models import Event, Project, User
from annotations.records import Json, Problem, TrajectoryRecord
from annotations.segmenting import MESSAGE
from annotations.services import copying, files, hub, named_formats, projects, ratings, sources
from annotations.services.arrivals import Arrived, Batch
from annotations.services.drafts import Draft, draft
from annotations.services.duplicates import KEEP, checked
from annotations.services.rating_ways import Inwards
from annotations.services.runs import Claim
from annotations.services.seen import Seen
from annotations.services.segments import Segmenting
from annotations.services.sources import Unit
from annotations.services.unconverted import Unheld, gathered

ROWS, CHARACTERS = 500, 8_000_000  # a batch is full at either
LISTS = {"rejected": 10_000, "lost": 2_000, "duplicates": 2_000}  # kept one by one; beyond them only their number

ImportResult = dict[str, Any]
COUNTS = ("created", "updated", "unchanged", "steps", "tasks", "labels", "carried", "skipped")


def import_trajectories(
    project: Project,
    paths: Sequence[Path],
    *,
    format: str = "auto",
    by: User | None = None,
    claim: Claim | None = None,
    names: Sequence[str] = (),
    segmentation: str = MESSAGE,
    duplicates: str = KEEP,
) -> ImportResult:
    """Take in every good record of the files; list what was wrong with the others.

    The result counts what this import did: `created`, `updated` (a new version, or other labels), `unchanged`
    trajectories; `steps` of the agent in new versions, new `tasks`, `labels` written, labels `carried` over to new
    versions, characters `replaced` because no text column holds them; `rejected` is a list of problems; `schemes` what
    the files' labels were made under, where they say so, and whether that is the project's. Under a claim every batch
    is committed together with how far it got, and a second call goes on from there. `segmentation` is one of
    segmenting.WAYS, `duplicates` one of duplicates.TITLES. Labels of earlier versions that could not go along are in
    `lost`, those of the files that the project's scheme cannot hold in `unconverted`, by reason; rollouts that equal
    others are in `duplicates`, those of them that were left out are counted as `skipped`.
    Raises FileNotFoundError, formats.UnknownFormat and segments.NoSuchWay before anything is done.
    """
    chosen = None if format == "auto" else named_formats.reader(project, format)
    work = _Import(project, by, claim, segmentation, duplicates)
    with sources.opened(files.sources(paths, names), chosen, more=named_formats.of(project)) as units:
        if claim:
            counted = [unit.total for unit in units]
            unit, _ = work.position
            claim.expect(sum(counted), already=sum(counted[:unit]) + work.line)
        for number, one in enumerate(units):
            work.unit(number, one)
        if claim:  # blank lines are read too
            claim.expect(sum(counted), already=sum(counted))
        work.finish()
    return work.result


def perform(claim: Claim) -> None:
    """Do an import run: trajectories or labels, from the uploaded file or the hub, as its configuration says."""
    hub.perform(claim)
    run, config = claim.run, claim.run.config
    with files.stored(run) as (paths, names):
        if config.get("what") == "labels":
            ratings.import_labels(
                run.project,
                paths,
                rater=config["rater"],
                kind=config["rater_kind"],
                by=run.created_by,
                claim=claim,
                names=names,
            )
        else:
            kind = config.get("format") or "auto"
            asked = {name: config[name] for name in ("segmentation", "duplicates") if config.get(name)}
            import_trajectories(run.project, paths, format=kind, by=run.created_by, claim=claim, names=names, **asked)


class _Import:
    """One import on its way through its files."""

    def __init__(
        self, project: Project, by: User | None, claim: Claim | None, segmentation: str, duplicates: str
    ) -> None:
        self.project, self.by, self.claim = project, by, claim
        self.scheme = projects.scheme_of(project.scheme)
        self.inwards, self.segmenting = Inwards(self.scheme), Segmenting(self.scheme, segmentation)
        self.duplicates = checked(duplicates)
        before = claim.run.result if claim else {}
        self.result: ImportResult = {name: before.get(name, 0) for name in (*COUNTS, "replaced")}
        self.result |= {name: list(before.get(name, [])) for name in LISTS}
        self.result["unconverted"] = list(before.get("unconverted", []))
        self.result |= {f"{name}_more": before.get(f"{name}_more", 0) for name in LISTS}
        self.schemes: dict[str, Json] = {one["sha256"]: one for one in before.get("schemes", [])}
        self.position = tuple(before.get("position", (0, 0)))  # the unit, and how many of its items are done
        self.line = before.get("line", 0)  # of the unit's values, how many are done
        self.seen = Seen()
        self._empty()

    def _empty(self) -> None:
        self.drafts: list[Draft] = []
        self.problems: list[Problem] = []
        self.unheld: list[Unheld] = []
        self.again = self.replaced = self.characters = self.lines = 0

    def unit(self, number: int, unit: Unit) -> None:
        """One file, from where an earlier attempt stopped."""
        form = unit.format.name if unit.format else ""
        nth = 0
        for nth, item in enumerate(unit.items(), 1):
            known = (number, nth) <= self.position
            self._take(item, unit.name, known)
            if not known:
                self.lines += max(0, item.line - self.line)
                self.line = item.line
            if len(self.drafts) + len(self.problems) >= ROWS or self.characters >= CHARACTERS:
                self._flush(form, (number, nth))
        if not nth and (number, 1) > self.position:
            self.problems.append(Problem(unit.name, 1, "", "the file holds no record"))
        self._flush(form, (number, max(nth, 1)))
        self.line = 0

    def _take(self, item: Item, name: str, known: bool) -> None:
        """`known`: an earlier attempt has stored it; only who it is matters, for those that follow."""
        problems = list(item.problems)
        made = None
        unheld: Sequence[Unheld] = ()
        if isinstance(item.record, TrajectoryRecord):
            self._say_schemes(item.record)
            record, unheld, stray = self.inwards.take(item.record, name, item.line)
            record, unplaced = self.segmenting.take(record, name, item.line)
            problems += [*stray, *unplaced]
            try:
                made = draft(record, name, item.line, item.original)
            except (RecursionError, ValueError) as exc:
                problems.append(Problem(name, item.line, "", f"cannot be stored: {exc}"))
        if made and (before := self.seen.get(made.identity)) is not None:
            if before != made.digest:
                reason = "the same trajectory stands on an earlier line, with other content or labels"
                problems.append(Problem(name, item.line, "", reason))
            self.again += before == made.digest and not known
            made = None
        if made:
            self.seen[made.identity] = made.digest
        if known:
            return
        self.problems += problems
        self.unheld += unheld
        self.replaced += item.replaced
        if made:
            self.drafts.append(made)
            self.characters += sum(len(step.message) + len(step.observations) for step in made.steps)
            self.characters += len(item.original)

    def _say_schemes(self, record: TrajectoryRecord) -> None:
        for one in record.schemes:
            same = one.sha256 == self.project.scheme.sha256
            told = {"name": one.name, "version": one.version, "sha256": one.sha256, "same": same}
            self.schemes[one.sha256] = told

    def _flush(self, form: str, position: tuple[int, int]) -> None:
        """Commit what was taken, with how far that is."""
        if position <= self.position:
            self._empty()
            return
        with transaction.atomic():
            arrived = Arrived()
            if self.drafts:
                copying.lock(self.project)
                _store(self.project, self.scheme, form, self.drafts, arrived, self.duplicates)
            result = self._with(arrived)
            if self.claim:
                self.claim.advance(self.lines)
                self.claim.keep(**result, position=list(position), line=self.line)
        self.result, self.position = result, position
        self._empty()

    def _with(self, arrived: Arrived) -> ImportResult:
        result = {name: self.result[name] + getattr(arrived, name) for name in COUNTS}
        result["unchanged"] += self.again
        result["replaced"] = self.result["replaced"] + self.replaced
        result["unconverted"] = gathered(self.result["unconverted"], self.unheld)
        problems = sorted([*self.problems, *arrived.problems], key=lambda one: one.line)
        new = {"rejected": list(map(asdict, problems)), "lost": arrived.lost, "duplicates": arrived.duplicates}
        for name, most in LISTS.items():
            room = max(0, most - len(self.result[name]))
            result[name] = self.result[name] + new[name][:room]
            result[f"{name}_more"] = self.result[f"{name}_more"] + len(new[name][room:])
        return result | ({"schemes": list(self.schemes.values())} if self.schemes else {})

    def finish(self) -> None:
        if self.claim and self.claim.run.result.get("finished"):
            return
        with transaction.atomic():
            counts = {name: self.result[name] for name in COUNTS} | {"rejected": len(self.result["rejected"])}
            Event.objects.create(project=self.project, actor=self.by, verb="trajectories.imported", after=counts)
            if self.claim:
                self.claim.keep(**self.result, finished=True)


def _store(project: Project, scheme: Any, format: str, drafts: Sequence[Draft], arrived: Arrived, how: str) -> None:
    """Store the drafts, adding to `arrived`. One that the database cannot hold becomes a problem; the others go in."""
    try:
        with transaction.atomic():
            batch = Batch(project, scheme, format, how).store(drafts)
    except (DataError, OperationalError) as exc:
        if isinstance(exc, OperationalError) and not isinstance(exc.__cause__, ProgramLimitExceeded):
            raise
        if len(drafts) == 1:
            reason = f"the database cannot hold it: {str(exc).splitlines()[0]}"
            arrived.problems.append(Problem(drafts[0].file, drafts[0].line, "", reason))
            return
        half = len(drafts) // 2
        _store(project, scheme, format, drafts[:half], arrived, how)
        _store(project, scheme, format, drafts[half:], arrived, how)
        return
    for name in COUNTS:
        setattr(arrived, name, getattr(arrived, name) + getattr(batch, name))
    arrived.problems += batch.problems
    arrived.lost += batch.lost
    arrived.duplicates += batch.duplicates
