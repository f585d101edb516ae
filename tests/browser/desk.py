"""The label page as a test talks about it."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from annotations.models import Annotation, Label


class Desk:
    """One annotation open in one page."""

    def __init__(self, page: Page, live_url: str, annotation: Annotation) -> None:
        self.page = page
        self.annotation = annotation
        self.url = f"{live_url}/p/{annotation.rater.project.slug}/label/{annotation.pk}/"

    def open(self) -> Desk:
        self.page.goto(self.url)
        return self.ready()

    def ready(self) -> Desk:
        expect(self.page.locator("html[data-ready]")).to_have_count(1)
        return self

    def press(self, *keys: str) -> Desk:
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def card(self, step: int) -> Locator:
        return self.page.locator(f"#step-{step}")

    def choice(self, step: int, title: str) -> Locator:
        return self.card(step).get_by_role("button", name=title)

    def shows(self, step: int, title: str | None) -> None:
        """The answer pressed on a step's card; None: no answer is."""
        pressed = self.card(step).locator("[data-choice][aria-pressed=true] .choice-title")
        if title is None:
            expect(pressed).to_have_count(0)
        else:
            expect(pressed).to_have_text(title)

    def ghosts(self, *steps: int) -> None:
        """Exactly these steps show a suggestion, on their card and in the strip."""
        expect(self.page.locator("[data-ghost]")).to_have_count(len(steps))
        for step in steps:
            expect(self.card(step).locator(".choice.ghost")).to_have_count(1)

    def in_focus(self, step: int) -> None:
        expect(self.page.locator("[data-step][aria-current]")).to_have_attribute("data-step", str(step))

    def saved(self) -> Desk:
        # as the script says it: the page arrives saying "saved" before it has looked at what waits in the browser
        expect(self.page.locator("html[data-ready] [data-status]")).to_have_attribute("data-status", "saved")
        assert self.waiting() == 0
        return self

    def waiting(self) -> int:
        """How many changes wait in the browser."""
        queues = "Object.keys(localStorage).filter((key) => key.startsWith('stepmark:outbox'))"
        return int(self.page.evaluate(f"{queues}.reduce((sum, key) => sum + JSON.parse(localStorage[key]).length, 0)"))

    def trouble(self, pattern: str) -> None:
        expect(self.page.locator("[data-trouble]")).to_contain_text(re.compile(pattern))

    def stored(self, field: str = "label") -> dict[int | None, Any]:
        """What the database has now of one field: step → value."""
        mine = Label.objects.current().filter(annotation=self.annotation, field=field)
        return dict(mine.values_list("step__index", "value"))

    def origins(self) -> dict[int | None, str]:
        mine = Label.objects.current().filter(annotation=self.annotation, field="label")
        return dict(mine.values_list("step__index", "origin"))
