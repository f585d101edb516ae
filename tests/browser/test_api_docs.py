"""The page to try the API on keeps to the policy of scripts, and asks nobody else for anything."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_the_api_can_be_read_and_tried_in_the_browser(live_server, page: Page):
    page.goto(f"{live_server.url}/api/v1/docs/")
    expect(page.locator(".info .title")).to_contain_text("Stepmark")
    page.get_by_role("button", name="GET /api/v1/projects/{slug}/labels/", exact=False).first.click()
    expect(page.get_by_text("Current labels: your own", exact=False)).to_be_visible()
