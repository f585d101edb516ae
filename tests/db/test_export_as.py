"""Datasets in the words of another scheme: what comes out, what is lost, and that the manifest says so."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotations.models import Project, Rater, Run
from annotations.services import exports
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    """One judge: right, neutral, wrong, wrong; solved."""
    made = make.project()
    judge = make.rater(made, "j")
    make.rating(judge, make.trajectory(made, steps=4), [1, 0, -1, -1], final=1)
    made.reference = judge
    made.save()
    return made


def lines(folder: Path, pattern: str = "*.jsonl") -> list[Any]:
    (path,) = folder.glob(pattern)
    return [json.loads(line) for line in path.read_text().splitlines()]


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def table(folder: Path, rater: Rater) -> dict[tuple[str, str], str]:
    with next(folder.glob("*.csv")).open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["rater"] == rater.name]
    return {(row["step"], row["field"]): row["value"] for row in rows}


def test_step_labels_come_out_in_the_other_scheme(project, tmp_path):
    exports.export(project, "apb", tmp_path, as_scheme="binary")
    (row,) = lines(tmp_path)
    assert list(row["step_labels"].values()) == [1, -1, -1] and row["final_label"] is None


def test_the_manifest_names_the_way_and_counts_what_was_lost(project, tmp_path):
    exports.export(project, "apb", tmp_path, as_scheme="binary")
    said = manifest(tmp_path)
    assert said["scheme"]["name"] == "agent-process", "what the labels were given in"
    assert said["as"]["scheme"]["name"] == "binary"
    assert [one.split()[0] for one in said["as"]["route"]] == ["agent-process", "binary"]
    assert "A neutral step is neither correct nor incorrect, and stays without a label." in said["as"]["loses"]
    assert said["as"]["lost"] == [
        {"field": "final", "why": "binary has no such field", "labels": 1},
        {"field": "label", "why": "Neutral has no counterpart", "labels": 1},
    ]


def test_an_export_as_given_says_nothing_of_a_way(project, tmp_path):
    exports.export(project, "apb", tmp_path)
    assert "as" not in manifest(tmp_path)


def test_what_comes_after_the_first_error_stays_out(project, tmp_path):
    exports.export(project, "apb", tmp_path, as_scheme="processbench")
    (row,) = lines(tmp_path)
    assert list(row["step_labels"].values()) == [1, -1] and row["final_label"] == 1


def test_a_neutral_step_is_no_stop_for_trl_where_it_has_no_label(project, tmp_path):
    exports.export(project, "trl-stepwise", tmp_path, as_scheme="prm800k", options={"zero": "true"})
    (row,) = lines(tmp_path)
    assert row["labels"] == [True, True, False]


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_the_long_table_has_one_row_a_label_that_came_through(project, tmp_path, format):
    exports.export(project, format, tmp_path, as_scheme="binary")
    rows = table(tmp_path, project.reference) if format == "csv" else None
    if rows is None:
        found = parquet.read_table(next(tmp_path.glob("*.parquet"))).to_pylist()
        rows = {(str(row["step"]), row["field"]): row["value"] for row in found}
        assert {(row["scheme"], row["title"]) for row in found} == {("binary", "Step")}
    assert rows == {("1", "label"): "1", ("3", "label"): "-1", ("4", "label"): "-1"}


def test_an_answer_about_the_whole_comes_out_at_the_place_it_has_there(project, tmp_path):
    exports.export(project, "csv", tmp_path, as_scheme="first-error")
    assert table(tmp_path, project.reference) == {("", "first_error"): "3"}


def test_a_first_error_comes_out_as_labels_of_steps(tmp_path):
    project = make.project(scheme=make.scheme("first-error"))
    judge, trajectory = make.rater(project, "j"), make.trajectory(project, steps=4)
    rating = make.rating(judge, trajectory, [None] * 4)
    rating.labels.create(step=None, field="first_error", value=2, origin="judge")
    exports.export(project, "apb", tmp_path / "apb", rater="j", as_scheme="processbench")
    (row,) = lines(tmp_path / "apb")
    assert row["step_labels"] == {"1": 1, "3": -1}, "by the places of the messages in the original file"
    exports.export(project, "csv", tmp_path / "csv", as_scheme="processbench")
    assert table(tmp_path / "csv", judge) == {("1", "label"): "1", ("2", "label"): "-1"}


def test_a_scheme_that_no_map_leads_to_is_refused_with_those_that_can_be_reached(project, tmp_path):
    for name in ("rollout-ranking", "nonsense"):
        with pytest.raises(exports.ExportRefused, match="accepted are binary, data-prm, first-error, prm800k, process"):
            exports.export(project, "apb", tmp_path, as_scheme=name)
    assert list(tmp_path.iterdir()) == []


def test_a_format_that_keeps_everything_as_it_was_given_is_refused(project, tmp_path):
    with pytest.raises(exports.ExportRefused, match="stepmark keeps every label as it was given; accepted"):
        exports.export(project, "stepmark", tmp_path, as_scheme="binary")


def test_a_format_that_the_other_scheme_does_not_fit_is_refused(project, tmp_path):
    with pytest.raises(exports.ExportRefused, match="main field of first-error"):
        exports.export(project, "apb", tmp_path, as_scheme="first-error")


def test_the_same_labels_give_the_same_bytes(project, tmp_path):
    first = exports.export(project, "csv", tmp_path / "a", as_scheme="binary")
    assert exports.export(project, "csv", tmp_path / "b", as_scheme="binary")["sha256"] == first["sha256"]


def test_the_command_takes_it_and_names_what_is_accepted(project, tmp_path):
    call_command("export", project.slug, "--format", "apb", "--out", str(tmp_path), "--as", "binary")
    assert manifest(tmp_path)["as"]["scheme"]["name"] == "binary"
    with pytest.raises(CommandError, match="accepted are binary"):
        call_command("export", project.slug, "--format", "apb", "--out", str(tmp_path), "--as", "x")


def test_the_page_offers_what_can_be_reached_says_what_is_lost_and_starts_it(project, owner):
    make.member(project, owner, "owner")
    client = Client()
    client.force_login(owner)
    url = reverse("exports", args=[project.slug])
    page = client.get(url, {"format": "apb", "as_scheme": "binary"}).content.decode()
    assert '<option value="binary" selected>' in page and 'value="rollout-ranking"' not in page
    assert "A neutral step is neither correct nor incorrect" in page and "--as binary" in page
    client.post(url, {"format": "apb", "as_scheme": "binary"})
    assert Run.objects.get(project=project).config["as_scheme"] == "binary"
    assert client.post(url, {"format": "apb", "as_scheme": "rollout-ranking"}).status_code == 422
