"""What the keys do that a scheme brings."""

from __future__ import annotations

from collections.abc import Iterator

from annotations.keys import Action
from annotations.schemes.fields import ChoiceField, FirstErrorField, RubricField
from annotations.schemes.fields.base import Choice, FieldSpec
from annotations.schemes.fields.places import NONE
from annotations.schemes.schema import Scheme

DEEDS = {
    "choice": "next answer",
    "taxonomy": "choose from the list",
    "scale": "rate; then digits",
    "progress": "rate; then digits, as tens",
    "flag": "on or off",
    "text": "write",
    "correction": "rewrite",
    "intervention": "write it at this step",
    "spans": "mark the selection",
    "rubric": "next open item; there y is yes, n no",
    "first_error": "this step, or not",
    "preference": "compare",
}


def actions(scheme: Scheme) -> list[Action]:
    """One action a key of the scheme, named by the scheme, the field and the answer."""
    return [action for spec in scheme.fields for action in _of_field(scheme, spec)]


def _of_field(scheme: Scheme, spec: FieldSpec) -> Iterator[Action]:
    for choice in spec.options:
        if choice.keys:
            title = f"{spec.title}: {choice.title}"
            yield Action(f"{scheme.name}/answer:{spec.name}:{choice.value}", "Label", title, choice.keys)
    if isinstance(spec, ChoiceField) and spec.name == scheme.main and spec.level == "ordinal":
        yield from (_settles(scheme, spec, choice) for choice in spec.options if choice.keys)
    if isinstance(spec, FirstErrorField) and spec.none_key:
        yield Action(f"{scheme.name}/answer:{spec.name}:{NONE}", "Label", f"{spec.title}: none", (spec.none_key,))
    if spec.key:
        na = ", a does not apply" if isinstance(spec, RubricField) and spec.na else ""
        title = f"{spec.title}: {DEEDS[spec.kind]}{na}"
        yield Action(f"{scheme.name}/field:{spec.name}", "Label", title, (spec.key,))


def _settles(scheme: Scheme, spec: ChoiceField, choice: Choice) -> Action:
    """Answers all that is still open at once: the best answer before the step, this one from it on."""
    best = spec.choices[0]
    rest = "and all that is open" if choice is best else f"{best.title} before it where open, {choice.title} after"
    title = f"{spec.title}: {choice.title}, {rest}"
    return Action(f"{scheme.name}/settle:{spec.name}:{choice.value}", "Label", title, (f"Shift+{choice.keys[0]}",))
