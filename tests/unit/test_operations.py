from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
SETTINGS = (CHECKOUT / "app" / "settings.py").read_text()
PAGE = (CHECKOUT / "docs" / "operations.md").read_text()
READ = sorted(set(re.findall(r'\benv\.\w+\(\s*"([A-Z_]+)"|"([A-Z_]+)" not in os\.environ', SETTINGS)))


def test_settings_read_the_environment_in_the_ways_looked_for_here():
    assert len(re.findall(r"\benv\.\w+\(", SETTINGS)) == len(re.findall(r'\benv\.\w+\(\s*"[A-Z_]+"', SETTINGS))
    assert "os.environ[" not in SETTINGS
    assert "os.environ.get" not in SETTINGS


@pytest.mark.parametrize("name", [first or second for first, second in READ])
def test_every_variable_that_settings_read_is_explained_to_operators(name: str):
    assert f"`{name}`" in PAGE
