"""What the documents say is so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from annotations import schemes
from annotations.formats import lines, parquet
from annotations.forms import SettingsForm
from annotations.keys import PAGE
from annotations.models import Project
from annotations.rendering import images, markdown, maths, outline, shown, tables
from annotations.schemes import keys as scheme_keys
from annotations.services import bodies, compare, filters, pace, suggestions
from annotations.templatetags.keys import presses
from annotations.views import paper, turns

ACTIONS = [*PAGE, *scheme_keys.actions(schemes.shipped()["agent-process"])]
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


def rows_of(page: str) -> list[list[str]]:
    """The cells of all tables of a page."""
    lines = (ROOT / "docs" / page).read_text().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_each_action_of_the_label_page_is_in_the_annotators_tables_with_its_keys(action):
    pressed = [" ".join(presses(key)).replace("−", "-") for key in action.keys]
    assert [action.title, ", ".join(pressed)] in [
        [title, keys.replace("`", "")] for title, keys, *_ in (row for row in rows_of("annotators.md") if len(row) == 2)
    ]


def test_no_action_that_is_not_there_is_in_the_annotators_tables():
    page = (ROOT / "docs" / "annotators.md").read_text()
    tables = page[page.index("\n## Keys\n") : page.index("\nOn a Mac")]
    named = re.findall(r"^\| (.+?) \| `", tables, re.M)
    assert sorted(named) == sorted(action.title for action in ACTIONS)


@pytest.mark.parametrize("choice", [*Project.Mode, *Project.Propagation])
@pytest.mark.parametrize("name", ["annotators.md", "leads.md"])
def test_each_mode_and_way_to_carry_on_is_told_to_those_who_label_and_those_who_lead(name, choice):
    assert re.search(rf"[*`]{choice.value}[*`]", (ROOT / "docs" / name).read_text())


@pytest.mark.parametrize("label", [*SettingsForm.base_fields])
def test_each_setting_is_in_the_leads_page(label):
    names = {"overlap": "People per trajectory", "lease_minutes": "Lease, minutes"}
    titles = SettingsForm.Meta.labels | names
    said = titles.get(label, label.replace("_", " ").capitalize())
    assert said in {row[0] for row in rows_of("leads.md")}


def test_the_numbers_that_hold_where_a_lead_does_not_say_otherwise_are_in_the_leads_page():
    page = (ROOT / "docs" / "leads.md").read_text()
    usual = {name: Project._meta.get_field(name).default for name in ("blind_share", "prefill_confidence")}
    assert f"{usual['blind_share']} % unless" in page
    assert f"({usual['prefill_confidence']} unless" in page
    assert f"at least {suggestions.COMPARED_AT_LEAST} steps" in page
    assert f"({pace.UNDER} and {pace.HASTY} seconds)" in page
    assert f"{compare.FEWEST} to {compare.MOST} rollouts" in page


def test_each_command_of_ours_is_documented():
    pages = "".join(page.read_text() for page in PAGES)
    ours = {name for name, app in get_commands().items() if str(app) in ("annotations", "app.stack")}
    assert {"bundle", "view", "up"} <= ours
    assert [name for name in sorted(ours) if f"manage.py {name}" not in pages] == []


def test_each_column_of_the_long_table_is_in_the_engineers_page():
    named = {name for row in rows_of("engineers.md") for name in re.findall(r"`([a-z_]+)`", row[0])}
    assert named >= {*parquet.TEXTS, *parquet.WHOLES, *parquet.TIMES, "number"}


def test_each_filter_and_order_of_the_list_of_trajectories_is_in_the_leads_page():
    page = (ROOT / "docs" / "leads.md").read_text()
    asked = {one.name for one in fields(filters.Filters)}
    assert [name for name in sorted({*asked, *filters.SORTS}) if f"`{name}`" not in page] == []


def test_what_the_reading_page_says_of_sizes_is_so():
    page = (ROOT / "docs" / "reading.md").read_text()
    sizes = [
        turns.FOLD_LINES,
        turns.FOLD_CHARACTERS,
        outline.HEAD,
        outline.LONG,
        outline.BEGINNING,
        shown.MOST,
        markdown.MOST,
        maths.MOST,
        tables.ROWS,
        tables.COLUMNS,
        images.MOST // 2**20,
        images.MOST_PIXELS // 10**6,
        paper.TEXT,
        paper.WHOLE,
        paper.STEPS,
    ]
    assert [size for size in sizes if not re.search(rf"(?<![\d,]){size:,}(?![\d,])", page)] == []


SAMPLES = {  # a kind → a text of it, and the part of a step and the tool it comes from
    "json": ('{"a": 1}', "message", ""),
    "lines": ('{"a": 1}\n{"b": 2}', "message", ""),
    "diff": ("--- a\n+++ b\n@@ -1 +1 @@\n-one\n+two\n", "message", ""),
    "code": ("print(1)", "call", "python"),
    "terminal": ("\x1b[31mred\x1b[0m\n", "observation", "bash"),
    "markdown": ("# Title\n\n- one\n- two\n", "message", ""),
    "table": ("a,b,c\n1,2,3\n4,5,6\n", "observation", "sql"),
    "plain": ("Just words.", "message", ""),
}
ROW_OF = {"lines": "lines of JSON", "terminal": "terminal output", "table": "a table", "plain": "anything else"}


@pytest.mark.parametrize("kind", SAMPLES)
def test_what_the_reading_page_says_comes_first_does_and_so_does_the_button(kind):
    (row,) = [
        row for row in rows_of("reading.md") if len(row) == 3 and ROW_OF.get(kind, kind).lower() in row[0].lower()
    ]
    found = shown.first(*SAMPLES[kind])
    assert found.kind == kind
    offered = re.match(r"\*(.+?)\*", row[2])
    assert (offered[1].removeprefix("as ") if offered else "") == found.offers
    assert (row[1] == "as it was written") == (found.offers != "written")


@pytest.mark.parametrize(
    "text", ["#!/usr/bin/env python\nx = 1", "<html><b>hi</b></html>", "<svg/>", "<?xml version='1.0'?>"]
)
def test_what_the_reading_page_calls_code_is_shown_as_code(text):
    assert shown.first(text, "observation", "cat").kind == "code"
    assert "<b>" not in shown.first(text, "observation", "cat").html


def test_limits_of_a_line_are_those_of_the_reader():
    page = (ROOT / "docs" / "engineers.md").read_text()
    assert f"{lines.LONGEST >> 20} MiB" in page
    for most in (lines.MOST, lines.MOST_VALUES, lines.DEEPEST):
        assert f"{most:,}" in page


def test_the_engineers_page_leads_to_the_page_of_all_formats():
    assert "](formats.md)" in (ROOT / "docs" / "engineers.md").read_text()  # test_docs_formats holds what stands there


def test_limits_that_operators_are_told_are_so():
    page = (ROOT / "docs" / "operations.md").read_text()
    assert f"up to {lines.LONGEST >> 20} MiB unpacked" in page
    assert f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE >> 20} MB" in page
    assert f"{bodies.KEPT // 10**6} million characters" in page
    assert f"{images.MOST >> 20} MiB and {images.MOST_PIXELS // 10**6} million pixels" in page
    assert f"{paper.WHOLE:,} characters" in page


def test_the_changelog_names_the_version_that_ships():
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.M)
    assert version
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text()
