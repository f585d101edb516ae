"""Scorers that are added to a deployment: what they may hold, and that every door knows them."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotations import jobs
from annotations.forms import ScoreForm
from annotations.models import DeployedScorer, Role, Run, User
from annotations.services import scorer_entries, scorer_rules
from models_service import scorers
from models_service.scorers.base import Scorer
from tests import make, tiny

pytestmark = pytest.mark.django_db

ENGINE = "models_service.scorers.engine.Engine"


@pytest.fixture(autouse=True)
def models_dir(settings: Any, tmp_path: Path) -> Any:
    settings.MODELS_DIRS = [str(tmp_path / "models")]
    (tmp_path / "models").mkdir()
    scorers.load.cache_clear()
    yield tmp_path / "models"
    scorers.load.cache_clear()


def add(*words: str) -> None:
    call_command("scorers", "add", *words)


def scored(name: str) -> Run:
    project = make.project()
    make.trajectory(project)
    return jobs.run_here(jobs.start(Run.Kind.SCORE, project, None, scorer=name))


def test_a_reward_model_is_added_checked_scores_and_is_removed(models_dir: Path, capsys: Any) -> None:
    folder = tiny.classifier(models_dir / "prm")
    add("mine", "--title", "My PRM", "--family", "trl", "--model", str(folder), "--option", "device=cpu")
    assert "Added; `scorers check mine` says whether it works." in capsys.readouterr().out
    row = DeployedScorer.objects.get()
    assert (row.title, row.kind) == ("My PRM", ENGINE)
    assert row.options == {"model": str(folder), "family": "trl", "device": "cpu"}
    assert ("mine", "My PRM") in ScoreForm().fields["scorer"].choices
    call_command("scorers", "list", "--json")
    listed = json.loads(capsys.readouterr().out)["scorers"]
    assert [one["lacks"] for one in listed if one["name"] == "mine"] == [""]
    call_command("scorers", "check", "mine")
    assert "mine loads here" in capsys.readouterr().out
    run = scored("mine")
    assert (run.state, run.error) == (Run.State.DONE, "")
    assert run.result["provenance"]["models"][0]["sha256"]
    call_command("scorers", "remove", "mine")
    assert "mine" not in scorer_entries.all_of_them()
    assert scorer_entries.titles(["mine"]) == {"mine": "mine"}
    again = scored("mine")
    assert again.state == Run.State.FAILED and "no scorer 'mine'" in again.error
    with pytest.raises(CommandError, match="those that were: none"):
        call_command("scorers", "remove", "mine")


def test_a_worker_follows_a_scorer_that_was_added_anew() -> None:
    add("budget", "--class", "SegmentBudgets", "--option", "budgets=[0.5, 0.5]")
    first = scorers.load("budget", scorer_entries.all_of_them())
    assert scorers.load("budget", scorer_entries.all_of_them()) is first
    with pytest.raises(CommandError, match="remove it first"):
        add("budget", "--class", "SegmentBudgets")
    scorer_entries.remove("budget")
    add("budget", "--class", "SegmentBudgets", "--option", "budgets=[1.0]")
    second = scorers.load("budget", scorer_entries.all_of_them())
    assert second is not first
    assert DeployedScorer.objects.count() == 2  # history is rows


def test_the_words_say_which_class_and_where_the_model_goes(models_dir: Path) -> None:
    folder = str(models_dir / "x")
    asked = ("--server", "http://gpu:8000/v1", "--model", "org/model", "--key-env", "GPU_KEY")
    add("verifier", "--family", "thinkprm", *asked)
    add("verifier-here", "--family", "thinkprm", "--model", folder)
    add("remote", "--family", "qwen-prm", "--protocol", "pooling", "--tokenizer", folder, *asked)
    add("gain", "--class", "InformationGain", *asked, "--price", '{"prompt": 1, "completion": 2, "currency": "EUR"}')
    found = {one.name: one for one in DeployedScorer.objects.all()}
    served = {"server": "http://gpu:8000/v1", "model": "org/model", "key_env": "GPU_KEY"}
    assert found["verifier"].options == {"language": served, "family": "thinkprm"}
    assert found["verifier-here"].options == {"language": {"folder": folder}, "family": "thinkprm"}
    assert found["remote"].options == {"family": "qwen-prm", "protocol": "pooling", "tokenizer": folder, **served}
    assert found["gain"].options == {"language": served}
    assert scorer_entries.all_of_them()["gain"]["price"] == {"prompt": 1, "completion": 2, "currency": "EUR"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--class", "os.system"], "accepted are AnswerConfidence"),
        (["--class", "tests.slow.SlowScorer"], "accepted are AnswerConfidence"),
        ([], "Say --family"),
        (["--family", "trl", "--model", "/etc"], "folders of MODELS_DIRS"),
        (["--family", "trl", "--model", "{models}/../elsewhere"], "folders of MODELS_DIRS"),
        (["--family", "trl", "--model", "relative"], "folders of MODELS_DIRS"),
        (["--family", "trl", "--model", "{models}/a", "--option", "reference=/etc"], "reference: found '/etc'"),
        (["--family", "thinkprm", "--model", "{models}/a", "--option", "wording=/etc/passwd"], "wording: found"),
        (["--family", "thinkprm", "--option", 'language={"folder": "/etc"}'], "folder: found '/etc'"),
        (["--family", "thinkprm", "--server", "http://me:secret@gpu/v1", "--model", "m"], "without name, password"),
        (["--family", "thinkprm", "--server", "file:///etc", "--model", "m"], "accepted is http"),
        (["--family", "thinkprm", "--server", "http://g/v1", "--model", "m", "--key-env", "SECRET_KEY"], "but not"),
        (["--family", "thinkprm", "--server", "http://g/v1", "--model", "m", "--key-env", "sk-123"], "ends in _KEY"),
        (["--family", "thinkprm", "--option", 'language={"server": "http://g/v1", "api_key": "sk"}'], "no secret"),
        (["--class", "SegmentBudgets", "--option", "speed=1"], "unexpected keyword argument 'speed'"),
        (["--class", "SegmentBudgets", "--option", "speed"], "KEY=VALUE"),
        (["--class", "SegmentBudgets", "--price", "{"], "not JSON"),
        (["--class", "SegmentBudgets", "--price", '{"prompt": 1}'], "price: accepted is"),
    ],
)
def test_what_may_not_be_added_is_refused_in_words(models_dir: Path, words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said.replace("(", r"\(")):
        add("mine", *(one.replace("{models}", str(models_dir)) for one in words))
    assert not DeployedScorer.objects.exists()


def test_a_link_out_of_the_folder_of_models_is_not_followed(models_dir: Path) -> None:
    (models_dir / "link").symlink_to("/etc")
    with pytest.raises(CommandError, match="MODELS_DIRS"):
        add("mine", "--family", "trl", "--model", str(models_dir / "link"))


def test_a_name_of_the_settings_is_not_taken_and_names_are_plain() -> None:
    with pytest.raises(CommandError, match="settings have a scorer 'embedded'"):
        add("embedded", "--class", "SegmentBudgets")
    with pytest.raises(CommandError, match="small letters"):
        add("My Scorer", "--class", "SegmentBudgets")


def test_a_row_that_the_command_did_not_write_is_checked_when_it_is_loaded() -> None:
    DeployedScorer.objects.create(name="odd", title="Odd", kind="tests.slow.SlowScorer", options={})
    run = scored("odd")
    assert run.state == Run.State.FAILED and "EntryRefused" in run.error


def test_every_scorer_of_ours_can_be_added_but_those_that_are_only_bases() -> None:
    bases = {"Scorer", "RuledScorer", "MarkedScorer", "BeliefScorer", "Continuing", "EmbeddedScorer"}
    ours = {
        name
        for one in pkgutil.walk_packages(
            importlib.import_module(scorer_rules.SCORERS).__path__, f"{scorer_rules.SCORERS}."
        )
        for name, kind in vars(importlib.import_module(one.name)).items()
        if inspect.isclass(kind) and issubclass(kind, Scorer) and kind.__module__ == one.name
    }
    assert ours - bases == set(scorer_rules.BY_NAME)


PAGE = "/scorers/"
GOOD = {"name": "budgets", "title": "Budgets", "kind": "SegmentBudgets", "options": '{"budgets": [0.5, 0.5]}'}


@pytest.fixture
def admin(client: Any) -> Any:
    client.force_login(User.objects.create_superuser("root", password="x"))
    return client


def test_the_servers_administrator_adds_and_removes_one_in_the_browser(admin: Any) -> None:
    assert "Added by commands and here" in admin.get(PAGE).content.decode()
    assert admin.post(PAGE, GOOD).status_code == 302
    row = DeployedScorer.objects.get()
    assert (row.kind, row.options, row.added_by.username) == (
        "models_service.scorers.progress.segments.SegmentBudgets",
        {"budgets": [0.5, 0.5]},
        "root",
    )
    assert scored("budgets").state == Run.State.DONE
    assert "Budgets" in admin.get(PAGE).content.decode()
    assert admin.post(PAGE, GOOD).status_code == 422
    admin.post(f"{PAGE}{row.pk}/remove/")
    assert "budgets" not in scorer_entries.all_of_them()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "os.system"}, "Select a valid choice"),
        ({"options": "["}, "not JSON"),
        ({"options": "[]"}, "accepted is a JSON object"),
        ({"kind": "Engine", "options": '{"model": "/etc", "family": "trl"}'}, "MODELS_DIRS"),
        ({"options": '{"api_key": "sk"}'}, "no secret is kept here"),
        ({"price": "{}"}, "price: accepted is"),
        ({"name": "embedded"}, "settings have a scorer"),
    ],
)
def test_the_page_refuses_what_the_command_refuses(admin: Any, change: dict[str, str], said: str) -> None:
    answer = admin.post(PAGE, GOOD | change)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not DeployedScorer.objects.exists()


def test_nobody_else_sees_the_page(client: Any) -> None:
    project, owner = make.project(), make.user()
    make.member(project, owner, Role.OWNER)
    client.force_login(owner)
    assert client.get(PAGE).status_code == 404
    assert client.post(PAGE, GOOD).status_code == 404
    assert "/scorers/" not in client.get("/").content.decode()
