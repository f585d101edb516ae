"""Rollouts that are there twice: the same word for word, or with all the same actions. Found by their fingerprints.

Exact: all that was said, done and seen is equal, whatever the calls' ids and the name of the task. Near: the same task,
and the agent took the same actions in the same order (rendering.identity.action_hash); what it thought, said beside its
calls and was answered may differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from django.db.models import Count, Exists, OuterRef, Q, Subquery

from annotations.models import Project, Trajectory
from annotations.models.trajectories import TrajectoryQuerySet
from annotations.services.drafts import Draft
from annotations.services.segments import NoSuchWay

KEEP, GROUP, SKIP, SKIP_EXACT = "keep", "group", "skip", "skip-exact"
TITLES = {
    KEEP: "Keep them all",
    GROUP: "Group them: one stands for all",
    SKIP_EXACT: "Leave out equal ones, group those with equal actions",
    SKIP: "Leave them out",
}
EXACT, NEAR = "exact", "near"
KINDS = {EXACT: "equal", NEAR: "same actions"}
ACCEPTED = "exact, near, or the id of a trajectory"


class Arriving(Protocol):
    """A draft with its place in the tables; `replaces` is the version before it."""

    draft: Draft
    pk: int
    task: int
    rollout: int
    replaces: Any


Row = TypeVar("Row", bound=Arriving)


@dataclass
class Twin:
    """A rollout that came in, or did not, and what it equals: one that was there, or one that came in before it."""

    draft: Draft
    task: int
    kind: str
    skipped: bool
    equals: str
    equals_pk: int = 0
    row: Arriving | None = None

    def told(self) -> dict[str, Any]:
        """As the result of an import lists it."""
        return {
            "trajectory": self.draft.external_id or self.draft.task.external_id,
            "file": self.draft.file,
            "line": self.draft.line,
            "kind": self.kind,
            "skipped": self.skipped,
            "equals": self.equals,
            "equals_id": self.row.pk if self.row else self.equals_pk,
        }


def checked(how: str) -> str:
    if how not in TITLES:
        raise NoSuchWay(f"duplicates cannot be treated by {how!r}; accepted are {', '.join(TITLES)}")
    return how


class Sieve:
    """Finds twins among drafts that arrive and trajectories that are there. Needs the import lock."""

    def __init__(self, project: Project, how: str) -> None:
        self.project, self.how = project, checked(how)
        self.twins: list[Twin] = []

    def keeps(self, rows: Sequence[Row]) -> list[Row]:
        """The rows that come in. A new version of a trajectory always does."""
        if self.how == KEEP:
            return list(rows)
        self._look(rows)
        kept = []
        for row in rows:
            twin = self._twin(row)
            if twin:
                self.twins.append(twin)
            if not (twin and twin.skipped):
                kept.append(row)
                self.exact.setdefault(row.draft.turns_hash, (_name(row), 0, row))
                self.near.setdefault((row.task, row.draft.actions_hash), (_name(row), 0, row))
        return kept

    def _look(self, rows: Sequence[Arriving]) -> None:
        live = self.project.trajectories.live().exclude(pk__in=[row.replaces.pk for row in rows if row.replaces])
        turns, actions = {row.draft.turns_hash for row in rows}, {row.draft.actions_hash for row in rows}
        columns = ("turns_hash", "external_id", "pk")
        self.exact: dict[str, tuple[str, int, Any]] = {}
        for turn, name, pk in live.filter(turns_hash__in=turns).order_by("-pk").values_list(*columns):
            self.exact[turn] = (name, pk, None)
        self.near: dict[tuple[int, str], tuple[str, int, Any]] = {}
        same = live.filter(task__in={row.task for row in rows}, actions_hash__in=actions).order_by("-pk")
        for task, action, name, pk in same.values_list("task_id", "actions_hash", "external_id", "pk"):
            self.near[task, action] = (name, pk, None)

    def _twin(self, row: Arriving) -> Twin | None:
        exact = self.exact.get(row.draft.turns_hash)
        found = exact or self.near.get((row.task, row.draft.actions_hash))
        if found is None:
            return None
        skipped = row.replaces is None and (self.how == SKIP or (self.how == SKIP_EXACT and exact is not None))
        name, pk, other = found
        return Twin(row.draft, row.task, EXACT if exact else NEAR, skipped, name, pk, other)

    def group(self) -> None:
        """Mark those that came in, and those that were there, that did the same as another of their task."""
        if self.how not in (GROUP, SKIP_EXACT):
            return
        wanted = {(twin.task, twin.draft.actions_hash) for twin in self.twins if not twin.skipped}
        found = self.project.trajectories.live().filter(
            task__in={task for task, _ in wanted}, actions_hash__in={actions for _, actions in wanted}
        )
        rows = found.values_list("pk", "task_id", "actions_hash")
        Trajectory.objects.filter(pk__in=[pk for pk, *of in rows if tuple(of) in wanted]).update(grouped=True)


def _name(row: Arriving) -> str:
    return row.draft.external_id or f"{row.draft.task.external_id}:{row.rollout}"


def asked(text: str) -> str:
    """What a filter asks for: a kind, or the id of a trajectory. Raises ValueError where it is neither."""
    if text in KINDS:
        return text
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise ValueError
    return str(int(text))


def words(text: str) -> str:
    return KINDS.get(text) or (f"like number {text}" if text else "")


def fitting(found: TrajectoryQuerySet, text: str) -> TrajectoryQuerySet:
    """Those that a filter asks for."""
    return equal(found, text) if text in KINDS else like(found, int(text))


def equal(found: TrajectoryQuerySet, kind: str) -> TrajectoryQuerySet:
    """Those of which there is another like it in their project."""
    return found.filter(Exists(others(kind)))


def others(kind: str) -> TrajectoryQuerySet:
    """The live trajectories that are like the one of the outer query; near takes in those that are equal."""
    live = Trajectory.objects.live().filter(project=OuterRef("project")).exclude(pk=OuterRef("pk"))
    exact = Q(turns_hash=OuterRef("turns_hash")) & ~Q(turns_hash="")
    near = Q(task=OuterRef("task"), actions_hash=OuterRef("actions_hash")) & ~Q(actions_hash="")
    return live.filter(exact if kind == EXACT else exact | near)


def like(found: TrajectoryQuerySet, pk: int) -> TrajectoryQuerySet:
    """The trajectory, and those of `found` that are like it, word for word or in their actions."""
    one = found.filter(pk=pk).values("task_id", "turns_hash", "actions_hash").first()
    if one is None:
        return found.none()
    near = Q(task=one["task_id"], actions_hash=one["actions_hash"]) if one["actions_hash"] else Q(pk__in=[])
    exact = Q(turns_hash=one["turns_hash"]) if one["turns_hash"] else Q(pk__in=[])
    return found.filter(near | exact | Q(pk=pk))


def how_many(kind: str) -> Subquery:
    """How many others are like the trajectory of the query."""
    return Subquery(others(kind).order_by().values("project").annotate(n=Count("pk")).values("n"))
