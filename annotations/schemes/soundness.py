"""What a scheme says that does not hang together, each with the place it stands at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from annotations import keys as page
from annotations.keys import PAGE_KEYS
from annotations.schemes import renames, rules
from annotations.schemes.fields.base import FieldSpec

if TYPE_CHECKING:
    from annotations.schemes.schema import RuleSpec, Scheme

Found = tuple[str, str]  # a place such as "fields.2.choices", and what is wrong there


def problems(scheme: Scheme) -> list[Found]:
    """Everything that is wrong beyond the shape of the document."""
    found = [*_names(scheme), *_fields(scheme), *_conditions(scheme), *_keys(scheme), *_rules(scheme)]
    return [*found, *renames.problems(scheme)]


def _names(scheme: Scheme) -> Iterator[Found]:
    names = [spec.name for spec in scheme.fields]
    for name, often in Counter(names).items():
        if often > 1:
            yield f"fields.{_last(names, name)}.name", f"two fields have the name {name!r}"
    listed = ", ".join(names)
    for role, name in (("main", scheme.main), ("final", scheme.final)):
        if name and name not in names:
            yield role, f"names {name!r}, which is no field of the scheme; accepted is one of {listed}"
    if scheme.final in names and scheme.field(scheme.final).of_step:  # type: ignore[union-attr]
        yield "final", f"names {scheme.final!r}, which is asked of steps; accepted is a field of the trajectory"


def _fields(scheme: Scheme) -> Iterator[Found]:
    for number, spec in enumerate(scheme.fields):
        if reason := spec.problem():
            yield f"fields.{number}", f"field {spec.name}: {reason}"
        elif spec.default is not None and (reason := spec.refusal(spec.default)):
            yield f"fields.{number}.default", f"field {spec.name}: {reason}"


def _conditions(scheme: Scheme) -> Iterator[Found]:
    for number, spec in enumerate(scheme.fields):
        if spec.when is None:
            continue
        place = f"fields.{number}.when"
        other = scheme.field(spec.when.field)
        if other is None or other is spec:
            yield f"{place}.field", f"field {spec.name} waits for {spec.when.field!r}, which is no other field"
        elif other.when is not None and other.when.field == spec.name:
            yield f"{place}.field", f"fields {spec.name} and {other.name} wait for each other"
        elif other.values and (odd := [one for one in spec.when.values if one not in other.values]):
            accepted = ", ".join(map(str, other.values))
            yield f"{place}.values", f"{other.name} never says {odd[0]!r}; accepted is one of {accepted}"


def _keys(scheme: Scheme) -> Iterator[Found]:
    taken: dict[str, FieldSpec] = {}
    for number, spec in enumerate(scheme.fields):
        for key in spec.keys:
            if key in PAGE_KEYS:
                yield f"fields.{number}", f"these keys are taken twice: {key} (of {spec.name} and of the page)"
            elif key in taken:
                other = taken[key].name
                yield f"fields.{number}", f"these keys are taken twice: {key} (of {other} and {spec.name})"
            elif not page.is_key(key):
                told = "accepted is one character, or a name such as F2"
                yield f"fields.{number}", f"field {spec.name}: {key!r} is no key; {told}"
            taken.setdefault(key, spec)


def _rules(scheme: Scheme) -> Iterator[Found]:
    filling = [number for number, rule in enumerate(scheme.rules) if rule.rule in rules.FILL]
    if len(filling) > 1:
        yield f"rules.{filling[1]}", "a second rule that fills in labels; a scheme has one"
    for number, rule in enumerate(scheme.rules):
        place = f"rules.{number}"
        if rule.rule not in rules.RULES:
            yield f"{place}.rule", f"there is no rule {rule.rule!r}; accepted is one of {', '.join(rules.RULES)}"
        else:
            yield from _settings(scheme, rule, place)


def _settings(scheme: Scheme, rule: RuleSpec, place: str) -> Iterator[Found]:
    takes = rules.parameters(rule.rule)
    for name in rule.settings:
        if name not in takes:
            yield f"{place}.{name}", f"{rule.rule} takes no {name!r}; accepted are {', '.join(takes)}"
    yield from _targets(scheme, rule, place)
    for name, needed in takes.items():
        if needed and name not in rule.settings:
            yield place, f"{rule.rule} needs {name}"
        elif name in rule.settings:
            yield from _setting(scheme, rule, name, place)


def _targets(scheme: Scheme, rule: RuleSpec, place: str) -> Iterator[Found]:
    """A rule that fills or stops goes from step to step; one that looks from field to field stays at its place."""
    named = [rule.settings.get(name) for name in ("field", "until", "by")]
    several = rule.settings.get("fields")
    found = [
        scheme.field(one) for one in [*named, *(several if isinstance(several, list) else [])] if isinstance(one, str)
    ]
    targets = {spec.target for spec in found if spec}
    if rule.rule in (*rules.FILL, "stop-after-first-error") and targets - {"step"}:
        yield f"{place}.field", f"{rule.rule} goes from step to step; accepted are fields of the target step"
    elif len(targets) > 1 and rule.rule in ("must-explain", "exclusive"):
        yield place, f"{rule.rule} is about fields of one target, not of {', '.join(sorted(targets))}"


def _setting(scheme: Scheme, rule: RuleSpec, name: str, place: str) -> Iterator[Found]:
    said = rule.settings[name]
    if name in rules.NAMES_A_FIELD or name == "fields":
        for one in said if name == "fields" and isinstance(said, list) else [said]:
            if not isinstance(one, str) or scheme.field(one) is None:
                listed = ", ".join(spec.name for spec in scheme.fields)
                yield (
                    f"{place}.{name}",
                    f"{rule.rule} names {one!r}, which is no field of the scheme; accepted: {listed}",
                )
        return
    spec = scheme.field(rule.field)
    for one in said if name == "values" and isinstance(said, list) else [said]:
        if spec is not None and spec.values and one not in spec.values:
            accepted = ", ".join(map(str, spec.values))
            yield f"{place}.{name}", f"{spec.name} never says {one!r}; accepted is one of {accepted}"


def _last(names: list[str], name: str) -> int:
    return len(names) - 1 - names[::-1].index(name)
