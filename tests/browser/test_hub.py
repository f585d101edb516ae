"""The doors to and from the Hugging Face hub in a browser, worked by keys: what is asked for becomes a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Project, Run
from tests import make
from tests.browser.conftest import Watch
from tests.browser.test_pages import barriers

pytest.importorskip("huggingface_hub")
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def project(log_in: Callable[..., None]) -> Project:
    made = make.project(owner=make.user("lead"), slug="mine")
    log_in(made.memberships.get().user)
    return made


def import_of(page: Page, name: str) -> None:
    """Open the fold and ask for the dataset, with keys alone."""
    page.get_by_text("Or a dataset of the Hugging Face hub").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type(name)
    page.keyboard.press("Enter")


def test_a_name_that_is_none_is_refused_where_it_stands(
    page: Page, live_server: LiveServer, project: Project, watch: Watch
) -> None:
    watch.allow("status of 422")
    page.goto(live_server.url + reverse("imports", args=["mine"]))
    import_of(page, "../../etc/passwd")
    expect(page.get_by_text("accepted is NAME or OWNER/NAME").first).to_be_visible()
    expect(page.get_by_text("Or a dataset of the Hugging Face hub")).to_be_visible()
    assert barriers(page) == []
    assert not Run.objects.exists()


def test_a_dataset_that_is_asked_for_is_an_import_of_its_own(
    page: Page, live_server: LiveServer, project: Project
) -> None:
    page.goto(live_server.url + reverse("imports", args=["mine"]))
    import_of(page, "openai/gsm8k@main")
    expect(page.get_by_role("heading", name="Import").first).to_be_visible()
    run = Run.objects.get(project=project)
    assert (run.kind, run.config["hub"]) == ("import", {"name": "openai/gsm8k", "revision": "main"})
    assert reverse("run", args=["mine", run.pk]) in page.url


@pytest.fixture
def export(project: Project, settings: Any, tmp_path: Path) -> Run:
    settings.MEDIA_ROOT = str(tmp_path)
    result = {"files": ["data.jsonl"], "sha256": {}}
    run = Run.objects.create(project=project, kind="export", state="done", result=result)
    default_storage.save(f"exports/{run.pk}/data.jsonl", ContentFile(b'{"a": 1}\n'))
    return run


def test_without_a_token_the_page_says_who_can_help(
    page: Page, live_server: LiveServer, project: Project, export: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    page.goto(live_server.url + reverse("run", args=["mine", export.pk]))
    expect(page.get_by_text("The server's administrator sets it")).to_be_visible()
    expect(page.get_by_label("Dataset", exact=True)).to_have_count(0)


def test_an_export_is_sent_by_keys_and_the_token_is_nowhere(
    page: Page, live_server: LiveServer, project: Project, export: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    page.goto(live_server.url + reverse("run", args=["mine", export.pk]))
    page.get_by_label("Dataset", exact=True).focus()
    page.keyboard.type("me/labels")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/**")
    expect(page.get_by_text("me/labels").first).to_be_visible()
    assert "hf_secret" not in page.content()
    run = Run.objects.get(kind="push")
    assert run.config["to"] == "me/labels" and "hf_secret" not in str(run.config)
