"""Writing a scheme: what each key means, told by the very classes and functions that read it."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET
from pydantic import BaseModel

from annotations.access import Request
from annotations.rendering import markdown
from annotations.schemes import rules
from annotations.schemes.fields import KINDS
from annotations.schemes.fields.base import Choice, Condition, FieldSpec
from annotations.schemes.fields.rubric import Item
from annotations.schemes.fields.scale import Dimension, Mark
from annotations.schemes.schema import GuidelineText, SaidHere, Sample, Scheme, Source
from annotations.views import scheme_words

# Parts that fields and the scheme are made of, by the words a writer looks for.
PARTS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("An answer (choices, types)", Choice),
    ("A condition (when)", Condition),
    ("An item of a checklist", Item),
    ("A dimension of a scale", Dimension),
    ("A mark of a scale", Mark),
    ("Guidelines", GuidelineText),
    ("A source", Source),
    ("The sample", Sample),
    ("An answer of the sample", SaidHere),
)


MANY = {"an object": "objects", "a text": "texts", "a number": "numbers", "a whole number": "whole numbers"}


class Key(NamedTuple):
    """A key of a document: whether it has to stand there, what it takes, and what holds where it is left out."""

    name: str
    needed: bool
    takes: str
    default: str


@login_required
@require_GET
def page(request: Request) -> HttpResponse:
    common = _keys(FieldSpec, "kind")
    context = {
        "whole": _keys(Scheme),
        "common": common,
        "kinds": [
            (name, scheme_words.KINDS[name], _told(kind), _own(kind, {one.name for one in common}))
            for name, kind in KINDS.items()
        ],
        "parts": [(title, _keys(part)) for title, part in PARTS],
        "rules": [(name, _told(rule), rules.parameters(name)) for name, rule in rules.RULES.items()],
    }
    return render(request, "schemes/help.html", context)


def _own(kind: type[FieldSpec], common: set[str]) -> list[Key]:
    """The keys a kind has beyond what all have, and those of all that it takes in its own way."""
    usual = {one.name: one for one in _keys(FieldSpec)}
    return [one for one in _keys(kind, "kind") if one.name not in common or one != usual[one.name]]


def _keys(model: type[BaseModel], *but: str) -> list[Key]:
    schema = model.model_json_schema()
    parts = schema.get("$defs", {})
    schema = (
        parts[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    )  # one that holds others of its kind
    needed = set(schema.get("required", ()))
    return [
        Key(name, name in needed, _takes(found, parts), _default(found))
        for name, found in schema.get("properties", {}).items()
        if name not in but
    ]


def _takes(found: dict[str, Any], parts: dict[str, Any]) -> str:
    """What a property of a JSON Schema takes, in a few words."""
    if "enum" in found or "const" in found:
        return " or ".join(_said(one) for one in found.get("enum", [found.get("const")]) if one != "")
    if "anyOf" in found:
        said = dict.fromkeys(_takes(one, parts) for one in found["anyOf"] if one.get("type") != "null")
        return " or ".join(said)
    if found.get("type") == "array":
        inner = _takes(found.get("items", {}), parts)
        return f"a list of {MANY.get(inner, inner)}" if inner else "a list"
    words = {"string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
    return words.get(found.get("type", ""), "an object" if "$ref" in found or found.get("type") == "object" else "")


def _default(found: dict[str, Any]) -> str:
    default = found.get("default")
    return "" if default in (None, "", [], ()) else _said(default)


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _told(of: Any) -> SafeString:
    """What the class or the function says of itself."""
    return markdown.to_html(inspect.cleandoc(of.__doc__ or ""))
