"""What insight knows of steps beside their labels: what was called with what, and which of them answer the user. Of
texts only the beginnings of calls are read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.db.models import F, Func, QuerySet, TextField
from django.db.models.functions import Cast, Left

from annotations.models import Step
from annotations.records import Json
from annotations.services.leaderboard import NAMES

LOOKED_AT = 20_000  # characters of a step's calls; of a longer one nothing but the tool's name is known
SHORT = 24  # characters of a value that may be one of a few
ARGUMENTS = 40  # of a call that are counted

Called = tuple[str, str, str]


class Known(NamedTuple):
    """A step of the agent. `calls` are (tool, argument, value), see statistics.rollouts; `answers`: the user speaks
    next, or nobody does."""

    pk: int
    tool: str
    action: str
    calls: tuple[Called, ...]
    answers: bool


def steps(trajectories: QuerySet[Any, Any]) -> Mapping[int, list[Known]]:
    """By trajectory the agent's steps in order."""
    names: Any = Func(F("tool_calls"), template=NAMES, output_field=TextField())
    called = Left(Cast("tool_calls", TextField()), LOOKED_AT + 1)
    rows = Step.objects.filter(trajectory__in=trajectories).order_by("trajectory", "index")
    told = rows.annotate(tool=names, called=called).values_list(
        "trajectory", "pk", "source", "action_hash", "tool", "called"
    )
    by_trajectory = groupby(told.iterator(chunk_size=5_000), key=itemgetter(0))
    return {trajectory: list(_known(list(some))) for trajectory, some in by_trajectory}


def _known(rows: Sequence[Any]) -> Iterator[Known]:
    for row, after in zip(rows, [*rows[1:], None], strict=True):
        _, pk, source, action, tool, called = row
        if source == Step.Source.AGENT:
            answers = after is None or after[2] == Step.Source.USER
            yield Known(pk, _first(tool), action, tuple(dict.fromkeys(_calls(called))), answers)


def _first(names: str | None) -> str:
    found = next((one for one in json.loads(names or "[]") if isinstance(one, str)), "")
    return _short(found)


def _calls(text: str) -> Iterator[Called]:
    if text == "[]" or len(text) > LOOKED_AT:
        return
    for call in _listed(text):
        if not isinstance(call, dict) or not isinstance(call.get("name"), str):
            continue
        tool = _short(call["name"])
        yield tool, "", ""
        arguments = call.get("arguments")
        told = _listed(arguments) if isinstance(arguments, str) else arguments
        for name, value in list(told.items())[:ARGUMENTS] if isinstance(told, dict) else ():
            yield tool, _short(name), ""
            if said := _value(value):
                yield tool, _short(name), said


def _listed(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return []


def _value(value: Json) -> str:
    """A value as a row names it, where it is short enough to be one of a few; else ""."""
    if not isinstance(value, (str, bool, int)):
        return ""
    said = value if isinstance(value, str) else json.dumps(value)
    return _short(said) if said.strip() and len(said) <= SHORT else ""


def _short(text: str) -> str:
    return text.replace("\x00", "").encode(errors="replace").decode()[:100]
