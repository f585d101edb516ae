"""An annotator over plain HTTP, who sends what was said until the server has confirmed it, as the page does."""

from __future__ import annotations

import http.client
import json
import random
import re
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from bench.web.server import Browser

DATA = re.compile(rb'<script id="workbench-data" type="application/json">(.*?)</script>', re.DOTALL)
AWAY = (http.client.HTTPException, OSError)
AGAIN = 0.2  # s between tries while the server is away
TIMEOUT = 12  # s, as in static/js/doors.js
PATIENCE = 120  # s for which something is tried
VALUES = (1, 1, -1, 0)
COME_IN = 4  # s over which people come in
CHANGED_MINDS = 5  # after so many labels one of them is corrected


@dataclass
class Said:
    """One change; when it was sent the last time, how often, and how many seconds the try took that was answered."""

    annotation: int
    change: str
    step: int | None
    field: str
    value: int
    sent: float = 0.0
    tries: int = 0
    took: float = 0.0


@dataclass
class Annotator:
    """Works through the queue of a project: takes an item, says something of each step, hands it in, takes the next.

    `pause` is how long they think before each request, on average; `bare` an address that is asked for after each
    label, to compare with; `others` are when those were sent and the seconds they took. `hang_up` is the share of
    changes after which the connection breaks before the answer is there.
    """

    browser: Browser
    project: str
    pause: float
    until: threading.Event
    bare: str = ""
    seed: int = 0
    hang_up: float = 0.0
    said: list[Said] = field(default_factory=list)
    submitted: list[int] = field(default_factory=list)
    others: list[tuple[float, float]] = field(default_factory=list)

    def work(self) -> None:
        self.rng = random.Random(self.seed)
        self.browser.connection.timeout = TIMEOUT
        time.sleep(self.rng.uniform(0, COME_IN))
        while not self.until.is_set() and (item := self._next()):
            self._label(item)
        self.browser.connection.close()

    def _next(self) -> str:
        """The address of the next item; nothing where there is none."""
        self._insist("POST", f"/p/{self.project}/label/", status=302)
        return self.browser.location if re.search(r"/label/\d+/$", self.browser.location) else ""

    def _label(self, item: str) -> None:
        self._insist("GET", item)
        found = DATA.search(self.browser.answer)
        assert found, "the page came without its data"
        data = json.loads(found[1])
        revision = data["desk"]["state"]["revision"]
        for step, name, value in self._answers(data):
            if self.until.is_set():
                return
            one = Said(data["annotation"], str(uuid.uuid4()), step, name, value)
            revision = self._say(item, one, revision)
            if self.bare:
                self._think()
                sent = time.time()
                self.others.append((sent, self._insist("POST", self.bare)))
        self._hand_in(item, data["annotation"], revision)

    def _answers(self, data: dict[str, Any]) -> list[tuple[int | None, str, int]]:
        steps = [first + stride * place for first, stride, count in data["desk"]["steps"] for place in range(count)]
        answers: list[tuple[int | None, str, int]] = []
        for place, step in enumerate(steps, start=1):
            answers.append((step, "label", self.rng.choice(VALUES)))
            if place % CHANGED_MINDS == 0:
                value = next(one for one in VALUES if one != answers[-1][2])
                answers.append((step, "label", value))
        return [*answers, (None, "final", 1)]

    def _say(self, item: str, one: Said, revision: int) -> int:
        """Returns the revision that the server told."""
        self._think()
        self.said.append(one)
        items = [{"step": one.step, "field": one.field, "value": one.value}]
        body = {"change": one.change, "revision": revision, "items": items, "time_ms": round(self.pause * 1000)}
        one.took = self._insist("POST", f"{item}change", body, of=one)
        return int(json.loads(self.browser.answer)["revision"])

    def _hand_in(self, item: str, annotation: int, revision: int) -> None:
        self._think()
        body = {"change": str(uuid.uuid4()), "revision": revision, "accept_ghosts": True}
        self._insist("POST", f"{item}submit", body)
        self.submitted.append(annotation)

    def _think(self) -> None:
        time.sleep(self.rng.uniform(0.5, 1.5) * self.pause)

    def _insist(self, method: str, path: str, body: Any = None, status: int = 200, of: Said | None = None) -> float:
        """Ask until there is an answer, with the very same body. Returns the seconds of the try that got it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            if of:
                of.sent, of.tries = time.time(), of.tries + 1
            try:
                if of and of.tries == 1 and self.rng.random() < self.hang_up:
                    self.browser.tell(method, path, body)
                    raise ConnectionAbortedError
                return self.browser.ask(method, path, body, status)
            except AWAY:
                if time.monotonic() > deadline:
                    raise
                self.browser.connection.close()
                time.sleep(AGAIN)
