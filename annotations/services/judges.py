"""A project's judges: making a version, beginning to ask it, what that would take, and what is left to ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from annotations import jobs
from annotations.judges import prompts, ways
from annotations.judges.servers import Options
from annotations.judges.settings import SAMPLED, Settings
from annotations.models import (
    Annotation,
    Event,
    Guideline,
    Judge,
    JudgeCall,
    JudgeServer,
    JudgeVerdict,
    Project,
    Rater,
    Run,
    Step,
    Trajectory,
    User,
)
from annotations.services import judge_budget, projects, run_estimates
from annotations.services.run_estimates import Cost

CHARACTERS_A_TOKEN = 4
ASKED_ALONG = 1_500  # tokens of the prompt's own words, about
SAID_OF_A_STEP = 90  # tokens of an answer for each step, about
TRIED = 5


class JudgeRefused(ValueError):
    """It cannot be made or begun. The message says why."""


@dataclass(frozen=True)
class Estimate:
    """What judging these trajectories would take: about so many calls, tokens and seconds. `cost` is None where no
    price of the model is known; `left_micro` what the budget has left, None where there is none. `seconds` is None
    where the judge's server has answered nothing here yet."""

    trajectories: int
    steps: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: Cost | None
    seconds: float | None
    left_micro: int | None

    @property
    def is_held(self) -> bool:
        """Whether the budget is likely to hold it."""
        return not (self.cost and self.cost.micro) or (self.left_micro or 0) >= self.cost.micro


@transaction.atomic
def make(
    project: Project,
    by: User | None,
    *,
    name: str,
    server: JudgeServer,
    model: str,
    prompt: str,
    prompt_name: str,
    settings: Settings,
    guideline: Guideline | None = None,
) -> Judge:
    """The judge of that name, or its next version. JudgeRefused where its labels could be taken for another's, and
    where prompt, settings and scheme do not go together."""
    _go_together(project, prompt, settings)
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    newest = project.judges.filter(name=name).order_by("-version").first()
    version = newest.version + 1 if newest else 1
    try:
        with transaction.atomic():
            rater = Rater.objects.create(project=project, kind=Rater.Kind.JUDGE, name=f"{name} v{version}")
    except IntegrityError as exc:
        raise JudgeRefused(f"A judge called “{name} v{version}” has labels here already; choose another name.") from exc
    judge = Judge.objects.create(
        project=project,
        name=name,
        version=version,
        rater=rater,
        server=server,
        model=model,
        prompt=prompt,
        prompt_name=prompt_name,
        guideline=guideline,
        settings=settings.model_dump(mode="json"),
        made_by=by,
    )
    Event.objects.create(project=project, actor=by, verb="judge.made", after={"judge": judge.pk, "name": str(judge)})
    return judge


def _go_together(project: Project, prompt: str, settings: Settings) -> None:
    try:
        found = prompts.known(prompt)
    except prompts.BadPrompt as exc:
        raise JudgeRefused(str(exc)) from exc
    if reason := ways.refusal(settings, projects.scheme_of(project.scheme), found):
        raise JudgeRefused(reason)


@transaction.atomic
def retire(judge: Judge, by: User) -> None:
    """Offer the version no more. What it said stays."""
    if Judge.objects.filter(pk=judge.pk, retired_at__isnull=True).update(retired_at=timezone.now()):
        before = {"judge": judge.pk, "name": str(judge)}
        Event.objects.create(project_id=judge.project_id, actor=by, verb="judge.retired", before=before)


def start(
    judge: Judge, by: User | None, *, limit: int | None = None, among: Iterable[int] | None = None, again: bool = False
) -> Run:
    """Begin to ask. `limit`: of so many trajectories, drawn by chance. `among`: of these trajectories only. `again`:
    also of those it has labelled already, whose labels are then retired. JudgeRefused where it may not be asked."""
    refuse_retired(judge)
    config: dict[str, Any] = {"judge": judge.pk, "name": str(judge)}
    config |= {"limit": limit} if limit else {}
    config |= {"among": sorted(among)} if among is not None else {}
    config |= {"again": True} if again else {}
    return jobs.start(Run.Kind.JUDGE, judge.project, by, **config)


def refuse_retired(judge: Judge) -> None:
    """JudgeRefused where the judge is not to be asked any more."""
    if judge.retired_at:
        raise JudgeRefused(f"{judge} is retired; make a new version.")
    if judge.server.removed_at:
        raise JudgeRefused(f"The server {judge.server.title} was removed; make a version with another one.")


def waiting(judge: Judge, config: Mapping[str, Any]) -> QuerySet[Trajectory]:
    """The trajectories that a run with that configuration is to ask about, before any is asked."""
    agent = Step.objects.of_agent().filter(trajectory=OuterRef("pk"))
    found = Trajectory.objects.live().filter(Exists(agent), project=judge.project)
    if "among" in config:
        found = found.filter(pk__in=config["among"])
    if not config.get("again"):
        said = Annotation.objects.live().filter(rater=judge.rater_id, state=Annotation.State.SUBMITTED)
        found = found.exclude(Exists(said.filter(trajectory=OuterRef("pk"))))
    return found


def left(run: Run, judge: Judge) -> list[tuple[int, int]]:
    """(task, trajectory) of all that the run has not judged yet, rollouts of a task together."""
    judged = JudgeVerdict.objects.filter(run=run, annotation__trajectory=OuterRef("pk"))
    found = waiting(judge, run.config).exclude(Exists(judged))
    if "sample" in run.result:
        found = found.filter(pk__in=run.result["sample"])
    return list(found.order_by("task_id", "rollout").values_list("task_id", "pk"))


def estimate(judge: Judge, config: Mapping[str, Any] | None = None) -> Estimate:
    """What a run would take, from the lengths of the texts. Deliberation is counted as its method says."""
    config = config or {}
    settings = Settings.model_validate(judge.settings)
    chosen = list(waiting(judge, config).values_list("pk", flat=True))
    if limit := config.get("limit"):
        chosen = chosen[:limit]
    size = run_estimates.of_these(chosen)
    texts = size.octets / CHARACTERS_A_TOKEN
    per_step = size.steps / size.trajectories if size.trajectories else 0.0
    whole = settings.reading == "whole"
    rounds = rounds_of(settings)
    calls = (size.trajectories if whole else size.steps) * rounds
    # Read step by step, a trajectory is sent once for each step, on average by half.
    read = texts if whole else texts * (per_step + 1) / 2
    prompt = round(read * rounds) + calls * ASKED_ALONG
    completion = size.steps * SAID_OF_A_STEP * rounds
    budget = judge_budget.of(judge.project)
    return Estimate(
        trajectories=size.trajectories,
        steps=size.steps,
        calls=calls,
        prompt_tokens=prompt,
        completion_tokens=completion,
        cost=cost(judge, prompt, completion),
        seconds=seconds(judge, calls),
        left_micro=budget.left_micro if budget else None,
    )


def rounds_of(settings: Settings) -> int:
    """How often a trajectory, or a step, is asked about, about."""
    people = len(settings.personas)
    rounds = {
        "critique": 3,
        "branch": 3,
        "panel": people,
        "debate": people * settings.rounds + 1,
        **dict.fromkeys(SAMPLED, settings.samples),
    }.get(settings.method, 1)
    return rounds * (1 + int(settings.thinks_first))


def cost(judge: Judge, prompt: int, completion: int) -> Cost | None:
    """What so many tokens of the judge's model cost; None where no price is known."""
    found = judge_budget.price(judge.server, judge.model)
    return Cost(found[0].cost(prompt, completion), found[1], found[2]) if found else None


def seconds(judge: Judge, calls: int) -> float | None:
    """How long so many questions take, by what the newest answers of the model took; None where there are none."""
    answered = JudgeCall.objects.filter(server=judge.server_id, model=judge.model, state=JudgeCall.State.ANSWERED)
    took = list(answered.order_by("-pk").values_list("latency_ms", flat=True)[:200])
    known = [one for one in took if one is not None]
    at_once = Options.model_validate(judge.server.options).at_once
    return sum(known) / len(known) / 1000 * calls / at_once if known else None


def failed(judge: Judge) -> QuerySet[Annotation]:
    """Passes in which the judge has said nothing."""
    return Annotation.objects.live().filter(state=Annotation.State.FAILED, rater=judge.rater_id)
