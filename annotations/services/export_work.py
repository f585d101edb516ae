"""Writing the data files of one export, format by format."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from django.db.models import QuerySet

from annotations.formats.agentprocessbench import AgentProcessBench, dataset_of, safe
from annotations.formats.agentprocessbench_labels import AgentProcessBenchLabels
from annotations.formats.base import Refused
from annotations.formats.lines import dump
from annotations.formats.long_csv import LongCSV
from annotations.formats.parquet import LongParquet
from annotations.formats.splits import split_of
from annotations.formats.stepmark import Stepmark
from annotations.formats.writer import Writer
from annotations.models import Annotation, Project, Rater, Trajectory
from annotations.records import Labelled, TrajectoryRecord
from annotations.segmenting.labelled import by_message
from annotations.services import export_judge, projects
from annotations.services.export_as import As
from annotations.services.export_asked import Asked
from annotations.services.export_files import Lines, Tables
from annotations.services.export_labelled import Labelling
from annotations.services.export_rows import long_rows, records, said_by
from annotations.services.export_whole import whole_records
from annotations.services.runs import Claim
from annotations.services.watch import Watch

Row = TypeVar("Row")
SPLITS = ("train", "test")
REFUSED = 20  # trajectories that the manifest names with the reason


class Work:
    """One export's files. `counts` says what went out beside rows, `refused` which trajectories the format cannot hold,
    `columns` what the files of a Writer have. `reading` closes what is half read when the export stops: a cursor of the
    server outlives its transaction only to spoil another."""

    def __init__(
        self,
        project: Project,
        asked: Asked,
        raters: Sequence[Rater],
        way: As | None,
        folder: Path,
        claim: Claim | None,
        reading: ExitStack,
    ) -> None:
        self.project, self.asked, self.raters, self.way = project, asked, list(raters), way
        self.folder, self.reading = folder, reading
        self.scheme = projects.scheme_of(project.scheme)
        self.watch = Watch(claim)
        self.labelling = Labelling(project, asked, raters, way)
        self.left_out = self.labelling.left_out
        self.counts: dict[str, Any] = {}
        self.refused: list[dict[str, str]] = []
        self.columns: dict[str, Any] = {}
        self.tasks: dict[str, set[str]] = defaultdict(set)  # in each split
        self.teacher = export_judge.teacher(project, asked)

    def write(self) -> int:
        """The data files; returns the number of rows."""
        if self.asked.writer:
            return self._written(self.asked.writer)
        writers: dict[str, Callable[[], int]] = {
            AgentProcessBench.name: self._full,
            AgentProcessBenchLabels.name: self._labels,
            LongParquet.name: self._long(LongParquet()),
            LongCSV.name: self._long(LongCSV()),
            Stepmark.name: self._whole,
        }
        return writers[self.asked.format]()

    def _written(self, writer: Writer) -> int:
        rows, empty, called = 0, 0, self._called()
        self.watch.expect(self.labelling.count())
        entries = self._watched(self.labelling.stream())
        share = self.asked.test_share
        options = {split: self._options(writer, split) for split in (SPLITS if share else [""])}
        with Tables(self.folder, writer, split=bool(share)) as tables:
            if type(writer).files is Writer.files and not share:
                tables.open(called)
            for group in self.labelling.groups(entries, together=writer.together):
                split = self._split(group)
                made = self._made(writer, group, options[split])
                empty += not made
                for name, row in made:
                    tables.row(".".join(filter(None, (name or called, split))), row)
                    rows += 1
                if made and split:
                    self.tasks[split].add(group[0].record.task.external_id)
        self.columns = {f"{name}{writer.suffix}": one.told() for name, one in tables.columns.items()}
        for name, text in writer.beside(self.asked.options).items():
            (self.folder / name).write_text(text, encoding="utf-8")
        self.counts["without_a_row"] = empty
        if self.teacher:
            self.left_out.update(self.teacher.left_out)
            self.refused += self.teacher.refused
        return rows

    def _split(self, group: Sequence[Labelled]) -> str:
        return split_of(group[0].record.task, self.asked.test_share) if self.asked.test_share else ""

    def _options(self, writer: Writer, split: str) -> dict[str, Any]:
        """What is asked of the writer, and what it has to know of all that goes into the split before its first row."""

        def groups() -> Iterator[Sequence[Labelled]]:
            labelling = Labelling(self.project, self.asked, self.raters, self.way)
            self.watch.expect(labelling.count())
            for group in labelling.groups(self._watched(labelling.stream()), together=writer.together):
                if self._split(group) == split:
                    yield by_message(writer.whole, group)

        judge = {"judge": self.teacher} if self.teacher else {}
        return {**self.asked.options, **judge, **writer.ahead(groups(), self.asked.options)}

    def _made(
        self, writer: Writer, group: Sequence[Labelled], options: dict[str, Any]
    ) -> list[tuple[str, dict[str, Any]]]:
        try:
            return list(writer.files(by_message(writer.whole, group), options))
        except Refused as no:
            self.left_out[f"the format cannot hold {no.field}"] += len(group)
            if len(self.refused) < REFUSED:
                name = group[0].record.external_id
                self.refused.append({"trajectory": name, "field": no.field, "reason": no.reason})
            return []

    def _called(self) -> str:
        """The name of the file that is called like the project, and like whose word or whose questions it holds."""
        if self.teacher:
            return f"{safe(self.project.slug)}__{safe(self.asked.judge)}"
        rule = self.asked.rule
        named = file_names(self.raters)[self.raters[0].pk] if rule == "one" and self.raters else rule
        return f"{safe(self.project.slug)}__{named}"

    def _whole(self) -> int:
        form, rows, name = Stepmark(), 0, f"{safe(self.project.slug)}.jsonl"
        found = self._chosen
        self.watch.expect(found.count())
        with Lines(self.folder) as files:
            files.open(name)
            for record in self._watched(whole_records(self.project, self.raters, found)):
                files.line(name, form.line(record))
                rows += 1
        return rows

    def _full(self) -> int:
        """One file a dataset, named as the original's evaluation looks for it."""
        form, query, task, rows = AgentProcessBench(), -1, None, 0
        with Lines(self.folder) as files:
            for record in self._records(self.raters[0]) if self.asked.rule == "one" else self._consensus():
                if record.task.external_id != task:
                    query, task = query + 1, record.task.external_id
                files.line(f"{dataset_of(record.task.source)}.jsonl", form.line(record, query))
                rows += 1
        return rows

    def _labels(self) -> int:
        """One file a dataset and rater, failed attempts included as failed."""
        form, rows = AgentProcessBenchLabels(), 0
        called = file_names(self.raters)
        for rater in self.raters:
            with Lines(self.folder) as files:
                for record in self._records(rater, Annotation.State.FAILED, bodies=False):
                    dataset = dataset_of(record.task.source)
                    row = form.row(record, rater.name, dataset)
                    files.line(f"{dataset}__{called[rater.pk]}.jsonl", dump(row))
                    rows += 1
        return rows

    def _long(self, form: LongParquet | LongCSV) -> Callable[[], int]:
        path = self.folder / f"{safe(self.project.slug)}{form.suffix}"
        return lambda: form.write(self._rows(), path)

    def _rows(self) -> Iterator[dict[str, Any]]:
        kept = self.asked.propagated == "kept"
        found = long_rows(self.project, self.raters, self._chosen, self.asked.states, propagated=kept)
        rows = self._watched(found)
        return self.way.rows(rows) if self.way else rows

    def _records(self, rater: Rater, *states: str, bodies: bool = True) -> Iterable[TrajectoryRecord]:
        said = said_by(rater, *self.asked.states, *states).filter(trajectory__in=self._chosen.order_by())
        self.watch.expect(said.count())
        found = self._watched(records(self.scheme, said, bodies=bodies, propagated=self.asked.propagated == "kept"))
        return self.way.records(found) if self.way else found

    def _consensus(self) -> Iterator[TrajectoryRecord]:
        """One word for each trajectory, of several raters."""
        self.watch.expect(self.labelling.count())
        return (one.labelled.record for one in self._watched(self.labelling.stream()))

    @cached_property
    def _chosen(self) -> QuerySet[Trajectory]:
        """The trajectories that go out whole, by all that is asked of them."""
        choosing = Labelling(self.project, self.asked, self.raters)
        if not self.asked.looks_at_labels:
            choosing.count(labelled=False)
            self.left_out = choosing.left_out
            return choosing.trajectories(labelled=False)
        choosing.count()
        with closing(choosing.stream(bodies=False)) as found:
            kept = {one.trajectory for one in found}
        self.left_out = choosing.left_out
        return choosing.trajectories().filter(pk__in=kept)

    def _watched(self, rows: Generator[Row, None, None]) -> Iterator[Row]:
        return self.watch.over(self.reading.enter_context(closing(rows)))


def file_names(raters: Sequence[Rater]) -> dict[int, str]:
    """What each rater is called in file names: the name, with the kind before it where two would be called the same."""
    short = {rater.pk: safe(rater.name) or "rater" for rater in raters}
    taken = list(short.values())
    names = {pk: name if taken.count(name) == 1 else "" for pk, name in short.items()}
    for rater in raters:
        names[rater.pk] = names[rater.pk] or f"{rater.kind}-{short[rater.pk]}"
    doubled = [name for name in names.values() if list(names.values()).count(name) > 1]
    return {pk: f"{name}-{pk}" if name in doubled else name for pk, name in names.items()}
