"""The way from one scheme to another: over declared maps, the shortest that loses least; or from version to version."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from annotations import schemes
from annotations.records import Json
from annotations.schemes import revisions
from annotations.schemes.maps import Converted, FieldMap, Hop, Lost, base
from annotations.schemes.rules import After, Place
from annotations.schemes.schema import Scheme

FILE = Path(__file__).with_suffix(".yaml")
SCORES = "scores"


class SchemeMap(BaseModel):
    """From a scheme to another, field by field."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    source: str = Field(alias="from")
    to: str
    fields: tuple[FieldMap, ...]


class Declared(BaseModel):
    """All of conversions.yaml. `schemes` are those that nobody labels by."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    schemes: tuple[Scheme, ...] = ()
    maps: tuple[SchemeMap, ...]


@dataclass(frozen=True)
class Route:
    """A way over one map or several. `loses` says in sentences what does not go over (none: it is exact)."""

    hops: tuple[Hop, ...]

    @property
    def names(self) -> list[str]:
        """The schemes on the way, with their versions."""
        every = [self.hops[0].source, *(hop.target for hop in self.hops)]
        return [f"{scheme.name} {scheme.version}" for scheme in every]

    @property
    def loses(self) -> tuple[str, ...]:
        said: list[str] = []
        through = self._through()
        for hop, fields in zip(self.hops, through, strict=False):
            said += hop.loses(set(fields.values()))
        if left := [spec.title for spec in self.hops[0].source.fields if spec.name not in through[-1]]:
            said.append(f"Not carried: {', '.join(left)}.")
        return tuple(dict.fromkeys(said))

    def becomes(self, field: str) -> str:
        """The field that its answers come to; empty where they come to none."""
        return self._through()[-1].get(field, "")

    def _through(self) -> list[dict[str, str]]:
        """Before the first hop and after each: the source's fields that got so far, by what they are called there."""
        found = [{spec.name: spec.name for spec in self.hops[0].source.fields}]
        for hop in self.hops:
            to = hop.reached(found[-1].values())
            found.append({name: to[now] for name, now in found[-1].items() if now in to})
        return found

    def convert(
        self,
        answers: Mapping[Place, Json],
        steps: Sequence[int],
        filled: Collection[Place] = frozenset(),
        *,
        whole: bool = True,
        after: After | None = None,
    ) -> Converted:
        """The answers under the target scheme, and each one that is lost, at its own place and with its own value.

        `steps` are the indexes of the agent's steps in order, `filled` the places that a rule filled in. `whole`: the
        answers are all there are; else they are looked at one by one, whatever else is said. Where the steps are a
        tree, `after` says where each hangs."""
        now, came = dict(answers), {place: place for place in answers}
        lost: list[Lost] = []
        for hop in self.hops:
            marked = {place for place, origin in came.items() if origin in filled}
            made = hop.convert(now, steps, marked, whole=whole, after=after)
            lost += [Lost(came[one.place], answers[came[one.place]], one.why) for one in made.lost]
            now, came = dict(made.answers), {place: came[source] for place, source in made.came.items()}
        return Converted(now, lost, came)


def route(from_scheme: Scheme, to_scheme: Scheme) -> Route | None:
    """The way between the two; None where no map leads there. Two versions of one scheme always have one."""
    if from_scheme.name == to_scheme.name:
        return Route((revisions.hop(from_scheme, to_scheme),))
    return _over_maps(from_scheme, to_scheme)


def for_change(from_scheme: Scheme, to_scheme: Scheme) -> Route:
    """The way for a project that goes on under another scheme: where no map is declared, fields of the same name."""
    return route(from_scheme, to_scheme) or Route((revisions.hop(from_scheme, to_scheme),))


def targets(from_scheme: Scheme) -> list[str]:
    """The schemes that come with Stepmark and can be reached, in order of their names."""
    every = schemes.shipped()
    return [name for name in sorted(every) if name != from_scheme.name and route(from_scheme, every[name])]


def scores() -> Scheme:
    """What scorers say, as a scheme that can be converted from."""
    return next(one for one in declared().schemes if one.name == SCORES)


@cache
def declared() -> Declared:
    return Declared.model_validate(yaml.safe_load(FILE.read_text()))


@cache
def edges() -> dict[tuple[str, str], tuple[FieldMap, ...]]:
    """Every map by its two ends: as declared, and the other way where that is exact."""
    found = {(one.source, one.to): one.fields for one in declared().maps}
    every = known()
    for one in declared().maps:
        if (one.to, one.source) in found or one.to not in every or one.source not in every:
            continue
        back = [turned for each in one.fields if (turned := _turned(each, every[one.to]))]
        if every[one.source].main in {each.to for each in back}:
            found[one.to, one.source] = tuple(back)
    return found


def known() -> dict[str, Scheme]:
    """The schemes that maps can name."""
    return {**schemes.shipped(), **{one.name: one for one in declared().schemes}}


def _turned(one: FieldMap, target: Scheme) -> FieldMap | None:
    """The map the other way, where it is exact: one value for one, and none of the target's left over."""
    spec = target.field(one.to)
    if one.by or one.bounds or spec is None:
        return None
    there, back = [was for was, _ in one.values], [now for _, now in one.values]
    once = len(set(there)) == len(there) and len(set(back)) == len(back)
    if one.values and not (once and set(spec.values) == set(back)):
        return None
    pairs = tuple((now, was) for was, now in one.values)
    return FieldMap(**{"from": one.to}, to=one.source, values=pairs)


def _over_maps(start: Scheme, end: Scheme) -> Route | None:
    """The fewest maps, and of those ways the one that loses least."""
    waiting: list[tuple[int, int, int, tuple[Hop, ...]]] = [(0, 0, 0, ())]
    seen: set[str] = set()
    pushed = 0
    while waiting:
        *_, way = heapq.heappop(waiting)
        here = way[-1].target if way else start
        if here.name == end.name:
            return Route(way)
        if here.name in seen:
            continue
        seen.add(here.name)
        for hop in _hops(here, end):
            pushed += 1
            longer = (*way, hop)
            heapq.heappush(waiting, (len(longer), len(Route(longer).loses), pushed, longer))
    return None


def _hops(here: Scheme, end: Scheme) -> Iterator[Hop]:
    """The maps that lead on from a scheme, as far as its fields and those of the other are there."""
    every = known() | {end.name: end}
    for (source, to), maps in edges().items():
        if source != here.name or to not in every:
            continue
        fit = tuple(one for one in maps if here.field(one.source) and every[to].field(one.to))
        if every[to].main in {one.to for one in fit}:
            yield Hop(here, every[to], fit)


__all__ = ["Converted", "Hop", "Lost", "Route", "base", "for_change", "route", "scores", "targets"]
