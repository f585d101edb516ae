"""What the page says of an answer is what the server says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from annotations import schemes
from annotations.records import Json
from annotations.schemes.fields import ProgressField, RubricField, ScaleField
from annotations.schemes.fields.base import FieldSpec
from annotations.schemes.fields.rubric import Item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ITEMS = [
    {"name": "one", "title": "One", "weight": 3},
    {"name": "two", "title": "Two", "checks": [{"name": "a", "title": "A"}, {"name": "b", "title": "B"}]},
    {"name": "fault", "title": "Fault", "weight": -2},
]
SAID = [
    {"one": "yes", "a": "yes", "b": "no", "fault": "no"},
    {"one": "no", "a": "na", "fault": "yes"},
    {"fault": "yes"},
    {"one": "na"},
]
ASK = """async ([cases, items]) => {
    const { lacking, tone, words } = await import("/static/js/kinds.js");
    const { points } = await import("/static/js/points.js");
    const scored = (spec, value) => (spec.kind === "rubric" ? points(spec, value, items) : null);
    const isLacking = (spec, value) => lacking(spec, value, items) > 0;
    const told = [tone, words, isLacking, scored];
    return cases.map(([spec, value]) => told.map((one) => one(spec, value)));
}"""


def answers(spec: FieldSpec) -> Iterator[Json]:
    yield spec.sample()
    if isinstance(spec, ScaleField):
        numbers = [spec.min, spec.max, (spec.min + spec.max) / 2, spec.min + (spec.max - spec.min) / 3]
        yield from numbers if not spec.dimensions else [{one.name: n for one in spec.dimensions} for n in numbers]
        if spec.dimensions:
            yield {spec.dimensions[0].name: spec.min}
    elif spec.kind in ("choice", "taxonomy"):
        yield from ([one] if spec.kind == "taxonomy" else one for one in spec.values)
    elif isinstance(spec, RubricField) and spec.items:
        yield dict.fromkeys(spec.asked(), "yes")
        yield dict.fromkeys(spec.asked(), "no")
    elif spec.kind == "first_error":
        yield "none"


def asked(page: Page, live_server: LiveServer, cases: list[Any], items: Json = None) -> list[Any]:
    page.goto(f"{live_server.url}/accounts/login/")
    told = [[spec.model_dump(mode="json"), value] for spec, value in cases]
    found: list[Any] = page.evaluate(ASK, [told, items])
    return found


def test_tone_words_and_what_is_lacking_are_the_same_for_every_shipped_field(
    page: Page, live_server: LiveServer
) -> None:
    cases = [(spec, one) for named in schemes.shipped().values() for spec in named.fields for one in answers(spec)]
    for (spec, value), (tone, words, lacking, _) in zip(cases, asked(page, live_server, cases), strict=True):
        assert (tone, lacking) == (spec.tone(value), bool(spec.lacking(value))), (spec.name, value)
        if not isinstance(spec, ProgressField) and spec.kind not in ("preference", "spans"):
            assert words == spec.words(value), (spec.name, value)


@pytest.mark.parametrize("score", ["share", "weighted", "penalty"])
def test_the_score_of_a_rubric_is_the_same(page: Page, live_server: LiveServer, score: str) -> None:
    spec = RubricField.model_validate(
        {"name": "r", "title": "R", "kind": "rubric", "score": score, "na": True, "items": ITEMS}
    )
    cases = [(spec, one) for one in SAID]
    whole = [Item.model_validate(one).model_dump(mode="json") for one in ITEMS]
    for (_, value), (*_, points) in zip(cases, asked(page, live_server, cases, whole), strict=True):
        assert points == pytest.approx(spec.points(value)), value
