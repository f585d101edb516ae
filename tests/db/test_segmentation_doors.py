"""Segmentation by the doors people come in by: the form, the command, the page of the import."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from annotations.models import Label, Project, Role, Run
from annotations.services import exports, imports
from tests import make

pytestmark = pytest.mark.django_db

TEXT = "I look for the shaft.\n\nThen I measure it.\n\nIt is 12 m deep."
MESSAGES = [{"role": "user", "content": "How deep?"}, {"role": "assistant", "content": TEXT}]


@pytest.fixture
def project() -> Project:
    return make.project()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "chat.jsonl"
    path.write_text(json.dumps({"id": "c-1", "task_id": "t-1", "messages": MESSAGES}) + "\n")
    return path


def steps(project: Project) -> list[str]:
    live = project.trajectories.live().get()
    return [step.message for step in live.steps.of_agent().order_by("index")]


def test_paragraphs_become_steps_and_leave_as_the_message_they_were(project, path, tmp_path):
    result = imports.import_trajectories(project, [path], segmentation="paragraph")
    assert (result["created"], result["steps"]) == (1, 3)
    assert "".join(steps(project)) == TEXT
    judge = make.rater(project, "judge")
    make.rating(judge, project.trajectories.get(), [1, 1, 1], final=1)
    exports.export(project, "apb", tmp_path / "out", rater="judge")
    (written,) = (tmp_path / "out").glob("*.jsonl")
    assert json.loads(written.read_text())["messages"] == MESSAGES


def test_the_same_file_cut_otherwise_is_a_new_version_and_again_the_same(project, path):
    imports.import_trajectories(project, [path], segmentation="paragraph")
    assert imports.import_trajectories(project, [path], segmentation="paragraph")["unchanged"] == 1
    assert imports.import_trajectories(project, [path], segmentation="message")["updated"] == 1
    assert steps(project) == [TEXT]


def test_a_label_of_a_whole_message_is_listed_where_only_parts_are_left(project, path, client):
    imports.import_trajectories(project, [path])
    judge = make.rater(project, "judge")
    make.rating(judge, project.trajectories.get(), [-1], final=-1)
    result = imports.import_trajectories(project, [path], segmentation="paragraph")
    (lost,) = [one for one in result["lost"] if one["step"] is not None]
    assert (lost["rater"], lost["step"], bool(lost["why"])) == ("judge", 1, True)
    live = Label.objects.current().filter(annotation__retired_at=None, step__isnull=False)
    assert not live.exists(), "nothing is said of the parts"
    run = Run.objects.create(project=project, kind="import", state="done", result=result)
    client.force_login(make.member(project, make.user("lead"), Role.OWNER).user)
    page = client.get(reverse("run", args=[project.slug, run.pk])).content.decode()
    assert "could not go along" in page and lost["why"].split("'")[0][:20] in page


def test_the_form_and_the_command_ask_for_a_way_and_refuse_another(project, path, client):
    client.force_login(make.member(project, make.user("lead"), Role.OWNER).user)
    sent = {
        "what": "trajectories",
        "segmentation": "sentence",
        "duplicates": "skip",
        "files": [SimpleUploadedFile("a.jsonl", path.read_bytes())],
    }
    client.post(reverse("imports", args=[project.slug]), sent)
    config = Run.objects.get().config
    assert (config["segmentation"], config["duplicates"]) == ("sentence", "skip")
    call_command("import_trajectories", project.slug, str(path), "--segmentation", "sentence")
    assert len(steps(project)) == 3
    with pytest.raises(CommandError, match="choose from '?message'?, '?tool_call'?"):
        call_command("import_trajectories", project.slug, str(path), "--segmentation", "word")


def test_equal_rollouts_are_left_out_and_told(project, path, tmp_path):
    twin = tmp_path / "twin.jsonl"
    twin.write_text(path.read_text().replace("c-1", "c-2"))
    result = imports.import_trajectories(project, [path, twin], duplicates="skip")
    assert (result["created"], result["skipped"]) == (1, 1)
    (told,) = result["duplicates"]
    assert (told["trajectory"], told["equals"], told["kind"]) == ("c-2", "c-1", "exact")
    assert imports.import_trajectories(project, [twin])["created"] == 1, "kept where nobody asks"
