"""Exports on their way to the Hugging Face hub: a small server here speaks what the hub's client asks for."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from annotations.models import Event, Run
from annotations.services import export_push
from annotations.services.export_push import NotPushed
from tests import make
from tests.db.importing import APB, take
from tests.db.test_imports_runs import media  # noqa: F401 (a fixture)

pytestmark = pytest.mark.django_db
TOKEN = "hf_invented"


@dataclass
class Hub:
    """What reached it. `refuses` is the status that every request gets instead of an answer."""

    address: str = ""
    refuses: int = 0
    created: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)

    def answer(self, path: str, body: bytes) -> dict[str, Any]:
        if path == "/api/repos/create":
            self.created.append(json.loads(body))
            return {"url": f"{self.address}/datasets/lab/errands", "id": "lab/errands"}
        if "/preupload/" in path:
            asked = json.loads(body)["files"]
            return {"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in asked]}
        if "/commit/" in path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            return {
                "commitUrl": f"{self.address}/datasets/lab/errands/commit/1",
                "commitOid": "1" * 40,
                "success": True,
            }
        return {"sha": "0" * 40, "id": "lab/errands", "errors": [], "warnings": [], "siblings": []}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    found = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.tokens.add(self.headers.get("Authorization", ""))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = found.answer(self.path, body) if not found.refuses else {"error": f"no, says {TOKEN}"}
            said = json.dumps(answer).encode()
            self.send_response(found.refuses or 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("HF_ENDPOINT", found.address)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield found
    server.shutdown()
    server.server_close()


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
