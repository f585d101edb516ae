"""InterCode results: episodes by number, each a history of parallel lists: actions, observations, rewards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from annotations.formats import naming
from annotations.formats.base import LabelRecord, Refused, ValueFormat, found
from annotations.formats.turns import call, member, with_values, words
from annotations.records import Json, StepRecord, TaskRecord, TrajectoryRecord

HISTORY = "turn_history"
MAPPED = frozenset(["query", HISTORY, "summary"])
LISTS = ("actions", "observations", "rewards", "valid_action", "thoughts")


class InterCode(ValueFormat):
    """The files do not name the model."""

    name = "intercode"
    title = "InterCode results"
    keeps = "Thoughts, actions and observations, the reward of each turn and whether its action was valid, the summary."
    loses = "Nothing; the files do not say which model they are of."

    def recognises(self, value: Json) -> bool:
        if _is_episode(value):
            return True
        first = list(value.values())[:3] if isinstance(value, dict) else []
        return bool(first) and all(_is_episode(one) for one in first)

    def records(self, value: Any) -> Iterable[TrajectoryRecord | LabelRecord | Refused]:
        if not isinstance(value, dict) or not value:
            raise Refused("", f"found {found(value)}; accepted is an object of episodes")
        return (_record(value),) if HISTORY in value else _each(value)


def _is_episode(value: Json) -> bool:
    return isinstance(value, dict) and isinstance(member(value, HISTORY).get("actions"), list) and "query" in value


def _each(value: dict[str, Any]) -> Iterator[TrajectoryRecord | Refused]:
    for key, one in value.items():
        try:
            yield _record(one)
        except Refused as refused:
            yield Refused(f"{key[:80]}.{refused.field}".rstrip("."), refused.reason)


def _record(row: Json) -> TrajectoryRecord:
    if not isinstance(row, dict):
        raise Refused("", f"found {found(row)}; accepted is an episode, an object with {HISTORY}")
    history, query = member(row, HISTORY), words(row, "query")
    actions = history.get("actions")
    if not isinstance(actions, list) or not actions:
        raise Refused(f"{HISTORY}.actions", f"found {found(actions)}; accepted is a list of actions")
    environment, number = words(row, "environment"), naming.name(row, "task_id")
    dataset = PurePosixPath(words(row, "dataset")).stem
    summary = member(row, "summary")
    named = ":".join(filter(None, (environment, dataset, number)))
    fields = {key: value for key, value in row.items() if key not in MAPPED}
    rest = {key: value for key, value in history.items() if key not in LISTS or _longer(value, actions)}
    return TrajectoryRecord(
        task=TaskRecord(
            external_id=named[: naming.NAME] if number else naming.hashed(query),
            source=(dataset or environment)[:200],
            instruction=query,
        ),
        steps=tuple(_steps(query, history, len(actions), environment.removeprefix("ic_"))),
        outcome={"reward": summary.get("max_reward"), "summary": summary} if summary else None,
        meta={"task_id": row.get("task_id")},
        extra={"fields": fields | ({HISTORY: rest} if rest else {})},
    )


def _longer(value: Json, actions: list[Json]) -> bool:
    """Whether a list has what belongs to no turn; it is kept as it is."""
    return not isinstance(value, list) or len(value) > len(actions)


def _steps(query: str, history: dict[str, Any], turns: int, tool: str) -> Iterator[StepRecord]:
    """The query, then a step a turn: the place of a step is the number of its turn, from 1."""
    yield StepRecord("user", 0, query)
    for turn in range(turns):
        said = {key: _at(history.get(key), turn) for key in LISTS}
        thought, action, seen = said["thoughts"], said["actions"], said["observations"]
        step = StepRecord(
            source="agent",
            source_index=turn + 1,
            message=thought if isinstance(thought, str) else "",
            tool_calls=(_call(tool, action),),
            observations=() if seen is None else ({"role": "tool", "name": tool, "content": seen},),
            extra={"fields": {"valid_action": said["valid_action"]}} if said["valid_action"] is not None else {},
        )
        yield with_values(step, {"reward": said["rewards"]})


def _at(values: Json, place: int) -> Json:
    return values[place] if isinstance(values, list) and place < len(values) else None


def _call(tool: str, action: Json) -> Json:
    one = call(tool, {"command": action})
    return {"id": "", "name": one["function"]["name"], "arguments": one["function"]["arguments"]}
