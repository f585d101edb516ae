"""Schemes to photograph: a draft that changes what the demo asks, and a project whose checklist is each task's own."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile

from annotations import jobs
from annotations.demo.build import HERE
from annotations.models import Project, Rubric, Task, User
from annotations.services import projects, rubrics, scheme_texts, uploads

NEUTRAL = "      - {value: 0, title: Neutral"
PERSON = [
    "Does it answer what was asked?",
    {"name": "source", "title": "Does each number come from a result?", "weight": 2, "help": "Not from the question."},
]
JUDGE = [
    "Does it name the month it looked at?",
    "Are all orders of that month counted, and no other?",
    "Is the sum in the currency that was asked for?",
]


def build(demo: Project, lead: User) -> dict[str, object]:
    """Returns the rows that addresses name."""
    scheme_texts.save(demo, without_neutral(scheme_texts.of_project(demo).text), lead)
    listed = checklists(lead)
    return {"listed": listed.pk}


def without_neutral(text: str) -> str:
    """The demo's scheme, with two answers in place of three."""
    lines = text.splitlines(keepends=True)
    assert any(line.startswith(NEUTRAL) for line in lines)
    return "".join(line for line in lines if not line.startswith(NEUTRAL)).replace(
        "title: Agent process, ternary with error propagation", "title: Agent process, right or wrong"
    )


def checklists(lead: User) -> Task:
    """A project with lists that a person wrote, and one of a judge that waits."""
    project = projects.create(slug="answers", title="Checked answers", scheme="checklist", owner=lead)
    file = SimpleUploadedFile("answers.jsonl", (HERE / "trajectories.jsonl").read_bytes())
    jobs.run_here(uploads.start(project, lead, file))
    first, second, third = Task.objects.filter(project=project).order_by("pk")[:3]
    for task in (first, second):
        rubrics.store(task, "checklist", PERSON, source=Rubric.Source.PERSON, by=lead)
    for task in (first, third):
        rubrics.store(task, "checklist", JUDGE, source=Rubric.Source.JUDGE, by=None, rater="gpt-judge")
    return first
