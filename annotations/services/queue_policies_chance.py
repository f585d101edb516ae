"""Chance that can be drawn again: the same for the same seed, whatever else is drawn."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

Group = TypeVar("Group", bound=Hashable)


def chance(seed: str, about: str, number: int | str) -> float:
    """From 0 up to 1, without the 1."""
    drawn = hashlib.blake2b(f"{seed}\x1f{about}\x1f{number}".encode(errors="surrogatepass"), digest_size=6).digest()
    return int.from_bytes(drawn, "big") / 2**48


def by_chance(strata: Mapping[int, tuple[str, int]], seed: str) -> list[int]:
    """The trajectories in an order of chance of which each beginning holds every source and every task by its size, as
    near as whole numbers come: systematic sampling within strata. `strata`: trajectory → (source, task).

    The one drawn i-th (from 0) of a stratum of n stands at (i + u) / n, u being drawn for the stratum: anywhere from 0
    to 1 with the same likelihood, so that no trajectory has a better chance of being early than another. Scores have no
    part in it, so what is said of a beginning holds for the whole.
    """
    tasks: dict[tuple[str, int], list[int]] = defaultdict(list)
    for trajectory, stratum in strata.items():
        tasks[stratum].append(trajectory)
    in_task = {one: chance(seed, "trajectory", one) for one in strata}
    of_task = _spread(tasks, in_task, seed)
    sources: dict[str, list[int]] = defaultdict(list)
    for (source, _), trajectories in tasks.items():
        sources[source] += trajectories
    of_source = _spread(sources, of_task, seed)
    return sorted(strata, key=lambda one: (of_source[one], one))


def _spread(groups: Mapping[Group, Iterable[int]], order: Mapping[int, float], seed: str) -> dict[int, float]:
    """Each group's members, in that order, evenly over 0 to 1, from a start that is drawn."""
    found: dict[int, float] = {}
    for name, members in groups.items():
        ordered = sorted(members, key=lambda one: (order[one], one))
        start = chance(seed, "stratum", repr(name))
        for place, one in enumerate(ordered):
            found[one] = (place + start) / len(ordered)
    return found


def sorted_by_chance(names: Sequence[str], seed: str) -> list[str]:
    """The same names, shuffled."""
    keys = [chance(seed, "place", place) for place in range(len(names))]
    return [name for _, name in sorted(zip(keys, names, strict=True))]
