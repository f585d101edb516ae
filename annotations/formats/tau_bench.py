"""tau-bench: a run of an agent with a simulated user a record, with the reward that the environment gave."""

from __future__ import annotations

from typing import Any

from annotations.formats import naming
from annotations.formats.base import LineFormat, whole
from annotations.formats.turns import member, steps_at, words
from annotations.records import Json, TaskRecord, TrajectoryRecord

MAPPED = frozenset(["task_id", "reward", "info", "traj", "trial"])


class TauBench(LineFormat):
    """The files name neither the domain nor the model. Tasks are told apart by their user, and a trial is no rollout
    number: those of two models' files would be taken for each other."""

    name = "tau-bench"
    title = "tau-bench runs"
    keeps = (
        "Messages with their calls and results, the reward and what it was made of, the task with its user, the trial."
    )
    loses = "Nothing; the files do not say which model or domain they are of."

    def recognises(self, value: Json) -> bool:
        return (
            isinstance(value, dict) and "task_id" in value and isinstance(value.get("traj"), list) and "reward" in value
        )

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        steps = steps_at(row.get("traj"), "traj")
        info = member(row, "info")
        task = member(info, "task")
        trial = whole(row, "trial", required=False)
        number, user = naming.name(row, "task_id"), words(task, "user_id")
        meta: dict[str, Json] = {"task_id": row.get("task_id")} | ({} if trial is None else {"trial": trial})
        fields = {key: value for key, value in row.items() if key not in MAPPED}
        kept = {key: value for key, value in info.items() if key != "reward_info"} if info else row.get("info")
        outcome = {"reward": row.get("reward")}
        return TrajectoryRecord(
            task=TaskRecord(
                external_id=":".join(filter(None, (number, user)))[: naming.NAME] or naming.prompt_id(steps),
                source="tau-bench",
                instruction=words(task, "instruction") or naming.instruction(steps),
                reference={key: task[key] for key in ("actions", "outputs") if key in task} or None,
            ),
            steps=steps,
            outcome=outcome | ({"reward_info": info["reward_info"]} if "reward_info" in info else {}),
            meta=meta,
            extra={"fields": fields | {"info": kept}},
        )
