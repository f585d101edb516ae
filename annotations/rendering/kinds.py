"""What kind of text it is. By cheap signs only, each bounded: the text may be long, and made to be slow."""

from __future__ import annotations

import re
from typing import NamedTuple

from annotations.rendering import code, diffs, jsons, markdown, tables, terminal

_HTML = re.compile(r"\s{0,100}(?:<!doctype html|<html|<\?xml|<svg)", re.IGNORECASE)
_SHEBANG = re.compile(r"#!\s?/[^\n]{0,60}\b(python|bash|sh|node)")
_TRACEBACK = "Traceback (most recent call last):\n"


class Kind(NamedTuple):
    """`name` is plain, json, lines (of JSON), terminal, diff, code, table or markdown; `language` that of code."""

    name: str
    language: str = ""


PLAIN = Kind("plain")


def of(text: str, part: str = "", title: str = "") -> Kind:
    """`part` is the kind of the part it is (message, reasoning, call, observation), `title` the tool's name."""
    if jsons.is_json(text):
        return Kind("json")
    if jsons.is_lines(text):
        return Kind("lines")
    if part in ("call", "observation") and (found := _of_tool(text, part, title)):
        return found
    if diffs.is_diff(text):
        return Kind("diff")
    return Kind("markdown") if markdown.is_markdown(text) else PLAIN


def _of_tool(text: str, part: str, title: str) -> Kind | None:
    if terminal.is_terminal(text):
        return Kind("terminal")
    if part == "call" and title.lower() in code.LANGUAGES:
        return Kind("code", code.LANGUAGES[title.lower()])
    if _HTML.match(text):
        return Kind("code", "html")
    if found := _SHEBANG.match(text):
        return Kind("code", "javascript" if found[1] == "node" else found[1])
    if text.startswith(_TRACEBACK):
        return Kind("code", "pytb")
    return Kind("table") if part == "observation" and tables.parse(text) else None
