"""Opens each page as the person it is for, brings it to where it is worth showing, and keeps what Chromium drew."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from annotations.models import User
from bench.screens.pages import Screen
from bench.screens.pictures import HEIGHTS, KIND, QUALITY, SCHEMES, name
from bench.web.chromium import signed_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, CDPSession, ConsoleMessage, Page

PATIENCE = 20_000  # ms for what a page has to do
REST, TURN = 250, 80  # ms in which what a page fetches after it was opened is drawn, and other colours are
LEAST = 400  # px of height
# Where the page ends that is shorter than its window; a label page fills it, and so does one that is not ours.
CONTENT = """() => {
  if (!document.querySelector("main") || document.querySelector(".workbench")) return innerHeight;
  const ends = [...document.querySelectorAll("main > *")].map((one) => one.getBoundingClientRect().bottom);
  return Math.ceil(Math.max(...ends)) + 32;
}"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def take(browser: Browser, port: int, screens: list[Screen], places: Mapping[str, object], folder: Path) -> int:
    """All pictures of these pages; a page that is wider than its window is complained of, and so is what it
    says to the console."""
    folder.mkdir(parents=True, exist_ok=True)
    people = {user.username: user for user in User.objects.all()}
    for screen in screens:
        for width in HEIGHTS:
            with signed_in(browser, port, people.get(screen.who)) as context:
                context.set_default_timeout(PATIENCE)
                _both(_opened(context, screen, width, places), screen.name, width, folder)
    return len(screens) * len(HEIGHTS) * len(SCHEMES)


def _opened(context: BrowserContext, screen: Screen, width: int, places: Mapping[str, object]) -> Page:
    """The page as it is photographed, in a window of its height."""
    page = context.new_page()
    page.on("console", lambda said: _heard(screen, said))
    page.on("pageerror", lambda error: print(f"{screen.name}: {error}"))
    most = HEIGHTS[width] + screen.more
    page.set_viewport_size({"width": width, "height": most})
    page.goto(screen.path.format(**places))
    screen.deed(page)
    page.wait_for_timeout(REST)
    if beyond := page.evaluate(WIDER):
        print(f"{screen.name} is {beyond} px wider than its window of {width} px")
    page.set_viewport_size({"width": width, "height": max(LEAST, min(most, page.evaluate(CONTENT)))})
    return page


def _heard(of: Screen, said: ConsoleMessage) -> None:
    if said.type == "error" and not re.search(of.allows, said.text):
        print(f"{of.name}: {said.text}")


def _both(page: Page, of: str, width: int, folder: Path) -> None:
    """In light and in dark."""
    kind = os.environ.get("KIND", KIND)
    devtools = page.context.new_cdp_session(page)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(TURN)
        (folder / name(of, width, scheme, kind)).write_bytes(_shot(devtools, kind))


def _shot(devtools: CDPSession, kind: str) -> bytes:
    quality = {} if kind == "png" else {"quality": QUALITY}
    taken = devtools.send("Page.captureScreenshot", {"format": kind, **quality})
    return base64.b64decode(taken["data"])
