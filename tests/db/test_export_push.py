"""Exports on their way to the Hugging Face hub: a small server here speaks what the hub's client asks for."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotations import jobs
from annotations.models import Event, Role, Run
from annotations.services import export_push
from annotations.services.export_push import NotPushed
from tests import make
from tests.db.importing import APB, take
from tests.db.test_imports_runs import media  # noqa: F401 (a fixture)
from tests.hub import TOKEN, Hub, serving

pytestmark = pytest.mark.django_db


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield found


@pytest.fixture
def export(media: None) -> Run:  # noqa: F811
    """A finished export of two files."""
    project = make.project(slug="errands")
    files = {"data.jsonl": "ab", "manifest.json": "cd"}
    run = Run.objects.create(project=project, kind="export", state="done", result={"files": list(files), "sha256": {}})
    for name in files:
        default_storage.save(f"exports/{run.pk}/{name}", ContentFile(f"{name}\n".encode()))
    return run


def test_the_command_writes_a_dataset_and_sends_it_to_the_hub(hub, tmp_path):
    take(project := make.project(), APB)
    (tmp_path / "diary.txt").write_text("mine")
    said = StringIO()
    call_command(
        *("export", project.slug, "--format", "apb", "--out", str(tmp_path), "--push", "lab/errands", "--private"),
        stdout=said,
    )
    assert f"Pushed to {hub.address}/datasets/lab/errands" in said.getvalue()
    assert hub.files["sample.jsonl"] == APB.read_bytes()
    assert set(hub.files) == {"sample.jsonl", "README.md", "manifest.json"}, "and nothing else of the folder"
    (created,) = hub.created
    assert (created["name"], created["organization"], created["type"]) == ("errands", "lab", "dataset")
    assert created.get("private") is True or created.get("visibility") == "private"
    assert f"Bearer {TOKEN}" in hub.tokens


def test_a_finished_export_is_sent_as_it_lies_and_the_project_remembers_it(hub, export):
    call_command("push_export", "errands", str(export.pk), "lab/errands", stdout=StringIO())
    assert hub.files == {"data.jsonl": b"data.jsonl\n", "manifest.json": b"manifest.json\n"}
    event = Event.objects.get(verb="export.pushed")
    assert event.after == {"run": export.pk, "to": f"{hub.address}/datasets/lab/errands"}


@pytest.mark.parametrize(
    ("status", "told"), [(401, "needs the right to write"), (403, "needs the right to write"), (400, "answered 400")]
)
def test_a_hub_that_refuses_is_quoted_without_the_token(hub, export, status, told):
    hub.refuses = status
    with pytest.raises(NotPushed, match=told) as no:
        export_push.push_run(export, "lab/errands")
    assert TOKEN not in str(no.value)
    assert not Event.objects.filter(verb="export.pushed").exists()


def test_a_hub_that_cannot_be_reached_leaves_the_files_here(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    take(project := make.project(), APB)
    with pytest.raises(CommandError, match=r"cannot be reached .*The files are in"):
        call_command("export", project.slug, "--format", "apb", "--out", str(tmp_path), "--push", "lab/errands")
    assert (tmp_path / "sample.jsonl").exists()


@pytest.mark.parametrize("name", ["errands", "lab/errands/more", "../x", "lab/er rands", ""])
def test_a_name_that_is_none_is_refused_before_anything_is_written(hub, tmp_path, name):
    with pytest.raises(NotPushed, match="OWNER/NAME"):
        export_push.ready(name)
    assert not hub.tokens


def test_without_a_token_nothing_is_tried(hub, monkeypatch, tmp_path):
    monkeypatch.delenv("HF_TOKEN")
    take(project := make.project(), APB)
    with pytest.raises(CommandError, match="HF_TOKEN"):
        call_command("export", project.slug, "--format", "apb", "--out", str(tmp_path / "out"), "--push", "lab/errands")
    assert not (tmp_path / "out").exists() and not hub.tokens


def test_where_the_client_is_not_installed_it_is_named(hub, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(NotPushed, match="pip install huggingface_hub"):
        export_push.ready("lab/errands")


def test_a_run_that_brought_nothing_is_named_with_those_that_did(hub, export):
    with pytest.raises(CommandError, match=f"no finished export 99999; there are: {export.pk}"):
        call_command("push_export", "errands", "99999", "lab/errands")


def test_no_other_file_of_the_folder_can_slip_in_by_a_name(hub, tmp_path):
    for name in ("a[1].jsonl", "a1.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(name)
    export_push.push(Path(tmp_path), ["a[1].jsonl"], "lab/errands")
    assert set(hub.files) == {"a[1].jsonl"}


@pytest.fixture
def lead(export: Run, client: Client) -> Client:
    """A browser of somebody who manages the export's project."""
    person = make.user("lead")
    make.member(export.project, person, Role.MANAGER)
    client.force_login(person)
    return client


def shown(client: Client, run: Run) -> str:
    return client.get(reverse("run", args=["errands", run.pk])).content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_lead_sends_an_export_from_its_page_as_a_run_of_its_own(hub, export, lead):
    assert 'name="to"' in shown(lead, export)
    answer = lead.post(reverse("export_push", args=["errands", export.pk]), {"to": "lab/errands", "private": "on"})
    run = Run.objects.get(kind="push")
    assert answer["Location"] == reverse("run", args=["errands", run.pk])
    assert run.config == {"export": export.pk, "to": "lab/errands", "private": True} and not hub.tokens
    run = jobs.run_here(run)
    assert (run.state, run.error, run.done, run.total) == ("done", "", 2, 2)
    assert hub.files == {"data.jsonl": b"data.jsonl\n", "manifest.json": b"manifest.json\n"}
    assert f'href="{hub.address}/datasets/lab/errands"' in shown(lead, run)
    assert f"export {export.pk} to lab/errands" in shown(lead, run)
    assert "Push" in shown(lead, export) and TOKEN not in shown(lead, export) + shown(lead, run)
    assert Event.objects.get(verb="export.pushed").actor.username == "lead"


@pytest.mark.django_db(transaction=True)
def test_a_push_that_the_hub_refuses_fails_with_the_reason_and_can_be_tried_again(hub, export, lead):
    hub.refuses = 403
    lead.post(reverse("export_push", args=["errands", export.pk]), {"to": "lab/errands"})
    run = jobs.run_here(Run.objects.get(kind="push"))
    assert run.state == "failed" and "needs the right to write" in run.error and TOKEN not in run.error
    hub.refuses = 0
    lead.post(reverse("run_retry", args=["errands", run.pk]))
    again = jobs.run_here(Run.objects.latest("pk"))
    assert (again.kind, again.state, again.retry_of_id) == ("push", "done", run.pk)


def test_a_name_that_is_none_starts_nothing(hub, export, lead):
    answer = lead.post(reverse("export_push", args=["errands", export.pk]), {"to": "errands"}, follow=True)
    assert "accepted is OWNER/NAME" in answer.content.decode()
    assert not Run.objects.filter(kind="push").exists()


def test_without_a_token_the_page_says_how_to_set_one_and_has_no_form(hub, export, lead, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    page = shown(lead, export)
    assert 'name="to"' not in page and "HF_TOKEN" in page
    lead.post(reverse("export_push", args=["errands", export.pk]), {"to": "lab/errands"})
    assert not Run.objects.filter(kind="push").exists()


def test_a_reviewer_takes_the_files_but_does_not_publish_them(hub, export, client):
    person = make.user()
    make.member(export.project, person, Role.REVIEWER)
    client.force_login(person)
    assert "Hugging Face" not in shown(client, export) and "Download all" in shown(client, export)
    answer = client.post(reverse("export_push", args=["errands", export.pk]), {"to": "lab/errands"})
    assert answer.status_code == 403 and not Run.objects.filter(kind="push").exists()
