"""Every format that is offered, through the whole of an export: options, files, manifest, data card, preview."""

from __future__ import annotations

import hashlib
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pyarrow import parquet

from annotations import formats
from annotations.formats.splits import split_of
from annotations.formats.writer import Writer
from annotations.models import Project, Rater, Report, Role, Run
from annotations.records import TaskRecord
from annotations.services import export_preview, exports
from annotations.services.export_asked import ExportRefused, read
from tests import make
from tests.api.conftest import client_with_token

pytestmark = pytest.mark.django_db
WRITERS = [name for name, one in formats.FORMATS.items() if isinstance(one, Writer) and not one.judged]


@pytest.fixture
def project() -> Project:
    """Two rollouts of one task that differ in their second step, labelled by a person who is the reference."""
    made = make.project(title="Errands | in town")
    ada = make.rater(made, "ada", Rater.Kind.HUMAN, make.user())
    task = make.task(made, source="errands", reference={"answer": "7"}, tools=[{"type": "function"}])
    good, bad = (make.trajectory(made, of=task, outcome={"reward": reward, "answer": "7"}) for reward in (1, 0))
    bad.steps.filter(index=2).update(message="I guess instead.", tool_calls=[], observations=[])
    make.rating(ada, good, [1, 1, 1], final=1)
    annotation = make.rating(ada, bad, [1, -1, -1], final=-1)
    annotation.labels.filter(step__index=2).update(explanation="Nothing says so.")
    made.reference = ada
    made.save()
    return made


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def card(folder: Path) -> tuple[dict[str, Any], str]:
    _, head, text = (folder / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(head), text


def rows_of(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        found: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
        return found
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("name", WRITERS)
def test_a_format_that_writes_rows_is_exported_without_another_word(project, tmp_path, name):
    result = exports.export(project, name, tmp_path)
    told, (head, _) = manifest(tmp_path), card(tmp_path)
    data = [file for file in result["files"] if file.endswith((".jsonl", ".parquet"))]
    assert sum(len(rows_of(tmp_path / file)) for file in data if not file.startswith("labels.")) >= 1
    assert sum(len(rows_of(tmp_path / file)) for file in data) == result["rows"] == told["counts"]["rows"]
    assert set(told["columns"]) == set(data)
    assert {path.name for path in tmp_path.iterdir()} == set(result["files"])
    for file, digest in told["sha256"].items():
        assert hashlib.sha256((tmp_path / file).read_bytes()).hexdigest() == digest
    named = [one["path"] for config in head["configs"] for one in config["data_files"]]
    assert sorted(named) == sorted(data)
    assert told["options"] == {one.name: one.default for one in formats.FORMATS[name].options}


@pytest.mark.parametrize("name", WRITERS)
def test_the_preview_shows_the_first_rows_with_the_options_that_are_asked_for(project, name):
    shown = [json.loads(row) for row in export_preview.first_rows(project, name)]
    assert shown and all(isinstance(row, dict) for row in shown)
    for option in formats.FORMATS[name].options:
        for value, _ in option.choices:
            export_preview.first_rows(project, name, options={option.name: value})


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_labels_give_the_same_bytes(project, tmp_path, name):
    first = exports.export(project, name, tmp_path / "a")
    assert exports.export(project, name, tmp_path / "b")["sha256"] == first["sha256"]


@pytest.mark.parametrize(
    ("format", "options", "told"),
    [
        ("trl-stepwise", {"zero": "perhaps"}, "zero is 'perhaps'; accepted are drop, true, false"),
        ("trl-stepwise", {"nought": "drop"}, "trl-stepwise has no option 'nought'; accepted are zero"),
        ("apb", {"zero": "drop"}, "apb has no option 'zero'; accepted are none"),
        ("benchmark-release", {"test": 2}, "test is '2'; accepted is a number from 0 to 1"),
        ("benchmark-release", {"test": "most"}, "test is 'most'; accepted is a number from 0 to 1"),
        ("benchmark-release", {"test": True}, "test is 'True'; accepted is a number from 0 to 1"),
    ],
)
def test_an_option_says_what_was_found_and_what_it_takes(project, format, options, told):
    with pytest.raises(ExportRefused) as no:
        read({"format": format, "options": options})
    assert str(no.value) == told and no.value.field == f"options.{next(iter(options))}"


def test_what_was_asked_comes_back_from_its_row_as_it_was():
    said = {
        "format": "dpo",
        "options": {"margin": 0},
        "raters": ["human:ada", "ben"],
        "rule": "any-wrong",
        "states": ["submitted", "draft"],
        "models": ["m"],
        "score_to": 0.25,
        "least_raters": 0,
        "agreed": True,
    }
    asked = read(said)
    assert read(json.loads(json.dumps(asked.config()))) == asked
    words = asked.words()
    assert words[:2] == ["--format", "dpo"] and words.count("--rater") == 2 and "--agreed" in words
    assert words[words.index("--least-raters") + 1] == "0"


def test_a_run_of_before_is_read_by_the_names_of_now():
    asked = read({"format": "trl-stepwise", "rater": "j", "zero": "true"})
    assert (asked.raters, asked.options) == (("j",), {"zero": "true"})
    assert read({"format": "apb", "rater": None, "zero": "drop"}).config() == {"format": "apb"}


def test_the_command_takes_options_and_filters_and_the_page_says_the_same_command(project, tmp_path, client):
    call = [
        "--option",
        "zero=true",
        "--rater",
        "ada",
        "--first-error",
        "with",
        "--source",
        "errands",
        "--score-to",
        "1",
    ]
    with pytest.raises(CommandError, match="accepted are drop, true, false"):
        call_command("export", project.slug, "--format", "trl-stepwise", "--out", str(tmp_path), "--option", "zero=x")
    with pytest.raises(CommandError, match="NAME=VALUE"):
        call_command("export", project.slug, "--format", "trl-stepwise", "--out", str(tmp_path), "--option", "zero")
    call_command(
        "export", project.slug, "--format", "trl-stepwise", "--out", str(tmp_path), *call[:-2], stdout=StringIO()
    )
    told = manifest(tmp_path)
    assert told["options"] == {"zero": "true"} and told["counts"]["rows"] == 1
    assert told["filters"] == {"raters": ["ada"], "first_error": "with", "sources": ["errands"]}
    assert told["left_out"] == {"no wrong step": 1}

    owner = make.user()
    make.member(project, owner, Role.OWNER)
    client.force_login(owner)
    asked = {"format": "trl-stepwise", "option-zero": "true", "raters": "human:ada", "first_error": "with"}
    page = client.get(reverse("exports", args=[project.slug]), asked).content.decode()
    assert "--format trl-stepwise --option zero=true --rater human:ada --first-error with --out DIR" in page


def test_the_form_starts_what_it_shows_and_its_address_leads_back_to_it(project, client: Client):
    owner = make.user()
    make.member(project, owner, Role.OWNER)
    client.force_login(owner)
    url = reverse("exports", args=[project.slug])
    asked = {"format": "sft", "option-mode": "corrected", "first_error": "with", "agreed": "on", "shown": "sft"}
    swapped = client.get(url, asked, headers={"HX-Request": "true"})
    assert swapped["HX-Replace-Url"] == f"{url}?format=sft&option-mode=corrected&first_error=with&agreed=on"
    assert "hx-swap-oob" not in swapped.content.decode()
    client.post(url, asked)
    config = Run.objects.get(project=project).config
    assert (config["format"], config["options"]["mode"], config["first_error"]) == ("sft", "corrected", "with")
    page = client.get(swapped["HX-Replace-Url"]).content.decode()
    assert 'value="sft" aria-describedby="about-sft" checked' in page and '<option value="corrected" selected>' in page


def test_another_format_brings_its_own_options_and_leaves_those_of_the_last(project, client: Client):
    owner = make.user()
    make.member(project, owner, Role.OWNER)
    client.force_login(owner)
    asked = {"format": "trl-stepwise", "option-mode": "corrected", "shown": "sft"}
    answer = client.get(reverse("exports", args=[project.slug]), asked, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert 'id="own" class="fields" hx-swap-oob="true"' in page and 'name="option-zero"' in page
    assert "option-mode" not in page


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"option-zero": "perhaps"}, "Select a valid choice"),
        ({"raters": "nobody"}, "Select a valid choice"),
        ({"least_raters": "-1"}, "greater than or equal to 0"),
    ],
)
def test_what_the_form_cannot_take_is_said_and_nothing_starts(project, client: Client, said, field):
    owner = make.user()
    make.member(project, owner, Role.OWNER)
    client.force_login(owner)
    answer = client.post(reverse("exports", args=[project.slug]), {"format": "trl-stepwise", **said})
    assert answer.status_code == 422 and field in answer.content.decode()
    assert not Run.objects.exists()


def test_the_page_groups_every_format_that_fits_by_what_it_is_for(project, client: Client):
    owner = make.user()
    make.member(project, owner, Role.OWNER)
    client.force_login(owner)
    page = client.get(reverse("exports", args=[project.slug])).content.decode()
    for title in (
        "Train a reward model",
        "Preferences",
        "Fine-tuning",
        "Reinforcement learning",
        "Benchmark",
        "Everything",
    ):
        assert f"<h2>{title}</h2>" in page
    for name in formats.writable():
        assert page.count(f'name="format" value="{name}"') == 1
        assert "Keeps: " in page and "Loses: " in page


def test_the_api_takes_options_and_filters_and_says_what_each_accepts(project):
    lead = make.user()
    make.member(project, lead, Role.OWNER)
    client = client_with_token(lead, project=project)
    url = f"/api/v1/projects/{project.slug}/runs/export/"

    def post(**said: Any) -> Any:
        return client.post(url, {"format": "trl-stepwise", **said}, format="json")

    assert post(options={"zero": "true"}, raters=["ada"], first_error="with").status_code == 201
    config = Run.objects.get(project=project).config
    assert (config["options"], config["raters"], config["first_error"]) == ({"zero": "true"}, ["ada"], "with")
    refused = post(options={"zero": "perhaps"})
    assert refused.status_code == 400
    assert (refused.json()["field"], refused.json()["accepted"]) == ("options.zero", ["drop", "true", "false"])
    assert post(rule="loudest").json()["field"] == "rule"
    assert post(raters=["nobody"]).json()["accepted"] == ["ada"]
    assert post(states=["leased"]).status_code == 400
    assert post(scores=99).json()["field"] == "scores"
    assert post(raters=["ada", "ada"], rule="majority").status_code == 201


def test_the_card_says_who_labelled_under_which_rules_and_what_is_not_known(project, tmp_path):
    figures = {"percent": {"value": 0.9, "low": 0.8, "high": 1.0, "n": 40, "reason": ""}}
    Report.objects.create(project=project, result={"figures": figures, "people": None})
    exports.export(project, "prm-rows", tmp_path, first_error="with")
    head, text = card(tmp_path)
    assert head["license"] == "unknown" and head["size_categories"] == ["n<1K"]
    assert head["configs"] == [
        {"config_name": "default", "data_files": [{"split": "train", "path": f"{project.slug}__ada.jsonl"}]}
    ]
    assert "| ada | human | submitted 2 |" in text
    assert "agent-process 1" in text and project.scheme.sha256 in text
    assert "| all raters | percent | 0.900 | 0.800 to 1.000 | 40 |" in text
    assert "- errands: 2 trajectories" in text and "Not known to Stepmark" in text
    assert "- first error: with" in text and "- no wrong step: 1 trajectory" in text
    assert "As they were labelled".lower() in text.lower()


def test_a_card_of_several_files_names_each_with_its_split(project, tmp_path):
    exports.export(project, "benchmark-release", tmp_path, options={"test": 1, "validation": 0})
    head, text = card(tmp_path)
    assert head["configs"] == [
        {"config_name": "blind", "data_files": [{"split": "test", "path": "blind.test.jsonl"}]},
        {"config_name": "labels", "data_files": [{"split": "test", "path": "labels.test.jsonl"}]},
    ]
    assert (tmp_path / "score.py").exists() and "score.py" in manifest(tmp_path)["sha256"]
    assert "There is no split" not in text


def test_a_card_does_not_let_a_name_break_its_tables(project, tmp_path):
    project.raters.filter(name="ada").update(name="a|b <i>")
    exports.export(project, "csv", tmp_path)
    assert "| a\\|b &lt;i> | human |" in card(tmp_path)[1]


def test_what_a_format_cannot_hold_is_counted_and_named_with_the_reason(project, tmp_path):
    told = {"test": 0.9, "validation": 0.9}
    result = exports.export(project, "benchmark-release", tmp_path, options=told)
    assert result["rows"] == 0
    found = manifest(tmp_path)
    assert found["left_out"] == {"the format cannot hold options": 2}
    assert found["refused"][0]["reason"] == "found shares of 0.9 and 0.9; accepted is 1 in all"
    with pytest.raises(export_preview.NoPreview, match="accepted is 1 in all"):
        export_preview.first_rows(project, "benchmark-release", options=told)


@pytest.fixture
def errands(project: Project) -> Project:
    """A second task beside the first: of all eight grades four are 1 and four are -1, so mean 0 and deviation 1."""
    other = make.trajectory(project, of=make.task(project, external_id="zz", instruction="Another?"), steps=2)
    make.rating(project.reference, other, [-1, -1], final=-1)
    return project


def rewards(row: dict[str, Any]) -> list[float]:
    turns = row["turns"] if "turns" in row else row["extra_info"]["turns"]
    return [one["process_reward"] for one in turns if isinstance(one, dict) and one["mask"]]


@pytest.mark.parametrize("name", ["turn-rewards", "verl", "openrlhf"])
def test_a_batch_is_every_turn_of_the_file_and_not_of_a_task(errands, tmp_path, name):
    (file,) = exports.export(errands, name, tmp_path, options={"normalisation": "batch"})["files"][:1]
    rows = rows_of(tmp_path / file)
    found = [row["label"] if name == "openrlhf" else rewards(row) for row in rows]
    assert found == [[1, 1, 1], [1, -1, -1], [-1, -1]]
    shown = [json.loads(one) for one in export_preview.first_rows(errands, name, options={"normalisation": "batch"})]
    assert [one.get("label") or rewards(one) for one in shown] == found, "long lists are cut with a mark"


def test_of_a_file_with_a_split_each_part_is_a_batch_of_its_own(errands, tmp_path):
    """In one part 1, 1, 1, 1, -1, -1: mean 1/3, deviation sqrt(8/9). In the other two equal ones: 0."""
    tasks = [TaskRecord(one.external_id, instruction=one.instruction) for one in errands.tasks.all()]
    shares = (number / 1000 for number in range(1, 1000))
    share = next(one for one in shares if len({split_of(task, one) for task in tasks}) == 2)
    exports.export(errands, "turn-rewards", tmp_path, test_share=share, options={"normalisation": "batch"})
    parts = [rows_of(path) for path in tmp_path.glob("*.jsonl")]
    one, both = sorted(parts, key=len)
    assert [rewards(row) for row in one] == [[0, 0]]
    high, low = 1 / 2**0.5, -(2**0.5)
    assert [rewards(row) for row in both] == [pytest.approx([high] * 3), pytest.approx([high, low, low])]
