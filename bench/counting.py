"""Agreement that follows the labels, in a project of a million of them: what one more pass costs the worker who counts
it, against computing the figures of the project anew, and what marking its task costs whoever hands it in.

Run: DATABASE_URL=… python -m bench counting
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench import common
from bench.adjudication import labelled

if TYPE_CHECKING:
    from annotations.models import Annotation, Project

CHANGES = 100
POINT = "the same figures from all labels, without intervals"
REPORT = "the whole report as a run, every field, 2,000 resamples"
HANDED_IN = "handing a pass in, with everything it does"


def main() -> None:
    common.django_up()
    from annotations.models import Label

    project, _ = labelled()
    labels = Label.objects.count()
    first = common.timed(lambda: _count(project, new=True))
    updates, handing, marking, read = _changes(project)
    point, whole = _anew(project, fields=False), _anew(project, fields=True)
    p95 = {name: common.quantile(times, 0.95) for name, times in (("counted", updates), ("read", read))}
    rows = [
        common.at_most("one more pass counted, p95", labels, p95["counted"], point, POINT, 0.05),
        common.beside("one more pass counted, p95", labels, p95["counted"], whole, REPORT),
        common.at_most("figures read for a page, p95", labels, p95["read"], point, POINT, 0.01),
        common.at_most("marking its task, median", labels, _half(marking), _half(handing), HANDED_IN, 0.1),
        common.beside("everything counted for the first time", labels, first, point, POINT),
    ]
    common.write("counting", rows, changes=CHANGES)


def _half(times: list[float]) -> float:
    return common.quantile(times, 0.5)


def _count(project: Project, *, new: bool = False) -> None:
    from annotations.services import agreement_marks
    from models_service import counting

    if new:
        agreement_marks.mark_all(project)
    counting.count(project.pk)


def _changes(project: Project) -> tuple[list[float], list[float], list[float], list[float]]:
    """Passes that are handed in anew one after the other, the first label another one: seconds to count it, to hand it
    in, to mark it alone, and to read the figures."""
    from django.db import transaction

    from annotations.models import Annotation
    from annotations.services import agreement_live, agreement_marks, changes, standing

    updates, handing, marking, read = [], [], [], []
    passes = Annotation.objects.filter(rater__project=project, rater__kind="human").select_related("rater__project")
    for one in passes.order_by("pk")[:CHANGES]:
        _say_something_else(one)

        def hand_in(one: Annotation = one) -> None:
            with transaction.atomic():
                changes.move(one, Annotation.State.SUBMITTED, "label.submitted", one.rater.user, comment="")

        handing.append(common.timed(hand_in))
        updates.append(common.timed(lambda: _count(project)))
        read.append(common.timed(lambda: agreement_live.now(project)))
        with transaction.atomic():
            standing.touch(project, [one.trajectory_id])
            start = time.perf_counter()
            agreement_marks.mark([one.trajectory_id])
            marking.append(time.perf_counter() - start)
        _count(project)
    return updates, handing, marking, read


def _say_something_else(one: Annotation) -> None:
    label = one.labels.current().filter(field="label").order_by("pk").first()
    if label:
        label.value = 0 if label.value else 1
        label.save(update_fields=["value"])


def _anew(project: Project, *, fields: bool) -> float:
    """Seconds to compute the figures from all labels, and whether what was counted is the same."""
    from annotations.services import agreement, agreement_fields, agreement_live
    from models_service.statistics import report

    start = time.perf_counter()
    table = agreement.table(project, {"reference": ""})
    every = agreement_fields.tables(project) if fields else report.NOBODY
    result = report.compute(table, every, resamples=2000 if fields else 0)
    seconds = time.perf_counter() - start
    live = agreement_live.now(project).figures["main"]["all"]
    for name in ("percent", "alpha_ordinal", "fleiss_kappa", "conger_kappa", "ac1"):
        assert abs(live[name] - result[name]) < 1e-12, name
    return seconds


if __name__ == "__main__":
    main()
