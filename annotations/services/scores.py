"""What scorers say: what is left of a run, storing it once, and the labels a scorer may learn from."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotations.models import Annotation, Label, Project, Run, Score, Step, Task, Trajectory
from annotations.records import Json, StepRecord, StepScore, TaskRecord, TrajectoryRecord
from annotations.schemes.fields import ChoiceField, ScaleField
from annotations.schemes.fields.base import FieldSpec
from annotations.services import copying, projects

# In the result of a run whose scorer has read what the tasks hold as true, or what came of the trajectories.
READ_REFERENCE = {"reads_reference": True}
TAUGHT = {"right": 1, "neutral": 0, "wrong": -1}  # what a scorer learns of an answer that looks so


@dataclass(frozen=True)
class Rollout:
    """A trajectory as scorers see it: no labels, and reference and outcome only where a scorer has asked to read them.
    `steps` are the ids of its steps."""

    id: int
    record: TrajectoryRecord
    steps: tuple[int, ...]


def left(run: Run) -> list[tuple[int, int]]:
    """(task, trajectory) of all that the run has neither scored nor skipped, rollouts of a task together."""
    agent = Step.objects.of_agent().filter(trajectory=OuterRef("pk"))
    scored = Score.objects.filter(run=run, trajectory=OuterRef("pk"))
    waiting = _live(run.project).filter(Exists(agent), ~Exists(scored)).exclude(pk__in=skipped(run))
    if "sample" in run.result:
        waiting = waiting.filter(pk__in=run.result["sample"])
    return list(waiting.order_by("task_id", "rollout").values_list("task_id", "pk"))


def skipped(run: Run) -> list[int]:
    return [one["trajectory"] for one in run.result.get("skipped", [])]


def count_scored(run: Run) -> int:
    """How many trajectories the run has scored."""
    return Score.objects.filter(run=run).values("trajectory").distinct().count()


def rollouts(
    project: Project, tasks: Iterable[int], *, with_reference: bool = False, with_outcome: bool = False
) -> list[Rollout]:
    """All live trajectories of the tasks, in order; what their tasks hold as reference only `with_reference`, what came
    of them, and the rewards that their files give single steps, only `with_outcome`."""
    unread = ["extra", *([] if with_outcome else ["outcome"]), *([] if with_reference else ["task__reference"])]
    found = _live(project).filter(task__in=list(tasks)).select_related("task").defer(*unread)
    ordered = list(found.order_by("task_id", "rollout"))
    steps: dict[int, list[Step]] = defaultdict(list)
    bodies = Step.objects.filter(trajectory__in=ordered).order_by("trajectory", "index")
    bodies = bodies.defer("content_hash", *([] if with_outcome else ["extra"]))
    for step in bodies.iterator(chunk_size=500):
        steps[step.trajectory_id].append(step)
    return [_rollout(one, steps[one.pk], with_reference, with_outcome) for one in ordered]


def tasks(project: Project) -> list[int]:
    """The tasks with a live trajectory, in order."""
    return list(_live(project).order_by("task_id").values_list("task_id", flat=True).distinct())


def _live(project: Project) -> QuerySet[Trajectory]:
    return Trajectory.objects.live().filter(project=project)


def _rollout(trajectory: Trajectory, steps: list[Step], with_reference: bool, with_outcome: bool) -> Rollout:
    places = {step.pk: place for place, step in enumerate(steps)}
    record = TrajectoryRecord(
        task=_task(trajectory.task, with_reference),
        steps=tuple(_step(step, places, with_outcome) for step in steps),
        external_id=trajectory.external_id,
        rollout=trajectory.rollout,
        policy_model=trajectory.policy_model,
        outcome=trajectory.outcome if with_outcome else None,
    )
    return Rollout(trajectory.pk, record, tuple(step.pk for step in steps))


def _task(task: Task, with_reference: bool) -> TaskRecord:
    reference = task.reference if with_reference else None
    return TaskRecord(task.external_id, task.source, task.instruction, reference, task.tools)


def _step(step: Step, places: Mapping[int, int], with_outcome: bool) -> StepRecord:
    return StepRecord(
        source=step.source,
        source_index=step.source_index,
        message=step.message,
        reasoning=step.reasoning,
        tool_calls=tuple(step.tool_calls),
        observations=tuple(step.observations),
        extra=_rewards(step.extra) if with_outcome else {},
        parent=None if step.parent_id is None else places.get(step.parent_id),
    )


def _rewards(extra: Json) -> Json:
    """Of what the file says of a step only the reward: other numbers are what somebody else thinks of it."""
    values = extra.get("values") if isinstance(extra, dict) else None
    return {"values": {"reward": values["reward"]}} if isinstance(values, dict) and "reward" in values else {}


def store(run: Run, scored: Mapping[int, tuple[Rollout, tuple[StepScore, ...]]]) -> None:
    """Write the scores of these trajectories, all or none. IntegrityError where a step has one of this run already."""
    rows = [
        (run.pk, rollout.id, rollout.steps[one.index], one.value, one.probability, json.dumps(one.detail))
        for rollout, scores in scored.values()
        for one in scores
    ]
    copying.insert(Score, "run_id trajectory_id step_id value probability detail", rows)


def latest(project: int, *, with_reference: bool = False) -> dict[str, int]:
    """For each scorer the id of the run whose scores are shown: the newest one done, else the newest one at work or
    paused in it. Runs whose scorer read the reference are among them only `with_reference`: their scores tell of it."""
    between_holds = Q(state__in=[Run.State.PAUSED, Run.State.QUEUED], started_at__isnull=False)
    shown = Q(state__in=[Run.State.DONE, Run.State.RUNNING]) | between_holds
    begun = Run.objects.scoring().filter(shown, project=project)
    if not with_reference:
        begun = begun.exclude(result__contains=READ_REFERENCE)
    rows = begun.order_by("-id").values_list("id", "config__scorer", "state")
    newest: dict[str, int] = {}
    for pk, scorer, _ in sorted(rows, key=lambda row: row[2] != Run.State.DONE):  # stable, so the newest stay first
        newest.setdefault(str(scorer), pk)
    return newest


def taught(project: Project) -> dict[int, dict[int, dict[int, int]]]:
    """What people say, or the reference where they said nothing: task → trajectory → step id → label.

    Counted are answers that someone gave of the step itself, in submitted passes: none that a rule implied, none that
    was a suggestion accepted. Where people differ the majority holds; where they are even, the step is left out.
    """
    main = projects.scheme_of(project.scheme).main_field
    if not is_teachable(main):
        return {}
    counted = Label.objects.current().filter(
        field=main.name,
        step__isnull=False,
        annotation__retired_at__isnull=True,
        annotation__state=Annotation.State.SUBMITTED,
        annotation__purpose="",
        annotation__trajectory__project=project,
        annotation__trajectory__superseded_at__isnull=True,
    )
    people = counted.filter(annotation__rater__kind="human", origin__in=[Label.Origin.HUMAN, Label.Origin.ADJUDICATED])
    reference = counted.filter(annotation__rater=project.reference_id).exclude(
        origin__in=[Label.Origin.PROPAGATED, Label.Origin.ACCEPTED]
    )
    found: dict[int, dict[int, dict[int, int]]] = defaultdict(dict)
    for labels in (people, reference):
        for task, trajectory, steps in _majority(labels, main):
            found[task].setdefault(trajectory, steps)
    return found


def is_teachable(main: FieldSpec) -> bool:
    """Whether answers of the field say of each step that it is right, wrong, or neither."""
    if main.target != "step":
        return False
    if isinstance(main, ScaleField):
        return bool(main.better) and not main.dimensions
    return isinstance(main, ChoiceField) and {"right", "wrong"} <= {main.tone(value) for value in main.values}


def _majority(labels: QuerySet[Label], main: FieldSpec) -> Iterator[tuple[int, int, dict[int, int]]]:
    votes: dict[tuple[int, int], dict[int, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
    rows = labels.values_list("annotation__trajectory__task", "annotation__trajectory", "step", "value")
    for task, trajectory, step, value in rows.iterator(chunk_size=5000):
        if not main.refusal(value) and (number := TAUGHT.get(main.tone(value))) is not None:
            votes[task, trajectory][step][number] += 1
    for (task, trajectory), steps in votes.items():
        said = {step: winner for step, count in steps.items() if (winner := _winner(count)) is not None}
        if said:
            yield task, trajectory, said


def _winner(count: Counter[int]) -> int | None:
    first, *others = count.most_common(2)
    return None if others and others[0][1] == first[1] else first[0]
