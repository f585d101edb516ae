"""What a scheme's conditions and rules ask for when, as JSON Schema of a judge's answer (see judging.py)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from annotations.records import Json
from annotations.schemes.fields.base import Around, Condition, FieldSpec
from annotations.schemes.rules import Place, base_of, part_of
from annotations.schemes.schema import RuleSpec, Scheme

Arounds = Mapping[Place, Around]
Schema = dict[str, Json]
ENDS = ("first-error", "stop-after-first-error")


def closed_object(properties: Mapping[str, Json], needed: Iterable[str]) -> Schema:
    """An object of these keys and no others."""
    made: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    required = list(needed)
    return made | ({"required": required} if required else {})


def local(scheme: Scheme, arounds: Arounds, step: int | None) -> list[Schema]:
    """What is asked of a step, or of the trajectory, for what else is said there."""
    names = [name for at, name in arounds if at == step]
    found: list[Schema] = []
    for name in names:
        spec = scheme.field(name)
        if spec and spec.when and _is_local(scheme, spec):
            asked = _asked_for(scheme, spec, name, names)
            rest = [_present(name)] if spec.required else []
            found.append({"if": asked, "then": _all(rest), "else": _absent(name)})
    for rule in scheme.rules:
        found += _goes_with(rule, names)
    return found


def anywhere(scheme: Scheme, arounds: Arounds) -> list[Schema]:
    """What is asked for what is said elsewhere: of the trajectory for any step, of steps for the trajectory."""
    ends = any(rule.rule in ENDS for rule in scheme.rules)
    found: list[Schema] = []
    for spec in scheme.fields:
        places = [place for place in arounds if base_of(place[1]) == spec.name]
        if spec.when is None or _is_local(scheme, spec) or not places:
            continue
        said = [place for place in arounds if base_of(place[1]) == spec.when.field]
        asked = {"anyOf": [_at(at, _says(name, _match(spec.when))) for at, name in said]} if said else False
        # A step that a rule has closed is not asked, so that nothing can be asked for here.
        needs = spec.required and not (ends and spec.of_step)
        then = [_at(at, _present(name)) for at, name in places] if needs else []
        found.append(
            {"if": asked, "then": _all(then), "else": _all([_within(at, _absent(name)) for at, name in places])}
        )
    return found


def in_turn(
    scheme: Scheme, steps: Sequence[int], of_steps: Mapping[str, Json], must: Sequence[str], definitions: Schema
) -> Schema:
    """The object of all steps. Where a rule ends the work at the first error, what comes after it is not asked."""
    ends = next((rule for rule in scheme.rules if rule.rule in ENDS), None)
    if ends is None or not steps:
        return closed_object(of_steps, must)
    names = [str(step) for step in steps]
    made = closed_object(of_steps, [name for name in names[:1] if name in must])
    made["allOf"] = []
    for number, (before, name) in enumerate(zip(names, names[1:], strict=False)):
        here = _key(before, _says(ends.field, {"enum": [ends.value]}))
        earlier = [{"$ref": f"#/$defs/over-{number}"}] if number else []
        definitions[f"over-{number + 1}"] = {"anyOf": [*earlier, here]}
        asked = {"required": [name]} if name in must else {}
        over = {"$ref": f"#/$defs/over-{number + 1}"}
        made["allOf"].append({"if": over, "then": {"properties": {name: False}}, "else": asked})
    return made


def _is_local(scheme: Scheme, spec: FieldSpec) -> bool:
    """Whether the condition looks at the same step, so at no other place."""
    assert spec.when
    other = scheme.field(spec.when.field)
    return other is not None and other.of_step == spec.of_step


def _asked_for(scheme: Scheme, spec: FieldSpec, name: str, names: Sequence[str]) -> Json:
    """The condition of a field that looks at the same step: of the same part where both have parts of a kind."""
    assert spec.when
    other = scheme.field(spec.when.field)
    same = [one for one in names if base_of(one) == spec.when.field]
    if other and spec.of_step and spec.target == other.target:
        same = [one for one in same if part_of(one) == part_of(name)]
    return {"anyOf": [_says(one, _match(spec.when)) for one in same]} if same else False


def _goes_with(rule: RuleSpec, names: Sequence[str]) -> list[Schema]:
    """What the rule asks of answers at one place together."""
    if rule.rule == "exclusive":
        fields = rule.settings["fields"]
        pairs = [
            (one, other)
            for number, first in enumerate(fields)
            for second in fields[number + 1 :]
            for one in names
            for other in names
            if (base_of(one), base_of(other)) == (first, second) and part_of(one) == part_of(other)
        ]
        return [{"not": _all([_present(one), _present(other)])} for one, other in pairs]
    if rule.rule != "must-explain":
        return []
    match = _any_of(rule.settings["values"])
    found: list[Schema] = []
    for name in names:
        if base_of(name) == rule.field:
            by = rule.settings["by"] + part_of(name)
            then = _present(by) if by in names else False
            found.append({"if": _says(name, match), "then": then})
    return found


def _match(when: Condition) -> Json:
    """The answers for which the condition holds."""
    return _any_of(when.values) if when.values else True


def _any_of(values: Iterable[Json]) -> Schema:
    """One of the values or, of several chosen, one of them among them."""
    one = {"enum": list(values)}
    return {"anyOf": [one, {"type": "array", "contains": one}]}


def _says(name: str, match: Json) -> Schema:
    """An object in which the answer of that name is such."""
    return _in(name, _key("answer", match))


def _present(name: str) -> Schema:
    return _in(name, {})


def _absent(name: str) -> Schema:
    base, part = base_of(name), part_of(name)[1:]
    return {"properties": {base: {"properties": {part: False}} if part else False}}


def _in(name: str, inner: Json) -> Schema:
    base, part = base_of(name), part_of(name)[1:]
    return _key(base, _key(part, inner) if part else inner)


def _key(key: str, inner: Json) -> Schema:
    return {"type": "object", "required": [key], "properties": {key: inner}}


def _at(step: int | None, inner: Schema) -> Schema:
    return _key("trajectory", inner) if step is None else _key("steps", _key(str(step), inner))


def _within(step: int | None, inner: Schema) -> Schema:
    """Where the step is there at all."""
    if step is None:
        return {"properties": {"trajectory": inner}}
    return {"properties": {"steps": {"properties": {str(step): inner}}}}


def _all(several: Sequence[Json]) -> Json:
    return True if not several else several[0] if len(several) == 1 else {"allOf": list(several)}
