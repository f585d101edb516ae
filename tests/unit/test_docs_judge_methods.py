"""The page of methods names every method that a judge can have."""

from __future__ import annotations

from pathlib import Path

from models_service.judges import methods

PAGE = Path(__file__).parents[2] / "docs" / "judge-methods.md"


def test_every_method_has_its_row():
    rows = {line.split("`")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `")}
    assert rows == set(methods.METHODS)
