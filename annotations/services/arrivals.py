"""One batch of drafts into the tables: which are new, which are changed, which are there already."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone

from annotations.formats.lines import dump
from annotations.models import Project, Rater, Step, Task, Trajectory
from annotations.records import Json, Problem
from annotations.schemes.schema import Scheme
from annotations.services import (
    agreement_marks,
    copying,
    originals,
    pass_rows,
    rating_rows,
    standing,
    task_changes,
    versions,
)
from annotations.services.drafts import Draft, StepDraft, TaskDraft
from annotations.services.duplicates import KEEP, Sieve

REFERENCE = "gold"  # the rater whose labels stand in the trajectory files themselves

TASK = "id project_id external_id source instruction reference tools"
TRAJECTORY = (
    "id project_id task_id external_id rollout version policy_model outcome content_hash whole_hash turns_hash"
    " actions_hash format meta extra original_id created_at"
)
STEP = (
    "id trajectory_id index source source_index message reasoning tool_calls observations extra content_hash ordinal"
    " action_hash turn_hash outline parent_id"
)


class _Live(NamedTuple):
    """A stored trajectory's newest version."""

    pk: int
    task: int
    rollout: int
    external_id: str
    content_hash: str
    whole_hash: str
    version: int


@dataclass
class Arrived:
    """What became of a batch. `steps` are agent steps of new versions, `labels` labels written, `carried` labels that
    went along to a new version, `lost` those that did not; `skipped` rollouts that were left out, `duplicates` what
    equals what."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    steps: int = 0
    tasks: int = 0
    labels: int = 0
    carried: int = 0
    skipped: int = 0
    problems: list[Problem] = field(default_factory=list)
    lost: list[Json] = field(default_factory=list)
    duplicates: list[Json] = field(default_factory=list)


@dataclass
class _Row:
    """A draft with its place in the tables."""

    draft: Draft
    pk: int
    task: int
    rollout: int
    replaces: _Live | None
    steps: list[int] = field(default_factory=list)


class Batch:
    """Stores drafts that are all different. Needs a transaction that holds copying.lock."""

    def __init__(self, project: Project, scheme: Scheme, format: str, duplicates: str = KEEP) -> None:
        self.project, self.scheme, self.format = project, scheme, format
        self.sieve = Sieve(project, duplicates)
        self.arrived = Arrived()

    def store(self, drafts: Sequence[Draft]) -> Arrived:
        self._tasks(drafts)
        self._look(drafts)
        rows: list[_Row] = []
        there: list[tuple[Draft, int]] = []
        for draft in drafts:
            self._place(draft, rows, there)
        rows = self._sift(rows, there)
        self._supersede(rows)
        self._copy(rows)
        changed = self._rate(rows, there)
        self._carry(rows)
        changed |= self._passes(rows, there)
        standing.touch(self.project, sorted({*(row.pk for row in rows), *(pk for _, pk in there)}))
        self.arrived.updated += len(changed)
        self.arrived.unchanged += len(there) - len(changed)
        self.sieve.group()
        self.arrived.duplicates = [twin.told() for twin in self.sieve.twins]
        task_changes.settle({row.task for row in rows if row.replaces and self._differing(row.draft)})
        return self.arrived

    def _sift(self, rows: list[_Row], there: Sequence[tuple[Draft, int]]) -> list[_Row]:
        """Without the rollouts that are to be left out, and the tasks that only those would have."""
        kept = self.sieve.keeps(rows)
        if len(kept) < len(rows):
            used = {row.task for row in kept} | {self.tasks[draft.task.external_id][0] for draft, _ in there}
            Task.objects.filter(pk__in=self.new_tasks - used).delete()
            self.arrived.tasks -= len(self.new_tasks - used)
            self.arrived.skipped = len(rows) - len(kept)
        return kept

    def _tasks(self, drafts: Sequence[Draft]) -> None:
        """Know every task of the batch; make the missing ones as their first draft says."""
        wanted: dict[str, TaskDraft] = {}
        for draft in drafts:
            wanted.setdefault(draft.task.external_id, draft.task)
        known = self.project.tasks.filter(external_id__in=wanted).annotate(
            reference_text=Cast("reference", TextField()), tools_text=Cast("tools", TextField())
        )
        columns = ("pk", "external_id", "source", "instruction", "reference_text", "tools_text")
        self.tasks = {row[1]: (row[0], TaskDraft(*row[1:])) for row in known.values_list(*columns)}
        missing = [task for name, task in wanted.items() if name not in self.tasks]
        ids = copying.reserve(Task, len(missing))
        copying.insert(Task, TASK, ((pk, self.project.pk, *task) for pk, task in zip(ids, missing, strict=True)))
        self.tasks |= {task.external_id: (pk, task) for pk, task in zip(ids, missing, strict=True)}
        self.new_tasks, self.arrived.tasks = set(ids), len(missing)

    def _look(self, drafts: Sequence[Draft]) -> None:
        """Find what is stored of these tasks, and under these names."""
        columns = ("pk", "task_id", "rollout", "external_id", "content_hash", "whole_hash", "version")
        live = self.project.trajectories.live().values_list(*columns)
        of_tasks = [_Live(*row) for row in live.filter(task__in=[pk for pk, _ in self.tasks.values()])]
        names = [draft.external_id for draft in drafts if draft.rollout is None and draft.external_id]
        named = [_Live(*row) for row in live.filter(external_id__in=names)] if names else []
        self.by_rollout = {(one.task, one.rollout): one for one in of_tasks}
        self.by_content = {(one.task, one.whole_hash or one.content_hash): one for one in reversed(of_tasks)}
        self.by_name = {one.external_id: one for one in named}
        self.next_rollout: dict[int, int] = defaultdict(int)
        for one in of_tasks:
            self.next_rollout[one.task] = max(self.next_rollout[one.task], one.rollout + 1)

    def _place(self, draft: Draft, rows: list[_Row], there: list[tuple[Draft, int]]) -> None:
        task = self.tasks[draft.task.external_id][0]
        if draft.rollout is not None:
            live = self.by_rollout.get((task, draft.rollout))
        elif draft.external_id:
            live = self.by_name.get(draft.external_id)
        else:
            live = next(filter(None, (self.by_content.get((task, one)) for one in draft.wholes)), None)
        if live and draft.external_id and live.external_id != draft.external_id:
            reason = f"rollout {draft.rollout} of task {draft.task.external_id} is {live.external_id!r} here already"
            self.arrived.problems.append(Problem(draft.file, draft.line, "id", reason))
        elif live and live.content_hash in draft.hashes:
            there.append((draft, live.pk))
        else:
            rows.append(_Row(draft, 0, task, self._rollout(draft, task, live), live))

    def _rollout(self, draft: Draft, task: int, live: _Live | None) -> int:
        if draft.rollout is not None:
            chosen = draft.rollout
        else:
            chosen = live.rollout if live and live.task == task else self.next_rollout[task]
        self.next_rollout[task] = max(self.next_rollout[task], chosen + 1)
        return chosen

    def _supersede(self, rows: Sequence[_Row]) -> None:
        old = [row.replaces.pk for row in rows if row.replaces]
        if old:
            # Nobody may be given the old version to label while the new one comes in.
            Project.objects.select_for_update(no_key=True).get(pk=self.project.pk)
            Trajectory.objects.filter(pk__in=old).update(superseded_at=timezone.now())
            agreement_marks.mark(old)

    def _copy(self, rows: Sequence[_Row]) -> None:
        for row, pk in zip(rows, copying.reserve(Trajectory, len(rows)), strict=True):
            row.pk = pk
        self.originals = originals.keep(self.project, [row.draft for row in rows])
        copying.insert(Trajectory, TRAJECTORY, map(self._trajectory, rows))
        ids = iter(copying.reserve(Step, sum(len(row.draft.steps) for row in rows)))
        for row in rows:
            row.steps = [next(ids) for _ in row.draft.steps]
        copying.insert(
            Step,
            STEP,
            (_step(row, pk, step) for row in rows for pk, step in zip(row.steps, row.draft.steps, strict=True)),
        )
        self.arrived.created += sum(row.replaces is None for row in rows)
        self.arrived.updated += sum(row.replaces is not None for row in rows)
        self.arrived.steps += sum(len(_agents(row)) for row in rows)

    def _trajectory(self, row: _Row) -> tuple[Any, ...]:
        draft = row.draft
        name = draft.external_id or f"{draft.task.external_id}:{row.rollout}"
        version = row.replaces.version + 1 if row.replaces else 1
        whole = "" if draft.wholes[0] == draft.content_hash else draft.wholes[0]
        hashes = (draft.content_hash, whole, draft.turns_hash, draft.actions_hash)
        said = (draft.policy_model, draft.outcome, *hashes, self.format, draft.meta, self._extra(draft))
        original = self.originals.get(id(draft.original))
        return (row.pk, self.project.pk, row.task, name, row.rollout, version, *said, original, timezone.now())

    def _extra(self, draft: Draft) -> str:
        """What the record has no column for, and what it says of its task otherwise than the task's row does."""
        differing = self._differing(draft)
        return dump(draft.extra | ({"task": differing} if differing else {}))

    def _differing(self, draft: Draft) -> dict[str, Json]:
        stored = self.tasks[draft.task.external_id][1]
        said = draft.task._asdict().items()
        return {name: _value(name, one) for name, one in said if one != getattr(stored, name)}

    def _rate(self, rows: Sequence[_Row], there: Sequence[tuple[Draft, int]]) -> set[int]:
        """The labels that stand in the file become the reference rater's. Returns whose labels were others before."""
        said = [
            rating_rows.Said(row.pk, row.draft.rating, row.draft.file, row.draft.line, _agents(row))
            for row in rows
            if row.draft.rating
        ] + [rating_rows.Said(pk, draft.rating, draft.file, draft.line) for draft, pk in there if draft.rating]
        self.rater: Rater | None = None
        changed: set[int] = set()
        if any(one.rating.steps or one.rating.final is not None for one in said):
            self.rater = reference_rater(self.project)
            tally = rating_rows.store(self.project, self.scheme, self.rater, said)
            changed = tally.changed
            self.arrived.labels += tally.labels
            self.arrived.problems += tally.problems
        return changed

    def _passes(self, rows: Sequence[_Row], there: Sequence[tuple[Draft, int]]) -> set[int]:
        """What every rater says in every field, where the file knows. Returns the trajectories that were here and of
        which something else is said now."""
        stand = [(row.draft, row.pk, row.task) for row in rows]
        stand += [(draft, pk, self.tasks[draft.task.external_id][0]) for draft, pk in there]
        came = [pass_rows.Came(draft, pk, task) for draft, pk, task in stand if draft.whole]
        if not came:
            return set()
        tally = pass_rows.store(self.project, self.scheme, came)
        self.arrived.labels += tally.labels
        self.arrived.problems += tally.problems
        return tally.changed & {pk for _, pk in there}

    def _carry(self, rows: Sequence[_Row]) -> None:
        for row in rows:
            if row.replaces:
                rating = row.draft.rating
                but = self.rater.pk if self.rater and rating and (rating.steps or rating.final is not None) else None
                carried, lost = versions.carry_over(
                    self.project, row.replaces.pk, row.pk, row.draft.steps, row.steps, but
                )
                self.arrived.carried += carried
                self.arrived.lost += lost


def _step(row: _Row, pk: int, step: StepDraft) -> tuple[Any, ...]:
    parent = None if step.parent is None else row.steps[step.parent]
    return (pk, row.pk, *step[:-1], parent)


def reference_rater(project: Project) -> Rater:
    """The rater of labels that stand in trajectory files; the project's reference where it has none yet."""
    rater, _ = Rater.objects.get_or_create(project=project, kind=Rater.Kind.IMPORT, name=REFERENCE)
    if project.reference_id is None and Project.objects.filter(pk=project.pk, reference=None).update(reference=rater):
        project.reference = rater
    return rater


def _agents(row: _Row) -> dict[int, int]:
    return {
        step.source_index: pk
        for pk, step in zip(row.steps, row.draft.steps, strict=True)
        if step.source == Step.Source.AGENT
    }


def _value(name: str, said: str | None) -> Json:
    return json.loads(said) if name in {"reference", "tools"} and said is not None else said
