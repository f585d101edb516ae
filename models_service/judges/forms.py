"""The form of an answer as it is sent with a question: a JSON Schema that strict modes of servers take.

Such modes know few words. So every key is required and what need not be said is nullable; nothing depends on anything
else; numbers and texts have no bounds; there are no patterns, which some servers take for the whole text. What an
answer may hold beyond the form is seen to when it is read (models_service.judges.reading).

An entry is {"evidence", "why", "answer"}: what it rests on and the reason stand before the verdict, because a model
writes in that order. Of the main field and of the verdict on the whole it ends with "confidence".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from annotations.records import Json
from annotations.schemes.fields import (
    FlagField,
    InterventionField,
    PreferenceField,
    RubricField,
    ScaleField,
    SpansField,
    TaxonomyField,
)
from annotations.schemes.fields.base import Around, FieldSpec
from annotations.schemes.judging import Arounds, is_explained
from annotations.schemes.judging_rules import ENDS
from annotations.schemes.rules import Place, base_of, part_of
from annotations.schemes.schema import Scheme

Schema = dict[str, Json]
TEXT: Schema = {"type": "string"}
MANY = 50  # numbers of a scale that are listed one by one
MOST = 500  # choices that are listed: servers have a limit on all of a schema
TYPES: Sequence[tuple[type, str]] = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"))


def schema(scheme: Scheme, arounds: Arounds) -> Schema:
    """The form of an answer about these places. Steps of which the same is asked share a definition."""
    definitions: Schema = {}
    at: dict[int | None, dict[Place, Around]] = {}
    for place, here in arounds.items():
        at.setdefault(place[0], {})[place] = here
    steps = sorted(step for step in at if step is not None)
    properties: Schema = {}
    if steps:
        ends = any(rule.rule in ENDS for rule in scheme.rules)
        of_steps = {str(step): _shared(of_place(scheme, at[step], step), definitions) for step in steps}
        after = {name: nullable(one) if ends and name != str(steps[0]) else one for name, one in of_steps.items()}
        properties["steps"] = closed(after)
    if None in at:
        properties["trajectory"] = of_place(scheme, at[None], None)
    return closed(properties) | ({"$defs": definitions} if definitions else {})


def of_step(scheme: Scheme, arounds: Arounds, step: int) -> Schema:
    """The form of an answer about one step: the same for all steps of which the same is asked, since servers keep what
    they have read only up to the first difference, and some read the form before everything else."""
    return closed({"labels": of_place(scheme, arounds, step)})


def of_place(scheme: Scheme, arounds: Arounds, step: int | None) -> Schema:
    """What is said of one step, or of the trajectory."""
    properties: Schema = {}
    for spec in scheme.fields:
        here = {
            part_of(name)[1:]: one for (at, name), one in arounds.items() if at == step and base_of(name) == spec.name
        }
        if not here:
            continue
        entries = {part: entry(scheme, spec, one) for part, one in here.items()}
        properties[spec.name] = entries[""] if "" in entries else closed(entries)
    return closed(properties)


def entry(scheme: Scheme, spec: FieldSpec, here: Around) -> Schema:
    """What is said in one field at one place; null where it need not be."""
    if not is_explained(spec):
        made = closed({"answer": answer(spec, here)})
    else:
        sure = {"confidence": nullable({"type": "integer"})} if is_central(scheme, spec) else {}
        made = closed({"evidence": TEXT, "why": TEXT, "answer": answer(spec, here), **sure})
    return made if spec.required and spec.when is None else nullable(made)


def is_central(scheme: Scheme, spec: FieldSpec) -> bool:
    """Whether it is the main field, or the verdict on the whole."""
    return spec.name in (scheme.main, scheme.final)


def answer(spec: FieldSpec, here: Around) -> Schema:
    """The form of the answer alone."""
    if isinstance(spec, FlagField):
        return {"type": "boolean"}  # false says nothing: see reading
    if isinstance(spec, TaxonomyField):
        return {"type": "array", "items": one_of(spec.values)}
    if isinstance(spec, ScaleField):
        number = _number(spec)
        return closed({one.name: number for one in spec.dimensions}) if spec.dimensions else number
    if isinstance(spec, SpansField):
        return {"type": "array", "items": _span(spec, here)}
    if isinstance(spec, RubricField):
        return _items(spec, here)
    if isinstance(spec, PreferenceField):
        return _preferred(spec, here)
    if isinstance(spec, InterventionField):
        return closed({"step": _steps(here), "text": TEXT})
    if spec.kind == "first_error":
        return {"anyOf": [_steps(here), one_of(["none"])]}
    return one_of(spec.values) if spec.values else TEXT


def closed(properties: Mapping[str, Json]) -> Schema:
    """An object of these keys, all of them, and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def nullable(one: Schema) -> Schema:
    return {"anyOf": [*one.get("anyOf", [one]), {"type": "null"}]}


def one_of(values: Iterable[Json]) -> Schema:
    """One of these, with its type said, as strict modes want it."""
    every = list(values)
    kinds = {name: [one for one in every if type(one) is kind] for kind, name in TYPES}
    if kinds["integer"] and kinds["number"]:
        kinds["number"], kinds["integer"] = [one for one in every if type(one) in (int, float)], []
    found: list[Schema] = [{"type": name, "enum": some} for name, some in kinds.items() if some]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _steps(here: Around) -> Schema:
    known = here.steps is not None and 0 < len(here.steps) <= MOST
    return one_of(here.steps or ()) if known else {"type": "integer"}


def _number(spec: ScaleField) -> Schema:
    # Some servers write fractions of a list in all their binary digits, and make models write them so.
    if spec.numbers and len(spec.numbers) <= MANY and all(float(one).is_integer() for one in spec.numbers):
        return one_of(spec.numbers)
    whole = bool(spec.step) and float(spec.step).is_integer() and float(spec.min).is_integer()
    return {"type": "integer" if whole else "number"}


def _items(spec: RubricField, here: Around) -> Schema:
    """Yes or no to each item; where it is not known which there are, a list of them."""
    names = list(spec.asked(here))
    if names:
        return closed({name: one_of(spec.answers) for name in names})
    return {"type": "array", "items": closed({"item": TEXT, "answer": one_of(spec.answers)})}


def _preferred(spec: PreferenceField, here: Around) -> Schema:
    few = here.candidates is not None and 0 < len(here.candidates) <= MOST
    one = one_of(here.candidates or ()) if few else {"type": "integer"}
    if spec.form == "rank":
        return {"type": "array", "items": {"type": "array", "items": one}}
    return {"anyOf": [one, one_of(["tie"])]} if spec.ties else one


def _span(spec: SpansField, here: Around) -> Schema:
    """A stretch by its words: models cannot count characters. `occurrence` tells equal words apart, from 1."""
    stretch = {"part": _part(spec, here), "quote": TEXT, "occurrence": nullable({"type": "integer"})}
    properties: Schema = {"note": nullable(TEXT), **stretch, "type": one_of(spec.values)}
    if spec.evidence:
        elsewhere = closed({"step": {"type": "integer"}, **stretch, "part": TEXT})
        said = {"anyOf": [elsewhere, closed({"text": TEXT})]}
        properties["evidence"] = said if spec.evidence == "required" else nullable(said)
    return closed(properties)


def _part(spec: SpansField, here: Around) -> Schema:
    names = [name for name in here.lengths or () if name.split("-")[0] in spec.parts]
    return one_of(names) if 0 < len(names) <= MOST else TEXT


def _shared(one: Schema, definitions: Schema) -> Schema:
    name = next((name for name, other in definitions.items() if other == one), f"step-{len(definitions) + 1}")
    definitions[name] = one
    return {"$ref": f"#/$defs/{name}"}
