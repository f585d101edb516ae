"""Lists of tasks that judges write: beginning to ask, what that would take, what is left, and what came of it.

What a judge writes waits: annotations.services.rubrics puts no list of a judge in force before a person's word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, Func, IntegerField, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, StrIndex

from annotations import jobs
from annotations.judges import prompts
from annotations.judges.prompts import BadPrompt, Prompt
from annotations.models import Judge, Project, Rubric, RubricWriting, Run, Task, Trajectory, User
from annotations.records import Json
from annotations.schemes.fields.rubric import RubricField
from annotations.services import judge_budget, judges, projects, rubric_lists, rubrics, run_estimates
from annotations.services.judges import ASKED_ALONG, CHARACTERS_A_TOKEN, JudgeRefused
from annotations.services.outcomes import NotAccepted
from annotations.services.run_estimates import Cost

PROMPT = "method-rubric"
MOST_ROLLOUTS, MOST_ITEMS = 3, 40
ITEMS = 12  # of a list, where nothing else is said
SAID_OF_AN_ITEM = 60  # tokens of an answer for each item, about
REJECTED_SHOWN = 2  # rejected lists of the task that the judge is shown
LISTED = 200  # rows of a run's page

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Estimate:
    """What writing these lists would take, about. `cost` is None where no price of the model is known, `left_micro`
    where there is no budget, `seconds` where the judge's server has answered nothing here yet."""

    tasks: int
    prompt_tokens: int
    completion_tokens: int
    cost: Cost | None
    seconds: float | None
    left_micro: int | None

    @property
    def is_held(self) -> bool:
        """Whether the budget is likely to hold it."""
        return not (self.cost and self.cost.micro) or (self.left_micro or 0) >= self.cost.micro


@dataclass(frozen=True)
class Told:
    """What a judge wrote for a task, with the ids of its questions; `failed` says in words why it wrote nothing."""

    items: Json = None
    detail: dict[str, Any] = field(default_factory=dict)
    calls: Sequence[int] = ()
    failed: str = ""


def prompt_of(text: str) -> Prompt:
    """The text as a prompt, ours where it is that word for word. BadPrompt where it is none."""
    ours = prompts.part(PROMPT)
    return ours if text.replace("\r\n", "\n").strip() in ("", ours.text.strip()) else prompts.parse(text)


def configured(
    judge: Judge,
    name: str,
    *,
    tasks: Iterable[int] | None = None,
    limit: int | None = None,
    reference: bool = False,
    rollouts: int = 0,
    most: int = ITEMS,
    prompt: str = "",
) -> dict[str, Any]:
    """The configuration of a run: the field of that name, for these tasks, or for all that have no list. `limit`: for
    so many of them. JudgeRefused where it cannot be begun."""
    judges.refuse_retired(judge)
    try:
        rubric_lists.field_of(projects.scheme_of(judge.project.scheme), name)
        found = prompt_of(prompt)
    except (NotAccepted, BadPrompt) as no:
        raise JudgeRefused(str(no)) from no
    if not 0 <= rollouts <= MOST_ROLLOUTS or not 1 <= most <= MOST_ITEMS:
        raise JudgeRefused(f"A judge is shown 0 to {MOST_ROLLOUTS} attempts and writes 1 to {MOST_ITEMS} items.")
    config: dict[str, Any] = {"judge": judge.pk, "name": str(judge), "field": name}
    config |= {"tasks": sorted(set(tasks))} if tasks is not None else {}
    config |= {"limit": limit} if limit else {}
    config |= {"reference": reference, "rollouts": rollouts, "most": most}
    told = found.label if found == prompts.part(PROMPT) else "own"
    return config | {"prompt": found.text, "prompt_name": told}


def start(judge: Judge, by: User | None, config: Config) -> Run:
    """Begin to ask, as `configured` says."""
    return jobs.start(Run.Kind.RUBRICS, judge.project, by, **config)


def left(run: Run) -> list[int]:
    """The tasks that the run has not asked about yet, in order."""
    written = RubricWriting.objects.filter(run=run)
    done = set(written.values_list("task", flat=True))
    wanted = [pk for pk in chosen(run.project, run.config) if pk not in done]
    limit = run.config.get("limit")
    return wanted[: max(0, limit - len(done))] if limit else wanted


def chosen(project: Project, config: Config) -> list[int]:
    """The tasks that a run with that configuration asks about, in order, before its limit. Where none are named, those
    with no list: none in force, none that waits, none that their reference brings."""
    found = Task.objects.filter(project=project).order_by("pk")
    if "tasks" in config:
        return list(found.filter(pk__in=config["tasks"]).values_list("pk", flat=True))
    name = config["field"]
    lists = Rubric.objects.filter(task=OuterRef("pk"), field=name, rejected_at=None)
    found = found.exclude(Exists(lists))
    named = Coalesce(StrIndex("reference", Value(f'"{name}"')), 0)  # it may bring a list: only then it is read
    rows = found.annotate(named=named).values_list("pk", "named")
    asked = [pk for pk, at in rows if at]
    brought = {
        one.pk for one in Task.objects.filter(pk__in=asked).defer("tools") if rubrics.of_reference(one.reference, name)
    }
    return [pk for pk, _ in rows if pk not in brought]


def rejected(tasks: Iterable[int], name: str) -> dict[int, tuple[tuple[str, ...], ...]]:
    """By task, the texts of the lists of judges that people have rejected without writing another of them, the last
    ones."""
    rows = Rubric.objects.filter(task__in=list(tasks), field=name, rejected_at__isnull=False, edits=None)
    found: dict[int, tuple[tuple[str, ...], ...]] = {}
    for one in rows.order_by("number"):
        titles = tuple(item["title"] for item in one.items)
        found[one.task_id] = (*found.get(one.task_id, ()), titles)[-REJECTED_SHOWN:]
    return found


def estimate(judge: Judge, config: Config) -> Estimate:
    """What a run would take, from the lengths of the texts."""
    tasks = chosen(judge.project, config)[: config.get("limit")]
    texts = ["instruction", "tools", *(["reference"] if config["reference"] else [])]
    length: Any = sum(Coalesce(Func(F(one), function="octet_length", output_field=IntegerField()), 0) for one in texts)
    octets = Task.objects.filter(pk__in=tasks).aggregate(octets=Sum(length, default=0))["octets"]
    octets += run_estimates.of_these(shown(tasks, config["rollouts"])).octets
    prompt = round(octets / CHARACTERS_A_TOKEN) + len(tasks) * ASKED_ALONG
    completion = len(tasks) * config["most"] * SAID_OF_AN_ITEM
    budget = judge_budget.of(judge.project)
    return Estimate(
        tasks=len(tasks),
        prompt_tokens=prompt,
        completion_tokens=completion,
        cost=judges.cost(judge, prompt, completion),
        seconds=judges.seconds(judge, len(tasks)),
        left_micro=budget.left_micro if budget else None,
    )


def shown(tasks: Iterable[int], most: int) -> list[int]:
    """The rollouts of these tasks that a judge is shown: the first so many of each."""
    if not most:
        return []
    counts: dict[int, int] = {}
    found = []
    live = Trajectory.objects.live().filter(task__in=list(tasks)).order_by("task_id", "rollout")
    for task, pk in live.values_list("task_id", "pk"):
        counts[task] = counts.get(task, 0) + 1
        found += [pk] if counts[task] <= most else []
    return found


@transaction.atomic
def store(run: Run, judge: Judge, task: Task, spec: RubricField, told: Told) -> RubricWriting:
    """Keep what came of it, once for each run and task. A list that the task has had already is not written again: what
    people said of it stands."""
    Task.objects.select_for_update(no_key=True).get(pk=task.pk)
    before = RubricWriting.objects.filter(run=run, task=task).first()
    if before:
        return before
    made, failed = None, told.failed
    if not failed:
        try:
            same = _again(task, spec.name, told.items)
            failed = f"it wrote list {same.number} again, which {_standing(same)}" if same else ""
            made = None if same else _made(task, spec.name, told.items, judge)
        except NotAccepted as no:
            failed = str(no)
    row = RubricWriting.objects.create(
        run=run, task=task, judge=judge, rubric=made, failed=failed[:4000], detail=told.detail
    )
    row.calls.set(told.calls)
    return row


def _made(task: Task, name: str, items: Json, judge: Judge) -> Rubric:
    return rubrics.store(task, name, items, source=Rubric.Source.JUDGE, by=None, rater=str(judge))


def _again(task: Task, name: str, items: Json) -> Rubric | None:
    """The list of the task that says just this."""
    said = [one.model_dump(mode="json") for one in rubrics.checked(items)]
    return next((one for one in task.rubrics.filter(field=name).order_by("-number") if one.items == said), None)


def _standing(listed: Rubric) -> str:
    if listed.rejected_at:
        return "was rejected or edited"
    return "was approved" if listed.approved_at else "waits already"


def counted(run: Run) -> dict[str, int]:
    """How many lists the run wrote, of these how many wait, were approved as they were, edited, or rejected; and for
    how many tasks it wrote none."""
    made, none = Q(rubric__isnull=False), Q(rubric=None)
    edited = Q(rubric__edits__isnull=False)
    rejected = Q(rubric__rejected_at__isnull=False)
    return RubricWriting.objects.filter(run=run).aggregate(
        written=Count("pk", filter=made, distinct=True),
        waiting=Count("pk", filter=made & Q(rubric__approved_at=None, rubric__rejected_at=None), distinct=True),
        approved=Count("pk", filter=Q(rubric__approved_at__isnull=False), distinct=True),
        edited=Count("pk", filter=edited, distinct=True),
        rejected=Count("pk", filter=rejected & ~edited, distinct=True),
        failed=Count("pk", filter=none, distinct=True),
    )


def told_of(run: Run) -> dict[str, Any]:
    """What the run's page says: the counts, the first rows, and the first of its lists that waits."""
    counts, rows = counted(run), list(of_run(run)[:LISTED])
    listed = [one.rubric for one in rows if one.rubric]
    waits = next((one.pk for one in listed if not one.approved_at and not one.rejected_at), None)
    more = max(0, counts["written"] + counts["failed"] - LISTED)
    return {"wrote": counts | {"more": more}, "writings": rows, "first_waiting": waits}


def of_run(run: Run) -> QuerySet[RubricWriting]:
    """What came of each task, those with nothing first."""
    rows = RubricWriting.objects.filter(run=run).select_related("task", "rubric")
    return rows.defer("task__instruction", "task__reference", "task__tools", "detail").order_by(
        F("rubric").asc(nulls_first=True), "pk"
    )
