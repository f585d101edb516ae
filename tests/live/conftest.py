"""One running stack for all tests that do not need one of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright

from tests.browser.conftest import launch_options
from tests.live.stacks import Stack, until


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A ready stack without the demo. Tests make their own projects in it, and may kill its parts (`stack.kill`)
    as long as they wait until these are back (`stack.wait_back`)."""
    running = Stack(tmp_path_factory.mktemp("stack") / "home").start()
    until(lambda: running.health().get("workers"), what="a living worker")
    yield running
    running.stop()
    assert running.left_running() == []


@pytest.fixture
def own_stack() -> Iterator[Callable[..., Stack]]:
    """Makes stacks (tests/live/stacks.py) that this test starts itself, and ends them with it however it goes."""
    made: list[Stack] = []

    def make(*arguments: Any, **options: Any) -> Stack:
        made.append(Stack(*arguments, **options))
        return made[-1]

    yield make
    for one in made:
        if one.process and one.process.poll() is None:
            one.stop()


@pytest.fixture
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(**launch_options())
    yield browser
    browser.close()
