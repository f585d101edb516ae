"""Tables that are made from the code, in the pages of docs/ that show them."""

from __future__ import annotations

from pathlib import Path


def put(page: Path, begin: str, end: str, made: str) -> None:
    """Put what was made into its page, between the two marks."""
    text = page.read_text()
    before, after = text[: text.index(begin)], text[text.index(end) :]
    page.write_text(f"{before}{begin}\n{made}\n{after}")
