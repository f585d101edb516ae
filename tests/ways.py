"""Rollouts whose steps are letters: equal letters are equal states, and said in equal words."""

from __future__ import annotations

from itertools import count

from annotations.models import Step, Task, Trajectory
from annotations.rendering.identity import action_hash, turn_hash
from tests import make

_calls = count(1)


def rollout(task: Task, letters: str, passed: bool | None = None, *, seen: str = "", **fields: object) -> Trajectory:
    """A user's turn, then a step for each letter, that calls it; `seen` says what comes back, else the letter."""
    outcome = None if passed is None else {"success": passed}
    made = make.trajectory(task.project, of=task, steps=len(letters), outcome=outcome, **fields)
    for step, letter, back in zip(made.steps.of_agent(), letters, seen or letters, strict=True):
        call = f"call-{next(_calls)}"
        step.message = ""
        step.tool_calls = [{"id": call, "name": letter, "arguments": f'{{"at": "{letter}"}}'}]
        step.observations = [{"tool_call_id": call, "content": f"Saw {back}."}]
        step.save()
    for step in made.steps.all():
        step.action_hash, step.turn_hash = action_hash(step), turn_hash(step.source, step)
        step.save(update_fields=["action_hash", "turn_hash"])
    return made


def steps_of(made: Trajectory) -> list[Step]:
    return list(made.steps.of_agent())
