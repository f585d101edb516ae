"""Bringing label files in: what people, judges and other files say of trajectories that are here already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import transaction

from annotations.formats.base import LabelRecord
from annotations.models import Event, Project, Rater, User
from annotations.records import Problem
from annotations.services import copying, files, projects, rating_rows, sources, standing
from annotations.services.label_files import Matches, Row, newest
from annotations.services.runs import Claim
from annotations.services.sources import Unit

KINDS = (Rater.Kind.HUMAN, Rater.Kind.JUDGE, Rater.Kind.IMPORT)
ROWS = 500

RatingsResult = dict[str, Any]
COUNTS = ("labels", "annotations", "failed", "unchanged")


class WrongRater(ValueError):
    """No such kind of rater, or a name that belongs to a person who logs in."""


def import_labels(
    project: Project,
    paths: Sequence[Path],
    *,
    rater: str,
    kind: str,
    by: User | None = None,
    claim: Claim | None = None,
    names: Sequence[str] = (),
) -> RatingsResult:
    """Make the rater say of each trajectory what the newest row about it says, in these files.

    The result counts `labels` written and `annotations` made or changed, `unchanged` ones, and `failed` rows (the
    rater was asked and said nothing); `unmatched` lists rows whose trajectory is not here, `rejected` what was wrong.
    Of rows about the same trajectory the newest counts; one with a time beats one without; of equals the last.
    Importing again what is here already writes nothing. Raises FileNotFoundError and WrongRater.
    """
    held = files.sources(paths, names)
    speaker = _rater(project, rater, kind)
    work = _Import(project, speaker, claim)
    rejected: list[Problem] = []
    with sources.opened(held, holds="labels") as units:
        chosen = newest(units, rejected)
        work.result["rejected"] = [asdict(one) for one in rejected] if work.position < 0 else work.result["rejected"]
        if claim:
            claim.expect(len(chosen), already=work.position + 1)
        rows = _rows(units, chosen)
        done = -1
        while batch := list(islice(rows, ROWS)):
            done += len(batch)
            work.batch(batch, done)
    work.finish(by)
    return work.result


def _rater(project: Project, name: str, kind: str) -> Rater:
    if kind not in KINDS:
        raise WrongRater(f"no kind of rater {kind!r}; accepted are {', '.join(KINDS)}")
    if not 0 < len(name) <= 150:
        raise WrongRater(f"a rater's name has 1 to 150 characters, not {len(name)}")
    rater, _ = Rater.objects.get_or_create(project=project, kind=kind, name=name)
    if rater.user_id:
        raise WrongRater(f"{name!r} labels here with a login; import under another name")
    return rater


def _rows(units: Sequence[Unit], chosen: set[tuple[int, int]]) -> Iterator[Row]:
    """The rows that count, in the order of the files."""
    for number, unit in enumerate(units):
        for item in unit.items() if unit.format else ():
            if (number, item.line) in chosen and isinstance(item.record, LabelRecord):
                yield Row(unit.name, item.line, item.record)


class _Import:
    """One import on its way. `position` is the place of the last row that is stored."""

    def __init__(self, project: Project, rater: Rater, claim: Claim | None) -> None:
        self.project, self.rater, self.claim = project, rater, claim
        self.scheme = projects.scheme_of(project.scheme)
        before = claim.run.result if claim else {}
        self.result: RatingsResult = {name: before.get(name, 0) for name in COUNTS}
        self.result |= {name: list(before.get(name, [])) for name in ("unmatched", "rejected")}
        self.position: int = before.get("position", -1)

    def batch(self, rows: Sequence[Row], done: int) -> None:
        """Store rows and how far that is in one transaction. `done` is the place of the last of them."""
        rows = rows[max(0, self.position - (done - len(rows))) :]
        if not rows:
            return
        with transaction.atomic():
            copying.lock(self.project)
            matches = Matches(self.project, rows)
            said = [
                rating_rows.Said(one.trajectory, one.row.record.rating, one.row.file, one.row.line)
                for one in matches.found
            ]
            tally = rating_rows.store(self.project, self.scheme, self.rater, said)
            standing.touch(self.project, sorted({one.trajectory for one in said}))
            result = self.result | {
                "labels": self.result["labels"] + tally.labels,
                "annotations": self.result["annotations"] + tally.annotations,
                "failed": self.result["failed"] + tally.failed,
                "unchanged": self.result["unchanged"] + tally.unchanged,
                "unmatched": self.result["unmatched"] + matches.unmatched,
                "rejected": self.result["rejected"] + [asdict(one) for one in (*matches.problems, *tally.problems)],
            }
            if self.claim:
                self.claim.advance(len(rows))
                self.claim.keep(**result, position=done)
        self.result, self.position = result, done

    def finish(self, by: User | None) -> None:
        if self.claim and self.claim.run.result.get("finished"):
            return
        with transaction.atomic():
            told = {name: self.result[name] for name in COUNTS} | {"rater": f"{self.rater.kind}:{self.rater.name}"}
            Event.objects.create(project=self.project, actor=by, verb="labels.imported", after=told)
            if self.claim:
                self.claim.keep(**self.result, finished=True)
