"""What is asked, and the form of the answer, in words: for servers that take no schema, and for the model always."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from annotations.records import Json
from annotations.schemes.fields import FlagField, PreferenceField, RubricField, ScaleField, SpansField, TaxonomyField
from annotations.schemes.fields.base import NOTHING, Around, Choice, FieldSpec
from annotations.schemes.fields.rubric import Item
from annotations.schemes.judging import Arounds
from annotations.schemes.judging_rules import ENDS
from annotations.schemes.rules import base_of
from annotations.schemes.schema import RuleSpec, Scheme
from models_service.judges import forms

FEW = 12  # values that are listed; of more the first and the last
OF = {
    "step": "each step",
    "tool_call": "each tool call of a step",
    "sentence": "each sentence of a step's message",
    "trajectory": "the whole trajectory",
    "task": "the whole trajectory",
}
EXPLAINED = """An entry is written in this order. "evidence": the words of the trajectory that the verdict rests on, \
copied exactly and kept short; "" where it rests on something that is not there. "why": your reason, in one to three \
sentences, naming what is right or wrong. "answer": the verdict, which follows from them."""
SURE = '"confidence": how sure you are, from 0 to 100, or null.'
ONLY = "One JSON object and nothing else. It answers just what the question names."
STEP = "Where the question names one step:"
REST = "Where it asks about the whole:"
NOTHING_SAID = "null stands where a field need not be answered and nothing is to be said."
STRETCH = """A stretch of text is given by its "quote", copied exactly from the part that "part" names; "occurrence" \
says which one is meant where the same words stand there more than once, counted from 1, else null."""


def fields(scheme: Scheme, arounds: Arounds) -> str:
    """What is asked, field by field."""
    return "\n\n".join(_field(scheme, spec, _around(spec, arounds)) for spec in _asked(scheme, arounds))


def contract(scheme: Scheme, arounds: Arounds, form: Mapping[str, Json]) -> str:
    """The form of the answer."""
    head = ["## The form of your answer", "", "One JSON object and nothing else:", "", sketch(form), ""]
    return "\n".join([*head, *_notes(scheme, arounds)])


def _notes(scheme: Scheme, arounds: Arounds) -> list[str]:
    """What there is to know about the keys of an answer."""
    specs = list(_asked(scheme, arounds))
    notes = [EXPLAINED] if any(spec.kind != "text" for spec in specs) else []
    notes += [SURE] if any(forms.is_central(scheme, spec) for spec in specs) else []
    notes += [STRETCH] if any(isinstance(spec, SpansField) for spec in specs) else []
    notes += [NOTHING_SAID] if any(not spec.required or spec.when for spec in specs) else []
    return [*notes, *filter(None, map(_rule, scheme.rules))]


def by_steps(scheme: Scheme, several: Sequence[tuple[int | None, Arounds]]) -> str:
    """The forms of answers where each step is asked about alone, in one text for all questions."""
    arounds = {place: here for _, each in several for place, here in each.items()}
    shown: dict[str, str] = {}
    for step, each in several:
        if step is None:
            shown.setdefault(REST, sketch(forms.schema(scheme, each)))
        elif STEP not in shown:
            shown[STEP] = sketch(forms.of_step(scheme, each, step))
    lines = [line for head, text in shown.items() for line in (head, "", text, "")]
    return "\n".join(["## The form of your answer", "", ONLY, "", *lines, *_notes(scheme, arounds)])


def sketch(form: Mapping[str, Json]) -> str:
    """A schema as an example that says what stands where."""
    return _sketch(form, form.get("$defs", {}), 0)


def _sketch(one: Mapping[str, Json], shared: Mapping[str, Json], depth: int) -> str:
    if "$ref" in one:
        return _sketch(shared[str(one["$ref"]).rsplit("/", 1)[1]], shared, depth)
    if "anyOf" in one:
        return " or ".join(dict.fromkeys(_sketch(each, shared, depth) for each in one["anyOf"]))
    if "enum" in one:
        return _values(one["enum"])
    if one["type"] == "array":
        return f"[{_sketch(one['items'], shared, depth)}, …]"
    if one["type"] != "object":
        return {"string": '"text"', "boolean": "true or false", "null": "null"}.get(str(one["type"]), str(one["type"]))
    return _object(_grouped(one["properties"]), shared, depth)


def _object(keys: Mapping[str, Mapping[str, Json]], shared: Mapping[str, Json], depth: int) -> str:
    flat = [f"{key}: {_sketch(each, shared, depth + 1)}" for key, each in keys.items()]
    inline = "{" + ", ".join(flat) + "}"
    if len(inline) + 2 * depth <= 110 and "\n" not in inline:
        return inline
    gap = "  " * (depth + 1)
    return "{\n" + ",\n".join(gap + each for each in flat) + "\n" + "  " * depth + "}"


def _grouped(properties: Mapping[str, Mapping[str, Json]]) -> dict[str, Mapping[str, Json]]:
    """Keys by what they are called in a sketch: steps of which the same is asked are one."""
    found: dict[str, Mapping[str, Json]] = {}
    same: dict[str, list[str]] = {}
    for key, one in properties.items():
        same.setdefault(json.dumps(one) if key.isdecimal() else key, []).append(key)
    for keys in same.values():
        name = json.dumps(keys[0], ensure_ascii=False)
        many = keys[0].isdecimal() and (len(keys) > 1 or len(properties) == 1)
        found['"<index>"' if many else name] = properties[keys[0]]
    return found


def _values(values: Sequence[Json]) -> str:
    told = [json.dumps(one, ensure_ascii=False) for one in values]
    return " | ".join(told if len(told) <= FEW else [*told[:3], "…", told[-1]])


def _asked(scheme: Scheme, arounds: Arounds) -> Iterator[FieldSpec]:
    names = {base_of(name) for _, name in arounds}
    return (spec for spec in scheme.fields if spec.name in names)


def _around(spec: FieldSpec, arounds: Arounds) -> Around:
    return next((here for (_, name), here in arounds.items() if base_of(name) == spec.name), NOTHING)


def _field(scheme: Scheme, spec: FieldSpec, here: Around) -> str:
    need = "required" if spec.required and not spec.when else "where it applies"
    lines = [f"### {spec.name}: {spec.title} (of {OF[spec.target]}, {need})"]
    lines += [spec.help] if spec.help else []
    lines += [_when(spec)] if spec.when else []
    lines += list(_answers(spec, here))
    lines += [f"For example: {one}" for one in spec.examples[:3]]
    return "\n".join(lines)


def _when(spec: FieldSpec) -> str:
    assert spec.when
    values = f" is {_values(spec.when.values)}" if spec.when.values else " says anything"
    return f"Asked only where {spec.when.field}{values}; null elsewhere."


def _answers(spec: FieldSpec, here: Around) -> Iterator[str]:
    if isinstance(spec, FlagField):
        yield "The answer is true. Where it does not hold the entry is null."
    elif isinstance(spec, ScaleField):
        yield f"The answer is {spec.range}{_better(spec)}."
        yield from (f"- {mark.at:g}: {mark.title}" for mark in spec.marks)
        yield from (f'- "{one.name}": {one.title}' for one in spec.dimensions)
    elif isinstance(spec, RubricField):
        yield f"Each item is answered for itself, with {' or '.join(spec.answers)}."
        yield from _items(spec.asked(here).values())
    elif isinstance(spec, PreferenceField):
        yield _preferred(spec)
    else:
        yield from _choices(spec)


def _choices(spec: FieldSpec) -> Iterator[str]:
    if isinstance(spec, TaxonomyField):
        most = f"up to {spec.most} of these" if spec.most else "all of these that apply"
        yield f"The answer is a list: {most}, in this order."
    if isinstance(spec, SpansField):
        yield f"The answer is a list of stretches of {', '.join(spec.parts)}, each of one of these types."
    for option in spec.options:
        yield _choice(option)
    if spec.kind == "first_error":
        yield 'The answer is the index of the first step that is wrong, or "none".'
    if spec.kind == "intervention":
        yield "The answer names one step and says what it should have been."
    if spec.kind == "correction":
        yield "The answer is the whole text as it should have been."


def _choice(option: Choice) -> str:
    alone = " It goes with no other." if option.alone else ""
    about = f": {option.help}" if option.help else ""
    return f"- {json.dumps(option.value, ensure_ascii=False)} ({option.title}){about}{alone}"


def _better(spec: ScaleField) -> str:
    return {"high": ", more is better", "low": ", less is better"}.get(spec.better, "")


def _items(items: Iterable[Item]) -> Iterator[str]:
    for one in items:
        yield f'- "{one.name}": {one.title}{f" ({one.help})" if one.help else ""}'


def _preferred(spec: PreferenceField) -> str:
    tie = ' "tie" where none is better.' if spec.ties else " There is no tie."
    if spec.form == "rank":
        return "The answer lists all candidates in groups, the best first; candidates that are equal share a group."
    return f"The answer is the better candidate.{tie}"


def _rule(rule: RuleSpec) -> str:
    if rule.rule in ENDS:
        value = json.dumps(rule.value, ensure_ascii=False)
        return f"The first step whose {rule.field} is {value} ends the work: every step after it is null."
    if rule.rule == "exclusive":
        return f"At one place only one of {', '.join(rule.settings['fields'])} is answered; the others are null."
    if rule.rule == "must-explain":
        settings = rule.settings
        return f"Where {rule.field} is {_values(settings['values'])}, {settings['by']} must say why."
    return ""
