"""Which trajectories a queue policy orders, and what scorers and judges say of them: read for one run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from annotations.models import Annotation, Label, Project, Rater, Run, Score, Step, Trajectory
from annotations.services import calibrated, projects, scores, seats, views, visibility
from annotations.services.queue_policies import Facts, ScoredStep, course_of, shares_higher

State = Annotation.State


class Known(NamedTuple):
    """`facts` are of all live trajectories; `waiting` those that still have a free seat; `done` counts those that
    a person has submitted a pass over."""

    facts: list[Facts]
    waiting: set[int]
    done: int


def reads_the_truth(project: Project) -> bool:
    """Whether the order may follow scores whose scorer has read the reference: only where whoever labels is shown the
    reference all the same, or the order would tell of it."""
    return visibility.BY_MODE[project.mode].reference


def scored_by(project: Project) -> Run | None:
    """The run whose scores order the project's queue: the newest one done of the scorer that its settings name, or of
    any; None where there is none that may."""
    found = _done(project)
    if not reads_the_truth(project):
        found = found.exclude(result__contains=scores.READ_REFERENCE)
    return found.order_by("-id").first()


def would_read_the_truth(project: Project) -> bool:
    """Whether there are scores to order by but for their having been made by reading the reference."""
    return scored_by(project) is None and _done(project).exists()


def _done(project: Project) -> QuerySet[Run]:
    found = Run.objects.scoring().filter(Exists(Score.objects.filter(run=OuterRef("pk"))), project=project)
    found = found.filter(state=Run.State.DONE)
    return found.filter(config__scorer=project.queue_scorer) if project.queue_scorer else found


def known(project: Project, run: Run | None, *, courses: bool = False, view: str = "") -> Known:
    """All that a policy looks at. `courses`: what agents did is looked at too; `view`: what that kept view shows.
    NotAccepted where there is none of that name."""
    live = Trajectory.objects.live().filter(project=project)
    held = Count("annotations", filter=Q(annotations__seat__lt=seats.BESIDE))
    rows = list(live.annotate(taken=held).order_by("pk").values_list("pk", "task", "task__source", "taken"))
    steps = _steps(run) if run else {}
    judged, did = _judged(project), _courses(project) if courses else {}
    viewed = {pk: place for place, pk in enumerate(views.shown(project, view), 1)} if view else {}
    facts = [
        Facts(pk, task, source, did.get(pk, ""), steps.get(pk, ()), judged.get(pk, {}), viewed.get(pk))
        for pk, task, source, _ in rows
    ]
    submitted = live.filter(
        annotations__state=State.SUBMITTED,
        annotations__purpose="",
        annotations__retired_at__isnull=True,
        annotations__rater__kind=Rater.Kind.HUMAN,
    )
    waiting = {pk for pk, _, _, taken in rows if taken < project.overlap}
    return Known(facts, waiting, submitted.distinct().count())


Row = tuple[int, int, int | None, int, float, float | None]  # trajectory, step, its parent, index, value, probability


def _steps(run: Run) -> dict[int, list[ScoredStep]]:
    """By trajectory, in order: by probability where every score has one, else by the scorer's own numbers."""
    sure = calibrated.probability(calibrated.in_force(run.project_id, [run.pk]))
    said = Score.objects.filter(run=run).annotate(sure=sure).order_by("trajectory", "step__index")
    rows: list[Row] = list(said.values_list("trajectory", "step", "step__parent", "step__index", "value", "sure"))
    if all(row[5] is not None for row in rows):
        return _grouped([(*row[:4], float(row[5] or 0)) for row in rows], None)
    return _grouped([(*row[:4], row[4]) for row in rows], [row[4] for row in rows])


Told = tuple[int, int, int | None, int, float]  # the same with the number that counts


def _grouped(rows: Iterable[Told], raw: Sequence[float] | None) -> dict[int, list[ScoredStep]]:
    higher = shares_higher(raw) if raw is not None else None
    by_trajectory: dict[int, list[Told]] = defaultdict(list)
    for row in rows:
        by_trajectory[row[0]].append(row)
    found = {}
    for trajectory, mine in by_trajectory.items():
        before = _before(mine)
        found[trajectory] = [
            ScoredStep(index, score, higher(score) if higher else 1 - score, before.get(step), higher is None)
            for _, step, _, index, score in mine
        ]
    return found


def _before(mine: Sequence[Told]) -> Mapping[int, float]:
    """For each step the score of the one that it follows; in a tree, of the one it hangs on."""
    said = {step: score for _, step, _, _, score in mine}
    if any(parent is not None for _, _, parent, _, _ in mine):
        return {step: said[parent] for _, step, parent, _, _ in mine if parent in said}
    ordered = sorted(mine, key=itemgetter(3))
    return {later[1]: earlier[4] for earlier, later in zip(ordered, ordered[1:], strict=False)}


def _judged(project: Project) -> dict[int, dict[int, float]]:
    """Trajectory → index of a step → share of the judges that call it wrong. The rater others are held against is none
    of them."""
    main = projects.scheme_of(project.scheme).main_field
    if not scores.is_teachable(main):
        return {}
    said = Label.objects.current().filter(
        field=main.name,
        step__isnull=False,
        annotation__rater__project=project,
        annotation__rater__kind=Rater.Kind.JUDGE,
        annotation__retired_at__isnull=True,
        annotation__state=State.SUBMITTED,
        annotation__trajectory__superseded_at__isnull=True,
    )
    others = said.exclude(annotation__rater=project.reference_id) if project.reference_id else said
    votes: dict[int, dict[int, list[bool]]] = defaultdict(lambda: defaultdict(list))
    rows = others.values_list("annotation__trajectory", "step__index", "value")
    for trajectory, index, value in rows.iterator(chunk_size=5000):
        if not main.refusal(value) and (tone := main.tone(value)) in scores.TAUGHT:
            votes[trajectory][index].append(tone == "wrong")
    return {one: {index: sum(vote) / len(vote) for index, vote in steps.items()} for one, steps in votes.items()}


def _courses(project: Project) -> dict[int, str]:
    """What the agent did in each trajectory: the names of the tools it called."""
    mine = Step.objects.of_agent().filter(trajectory__project=project, trajectory__superseded_at__isnull=True)
    rows = mine.order_by("trajectory", "index").values_list("trajectory", "tool_calls")
    tools: dict[int, list[str]] = defaultdict(list)
    for trajectory, calls in rows.iterator(chunk_size=1000):
        for call in calls:
            tools[trajectory].append(str(call.get("name") or "?")[:80])
    return {trajectory: course_of(names) for trajectory, names in tools.items()}
