"""What several judges say together, as rows of their own beside each judge alone.

The majority of all judges, and all judges weighed by what people's labels of other tasks say of each of them
(the confusion matrices of statistics.consensus.anchored, out of fold: no step is judged by what has seen its task).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from models_service.statistics.coefficients import Codes
from models_service.statistics.consensus import anchored, voting
from models_service.statistics.consensus.outcome import Consensus, labels_of
from models_service.statistics.consensus.votes import gathered
from models_service.statistics.leaderboard.members import Ground, Member

ENSEMBLE = "ensemble"


def rows(ground: Ground, judges: Sequence[Member]) -> Iterator[Member]:
    """Nothing where there are fewer than two judges, or no label of a step is asked for."""
    if len(judges) < 2 or not ground.values:
        return
    labels = np.column_stack([one.labels for one in judges]).astype(np.uint8)
    many = len(judges)
    majority = voting.majority(gathered(labels, ground.matrix.categories))
    if not majority.reason:
        yield _row(ground, judges, "majority", f"majority of the {many} judges", majority)
    weighed = _weighed(ground, labels)
    if weighed is not None:
        yield _row(ground, judges, "weighed", f"the {many} judges, weighed on people’s labels", weighed)


def _weighed(ground: Ground, labels: Codes) -> Consensus | None:
    """Each step by what was learnt of the judges from the reference's labels of other folds; None where some fold has
    nothing to learn from."""
    size, fold = ground.matrix.categories, ground.folds[ground.matrix.task]
    gold = np.where(ground.counted[ground.matrix.trajectory], ground.codes, size).astype(np.uint8)
    found = np.full((len(labels), size), np.nan)
    for one in np.unique(fold):
        here = fold == one
        learnt = anchored.learn(labels, np.where(here, size, gold).astype(np.uint8), size)
        if learnt is None:
            return None
        found[here] = anchored.applied(gathered(labels[here], size), learnt).posterior
    return Consensus(labels_of(found), found)


def _row(ground: Ground, judges: Sequence[Member], key: str, name: str, found: Consensus) -> Member:
    """It has tried what one of them has, and was taught with what one of them was."""
    tried = np.any([one.tried for one in judges], axis=0)
    taught = np.any([one.taught for one in judges], axis=0)
    member = ground.made(key, name, ENSEMBLE, found.labels, found.posterior)
    return replace(member, tried=tried, taught=taught)
