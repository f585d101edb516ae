"""What we took from others is what its README says it is."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

VENDORED = Path(__file__).parents[2] / "frontend_templates" / "static" / "vendor"


@pytest.mark.parametrize("folder", sorted(VENDORED.iterdir()), ids=lambda folder: folder.name)
def test_every_file_has_the_sum_that_its_readme_gives(folder: Path) -> None:
    said = dict(
        reversed(line.split())
        for line in re.findall(r"^    [0-9a-f]{64}  \S+$", (folder / "README.md").read_text(), re.M)
    )
    files = {path for path in folder.rglob("*") if path.is_file() and path.name != "README.md"}
    assert {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files} == said
    assert "LICENSE" in said
