"""The web server and PostgreSQL are killed while people label: what was acknowledged is there, and nothing twice."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from tests.live.people import Annotator
from tests.live.stacks import Stack, until

pytestmark = pytest.mark.live

PEOPLE = 4
STEPS = 30

PREPARE = f"""
from tests import make
people = [make.user(f"label-{{number}}") for number in range({PEOPLE})]
project = make.project(*people, slug="labelling", overlap={PEOPLE}, propagation="fill")
make.trajectory(project, steps={STEPS})
answer = [person.username for person in people]
"""

STORED = """
from annotations.models import Annotation, Event, Label
answer = {}
for annotation in Annotation.objects.filter(rater__project__slug="labelling").select_related("rater"):
    current = annotation.labels.current()
    said = current.filter(origin="human").values_list("step__index", "field", "value")
    answer[annotation.rater.name] = {
        "said": sorted([index or 0, field, value] for index, field, value in said),
        "filled": current.filter(origin="propagated").count(),
        "places": current.count(),
        "revision": annotation.revision,
        "changes": Event.objects.filter(annotation=annotation, verb="change").count(),
        "kept": Event.objects.filter(annotation=annotation, verb="kept").count(),
        "rows": Label.objects.filter(annotation=annotation, origin="human").count(),
    }
"""


class Session:
    """One person labelling round after round until told to stop, with a note of all that was acknowledged."""

    def __init__(self, person: Annotator, page: str) -> None:
        self.person = person
        self.page = page
        self.said: dict[int, Any] = {}
        self.revision = 0
        self.acknowledged = 0

    def label_until(self, enough: Event) -> None:
        values = (1, -1, 0)
        while not enough.is_set():
            step = 1 + self.acknowledged % STEPS
            value = values[(self.acknowledged // STEPS + step) % 3]
            answer = self.person.say(self.page, self.revision, (step, "label", value))
            assert answer.status == 200, answer
            self.said[step] = value
            self.acknowledged += 1
            self.revision = answer.body["revision"]


def test_no_acknowledged_label_is_lost_or_doubled_when_servers_are_killed(stack: Stack):
    sessions = []
    for name in stack.shell(PREPARE):
        person = Annotator(stack.url, name)
        page = person.next("labelling")
        assert page
        sessions.append(Session(person, page))

    enough = Event()
    with ThreadPoolExecutor(PEOPLE) as pool:
        labelling = [pool.submit(session.label_until, enough) for session in sessions]
        try:
            for victim in ("web", "postgres", "web", "postgres"):
                before = [session.acknowledged for session in sessions]
                until(lambda: all(s.acknowledged > b for s, b in zip(sessions, before, strict=True)), what="labels")  # noqa: B023
                time.sleep(0.2)
                stack.wait_back(victim, stack.kill(victim))
            time.sleep(0.5)
        finally:
            enough.set()
        for done in labelling:
            done.result()

    stored = stack.shell(STORED)
    for session in sessions:
        found = stored[session.person.name]
        assert found["said"] == sorted([step, "label", value] for step, value in session.said.items())
        assert found["revision"] == session.revision == session.acknowledged
        assert found["changes"] + found["kept"] == session.acknowledged, "each change is one event"
        assert found["rows"] == session.acknowledged, "each change is one row"
        assert found["places"] <= STEPS

        shown = session.person.state(session.page)
        mine = {one["step"]: one["value"] for one in shown["labels"] if one["origin"] == "human"}
        assert mine == session.said
