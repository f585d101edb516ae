"""Any two members on the same trajectories: the difference of their figures, and whether it is more than chance.

The paired bootstrap over tasks: each resample draws as many tasks as there are, with replacement, and both members are
computed on it, so that what makes a task hard falls out of the difference. It is a tie where the 95 % interval of the
difference covers 0. Only trajectories are looked at that both have tried (a failed answer counts as wrong) and that
neither was taught with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from models_service.statistics.figures import Block, Floats, interval, resampled
from models_service.statistics.leaderboard import rows
from models_service.statistics.leaderboard.members import Ground, Member
from models_service.statistics.matrices import Bools
from models_service.statistics.pairing import BETTER, TIE, WORSE

MEASURES = ("step_acc", "first_err_acc", "macro_f1", "kappa", "processbench_f1")
MOST = 40  # members of which all pairs are compared


class Seen(NamedTuple):
    """A member's figures over some trajectories: as they are, and in each resample. `hits` are (tasks, 2) steps: right,
    and all."""

    points: Mapping[str, float]
    draws: Mapping[str, Floats]
    hits: Floats


def compared(
    ground: Ground, couples: Sequence[tuple[Member, Member]], resamples: int, seed: int
) -> list[dict[str, Any]]:
    """One object for each couple, in their order: "a" less "b"."""
    groups: dict[bytes, list[int]] = defaultdict(list)
    masks: dict[bytes, Bools] = {}
    for place, (one, other) in enumerate(couples):
        mask = ground.counted & one.tried & other.tried & ~one.taught & ~other.taught
        masks[mask.tobytes()] = mask
        groups[mask.tobytes()].append(place)
    found: dict[int, dict[str, Any]] = {}
    for name, places in groups.items():
        members = {one.key: one for place in places for one in couples[place]}
        seen = _seen(ground, list(members.values()), masks[name], resamples, seed)
        shared = {"trajectories": int(masks[name].sum()), "tasks": _tasks(ground, masks[name])}
        for place in places:
            one, other = couples[place]
            found[place] = {"a": one.key, "b": other.key, **shared, **_difference(seen[one.key], seen[other.key])}
    return [found[place] for place in range(len(couples))]


def couples(members: Sequence[Member], constants: Sequence[Member], best: str) -> Iterator[tuple[Member, Member]]:
    """Every member with every constant, and every two members; where there are many, each with the best alone."""
    for one in members:
        yield from ((one, constant) for constant in constants)
    few = len(members) <= MOST
    for place, one in enumerate(members):
        yield from ((one, other) for other in members[place + 1 :] if few or best in (one.key, other.key))


def _tasks(ground: Ground, mask: Bools) -> int:
    return len(np.unique(ground.matrix.task_of[mask]))


def _seen(ground: Ground, members: Sequence[Member], mask: Bools, resamples: int, seed: int) -> dict[str, Seen]:
    """All see the same resamples."""
    made = {one.key: rows.blocks(ground, one, mask) for one in members}
    flat = [(key, name, block) for key, several in made.items() for name, block in several.items()]
    everything = np.concatenate([block.sums for _, _, block in flat], axis=1)
    drawn = resampled(everything, resamples if ground.matrix.tasks > 1 else 0, seed)
    cut: dict[str, dict[str, Floats]] = defaultdict(dict)
    at = 0
    for key, name, block in flat:
        cut[key][name] = drawn[:, at : at + block.sums.shape[1]]
        at += block.sums.shape[1]
    return {key: _of(blocks, cut[key]) for key, blocks in made.items()}


def _of(blocks: Mapping[str, Block], drawn: Mapping[str, Floats]) -> Seen:
    points: dict[str, float] = {}
    draws: dict[str, Floats] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for name in MEASURES:
            block, measure = ("released", "rate") if name == "step_acc" and "released" in blocks else rows.FIGURES[name]
            if block in blocks:
                of = blocks[block].measures[measure].of
                points[name] = float(of(blocks[block].sums.sum(axis=0)))
                draws[name] = of(drawn[block])
    return Seen(points, draws, _hits(blocks))


def _hits(blocks: Mapping[str, Block]) -> Floats:
    if "released" in blocks:
        return blocks["released"].sums
    if "steps" not in blocks:
        first = blocks["first"].sums
        return np.column_stack([first[:, 0] + first[:, 2], first[:, 1] + first[:, 3]])
    sums = blocks["steps"].sums
    size = round((np.sqrt(1 + 4 * sums.shape[1]) - 1) / 2)  # size · (size + 1) columns
    table = sums.reshape(len(sums), size, size + 1)
    return np.column_stack([np.trace(table[:, :, :-1], axis1=1, axis2=2), table.sum(axis=(1, 2))])


def _difference(one: Seen, other: Seen) -> dict[str, Any]:
    """The figures of both and their difference, by measure; tasks that the first got more of, as much of, less of."""
    found = {name: _figure(name, one, other) for name in MEASURES if name in one.points}
    apart = (one.hits[:, 0] - other.hits[:, 0])[one.hits[:, 1] > 0]
    won = {"won": int((apart > 0).sum()), "tied": int((apart == 0).sum()), "lost": int((apart < 0).sum())}
    return {"figures": found, **won}


def _figure(name: str, one: Seen, other: Seen) -> dict[str, Any]:
    values = [None if np.isnan(value) else value for value in (one.points[name], other.points[name])]
    found: dict[str, Any] = dict(zip(("a", "b"), values, strict=True))
    if None in values:
        return found | dict.fromkeys(("value", "low", "high", "verdict")) | {"reason": "One of the two is undefined."}
    low, high, why = interval(one.draws[name] - other.draws[name])
    verdict = None if low is None or high is None else BETTER if low > 0 else WORSE if high < 0 else TIE
    apart = one.points[name] - other.points[name]
    return found | {"value": apart, "low": low, "high": high, "verdict": verdict, "reason": why}
