"""What rollouts took, where their files say so: money, tokens, time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast, Left

from annotations.formats.lines import load
from annotations.models import Step, Trajectory
from annotations.records import Json

LOOKED_AT = 20_000  # characters of what a file says of a step beside its texts
OF_THE_WHOLE = 200_000  # and of what it says of a rollout
DEEPEST = 3
# How formats call what a step, or a whole rollout, took.
COST = ("cost", "cost_usd", "total_cost", "total_cost_usd", "agent_cost", "instance_cost")
TOKENS = ("tokens", "total_tokens")
TOKENS_OF = (
    ("input_tokens", "prompt_tokens", "total_prompt_tokens", "tokens_sent"),
    ("output_tokens", "completion_tokens", "total_completion_tokens", "tokens_received"),
)
SECONDS = ("seconds", "latency", "duration", "duration_s", "elapsed", "execution_time", "total_time")


def of(trajectories: QuerySet[Any, Any]) -> Mapping[int, dict[str, float]]:
    """By trajectory dollars, tokens and seconds: as the file says of the whole, else the sum over its steps; time also
    from the first step's time to the last one's. What is not said is not there."""
    found: dict[int, dict[str, float]] = {}
    steps = _steps(trajectories)
    rows = Trajectory.objects.filter(pk__in=trajectories).order_by().values_list("pk", "outcome", _beginning("extra"))
    for pk, outcome, extra in rows.iterator(chunk_size=500):
        whole = {} if len(extra) > OF_THE_WHOLE else load(extra)
        told = _taken([outcome, whole.get("fields") if isinstance(whole, dict) else None])
        if spent := steps.get(pk, {}) | told:
            found[pk] = spent
    return found


def _beginning(name: str, characters: int = OF_THE_WHOLE) -> Left:
    return Left(Cast(name, TextField()), characters + 1)


def _steps(trajectories: QuerySet[Any, Any]) -> Mapping[int, dict[str, float]]:
    rows = Step.objects.filter(trajectory__in=trajectories).annotate(text=_beginning("extra", LOOKED_AT))
    rows = rows.filter(Q(text__contains='"values":') | Q(text__contains='"timestamp":')).order_by("trajectory", "index")
    sums: dict[int, dict[str, float]] = defaultdict(dict)
    times: dict[int, list[datetime]] = defaultdict(list)
    for trajectory, text in rows.values_list("trajectory", "text").iterator(chunk_size=5_000):
        extra = load(text) if len(text) <= LOOKED_AT else None
        if not isinstance(extra, dict):
            continue
        for name, number in _taken([extra.get("values")]).items():
            sums[trajectory][name] = sums[trajectory].get(name, 0) + number
        times[trajectory] += _times(extra)
    for trajectory, some in times.items():
        if len(some) > 1:
            sums[trajectory].setdefault("seconds", (max(some) - min(some)).total_seconds())
    return sums


def _times(extra: dict[str, Any]) -> Iterator[datetime]:
    fields = extra.get("fields")
    said = fields.get("timestamp") if isinstance(fields, dict) else None
    try:
        time = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return
    if time is not None and time.tzinfo is not None:
        yield time


def _taken(places: Iterable[Json]) -> dict[str, float]:
    """What the first place that says something of it says, the least deep of its numbers."""
    found: dict[str, float] = {}
    for place in places:
        numbers = dict(_numbers(place))
        parts = [_one_of(numbers, names) for names in TOKENS_OF]
        tokens = _one_of(numbers, TOKENS)
        if tokens is None and any(part is not None for part in parts):
            tokens = sum(part or 0 for part in parts)
        told = {"cost": _one_of(numbers, COST), "tokens": tokens, "seconds": _one_of(numbers, SECONDS)}
        found = {name: number for name, number in told.items() if number is not None} | found
    return found


def _numbers(value: Json) -> Iterator[tuple[str, float]]:
    """The numbers in it by name, the deepest first, so that of equal names the least deep is kept."""
    levels: list[list[dict[str, Any]]] = [[value]] if isinstance(value, dict) else []
    while levels and levels[-1] and len(levels) < DEEPEST:
        levels.append([one for each in levels[-1] for one in each.values() if isinstance(one, dict)])
    for level in reversed(levels):
        for each in level:
            for name, one in each.items():
                if isinstance(one, (int, float)) and not isinstance(one, bool) and 0 <= one < float("inf"):
                    yield name, float(one)


def _one_of(numbers: Mapping[str, float], names: Iterable[str]) -> float | None:
    return next((numbers[name] for name in names if name in numbers), None)
