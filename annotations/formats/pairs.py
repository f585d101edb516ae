"""Pairs of steps, a better one and a worse one, that could both have come after the same beginning."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from annotations.formats import solutions
from annotations.records import Json, Labelled, StepRecord

Source = Literal["siblings", "rollouts", "corrections", "values"]
SOURCES: tuple[Source, ...] = ("siblings", "rollouts", "corrections", "values")
VALUES = ("q", "value")  # the numbers of a step that say how good it is to be there


@dataclass(frozen=True)
class Taken:
    """A step that was taken: in which rollout, where, and after which turns."""

    rollout: Labelled
    before: tuple[int, ...]
    place: int

    @property
    def step(self) -> StepRecord:
        return self.rollout.record.steps[self.place]

    @property
    def grade(self) -> int | None:
        return self.rollout.grades.get(self.place)

    @property
    def value(self) -> float | None:
        """How good the file says it is to be at this step, where it says so."""
        extra = self.step.extra
        values = extra.get("values") if isinstance(extra, dict) else None
        if not isinstance(values, dict):
            return None
        found = (values.get(name) for name in VALUES)
        return next((float(one) for one in found if isinstance(one, int | float) and not isinstance(one, bool)), None)


@dataclass(frozen=True)
class Pair:
    """A better step and a worse one. `chosen` is None where somebody wrote the better one: then it is `correction`.
    `margin` is by how much: of two grades, or of two values; None for a correction, which nobody measured."""

    source: Source
    rejected: Taken
    chosen: Taken | None = None
    correction: str = ""
    margin: float | None = None

    @property
    def on_policy(self) -> bool:
        """Whether one model wrote both: in one trajectory, or in two whose model is known to be the same."""
        if self.chosen is None:
            return False
        one, other = self.chosen.rollout.record, self.rejected.rollout.record
        return one is other or bool(one.policy_model and one.policy_model == other.policy_model)


@dataclass(frozen=True)
class Wanted:
    """Which pairs. `any_grade`: every higher grade against every lower one, else right against wrong alone.
    `least_value`: by how much two values differ at least. `ends`: of values, only the best against the worst of those
    that follow the same step. `after_errors`: also where a step before them is wrong."""

    sources: tuple[Source, ...] = SOURCES
    any_grade: bool = False
    least_value: float = 0.0
    ends: bool = True
    after_errors: bool = False


def find(rollouts: Sequence[Labelled], wanted: Wanted = Wanted()) -> Iterator[Pair]:
    """The pairs among rollouts of one task, each once. Steps are tried after the same beginning where they have the
    same parent in a tree, or stand in rollouts that begin with equal turns: of the agent's, the same calls with the
    same arguments, or without calls the same words; of others', the same words. An action that is graded right in one
    place and wrong in another after the same beginning is in no pair of grades."""
    given: set[tuple[int, int, int, int]] = set()
    for group in _forks(rollouts):
        for pair in (*_graded(group, wanted), *_valued(group, wanted)):
            assert pair.chosen
            key = (*_key(pair.chosen), *_key(pair.rejected))
            if pair.source in wanted.sources and key not in given and _allowed(pair, wanted):
                given.add(key)
                yield pair
    if "corrections" in wanted.sources:
        yield from (pair for pair in _corrected(rollouts) if _allowed(pair, wanted))


def _key(taken: Taken) -> tuple[int, int]:
    return id(taken.rollout), taken.place


def _allowed(pair: Pair, wanted: Wanted) -> bool:
    grades = pair.rejected.rollout.grades
    return wanted.after_errors or all(grades.get(place) != -1 for place in pair.rejected.before)


def _forks(rollouts: Sequence[Labelled]) -> Iterator[list[Taken]]:
    """Steps that were taken after equal beginnings, two at least."""
    groups: dict[str, dict[tuple[int, int], Taken]] = {}
    for labelled in rollouts:
        steps = labelled.record.steps
        for way in solutions.ways(steps):
            beginning = ""
            for at, place in enumerate(way):
                if steps[place].source == "agent":
                    taken = Taken(labelled, tuple(way[:at]), place)
                    groups.setdefault(beginning, {}).setdefault(_key(taken), taken)
                beginning = _digest([beginning, steps[place].source, *_action(steps[place])])
    yield from (list(group.values()) for group in groups.values() if len(group) > 1)


def _graded(group: list[Taken], wanted: Wanted) -> Iterator[Pair]:
    """One pair for each two different actions. In one trajectory where that can be, else in two."""
    by_action: dict[str, list[Taken]] = {}
    for taken in group:
        if taken.grade is not None:
            by_action.setdefault(_digest(_action(taken.step)), []).append(taken)
    agreed = [same for same in by_action.values() if len({one.grade for one in same}) == 1]
    for better, worse in product(agreed, agreed):
        margin = (better[0].grade or 0) - (worse[0].grade or 0)
        if margin < (1 if wanted.any_grade else 2):
            continue
        every = list(product(better, worse))
        chosen, rejected = next((two for two in every if two[0].rollout is two[1].rollout), every[0])
        source: Source = "siblings" if chosen.rollout is rejected.rollout else "rollouts"
        yield Pair(source, rejected, chosen, margin=float(margin))


def _valued(group: list[Taken], wanted: Wanted) -> Iterator[Pair]:
    """Pairs of siblings of a tree, the one with the higher value chosen."""
    families: dict[tuple[int, int | None], list[tuple[float, Taken]]] = {}
    for taken in group:
        if taken.value is not None:
            families.setdefault((id(taken.rollout), taken.step.parent), []).append((taken.value, taken))
    for family in families.values():
        ranked = sorted(family, key=lambda one: (-one[0], one[1].place))
        two = [(ranked[0], ranked[-1])] if wanted.ends else list(product(ranked, ranked))
        for (high, chosen), (low, rejected) in two:
            margin = high - low
            if margin > 0 and margin >= wanted.least_value and _action(chosen.step) != _action(rejected.step):
                yield Pair("values", rejected, chosen, margin=margin)


def _corrected(rollouts: Sequence[Labelled]) -> Iterator[Pair]:
    for labelled in rollouts:
        ways = list(solutions.ways(labelled.record.steps)) if labelled.corrections else []
        for place in labelled.steps:
            text = labelled.corrections.get(place, "")
            way = next((way for way in ways if place in way), None)
            if text.strip() and way:
                yield Pair("corrections", Taken(labelled, tuple(way[: way.index(place)]), place), correction=text)


def _action(step: StepRecord) -> list[str]:
    """What the step did: its calls, however their arguments are spaced or ordered; without any, its words."""
    calls = [part for one in step.tool_calls for part in (str(one.get("name")), _canonical(one.get("arguments")))]
    return ["calls", *calls] if calls else ["says", " ".join(step.message.split())]


def _canonical(arguments: Json) -> str:
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return " ".join(str(arguments).split())
    return json.dumps(arguments, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _digest(texts: Iterable[str]) -> str:
    whole = hashlib.blake2b(digest_size=12)
    for text in texts:
        whole.update(text.encode(errors="surrogatepass"))
        whole.update(b"\x1f")
    return whole.hexdigest()
