"""The rollouts of each task as a run's scores can choose among them: scores in order, the answer, whether it is right.

Right is what the file says came of a rollout; where it says nothing, what the project's reference says of the whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, F
from django.db.models.functions import Right

from annotations.formats.lines import dump
from annotations.models import Label, Project, Run, Score, Step, Task, Trajectory
from annotations.records import Json
from annotations.services import findings, trees
from annotations.services.board import scheme
from annotations.services.export_grades import Grading

ANSWERS = ("answer", "prediction", "final_answer")
CLOSING = 20_000  # characters at the end of a last message, where its answer stands


@dataclass(frozen=True)
class Rankable:
    """One rollout. `answer` is what its outcome names as its answer; else the end of its last message, `closing`, holds
    it."""

    task: int
    scores: tuple[float, ...]
    answer: str | None
    closing: str
    right: bool | None
    trajectory: int = 0


@dataclass(frozen=True)
class Ends:
    """How the project's live rollouts end, in order: (trajectory, task, outcome), what stands last in each, what the
    reference says of the whole. Trees are not among them: their steps are no one sequence."""

    rows: Sequence[tuple[int, int, Json]]
    closings: Mapping[int, str]
    verdicts: Mapping[int, bool]


def ends(project: Project) -> Ends:
    live = Trajectory.objects.live().filter(project=project)
    rows = list(live.order_by("task_id", "rollout", "pk").values_list("pk", "task_id", "outcome"))
    grown = trees.among([pk for pk, _, _ in rows])
    return Ends([row for row in rows if row[0] not in grown], _closings(project), verdicts_of(project))


def of_run(run: Run) -> list[Rankable]:
    return by_scores(ends(run.project), scores_of(run))


def by_scores(found: Ends, scores: Mapping[int, Sequence[float]]) -> list[Rankable]:
    """The rollouts with what is said of their steps, by trajectory."""
    return [
        Rankable(
            task=task,
            scores=tuple(scores.get(pk, ())),
            answer=_answer(outcome),
            closing=found.closings.get(pk, ""),
            right=is_right(outcome, found.verdicts, pk),
            trajectory=pk,
        )
        for pk, task, outcome in found.rows
    ]


def scores_of(run: Run) -> Mapping[int, Sequence[float]]:
    """By trajectory. One of which only some steps have a score counts as not scored."""
    return _whole(run, _scores(run))


def _scores(run: Run) -> dict[int, list[float]]:
    """By trajectory: probabilities where every score has one, else the scorer's own numbers."""
    found = Score.objects.filter(run=run)
    number = "value" if found.filter(probability__isnull=True).exists() else "probability"
    by_trajectory: dict[int, list[float]] = defaultdict(list)
    rows = found.order_by("trajectory", "step__index").values_list("trajectory", number)
    for trajectory, value in rows.iterator(chunk_size=5000):
        by_trajectory[trajectory].append(value)
    return by_trajectory


def _whole(run: Run, scores: dict[int, list[float]]) -> dict[int, list[float]]:
    if not run.result.get("unscored"):
        return scores
    agent = Step.objects.of_agent().filter(trajectory__in=list(scores)).values_list("trajectory")
    steps = dict(agent.annotate(Count("pk")).order_by())
    return {pk: found for pk, found in scores.items() if len(found) == steps[pk]}


def _closings(project: Project) -> dict[int, str]:
    last = Step.objects.of_agent().filter(trajectory__project=project, trajectory__superseded_at__isnull=True)
    rows = last.order_by("trajectory", F("index").desc()).distinct("trajectory")
    return dict(rows.values_list("trajectory", Right("message", CLOSING)))


def verdicts_of(project: Project, task: Task | None = None, rater: int | None = None) -> dict[int, bool]:
    """By trajectory, of one task or of all, whether the rater (else the reference) calls the whole right, if either."""
    rater = rater or project.reference_id
    grading = Grading(scheme(project.scheme_id))
    if rater is None or grading.verdict is None:
        return {}
    said = Label.objects.current().filter(
        annotation__rater=rater,
        annotation__retired_at__isnull=True,
        annotation__purpose="",
        field=grading.verdict.name,
        step__isnull=True,
        **({"annotation__trajectory__task": task} if task else {}),
    )
    grades = ((pk, grading.final(value)) for pk, value in said.values_list("annotation__trajectory", "value"))
    return {pk: grade > 0 for pk, grade in grades if grade}


def is_right(outcome: Json, verdicts: Mapping[int, bool], trajectory: int) -> bool | None:
    """As its outcome says, else as the verdict; None where nothing tells."""
    failed = findings.failed(outcome, ())
    return verdicts.get(trajectory) if failed is None else not failed


def _answer(outcome: Json) -> str | None:
    named = (outcome.get(name) for name in ANSWERS) if isinstance(outcome, dict) else ()
    found = next((one for one in named if one is not None), None)
    return found if found is None or isinstance(found, str) else dump(found)
