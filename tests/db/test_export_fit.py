"""Which formats a scheme's labels can leave in, and what is said of the others before anything is done."""

from __future__ import annotations

import csv
import json

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotations import schemes
from annotations.models import Role, Run
from annotations.services import export_fit, export_preview, exports
from annotations.services.export_preview import NoPreview
from tests import make, sampled

pytestmark = pytest.mark.django_db
SHIPPED = schemes.shipped()
EVERYTHING = ["stepmark", "parquet", "csv"]


NUMBERS = ["apb", "apb-labels"]  # one number a step
GRADES = ["trl-stepwise", "processbench", "prm800k", "sft"]  # right and wrong steps
ROWS = ["dpo", "verl", "label-studio"]  # that can come of verdicts and outcomes alone


@pytest.mark.parametrize(
    ("name", "kept", "left"),
    [
        ("agent-process", [*EVERYTHING, *NUMBERS, *GRADES, *ROWS], []),
        ("data-prm", [*EVERYTHING, *NUMBERS, *GRADES, *ROWS], []),
        ("perception-reasoning", [*EVERYTHING, *GRADES, *ROWS], NUMBERS),
        ("first-error", [*EVERYTHING, *GRADES, *ROWS], NUMBERS),
        ("rollout-preference", [*EVERYTHING, *ROWS], [*NUMBERS, *GRADES]),
        ("earliest-harm", [*EVERYTHING, *ROWS], [*NUMBERS, *GRADES]),
    ],
)
def test_formats_fit_where_the_scheme_says_what_they_hold(name, kept, left):
    fitting = set(export_fit.fitting(SHIPPED[name]))
    assert set(kept) <= fitting and not set(left) & fitting


@pytest.mark.parametrize("name", SHIPPED)
def test_every_scheme_fits_the_formats_that_hold_everything(name):
    assert set(EVERYTHING) <= set(export_fit.fitting(SHIPPED[name]))


def test_what_does_not_fit_is_refused_at_the_start_and_says_what_does(tmp_path):
    project = make.project(scheme=make.scheme("earliest-harm"))
    reason = "earliest-harm 1, first_harm, is asked of the trajectory; what fits this scheme is stepmark, "
    with pytest.raises(exports.ExportRefused, match=reason):
        exports.export(project, "apb", tmp_path / "out")
    with pytest.raises(CommandError, match="what fits this scheme is stepmark"):
        call_command("export", project.slug, "--format", "apb-labels", "--out", str(tmp_path / "out"))
    with pytest.raises(NoPreview, match="what fits this scheme is stepmark"):
        export_preview.first_rows(project, "apb")
    assert not (tmp_path / "out").exists()


def test_the_form_offers_what_fits(client: Client):
    owner = make.user()
    project = make.project(scheme=make.scheme("rollout-preference"))
    make.member(project, owner, Role.OWNER)
    client.force_login(owner)
    page = client.get(reverse("exports", args=[project.slug])).content.decode()
    assert 'value="stepmark"' in page and 'value="csv"' in page
    assert 'value="apb"' not in page and 'value="trl-stepwise"' not in page


def test_a_format_that_fits_only_in_other_words_is_refused_without_them(client: Client):
    owner = make.user()
    project = make.project(owner=owner, scheme=make.scheme("first-error"))
    client.force_login(owner)
    asked = {"format": "apb"}
    answer = client.post(reverse("exports", args=[project.slug]), asked)
    assert answer.status_code == 422 and "what fits this scheme is" in answer.content.decode()
    assert Run.objects.count() == 0


def test_the_api_refuses_it_with_the_formats_that_fit(client: Client):
    owner = make.user()
    project = make.project(owner=owner, scheme=make.scheme("earliest-harm"))
    client.force_login(owner)
    answer = client.post(
        f"/api/v1/projects/{project.slug}/runs/export/", {"format": "apb"}, content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer.json()["field"] == "format" and set(EVERYTHING) <= set(answer.json()["accepted"])
    assert "apb" not in answer.json()["accepted"]
    assert Run.objects.count() == 0


def test_the_long_table_names_the_part_and_the_title_of_a_field(tmp_path):
    ann = make.user("ann")
    scheme = SHIPPED["tool-edit"]
    project = sampled.project_of(scheme, tmp_path, ann)
    sampled.labelled(project, ann, sampled.answers_of(scheme))
    exports.export(project, "csv", tmp_path / "out")
    with (tmp_path / "out" / f"{project.slug}.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    told = {(row["step"], row["field"], row["part"], row["title"]): json.loads(row["value"]) for row in rows}
    assert told["1", "plan", "", "Plan"] == 1
    assert told["1", "call", "call-0", "Tool call"] == 0
    assert told["", "answer", "", "Final answer"] == 0


def test_csv_and_parquet_hold_the_same_rows(tmp_path):
    import pyarrow.parquet

    ann = make.user("ann")
    scheme = SHIPPED["span-codes"]
    project = sampled.project_of(scheme, tmp_path, ann)
    sampled.labelled(project, ann, sampled.answers_of(scheme))
    exports.export(project, "csv", tmp_path / "csv")
    exports.export(project, "parquet", tmp_path / "parquet")
    table = pyarrow.parquet.read_table(tmp_path / "parquet" / f"{project.slug}.parquet")
    with (tmp_path / "csv" / f"{project.slug}.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == table.column_names
    shown = ("field", "part", "value", "rater", "origin", "step_id")
    assert [[row[name] for name in shown] for row in rows] == [
        [row[name] or "" for name in shown] for row in table.to_pylist()
    ]
