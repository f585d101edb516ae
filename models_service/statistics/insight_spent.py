"""What rollouts took, and what a success took, by policy model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from models_service.statistics.rollouts import SPENT, Draw, Rollout


def spent(rollouts: Sequence[Rollout], draw: Draw) -> list[dict[str, Any]]:
    """A row for each policy model and each of SPENT that is known of some of its rollouts. `each`: the mean of those of
    which it is known. `success`: what all of which also the outcome is known took, over how many of them succeeded.

    Two rollouts of 1 and 3 dollars, one of which succeeded: 2 each, 4 for a success.
    """
    groups: dict[str, list[Rollout]] = defaultdict(list)
    for one in rollouts:
        groups[one.model or "not named"].append(one)
    rows = []
    for name, some in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        for what in SPENT:
            known = [one for one in some if what in one.spent]
            if known:
                told = [one for one in known if one.success is not None]
                rows.append(
                    {
                        "name": name,
                        "what": what,
                        "rollouts": len(some),
                        "known": len(known),
                        "each": draw.share((one.task, one.spent[what], 1) for one in known),
                        "success": draw.share(
                            [(one.task, one.spent[what], bool(one.success)) for one in told], "none of these succeeded"
                        ),
                    }
                )
    return rows
