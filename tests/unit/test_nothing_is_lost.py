"""Every promise of docs/nothing-is-lost.md names a test, and that test is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROMISES = re.findall(r"^\| (?!What happens|---)(.+)$", (ROOT / "docs" / "nothing-is-lost.md").read_text(), re.M)


def test_there_are_promises():
    assert len(PROMISES) > 30


@pytest.mark.parametrize("promise", PROMISES, ids=lambda row: row.split("|")[0].strip()[:60])
def test_a_promise_names_its_test(promise: str):
    named = re.search(r"`(\S+\.py)::(\w+)` \|$", promise)
    assert named, f"{promise!r} names no test"
    assert re.search(rf"^def {named[2]}\(", (ROOT / "tests" / named[1]).read_text(), re.M), f"there is no {named[2]}"
