"""The page of methods names every method that a judge can have, the ways that go with them, and where each is from."""

from __future__ import annotations

import re
from pathlib import Path

from models_service.judges import methods

PAGE = (Path(__file__).parents[2] / "docs" / "judge-methods.md").read_text()
EVERYTHING = {*methods.METHODS, "wrong_steps", "pairwise"}


def test_every_method_and_every_way_has_its_row():
    rows = {line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")}
    assert rows == EVERYTHING


def test_the_page_says_where_each_is_from():
    sources = PAGE.split("## Where they come from", 1)[1]
    heads = [line.split(":", 1)[0] for line in sources.splitlines() if line.startswith("- `")]
    assert {name for head in heads for name in re.findall(r"`([a-z_]+)`", head)} == EVERYTHING
