"""A scheme in plain words: what each field asks, takes and is measured by, and what the rules do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.records import Json
from annotations.schemes import rules
from annotations.schemes.fields import (
    ChoiceField,
    FlagField,
    PreferenceField,
    RubricField,
    ScaleField,
    SpansField,
    TaxonomyField,
)
from annotations.schemes.fields.base import Choice, FieldSpec
from annotations.schemes.fields.rubric import WORDS, Item
from annotations.schemes.schema import RuleSpec, Scheme

KINDS = {
    "choice": "one choice",
    "taxonomy": "choices from a tree",
    "scale": "number on a scale",
    "progress": "progress",
    "flag": "flag",
    "text": "free text",
    "correction": "rewritten step",
    "intervention": "one-step intervention",
    "spans": "stretches of text",
    "rubric": "checklist",
    "first_error": "first error",
    "preference": "preference",
}
TARGETS = {
    "step": "each step of the agent",
    "tool_call": "each tool call of a step",
    "sentence": "each sentence of a step",
    "trajectory": "the whole trajectory",
    "task": "the task, over its rollouts",
}
LEVELS = {
    "nominal": "nominal: the same answer or another",
    "ordinal": "ordinal: how far apart two answers stand in their order",
    "interval": "interval: how far apart two numbers are",
    "set": "set: how much two sets of answers share",
    "spans": "spans: how far two stretches overlap, and whether they are of one type",
    "ranking": "ranking: how far two orders are apart",
    "none": "not measured",
}
LISTED = {"scheme": "", "task": "a task's own list", "judge": "a judge's list, once a person has approved it"}


@dataclass(frozen=True)
class Answer:
    """One answer a field offers; `depth` counts what it stands under, a heading is not chosen itself."""

    title: str
    value: Json
    depth: int = 0
    keys: tuple[str, ...] = ()
    help: str = ""
    heading: bool = False


@dataclass(frozen=True)
class Told:
    """A field as the page tells of it. `takes` says what it takes where it offers no answers."""

    spec: FieldSpec
    kind: str
    target: str
    level: str
    answers: Sequence[Answer]
    takes: Sequence[str]
    when: str
    roles: Sequence[str]
    schema: str

    @property
    def has_keys(self) -> bool:
        return any(one.keys for one in self.answers)

    @property
    def has_help(self) -> bool:
        return any(one.help for one in self.answers)


def kinds(scheme: Scheme) -> list[str]:
    """The kinds of its fields, each once."""
    return list(dict.fromkeys(KINDS[spec.kind] for spec in scheme.fields))


def fields(scheme: Scheme) -> list[Told]:
    return [_told(scheme, spec) for spec in scheme.fields]


def rule_sentences(scheme: Scheme) -> list[tuple[str, str]]:
    """(name, what it does here) of each rule."""
    return [(rule.rule, _rule(scheme, rule)) for rule in scheme.rules]


def _told(scheme: Scheme, spec: FieldSpec) -> Told:
    answers = list(_answers(spec))
    roles = [word for name, word in ((scheme.main, "main field"), (scheme.final, "verdict")) if name == spec.name]
    return Told(
        spec,
        KINDS[spec.kind],
        TARGETS[spec.target],
        LEVELS[spec.level],
        answers,
        list(_takes(spec)) if not answers else list(_limits(spec)),
        _when(scheme, spec),
        [*roles, "required" if spec.required else "may stay open"],
        json.dumps(spec.json_schema(), indent=2, ensure_ascii=False),
    )


def _answers(spec: FieldSpec) -> Iterator[Answer]:
    if isinstance(spec, TaxonomyField):
        yield from _tree(spec, spec.choices, 0)
    elif isinstance(spec, RubricField):
        yield from _items(spec.items, 0)
    elif isinstance(spec, ScaleField) and (spec.marks or spec.dimensions):
        yield from (Answer(one.title, one.name, help=one.help) for one in spec.dimensions)
        yield from (Answer(mark.title, mark.at) for mark in spec.marks)
    else:
        yield from (Answer(one.title, one.value, 0, one.keys, one.help) for one in spec.options)


def _tree(spec: TaxonomyField, choices: Sequence[Choice], depth: int) -> Iterator[Answer]:
    for one in choices:
        yield Answer(one.title, one.value, depth, one.keys, one.help, bool(one.choices) and not spec.branches)
        yield from _tree(spec, one.choices, depth + 1)


def _items(items: Sequence[Item], depth: int) -> Iterator[Answer]:
    for one in items:
        weight = f"Weight {one.weight:g}." if one.weight != 1 else ""
        yield Answer(one.title, one.name, depth, (), " ".join(filter(None, [one.help, weight])), bool(one.checks))
        yield from _items(one.checks, depth + 1)


def _takes(spec: FieldSpec) -> Iterator[str]:
    """What it takes, where no list of answers says so."""
    if isinstance(spec, RubricField):
        yield from _limits(spec)
    elif isinstance(spec, PreferenceField):
        form = {"pair": "the better one of each two", "best": "the best one", "rank": "all of them in order"}
        yield form[spec.form] + (", or a tie" if spec.ties else "") + (", asked both ways round" * spec.both_orders)
    elif isinstance(spec, FlagField):
        yield "on, or nothing"
    else:
        yield from map(str, spec.accepted())


def _limits(spec: FieldSpec) -> Iterator[str]:
    """What more there is to say of the answers that are offered."""
    if isinstance(spec, RubricField):
        yield f"{' or '.join(WORDS[one].lower() for one in spec.answers)} to each item"
        if listed := LISTED[spec.items_from]:
            yield f"the items are {listed}"
    elif isinstance(spec, ScaleField):
        yield spec.range + (" for each" if spec.dimensions else "")
    elif isinstance(spec, SpansField):
        yield f"stretches of {', '.join(spec.parts)}" + ("" if spec.overlap else ", none over another")
        if spec.evidence:
            yield f"evidence for each is {spec.evidence}"
    elif isinstance(spec, TaxonomyField):
        yield f"up to {spec.most} of them" if spec.most else "as many of them as hold"


def _when(scheme: Scheme, spec: FieldSpec) -> str:
    if spec.when is None:
        return ""
    other = scheme.field(spec.when.field)
    if other is None:
        return ""
    said = _either(other, spec.when.values) if spec.when.values else "anything"
    return f"only where “{other.title}” says {said}"


def _either(spec: FieldSpec, values: Sequence[Any]) -> str:
    """The answers by their titles: “Wrong” or “Neutral”."""
    return " or ".join(f"“{_title(spec, value)}”" for value in values)


def _title(spec: FieldSpec, value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    named: dict[Json, str] = {one.value: one.title for one in spec.options}
    return named.get(value) or (spec.words(value) if isinstance(spec, ChoiceField) else str(value))


def _rule(scheme: Scheme, rule: RuleSpec) -> str:
    """What the rule does in this scheme; of one without words here, what its function says of itself."""
    if write := SENTENCES.get(rule.rule):
        return write(scheme, rule.settings)
    return (rules.RULES[rule.rule].__doc__ or "").partition("\n\n")[0].replace("`", "")


Settings = dict[str, Any]


def _name(scheme: Scheme, name: str) -> str:
    spec = scheme.field(name)
    return f"“{spec.title}”" if spec else name


def _value(scheme: Scheme, said: Settings, key: str) -> str:
    spec = scheme.field(said["field"])
    value = said[key]
    return _either(spec, value if isinstance(value, list) else [value]) if spec else str(value)


def _carry(scheme: Scheme, said: Settings) -> str:
    until = f" or {_name(scheme, said['until'])} says something" if said.get("until") else ""
    value, field = _value(scheme, said, "value"), _name(scheme, said["field"])
    return f"{value} in {field} reaches every later open step, until a step has an answer of its own{until}."


def _first(scheme: Scheme, said: Settings) -> str:
    value, before = _value(scheme, said, "value"), _value(scheme, said, "before")
    field = _name(scheme, said["field"])
    return (
        f"The first {value} in {field} ends the work: open steps before it are {before}, those after it are not asked."
    )


def _stop(scheme: Scheme, said: Settings) -> str:
    return f"Steps after the first {_value(scheme, said, 'value')} in {_name(scheme, said['field'])} are not asked."


def _lock(scheme: Scheme, said: Settings) -> str:
    first, then = _name(scheme, said["first"]), _name(scheme, said["then"])
    return (
        f"{first} is asked before the end is shown, and sealed by showing it; {then} is asked after that. "
        "It needs the project's mode to be progressive."
    )


def _exclusive(scheme: Scheme, said: Settings) -> str:
    return f"At one place only one of {', '.join(_name(scheme, one) for one in said['fields'])} says something."


def _explain(scheme: Scheme, said: Settings) -> str:
    return (
        f"Where {_name(scheme, said['field'])} says {_value(scheme, said, 'values')}, "
        f"{_name(scheme, said['by'])} has to say why."
    )


SENTENCES: dict[str, Callable[[Scheme, Settings], str]] = {
    "carry-forward": _carry,
    "first-error": _first,
    "stop-after-first-error": _stop,
    "hindsight-lock": _lock,
    "exclusive": _exclusive,
    "must-explain": _explain,
}
