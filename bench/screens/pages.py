"""Every page that is photographed: who sees it, where it is, and what is done to it before.

An address names rows as bench.screens.world makes them: {fresh} is a pass of that state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


def nothing(page: Page) -> None:
    """The page is worth showing as it opens."""


@dataclass(frozen=True)
class Screen:
    """`who` is a user name, nobody where it is empty. `allows` names what the page says to the console and may."""

    name: str
    who: str
    path: str
    deed: Callable[[Page], None] = nothing
    allows: str = "(?!)"
    more: int = 0  # px of height beyond the usual; less than it where negative


def ready(page: Page) -> None:
    """Wait until a label page answers to keys."""
    page.wait_for_selector("html[data-ready]", state="attached")


def keys(*pressed: str) -> Callable[[Page], None]:
    """Press these on a label page."""

    def press(page: Page) -> None:
        ready(page)
        for key in pressed:
            page.keyboard.press(key)

    return press


def carried(page: Page) -> None:
    """From the top, with the step in focus whose label is carried on."""
    keys("j")(page)
    page.evaluate("scrollTo(0, 0)")


def found(page: Page) -> None:
    keys("/")(page)
    page.keyboard.type("order")
    page.locator("[data-find-count]", has_text="found").wait_for()


def offered(page: Page) -> None:
    """With the first suggestion in sight."""
    ready(page)
    page.locator("[data-offer]:not([hidden])").first.scroll_into_view_if_needed()


def asking(page: Page) -> None:
    keys("j", "q")(page)
    page.keyboard.type("It asks for the quantity alone, not for the product. Right all the same?")


def conflict(page: Page) -> None:
    """Another device said something else of the step while this one was offline."""
    ready(page)
    page.context.set_offline(True)
    page.keyboard.press("0")
    browser = page.context.browser
    assert browser
    with browser.new_context() as elsewhere:
        elsewhere.add_cookies(page.context.cookies())  # type: ignore[arg-type]
        other = elsewhere.new_page()
        other.goto(page.url)
        ready(other)
        for key in ("1", "-"):
            with other.expect_response("**/change"):
                other.keyboard.press(key)
    page.context.set_offline(False)
    page.wait_for_selector("dialog[open]")


def others(page: Page) -> None:
    """Where the others differ, on the strip."""
    ready(page)
    page.click("[data-do=others]")
    page.click("dialog[open] button[value=show]")
    page.locator("[data-cell][data-mark]").first.wait_for()


def first_record(page: Page) -> None:
    """From the list of a file to the first record in it."""
    page.click("tbody th a")
    page.wait_for_load_state()


def edited(page: Page) -> None:
    """With a word that is no kind of field, told as it was typed."""
    page.wait_for_selector("html[data-ready]", state="attached")
    text = page.locator("#id_text")
    text.fill(text.input_value().replace("kind: flag", "kind: falg"))
    page.locator("[data-mistakes-list] li a").click()


LABEL = "/p/demo/label/"

SCREENS = (
    Screen("login", "", "/accounts/login/"),
    Screen("home", "maya", "/"),
    Screen("project-new", "lead", "/projects/new/"),
    Screen("project-lead", "lead", "/p/demo/"),
    Screen("project-assisted", "lead", "/p/assisted/"),
    Screen("project-annotator", "maya", "/p/demo/"),
    Screen("trajectories", "lead", "/p/demo/trajectories/"),
    Screen("trajectories-filtered", "lead", "/p/demo/trajectories/?label=-1&differ=1&sort=doubt"),
    Screen("trajectory", "lead", "/p/demo/trajectories/{told}/"),
    Screen("trajectory-long", "lead", "/p/repairs/trajectories/{long_told}/"),
    Screen("compare", "lead", "/p/demo/compare/?ids={siblings}"),
    Screen("print", "lead", "/p/demo/trajectories/{told}/print/"),
    Screen("label", "ines", LABEL + "{fresh}/", ready),
    Screen("label-carried", "noor", LABEL + "{carried}/", carried, more=60),
    Screen("label-keys", "ines", LABEL + "{fresh}/", keys("?")),
    Screen("label-find", "ines", LABEL + "{fresh}/", found),
    Screen("label-ask", "ines", LABEL + "{fresh}/", asking, more=60),
    Screen("label-conflict", "sven", LABEL + "{torn}/", conflict, "ERR_INTERNET_DISCONNECTED|status of 409"),
    Screen("label-submitted", "maya", LABEL + "{submitted}/", ready),
    Screen("label-assisted", "maya", "/p/assisted/label/{assisted}/", offered),
    Screen("label-first-pass", "maya", "/p/first-pass/label/{first_pass}/", ready),
    Screen("label-others", "maya", LABEL + "{differing}/", others),
    Screen("label-long", "uma", "/p/repairs/label/{long}/", keys("k", "j")),
    Screen("questions", "lead", "/p/demo/questions/"),
    Screen("thread", "lead", "/p/demo/questions/{thread}/"),
    Screen("pace", "lead", "/p/assisted/pace/"),
    Screen("members", "lead", "/p/demo/members/"),
    Screen("settings", "lead", "/p/assisted/settings/"),
    Screen("scheme", "lead", "/p/demo/scheme/", more=-200),
    Screen("scheme-edit", "lead", "/p/demo/scheme/edit/?version=1", edited),
    Screen("scheme-version", "lead", "/p/demo/scheme/2/", more=-350),
    Screen("scheme-change", "lead", "/p/demo/scheme/2/force/"),
    Screen("scheme-preset", "lead", "/schemes/harm-spans/", more=-300),
    Screen("scheme-help", "lead", "/help/schemes/", more=-400),
    Screen("rubrics", "lead", "/p/answers/rubrics/", more=-400),
    Screen("rubric", "lead", "/p/answers/rubrics/{listed}/checklist/", more=-200),
    Screen("guidelines", "lead", "/p/demo/guidelines/"),
    Screen("guideline", "lead", "/p/demo/guidelines/2/"),
    Screen("imports", "lead", "/p/first-pass/import/"),
    Screen("traces", "lead", "/p/live/traces/"),
    Screen("runs", "lead", "/p/demo/runs/"),
    Screen("run", "lead", "/p/first-pass/runs/{import_}/"),
    Screen("exports", "lead", "/p/demo/exports/"),
    Screen("agreement", "lead", "/p/demo/agreement/"),
    Screen("report", "lead", "/p/demo/agreement/{report}/"),
    Screen("scores", "lead", "/p/demo/scores/"),
    Screen("queue", "lead", "/p/demo/queue/", more=-600),
    Screen("tokens", "lead", "/tokens/"),
    Screen("password", "maya", "/accounts/password/change/"),
    Screen("logout", "maya", "/accounts/logout/"),
    Screen("api-docs", "lead", "/api/v1/docs/"),
    Screen("preferences", "maya", "/preferences/"),
    Screen("help", "maya", "/help/"),
    Screen("bundle", "", "{bundle}/index.html"),
    Screen("bundle-page", "", "{bundle}/stepmark_demo-0-1-{told}.html"),
    Screen("view", "", "{viewer}"),
    Screen("view-page", "", "{viewer}", first_record),
    Screen("forbidden", "maya", "/p/demo/settings/", allows="status of 403"),
    Screen("not-found", "maya", "/p/there-is-no-such-project/", allows="status of 404"),
)
