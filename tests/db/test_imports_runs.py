"""Imports that die half way, and imports at the same time."""

from __future__ import annotations

import contextlib
import json
import zipfile
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from annotations.models import Event, Label, Project, Run
from annotations.services import imports, projects
from annotations.services.runs import working_on
from tests import make
from tests.db.importing import SAMPLES, counts, file, rollout, take

pytestmark = pytest.mark.django_db


def uploaded(project: Project, path: Path, **config: Any) -> Run:
    run = Run.objects.create(project=project, kind=Run.Kind.IMPORT, config={"names": [path.name]} | config)
    run.file = default_storage.save(f"imports/{run.pk}/{path.name}", ContentFile(path.read_bytes()))
    run.save()
    return run


@pytest.fixture
def media(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "files")


@pytest.mark.django_db(transaction=True)
def test_a_run_killed_between_batches_goes_on_and_reports_the_same(media, tmp_path, monkeypatch):
    monkeypatch.setattr(imports, "ROWS", 10)
    lines = [rollout(n) if n % 7 else "{broken" for n in range(1, 100)]
    path = file(tmp_path, *lines, rollout(1))
    whole = imports.import_trajectories(make.project(), [path])

    run = uploaded(project := make.project(), path)
    store, calls = imports._store, []

    def dies(*args: Any) -> None:
        calls.append(1)
        if len(calls) == 5:
            raise SystemExit("killed")
        store(*args)

    monkeypatch.setattr(imports, "_store", dies)
    with pytest.raises(SystemExit), working_on(run.pk) as claim:
        imports.perform(claim)
    assert 0 < project.trajectories.count() < whole["created"]
    with working_on(run.pk) as claim:
        imports.perform(claim)
    run.refresh_from_db()
    assert run.state == Run.State.DONE and (run.done, run.total) == (100, 100)
    assert {name: run.result[name] for name in whole} == whole
    assert project.trajectories.count() == whole["created"]
    assert Event.objects.filter(project=project, verb="trajectories.imported").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("at", [1, 3, 6, 9])
def test_an_archive_killed_within_a_list_or_a_document_goes_on_and_reports_the_same(at, media, tmp_path, monkeypatch):
    """Its records stand in a list, on lines, and many in one object; the last file is none."""
    monkeypatch.setattr(imports, "ROWS", 7)
    path = tmp_path / "runs.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/list.json", json.dumps([rollout(n) for n in range(30)], indent=1))
        archive.writestr("b/lines.jsonl", "".join(f"{json.dumps(rollout(n))}\n" for n in range(20, 45)) + "{broken\n")
        archive.write(SAMPLES / "intercode.json", "c/many.json")
        archive.writestr("d/none.json", "{}")
    whole = imports.import_trajectories(make.project(), [path])

    run = uploaded(project := make.project(), path)
    store, calls = imports._store, []

    def dies(*args: Any) -> None:
        calls.append(1)
        if len(calls) == at:
            raise SystemExit("killed")
        store(*args)

    monkeypatch.setattr(imports, "_store", dies)
    with contextlib.suppress(SystemExit), working_on(run.pk) as claim:
        imports.perform(claim)
    with working_on(run.pk) as claim:
        imports.perform(claim)
    run.refresh_from_db()
    assert run.state == Run.State.DONE and run.done == run.total
    assert {name: run.result[name] for name in whole} == whole
    assert project.trajectories.count() == whole["created"]


def test_a_run_that_is_done_has_done_all_of_it_blank_lines_too(media, tmp_path):
    path = tmp_path / "gaps.jsonl"
    path.write_text("\n".join([file(tmp_path, rollout(1)).read_text().strip(), "", "{broken", "", "", ""]))
    run = uploaded(make.project(), path)
    with working_on(run.pk) as claim:
        imports.perform(claim)
    run.refresh_from_db()
    assert run.state == Run.State.DONE
    assert run.done == run.total == len(path.read_bytes().splitlines())


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_once_store_it_once(tmp_path):
    project = projects.create(slug="twice")
    path = file(tmp_path, *(rollout(n) for n in range(60)))
    results: list[dict[str, Any]] = []

    def work() -> None:
        try:
            results.append(take(Project.objects.get(pk=project.pk), path))
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(counts(one) for one in results) == [(0, 0, 60, 0)] * 3 + [(60, 0, 0, 0)]
    assert project.trajectories.count() == 60 and project.raters.count() == 1
    assert Label.objects.count() == 240
