"""Judges through their pages: a server by the administrator, a version, what it would take, the budget."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from annotations.judges import prompts, servers
from annotations.models import Judge, JudgeBudget, JudgeServer, Role, Run
from annotations.services import judge_servers
from annotations.services.judge_servers import ServerRefused
from tests import judges, make
from tests.judge_server import JudgeServer as Stub

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    return make.user("lead")


@pytest.fixture
def project(lead):
    return make.project(owner=lead)


@pytest.fixture
def as_lead(client, lead):
    client.force_login(lead)
    return client


def form(server: JudgeServer, **fields: Any) -> dict[str, Any]:
    told = {"name": "strict", "server": server.pk, "model": "tiny", "prompt": prompts.shipped()["step-labels"].text}
    return {**told, "reading": "whole", "sight": "blind", "method": "single", "answer": "labels", **fields}


def test_a_judge_is_made_by_its_form_with_the_prompt_it_came_from(project, as_lead):
    server = judges.server()
    answer = as_lead.post(
        reverse("judge_new", args=[project.slug]), form(server, temperature="0.3", mitigations=["system"])
    )
    made = Judge.objects.get()
    assert answer.url == reverse("judge", args=[project.slug, made.pk])
    assert (str(made), made.prompt_name.split()[0], made.rater.name) == ("strict v1", "step-labels", "strict v1")
    assert (made.settings["temperature"], made.settings["mitigations"]) == (0.3, ["system"])
    page = as_lead.get(reverse("judge_new", args=[project.slug]), {"from": made.pk}).content.decode()
    assert "Next version of strict" in page
    as_lead.post(reverse("judge_new", args=[project.slug]), form(server, prompt="My own. {{fields}}"))
    assert [(str(one), one.prompt_name) for one in Judge.objects.order_by("pk")][1] == ("strict v2", "own")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"prompt": "Say {{everything}}."}, "unknown place {{everything}}"),
        ({"method": "majority"}, "majority needs two or more"),
        ({"method": "majority", "samples": "3"}, "several answers are alike at 0"),
        ({"samples": "3"}, "single asks once"),
        ({"method": "panel"}, "panel and debate need them"),
        ({"answer": "wrong_steps", "reading": "prefix"}, "wrong_steps are asked of whole trajectories"),
        ({"extra": "{"}, "extra is no JSON"),
    ],
)
def test_what_does_not_go_together_is_refused_in_words_and_nothing_is_made(project, as_lead, fields, words):
    answer = as_lead.post(reverse("judge_new", args=[project.slug]), form(judges.server(), **fields))
    assert answer.status_code == 422
    assert words in answer.content.decode().replace("&#x27;", "'")
    assert not Judge.objects.exists()


def test_a_try_begins_at_once_and_all_only_once_somebody_is_sure(project, as_lead):
    make.trajectory(project)
    made = judges.judge(project, judges.server(prices=judges.PRICES), model="dear")
    url = reverse("judge_run", args=[project.slug, made.pk])
    assert as_lead.post(url, {"what": "try"}).status_code == 302
    asked = as_lead.post(url, {"what": "all"})
    assert asked.status_code == 200
    assert "There is no budget yet" in asked.content.decode()
    assert Run.objects.count() == 1
    assert as_lead.post(url, {"what": "all", "sure": "1"}).status_code == 302
    assert [run.config.get("limit") for run in Run.objects.order_by("pk")] == [5, None]
    assert as_lead.post(url, {"what": "everything"}).status_code == 302
    assert Run.objects.count() == 2


def test_the_budget_is_set_changed_and_told(project, as_lead):
    url = reverse("judge_budget", args=[project.slug])
    assert as_lead.post(url, {"limit": "12.50", "currency": "USD"}).status_code == 302
    assert JudgeBudget.objects.get().limit_micro == 12_500_000
    assert "12.50 USD" in as_lead.get(url).content.decode()
    assert as_lead.post(url, {"limit": "-1", "currency": "USD"}).status_code == 422
    assert as_lead.post(url, {"limit": "1", "currency": "dollars"}).status_code == 422


def test_the_page_of_a_run_says_what_was_asked_and_why_nothing_was_said(project, as_lead):
    from annotations import jobs
    from annotations.services import judges as services

    for _ in range(2):
        make.trajectory(project)
    with Stub(lambda _: "no idea") as server:
        made = judges.judge(project, judges.server(server.url, retries=0), prompt="Label. {{fields}}")
        run = jobs.run_here(services.start(made, None))
    page = as_lead.get(reverse("run", args=[project.slug, run.pk])).content.decode()
    assert "Where the judge has said nothing" in page
    assert "answered" in page
    for name, pk in (("judges", None), ("judge", made.pk)):
        found = as_lead.get(reverse(name, args=[project.slug] + ([pk] if pk else [])))
        assert found.status_code == 200
        assert made.model in found.content.decode()


def test_only_an_administrator_adds_a_server_and_no_secret_is_kept(client, lead):
    client.force_login(lead)
    assert client.get(reverse("judge_servers")).status_code == 404
    client.force_login(make.user(is_superuser=True))
    url = reverse("judge_servers")
    asked = {
        "name": "lab",
        "title": "Lab",
        "url": "http://localhost:8000/v1",
        "options": "{}",
        "prices": json.dumps(judges.PRICES),
    }
    for wrong, words in (
        ({"url": "http://me:pw@localhost/v1"}, "without name, password"),
        ({"key_env": "SECRET_KEY"}, "key_env"),
        ({"key_env": "sk-abc"}, "key_env"),
        ({"options": '{"at_once": 0}'}, "at_once"),
        ({"options": "["}, "not JSON"),
        ({"prices": '{"version": "1"}'}, "currency"),
    ):
        answer = client.post(url, asked | wrong)
        assert (answer.status_code, words in answer.content.decode()) == (422, True), (wrong, words)
    assert client.post(url, asked).status_code == 302
    server = JudgeServer.objects.get()
    assert (server.url, server.prices["version"]) == ("http://localhost:8000/v1", "2026-11")
    assert client.post(url, asked).status_code == 422
    assert client.post(reverse("judge_server_remove", args=[server.pk])).status_code == 302
    assert judge_servers.there() == []


def test_another_price_list_is_another_row_that_judges_ask_from_then_on(project):
    made = judges.judge(project, judges.server(prices=judges.PRICES), model="dear")
    changed = judge_servers.change_prices(made.server, None, judges.PRICES | {"version": "2026-12"})
    made.refresh_from_db()
    assert (made.server, made.server.prices["version"]) == (changed, "2026-12")
    with pytest.raises(ServerRefused, match="another price list already"):
        judge_servers.change_prices(JudgeServer.objects.exclude(pk=changed.pk).get(), None, None)


def test_a_list_that_comes_with_stepmark_is_taken_by_name_and_its_date_is_told(client):
    client.force_login(make.user(is_superuser=True))
    asked = {"name": "lab", "title": "Lab", "url": "https://api.deepseek.com/v1", "options": "{}", "prices": ""}
    assert client.post(reverse("judge_servers"), asked | {"listed": "deepseek"}).status_code == 302
    ours = servers.listed()
    [first] = judge_servers.there()
    assert first.prices == ours["deepseek"].model_dump(mode="json")
    page = client.get(reverse("judge_servers")).content.decode()
    assert f"Prices of {ours['deepseek'].as_of}, " in page
    assert f'<a href="{ours["deepseek"].source}"' in page
    # Another one, though the form holds the list of now.
    change = {"listed": "anthropic", "prices": json.dumps(first.prices)}
    assert client.post(reverse("judge_server_prices", args=[first.pk]), change).status_code == 302
    [second] = judge_servers.there()
    assert second.prices["version"] == ours["anthropic"].version
    own = {"listed": "", "prices": json.dumps(judges.PRICES)}
    client.post(reverse("judge_server_prices", args=[second.pk]), own)
    [third] = judge_servers.there()
    assert third.prices["models"] == judges.PRICES["models"]
    assert "The list does not say of which day it is." in client.get(reverse("judge_servers")).content.decode()


@pytest.mark.parametrize(("days", "old"), [(servers.OLD, False), (servers.OLD + 1, True)])
def test_a_list_that_is_a_month_old_may_be_out_of_date(client, days, old):
    client.force_login(make.user(is_superuser=True))
    as_of = (timezone.now().date() - timedelta(days=days)).isoformat()
    judges.server(prices=judges.PRICES | {"as_of": as_of})
    page = client.get(reverse("judge_servers")).content.decode()
    assert f"Prices of {as_of}, {days} days ago." in page
    assert ("may be out of date</span>" in page) == old


def test_who_does_not_manage_sees_and_begins_nothing(project, client):
    reviewer = make.user()
    make.member(project, reviewer, Role.REVIEWER)
    client.force_login(reviewer)
    made = judges.judge(project)
    assert client.get(reverse("judge", args=[project.slug, made.pk])).status_code == 200
    assert client.post(reverse("judge_run", args=[project.slug, made.pk]), {"what": "try"}).status_code == 403
    assert client.post(reverse("judge_retire", args=[project.slug, made.pk])).status_code == 403
