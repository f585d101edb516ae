"""How the answers of one scheme become those of another, a hop at a time. What has no counterpart is lost and named."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from annotations.records import Json
from annotations.schemes import rules
from annotations.schemes.fields.base import Around, FieldSpec, Name, Number, Value
from annotations.schemes.fields.places import NONE
from annotations.schemes.naming import in_order, renamed
from annotations.schemes.rules import After, Place, View
from annotations.schemes.schema import Scheme

ENDS = ("first-error", "stop-after-first-error")


class Lost(NamedTuple):
    """An answer that does not go over, at the place where it was given, and why."""

    place: Place
    value: Json
    why: str


@dataclass(frozen=True)
class Converted:
    """`came` says for each answer from which one it comes, by its place."""

    answers: Mapping[Place, Json]
    lost: Sequence[Lost] = ()
    came: Mapping[Place, Place] = field(default_factory=dict)


class FieldMap(BaseModel):
    """One field's answers as another field's. Without more said, the same values.

    `values` lists pairs, `bounds` the lowest number of each stretch of a scale with the value it stands for. `by` reads
    a whole pass: `first` looks for the first step that says one of `wrong`, `around` goes from such a step to `right`
    before it and `wrong` at it. `names` are new names within answers. `loses` says in a sentence what does not go over
    (empty: nothing), `note` how the meaning shifts where the value goes over.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    source: Name = Field(alias="from")
    to: Name
    values: tuple[tuple[Value, Value], ...] = ()
    bounds: tuple[tuple[Number, Value], ...] = ()
    by: Literal["", "first", "around"] = ""
    wrong: tuple[Value, ...] = ()
    right: Value | None = None
    names: tuple[tuple[Value, Value], ...] = ()
    loses: str = ""
    note: str = ""


class Unlike(Exception):
    """Why a value has no counterpart."""


@dataclass(frozen=True)
class Hop:
    """From one scheme to another by declared maps. `reasons` says why other fields do not go over."""

    source: Scheme
    target: Scheme
    maps: tuple[FieldMap, ...]
    reasons: Mapping[str, str] = field(default_factory=dict)

    def reached(self, fields: Collection[str]) -> dict[str, str]:
        """Of these fields of the source, the ones that go over, each with the field it becomes."""
        return {one.source: one.to for one in self.maps if one.source in fields}

    def loses(self, fields: Collection[str]) -> list[str]:
        """What the maps of these fields lose, and what a scheme that ends at the first wrong step leaves out."""
        mine = [one for one in self.maps if one.source in fields]
        said = [one.loses for one in mine if one.loses]
        ends = any(rule.rule in ENDS for rule in self.target.rules)
        if ends and not any(rule.rule in ENDS for rule in self.source.rules) and not any(one.by for one in mine):
            said.append(f"What is said after the first wrong step is left out: {self.target.name} ends there.")
        return said

    def convert(
        self,
        answers: Mapping[Place, Json],
        steps: Sequence[int],
        filled: Collection[Place] = frozenset(),
        *,
        whole: bool = True,
        after: After | None = None,
    ) -> Converted:
        """The answers as the target takes them. `steps` are the indexes of the agent's steps in order, `filled` places
        that a rule filled in. `whole`: they are all there are, so that it is known what is asked beside them. Where the
        steps are a tree, `after` says where each hangs."""
        way = View(steps, {}, True, after)
        found: dict[Place, Json] = {}
        came: dict[Place, Place] = {}
        lost: list[Lost] = []
        for one in self.maps:
            mine = {place: value for place, value in answers.items() if base(place[1]) == one.source}
            for source, place, value in self._carried(one, mine, way, lost):
                spec = self.target.field(one.to)
                assert spec is not None  # only maps whose fields exist make a hop
                tidied = in_order(spec, value)
                if why := spec.refusal(tidied, Around(place[0], steps=steps)):
                    lost.append(Lost(source, answers[source], why))
                else:
                    found[place], came[place] = tidied, source
        mapped = {one.source for one in self.maps}
        lost += [
            Lost(place, value, self._why(place[1])) for place, value in answers.items() if base(place[1]) not in mapped
        ]
        lost += self._closed(found, came, answers, way, filled) if whole else ()
        return Converted({place: value for place, value in found.items() if place in came}, lost, came)

    def _why(self, name: str) -> str:
        return self.reasons.get(base(name), f"{self.target.name} has no such field")

    def _carried(
        self, one: FieldMap, mine: Mapping[Place, Json], way: View, lost: list[Lost]
    ) -> Iterator[tuple[Place, Place, Json]]:
        """The place an answer comes from, where it goes, and as what."""
        if one.by:
            whole = _first if one.by == "first" else _around
            yield from whole(one, mine, way, lost)
            return
        for place, value in mine.items():
            try:
                yield place, (place[0], _renamed(place[1], one.to)), _value(one, self.source.field(one.source), value)
            except Unlike as why:
                lost.append(Lost(place, value, str(why)))

    def _closed(
        self,
        found: dict[Place, Json],
        came: dict[Place, Place],
        answers: Mapping[Place, Json],
        way: View,
        filled: Collection[Place],
    ) -> Iterator[Lost]:
        """Takes out what the target does not ask beside the rest: no answer stands where there is no question."""
        said = {place: value for place, value in found.items() if came[place] not in filled}
        effects = rules.effects(self.target, replace(way, answers=said))
        for place in list(came):
            if rules.is_closed(effects, *place):
                source = came.pop(place)
                yield Lost(source, answers[source], f"{self.target.name} does not ask it there")


def base(name: str) -> str:
    """A field's name without the part it is asked of."""
    return name.partition("@")[0]


def _renamed(name: str, to: str) -> str:
    _, at, part = name.partition("@")
    return to + at + part


def _value(one: FieldMap, spec: FieldSpec | None, value: Json) -> Json:
    if one.values:
        return _paired(one.values, spec, value)
    if one.bounds:
        below = [said for low, said in one.bounds if low <= value]
        if not below:
            raise Unlike(f"{value} is below {one.bounds[0][0]:g}")
        return below[-1]
    return renamed(spec, value, one.names) if spec and one.names else value


def _paired(pairs: Sequence[tuple[Json, Json]], spec: FieldSpec | None, value: Json) -> Json:
    for was, now in pairs:
        if was == value and isinstance(was, bool) == isinstance(value, bool):
            return now
    raise Unlike(f"{spec.words(value) if spec else value} has no counterpart")


def _first(
    one: FieldMap, mine: Mapping[Place, Json], way: View, lost: list[Lost]
) -> Iterator[tuple[Place, Place, Json]]:
    """The first wrong step, if nothing before it is open; "none" where every step is labelled and none wrong. In a tree
    nothing may be open but what comes after it, and no other way may have a first wrong step."""
    said = {step: (place, value) for place, value in mine.items() if (step := place[0]) is not None}
    firsts: list[int] = []
    ended: set[int | None] = set()  # the first wrong ones and all that comes after them
    why = ""
    for step in way.steps:
        if way.before[step] in ended:
            ended.add(step)
        elif step not in said:
            why = why or f"step {step} has no label, so that the first wrong step is not known"
        elif said[step][1] in one.wrong:
            firsts.append(step)
            ended.add(step)
    if len(firsts) > 1:
        why = "several ways of the tree have a first wrong step, and only one can be named"
    if why:
        lost += [Lost(place, value, why) for place, value in mine.items()]
    elif firsts:
        yield said[firsts[0]][0], (None, one.to), firsts[0]
        after = [said[step] for step in way.steps if step in ended and step in said and step != firsts[0]]
        lost += [Lost(place, value, "it comes after the first wrong step") for place, value in after]
    elif way.steps:
        yield said[way.steps[-1]][0], (None, one.to), NONE


def _around(
    one: FieldMap, mine: Mapping[Place, Json], way: View, lost: list[Lost]
) -> Iterator[tuple[Place, Place, Json]]:
    """Right before the step that is named, wrong at it, and nothing after it."""
    for place, value in mine.items():
        if value != NONE and value not in way.steps:
            lost.append(Lost(place, value, f"there is no step {value}"))
            continue
        for step in way.steps if value == NONE else _down_to(way, value):
            yield place, (step, one.to), one.wrong[0] if step == value else one.right


def _down_to(way: View, step: int) -> list[int]:
    """The step with those before it, from the first."""
    found = [step]
    while (above := way.before[found[-1]]) is not None:
        found.append(above)
    return found[::-1]
