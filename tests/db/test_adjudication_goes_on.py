"""What was decided, and how far raters differ, through imports, changes of the scheme and new versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from annotations import jobs, schemes
from annotations.models import Adjudication, Annotation, JudgeVerdict, Label, Rater, Standing
from annotations.services import adjudication, imports, projects, scheme_changes, scheme_texts, standing
from annotations.services import judges as services
from tests import judges, make
from tests.db.importing import rollout
from tests.db.test_scheme_changes import ONE, RENAMED
from tests.judge_server import JudgeServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    return make.user("lead")


@pytest.fixture
def project(lead):
    made = make.project(owner=lead, scheme=projects.freeze(schemes.read(ONE)))
    scheme_texts.mark_used(scheme_texts.save(made, ONE, lead))
    return made


def person(project, name: str) -> Rater:
    return make.rater(project, name, Rater.Kind.HUMAN, make.user(name))


def disputed(project) -> Any:
    found = make.trajectory(project, steps=2)
    for name, values in (("ann", [1, -1]), ("bob", [1, 1])):
        make.rating(person(project, name), found, values, 1)
    standing.touch(project, [found.pk])
    return found


def settled(trajectory, lead) -> Adjudication:
    found = adjudication.begin(trajectory, lead)
    adjudication.decide(found, lead, (2, "label"), -1)
    return adjudication.settle(found, lead)


def put(project, text: str, lead) -> None:
    scheme_changes.change(project, scheme_texts.save(project, text, lead), lead)
    project.refresh_from_db()


def said(found: Adjudication) -> dict[Any, Any]:
    rows = Label.objects.current().filter(annotation=found.annotation_id).values_list("step__index", "field", "value")
    return {(step, name): value for step, name, value in rows}


def records(folder: Path, *values: dict[str, Any]) -> Path:
    path = folder / "made.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in values))
    return path


def test_labels_that_a_command_brings_are_compared_at_once(lead, tmp_path):
    project = make.project(owner=lead)
    imports.import_trajectories(project, [records(tmp_path, rollout(0))])
    messages = [place for place, one in enumerate(rollout(0)["messages"]) if one["role"] == "assistant"]
    for name, value in (("ann", 1), ("bob", -1)):
        steps = {str(place): value for place in messages}
        record = {"total_index": 0, "query_index": 0, "sample_index": 0, "step_labels": steps, "final_label": value}
        path = tmp_path / f"{name}.jsonl"
        path.write_text(json.dumps(record) + "\n")
        call_command("import_labels", project.slug, str(path), rater=name, kind="human")
    row = Standing.objects.get()
    assert (row.people, row.people_differ) == (2, len(messages) + 1)


def test_labels_in_the_trajectories_own_file_are_compared_too(lead, tmp_path):
    project = make.project(owner=lead)
    imports.import_trajectories(project, [records(tmp_path, rollout(0, step_labels={"1": 1}, final_label=1))])
    assert Standing.objects.get().everybody == 1


def test_what_was_settled_goes_along_with_a_change_of_the_scheme(project, lead):
    found = settled(disputed(project), lead)
    put(project, RENAMED, lead)
    found = Adjudication.objects.get(pk=found.pk)
    assert found.annotation.retired_at is None
    assert said(found) == {(1, "label"): 1, (2, "label"): "bad", (None, "final"): 1}
    assert Standing.objects.get().people_differ == 1
    found = adjudication.reopen(found, lead, "Once more.")
    adjudication.decide(found, lead, (2, "label"), 1)
    assert said(adjudication.settle(found, lead))[2, "label"] == 1


def test_why_a_judge_said_that_goes_along_too(project, lead):
    make.trajectory(project, steps=1)
    with JudgeServer() as server:
        made = judges.judge(project, judges.server(server.url), prompt="Label. {{fields}}")
        jobs.run_here(services.start(made, None))
    assert Standing.objects.get().everybody == 1
    put(project, RENAMED, lead)
    verdict = JudgeVerdict.objects.get()
    assert verdict.annotation.retired_at is None


def test_a_new_version_is_decided_anew_from_what_went_along(lead, tmp_path):
    project = make.project(owner=lead)
    imports.import_trajectories(project, [records(tmp_path, rollout(0))])
    first = project.trajectories.get()
    count = first.steps.of_agent().count()
    for name, value in (("ann", 1), ("bob", -1)):
        make.rating(person(project, name), first, [value] * count, 1)
    standing.touch(project, [first.pk])
    found = adjudication.begin(first, lead)
    for spot in [one for one in adjudication.spots(found) if one.differs]:
        adjudication.decide(found, lead, spot.place, 1)
    adjudication.settle(found, lead)
    changed = rollout(0)
    changed["messages"][-1]["content"] = "Another end."
    imports.import_trajectories(project, [records(tmp_path, changed)])
    newest = project.trajectories.live().get()
    assert newest.pk != first.pk
    again = adjudication.begin(newest, lead)
    assert again.annotation.state == Annotation.State.DRAFT
    assert set(said(again).values()) == {1}
    assert adjudication.begin(newest, lead) == again
