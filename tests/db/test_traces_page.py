"""The page of traces: what came, what became of it, and what a lead can do about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotations.models import Event, Project, ReceivedSpan, Trace
from annotations.services import traces, traces_wire
from tests import make, spans

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make.project(owner=make.user("lead"), slug="live")


@pytest.fixture
def client(project: Project) -> Client:
    entered = Client()
    entered.force_login(project.memberships.get().user)
    return entered


def send(project: Project, *those, ago: float = 60) -> None:
    traces.receive(project, traces_wire.read(spans.as_protobuf(*those), traces_wire.PROTOBUF).spans)
    Trace.objects.update(last_at=timezone.now() - timedelta(seconds=ago))


def page(client: Client, query: str = "", **headers: str) -> str:
    answer = client.get(reverse("traces", args=["live"]) + query, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_without_traces_the_page_says_how_to_send_some(client):
    text = page(client)
    assert "No traces yet" in text and "http://testserver/v1/traces" in text
    assert "x-stepmark-project=live" in text and reverse("tokens") in text
    assert "curl http://testserver/v1/traces" in text


def test_the_request_that_the_page_shows_makes_a_trajectory(client, project):
    shown = client.get(reverse("traces", args=["live"])).content.decode()
    body = shown.split("-d &#x27;")[1] if "-d &#x27;" in shown else shown.split(" -d '")[1]
    sent = body.split("'</pre>")[0]
    traces.receive(project, traces_wire.read(sent.encode(), traces_wire.JSON).spans)
    Trace.objects.update(last_at=timezone.now() - timedelta(seconds=60))
    assert traces.take_all()["created"] == 1
    assert project.trajectories.get().steps.of_agent().get().message == "It is 42."


def test_each_trace_says_what_became_of_it(client, project):
    send(project, *spans.agent())
    send(project, spans.span(1, {"http.method": "GET"}, trace="ee" * 16))
    traces.take_all()
    send(project, *spans.agent(trace="ff" * 16)[1:], ago=1)
    text = page(client)
    trajectory = project.trajectories.get()
    assert reverse("trajectory", args=["live", trajectory.pk]) in text
    assert "Found no span that says" in text and "weather-bot" in text
    assert text.index("ff" * 8) < text.index("ee" * 8) < text.index(spans.TRACE[:16]), "the newest is first"
    assert [text.count(word) for word in (">waiting<", ">made<", ">unusable<")] == [1, 1, 1]
    assert "Make it now" in text and "Try again" in text


@pytest.mark.parametrize(("state", "shown"), [("waiting", "aa"), ("made", "bb"), ("unusable", "cc"), ("odd", "aabbcc")])
def test_the_list_is_narrowed_by_state(client, project, state, shown):
    make.trace(project, trace_id="aa" * 16, taken=0)
    make.trace(project, trace_id="bb" * 16)
    make.trace(project, trace_id="cc" * 16, problem="It says nothing.")
    text = page(client, f"?state={state}")
    assert [one for one in ("aa", "bb", "cc") if f">{one * 8}<" in text] == [
        shown[at : at + 2] for at in range(0, len(shown), 2)
    ]


@pytest.mark.parametrize("key", ["session.id", "gen_ai.conversation.id"])
def test_the_traces_of_a_session_are_found_by_it(client, project, key):
    for number, session in ((1, "a & b"), (2, "other"), (3, "a & b")):
        heard, answer = [spans.said("user", f"Question {number}?")], spans.said("assistant", "Yes.")
        one = spans.chat(1, heard, answer, trace=f"{number:032x}")
        one["attributes"].append({"key": key, "value": {"stringValue": session}})
        send(project, one)
    traces.take_all()
    assert "?session=a%20%26%20b" in page(client)
    text = page(client, "?session=a%20%26%20b")
    assert [f">{number:016x}<" in text for number in (1, 2, 3)] == [True, False, True]


def test_long_lists_go_on_page_by_page(client, project):
    for number in range(31):
        make.trace(project, trace_id=f"{number:032x}", problem="It says nothing.")
    first = client.get(reverse("traces", args=["live"]), {"state": "unusable"})
    assert len(first.context["rows"]) == 30 and "state=unusable&amp;before=" in first.content.decode()
    rest = client.get(reverse("traces", args=["live"]) + first.context["older"])
    assert [row.trace.trace_id for row in rest.context["rows"]] == [f"{0:032x}"] and not rest.context["older"]


def test_a_page_of_traces_asks_as_often_for_many_as_for_one(client, project):
    asked = []
    for count in (1, 20):
        for _ in range(count):
            make.trace(project)
        with CaptureQueriesContext(connection) as queries:
            page(client)
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_the_rows_ask_for_news_only_while_a_trace_waits(client, project):
    one = make.trace(project, taken=0)
    rows = page(client, **{"HX-Request": "true"})
    assert "<html" not in rows and "every 3s" in rows and "make worker" in rows
    Trace.objects.filter(pk=one.pk).update(taken=3)
    assert "every 3s" not in page(client, **{"HX-Request": "true"})


def test_a_trace_without_its_root_is_made_now_on_demand(client, project):
    send(project, *spans.agent()[1:], ago=traces.SETTLES + 1)
    assert traces.take_all()["created"] == 0
    client.post(reverse("trace_hurry", args=["live", Trace.objects.get().pk]))
    assert traces.take_all()["created"] == 1


def test_an_unusable_trace_is_tried_again(client, project):
    send(project, *spans.agent())
    Trace.objects.update(taken=3, problem="An older version could not read it.")
    answer = client.post(reverse("trace_hurry", args=["live", Trace.objects.get().pk]) + "?state=unusable")
    assert answer.headers["Location"].endswith("/traces/?state=unusable")
    assert Trace.objects.get().problem == ""
    assert traces.take_all()["created"] == 1


def test_a_trace_that_was_made_is_not_made_again(client, project):
    send(project, *spans.agent())
    traces.take_all()
    client.post(reverse("trace_hurry", args=["live", Trace.objects.get().pk]))
    assert not traces.due().exists()


def test_unusable_traces_are_deleted_with_their_spans_one_or_all(client, project):
    for number in (1, 2, 3):
        send(project, spans.span(1, {"http.method": "GET"}, trace=f"{number:032x}"))
    send(project, *spans.agent())
    traces.take_all()
    one = Trace.objects.get(trace_id=f"{1:032x}")
    client.post(reverse("trace_delete", args=["live", one.pk]))
    assert Trace.objects.count() == 3 and not ReceivedSpan.objects.filter(trace_id=one.trace_id).exists()
    made = Trace.objects.get(trace_id=spans.TRACE)
    client.post(reverse("trace_delete", args=["live", made.pk]))
    assert Trace.objects.filter(pk=made.pk).exists(), "it is a trajectory"
    client.post(reverse("traces_delete", args=["live"]))
    assert list(Trace.objects.values_list("trace_id", flat=True)) == [spans.TRACE]
    assert ReceivedSpan.objects.count() == 3
    assert [event.after for event in Event.objects.filter(verb="traces.deleted").order_by("pk")] == [
        {"traces": 1},
        {"traces": 2},
    ]


def test_traces_of_another_project_are_out_of_reach(client, project):
    other = make.project(slug="other")
    foreign = make.trace(other, trace_id="ab" * 16, problem="It says nothing.", service="secret-service")
    assert "secret-service" not in page(client)
    for name in ("trace_hurry", "trace_delete"):
        client.post(reverse(name, args=["live", foreign.pk]))
    client.post(reverse("traces_delete", args=["live"]))
    assert Trace.objects.get(pk=foreign.pk).problem


@pytest.mark.parametrize(
    "query", ["?before=x", "?before=99999999999999999999", "?session=%00", "?session=%ff&state=%00"]
)
def test_an_odd_address_of_traces_is_no_error(client, project, query):
    make.trace(project)
    page(client, query)
