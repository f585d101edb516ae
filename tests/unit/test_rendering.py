"""What kind of text it is, and how it stands on a page: as evidence first."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.rendering import code, diffs, jsons, kinds, markdown, tables
from annotations.rendering.marks import inert
from annotations.rendering.shown import MOST, first, rendered, written
from annotations.rendering.tokens import to_text

DIFF = (
    "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@ def f\n kept\n-gone\n+came\n-- not of the hunk\n"
)
TABLE = "id,name,score\n1,Ann,0.5\n2,Bob,0.7\n"
PROSE = "# Plan\n\nI add \\(a + b\\).\n\n- one\n- two"


@pytest.mark.parametrize(
    ("text", "part", "title", "kind"),
    [
        ('{"a": 1}', "call", "look", "json"),
        ("[1, 2]", "message", "", "json"),
        ('{"a": 1}\n{"b": 2}\n', "observation", "", "lines"),
        ("42", "observation", "", "plain"),
        ('"said"', "observation", "", "plain"),
        ("{not json}", "observation", "", "plain"),
        ("\x1b[31mred\x1b[0m", "observation", "", "terminal"),
        ("10%\r20%", "observation", "", "terminal"),
        ("\x1b[31mred\x1b[0m", "message", "", "plain"),
        ("from Windows\r\nto here\r\n", "observation", "", "plain"),
        (DIFF, "message", "", "diff"),
        ("see @@ -1 +1 @@ there", "message", "", "plain"),
        ("print(1)", "call", "python", "code"),
        ("print(1)", "call", "search", "plain"),
        ("<!DOCTYPE html>\n<p>x", "observation", "", "code"),
        ("#!/usr/bin/env bash\nls", "observation", "", "code"),
        (TABLE, "observation", "", "table"),
        (TABLE, "message", "", "plain"),
        ("one, two, three\nfour, five", "observation", "", "plain"),
        (PROSE, "message", "", "markdown"),
        ("It costs $5, or $6 with tax.", "message", "", "plain"),
        (r"It is $\frac{1}{2}$.", "message", "", "markdown"),
        ("An ordinary sentence. Another one - with a dash, 3 * 4 and a_b_c.", "message", "", "plain"),
    ],
)
def test_a_text_is_known_by_what_is_in_it(text: str, part: str, title: str, kind: str) -> None:
    assert kinds.of(text, part, title).name == kind


def test_what_only_lays_out_or_colours_comes_first_and_what_draws_on_request() -> None:
    for text in ('{"a": 1}', DIFF):
        assert first(text).offers == "written"
        assert first(text).html != written(text).html
    for text in (PROSE, r"\[x\]"):
        assert first(text) == written(text)
        assert first(text).offers == "rendered"
        assert rendered(text).html != written(text).html
    table = (TABLE, "observation", "")
    assert first(*table) == written(*table)
    assert "<table>" in rendered(*table).html
    assert first("plain") == written("plain") == rendered("plain")
    assert first("plain").offers == ""


def test_a_text_that_is_longer_than_any_view_can_bear_is_shown_as_it_was_written() -> None:
    text = json.dumps(["x"] * (MOST // 4))
    assert len(text) > MOST
    assert first(text) == written(text) == rendered(text)
    assert first(text).kind == "plain"


def test_a_text_that_begins_with_a_newline_keeps_it() -> None:
    assert written("\nsecond").html == '<pre class="text" dir="auto">\n\nsecond</pre>'


# --- hidden characters


def test_a_hidden_character_is_a_mark_that_names_it() -> None:
    mark = '<span class="hidden-character" title="U+202E right-to-left override">U+202E</span>'
    assert inert("a\u202eb") == f"a{mark}b"
    for view in (first, written, rendered):
        assert mark in view("**a\u202eb**").html


def test_what_belongs_to_a_character_is_no_mark() -> None:
    for text in ("\U0001f469\u200d\U0001f680", "\u2764\ufe0f", "a\u0301", "\t\n"):
        assert inert(text) == text


def test_many_hidden_characters_in_a_row_are_one_mark_that_counts_them() -> None:
    found = inert("x" + "\u200b\u200c" * 5_000 + "y")
    assert found.count("<span") == 1
    assert 'data-count="10000"' in found
    assert "2 different in all" in found


def test_a_carriage_return_survives_the_parser_of_a_page() -> None:
    assert inert("a\r\nb") == "a&#13;\nb"
    assert "U+000D" in inert("a\rb")


# --- JSON


def laid(text: str) -> str:
    assert jsons.is_json(text) or jsons.is_lines(text)
    return to_text(jsons.laid_out(text))


def test_json_keeps_every_token_as_it_was_written() -> None:
    assert laid('{"a":1.50,   "b":[1e3,2],"a":-0}') == '{"a": 1.50, "b": [1e3, 2], "a": -0}'


def test_json_that_is_too_wide_opens_and_a_container_of_one_thing_opens_on_its_line() -> None:
    wide = "x" * 100
    assert laid(f'{{"a":{{"b":["{wide}"]}},"c":[]}}') == f'{{\n  "a": {{"b": ["{wide}"]}},\n  "c": []\n}}'


def test_a_long_string_breaks_at_its_newlines_and_shows_them() -> None:
    code = 'import os\\nfor one in many:\\n    print(\\"one\\", one)\\nreturn\\n'
    assert laid(f'{{"code":"{code}"}}') == (
        '{"code": "import os\\n\n'
        "          for one in many:\\n\n"
        '              print(\\"one\\", one)\\n\n'
        '          return\\n"}'
    )


def test_an_escape_of_a_visible_character_becomes_it_and_others_stay() -> None:
    assert laid(r'["\u4f60\ud83d\ude00", "\u202e\u0000\ud83d", "\\u4f60"]') == (
        r'["你😀", "\u202e\u0000\ud83d", "\\u4f60"]'
    )


def test_lines_of_json_stay_lines() -> None:
    assert laid('{"a":1}\n{"b":[1,2]}\n') == '{"a": 1}\n{"b": [1, 2]}'


def test_nesting_and_numbers_beyond_reason_are_no_trouble() -> None:
    assert not jsons.is_json("[" * 100_000 + "]" * 100_000)
    assert jsons.is_json(f"[{'1' * 100_000}]")
    deep = "[1," * 900 + "1" + "]" * 900
    assert re.sub(r"\s", "", laid(deep)) == deep


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES.filter(lambda value: isinstance(value, (list, dict))))
def test_laying_out_changes_nothing_but_space(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert re.sub(r"\s", "", laid(text)) == re.sub(r"\s", "", text)


# --- diffs, code, tables


def test_lines_of_a_diff_keep_their_signs_and_end_where_the_hunk_says() -> None:
    html = diffs.to_html(DIFF)
    assert "<del>-gone\n</del><ins>+came\n</ins>" in html
    assert '<span class="d-line">-- not of the hunk\n</span>' in html
    assert '<span class="d-hunk">@@ -1,2 +1,2 @@ def f\n</span>' in html


def test_code_has_colours_and_all_its_characters() -> None:
    text = "def f(x):\n    return 'a' + x  # why\n"
    pieces = code.coloured(text, "py")
    assert to_text(pieces) == text
    assert {("t-kw", "def"), ("t-name", "f"), ("t-str", "'a'"), ("t-com", "# why")} <= set(pieces)
    assert code.coloured(text, "brainfuck") == [("", text)]


@given(st.text(alphabet="ab1 \n\t'\"\\`#/*-<>!&;=$@%.{}"), st.sampled_from(sorted(code.LANGUAGES)))
def test_no_language_loses_or_adds_a_character(text: str, language: str) -> None:
    assert to_text(code.coloured(text, language)) == text


def test_a_table_has_a_head_and_says_what_it_leaves_out() -> None:
    table = tables.parse("a\tb\n" + "1\t\n" * 1_500)
    assert table is not None
    html = tables.to_html(table)
    assert "<th>a</th><th>b</th>" in html
    assert html.count("<tr>") == tables.ROWS
    assert "501 more rows: see the text as written" in html


# --- Markdown and maths


def test_markdown_says_where_links_lead_and_loads_no_image() -> None:
    html = markdown.drawn("[here](https://a.example/b) and ![a map](https://a.example/map.png) <https://c.example>")
    assert '<a href="https://a.example/b" rel="noopener noreferrer nofollow">here <span class="address">' in html
    assert "[image: a map https://a.example/map.png]" in html
    assert ">https://c.example</a>" in html


def test_headings_of_a_text_are_none_of_the_page() -> None:
    assert markdown.drawn("# Step 9") == '<p class="heading"><strong>Step 9</strong></p>\n'


def test_a_table_in_markdown_moves_within_itself() -> None:
    html = markdown.drawn("| a | |\n|---|--:|\n| 1 | 2 |")
    assert html.startswith('<div class="scrolls" role="group" aria-label="Table" tabindex="0"><table>')
    assert '<td class="number">2</td>' in html


def maths(text: str) -> list[str]:
    return re.findall(r'<(?:span|div) class="maths(?: display)?">([^<]*)<', markdown.drawn(text))


def test_maths_is_marked_with_its_tex_as_text() -> None:
    assert maths(r"so \(a<b\) and \[x^2\] and $$y_1$$ too") == ["a&lt;b", "x^2", "y_1"]
    assert maths("\\[\na\n\n- b\n\\]\n\n$$\nc\n$$") == ["\na\n\n- b\n", "\nc\n"]
    assert maths("\\begin{align*}\na &= b\n\\end{align*}") == ["\\begin{align*}\na &amp;= b\n\\end{align*}"]
    assert maths(r"`\(code\)` and \\(escaped\\) and \( \) and \(open") == []


def test_a_dollar_is_money_unless_the_text_sets_tex_in_dollars() -> None:
    assert maths("**It** costs $5 or $6, and $x$ is a variable of the shell.") == []
    assert maths(r"Let $x$ be $\frac{1}{2}$, for $5 and $6.") == ["x", r"\frac{1}{2}"]
