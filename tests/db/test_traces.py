"""Spans that were sent become trajectories: once, however often they are sent and whoever dies over it."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from annotations.formats import detect
from annotations.formats.opening.sources import Source
from annotations.models import Event, Original, Project, ReceivedSpan, Trace
from annotations.services import originals, traces, traces_kept, traces_made, traces_wire
from models_service import beat
from tests import make, spans
from tests.spans import TRACE

pytestmark = pytest.mark.django_db


def send(project: Project, *those: Any, ago: float = 60, protobuf: bool = True) -> int:
    """Send the spans, so long ago."""
    kind = traces_wire.PROTOBUF if protobuf else traces_wire.JSON
    body = spans.as_protobuf(*those) if protobuf else spans.as_json(*those)
    kept = traces.receive(project, traces_wire.read(body, kind).spans)
    Trace.objects.update(last_at=timezone.now() - timedelta(seconds=ago))
    return kept


def told(project: Project) -> list[tuple[str, int, list[str]]]:
    """Every live trajectory: its name, its version, and what its steps say."""
    rows = project.trajectories.live().order_by("pk")
    return [(one.external_id, one.version, [step.message for step in one.steps.of_agent()]) for one in rows]


@pytest.mark.parametrize("protobuf", [True, False])
def test_a_trace_becomes_a_trajectory_with_the_span_of_each_step(protobuf):
    project = make.project()
    send(project, *spans.agent(), protobuf=protobuf)
    assert traces.take_all()["created"] == 1
    assert told(project) == [(TRACE, 1, ["Answer 0.", "Answer 1."])]
    steps = project.trajectories.get().steps.of_agent()
    assert [step.extra["fields"]["span_id"] for step in steps] == [f"{2:016x}", f"{3:016x}"]
    assert project.trajectories.get().format == "otlp"


def test_a_trace_is_taken_up_when_its_root_ended_or_nothing_came_for_long(settings):
    project = make.project()
    root, *turns = spans.agent()
    send(project, *turns, ago=settings.TRACE_QUIET_SECONDS - 5)
    assert not traces.due().exists()
    Trace.objects.update(last_at=timezone.now() - timedelta(seconds=settings.TRACE_QUIET_SECONDS + 1))
    assert traces.due().exists()
    send(project, root, ago=traces.SETTLES / 2)
    assert not traces.due().exists(), "the last children may be on their way"
    Trace.objects.update(last_at=timezone.now() - timedelta(seconds=traces.SETTLES + 1))
    assert traces.due().exists()


def test_spans_that_come_later_make_a_new_version_whose_steps_keep_their_labels():
    project = make.project()
    send(project, *spans.agent(turns=2))
    traces.take_all()
    first = project.trajectories.get()
    make.rating(make.rater(project, "judge"), first, [1, -1])
    send(project, *spans.agent(turns=3))
    assert traces.take_all() | {"steps": 0} == {
        **dict.fromkeys((*traces.COUNTED, "rejected"), 0),
        "updated": 1,
        "carried": 2,
    }
    assert told(project) == [(TRACE, 2, ["Answer 0.", "Answer 1.", "Answer 2."])]
    assert traces.take_all()["updated"] == 0


def test_what_is_sent_again_is_kept_once_and_made_nothing_of():
    project = make.project()
    assert send(project, *spans.agent()) == 3
    traces.take_all()
    assert send(project, *spans.agent()) == 0
    assert not traces.due().exists()
    assert ReceivedSpan.objects.count() == 3 and len(told(project)) == 1
    assert Event.objects.filter(verb="traces.taken").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_over_a_trace_loses_and_doubles_nothing(monkeypatch):
    project = make.project()
    send(project, *spans.agent(), *spans.agent(trace="ff" * 16))

    class Killed(BaseException):
        pass

    def dies(**_: Any) -> None:
        raise Killed

    monkeypatch.setattr(traces.Event.objects, "create", dies)
    with pytest.raises(Killed):
        traces.take_all()
    assert told(project) == [] and traces.due().count() == 2
    monkeypatch.undo()
    assert traces.take_all()["created"] == 2
    assert traces.take_all()["created"] == 0
    assert len(told(project)) == 2


@pytest.mark.django_db(transaction=True)
def test_two_workers_told_of_the_same_traces_make_each_once():
    project = make.project()
    for number in range(20):
        send(project, *spans.agent(trace=f"{number + 1:032x}"))

    def work() -> None:
        try:
            traces.take_all()
        finally:
            connection.close()

    _together([work] * 4)
    traces.take_all()
    assert len(told(project)) == 20 == project.trajectories.count()


@pytest.mark.django_db(transaction=True)
def test_many_senders_of_the_same_spans_in_other_orders_end_and_keep_each_once():
    project = make.project()
    those = [one for number in range(30) for one in spans.agent(trace=f"{number + 1:032x}")]
    requests = [traces_wire.read(spans.as_json(*order), traces_wire.JSON) for order in (those, those[::-1])]

    def work(request: traces_wire.Request) -> None:
        try:
            traces.receive(project, request.spans)
        finally:
            connection.close()

    _together([lambda one=one: work(one) for one in requests * 3])
    assert ReceivedSpan.objects.count() == 90
    assert set(Trace.objects.values_list("spans", flat=True)) == {3}


def test_spans_that_come_while_a_trace_is_taken_up_make_it_wait_again(monkeypatch):
    project = make.project()
    root, first, second = spans.agent()
    send(project, root, first)
    drafts = traces_made._drafts

    def slow(*about: Any) -> Any:
        made = drafts(*about)
        send(project, second)
        return made

    monkeypatch.setattr(traces_made, "_drafts", slow)
    traces.take(project, [TRACE])
    monkeypatch.undo()
    assert told(project) == [(TRACE, 1, ["Answer 0."])]
    assert traces.take_all()["updated"] == 1
    assert told(project) == [(TRACE, 2, ["Answer 0.", "Answer 1."])]


def test_a_trace_that_says_nothing_is_kept_with_the_reason_and_the_others_go_in():
    project = make.project()
    send(project, spans.span(1, {"http.method": "GET"}, trace="ee" * 16), *spans.agent())
    counts = traces.take_all()
    assert (counts["created"], counts["rejected"]) == (1, 1)
    assert "no span that says" in Trace.objects.get(trace_id="ee" * 16).problem
    assert not traces.due().exists()


def test_texts_that_no_column_holds_are_made_visible():
    project = make.project()
    send(project, spans.chat(1, [spans.said("user", "a\x00b")], spans.said("assistant", "c\x00d")))
    traces.take_all()
    assert told(project) == [(TRACE, 1, ["c␀d"])]


def test_the_original_is_a_file_that_reads_as_the_same_trajectory():
    project = make.project()
    send(project, *spans.agent())
    traces.take_all()
    trajectory = project.trajectories.get()
    content = originals.content(trajectory.original)
    form, look = detect(Source("file.json", lambda: BytesIO(content)))
    assert form.name == "otlp" and look.shape in ("object", "lines")
    (item,) = form.read(Source("file.json", lambda: BytesIO(content)))
    assert item.record and item.record.external_id == TRACE
    assert [one.message for one in item.record.steps] == list(trajectory.steps.values_list("message", flat=True))


def test_a_worker_is_told_of_traces_that_wait(monkeypatch):
    sent: list[str] = []
    monkeypatch.setattr(traces.current_app, "send_task", lambda name, **_: sent.append(name))
    project = make.project()
    beat.Beat("worker", ["light"]).beat()
    assert sent == []
    send(project, *spans.agent())
    beat.Beat("worker", ["light"]).beat()
    assert sent == [traces.TASK]


def _together(works: list[Any]) -> None:
    threads = [Thread(target=work) for work in works]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=60)
        assert not one.is_alive()


def old(settings: Any) -> None:
    """Let the days pass after which spans are deleted."""
    passed = timedelta(days=settings.TRACE_KEEP_DAYS, hours=1)
    Trace.objects.update(last_at=timezone.now() - passed)


def test_spans_are_deleted_days_after_their_trace_became_a_trajectory_and_its_original_stays(settings):
    project = make.project()
    send(project, *spans.agent())
    traces.take_all()
    original = originals.content(project.trajectories.get().original)
    assert traces_kept.delete_old() == 0 and ReceivedSpan.objects.count() == 3
    old(settings)
    beat.Beat("worker", ["light"]).beat()
    assert not ReceivedSpan.objects.exists() and Trace.objects.get().emptied
    assert originals.content(project.trajectories.get().original) == original
    assert traces_kept.delete_old() == 0 and traces.take_all()["unchanged"] == 0


def test_the_spans_of_a_trace_that_waits_are_kept_however_old(settings):
    project = make.project()
    send(project, *spans.agent())
    old(settings)
    assert traces_kept.delete_old() == 0
    traces.take_all()
    project.trajectories.update(original=None)
    assert traces_kept.delete_old() == 0, "they would be lost"
    assert ReceivedSpan.objects.count() == 3


def test_a_trace_that_is_no_trajectory_goes_with_its_spans_once_it_is_old(settings):
    project = make.project()
    send(project, spans.span(1, {"http.method": "GET"}), *spans.agent(trace="ee" * 16))
    traces.take_all()
    old(settings)
    assert traces_kept.delete_old() == 2
    assert Trace.objects.get().trace_id == "ee" * 16 and not ReceivedSpan.objects.exists()


def test_no_spans_are_deleted_where_the_days_are_nought(settings):
    settings.TRACE_KEEP_DAYS = 0
    project = make.project()
    send(project, *spans.agent())
    traces.take_all()
    Trace.objects.update(last_at=timezone.now() - timedelta(days=999))
    assert traces_kept.delete_old() == 0 and ReceivedSpan.objects.count() == 3


@pytest.mark.parametrize("protobuf", [True, False])
def test_a_span_that_comes_after_the_others_were_deleted_goes_on_from_the_original(settings, protobuf):
    project = make.project()
    send(project, *spans.agent(turns=2), protobuf=protobuf)
    traces.take_all()
    make.rating(make.rater(project, "judge"), project.trajectories.get(), [1, -1])
    old(settings)
    traces_kept.delete_old()
    send(project, *spans.agent(turns=3)[2:], protobuf=protobuf)
    assert traces.take_all() | {"steps": 0} == {
        **dict.fromkeys((*traces.COUNTED, "rejected"), 0),
        "updated": 1,
        "carried": 2,
    }
    assert told(project) == [(TRACE, 2, ["Answer 0.", "Answer 1.", "Answer 2."])]
    assert ids_in(project) == [f"{number:016x}" for number in (1, 2, 3, 4)]
    assert not Trace.objects.get().emptied
    old(settings)
    assert traces_kept.delete_old() == 1


def test_what_is_sent_again_after_it_was_deleted_changes_nothing(settings):
    project = make.project()
    send(project, *spans.agent())
    traces.take_all()
    old(settings)
    traces_kept.delete_old()
    send(project, *spans.agent())
    assert traces.take_all()["unchanged"] == 1
    assert told(project) == [(TRACE, 1, ["Answer 0.", "Answer 1."])]
    assert ids_in(project) == [f"{number:016x}" for number in (1, 2, 3)]


def test_a_late_span_that_says_nothing_is_in_the_original_all_the_same():
    project = make.project()
    send(project, *spans.agent())
    traces.take_all()
    send(project, spans.span(9, {"http.method": "GET"}, parent=1))
    traces.take_all()
    assert f"{9:016x}" in ids_in(project)
    assert Original.objects.filter(project=project).count() == project.trajectories.count()


def ids_in(project: Project) -> list[str]:
    """The spans of the live trajectory's original."""
    document = json.loads(originals.content(project.trajectories.live().get().original))
    scopes = [scope for resource in document["resourceSpans"] for scope in resource["scopeSpans"]]
    return [span["spanId"] for scope in scopes for span in scope["spans"]]
