"""The estimate of a scoring run at its doors: the Scores page, the API, the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from annotations.models import Project, Role, Run
from tests import make
from tests.api.conftest import client_of

pytestmark = pytest.mark.django_db

PRICE = {"prompt": 3_000_000, "completion": 15_000_000, "currency": "USD", "version": "May"}
SPENT = {"seconds": 60.0, "trajectories": 1, "steps": 2, "octets": 1000}
USAGE = {"calls": 2, "prompt_tokens": 1_000_000, "completion_tokens": 1000}


@pytest.fixture(autouse=True)
def scorers(settings: Any) -> None:
    slow = {"class": "tests.slow.SlowScorer", "options": {}}
    settings.SCORERS = {"free": {"title": "Free", **slow}, "dear": {"title": "Dear", **slow, "price": PRICE}}


@pytest.fixture
def project(client) -> Project:
    lead, project = make.user(), make.project()
    make.member(project, lead, Role.MANAGER)
    for _ in range(21):
        make.trajectory(project, steps=2)
    client.force_login(lead)
    return project


def earlier(scorer: str, **more: Any) -> None:
    """A run of it in another project."""
    Run.objects.create(
        project=make.project(), kind="score", state="done", config={"scorer": scorer}, result={"spent": SPENT | more}
    )


def post(client, project: Project, **body: Any) -> Any:
    return client.post(reverse("scores", args=[project.slug]), body)


def test_the_page_says_what_is_not_known_and_offers_a_try(client, project) -> None:
    earlier("free", octets=10**9)
    page = client.get(reverse("scores", args=[project.slug])).content.decode()
    assert page.count("21 trajectories with 42 steps") == 2
    assert page.count("How long it takes here is not known yet.") == page.count("Try it on 5 trajectories first") == 1
    assert "by what 1 earlier run took" in page
    assert post(client, project, scorer="dear", limit=5).status_code == 302
    assert Run.objects.get(project=project).config == {"scorer": "dear", "limit": 5}


def test_what_costs_or_lasts_is_asked_about_and_the_rest_begins(client, project) -> None:
    assert post(client, project, scorer="free").status_code == 302
    earlier("dear", usage=USAGE)
    asked = post(client, project, scorer="dear")
    assert asked.status_code == 200
    assert "Score with Dear?" in asked.content.decode() and "USD by the prices of May" in asked.content.decode()
    assert Run.objects.filter(project=project, config__scorer="dear").count() == 0
    assert post(client, project, scorer="dear", sure="1").status_code == 302
    assert Run.objects.get(project=project, config__scorer="dear").config == {"scorer": "dear"}
    earlier("free", seconds=10_000.0)
    assert "Score with Free?" in post(client, project, scorer="free").content.decode()
    assert post(client, project, scorer="free", sure="1", limit="5").status_code == 302


def test_a_try_on_nothing_is_refused(client, project) -> None:
    assert post(client, project, scorer="free", limit="0").status_code == 422


def test_the_api_tells_estimates_and_takes_tries(project) -> None:
    earlier("dear", usage=USAGE)
    client, runs = client_of(project.memberships.first().user), f"/api/v1/projects/{project.slug}/runs/"
    free, dear = client.get(f"{runs}score-estimates/").json()
    assert (free["scorer"], free["trajectories"], free["steps"], free["runs"]) == ("free", 21, 42, 0)
    assert (free["seconds"], free["usage"], free["cost"]) == (None, {}, None)
    assert dear["seconds"] == pytest.approx(60 * dear["octets"] / 1000)
    assert dear["cost"] == {"micro": dear["cost"]["micro"], "currency": "USD", "version": "May"}
    assert dear["usage"]["calls"] == 42
    started = client.post(f"{runs}score/", {"scorer": "free", "limit": 3}, format="json")
    assert started.json()["config"] == {"scorer": "free", "limit": 3}
    assert client.post(f"{runs}score/", {"scorer": "free", "limit": 0}, format="json").json()["field"] == "limit"


def test_the_command_tells_an_estimate_and_begins_nothing(project, capsys) -> None:
    call_command("score", project.slug, "--scorer", "dear", "--estimate")
    assert "not known" in capsys.readouterr().out
    earlier("dear", usage=USAGE)
    call_command("score", project.slug, "--scorer", "dear", "--estimate", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["trajectories"], told["runs"], told["cost"]["currency"]) == (21, 1, "USD")
    call_command("score", project.slug, "--scorer", "dear", "--estimate")
    assert "Cost: " in capsys.readouterr().out
    assert not Run.objects.filter(project=project).exists()
    with pytest.raises(CommandError, match="at least"):
        call_command("score", project.slug, "--scorer", "free", "--limit", "0")


def test_the_command_tries_a_scorer_here(project, capsys) -> None:
    call_command("score", project.slug, "--scorer", "free", "--limit", "3", "--wait", "--json")
    assert json.loads(capsys.readouterr().out)["done"] == 3
