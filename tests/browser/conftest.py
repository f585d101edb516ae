"""A real Chromium on a real server. Nothing leaves the machine, and an error in the console fails the test."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request
from pytest_django.live_server_helper import LiveServer

from annotations import schemes
from annotations.models import User
from annotations.services import projects
from bench.web.chromium import QUIET, executable
from tests import make
from tests.browser.desk import Desk

# Playwright's synchronous API keeps an event loop in this thread; Django would refuse the ORM beside one.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@dataclass
class Watch:
    """What pages said to the console and where they asked for things. `allow` names errors a test brings about."""

    home: str
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    _allowed: list[str] = field(default_factory=list)

    def allow(self, pattern: str) -> None:
        self._allowed.append(pattern)

    def over(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.home, "data:", "blob:", "about:")):
            self.outside.append(request.url)

    def complaints(self) -> list[str]:
        return [one for one in self.errors if not any(re.search(pattern, one) for pattern in self._allowed)]


def launch_options() -> dict[str, Any]:
    """How Chromium is started, here and by a test that starts one of its own."""
    return {"executable_path": executable(shell=True), "args": QUIET}


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, **launch_options()}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}


@pytest.fixture
def watch(live_server: LiveServer) -> Iterator[Watch]:
    found = Watch(live_server.url)
    yield found
    assert found.outside == [], "a page asked for something outside"
    assert found.complaints() == [], "a page complained in the console"


class InFlight:
    """Requests the test's server is working on. A page may leave some behind, and the database must outlast them."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()
        request_started.connect(self._begun)
        request_finished.connect(self._over)

    def _begun(self, **_: object) -> None:
        with self._changed:
            self.count += 1

    def _over(self, **_: object) -> None:
        with self._changed:
            self.count -= 1
            self._changed.notify_all()

    def settle(self, seconds: float = 10) -> None:
        time.sleep(0.1)  # what a page told when it was closed may still be on its way
        with self._changed:
            assert self._changed.wait_for(lambda: self.count <= 0, seconds), "the server is still at work"
        request_started.disconnect(self._begun)
        request_finished.disconnect(self._over)


@pytest.fixture
def in_flight(transactional_db: None) -> Iterator[InFlight]:
    requests = InFlight()
    yield requests
    requests.settle()


@pytest.fixture
def context(in_flight: InFlight, watch: Watch, context: BrowserContext) -> Iterator[BrowserContext]:
    context.set_default_timeout(10_000)
    watch.over(context)
    yield context
    for page in context.pages:
        page.close()


def cookie_of(user: User, url: str) -> dict[str, str]:
    """A session of that person, as the browser keeps it."""
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": url}


@pytest.fixture
def log_in(context: BrowserContext, live_server: LiveServer) -> Callable[..., None]:
    """log_in(user) signs the person in without the form; log_in(user, other_context) in another browser context."""

    def enter(user: User, into: BrowserContext | None = None) -> None:
        (into or context).add_cookies([cookie_of(user, live_server.url)])

    return enter


@pytest.fixture
def desk_of(page: Page, live_server: LiveServer, log_in: Callable[..., None]) -> Callable[..., Desk]:
    """desk_of(scheme) opens a trajectory of three steps that is labelled by it: YAML, or the name of a shipped one."""

    def enter(scheme: str, *, steps: int = 3, reference: Any = None, messages: list[str] | None = None) -> Desk:
        named = schemes.read(scheme) if "\n" in scheme else schemes.shipped()[scheme]
        annotator = make.user()
        project = make.project(annotator, scheme=projects.freeze(named))
        trajectory = make.trajectory(project, steps=steps, of=make.task(project, reference=reference))
        for step, message in zip(trajectory.steps.of_agent(), messages or [], strict=False):
            step.message = message
            step.save()
        log_in(annotator)
        return Desk(page, live_server.url, make.lease(trajectory, annotator)).open()

    return enter


@pytest.fixture
def elsewhere_of(
    new_context: Callable[..., BrowserContext], watch: Watch, live_server: LiveServer
) -> Callable[[Desk], Desk]:
    """elsewhere_of(desk) opens the same on another device."""

    def enter(desk: Desk) -> Desk:
        context = new_context()
        watch.over(context)
        user = desk.annotation.rater.user
        assert user is not None
        context.add_cookies([cookie_of(user, live_server.url)])
        return Desk(context.new_page(), live_server.url, desk.annotation).open()

    return enter
