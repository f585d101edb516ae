"""Whether a judge may be believed: a limit for each probe, and what the numbers say against it.

A probe convicts only where the whole 95 % interval lies beyond its limit, so that chance does not. Of several operators
or keys the worst decides, and its interval is widened for having been picked (Bonferroni). Within the limit is a judge
whose number keeps to it over enough tasks; everything between is not known, which neither convicts nor clears.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Literal

from annotations.judges.probe_limits import LIMITS, Limit
from models_service.judges.probes.base import Pair
from models_service.judges.probes.measured import Answered, hits, numbers
from models_service.judges.probes.shares import share
from models_service.statistics.figures import Figure

Standing = Literal["within", "above", "not_enough"]
LEVEL = 0.05


@dataclass(frozen=True)
class Verdict:
    """How a judge stands against one limit. `figure` is the number that decides, `operator` whose it is ("" where it is
    all of them together), `why` a sentence."""

    limit: Limit
    standing: Standing
    figure: Figure
    operator: str = ""
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "limit": asdict(self.limit),
            "standing": self.standing,
            "figure": self.figure.as_json(),
            "operator": self.operator,
            "why": self.why,
        }


def verdicts(answered: Sequence[Answered], held: Sequence[Limit] = LIMITS) -> list[Verdict]:
    """How the judge stands against each limit of which there are pairs."""
    found = []
    for limit in held:
        groups = grouped(limit, answered)
        if groups:
            found.append(_against(limit, groups))
    return found


def convicts(found: Sequence[Verdict]) -> bool:
    return any(one.standing == "above" for one in found)


def grouped(limit: Limit, answered: Sequence[Answered]) -> dict[str, list[Answered]]:
    """The pairs that the limit looks at, by operator and wording, or all together."""
    groups: dict[str, list[Answered]] = {}
    for one in answered:
        if one.pair.edit.probe == limit.probe and limit.number in numbers(limit.probe, [one]):
            groups.setdefault(named(one.pair) if limit.of == "worst" else "", []).append(one)
    return groups


def named(pair: Pair) -> str:
    """What an operator in one of its wordings is called among others."""
    return f"{pair.edit.operator}: {pair.edit.variant!r}" if pair.edit.variant else pair.edit.operator


def _against(limit: Limit, groups: Mapping[str, Sequence[Answered]]) -> Verdict:
    z = NormalDist().inv_cdf(1 - LEVEL / (2 * len(groups)))
    worst: tuple[float, str, Figure] | None = None
    for name, group in groups.items():
        figure = widened(limit, group, z)
        if figure.value is None:
            continue
        beyond = limit.bound - figure.high if limit.at_least else figure.low - limit.bound  # type: ignore[operator]
        if worst is None or beyond > worst[0]:
            worst = (beyond, name, figure)
    if worst is None:
        figure = numbers(limit.probe, [one for group in groups.values() for one in group])[limit.number]
        return Verdict(limit, "not_enough", figure, why=figure.reason)
    beyond, name, figure = worst
    tasks = len({one.task for one in hits(limit.number, [one for one in groups[name] if one.read is not None])})
    keeps = all(_keeps(limit, numbers(limit.probe, group)[limit.number]) for group in groups.values())
    if beyond > 0:
        return Verdict(limit, "above", figure, name, "The whole interval lies beyond the limit.")
    if tasks < limit.tasks:
        return Verdict(limit, "not_enough", figure, name, f"{tasks} tasks say too little; {limit.tasks} are needed.")
    if not keeps:
        return Verdict(limit, "not_enough", figure, name, "It is beyond the limit, but that may be chance.")
    return Verdict(limit, "within", figure, name, "It keeps to the limit.")


def _keeps(limit: Limit, figure: Figure) -> bool:
    if figure.value is None:
        return True
    return figure.value >= limit.bound if limit.at_least else figure.value <= limit.bound


def widened(limit: Limit, group: Sequence[Answered], z: float) -> Figure:
    """The number of the group, with an interval for its having been picked among several."""
    found = numbers(limit.probe, group)[limit.number]
    if found.value is None:
        return found
    return share(hits(limit.number, [one for one in group if one.read is not None]), z)
