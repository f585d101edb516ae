"""The next task and the list of trajectories, against a bare authenticated page of the same stack.

All over real HTTP to the same gunicorn, taken in turns. 99 % of the trajectories have all their annotators, so that the
queue has to look past them; judges' and others' labels are there too.  Run: DATABASE_URL=… python -m bench queue
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bench import common
from bench.web.server import SETTINGS, Browser, serving

if TYPE_CHECKING:
    from annotations.models import Project, User

ASKED = 300
DONE = 0.99
OVERLAP = 2
LIMIT = "log-in checked, the empty frame of a page rendered, over the same HTTP server"


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    common.django_up()
    with serving() as port:
        measured = {size: asked(port, size) for size in common.SIZES}
    rows = []
    for size, times in measured.items():
        limit = common.quantile(times["bare"], 0.95)
        for what in ("next task", "list", "list, last page"):
            ours = common.quantile(times[what], 0.95)
            rows.append(common.at_most(f"{what} p95", size, ours, limit, LIMIT, 3.0))
    small, large = common.SIZES
    for what in ("next task", "list", "list, last page"):
        ours, limit = (common.quantile(measured[size][what], 0.5) for size in (large, small))
        rows.append(common.at_most(f"{what} p50, flat", large, ours, limit, f"the same at {small:,}", 1.5))
    common.write("queue", rows, asked=ASKED, done=DONE, overlap=OVERLAP)


def asked(port: int, size: int) -> dict[str, list[float]]:
    """Seconds of each request, by what was asked."""
    from annotations.models import Annotation

    project, person = busy(size)
    browser = Browser(port, person.username)
    browser.ask("GET", f"/p/{project.slug}/trajectories/")
    middle = project.trajectories.order_by("pk").values_list("pk", flat=True)[size * 98 // 100]
    pages = {"bare": "/bare/page/", "list": f"/p/{project.slug}/trajectories/"}
    pages["list, last page"] = f"{pages['list']}?after={middle}"
    times: dict[str, list[float]] = {what: [] for what in (*pages, "next task")}
    for _ in range(ASKED):
        for what, path in pages.items():
            times[what].append(browser.ask("GET", path))
        times["next task"].append(browser.ask("POST", f"/p/{project.slug}/label/", status=302))
        # A lease that is new each time: the last one is taken back as if it had never been.
        given = Annotation.objects.get(pk=int(browser.location.rstrip("/").rpartition("/")[2]))
        given.events.all().delete()
        given.delete()
    return times


def busy(size: int) -> tuple[Project, User]:
    """A project where nearly all is done, and one of the people who did it."""
    from django.db import connection
    from django.utils import timezone

    from annotations.models import Annotation, Membership, Rater, User

    project = common.project(f"queue-{size}", size, overlap=OVERLAP)
    people = [User.objects.create_user(f"queue-{size}-{number}") for number in range(4)]
    Membership.objects.bulk_create(Membership(project=project, user=one, role="annotator") for one in people)
    raters = [Rater.objects.create(project=project, kind="human", name=one.username, user=one) for one in people]
    judges = [Rater.objects.create(project=project, kind="judge", name=f"judge-{number}") for number in range(3)]
    done = project.trajectories.order_by("pk").values_list("pk", flat=True)[: int(size * DONE)]
    shared = {"scheme": project.scheme, "state": "submitted", "submitted_at": timezone.now()}
    Annotation.objects.bulk_create(
        (
            Annotation(rater=rater, trajectory_id=trajectory, seat=seat, **shared)
            for place, trajectory in enumerate(done)
            for rater, seat in [
                (raters[place % 4], 0),
                (raters[(place + 1) % 4], 1),
                *((judge, None) for judge in judges),
            ]
        ),
        batch_size=5000,
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return project, people[0]
