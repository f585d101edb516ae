"""How a project's judges stand: what each version has labelled, how often it failed, what it has cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Max, Q, Sum
from django.db.models.functions import TruncDate

from annotations.models import Annotation, Judge, JudgeCall, Project, Run

State = Annotation.State
MICRO = 1_000_000
LISTED = 20


@dataclass
class Standing:
    """One version. `cost_micro` is what is known; `unpriced` counts answers whose price is not."""

    judge: Judge
    labelled: int = 0
    failed: int = 0
    calls: int = 0
    tokens: int = 0
    cost_micro: int = 0
    unpriced: int = 0
    run: Run | None = None

    @property
    def cost(self) -> float:
        return self.cost_micro / MICRO


@dataclass
class Named:
    """A judge with its versions, the newest first."""

    name: str
    versions: list[Standing] = field(default_factory=list)


def of_project(project: Project) -> list[Named]:
    named: dict[str, Named] = {}
    for one in _standings(_judges(project)):
        named.setdefault(one.judge.name, Named(one.judge.name)).versions.append(one)
    return list(named.values())


def of_judge(judge: Judge) -> Standing:
    return _standings([judge])[0]


def _standings(judges: Sequence[Judge]) -> list[Standing]:
    rows = {one.pk: Standing(one) for one in judges}
    raters = {one.judge.rater_id: one for one in rows.values()}
    live = Annotation.objects.live().filter(rater__in=raters)
    counted = (
        live.order_by()
        .values("rater")
        .annotate(
            labelled=Count("pk", filter=Q(state=State.SUBMITTED)), failed=Count("pk", filter=Q(state=State.FAILED))
        )
    )
    for row in counted:
        raters[row["rater"]].labelled, raters[row["rater"]].failed = row["labelled"], row["failed"]
    for row in _spent(JudgeCall.objects.filter(judge__in=rows), "judge"):
        one = rows[row["judge"]]
        one.calls, one.tokens = row["calls"], (row["prompt"] or 0) + (row["completion"] or 0)
        one.cost_micro, one.unpriced = row["cost"] or 0, row["unpriced"]
    runs = Run.objects.filter(kind=Run.Kind.JUDGE, config__judge__in=list(rows))
    newest = runs.order_by().values("config__judge").annotate(newest=Max("pk")).values("newest")
    for run in Run.objects.filter(pk__in=newest).listed():
        rows[run.config["judge"]].run = run
    return list(rows.values())


def _judges(project: Project) -> Sequence[Judge]:
    rows = Judge.objects.filter(project=project).select_related("server", "guideline", "rater")
    return list(rows.defer("prompt").order_by("name", "-version"))


def _spent(calls: Any, *by: str) -> Any:
    answered = Q(state=JudgeCall.State.ANSWERED)
    return (
        calls.order_by()
        .values(*by)
        .annotate(
            calls=Count("pk"),
            prompt=Sum("prompt_tokens"),
            completion=Sum("completion_tokens"),
            cost=Sum("cost_micro"),
            unpriced=Count("pk", filter=answered & Q(cost_micro=None)),
        )
    )


def spent_by_day(project: Project) -> list[dict[str, Any]]:
    """What was asked on each day of whom, the newest first."""
    calls = JudgeCall.objects.filter(project=project).annotate(day=TruncDate("asked_at"))
    return list(_spent(calls, "day", "model").order_by("-day", "model")[:200])


@dataclass(frozen=True)
class Asked:
    """What one run has asked: how many questions by state, tokens, cost, and why questions have no answer, each reason
    once with how often it came and one of its trajectories."""

    states: dict[str, int]
    prompt: int
    completion: int
    cost_micro: int | None
    unpriced: int
    reasons: list[tuple[str, int, int | None]]
    failed: list[Annotation]
    failures: int

    @property
    def cost(self) -> float | None:
        return None if self.cost_micro is None else self.cost_micro / MICRO


def of_run(run: Run) -> Asked:
    calls = JudgeCall.objects.filter(run=run)
    states = dict(calls.order_by().values_list("state").annotate(Count("pk")))
    sums = calls.aggregate(
        prompt=Sum("prompt_tokens", default=0), completion=Sum("completion_tokens", default=0), cost=Sum("cost_micro")
    )
    unpriced = calls.filter(state=JudgeCall.State.ANSWERED, cost_micro=None).count()
    passes = Annotation.objects.filter(verdict__run=run, state=State.FAILED).select_related("trajectory")
    return Asked(
        states,
        sums["prompt"],
        sums["completion"],
        sums["cost"],
        unpriced,
        _reasons(passes),
        list(passes.order_by("pk")[:LISTED]),
        passes.count(),
    )


def _reasons(passes: Any) -> list[tuple[str, int, int | None]]:
    counts: dict[str, int] = defaultdict(int)
    example: dict[str, int] = {}
    for reason, annotation in passes.order_by("pk").values_list("comment", "pk")[:5000]:
        short = reason[:200]
        counts[short] += 1
        example.setdefault(short, annotation)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:LISTED]
    return [(reason, count, example[reason]) for reason, count in ordered]
