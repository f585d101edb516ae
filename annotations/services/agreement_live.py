"""Agreement as it stands now: which tasks have changed, what was counted of each, and the sums of it all.

Whoever changes labels marks the task in the same transaction. A worker takes the marks up before it reads the labels,
and takes away those alone: what changes meanwhile has a mark of its own and is counted again. Counts, sums and marks
are written in one transaction, under the lock of the project's row, so that a worker that is killed has done nothing,
and two of them do not lose each other's work.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from celery import current_app
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerIsAway

from annotations.models import Adjudication, AgreementMark, Project, ProjectAgreement, Rater, TaskAgreement
from annotations.services import adjudication_weighed, agreement, agreement_marks
from annotations.tables import LabelTable, TableRater

logger = logging.getLogger(__name__)

TASK, QUEUE = "models_service.count_agreement", "light"
AT_ONCE = 200  # tasks in one transaction
ADJUDICATED = f"{Rater.Kind.CONSENSUS}:adjudicated"

Sums = dict[str, Any]


@dataclass(frozen=True)
class Now:
    """What a page shows. `waiting` tasks are not in the figures as they are now."""

    figures: Mapping[str, Any]
    at: datetime | None
    waiting: int


def now(project: Project) -> Now:
    """The figures as they were last worked out; none where they are in the words of another scheme."""
    found = ProjectAgreement.objects.filter(project=project, scheme=project.scheme_id).defer("sums").first()
    marks = AgreementMark.objects.filter(project=project)
    waiting = marks.order_by().values("task").distinct().count()
    return Now(found.figures, found.at, waiting) if found else Now({}, None, waiting)


def send() -> bool:
    """Tell a worker where something waits to be counted. Telling twice is harmless."""
    if not AgreementMark.objects.exists():
        return False
    try:
        current_app.send_task(TASK, queue=QUEUE, retry=False, expires=60)
    except (BrokerIsAway, OSError):
        logger.warning("agreement waits to be counted: the broker cannot be reached")
    return True


def waiting() -> list[int]:
    """The projects in which something waits."""
    return list(AgreementMark.objects.order_by().values_list("project", flat=True).distinct())


@transaction.atomic
def ready(project: Project) -> int:
    """See to it that there are sums in the words of the project's scheme; where there are none all tasks are marked.
    Returns how many tasks wait."""
    ProjectAgreement.objects.get_or_create(project=project, defaults={"scheme": project.scheme})
    row = ProjectAgreement.objects.select_for_update(of=("self",)).get(project=project)
    if row.at is None or row.scheme_id != project.scheme_id:
        TaskAgreement.objects.filter(project=project).delete()
        row.scheme, row.sums, row.figures, row.at = project.scheme, {}, {}, timezone.now()
        row.save()
        agreement_marks.mark_all(project)
    return AgreementMark.objects.filter(project=project).order_by().values("task").distinct().count()


@dataclass
class Counting:
    """Some tasks that are being counted. `marks` are those that go when it is done."""

    row: ProjectAgreement
    tasks: list[int]
    marks: list[int]

    def table(self) -> LabelTable:
        """The labels of the tasks, with what was adjudicated as the reference."""
        project = self.row.project
        is_there = project.raters.filter(kind=Rater.Kind.CONSENSUS, name=ADJUDICATED.partition(":")[2]).exists()
        return agreement.table(project, {"reference": ADJUDICATED if is_there else ""}, self.tasks)

    def add(self, counts: Mapping[int, Sums]) -> Sums:
        """Put the counts in the place of the ones before. Returns the new sums of all."""
        sums: Sums = self.row.sums
        for before in TaskAgreement.objects.filter(task__in=self.tasks):
            add(sums, before.counts, -1)
        counts = self._with_decided(counts)
        for one in counts.values():
            add(sums, one)
        TaskAgreement.objects.filter(task__in=[key for key in self.tasks if not counts.get(key)]).delete()
        project = self.row.project
        TaskAgreement.objects.bulk_create(
            [TaskAgreement(task_id=key, project=project, counts=one) for key, one in sorted(counts.items()) if one],
            update_conflicts=True,
            unique_fields=["task"],
            update_fields=["counts"],
        )
        return sums

    def _with_decided(self, counts: Mapping[int, Sums]) -> dict[int, Sums]:
        """With what the settled adjudications of each task come to."""
        settled = Adjudication.objects.filter(
            trajectory__task__in=self.tasks, settled_at__isnull=False, trajectory__superseded_at=None
        )
        by_task: dict[int, list[Adjudication]] = defaultdict(list)
        for one in settled.select_related("trajectory", "project__scheme"):
            if one.weighed is None:
                one.weighed = adjudication_weighed.of(one)
                one.save(update_fields=["weighed"])
            by_task[one.trajectory.task_id].append(one)
        decided = {task: adjudication_weighed.sums(those) for task, those in by_task.items()}
        return {
            task: counts.get(task, {}) | ({"decided": decided[task]} if task in decided else {})
            for task in {*counts, *decided}
        }

    def finish(self, figures: Mapping[str, Any]) -> None:
        """Keep the figures, and take away the marks."""
        decided = self.row.sums.get("decided")
        self.row.figures, self.row.at = {**figures, "decided": decided}, timezone.now()
        self.row.save(update_fields=["sums", "figures", "at"])
        AgreementMark.objects.filter(pk__in=self.marks).delete()

    def raters(self) -> Sequence[TableRater]:
        """All who may be in the sums, by the names that a report gives them."""
        keys = [int(key) for key in self.row.sums.get("passes", {})]
        return agreement.named(list(Rater.objects.filter(pk__in=keys).order_by("kind", "name")))


def take(project: Project) -> Counting | None:
    """Some tasks that wait, under the lock of the project's row. None where nothing waits, or the sums have to be begun
    anew. In the caller's transaction."""
    rows = ProjectAgreement.objects.select_for_update(of=("self",)).select_related("project__scheme")
    row = rows.filter(project=project).first()
    if row is None or row.scheme_id != row.project.scheme_id:
        return None
    marks = AgreementMark.objects.filter(project=project)
    tasks = list(marks.order_by("task").values_list("task", flat=True).distinct()[:AT_ONCE])
    taken = list(marks.filter(task__in=tasks).values_list("pk", flat=True))
    return Counting(row, tasks, taken) if tasks else None


def add(to: Sums, more: Mapping[str, Any], times: int = 1) -> None:
    """Add whole numbers that stand at the same place; what comes to 0 is left out."""
    for key, one in more.items():
        if isinstance(one, Mapping):
            add(to.setdefault(key, {}), one, times)
        else:
            to[key] = to.get(key, 0) + times * one
        if not to[key]:
            del to[key]
