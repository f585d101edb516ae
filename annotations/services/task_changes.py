"""What rollouts say of their task otherwise than the task's own row does. Once all of them agree, the row says it."""

from __future__ import annotations

from collections.abc import Iterable

from annotations.formats.lines import dump
from annotations.models import Task, Trajectory


def settle(tasks: Iterable[int]) -> None:
    """For each of the tasks: where every live rollout differs from the row in the same way, change the row instead.

    A corrected ground truth thus reaches the task with the last rollout that brings it. Needs a transaction.
    """
    for pk in tasks:
        rollouts = list(Trajectory.objects.live().filter(task=pk).only("extra"))
        differing = [one.extra.get("task") for one in rollouts]
        if differing[0] is None or len({dump(one) for one in differing}) > 1:
            continue
        task = Task.objects.get(pk=pk)
        for name, said in differing[0].items():
            setattr(task, name, said)
        task.save(update_fields=list(differing[0]))
        for one in rollouts:
            one.extra = {name: said for name, said in one.extra.items() if name != "task"}
        Trajectory.objects.bulk_update(rollouts, ["extra"])
