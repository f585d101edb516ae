"""What scorers say of the steps of one trajectory: curves over all of it, numbers where one reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import F, Min, QuerySet

from annotations.models import Calibration, Membership, Trajectory
from annotations.services import calibrated, scorer_entries, scores, visibility
from annotations.services.axis import Axis
from annotations.services.visibility import Visible


class Curve(NamedTuple):
    """A scorer's newest run over the axis; None where it says nothing. `lowest` is where, and what it says there."""

    title: str
    run: int
    values: list[float | None]
    lowest: tuple[int, float] | None
    calibrated: str


class StepScore(NamedTuple):
    """`probability` is P(not wrong), by the calibration of that method where `calibrated` names one."""

    title: str
    value: float
    probability: float | None
    flags: list[str]
    why: list[dict[str, Any]]
    calibrated: str


class Scored:
    """What may be shown of it; nothing where `visible` says so, or not `asked`."""

    def __init__(
        self, membership: Membership, trajectory: Trajectory, axis: Axis, visible: Visible, *, asked: bool
    ) -> None:
        self.membership, self.trajectory, self.axis = membership, trajectory, axis
        self.visible, self.asked = visible, asked

    @cached_property
    def _runs(self) -> Mapping[int, str]:
        """The runs whose scores may be shown → the title of their scorer."""
        shown = self.visible.scores and self.asked
        runs = scores.latest(self.membership.project.pk, with_reference=self.visible.reference) if shown else {}
        titles = scorer_entries.titles(runs)
        return {run: titles[name] for name, run in runs.items()}

    @cached_property
    def _calibrated(self) -> Mapping[int, Calibration]:
        return calibrated.in_force(self.membership.project.pk, self._runs)

    def _method(self, run: int) -> str:
        """By which its numbers are other than the scorer's own; "" where they are the same."""
        held = self._calibrated.get(run)
        return "" if held is None or held.method == "unchanged" else held.method

    def _scores(self) -> QuerySet[Any, Any]:
        """Those that may be shown; `sure` is P(not wrong), calibrated where it is."""
        shown = visibility.scores_visible_to(self.membership)
        sure = calibrated.probability(self._calibrated)
        return shown.filter(run__in=self._runs, trajectory=self.trajectory).annotate(sure=sure)

    @cached_property
    def curves(self) -> list[Curve]:
        if not self._runs:
            return []
        found: dict[int, list[float | None]] = {}
        places = self.axis.cells()
        cells = self._scores().annotate(cell=F("step__index") / self.axis.width).order_by()
        for run, cell, low in cells.values_list("run_id", "cell").annotate(low=Min("sure")):
            if cell in places:
                found.setdefault(run, [None] * len(places))[places[cell]] = low
        lowest = self._lowest()
        return [
            Curve(title, run, found[run], lowest.get(run), self._method(run))
            for run, title in self._runs.items()
            if run in found
        ]

    def _lowest(self) -> Mapping[int, tuple[int, float]]:
        rows = self._scores().filter(sure__isnull=False).order_by("run_id", "sure", "step__index")
        found = rows.distinct("run_id").values_list("run_id", "step__index", "sure")
        return {run: (index, low) for run, index, low in found if low is not None}

    def of_steps(self, first: int, last: int) -> Mapping[int, Sequence[StepScore]]:
        """What scorers say of the steps with first ≤ index < last, by index."""
        found: dict[int, list[StepScore]] = defaultdict(list)
        if not self._runs:
            return found
        rows = self._scores().filter(step__index__gte=first, step__index__lt=last).order_by("run_id")
        for run, index, value, sure, detail in rows.values_list("run_id", "step__index", "value", "sure", "detail"):
            flags, why = detail.get("flags") or [], detail.get("why") or []
            found[index].append(StepScore(self._runs[run], value, sure, flags, why, self._method(run)))
        return found
