"""What the documents say is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from annotations import schemes
from annotations.keys import PAGE_KEYS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_pages_name_exist(page):
    known = get_commands()
    for command in re.findall(r"manage\.py ([a-z_]+)", page.read_text()):
        assert command in known, f"{page.name} names {command}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets_that_pages_name_exist(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for target in re.findall(r"`?make ([a-z]+)`", page.read_text()):
        assert target in targets, f"{page.name} names make {target}"


def test_the_keys_of_the_shipped_scheme_are_in_the_annotators_page():
    page = (ROOT / "docs" / "annotators.md").read_text()
    for field in schemes.shipped()["agent-process"].fields:
        for key in (field.key, *(key for choice in field.choices for key in choice.keys)):
            assert not key or f"`{key}`" in page, key


def test_the_keys_of_the_page_itself_are_in_the_annotators_page():
    page = (ROOT / "docs" / "annotators.md").read_text()
    for key in PAGE_KEYS - {"g"}:
        assert f"`{key}`" in page, key


def test_every_export_and_import_format_is_in_the_engineers_page():
    from annotations.formats import FORMATS

    page = (ROOT / "docs" / "engineers.md").read_text()
    for name in FORMATS:
        assert f"`{name}`" in page, name


def test_every_shipped_scheme_has_a_guideline_of_its_own():
    for scheme in schemes.shipped().values():
        assert (schemes.HERE / scheme.guideline).read_text().startswith("# ")


def test_the_changelog_names_the_version_that_ships():
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.M)
    assert version
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text()
