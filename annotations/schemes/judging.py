"""What a judge answers under a scheme: the JSON Schema of a whole answer, and the answer read as labels.

An answer is {"steps": {"3": {field: entry}}, "trajectory": {field: entry}}; of a field that is asked of parts, or of
pairs, {field: {part: entry}}. An entry is {"why", "answer"}, the reason before the verdict; of a text {"answer"} alone.
What is not asked is left out. Places are those the caller names, each with what its answer may point at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from annotations.records import Json
from annotations.schemes import judging_rules, rules
from annotations.schemes.fields.base import TEXT_SCHEMA, Around, FieldSpec, is_text
from annotations.schemes.rules import Place, View, base_of
from annotations.schemes.schema import Scheme

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Arounds = Mapping[Place, Around]


class Problem(NamedTuple):
    """Where in an answer something is wrong, as steps.3.label.answer, and what."""

    place: str
    reason: str


@dataclass
class Reading:
    """An answer as labels with their explanations, and what was wrong with it. Labels that are right are there even
    where others are not; whoever stores them decides what an answer with problems is worth."""

    labels: dict[Place, Json] = field(default_factory=dict)
    explanations: dict[Place, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def is_explained(spec: FieldSpec) -> bool:
    """Whether an answer comes with a reason: a text is one itself."""
    return spec.kind != "text"


def schema(scheme: Scheme, arounds: Arounds) -> dict[str, Json]:
    """JSON Schema (2020-12) of the whole answers, as far as it can say. It says which places there are, what each takes
    and which must be there, and of the rules what is asked when. Beyond it is what a span or a ranking may not repeat
    or overrun: `read` says that."""
    steps = steps_of(arounds)
    definitions: dict[str, Json] = {}
    of_steps = {str(step): _shared(_of_place(scheme, arounds, step), definitions) for step in steps}
    properties: dict[str, Json] = {}
    if any(definitions[_name_of(one)]["properties"] for one in of_steps.values()):
        must = [step for step, one in of_steps.items() if definitions[_name_of(one)].get("required")]
        properties["steps"] = judging_rules.in_turn(scheme, steps, of_steps, must, definitions)
    of_whole = _of_place(scheme, arounds, None)
    if of_whole["properties"]:
        properties["trajectory"] = of_whole
    needed = [name for name, one in properties.items() if one.get("required")]
    whole = judging_rules.closed_object(properties, needed)
    if anywhere := judging_rules.anywhere(scheme, arounds):
        whole["allOf"] = anywhere
    return {"$schema": DIALECT, "title": f"{scheme.title}: a judge's answer", **whole, "$defs": definitions}


def read(scheme: Scheme, arounds: Arounds, answer: Json, after: rules.After | None = None) -> Reading:
    """The answer as labels. Whole answers have no problems; parts that stand in another order are put in theirs.
    `after` says where each step hangs, where they are a tree."""
    found = Reading()
    for place, name, entry in _entries(scheme, arounds, answer, found):
        _take(scheme, arounds, place, name, entry, found)
    effects = rules.effects(scheme, View(steps_of(arounds), found.labels, after=after))
    for place in [place for place in found.labels if rules.is_closed(effects, *place)]:
        found.problems.append(Problem(path(place), "is not asked here, with what else is said"))
    for place in arounds:
        spec = scheme.field(place[1])
        silent = place not in found.labels and not any(one.place.startswith(path(place)) for one in found.problems)
        if spec and spec.required and silent and not rules.is_closed(effects, *place):
            found.problems.append(Problem(path(place), f"is missing; accepted is {_listed(spec, arounds[place])}"))
    for effect in effects:
        found.problems += [Problem(path(place), reason) for place, reason in effect.problems.items()]
    return found


def steps_of(arounds: Arounds) -> list[int]:
    """The indexes of the steps that are asked about, in order."""
    return sorted({step for step, _ in arounds if step is not None})


def path(place: Place) -> str:
    """Where a place stands in an answer."""
    step, name = place
    base, _, part = name.partition("@")
    return ".".join(filter(None, ("trajectory" if step is None else f"steps.{step}", base, part)))


def _of_place(scheme: Scheme, arounds: Arounds, step: int | None) -> dict[str, Json]:
    """The object of one step's entries, or of the trajectory's."""
    properties: dict[str, Json] = {}
    needed: list[str] = []
    for spec in scheme.fields:
        parts = {name.partition("@")[2]: here for (at, name), here in arounds.items() if _is(spec, at, name, step)}
        if not parts:
            continue
        always = spec.required and spec.when is None
        entries = {part: _entry(spec, here) for part, here in parts.items()}
        whole = "" not in parts
        properties[spec.name] = (
            judging_rules.closed_object(entries, entries if always else ()) if whole else entries[""]
        )
        needed += [spec.name] if always else []
    made = judging_rules.closed_object(properties, needed)
    if local := judging_rules.local(scheme, arounds, step):
        made["allOf"] = local
    return made


def _is(spec: FieldSpec, at: int | None, name: str, step: int | None) -> bool:
    return at == step and base_of(name) == spec.name


def _entry(spec: FieldSpec, here: Around) -> dict[str, Json]:
    why = {"why": dict(TEXT_SCHEMA)} if is_explained(spec) else {}
    properties = why | {"answer": spec.json_schema(here)}
    return judging_rules.closed_object(properties, properties)


def _shared(one: dict[str, Json], definitions: dict[str, Json]) -> dict[str, Json]:
    """A reference to the definition; steps of which the same is asked share one."""
    name = next((name for name, other in definitions.items() if other == one), f"step-{len(definitions) + 1}")
    definitions[name] = one
    return {"$ref": f"#/$defs/{name}"}


def _name_of(reference: Json) -> str:
    return str(reference["$ref"]).rsplit("/", 1)[1]


def _entries(scheme: Scheme, arounds: Arounds, answer: Json, found: Reading) -> Iterator[tuple[Place, str, Json]]:
    """Every entry of the answer with its place; what has no place is a problem."""
    asked: dict[str, dict[str, list[Place]]] = {}
    for place in arounds:
        step, name = place
        at = "trajectory" if step is None else f"steps.{step}"
        asked.setdefault(at, {}).setdefault(base_of(name), []).append(place)
    for at, fields in _groups(answer, list(asked), found):
        for name, said in _pairs(fields, at, found):
            places = asked[at].get(name, [])
            if not places:
                reason = f"there is no such place; asked here is {', '.join(asked[at])}"
                found.problems.append(Problem(f"{at}.{name}", reason))
            elif "@" not in places[0][1]:
                yield places[0], f"{at}.{name}", said
            else:
                yield from _parts(places, f"{at}.{name}", said, found)


def _groups(answer: Json, asked: Sequence[str], found: Reading) -> Iterator[tuple[str, Json]]:
    """The objects of steps and of the trajectory, as far as something is asked there."""
    for group, said in _pairs(answer, "", found):
        steps = [at for at in asked if at != "trajectory"]
        if group == "trajectory" and group in asked:
            yield group, said
        elif group == "steps" and steps:
            for step, one in _pairs(said, "steps", found):
                if f"steps.{step}" in steps:
                    yield f"steps.{step}", one
                else:
                    found.problems.append(
                        Problem(f"steps.{step}", f"is not asked about; accepted are {', '.join(steps)}")
                    )
        else:
            found.problems.append(Problem(group, "is not asked about; accepted are steps and trajectory"))


def _parts(places: list[Place], at: str, said: Json, found: Reading) -> Iterator[tuple[Place, str, Json]]:
    by_part = {place[1].partition("@")[2]: place for place in places}
    for part, entry in _pairs(said, at, found):
        if part in by_part:
            yield by_part[part], f"{at}.{part}", entry
        else:
            found.problems.append(Problem(f"{at}.{part}", f"there is no such part; accepted are {', '.join(by_part)}"))


def _pairs(said: Json, at: str, found: Reading) -> list[tuple[str, Json]]:
    if isinstance(said, dict):
        return [(str(key), value) for key, value in said.items()]
    found.problems.append(Problem(at, f"found {said!r}; accepted is an object"))
    return []


def _take(scheme: Scheme, arounds: Arounds, place: Place, at: str, entry: Json, found: Reading) -> None:
    spec = scheme.field(place[1])
    assert spec  # places are those of the scheme
    keys = {"why", "answer"} if is_explained(spec) else {"answer"}
    if not isinstance(entry, dict) or set(entry) != keys:
        found.problems.append(Problem(at, f"found {entry!r}; accepted is an object of {' and '.join(sorted(keys))}"))
        return
    if "why" in keys and not is_text(entry["why"]):
        found.problems.append(Problem(f"{at}.why", f"found {entry['why']!r}; accepted is a text that is not empty"))
        return
    value, here = spec.in_order(entry["answer"]), arounds[place]
    if reason := spec.refusal(value, here) or _lacks(spec, value, here):
        found.problems.append(Problem(f"{at}.answer", reason))
        return
    found.labels[place] = value
    if "why" in keys:
        found.explanations[place] = entry["why"].strip()


def _lacks(spec: FieldSpec, value: Json, here: Around) -> str:
    lacking = spec.lacking(value, here)
    return f"{spec.name} lacks {lacking}" if lacking else ""


def _listed(spec: FieldSpec, here: Around) -> str:
    return ", ".join(map(str, spec.accepted(here)))
