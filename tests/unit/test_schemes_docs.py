"""docs/schemes.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from annotations import schemes
from annotations.schemes import catalogue, rules
from annotations.schemes.fields import KINDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "schemes.md").read_text()
PRESETS = schemes.shipped().values()


def test_the_table_of_presets_is_the_one_that_make_docs_would_write():
    assert catalogue.table() in PAGE, "run make docs"


def test_every_kind_of_field_and_every_rule_is_told_with_what_it_takes():
    for kind, spec in KINDS.items():
        (row,) = re.findall(rf"^\| `{kind}` \|.*$", PAGE, re.M)
        told = set(row.split("|")[-2].strip().split(", "))
        level = spec.model_fields["level"]
        assert told == set(map(str, getattr(level.annotation, "__args__", ()))), kind
    for rule in rules.RULES:
        (row,) = re.findall(rf"^\| `{rule}` \|.*$", PAGE, re.M)
        assert set(re.findall(r"`(\w+)`", row.split("|")[2])) == set(rules.parameters(rule))


def test_the_document_that_is_shown_is_a_scheme():
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    assert [spec.kind for spec in schemes.read(text).fields] == ["choice", "taxonomy", "scale", "text", "flag"]


@pytest.mark.parametrize("scheme", PRESETS, ids=lambda scheme: scheme.name)
def test_the_check_of_a_preset_names_a_test_that_there_is(scheme):
    path, _, name = scheme.check.test.partition("::")
    assert not name or f"def {name}(" in (ROOT / path).read_text()
    assert (ROOT / path).exists()


@pytest.mark.parametrize("scheme", PRESETS, ids=lambda scheme: scheme.name)
def test_a_preset_says_where_it_comes_from_how_to_label_by_it_and_what_that_looks_like(scheme):
    assert scheme.sources
    assert scheme.summary
    assert all(len(guideline.text.splitlines()) > 10 for guideline in scheme.guidelines)
    assert scheme.guidelines
    assert scheme.sample
    assert scheme.sample.answers
