"""manage.py scorers: which there are, what they lack, and whether one works."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from models_service import scorers
from tests import tiny
from tests.served import Served

pytestmark = pytest.mark.django_db

ENGINE = "models_service.scorers.engine.Engine"


@pytest.fixture(autouse=True)
def fresh() -> Any:
    scorers.load.cache_clear()
    yield
    scorers.load.cache_clear()


@pytest.fixture
def model(settings: Any, tmp_path: Path) -> Path:
    folder = tiny.classifier(tmp_path / "prm")
    options = {"model": str(folder), "family": "trl", "device": "cpu"}
    settings.SCORERS = settings.SCORERS | {"mine": {"title": "Mine", "class": ENGINE, "options": options}}
    return folder


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    call_command("scorers", *words, "--json")
    return json.loads(capsys.readouterr().out)


def test_the_list_says_what_each_needs(capsys: pytest.CaptureFixture[str], model: Path) -> None:
    embedded, mine = told(capsys, "list")["scorers"]
    assert (embedded["name"], embedded["needs"], embedded["lacks"]) == (
        "embedded",
        ["the rollouts of a task together"],
        "",
    )
    assert (mine["class"], mine["needs"], mine["lacks"]) == (
        ENGINE,
        ["torch", "transformers", "safetensors", str(model)],
        "",
    )


@pytest.mark.parametrize(
    ("entry", "lacks"),
    [
        ({"class": ENGINE, "options": {"model": "/no/such", "family": "trl"}}, "no folder /no/such"),
        ({"class": "tests.no.such.Scorer", "options": {}}, "No module named"),
        ({"class": "tests.slow.SlowScorer", "options": {"speed": 1}}, "unexpected keyword argument 'speed'"),
    ],
)
def test_the_list_says_what_is_not_here(
    capsys: pytest.CaptureFixture[str], settings: Any, entry: dict[str, Any], lacks: str
) -> None:
    settings.SCORERS = {"one": {"title": "One"} | entry}
    [one] = told(capsys, "list")["scorers"]
    assert lacks in one["lacks"]
    call_command("scorers", "list")
    assert f"here   no: {one['lacks']}" in capsys.readouterr().out


def test_a_checked_scorer_says_what_it_is_and_what_it_said(capsys: pytest.CaptureFixture[str], model: Path) -> None:
    found = told(capsys, "check", "mine")
    assert found["works"] and found["reason"] == ""
    assert {"family", "device", "dtype"} <= found["provenance"].keys()
    assert len(found["provenance"]["models"][0]["sha256"]) == 64
    assert len(found["values"]) == 2 and all(0 <= one <= 1 for one in found["values"])
    assert found["probabilities"] == [None, None]
    call_command("scorers", "check", "mine")
    said = capsys.readouterr().out
    assert "mine loads here" in said and "family: trl" in said and "device: CPU" in said
    assert f"step 1: {found['values'][0]:.4f}" in said


def test_a_model_that_does_not_fit_is_told_in_plain_words(
    capsys: pytest.CaptureFixture[str], settings: Any, tmp_path: Path
) -> None:
    options = {"model": str(tmp_path), "family": "trl"}
    settings.SCORERS = {"mine": {"title": "Mine", "class": ENGINE, "options": options}}
    with pytest.raises(SystemExit) as ended:
        call_command("scorers", "check", "mine")
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert said.out.strip() == ""
    assert said.err.startswith(f"mine does not work here: {tmp_path}: no readable config.json")


def test_a_scorer_that_cannot_score_it_is_no_success(capsys: pytest.CaptureFixture[str], settings: Any) -> None:
    settings.SCORERS = {"never": {"title": "Never", "class": "tests.slow.NeverScorer", "options": {}}}
    with pytest.raises(SystemExit):
        call_command("scorers", "check", "never")
    assert "never cannot score the invented trajectory: not today" in capsys.readouterr().err


def test_a_name_that_is_not_there_is_told_which_are() -> None:
    with pytest.raises(CommandError, match="no scorer 'mime'. There are: embedded"):
        call_command("scorers", "check", "mime")


@pytest.mark.parametrize(
    ("kind", "values"), [("sampled.backup.TreeBackup", [0.5, 1, 0]), ("progress.segments.ElapsedTime", [0.5, 1])]
)
def test_a_scorer_is_tried_on_a_trajectory_of_the_kind_it_is_for(
    capsys: pytest.CaptureFixture[str], settings: Any, kind: str, values: list[float]
) -> None:
    settings.SCORERS = {"one": {"title": "One", "class": f"models_service.scorers.{kind}"}}
    assert told(capsys, "check", "one")["values"] == values


def test_the_list_says_which_language_model_is_asked_and_where(
    capsys: pytest.CaptureFixture[str], settings: Any, tmp_path: Path
) -> None:
    kind = "models_service.scorers.sampled.monte_carlo.MonteCarlo"
    served, folder = {"server": "http://gpu:8000/v1", "model": "qwen"}, {"folder": str(tmp_path / "no")}
    settings.SCORERS = {
        name: {"title": name, "class": kind, "options": {"language": language}}
        for name, language in (("remote", served), ("local", folder))
    }
    remote, local = told(capsys, "list")["scorers"]
    assert remote["needs"][0] == "qwen at http://gpu:8000/v1" and remote["lacks"] == ""
    assert str(tmp_path / "no") in local["needs"] and "no folder" in local["lacks"]


REMOTE = "models_service.scorers.remote.engine.RemoteEngine"


def test_a_scorer_behind_a_server_says_what_it_needs_without_asking_it(
    capsys: pytest.CaptureFixture[str], settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny.reward_model(tmp_path / "prm", {})
    options = {
        "server": "http://127.0.0.1:1/v1",
        "model": "tiny",
        "family": "rlhflow",
        "protocol": "vllm-generative",
        "tokenizer": str(folder),
        "key_env": "THE_KEY",
    }
    settings.SCORERS = {"far": {"title": "Far", "class": REMOTE, "options": options}}
    monkeypatch.delenv("THE_KEY", raising=False)
    [far] = told(capsys, "list")["scorers"]
    assert far["needs"] == [
        "transformers",
        str(folder),
        "tiny at http://127.0.0.1:1/v1",
        "THE_KEY in the environment",
    ]
    assert far["lacks"] == "key_env: the environment has no THE_KEY"
    monkeypatch.setenv("THE_KEY", "x")
    assert told(capsys, "list")["scorers"][0]["lacks"] == ""
    options["server"] = "http://me:secret@127.0.0.1:1/v1"
    assert "secret" not in json.dumps(told(capsys, "list"))


def test_a_served_scorer_is_tried_and_one_whose_server_is_away_says_so(
    capsys: pytest.CaptureFixture[str], settings: Any, tmp_path: Path
) -> None:
    folder = tiny.reward_model(tmp_path / "prm", {})
    with Served(folder) as server:
        options = {
            "server": server.url,
            "model": "tiny",
            "family": "rlhflow",
            "protocol": "vllm-generative",
            "tokenizer": str(folder),
            "retries": 0,
        }
        settings.SCORERS = {"far": {"title": "Far", "class": REMOTE, "options": options}}
        found = told(capsys, "check", "far")
        assert found["works"] and found["provenance"]["protocol"] == "vllm-generative"
        assert found["provenance"]["server"] == server.url and len(found["values"]) == 2
    scorers.load.cache_clear()
    with pytest.raises(SystemExit):
        call_command("scorers", "check", "far")
    assert f"far does not work here: ServerFault: {server.url} does not answer" in capsys.readouterr().err
