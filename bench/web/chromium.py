"""A real Chromium on the server of a benchmark: a fresh profile, somebody signed in, nothing asked for outside."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

if TYPE_CHECKING:
    from annotations.models import User

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
PATIENCE = 120_000  # ms that a page may take before the benchmark gives up on it


WHOLE, SHELL = ("chromium", "chromium-browser"), ("chromium-headless-shell",)


def executable(*, shell: bool = False) -> str:
    """$CHROMIUM, or the one on the path: the whole browser, or with `shell` rather the one without windows, which does
    not draw the browser's own surroundings for each page and is twice as fast."""
    names = SHELL + WHOLE if shell else WHOLE + SHELL
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    assert path, "Chromium is missing: apt-get install chromium, or set CHROMIUM to its path."
    return path


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    # Playwright's synchronous API keeps an event loop in this thread; Django would refuse the ORM beside one.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=QUIET)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def signed_in(browser: Browser, port: int, user: User | None) -> Iterator[BrowserContext]:
    """A profile of its own, with an empty cache, in which that person, or nobody, is signed in. Addresses may begin
    with "/"."""
    home = f"http://127.0.0.1:{port}"
    context = browser.new_context(base_url=home, viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    if user:
        context.add_cookies([{"name": "sessionid", "value": _session(user), "url": home}])
    try:
        yield context
    finally:
        context.close()


def _session(user: User) -> str:
    from django.test import Client

    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def open_desk(page: Page, path: str) -> None:
    """Go to a label page, and wait until it answers to keys."""
    page.goto(path)
    page.wait_for_selector("html[data-ready]", state="attached")
