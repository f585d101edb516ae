"""Waiting in a browser for what a script would say."""

from __future__ import annotations

import time

from playwright.sync_api import Page


def until(page: Page, what: str, seconds: float = 10) -> None:
    """Wait until the JavaScript expression is true. Playwright's wait_for_function evaluates text inside the page from
    the second look on, which our content security policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(what):
        assert time.monotonic() < end, f"not true after {seconds} s: {what}"
        page.wait_for_timeout(50)
