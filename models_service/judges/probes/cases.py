"""The pairs that a judge is asked: every operator over trajectories of as many tasks as are asked for, the same for a
seed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from annotations.judges.probe_limits import TASKS
from annotations.records import Labelled
from models_service.judges.probes import (
    evidence,
    hacking,
    injection,
    interventions,
    keys,
    position,
    pressure,
    verbosity,
)
from models_service.judges.probes.base import Duel, NotHere, Operator, Pair, Pool, Probe, Way
from models_service.judges.probes.texts import called_as

PROBES: tuple[Probe, ...] = (
    keys.PROBE,
    injection.PROBE,
    position.PROBE,
    verbosity.PROBE,
    *pressure.PROBES,
    hacking.PROBE,
    evidence.PROBE,
    interventions.PROBE,
)


TREE = "its steps are a tree, in which an edit would move whole branches"


@dataclass
class Cases:
    """Pairs in the order of the probes; and for each operator how many trajectories it could not be used on, by why."""

    pairs: list[Pair] = field(default_factory=list)
    not_here: dict[str, Counter[str]] = field(default_factory=dict)


def probe(name: str) -> Probe:
    """The probe of that name; KeyError where there is none."""
    return {one.name: one for one in PROBES}[name]


def for_way(way: Way) -> list[Probe]:
    """The probes that judges of this kind can be put to."""
    return [one for one in PROBES if way in one.ways]


def made(pool: Pool, way: Way, probes: Iterable[Probe] = PROBES, *, tasks: int = TASKS, seed: int = 0) -> Cases:
    """For each operator one pair of each of up to so many tasks. Which trajectories, and which of their places, depends
    on the seed and on names alone."""
    found = Cases()
    for one in probes:
        for operator in one.operators:
            if operator.way == way:
                _try(operator, one, pool, tasks, seed, found)
    return found


def _try(operator: Operator, of: Probe, pool: Pool, tasks: int, seed: int, found: Cases) -> None:
    done: set[str] = set()
    refused = found.not_here.setdefault(f"{of.name}/{operator.name}", Counter())
    for task, name, material in _material(operator, pool, seed):
        if len(done) == tasks:
            break
        if task in done:
            continue
        if _branches(material):
            refused[TREE] += 1
            continue
        rng = Random(f"{seed} {of.name} {operator.name} {operator.variant} {name}")
        if operator.single and isinstance(material, Labelled):
            pair = operator.single(material, pool, rng)
        elif operator.double and isinstance(material, Duel):
            pair = operator.double(material, pool, rng)
        else:
            continue
        if isinstance(pair, NotHere):
            refused[pair.reason] += 1
        else:
            done.add(task)
            found.pairs.append(pair)


def _branches(material: Labelled | Duel) -> bool:
    records = [material.record] if isinstance(material, Labelled) else [material.right.record, material.wrong.record]
    return any(step.parent is not None for record in records for step in record.steps)


def _material(operator: Operator, pool: Pool, seed: int) -> list[tuple[str, str, Labelled | Duel]]:
    """What the operator may be used on, with the names of its task and of itself, in an order of the seed's."""
    found: list[tuple[str, str, Labelled | Duel]]
    if operator.single:
        found = [(one.record.task.external_id, called_as(one), one) for one in pool.known if one.steps]
    else:
        found = [
            (duel.right.record.task.external_id, f"{called_as(duel.right)} {called_as(duel.wrong)}", duel)
            for duel in duels(pool.known)
        ]
    return sorted(found, key=lambda one: (_mixed(seed, one[1]), one[1]))


def _mixed(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed} {name}".encode("utf-8", "replace")).hexdigest()


def duels(known: Sequence[Labelled]) -> list[Duel]:
    """Every right rollout with every wrong one of its task, by the verdict of people on the whole; where they said
    none, by which of them they preferred more often than not."""
    tasks: dict[str, list[Labelled]] = {}
    for one in known:
        if one.steps:
            tasks.setdefault(one.record.task.external_id, []).append(one)
    return [
        Duel(right, wrong)
        for group in tasks.values()
        for right in group
        if _worth(right) == 1
        for wrong in group
        if _worth(wrong) == -1
    ]


def _worth(one: Labelled) -> int:
    if one.final is not None:
        return one.final
    return 0 if one.preferred is None else (one.preferred > 0.5) - (one.preferred < 0.5)
