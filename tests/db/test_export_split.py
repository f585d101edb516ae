"""Rows of an export in train and test: whole tasks on one side, the same side every time, and the manifest says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pyarrow import parquet

from annotations import formats
from annotations.models import Project, Rater, Role, Run
from annotations.services import export_asked, export_judge, exports
from annotations.services.export_asked import ExportRefused
from tests import make
from tests.api.conftest import client_with_token

pytestmark = pytest.mark.django_db
SPLIT = [name for name in formats.writable() if export_asked.splits(name)]
ALL = [name for name in SPLIT if not export_judge.is_judged(name)]  # tests/db/test_judge_rows.py has the others


@pytest.fixture
def project() -> Project:
    """Forty tasks of two rollouts, one good and one bad; of two tasks that ask the same only the spelling differs."""
    made = make.project()
    ada = make.rater(made, "ada", Rater.Kind.HUMAN, make.user())
    asked = [f"How deep is shaft {number}?" for number in range(38)] + ["Where is it?", "where  IS it?"]
    for text in asked:
        task = make.task(made, instruction=text)
        for values in ([1, 1, 1], [1, -1, -1]):
            rollout = make.trajectory(made, of=task)
            rollout.steps.filter(index=2).update(message=f"{text} {values}", tool_calls=[], observations=[])
            make.rating(ada, rollout, values, final=values[1])
    made.reference = ada
    made.save()
    return made


def rows(folder: Path, split: str) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob(f"*.{split}.*")):
        if path.suffix == ".parquet":
            yield from parquet.read_table(path).to_pylist()
        else:
            yield from map(json.loads, path.read_text().splitlines())


def told(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def test_no_task_is_on_both_sides_and_what_asks_the_same_is_together(project, tmp_path):
    exports.export(project, "dpo", tmp_path, test_share=0.3)
    sides = {split: {row["task"] for row in rows(tmp_path, split)} for split in ("train", "test")}
    assert not sides["train"] & sides["test"] and len(sides["train"] | sides["test"]) == 40
    assert 4 <= len(sides["test"]) <= 20
    same = set(project.tasks.filter(instruction__iregex=r"where +is it").values_list("external_id", flat=True))
    assert len(same) == 2 and (same <= sides["train"] or same <= sides["test"])
    assert told(tmp_path)["split"] == {
        "by": "the hash of what the task asks",
        "test_share": 0.3,
        "tasks": {"test": len(sides["test"]), "train": len(sides["train"])},
    }
    card = (tmp_path / "README.md").read_text()
    assert "- split: test" in card and "No task is on both sides" in card and "There is no split" not in card


def test_two_formats_put_a_task_on_the_same_side(project, tmp_path):
    for name in ("dpo", "kto"):
        exports.export(project, name, tmp_path / name, test_share=0.3)
    assert told(tmp_path / "dpo")["split"] == told(tmp_path / "kto")["split"]
    again = tmp_path / "again"
    exports.export(project, "dpo", again, test_share=0.3)
    assert told(again)["sha256"] == told(tmp_path / "dpo")["sha256"]


@pytest.mark.parametrize("name", ALL)
def test_every_format_of_rows_loses_none_by_the_split(project, tmp_path, name):
    whole = exports.export(project, name, tmp_path / "whole")
    split = exports.export(project, name, tmp_path / "split", test_share=0.5)
    assert split["rows"] == whole["rows"]
    assert sum(1 for side in ("train", "test") for _ in rows(tmp_path / "split", side)) == whole["rows"]


@pytest.mark.parametrize("name", sorted(set(formats.writable()) - set(SPLIT)))
def test_a_format_without_rows_to_split_or_with_splits_of_its_own_says_who_has(project, tmp_path, name):
    with pytest.raises(ExportRefused, match=f"{name} has no split to ask for; accepted are .*dpo"):
        exports.export(project, name, tmp_path, test_share=0.5)


@pytest.mark.parametrize("share", ["2", "-0.1", "half"])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ExportRefused, match="accepted is a number from 0 to 1"):
        export_asked.read({"format": "dpo", "test_share": share})


def test_the_command_the_page_and_the_api_ask_for_it(project, tmp_path):
    call_command("export", project.slug, "--format", "dpo", "--out", str(tmp_path), "--test-share", "0.5", "--json")
    assert told(tmp_path)["split"]["test_share"] == 0.5
    lead = make.user()
    make.member(project, lead, Role.OWNER)
    client = Client()
    client.force_login(lead)
    page = client.get(reverse("exports", args=[project.slug]), {"format": "dpo", "test_share": "0.25"})
    assert "--test-share 0.25" in page.content.decode()
    assert (
        'name="test_share"'
        not in client.get(reverse("exports", args=[project.slug]), {"format": "benchmark-release"}).content.decode()
    )
    client.post(reverse("exports", args=[project.slug]), {"format": "dpo", "test_share": "0.25"})
    assert Run.objects.get().config["test_share"] == 0.25
    answer = client_with_token(lead, project=project).post(
        f"/api/v1/projects/{project.slug}/runs/export/", {"format": "dpo", "test_share": 0.1}, format="json"
    )
    assert answer.json()["config"]["test_share"] == 0.1
