"""Unified diffs: lines that came and went, told apart by their own + and - as well as by colour. No character goes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from annotations.rendering.marks import inert

_HUNK = re.compile(r"@@ -\d{1,9}(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@")
_HEADS = ("diff --git ", "index ", "--- ", "+++ ", "new file mode ", "deleted file mode ", "rename ", "similarity ")


def is_diff(text: str) -> bool:
    """Whether there is a hunk in it: its heading at the beginning of a line, and a changed line right in it."""
    at = text.find("@@ -")
    while at >= 0:
        if (at == 0 or text[at - 1] == "\n") and _HUNK.match(text, at) and _changes(text, at):
            return True
        at = text.find("\n@@ -", at)
        at = at + 1 if at >= 0 else at
    return False


def _changes(text: str, at: int) -> bool:
    return any(line[:1] in ("+", "-") for line in text[at : at + 4_000].split("\n")[1:20])


def to_html(text: str) -> str:
    return "".join(f"<{tag}>{inert(line)}</{tag.split(' ')[0]}>" for tag, line in _lines(text))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Each line with its newline, and the tag it goes into. A hunk ends where its heading says."""
    gone = came = 0
    for line in text.splitlines(keepends=True) if "\r" not in text else re.findall(r"[^\n]*\n|[^\n]+", text):
        if found := _HUNK.match(line):
            gone, came = int(found[1] or 1), int(found[2] or 1)
            yield 'span class="d-hunk"', line
        elif (gone or came) and line[0] in "+- \n\r":
            gone -= line[0] != "+" and gone > 0
            came -= line[0] != "-" and came > 0
            yield {"+": "ins", "-": "del"}.get(line[0], 'span class="d-line"'), line
        else:
            yield 'span class="d-head"' if line.startswith(_HEADS) else 'span class="d-line"', line
