"""What is photographed: the demo and what it lacks, made through the services that the pages use."""

from __future__ import annotations

import json
import random
import uuid
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from annotations import jobs
from annotations.demo import load
from annotations.demo.build import HERE
from annotations.models import (
    Annotation,
    ApiToken,
    Membership,
    Project,
    Rater,
    Role,
    Run,
    Thread,
    Trajectory,
    User,
    WorkerBeat,
)
from annotations.services import asking, guidelines, members, projects, queue, ratings, setup, uploads
from annotations.services.outcomes import Item
from bench.screens import long, people, schemes, sent

ADDED = """
## Calls that are made twice

The same call again brings nothing: neutral the first time, wrong from the second repeat on, unless something changed.
"""
BROKEN = (
    {"question": "Which file?", "messages": []},
    {"query_index": 12, "sample_index": 0, "total_index": 120, "question": "Which file?", "messages": "none"},
)


def build() -> dict[str, object]:
    """Fill the database. Returns the rows that addresses name."""
    demo = load.load()
    count_rows()
    lead = load.person(load.LEAD)
    for name in ("ines", "noor", "sven"):
        joined(demo, name, lead)
    asked = talk(demo, lead)
    guidelines.publish(demo, demo.guidelines.all()[0].text.rstrip() + "\n" + ADDED, lead)
    work(demo, lead)
    ApiToken.objects.create(user=lead, name="nightly import")
    sent.build(lead)
    return {
        **passes(demo),
        **other_projects(lead),
        **long.build(lead),
        **schemes.build(demo, lead),
        "thread": asked.pk,
        "told": told(demo).pk,
        "siblings": ",".join(str(one.pk) for one in told(demo).task.trajectories.order_by("rollout")[:3]),
        "import_": Run.objects.filter(project__slug="first-pass", kind=Run.Kind.IMPORT).latest("pk").pk,
        "report": demo.reports.filter(kind="agreement").latest("pk").pk,
    }


def settle() -> None:
    """What holds while the pictures are taken: what workers do was done in this process, but pages look as they do
    where one runs."""
    count_rows()
    soon = timezone.now() + timedelta(minutes=30)
    WorkerBeat.objects.create(name="worker", queues=["light", "gpu"], beat_at=soon)


def count_rows() -> None:
    """Tell the planner how much there is; nothing else does in a database that lives for minutes."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def joined(project: Project, name: str, lead: User, role: Role = Role.ANNOTATOR) -> User:
    """Somebody who is a member of the project."""
    person = load.person(name)
    members.add(project, person, role, Membership.objects.get(project=project, user=lead))
    return person


def told(demo: Project) -> Trajectory:
    """A trajectory of which two people, two rules and the reference speak, and not all the same."""
    return demo.trajectories.get(external_id="stepmark_demo:0:1")


def talk(demo: Project, lead: User) -> Thread:
    """A question that was answered, one that was not, and a flag."""
    maya, tomas = (User.objects.get(username=name) for name in ("maya", "tomas"))
    first, second = submitted(demo, maya)[:2]
    asked = ask(first, maya, "ask", "Nobody asked which days the orders cover. Right, or neutral?")
    asking.reply(
        asked, lead, "Right: it makes sure that March is in the data before it filters by month.", uuid.uuid4()
    )
    ask(second, maya, "ask", "The month is a wrong one only in the next step. Is this one right all the same?")
    ask(
        submitted(demo, tomas)[4],
        tomas,
        "flag",
        "This result is an error of the tool, not an answer. Was it recorded like that?",
    )
    return asked


def ask(annotation: Annotation, person: User, kind: str, text: str) -> Thread:
    step = annotation.trajectory.steps.of_agent()[0].index
    return asking.begin(annotation.pk, person, kind=kind, step=step, text=text, key=uuid.uuid4()).thread


def submitted(project: Project, person: User) -> list[Annotation]:
    return list(
        Annotation.objects.filter(
            rater__project=project, rater__user=person, state=Annotation.State.SUBMITTED
        ).order_by("pk")
    )


def work(demo: Project, lead: User) -> None:
    """The runs that the demo asks for, and an export."""
    jobs.start(Run.Kind.EXPORT, demo, lead, format="parquet")
    for run in demo.runs.filter(state=Run.State.QUEUED).order_by("pk"):
        jobs.run_here(run)


def passes(demo: Project) -> dict[str, object]:
    """Passes of the demo: nothing said yet, an error that is carried on, one for two devices, one handed in, and one
    that others did otherwise."""
    carried = begun(demo, "noor")
    answer(carried, 1, -1)
    maya = submitted(demo, User.objects.get(username="maya"))
    return {
        "fresh": begun(demo, "ines").pk,
        "carried": carried.pk,
        "torn": begun(demo, "sven").pk,
        "submitted": maya[1].pk,
        "differing": next(one.pk for one in maya if one.trajectory.external_id == "stepmark_demo:0:3"),
    }


def answer(annotation: Annotation, *values: int) -> None:
    """Label the first steps."""
    user = annotation.rater.user
    assert user
    for step, value in zip(annotation.trajectory.steps.of_agent(), values, strict=False):
        people.say(annotation, user, Item(step=step.index, field="label", value=value), 5000)


def begun(project: Project, name: str) -> Annotation:
    annotation = queue.lease_next(project, User.objects.get(username=name))
    assert annotation, f"nothing is left in {project.slug} for {name}"
    return annotation


def other_projects(lead: User) -> dict[str, object]:
    """A project whose passes are assisted by a rule, and one whose first passes are without hindsight."""
    progressive = made("first-pass", "Without hindsight", lead)
    setup.change(progressive, lead, mode=Project.Mode.PROGRESSIVE)
    first = begun(progressive, "maya")
    answer(first, 1)
    return {"assisted": assisted(lead).pk, "first_pass": first.pk}


def assisted(lead: User) -> Annotation:
    """An assisted pass that is begun, in a project in which two people are at work with and without help."""
    project = made("assisted", "Assisted by a rule", lead)
    said = HERE / "labels" / "rule-tool-errors.jsonl"
    ratings.import_labels(project, [said], rater="rule-tool-errors", kind=Rater.Kind.JUDGE, by=lead)
    count_rows()
    setup.change(project, lead, mode=Project.Mode.ASSISTED, prefill="judge:rule-tool-errors", prefill_confidence=0.6)
    random.seed(7)  # which passes are blind is drawn
    blind(project, lead, 30)
    people.work(project, User.objects.get(username="maya"), 14)
    people.work(project, joined(project, "tomas", lead), 11)
    blind(project, lead, 0)
    found = begun(project, "maya")
    blind(project, lead, 30)
    return found


def blind(project: Project, lead: User, share: int) -> None:
    setup.change(project, lead, blind_share=share)
    project.refresh_from_db()


def made(slug: str, title: str, lead: User) -> Project:
    """The demo's rollouts in a project of their own, uploaded with two that are broken, and Maya to label them."""
    project = projects.create(slug=slug, title=title, owner=lead)
    broken = "".join(json.dumps(record) + "\n" for record in BROKEN)
    file = SimpleUploadedFile("tuesday.jsonl", (HERE / "trajectories.jsonl").read_bytes() + broken.encode())
    jobs.run_here(uploads.start(project, lead, file))
    joined(project, "maya", lead)
    project.refresh_from_db()
    return project
