"""What a scoring run would take: how much there is to score, how long that is likely to last and what it would cost, by
what this deployment's earlier runs of the scorer took. And which few trajectories to try it on first."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, Func, IntegerField, OuterRef, Q, Sum

from annotations.models import Project, Run, Step, Trajectory
from annotations.services import scorer_entries

LOOKED_AT = 500  # trajectories whose texts are measured, of a project that has more
RUNS = 5  # of a scorer's newest runs, whose pace is taken
TRIED = 5  # trajectories of a first try
LONG = 600.0  # seconds: what takes longer is asked about before it begins
TEXTS = ("message", "reasoning", "tool_calls", "observations")
MICRO = 1_000_000

Spent = Mapping[str, Any]  # run.result["spent"]: seconds, trajectories, steps, octets, usage


@dataclass(frozen=True)
class Size:
    """How much there is: trajectories with a step of the agent's, these steps, and the octets of all their texts."""

    trajectories: int
    steps: int
    octets: int


@dataclass(frozen=True)
class Cost:
    """In millionths of the currency, by the price list of that version."""

    micro: int
    currency: str
    version: str

    @property
    def amount(self) -> float:
        return self.micro / MICRO


@dataclass(frozen=True)
class Estimate:
    """What scoring all of a project would take. `runs` is from how many earlier ones that is told: 0 where nothing is
    known, and `seconds` then None. `usage` is empty where the scorer asks no language model; `cost` None where there is
    nothing to pay, or no price is known."""

    size: Size
    runs: int
    seconds: float | None
    usage: Mapping[str, int]
    cost: Cost | None

    @property
    def is_asked_about(self) -> bool:
        """Whether somebody should say yes to it before it begins."""
        return bool(self.cost and self.cost.micro) or (self.seconds or 0) > LONG


def size(project: Project) -> Size:
    """Exact for small projects; of others steps and octets are those of some trajectories, times how many there are."""
    agent = Step.objects.of_agent().filter(trajectory=OuterRef("pk"))
    found = Trajectory.objects.live().filter(Exists(agent), project=project).order_by("pk")
    return of_these(list(found.values_list("pk", flat=True)))


def of_these(trajectories: Sequence[int]) -> Size:
    """Of these trajectories; of many, what some from all over them have, times how many they stand for."""
    apart = len(trajectories) // LOOKED_AT + 1 if len(trajectories) > LOOKED_AT else 1
    found = measured(trajectories[::apart])
    factor = len(trajectories) / len(trajectories[::apart]) if trajectories else 0.0
    return Size(*(round(part * factor) for part in (found.trajectories, found.steps, found.octets)))


def measured(trajectories: Iterable[int]) -> Size:
    """Of these trajectories. No text is read for it: PostgreSQL knows their lengths."""
    octets: Any = sum(Func(F(name), function="octet_length", output_field=IntegerField()) for name in TEXTS)
    found = Step.objects.filter(trajectory__in=list(trajectories)).aggregate(
        trajectories=Count("trajectory", distinct=True, filter=Q(source=Step.Source.AGENT)),
        steps=Count("id", filter=Q(source=Step.Source.AGENT)),
        octets=Sum(octets, default=0),
    )
    return Size(**found)


def of(project: Project, names: Iterable[str]) -> dict[str, Estimate]:
    """What each of these scorers would take."""
    all_of_it, taken = size(project), _taken()
    prices = {name: entry.get("price") for name, entry in scorer_entries.all_of_them().items()}
    return {name: _estimate(all_of_it, taken.get(name, []), prices.get(name)) for name in names}


def words(told: Estimate) -> list[str]:
    """For a terminal."""
    size = told.size
    lines = [f"{size.trajectories} trajectories, {size.steps} steps, {size.octets / 1e6:.1f} MB of text."]
    if told.seconds is None:
        return [*lines, "How long it takes is not known: it has not run here. Try it with --limit 5 --wait."]
    lines.append(f"About {told.seconds:.0f} s, by what {told.runs} earlier runs took.")
    if told.usage:
        lines.append("Asked of language models: " + ", ".join(f"{n} {name}" for name, n in told.usage.items()) + ".")
        paid = (
            f"{told.cost.amount:.2f} {told.cost.currency}"
            if told.cost
            else "not known: the scorer's entry has no price"
        )
        lines.append(f"Cost: {paid}.")
    return lines


def _estimate(size: Size, taken: list[Spent], price: Mapping[str, Any] | None) -> Estimate:
    octets, steps = (sum(one[name] for one in taken) for name in ("octets", "steps"))
    if not octets or not steps:
        return Estimate(size, 0, None, {}, None)
    seconds = sum(one["seconds"] for one in taken) * size.octets / octets
    used: dict[str, float] = defaultdict(float)
    for one in taken:
        for name, count in one.get("usage", {}).items():
            used[name] += count
    by_length = size.octets / octets
    usage = {
        name: round(n * (by_length if name == "prompt_tokens" else size.steps / steps)) for name, n in used.items()
    }
    return Estimate(size, len(taken), seconds, usage, cost(usage, price))


def _taken() -> dict[str, list[Spent]]:
    """What the newest runs of each scorer took, on this deployment."""
    runs = Run.objects.filter(kind=Run.Kind.SCORE, result__has_key="spent").order_by("-id")
    taken: dict[str, list[Spent]] = defaultdict(list)
    for scorer, spent in runs.values_list("config__scorer", "result__spent")[:300]:
        if len(taken[scorer]) < RUNS:
            taken[scorer].append(spent)
    return taken


def cost(usage: Mapping[str, float], price: Mapping[str, Any] | None) -> Cost | None:
    """What these tokens cost; None without a price. A price is {"prompt", "completion"}: millionths of the currency for
    a million tokens, and "currency", "version"."""
    if not price or not usage:
        return None
    parts = (usage.get(f"{name}_tokens", 0) * price.get(name, 0) for name in ("prompt", "completion"))
    return Cost(round(sum(parts) / MICRO), str(price.get("currency", "")), str(price.get("version", "")))


def sample(project: Project, count: int, seed: int) -> list[int]:
    """So many trajectories of as many tasks as possible, the same ones for the same seed."""
    chance = random.Random(seed)
    of_tasks: dict[int, list[int]] = defaultdict(list)
    agents = Trajectory.objects.live().filter(project=project, steps__source=Step.Source.AGENT).distinct()
    for task, pk in agents.order_by("pk").values_list("task_id", "pk"):
        of_tasks[task].append(pk)
    groups = [chance.sample(found, len(found)) for found in of_tasks.values()]
    chance.shuffle(groups)
    longest = max(map(len, groups), default=0)
    return [found[turn] for turn in range(longest) for found in groups if turn < len(found)][:count]
