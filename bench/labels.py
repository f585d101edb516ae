"""Saving a label through the page's own door, against a bare authenticated Django view that writes one row.

Both over real HTTP to the same gunicorn, with session, CSRF check and a kept-alive connection, taken in turns so that
whatever else the machine does meets both alike.  Run: DATABASE_URL=… python -m bench labels
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bench import common
from bench.web.server import SETTINGS, Browser, serving

if TYPE_CHECKING:
    from annotations.models import Annotation, Project

SAVES = 600
LIMIT = "session and CSRF checked, one INSERT, over the same HTTP server"


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    common.django_up()
    rows = []
    with serving() as port:
        for size in common.SIZES:
            rows += measured(port, size)
    common.write("labels", rows, saves=SAVES, door="POST /p/<slug>/label/<annotation>/change, propagation as ghosts")


def measured(port: int, size: int) -> list[common.Row]:
    from annotations.models import Membership, Role, User

    project = common.project(f"labels-{size}", size)
    person = User.objects.create_user(f"person{size}")
    Membership.objects.create(project=project, user=person, role=Role.ANNOTATOR)
    browser = Browser(port, person.username)
    saves, bare = [], []
    for url, body in changes(project, person):
        saves.append(browser.ask("POST", url, body))
        bare.append(browser.ask("POST", f"/bare/write/{project.pk}/"))
        if len(saves) == SAVES + 50:
            break
    rows = []
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        ours, limit = (common.quantile(times[50:], share) for times in (saves, bare))  # the first ones warm it up
        rows.append(common.at_most(f"label save {name}", size, ours, limit, LIMIT, 2.0))
    return rows


def changes(project: Project, person: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """One request a label, as a person labels: each agent step of one trajectory after another, now and then a change
    of mind, and the final label."""
    from django.utils import timezone

    from annotations.models import Annotation
    from annotations.services import queue

    while annotation := queue.lease_next(project, person):
        url = f"/p/{project.slug}/label/{annotation.pk}/change"
        for revision, (step, field, value) in enumerate(answers(annotation)):
            items = [{"step": step, "field": field, "value": value}]
            yield url, {"change": str(uuid.uuid4()), "revision": revision, "items": items, "time_ms": 900}
        Annotation.objects.filter(pk=annotation.pk).update(
            state="submitted", lease_until=None, submitted_at=timezone.now()
        )


def answers(annotation: Annotation) -> Iterator[tuple[int | None, str, int]]:
    values = (1, 1, -1, 0)
    for place, step in enumerate(annotation.trajectory.steps.of_agent().only("id", "index")):
        yield step.index, "label", values[(annotation.pk + place) % 4]
        if place % 5 == 1:
            yield step.index, "label", values[(annotation.pk + place + 1) % 4]
    yield None, "final", 1
