"""From what policies say of trajectories to one order, a share of it drawn by chance.

Which trajectories chance draws is settled before any score is looked at and does not change with them: they wait for
their turn however the scores are, and what people say of them is said of a fair sample of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice, repeat
from math import ceil
from typing import NamedTuple

from annotations.services.queue_policies import POLICIES, Facts, Measure, diverse
from annotations.services.queue_policies_chance import by_chance, sorted_by_chance

RANDOM, POLICY = "random", "policy"
ACTIVE_FROM = 40  # trajectories that are all drawn by chance before active learning looks at scores
BLOCK = 20  # places among which each part has its share


class Ranked(NamedTuple):
    """`policy` is the part of a mixture that put it there; `priority` None where chance did."""

    trajectory: int
    drawn: str
    policy: str
    priority: float | None
    reason: str


@dataclass(frozen=True)
class Mixture:
    """How much of the order each policy brings, the rest being drawn by chance; all of the first `warm` are."""

    parts: Mapping[str, float]
    warm: int = 0

    @property
    def at_random(self) -> float:
        return 1 - sum(self.parts.values())


def mixture(policy: str, share: float) -> Mixture:
    """What a project's policy is made of, where at least that share is drawn by chance. Active learning is 50 % the
    most likely wrong, 25 % where judge and scorer differ, and 25 % chance, once 40 trajectories were drawn."""
    if policy == "random":
        return Mixture({})
    if policy != "active":
        return Mixture({policy: 1 - share})
    rest = 1 - max(share, 0.25)
    return Mixture({"wrong": rest * 2 / 3, "disagreement": rest / 3}, ACTIVE_FROM)


Measures = Mapping[str, Mapping[int, Measure]]  # by the part of a mixture, then by trajectory


def measures(facts: Sequence[Facts], mixed: Mixture, seed: str) -> Measures:
    """What the mixture's policies say of each trajectory they can say something of."""
    return {name: _measures(name, facts, seed) for name in mixed.parts}


def order(
    facts: Sequence[Facts], waiting: set[int], measured: Measures, mixed: Mixture, seed: str, *, done: int = 0
) -> list[Ranked]:
    """The trajectories of `waiting` in their order. `facts` are of all live trajectories, so that the draw is from the
    whole; `done` are those that people have labelled, which count towards the warm ones."""
    turn = by_chance({one.trajectory: (one.source, one.task) for one in facts}, seed)
    places = {trajectory: place for place, trajectory in enumerate(turn)}
    scored = set[int]().union(*measured.values())
    kept = set(turn[: _drawn(mixed, len(turn))] if scored else turn)
    streams: dict[str, Iterator[Ranked]] = {
        name: iter(_by_policy(name, said, places, waiting - kept)) for name, said in measured.items()
    }
    streams[RANDOM] = (
        Ranked(one, RANDOM, RANDOM, None, "whatever its scores") for one in turn if one in kept and one in waiting
    )
    why = "is not in the view" if "view" in mixed.parts else "has no score"
    unscored = (one for one in turn if one in waiting and one not in kept and one not in scored)
    streams["none"] = (Ranked(one, POLICY, "none", None, why) for one in unscored)
    return list(_merged(streams, _slots(mixed, seed, max(0, mixed.warm - done))))


def _measures(name: str, facts: Sequence[Facts], seed: str) -> Mapping[int, Measure]:
    if name == "diverse":
        return diverse(facts, seed)
    policy = POLICIES[name]
    return {one.trajectory: said for one in facts if (said := policy(one)) is not None}


def _drawn(mixed: Mixture, many: int) -> int:
    """How many of so many are drawn by chance."""
    warm = min(mixed.warm, many)
    return warm + ceil((many - warm) * mixed.at_random - 1e-9)


def _by_policy(name: str, said: Mapping[int, Measure], places: Mapping[int, int], among: set[int]) -> list[Ranked]:
    """Those that the policy says anything of, the most urgent first, equal ones in the order of chance."""
    urgent = sorted(said.keys() & among, key=lambda one: (-said[one].value, places[one]))
    return [Ranked(one, POLICY, name, said[one].value, said[one].reason) for one in urgent]


def _slots(mixed: Mixture, seed: str, warm: int) -> Iterator[str]:
    """Which part the next place is for, without end: in each block as many as their shares say, in an order of chance,
    so that nobody can tell from its place why a trajectory came."""
    yield from repeat(RANDOM, warm)
    due = _most_due(mixed)
    for block in count():
        yield from sorted_by_chance(list(islice(due, BLOCK)), f"{seed} slots {block}")


def _most_due(mixed: Mixture) -> Iterator[str]:
    """Place after place the part that is furthest behind its share."""
    shares = {RANDOM: mixed.at_random, **mixed.parts}
    given = dict.fromkeys(shares, 0)
    for place in count(1):
        behind = {name: share * place - given[name] for name, share in shares.items()}
        name = max(behind, key=behind.__getitem__)
        given[name] += 1
        yield name


def _merged(streams: Mapping[str, Iterator[Ranked]], slots: Iterator[str]) -> Iterator[Ranked]:
    """Each stream at its slots; what has nothing left gives its slot to the policies, those without a score and chance,
    in this order. A trajectory comes once, at the first of its places."""
    given: set[int] = set()
    others = [name for name in streams if name not in (RANDOM, "none")] + ["none", RANDOM]

    def following(name: str) -> Ranked | None:
        return next((one for one in streams[name] if one.trajectory not in given), None)

    for slot in slots:
        found = next((one for name in (slot, *others) if (one := following(name)) is not None), None)
        if found is None:
            return
        given.add(found.trajectory)
        yield found
