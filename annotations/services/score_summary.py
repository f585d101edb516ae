"""What the scores page says of each scorer: its newest run, how its numbers lie, beside what people said."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Count, F, FloatField, Max, Min, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Floor, Least

from annotations.formats.lines import load
from annotations.models import Label, Project, Run, Score
from annotations.services import calibration_summary, projects, run_estimates, scorer_entries
from annotations.services.answers import Voice
from annotations.services.run_estimates import Estimate

BINS = 20
NAMES = ("right", "neutral", "wrong", "other", "none")
LOOKS = {"right": "right", "neutral": "neutral", "wrong": "wrong", "plain": "other"}


@dataclass(frozen=True)
class Span:
    """One bin of a distribution, with counts by what the reference's label looks like ("none": it has none there)."""

    low: float
    high: float
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class Summary:
    """One scorer of this deployment. `spans` is empty until a run has scored something. `of` says whether they are
    of calibrated probabilities or of the scorer's own numbers, and `reference` whose labels the counts are by."""

    name: str
    title: str
    run: Run | None
    newest_done: Run | None
    spans: list[Span]
    of: str
    reference: str
    calibration: calibration_summary.Summary | None
    estimate: Estimate

    @property
    def count(self) -> int:
        return sum(span.total for span in self.spans)


def of_project(project: Project) -> list[Summary]:
    """All scorers the deployment knows, in the order of its settings."""
    runs: dict[str, list[Run]] = defaultdict(list)
    for run in Run.objects.scoring().filter(project=project).order_by("-id")[:100]:
        runs[str(run.config.get("scorer"))].append(run)
    calibrations = calibration_summary.Summaries(project) if runs else None
    entries = scorer_entries.all_of_them()
    estimates = run_estimates.of(project, entries)
    return [
        _summary(project, name, one["title"], runs[name], calibrations, estimates[name])
        for name, one in entries.items()
    ]


def _summary(
    project: Project,
    name: str,
    title: str,
    runs: list[Run],
    calibrations: calibration_summary.Summaries | None,
    estimate: Estimate,
) -> Summary:
    done = next((run for run in runs if run.state == Run.State.DONE), None)
    spans, of = _spans(project, done) if done else ([], "")
    reference = project.reference.name if project.reference else ""
    calibration = calibrations.of(done) if calibrations and done else None
    return Summary(name, title, runs[0] if runs else None, done, spans, of, reference, calibration, estimate)


def _spans(project: Project, run: Run) -> tuple[list[Span], str]:
    scores = Score.objects.filter(run=run)
    ends = scores.aggregate(low=Min("value"), high=Max("value"), calibrated=Count("probability"), all=Count("id"))
    if not ends["all"]:
        return [], ""
    calibrated = ends["calibrated"] > 0
    low, high = (0.0, 1.0) if calibrated else (ends["low"], ends["high"])
    width = (high - low) / BINS or 1.0
    number = F("probability" if calibrated else "value")
    # The topmost number belongs to the last bin.
    place = Least(Floor((number - Value(low)) / Value(width)), Value(BINS - 1.0), output_field=FloatField())
    rows = scores.filter(probability__isnull=False) if calibrated else scores
    grouped = rows.annotate(bin=Cast(place, models.IntegerField()), said=_said(project)).values("bin", "said")
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    voice = Voice(projects.scheme_of(project.scheme).main_field)
    for row in grouped.annotate(count=Count("id")).order_by():
        said = row["said"]
        counts[row["bin"]]["none" if said is None else LOOKS[voice.mark(load(said)).tone]] += row["count"]
    shown = [name for name in NAMES if name != "other" or any(found["other"] for found in counts.values())]
    spans = [
        Span(low + bin_ * width, low + (bin_ + 1) * width, {name: counts[bin_][name] for name in shown})
        for bin_ in range(BINS)
    ]
    return spans, "probability" if calibrated else "value"


def _said(project: Project) -> Any:
    """The reference's current label of a score's step, as text."""
    if project.reference_id is None:
        return Value(None, output_field=models.TextField(null=True))
    labels = Label.objects.current().filter(
        step=OuterRef("step"),
        field=projects.scheme_of(project.scheme).main,
        annotation__rater=project.reference_id,
        annotation__retired_at__isnull=True,
        annotation__purpose="",
    )
    return Subquery(labels.annotate(text=Cast("value", models.TextField())).values("text")[:1])
