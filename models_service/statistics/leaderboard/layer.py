"""A cheap correction of a judge by people's labels: a small logistic layer over what the judge says.

A multinomial logistic regression (softmax, ridge penalty 1 on standardised features, Newton's method) from five
features of a step, where a field has three values, to the reference's label. With K values there are K + 2:

    the share, or else the presence, of each value but the first in what the judge says of the step (K - 1),
    whether it has called an earlier step wrong, the share of the steps so far that it calls wrong,
    and the logarithm of the step's number.

None of them looks ahead of the step, so that a judge without hindsight stays one. The layer is fitted to other tasks
than the one it is used on (five folds), so its figures tell what it would be worth on tasks nobody has labelled. The
choice of features is ours; a layer of that size has been seen to lift a weak judge on AgentProcessBench's HotpotQA.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from models_service.statistics.figures import Floats, Ints
from models_service.statistics.leaderboard.members import Ground, Member

PENALTY = 1.0
ROUNDS, CLOSE = 50, 1e-9
FEWEST = 30  # steps that a layer is fitted to


class Corrected(NamedTuple):
    judge: Member
    member: Member


def rows(ground: Ground, judges: Sequence[Member]) -> Iterator[Corrected]:
    """For each judge its corrected self. Nothing where no label of a step is asked for, there is no value for a wrong
    step, or some fold leaves too little to fit to."""
    if ground.of_labels.error is None or ground.matrix.tasks < 2:
        return
    for one in judges:
        shares = _corrected(ground, one)
        if shares is None:
            continue
        size = ground.matrix.categories
        labels = np.where(np.isnan(shares[:, 0]), size, np.nan_to_num(shares).argmax(axis=1)).astype(np.uint8)
        made = ground.made(f"corrected-{one.key}", f"{one.name}, corrected", "corrected", labels, shares)
        yield Corrected(one, replace(made, tried=one.tried, failed=one.failed, taught=one.taught))


def _corrected(ground: Ground, judge: Member) -> Floats | None:
    """(units, K) probabilities, out of fold; NaN where the judge says nothing."""
    size = ground.matrix.categories
    said = judge.labels < size
    features = of_steps(ground, judge)
    counted = (ground.counted & ~judge.taught)[ground.matrix.trajectory]
    known = said & counted & (ground.codes < size)
    fold = ground.folds[ground.matrix.task]
    found = np.full((len(said), size), np.nan)
    for one in np.unique(fold):
        rest, mine = known & (fold != one), said & (fold == one)
        if rest.sum() < FEWEST:
            return None
        found[mine] = fitted(features[rest], ground.codes[rest].astype(np.int64), size, features[mine])
    return found


def of_steps(ground: Ground, judge: Member) -> Floats:
    """(units, K + 2), as the module says."""
    size, error = ground.matrix.categories, ground.of_labels.error
    shares = np.eye(size + 1)[judge.labels][:, :size]
    if judge.shares is not None:
        shares = np.where(np.isnan(judge.shares), shares, judge.shares)
    wrong = (judge.labels == error).astype(float)
    starts = ground.starts[ground.matrix.trajectory]
    place = np.arange(len(wrong)) - starts
    before = np.r_[0.0, np.cumsum(wrong)]
    earlier = before[:-1] - before[starts]
    return np.column_stack([shares[:, 1:], earlier > 0, (earlier + wrong) / (place + 1), np.log1p(place)])


def fitted(features: Floats, labels: Ints, size: int, asked: Floats) -> Floats:
    """The probabilities of each label (n, K) at `asked`, by the layer fitted to those features and labels."""
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)

    def design(values: Floats) -> Floats:
        return np.column_stack([np.ones(len(values)), (values - mean) / scale])

    weights = _newton(design(features), labels, size)
    return _softmax(design(asked) @ weights)


def _newton(design: Floats, labels: Ints, size: int) -> Floats:
    """(features, K) weights of the least penalised log-loss; the intercept is hardly penalised."""
    columns = design.shape[1]
    weights = np.zeros((columns, size))
    penalty = np.full(columns, PENALTY)
    penalty[0] = 1e-6
    target = np.eye(size)[labels]
    for _ in range(ROUNDS):
        chance = _softmax(design @ weights)
        slope = design.T @ (chance - target) + penalty[:, None] * weights
        curve = np.zeros((columns * size, columns * size))
        for one in range(size):
            for other in range(size):
                apart = chance[:, one] * ((one == other) - chance[:, other])
                block = design.T @ (design * apart[:, None])
                curve[one::size, other::size] = block + (np.diag(penalty) if one == other else 0.0)
        step = np.linalg.solve(curve, slope.ravel()).reshape(columns, size)
        weights -= step
        if np.abs(step).max() < CLOSE:
            break
    return weights


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
