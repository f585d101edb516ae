"""Judges on the command line: the same deeds, words and refusals as the pages'."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotations.models import Judge, JudgeServer, JudgeVerdict
from tests import judges, make
from tests.judge_server import JudgeServer as Stub

pytestmark = pytest.mark.django_db


def say(*words: Any) -> str:
    out = StringIO()
    call_command("judges", *map(str, words), stdout=out)
    return out.getvalue()


def test_from_a_server_to_labels(tmp_path: Path):
    project = make.project(owner=make.user())
    for _ in range(3):
        make.trajectory(project)
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps(judges.PRICES))
    with Stub() as server:
        assert "Added lab." in say("add-server", "lab", server.url, "--prices", prices)
        assert "prices 2026-11" in say("servers")
        assert "Made strict v1" in say("make", project.slug, "strict", "--server", "lab", "--model", "tiny")
        told = say("run", project.slug, "strict", "--limit", 2, "--yes", "--wait")
        assert "2 trajectories" in told
        assert "Cost: not known." in told
        say("run", project.slug, "strict@1", "--yes", "--wait")
    assert JudgeVerdict.objects.count() == 3
    assert "3 labelled, 0 failed" in say("list", project.slug)


def test_a_price_list_of_ours_is_taken_by_its_name():
    assert "anthropic " in say("prices")
    say("add-server", "far", "https://api.deepseek.com/v1", "--prices", "deepseek")
    assert "prices DeepSeek 2026-" in say("servers")
    with pytest.raises(CommandError, match=r"no file nowhere.*ours are: anthropic, deepseek"):
        say("add-server", "x", "https://api.deepseek.com/v1", "--prices", "nowhere")


def test_nothing_is_asked_unless_somebody_says_yes(monkeypatch: pytest.MonkeyPatch):
    made = judges.judge(make.project())
    monkeypatch.setattr("builtins.input", lambda _: "")
    say("run", made.project.slug, made.name)
    assert not made.project.runs.exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("make", "{slug}", "x", "--server", "none", "--model", "m"), "no server 'none'"),
        (("make", "{slug}", "x", "--server", "there", "--model", "m", "--prompt", "nowhere.md"), "none of ours"),
        (("make", "{slug}", "x", "--server", "there", "--model", "m", "--settings", '{"reading": "half"}'), "reading"),
        (("make", "{slug}", "x", "--server", "there", "--model", "m", "--settings", "{"), "no JSON"),
        (("run", "{slug}", "nobody", "--yes"), "no judge 'nobody'"),
        (("list", "nowhere"), "no project 'nowhere'"),
        (("add-server", "there", "http://localhost/v1"), "already"),
        (("add-server", "other", "http://me:pw@localhost/v1"), "password"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(words, reason):
    project = make.project()
    JudgeServer.objects.create(name="there", title="There", url="http://localhost:9/v1")
    with pytest.raises(CommandError, match=reason):
        say(*[word.format(slug=project.slug) if "{slug}" in word else word for word in words])
    assert not Judge.objects.exists()
