"""What several judges say together, as rows of their own beside each judge alone.

The majority of all judges, and all judges weighed by what people's labels of other tasks say of each of them
(statistics.consensus.anchored: out of fold, so no step is judged by what has seen its task).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from models_service.statistics.consensus import anchored, voting
from models_service.statistics.consensus.outcome import Consensus
from models_service.statistics.consensus.votes import gathered
from models_service.statistics.leaderboard.members import Ground, Member

ENSEMBLE = "ensemble"


def rows(ground: Ground, judges: Sequence[Member]) -> Iterator[Member]:
    """Nothing where there are fewer than two judges, or no label of a step is asked for."""
    if len(judges) < 2 or not ground.values:
        return
    labels = np.column_stack([one.labels for one in judges])
    size = ground.matrix.categories
    many = len(judges)
    gold = np.where(ground.counted[ground.matrix.trajectory], ground.codes, size).astype(np.uint8)
    made = {
        ("majority", f"majority of the {many} judges"): voting.majority(gathered(labels, size)),
        ("weighed", f"the {many} judges, weighed on people’s labels"): anchored.elsewhere(
            labels, gold, ground.matrix.task, size
        ),
    }
    for (key, name), found in made.items():
        if not found.reason:
            yield _row(ground, judges, key, name, found)


def _row(ground: Ground, judges: Sequence[Member], key: str, name: str, found: Consensus) -> Member:
    """It has tried what one of them has, and was taught with what one of them was."""
    tried = np.any([one.tried for one in judges], axis=0)
    taught = np.any([one.taught for one in judges], axis=0)
    member = ground.made(key, name, ENSEMBLE, found.labels, found.posterior)
    return replace(member, tried=tried, taught=taught)
