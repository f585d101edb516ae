"""What the pictures are called, where they are kept, and how large they are."""

from __future__ import annotations

from bench.common import ROOT

FOLDER = ROOT / "docs" / "screenshots"
HEIGHTS = {1280: 1000, 400: 1200}  # width → most pixels of height
SCHEMES = ("light", "dark")
KIND, QUALITY = "webp", 40


def names(page: str, kind: str = KIND) -> list[str]:
    """The files of one page."""
    return [name(page, width, scheme, kind) for width in HEIGHTS for scheme in SCHEMES]


def name(page: str, width: int, scheme: str, kind: str = KIND) -> str:
    return f"{page}-{width}-{scheme}.{kind}"
