"""SWE-agent: the .traj file of a run, of old and of 1.x versions. A step is a thought, an action and an observation.

`source_index` of what was said before the first step is its place in `history`; steps follow these, in the order of
`trajectory`. A run that was tried again holds its attempts: each is a trajectory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from annotations.formats import chat, instances, naming
from annotations.formats.base import Item, Refused, ValueFormat, found
from annotations.formats.loose import listed, loaded, mapping, without
from annotations.formats.opening.sources import Source
from annotations.formats.opening.values import Shape
from annotations.formats.turns import member, number, words
from annotations.records import Json, StepRecord, TaskRecord, TrajectoryRecord

SAID = ("action", "observation", "thought", "query")
BESIDE = ("history", "info", "environment", "replay_config", "log")


class SWEAgent(ValueFormat):
    name = "swe-agent"
    title = "SWE-agent runs (.traj)"
    keeps = (
        "Thoughts, actions, observations, state, times, the opening of the history, the patch, statistics, attempts."
    )
    loses = "The history's copies of the steps, and the messages that were sent again with every step (query)."

    def recognises(self, value: Json) -> bool:
        if not isinstance(value, dict):
            return False
        attempts = value.get("attempts")
        if isinstance(attempts, list) and attempts:
            return all(_is_run(one) for one in attempts[:3])
        return _is_run(value)

    def read(self, source: Source, shape: Shape | None = None) -> Iterator[Item]:
        yield from instances.named(super().read(source, shape), source.name)

    def records(self, value: Any) -> Iterable[TrajectoryRecord | Refused]:
        if not isinstance(value, dict):
            raise Refused("", f"found {found(value)}; accepted is the object of a run")
        attempts = value.get("attempts")
        if not isinstance(attempts, list) or not attempts:
            return (_record(value, value, None),)
        return (_attempt(value, one, place) for place, one in enumerate(attempts))


def _is_run(value: Json) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("trajectory"), list):
        return False
    first = value["trajectory"][:1]
    usual = all(isinstance(one, dict) and "action" in one and "source" not in one for one in first)
    return usual and any(key in value for key in BESIDE) and (bool(first) or "history" in value)


def _attempt(run: dict[str, Any], attempt: Json, place: int) -> TrajectoryRecord | Refused:
    try:
        if not isinstance(attempt, dict):
            raise Refused("", f"found {found(attempt)}; accepted is the object of a run")
        return _record(run, attempt, place)
    except Refused as refused:
        return Refused(f"attempts[{place}].{refused.field}".rstrip("."), refused.reason)


def _record(run: dict[str, Any], one: dict[str, Any], attempt: int | None) -> TrajectoryRecord:
    config = mapping(loaded(one.get("replay_config", run.get("replay_config"))))
    problem = member(config, "problem_statement")
    opening = list(_opening(one))
    steps = (*opening, *_steps(one.get("trajectory"), len(opening)))
    asked = words(problem, "text") or naming.instruction(steps)
    named = words(run, "instance_id") or words(problem, "id")
    info = member(one, "info")
    return TrajectoryRecord(
        task=TaskRecord(external_id=named[: naming.NAME] or naming.prompt_id(steps), instruction=asked),
        steps=steps,
        policy_model=_model(config)[:200],
        outcome=_outcome(info),
        meta=_meta(one, attempt),
        extra={"fields": _rest(run, one, config)},
    )


def _meta(one: dict[str, Any], attempt: int | None) -> dict[str, Json]:
    """The number of an attempt is no rollout's: other runs of the task have attempts of the same numbers."""
    said = {"attempt": attempt, "environment": words(one, "environment") or None}
    return {key: value for key, value in said.items() if value is not None}


def _rest(run: dict[str, Any], one: dict[str, Any], config: dict[str, Any]) -> dict[str, Json]:
    rest = without(one, "trajectory", "history", "attempts")
    if one is not run:
        whole = without(run, "trajectory", "history", "attempts", "replay_config")
        rest |= {"run": whole} if whole else {}
    return rest | ({"replay_config": config} if config else {})


def _opening(one: dict[str, Any]) -> Iterator[StepRecord]:
    """What was said before the first step. Demonstrations are part of it, whoever seems to speak in them."""
    history = listed(one.get("history"))
    first = next(iter(listed(one.get("trajectory"))), None)
    for place, message in enumerate(history or listed(mapping(first).get("query"))):
        role, demo = words(message, "role"), mapping(message).get("is_demo") is True
        if not isinstance(message, dict) or (role == "assistant" and not demo):
            return
        source = "system" if role in ("system", "developer") else "user"
        fields = without(message, "role", "content")
        if role != source:
            fields["role"] = message.get("role")
        content = message.get("content")
        if not isinstance(content, str):
            fields["content"] = content
        extra = {"fields": fields} if fields else {}
        yield StepRecord(source, place, chat.text_of(content), extra=extra)


def _steps(trajectory: Json, before: int) -> Iterator[StepRecord]:
    if not isinstance(trajectory, list) or not trajectory:
        raise Refused("trajectory", f"found {found(trajectory)}; accepted is a list of steps, one or more")
    for place, one in enumerate(trajectory):
        if not isinstance(one, dict):
            raise Refused(
                f"trajectory[{place}]", f"found {found(one)}; accepted is an object with action and observation"
            )
        yield _step(one, before + place)


def _step(one: dict[str, Any], index: int) -> StepRecord:
    action, observation, thought = one.get("action"), one.get("observation"), one.get("thought")
    fields = {key: loaded(value) if key == "state" else value for key, value in one.items() if key not in SAID}
    message = thought if isinstance(thought, str) else words(one, "response")
    if fields.get("response") == message:
        del fields["response"]
    if thought is not None and not isinstance(thought, str):
        fields["thought"] = thought
    seconds = one.get("execution_time")
    return StepRecord(
        source="agent",
        source_index=index,
        message=message,
        tool_calls=() if action in (None, "") else ({"id": "", "name": "bash", "arguments": action},),
        observations=() if observation in (None, "") else ({"role": "tool", "content": observation},),
        extra=({"fields": fields} if fields else {})
        | ({"values": {"execution_time": seconds}} if number(seconds) else {}),
    )


def _model(config: dict[str, Any]) -> str:
    """The model's name, where agents are nested (retries) that of the first."""
    agent = member(config, "agent")
    agents = [agent, *(one for one in listed(agent.get("agent_configs")) if isinstance(one, dict))]
    return next((name for one in agents if (name := words(one.get("model"), "name"))), "")


def _outcome(info: dict[str, Any]) -> Json:
    said = {"answer": info.get("submission"), "exit_status": info.get("exit_status"), "score": info.get("score")}
    return {key: one for key, one in said.items() if one is not None} or None
