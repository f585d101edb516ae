"""What a lead waits for, in a project of a million labels: the next trajectory to decide, the list of what waits, the
trajectory's page of decisions and the report of agreement, against a bare authenticated page of the same stack.

All over real HTTP to the same gunicorn, taken in turns.  Run: DATABASE_URL=… python -m bench adjudication
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from bench import common
from bench.web.server import SETTINGS, Browser, serving

if TYPE_CHECKING:
    from annotations.models import Project, User

ASKED = 200
TRAJECTORIES, LABELS = 10_000, 1_000_000
WHATS = ("next to decide", "list of what waits", "page of decisions", "report")
LIMIT = "log-in checked, the empty frame of a page rendered, over the same HTTP server"
AIM = 4.0


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    common.django_up()
    project, lead, labels = disputed()
    with serving() as port:
        visitor = Visitor(port, project, lead)
        for _ in range(ASKED):
            visitor.ask()
    rows = []
    for what in WHATS:
        ours, limit = (common.quantile(visitor.times[one], 0.95) for one in (what, "bare"))
        rows.append(common.at_most(f"{what} p95", labels, ours, limit, LIMIT, AIM))
    common.write("adjudication", rows, asked=ASKED, trajectories=TRAJECTORIES)


class Visitor:
    """A lead's browser, and the seconds of each request, by what was asked."""

    def __init__(self, port: int, project: Project, lead: User) -> None:
        from annotations.models import Report
        from annotations.services import adjudication

        self.project, self.browser = project, Browser(port, lead.username)
        self.browser.headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.times: dict[str, list[float]] = {what: [] for what in ("bare", *WHATS)}
        self.base = f"/p/{project.slug}/adjudicate/"
        self.report = f"/p/{project.slug}/agreement/{Report.objects.get(project=project).pk}/"
        taken = adjudication.waiting(project).select_related("trajectory")[100].trajectory
        other = lead.__class__.objects.create_user("another-lead")
        self.decisions = f"{self.base}{adjudication.begin(taken, other).trajectory_id}/"
        self.ask()
        self.times = {what: [] for what in self.times}  # the first ones warmed it up

    def ask(self) -> None:
        pages = {"bare": "/bare/page/", WHATS[1]: self.base, WHATS[2]: self.decisions, WHATS[3]: self.report}
        for what, path in pages.items():
            self.times[what].append(self.browser.ask("GET", path))
        self.times[WHATS[0]].append(self.browser.ask("POST", f"{self.base}next/", status=302))
        found = re.search(r"/(\d+)/$", self.browser.location)
        assert found, self.browser.location
        self.take_back(int(found[1]))

    def take_back(self, trajectory: int) -> None:
        """As if it had never been taken up, so that the next one is new again."""
        from annotations.models import Adjudication, Annotation, Event

        one = Adjudication.objects.get(trajectory=trajectory)
        Event.objects.filter(annotation=one.annotation).delete()
        Annotation.objects.filter(pk=one.annotation_id).delete()


def disputed() -> tuple[Project, User, int]:
    """The project of `labelled`, with a report of the agreement of it all."""
    from annotations.models import Label, Report
    from annotations.services import agreement, agreement_fields, standing
    from models_service.statistics import report

    project, lead = labelled()
    standing.touch_all(project)
    table, fields = agreement.table(project, {}), agreement_fields.tables(project)
    result: dict[str, Any] = report.compute(table, fields, official=False, resamples=50, seed=0)
    Report.objects.create(project=project, kind="agreement", result=result, inputs={"sha256": "0" * 64})
    _analyse()
    return project, lead, Label.objects.count()


def labelled() -> tuple[Project, User]:
    """A project in which three people have labelled everything and often differ, and judges as many as it takes to come
    to a million labels."""
    from django.utils import timezone

    from annotations.models import Annotation, Membership, Rater, User

    project = common.project("disputed", TRAJECTORIES, overlap=3)
    lead = User.objects.create_user("lead")
    Membership.objects.create(project=project, user=lead, role="owner")
    steps = project.trajectories.filter(steps__source="agent").count()
    count = max(3, round(LABELS / steps))
    for number in range(count):
        person = number < 3
        user = User.objects.create_user(f"person-{number}") if person else None
        rater = Rater.objects.create(
            project=project, kind="human" if person else "judge", name=f"rater-{number}", user=user
        )
        shared = {"rater": rater, "scheme": project.scheme, "state": "submitted", "submitted_at": timezone.now()}
        keys = project.trajectories.order_by("pk").values_list("pk", flat=True)
        Annotation.objects.bulk_create((Annotation(trajectory_id=key, **shared) for key in keys), batch_size=5000)
        _label(rater.pk, number)
    _analyse()
    return project, lead


def _label(rater: int, number: int) -> None:
    """A label for each of the agent's steps, by arithmetic: about a tenth of them differ from another rater's."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO annotations_label
                   (annotation_id, step_id, field, value, origin, explanation, revision, created_at)
               SELECT a.id, s.id, 'label', to_jsonb(1 - ((s.id * 7919 + %s * 104729) %% 19 / 18) * 2), 'human', '',
                      1, now()
                 FROM annotations_annotation a JOIN annotations_step s ON s.trajectory_id = a.trajectory_id
                WHERE a.rater_id = %s AND s.source = 'agent'""",
            [number, rater],
        )


def _analyse() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
