"""How a project labels, by the API: presets, versions, putting one in force; and the lists of tasks."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from annotations import schemes
from annotations.models import Project, Role
from annotations.services import projects, rubrics, scheme_changes, scheme_texts
from tests import make
from tests.api.conftest import client_of
from tests.db.test_rubrics import TEXT as LISTS
from tests.db.test_schemes import SEALING, TEXT

pytestmark = pytest.mark.django_db

HERE = "/api/v1/projects/mine/schemes/"
RUBRICS = "/api/v1/projects/mine/rubrics/"


@pytest.fixture
def project(lead) -> Project:
    return projects.create(slug="mine", text=TEXT, owner=lead)


def save(client, text: str, **more):
    return client.post(HERE, {"text": text, **more}, format="json")


def file_of(text: str, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode())


def test_the_presets_are_listed_and_each_is_had_with_its_text(client):
    listed = client.get("/api/v1/presets/").json()
    assert {one["name"] for one in listed} == set(schemes.shipped())
    told = client.get("/api/v1/presets/agent-process/").json()
    assert schemes.read(told["text"]).name == "agent-process"
    assert len(told["guidelines"]) == 3
    assert client.get("/api/v1/presets/none/").status_code == 404


def test_a_project_is_made_with_a_scheme_of_ones_own(client):
    body = {"slug": "own", "text": TEXT, "guideline": "second"}
    answer = client.post("/api/v1/projects/", body, format="json")
    assert (answer.status_code, answer.json()["scheme"]) == (201, "short")
    assert Project.objects.get(slug="own").guidelines.get().text == "# How else to"


def test_a_project_is_not_made_with_a_text_that_is_no_scheme_or_guidelines_it_does_not_bring(client):
    wrong = {"slug": "own", "text": TEXT.replace("main: label", "main: lable")}
    answer = client.post("/api/v1/projects/", wrong, format="json")
    (mistake,) = answer.json()["errors"]
    assert (answer.status_code, mistake["line"], mistake["field"]) == (400, 4, "main")
    unknown = client.post("/api/v1/projects/", {"slug": "own", "text": TEXT, "guideline": "third"}, format="json")
    assert unknown.json()["accepted"] == ["first", "second"]
    assert not Project.objects.filter(slug="own").exists()


def test_a_version_is_saved_read_and_put_in_force(client, project):
    changed = TEXT.replace("Good", "Fine")
    saved = save(client, changed, base=1)
    assert (saved.status_code, saved.json()["number"], saved.json()["in_force"]) == (201, 2, False)
    assert client.get(f"{HERE}2/").json()["text"] == changed
    assert client.get(f"{HERE}2/plan/").json()["counts"]["passes"] == 0
    forced = client.post(f"{HERE}2/force/").json()
    assert (forced["run"], forced["plan"]["counts"]["labels"]) == (None, 0)
    assert [(one["number"], one["in_force"]) for one in client.get(HERE).json()] == [(2, True), (1, False)]


def test_a_version_is_saved_from_a_file(client, project):
    answer = client.post(f"{HERE}file/", {"file": file_of(TEXT + "# more\r\n", "s.yaml")}, format="multipart")
    assert (answer.status_code, answer.json()["text"]) == (201, TEXT + "# more\n")


def test_every_mistake_is_told_with_its_line_its_key_and_what_is_accepted(client, project):
    answer = save(client, TEXT.replace("kind: choice", "kind: choise").replace("main: label", "main: 7"))
    said = {one["field"]: (one["line"], one["reason"]) for one in answer.json()["errors"]}
    assert answer.status_code == 400
    assert said["fields.0.kind"][0] == 6
    assert "accepted is one of choice" in said["fields.0.kind"][1]
    assert said["main"][0] == 4


def test_who_saves_over_a_newer_version_is_told_of_it(client, project, lead):
    scheme_texts.save(project, TEXT + "# one\n", lead)
    answer = save(client, TEXT + "# another\n", base=1)
    assert (answer.status_code, answer.json()["newest"]) == (409, 2)
    assert save(client, TEXT + "# another\n", base=2).json()["number"] == 3


def test_a_plan_says_which_labels_go_along_and_which_cannot(client, project, lead):
    rater = make.rater(project, "ines", "human", lead)
    trajectory = make.trajectory(project)
    made = make.rating(rater, trajectory, [None, None, None])
    for step, value in zip(trajectory.steps.of_agent(), ("good", "bad", "good"), strict=True):
        made.labels.create(step=step, field="label", value=value, origin="human")
    save(client, TEXT.replace("value: bad", "value: poor"))
    plan = client.get(f"{HERE}2/plan/").json()
    assert (plan["counts"]["labels"], plan["counts"]["unmapped"]) == (2, 1)
    (field,) = plan["by_field"]
    assert (field["name"], field["examples"][0]["value"]) == ("label", "bad")
    assert client.post(f"{HERE}2/force/").json()["plan"] == plan
    again = client.post(f"{HERE}2/force/")
    assert (again.status_code, again.json()["accepted"]) == (422, [1])


def test_a_sealing_scheme_needs_the_progressive_mode_and_keeps_it(client, project):
    save(client, SEALING)
    refused = client.post(f"{HERE}2/force/")
    assert (refused.status_code, refused.json()["accepted"]) == (422, ["progressive"])
    client.patch("/api/v1/projects/mine/", {"mode": "progressive"}, format="json")
    assert client.post(f"{HERE}2/force/").status_code == 200
    back = client.patch("/api/v1/projects/mine/", {"mode": "blind"}, format="json")
    assert (back.status_code, back.json()["field"]) == (422, "mode")


@pytest.fixture
def lists(project, lead):
    """The project under a scheme whose checklist is each task's own."""
    scheme_changes.apply(project, scheme_texts.save(project, LISTS, lead), lead)
    return make.task(project, external_id="task-1")


def test_a_list_is_given_to_a_task_and_refused_with_what_is_accepted(client, lists):
    made = client.post(RUBRICS, {"task": "task-1", "field": "checks", "items": ["Is it so?"]}, format="json")
    assert (made.status_code, made.json()["source"]) == (201, "person")
    assert rubrics.in_force(lists, "checks").pk == made.json()["id"]
    for wrong, field in (({"task": "task-9"}, "task"), ({"field": "fixed"}, "field"), ({"items": []}, "items")):
        body = {"task": "task-1", "field": "checks", "items": ["Is it so?"]} | wrong
        answer = client.post(RUBRICS, body, format="json")
        assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_a_judges_list_is_approved_edited_or_rejected(client, lists):
    waits = [rubrics.store(lists, "checks", ["Is it so?"], source="judge", by=None, rater="judge") for _ in range(3)]
    assert len(client.get(f"{RUBRICS}?waiting=true").json()["results"]) == 3
    assert client.post(f"{RUBRICS}{waits[0].pk}/approve/", {}, format="json").json()["approved_by"] == "lead"
    edited = client.post(f"{RUBRICS}{waits[1].pk}/approve/", {"items": ["Is it?"]}, format="json").json()
    assert (edited["source"], edited["items"][0]["title"]) == ("person", "Is it?")
    assert client.post(f"{RUBRICS}{waits[2].pk}/reject/").json()["rejected_at"]
    assert client.get(f"{RUBRICS}?waiting=true").json()["results"] == []


def test_a_file_of_lists_says_which_lines_did_not_go_in(client, lists):
    rows = "\n".join([json.dumps({"task": "task-1", "field": "checks", "items": ["Is it so?"]}), "{}"])
    answer = client.post(f"{RUBRICS}file/", {"file": file_of(rows, "l.jsonl")}, format="multipart").json()
    assert answer["stored"] == 1
    assert [one["line"] for one in answer["problems"]] == [2]


def test_a_reviewer_leads_the_lists_but_saves_no_scheme(project, lists):
    reviewer = make.user("rita")
    make.member(project, reviewer, Role.REVIEWER)
    client = client_of(reviewer)
    assert client.get(RUBRICS).status_code == 200
    assert save(client, TEXT).status_code == 403


def test_the_command_line_makes_a_project_with_a_scheme_from_a_file(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(TEXT)
    call_command("create_project", "cli", "--scheme-file", str(file), "--guideline", "second")
    made = Project.objects.get(slug="cli")
    assert (made.scheme.name, made.guidelines.get().text) == ("short", "# How else to")
    file.write_text(TEXT.replace("main: label", "main: lable"))
    with pytest.raises(CommandError, match=r"mine.yaml, line 4, main: names 'lable'"):
        call_command("create_project", "other", "--scheme-file", str(file))
