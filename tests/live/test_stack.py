from __future__ import annotations

import pytest

from tests.live.stacks import Stack

pytestmark = pytest.mark.live


@pytest.mark.parametrize("part", ["web", "worker", "broker", "postgres"])
def test_a_killed_part_comes_back_by_itself(stack: Stack, part: str):
    killed = stack.kill(part)
    stack.wait_back(part, killed)
    assert stack.get() == 200
