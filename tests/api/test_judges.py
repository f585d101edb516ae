"""Judges by the API: made, asked once somebody is sure, paid for, and read back; kept from those who label blind."""

from __future__ import annotations

from typing import Any

import pytest

from annotations import jobs
from annotations.models import ApiToken, Event, Judge, JudgeBudget, JudgeCall, Project, Rater, Report, Role, Run
from annotations.services import judge_probes_gate
from tests import judges, make
from tests.api.conftest import client_of, client_with_token
from tests.judge_server import JudgeServer as Stub

pytestmark = pytest.mark.django_db

BASE = "/api/v1/projects/mine/"
JUDGES = f"{BASE}judges/"


def asked(of: Any, **fields: Any) -> dict[str, Any]:
    return {"name": "strict", "server": of.name, "model": "dear", "prompt": "Be exact. {{fields}}", **fields}


def test_a_judge_is_made_asked_and_read_back_by_token(project, lead):
    make.trajectory(project)
    client = client_with_token(lead, project=project)
    with Stub() as stub:
        server = judges.server(stub.url, prices=judges.PRICES, retries=0)
        made = client.post(JUDGES, asked(server, settings={"temperature": 0.5}), format="json")
        assert made.status_code == 201, made.content
        one = f"{JUDGES}{made.json()['id']}/"
        assert (
            client.put(f"{BASE}judge-budget/", {"limit_micro": 5_000_000, "currency": "USD"}, format="json").status_code
            == 200
        )
        estimate = client.post(f"{one}run/", {"what": "all", "estimate": True}, format="json")
        assert (estimate.status_code, estimate.json()["calls"], estimate.json()["is_held"]) == (200, 1, True)
        assert not Run.objects.exists()
        begun = client.post(f"{one}run/", {"what": "all", "sure": True}, format="json")
        assert begun.status_code == 201, begun.content
        run = jobs.run_here(Run.objects.get(pk=begun.json()["id"]))
        assert (run.state, run.error, len(stub.seen)) == ("done", "", 1)
    told = client.get(one).json()
    assert (told["version"], told["settings"]["temperature"], told["prompt_name"]) == (1, 0.5, "own")
    assert told["so_far"]["labelled"] == 1
    (call,) = client.get(f"{BASE}judge-calls/", {"run": run.pk, "state": "answered"}).json()["results"]
    assert (call["state"], call["attempts"], call["cost_micro"] > 0) == ("answered", 1, True)
    assert {"answer", "question"}.isdisjoint(call)
    whole = client.get(f"{BASE}judge-calls/{call['id']}/").json()
    assert whole["answer"].startswith("{")
    assert [one["role"] for one in whole["question"]["messages"]] == ["system", "user"]
    budget = client.get(f"{BASE}judge-budget/").json()
    assert budget["spent_micro"] == call["cost_micro"] == told["so_far"]["cost_micro"]
    assert budget["left_micro"] == 5_000_000 - call["cost_micro"]


def test_a_list_says_how_each_stands_and_never_holds_a_key(project, client):
    server = judges.server()
    server.key_env = "SECRET_LAB_KEY"
    server.save()
    first = judges.judge(project, server, name="strict", sight="reference")
    judges.judge(project, server, name="strict")
    judges.judge(project, name="kind")
    answer = client.get(JUDGES, {"name": "strict"})
    rows = answer.json()["results"]
    assert [(one["name"], one["version"]) for one in rows] == [("strict", 2), ("strict", 1)]
    assert (rows[1]["sight"], rows[1]["server"], rows[1]["rater"]) == ("reference", server.name, "strict v1")
    assert rows[0]["gate"]["state"] == "open"
    for text in (answer, client.get(f"{JUDGES}{first.pk}/")):
        assert "SECRET_LAB_KEY" not in text.content.decode()
    client.post(f"{JUDGES}{first.pk}/retire/")
    assert [one["id"] for one in client.get(JUDGES, {"retired": "true"}).json()["results"]] == [first.pk]
    assert len(client.get(JUDGES, {"retired": "false"}).json()["results"]) == 2
    assert client.post(f"{JUDGES}{first.pk}/run/", {"what": "try"}, format="json").status_code == 409


def test_a_list_asks_as_much_for_many_as_for_one(project, client, count_queries):
    server = judges.server()
    judges.judge(project, server)
    _, few = count_queries(lambda: client.get(JUDGES))
    for _ in range(5):
        judges.judge(project, server)
    answer, many = count_queries(lambda: client.get(JUDGES))
    assert (len(answer.json()["results"]), many) == (6, few)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"server": "nobody"}, "server", "No server of judges"),
        ({"prompt": "Be\nexact {{gideline}}"}, "prompt", "line 2: unknown place {{gideline}}"),
        ({"guideline": 99}, "guideline", "no version 99"),
        ({"settings": {"temperature": 7}}, "settings.temperature", "less than or equal to 2"),
        ({"settings": {"colour": "red"}}, "settings.colour", "not permitted"),
        ({"settings": {"method": "majority"}}, "settings.samples", "needs two or more"),
        ({"settings": {"extra": {"model": "other"}}}, "settings.extra", "not to be set there"),
        ({"settings": {"answer": "wrong_steps", "reading": "prefix"}}, "settings.answer", "whole trajectories"),
        ({"name": "no name"}, "name", "valid"),
        ({"model": ""}, "model", "blank"),
    ],
)
def test_what_does_not_go_together_is_refused_with_its_field(project, client, fields, field, words):
    answer = client.post(JUDGES, asked(judges.server(), **fields), format="json")
    assert (answer.status_code, answer.json()["field"]) == (400, field), answer.content
    assert words in answer.json()["error"]
    assert not Judge.objects.exists()


def test_refusals_say_what_is_accepted(project, client):
    server = judges.server()
    assert server.name in client.post(JUDGES, asked(server, server="x"), format="json").json()["accepted"]
    method = client.post(JUDGES, asked(server, settings={"method": "vote"}), format="json").json()
    assert "majority" in str(method["accepted"])
    several = client.post(JUDGES, asked(server, settings={"top_p": 2, "temperature": 9}), format="json").json()
    assert {one["field"] for one in several["errors"]} == {"settings.top_p", "settings.temperature"}


def test_the_same_name_makes_the_next_version_and_no_prompt_is_the_one_that_fits(project, client):
    server = judges.server()
    body = asked(server)
    assert client.post(JUDGES, body, format="json").json()["version"] == 1
    del body["prompt"]
    second = client.post(JUDGES, body | {"guideline": 1}, format="json").json()
    assert (second["version"], second["prompt_name"].split()[0], second["guideline"]) == (2, "agent-process", 1)
    assert Event.objects.filter(verb="judge.made").count() == 2


def test_what_would_be_sent_is_told_word_for_word(project, client):
    first, second = make.trajectory(project), make.trajectory(project)
    made = judges.judge(project, judges.server(prices=judges.PRICES), model="dear", reading="prefix")
    url = f"{JUDGES}{made.pk}/preview/"
    told = client.get(url, {"trajectory": second.pk, "question": 2}).json()
    assert (told["trajectory"], told["number"], told["questions"], told["calls"]) == (second.pk, 2, 4, 4)
    assert [one["role"] for one in told["body"]["messages"]] == ["system", "user"]
    assert told["most_micro"] > told["characters"] // 4 > 0
    assert told["estimate"]["trajectories"] == 1
    assert client.get(url).json()["trajectory"] == first.pk
    assert client.get(url, {"trajectory": "nobody"}).json()["field"] == "trajectory"
    assert client.get(url, {"question": 0}).json()["accepted"] == {"min": 1, "max": 10**6}
    second.steps.of_agent().delete()
    silent = client.get(url, {"trajectory": second.pk}).json()
    assert ("no step of the agent" in silent["nothing"], silent["body"], silent["estimate"]) == (True, None, None)
    assert not JudgeCall.objects.exists()


def test_all_but_a_try_begins_once_somebody_is_sure(project, client):
    make.trajectory(project)
    made = judges.judge(project, judges.server(prices=judges.PRICES), model="dear")
    url = f"{JUDGES}{made.pk}/run/"
    for what in ("all", "people"):
        refused = client.post(url, {"what": what}, format="json")
        assert (refused.status_code, refused.json()["field"], refused.json()["accepted"]) == (409, "sure", True)
    assert refused.json()["estimate"]["cost"] is not None
    assert not Run.objects.exists()
    assert client.post(url, {"what": "try"}, format="json").json()["config"]["limit"] == 5
    wrong = client.post(url, {"what": "some"}, format="json").json()
    assert (wrong["field"], wrong["accepted"]) == ("what", ["try", "people", "all"])


def test_a_budget_that_is_not_there_is_no_zero(project, client):
    url = f"{BASE}judge-budget/"
    assert client.get(url).status_code == 204
    for _ in range(2):
        assert client.put(url, {"limit_micro": 1, "currency": "USD"}, format="json").json()["left_micro"] == 1
    assert client.put(url, {"limit_micro": -1, "currency": "USD"}, format="json").json()["field"] == "limit_micro"
    assert client.put(url, {"limit_micro": 1, "currency": "dollars"}, format="json").json()["field"] == "currency"
    JudgeBudget.objects.update(spent_micro=1)
    other = client.put(url, {"limit_micro": 1, "currency": "EUR"}, format="json")
    assert (other.status_code, other.json()["field"]) == (400, "currency")


def test_the_gate_tells_verdicts_and_who_signed_also_of_judges_from_files(project, client, lead):
    rater = make.rater(project, "gpt")
    limit = {"probe": "injection", "number": "moved", "bound": 0.05}
    result = {"verdicts": [{"limit": limit, "standing": "above", "worst": 0.4}]}
    report = Report.objects.create(project=project, kind="probe", config={"rater": rater.pk}, result=result)
    (one,) = client.get(f"{JUDGES}gates/").json()
    assert (one["rater"], one["state"], one["above"]) == ("gpt", "barred", ["injection.moved"])
    assert (one["verdicts"][0]["standing"], one["verdicts"][0]["report"]) == ("above", report.pk)
    assert (one["signed"], "Prompt injection" in one["reason"]) == (None, True)
    judge_probes_gate.sign(rater, lead, "Its tools are ours.")
    (one,) = client.get(f"{JUDGES}gates/").json()
    assert (one["state"], one["signed"]["by"], one["signed"]["reason"]) == ("signed", "lead", "Its tools are ours.")


@pytest.mark.django_db(transaction=True)
def test_a_leaderboard_is_computed_and_read_as_a_report(project, client):
    trajectory = make.trajectory(project)
    make.rating(make.rater(project, "gold", Rater.Kind.IMPORT), trajectory, [1, 0, -1], final=1)
    make.rating(make.rater(project, "gpt"), trajectory, [1, 1, -1], final=1)
    begun = client.post(f"{BASE}runs/leaderboard/", {"reference": "import:gold"}, format="json")
    assert begun.status_code == 201, begun.content
    run = jobs.run_here(Run.objects.get(pk=begun.json()["id"]))
    assert (run.state, run.error) == ("done", "")
    (report,) = client.get(f"{BASE}reports/", {"kind": "leaderboard"}).json()["results"]
    assert client.get(f"{BASE}reports/", {"kind": "agreement"}).json()["results"] == []
    result = client.get(f"{BASE}reports/{report['id']}/").json()["result"]
    assert [row["name"] for row in result["rows"]] == ["gpt"]
    refused = client.post(f"{BASE}runs/leaderboard/", {"reference": "nobody"}, format="json")
    assert (refused.status_code, refused.json()["field"]) == (400, "reference")


READS = [
    "judges/",
    "judges/{judge}/",
    "judges/{judge}/preview/?trajectory={trajectory}",
    "judges/gates/",
    "judge-calls/",
    "judge-calls/{call}/",
    "judge-budget/",
]


@pytest.fixture
def kept(project: Project) -> dict[str, int]:
    """A judge with a question that was answered."""
    judge = judges.judge(project)
    call = JudgeCall.objects.create(
        project=project, judge=judge, server=judge.server, model="tiny", key="k", question={}, answer="all are wrong"
    )
    return {"judge": judge.pk, "call": call.pk, "trajectory": make.trajectory(project).pk}


@pytest.mark.parametrize("mode", ["blind", "assisted"])
@pytest.mark.parametrize("path", READS)
def test_who_labels_reads_nothing_of_judges_through_these_doors(project, kept, path, mode):
    project.mode = mode
    project.save()
    for role, status in ((Role.ANNOTATOR, 403), (Role.VIEWER, 403)):
        person = make.user()
        make.member(project, person, role)
        answer = client_of(person).get(BASE + path.format(**kept))
        assert (answer.status_code, "wrong" in answer.content.decode()) == (status, False)
    assert client_of(make.user()).get(BASE + path.format(**kept)).status_code == 404


def test_a_reviewer_reads_and_begins_nothing(project, kept):
    reviewer = make.user()
    make.member(project, reviewer, Role.REVIEWER)
    client = client_of(reviewer)
    assert {client.get(BASE + path.format(**kept)).status_code for path in READS} <= {200, 204}
    one = f"{JUDGES}{kept['judge']}/"
    for url in (JUDGES, f"{one}run/", f"{one}retire/"):
        assert client.post(url, {}, format="json").status_code == 403
    assert client.put(f"{BASE}judge-budget/", {}, format="json").status_code == 403


def test_a_reading_token_reads_and_begins_nothing(project, lead, kept):
    reader = client_with_token(lead, scope=ApiToken.Scope.READ)
    assert reader.get(JUDGES).status_code == 200
    assert reader.post(f"{JUDGES}{kept['judge']}/run/", {"what": "try"}, format="json").status_code == 403
    assert not Run.objects.exists()


def test_a_judge_and_a_call_of_another_project_are_not_reached_through_ones_own(project, client):
    elsewhere = judges.judge(make.project())
    call = JudgeCall.objects.create(
        project=elsewhere.project, judge=elsewhere, server=elsewhere.server, model="tiny", key="k", question={}
    )
    assert client.get(f"{JUDGES}{elsewhere.pk}/").status_code == 404
    assert client.post(f"{JUDGES}{elsewhere.pk}/run/", {"what": "try"}, format="json").status_code == 404
    assert client.get(f"{BASE}judge-calls/{call.pk}/").status_code == 404
    assert client.get(f"{BASE}judge-calls/", {"judge": elsewhere.pk}).json()["results"] == []
