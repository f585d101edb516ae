"""The command line, both ways: what it prints, and when it exits with 0."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotations.models import Project
from tests.db.importing import APB, SAMPLES, file, rollout

LABELS = SAMPLES / "apb-labels.jsonl"

pytestmark = pytest.mark.django_db


def run(*words: object) -> str:
    out = StringIO()
    call_command(*map(str, words), stdout=out)
    return out.getvalue()


def run_json(*words: object) -> dict[str, Any]:
    printed = run(*words, "--json")
    assert printed.count("\n") == 1
    return json.loads(printed)


def refused(*words: object) -> tuple[str, dict[str, Any] | None]:
    """The error of a command that must not exit with 0, and what it printed."""
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command(*map(str, words), stdout=out)
    assert error.value.returncode == 1
    return str(error.value), json.loads(out.getvalue()) if out.getvalue() else None


@pytest.fixture
def slug() -> str:
    assert run_json("create_project", "made", "--overlap", 3) == {
        "slug": "made",
        "scheme": "agent-process 1",
        "overlap": 3,
    }
    return "made"


def test_from_file_to_dataset(slug, tmp_path):
    result = run_json("import_trajectories", slug, APB)
    assert {
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "rejected": [],
        "steps": 6,
        "tasks": 1,
        "labels": 8,
    }.items() <= (result.items())
    result = run_json("import_labels", slug, LABELS, "--rater", "j", "--kind", "judge")
    assert {"labels": 4, "annotations": 2, "failed": 1, "unmatched": [], "rejected": []}.items() <= result.items()
    result = run_json("export", slug, "--format", "apb", "--out", tmp_path)
    assert set(result) == {"rows", "files", "sha256"} and result["rows"] == 2
    assert (tmp_path / "sample.jsonl").read_bytes() == APB.read_bytes()


def test_people_get_sentences(slug, tmp_path):
    assert "2 created" in run("import_trajectories", slug, APB)
    assert "2 unchanged" in run("import_trajectories", slug, APB)
    assert "4 labels on 2 trajectories" in run("import_labels", slug, LABELS, "--rater", "j", "--kind", "judge")
    assert "sample.jsonl" in run("export", slug, "--format", "apb", "--out", tmp_path)


def test_rejected_lines_exit_1_and_the_others_are_in(slug, tmp_path):
    path = file(tmp_path, rollout(0), "{broken", rollout(1))
    error, printed = refused("import_trajectories", slug, path, "--json")
    assert "Problems: 1." in error and printed and printed["created"] == 2
    assert printed["rejected"][0]["line"] == 2
    assert Project.objects.get(slug=slug).trajectories.count() == 2


def test_unmatched_judgements_are_no_failure(slug):
    assert len(run_json("import_labels", slug, LABELS, "--rater", "j", "--kind", "judge")["unmatched"]) == 2


def test_a_folder_is_imported_with_all_that_is_in_it(slug, tmp_path):
    for name in ("a/apb.jsonl", "b/c/openai-chat.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes((SAMPLES / Path(name).name).read_bytes())
    (tmp_path / "a" / "notes.md").write_text("How these were made.")
    message, told = refused("import_trajectories", slug, tmp_path, "--json")
    assert told and "Problems: 1" in message
    assert told["created"] == len(APB.read_text().splitlines()) + 2
    assert "passed over files that are no data of a known format: .md (1)" in told["rejected"][0]["reason"]


def test_errors_name_what_there_is(slug, tmp_path):
    assert "There are: made" in refused("import_trajectories", "nope", APB)[0]
    assert "accepted are auto, stepmark, apb" in refused("import_trajectories", slug, APB, "--format", "csv")[0]
    assert "apb-labels.jsonl" in refused("import_trajectories", slug, SAMPLES / "none.jsonl")[0]
    assert "accepted are stepmark, apb" in refused("export", slug, "--format", "excel", "--out", tmp_path)[0]
    assert "none yet" in refused("export", slug, "--format", "apb", "--out", tmp_path)[0]
    assert "There are: agent-atlas, agent-process" in refused("create_project", "other", "--scheme", "none")[0]
    assert "already" in refused("create_project", slug)[0]
    assert "no slug" in refused("create_project", "a b")[0]
    assert "1 to 1000" in refused("create_project", "other", "--overlap", 0)[0]


def test_a_folder_that_is_a_file_is_said(slug, tmp_path):
    run("import_trajectories", slug, APB)
    taken = tmp_path / "taken"
    taken.write_text("")
    assert "exists" in refused("export", slug, "--format", "apb", "--out", Path(taken))[0]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (Path("/proc/self/mem"), "Input/output error"),  # refuses even root to be read
        (Path("n" * 300), "File name too long"),
    ],
)
def test_a_file_that_cannot_be_read_is_said(slug, path, reason):
    assert reason in refused("import_trajectories", slug, path)[0]
    assert reason in refused("import_labels", slug, path, "--rater", "j", "--kind", "judge")[0]


def test_the_kinds_of_raters_are_named_as_they_are_typed(slug):
    with pytest.raises(CommandError, match=r"choose from '?human'?, '?judge'?, '?import'?\)"):
        run("import_labels", slug, LABELS, "--rater", "j", "--kind", "robot")
