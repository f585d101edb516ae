"""Annotators as the server meets them: through the form and the doors of the label page, or in a browser."""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests import make
from tests.live.stacks import Stack

PATIENCE = 90  # seconds somebody keeps trying while servers are down


@dataclass
class Answer:
    status: int
    url: str
    body: Any


class Annotator:
    """One person's browser. What it sends is sent again, word for word, until a server that is up has answered."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.name = name
        self.cookies = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        page = self.ask("/accounts/login/").body
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
        form = {"login": name, "password": make.PASSWORD, "csrfmiddlewaretoken": token}
        entered = self.ask("/accounts/login/", urllib.parse.urlencode(form).encode())
        assert not entered.url.endswith("/accounts/login/"), entered.body

    def ask(self, path: str, data: bytes | None = None, kind: str = "application/x-www-form-urlencoded") -> Answer:
        """The answer after redirects. OSError and the like while nobody answers."""
        token = next((cookie.value for cookie in self.cookies if cookie.name == "csrftoken"), "")
        headers = {"Content-Type": kind, "X-CSRFToken": token, "Referer": self.url}
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with self.opener.open(request, timeout=10) as answer:
                status, url, text = answer.status, answer.url, answer.read()
        except urllib.error.HTTPError as refusal:
            with refusal:
                status, url, text = refusal.code, refusal.url, refusal.read()
        found = text.decode()
        return Answer(status, url, json.loads(found) if found.startswith("{") else found)

    def post(self, path: str, **body: Any) -> Answer:
        """Sent until it is answered by something better than an error of the server."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                answer = self.ask(path, json.dumps(body).encode(), "application/json")
            except (OSError, http.client.HTTPException) as away:
                problem: object = away
            else:
                if answer.status < 500:
                    return answer
                problem = answer.status
            assert time.monotonic() < deadline, f"{path}: {problem}"
            time.sleep(0.05)

    def next(self, slug: str) -> str | None:
        """The path of the label page the queue leads to; None when nothing is left."""
        answer = self.ask(f"/p/{slug}/label/")
        assert answer.status == 200, answer
        path = urllib.parse.urlsplit(answer.url).path
        return path if "/label/" in path else None

    def state(self, page: str) -> Any:
        return self.ask(f"{page}state").body

    def say(self, page: str, revision: int, *items: tuple[int | None, str, Any], **more: Any) -> Answer:
        told = [{"step": step, "field": field, "value": value} for step, field, value in items]
        body = {"change": str(uuid.uuid4()), "revision": revision, "items": told} | more
        return self.post(f"{page}change", **body)

    def submit(self, page: str, revision: int) -> Answer:
        return self.post(f"{page}submit", change=str(uuid.uuid4()), revision=revision, accept_ghosts=True)


def signed_in(chromium: Browser, stack: Stack, name: str) -> Page:
    """A page of a browser of that person's own, signed in by the form."""
    page = chromium.new_context(base_url=stack.url, viewport={"width": 1280, "height": 900}).new_page()
    page.goto("/")
    page.locator("[name=login]").fill(name)
    page.locator("[name=password]").fill(make.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Stepmark").first).to_be_visible()
    return page
