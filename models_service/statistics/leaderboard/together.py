"""What several judges say together, as rows of their own beside each judge alone.

The majority of all judges; all judges weighed by what people's labels of other tasks say of each of them (the confusion
matrices of statistics.consensus.anchored); and the few that were chosen on people's labels of other tasks to vote
(statistics.ensembles). The last two are out of fold: no step is judged by what has seen its task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from models_service.statistics import ensembles
from models_service.statistics.coefficients import Codes
from models_service.statistics.consensus import anchored, voting
from models_service.statistics.consensus.outcome import Consensus, labels_of
from models_service.statistics.consensus.votes import gathered
from models_service.statistics.leaderboard.members import Ground, Member, Part
from models_service.statistics.matrices import Bools

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
    fair = _fair(ground, judges, labels)
    weighed = _weighed(ground, labels, fair)
    if weighed is not None:
        yield _row(ground, judges, "weighed", f"the {many} judges, weighed on people’s labels", weighed)
    yield from _chosen(ground, judges, labels, fair)


def _fair(ground: Ground, judges: Sequence[Member], labels: Codes) -> Codes:
    """Without what each said of trajectories that it was taught with: of that it is no wonder if it is right."""
    taught = np.column_stack([one.taught[ground.matrix.trajectory] for one in judges])
    return np.where(taught, ground.matrix.categories, labels).astype(np.uint8)


def _weighed(ground: Ground, labels: Codes, fair: Codes) -> Consensus | None:
    """Each step by what was learnt of the judges from the reference's labels of other folds; None where some fold has
    nothing to learn from."""
    size, gold = ground.matrix.categories, _gold(ground)
    found = np.full((len(labels), size), np.nan)
    for here in _folds(ground):
        learnt = anchored.learn(fair, np.where(here, size, gold).astype(np.uint8), size)
        if learnt is None:
            return None
        found[here] = anchored.applied(gathered(labels[here], size), learnt).posterior
    return Consensus(labels_of(found), found)


def _chosen(ground: Ground, judges: Sequence[Member], labels: Codes, fair: Codes) -> Iterator[Member]:
    """Each step by the vote of those who were chosen on the reference's labels of other folds; nothing where some fold
    has nobody to choose."""
    size, gold = ground.matrix.categories, _gold(ground)
    found = np.full((len(labels), size), np.nan)
    times: Counter[int] = Counter()
    folds = _folds(ground)
    for here in folds:
        taken = ensembles.choose(fair, np.where(here, size, gold).astype(np.uint8), size)
        if not taken:
            return
        times.update(taken)
        found[here] = voting.majority(gathered(labels[here][:, list(taken)], size)).posterior
    whole = ensembles.choose(fair, gold, size)
    ever = [*whole, *sorted(times.keys() - set(whole), key=lambda one: (-times[one], one))]
    name = f"the chosen few of {len(judges)} judges"
    made = _row(ground, [judges[one] for one in ever], "chosen", name, Consensus(labels_of(found), found))
    parts = [Part(judges[one].key, judges[one].name, times[one], one in whole) for one in ever]
    yield replace(made, parts=tuple(parts), folds=len(folds))


def _gold(ground: Ground) -> Codes:
    """What the reference says of the steps that count."""
    counts = ground.counted[ground.matrix.trajectory]
    return np.where(counts, ground.codes, ground.matrix.categories).astype(np.uint8)


def _folds(ground: Ground) -> list[Bools]:
    """The steps of each fold."""
    fold = ground.folds[ground.matrix.task]
    return [fold == one for one in np.unique(fold)]


def _row(ground: Ground, judges: Sequence[Member], key: str, name: str, found: Consensus) -> Member:
    """It has tried what one of them has, and was taught with what one of them was."""
    tried = np.any([one.tried for one in judges], axis=0)
    taught = np.any([one.taught for one in judges], axis=0)
    member = ground.made(key, name, ENSEMBLE, found.labels, found.posterior)
    return replace(member, tried=tried, taught=taught)
