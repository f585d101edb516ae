"""The next task and the list of trajectories, against a bare authenticated page of the same stack.

All over real HTTP to the same gunicorn, taken in turns. 99 % of the trajectories have all their annotators, so that the
queue has to look past them; judges' and others' labels are there too. By policy, what is done stands first as well, as
it does when the order was made before the work.  Run: DATABASE_URL=… python -m bench queue
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench import common
from bench.web.server import SETTINGS, Browser, serving

if TYPE_CHECKING:
    from annotations.models import Project, Run, User

ASKED = 300
DONE = 0.99
OVERLAP = 2
BY_POLICY = "next task, by policy"
WHATS = ("next task", BY_POLICY, "list", "list, late page")
LIMIT = "log-in checked, the empty frame of a page rendered, over the same HTTP server"


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    common.django_up()
    visitors = {}
    with serving() as port:
        for size in common.SIZES:
            visitors[size] = Visitor(port, *busy(size))
        for _ in range(ASKED):  # both sizes in turns, so that other work of the machine meets both alike
            for visitor in visitors.values():
                visitor.ask()
    common.write("queue", list(compared(visitors)), asked=ASKED, done=DONE, overlap=OVERLAP)


def compared(visitors: dict[int, Visitor]) -> Iterator[common.Row]:
    for size, visitor in visitors.items():
        for what in WHATS:
            for name, share in (("p50", 0.5), ("p95", 0.95)):
                ours, limit = (common.quantile(visitor.times[one], share) for one in (what, "bare"))
                yield common.at_most(f"{what} {name}", size, ours, limit, LIMIT, 3.0)
        ours, limit = (common.quantile(visitor.times[what], 0.5) for what in (BY_POLICY, "next task"))
        yield common.at_most(f"{BY_POLICY} p50, beside", size, ours, limit, "the same in the order of import", 1.25)
    small, large = visitors
    for what in WHATS:
        ours, limit = (common.quantile(visitors[size].times[what], 0.5) for size in (large, small))
        yield common.at_most(f"{what} p50, flat", large, ours, limit, f"the same at {small:,}", 1.25)


class Visitor:
    """Somebody in one project, and the seconds of each request, by what was asked."""

    def __init__(self, port: int, project: Project, person: User) -> None:
        self.project, self.person, self.ranking = project, person, ranked(project)
        self.ended = dict.fromkeys(["next task", BY_POLICY], 0)
        self.browser = Browser(port, person.username)
        self.times: dict[str, list[float]] = {what: [] for what in ("bare", *WHATS)}
        self.queue = f"/p/{project.slug}/label/"
        listed = f"/p/{project.slug}/trajectories/"
        late = project.trajectories.order_by("pk").values_list("pk", flat=True)
        self.pages = {
            "bare": "/bare/page/",
            "list": listed,
            "list, late page": f"{listed}?after={late[len(late) - 60]}",
        }
        self.ask()
        self.times = {what: [] for what in self.times}  # the first ones warmed it up

    def ask(self) -> None:
        for what, path in self.pages.items():
            self.times[what].append(self.browser.ask("GET", path))
        self.ask_next("next task", None)
        self.ask_next(BY_POLICY, self.ranking)

    def ask_next(self, what: str, ranking: Run | None) -> None:
        """One that is new, in this order, by somebody whose last search in it ended where it did."""
        from annotations.models import Project, Rater

        Project.objects.filter(pk=self.project.pk).update(queue_ranking=ranking)
        mine = Rater.objects.filter(project=self.project, user__username=self.person.username)
        mine.update(queue_from=self.ended[what])
        self.times[what].append(self.browser.ask("POST", self.queue, status=302))
        self.ended[what] = mine.values_list("queue_from", flat=True).get()
        self.take_back(int(self.browser.location.rstrip("/").rpartition("/")[2]))

    def take_back(self, given: int) -> None:
        """As if the lease had never been, so that the next one is new again."""
        from annotations.models import Annotation, Event

        Event.objects.filter(annotation=given).delete()
        Annotation.objects.filter(pk=given).delete()


def ranked(project: Project) -> Run:
    """A run whose ranks put the project's trajectories in the order of their import, to be put in force."""
    from django.db import connection

    from annotations.models import QueueRank, Run

    run = Run.objects.create(project=project, kind="queue", state="done")
    shared = {"run": run, "drawn": "policy", "policy": "wrong", "priority": 0.5, "reason": "step 3: P(wrong) 0.50"}
    keys = project.trajectories.order_by("pk").values_list("pk", flat=True)
    rows = (QueueRank(trajectory_id=key, place=place, **shared) for place, key in enumerate(keys, 1))
    QueueRank.objects.bulk_create(rows, batch_size=5000)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE annotations_queuerank")
    return run


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
