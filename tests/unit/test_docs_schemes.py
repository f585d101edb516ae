"""The scheme in the leads' page is one, and says what the page says of it."""

from __future__ import annotations

import re
from pathlib import Path

from annotations import schemes
from annotations.schemes.fields.base import Around
from annotations.schemes.rules import View, effects, is_closed

PAGE = (Path(__file__).parents[2] / "docs" / "leads.md").read_text()


def example() -> str:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    return str(text)


def test_the_example_is_a_scheme_of_five_kinds():
    scheme = schemes.read(example())
    assert {spec.kind for spec in scheme.fields} == {"choice", "taxonomy", "scale", "flag", "text"}
    assert (scheme.main, scheme.final) == ("label", "served")


def test_the_example_takes_its_own_answers_and_asks_what_is_wrong_only_where_a_turn_harms():
    scheme = schemes.read(example())
    for spec in scheme.fields:
        assert spec.refusal(spec.sample(Around(1))) == ""
    for said, closed in (("helps", True), ("harms", False)):
        found = effects(scheme, View([1, 3], {(1, "label"): said}))
        assert is_closed(found, 1, "error") is closed
    found = effects(scheme, View([1], {(1, "label"): "harms"}))
    assert {(1, "note"): "has to say why"} in [dict(one.problems) for one in found]


def test_a_slip_in_the_example_is_told_with_its_line_its_key_and_what_is_accepted():
    text = example().replace("kind: taxonomy", "kind: taxonmy")
    line = text.splitlines().index("    kind: taxonmy") + 1
    try:
        schemes.read(text)
    except schemes.SchemeRefused as no:
        (mistake,) = no.mistakes
    assert (mistake.line, mistake.key) == (line, "fields.1.kind")
    assert mistake.reason.startswith("found 'taxonmy'; accepted is one of choice, taxonomy")
