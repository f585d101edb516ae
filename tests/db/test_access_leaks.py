"""What a rater may not see is in no answer: every page, fragment and API answer an annotator can get is read for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from annotations.models import Annotation, Event, Label, Project, Rater, Role, Run, Score
from annotations.services import labels
from tests import doors, make
from tests.db.test_access_doors import arguments_of, named
from tests.doors import DOORS, World, addresses

pytestmark = pytest.mark.django_db

Mode = Project.Mode

# What is hidden, by what it is. Each is found nowhere else.
REFERENCE = "zq-reference-truth"
OUTCOME = "zq-outcome-reward"
EXTRA = ["zq-extra-trajectory", "zq-extra-step"]
JUDGE = ["zq-judge-name", "zq-judge-note", "zq-judge-why"]
OTHERS = [
    *("zq-gold-name", "zq-gold-note", "zq-gold-why", "zq-colleague-name", "zq-colleague-note", "zq-colleague-why"),
    *("zq-judge-comment", "zq-gold-comment", "zq-colleague-comment"),
]
SCORE = ["0.73519", "zq-score-flag"]
TALK = ["zq-colleague-question", "zq-lead-answer"]
RESULTS = ["zq-run-result", "zq-run-config", "zq-run-error", "zq-report", "zq-event"]
OWN = "zq-own-note"
OWN_TALK = ["zq-own-question", "zq-own-answer"]
MINE = [OWN, *OWN_TALK]
EVERYTHING = [REFERENCE, OUTCOME, *EXTRA, *JUDGE, *OTHERS, *SCORE, *TALK, *RESULTS]


def marked(mode: str) -> World:
    """A project in which everything that can be hidden carries a mark."""
    walked = doors.world(mode=mode)
    project, trajectory = walked.project, walked.trajectory
    trajectory.outcome, trajectory.extra = {"reward": OUTCOME}, {"kept": EXTRA[0]}
    trajectory.save()
    trajectory.task.reference = {"answer": REFERENCE}
    trajectory.task.save()
    step = trajectory.steps.of_agent()[0]
    step.extra = {"kept": EXTRA[1]}
    step.save()
    colleague = make.user("zq-colleague-name")
    make.member(project, colleague)
    for name, kind, user in (("gold", "import", None), ("judge", "judge", None), ("colleague", "human", colleague)):
        rater = make.rater(project, f"zq-{name}-name", kind, user)
        pass_ = make.rating(rater, trajectory, [-1, -1, -1], final=-1, comment=f"zq-{name}-comment")
        pass_.labels.update(explanation=f"zq-{name}-why")
        Label.objects.create(annotation=pass_, step=step, field="note", value=f"zq-{name}-note", origin="human")
        Event.objects.create(project=project, verb="change", annotation=pass_, after={"said": "zq-event"})
    project.reference = Rater.objects.get(name="zq-gold-name")
    project.save()
    _results(walked, step)
    _talk(walked)
    ann = walked.people["annotator"]
    item = {"step": 2, "field": "note", "value": OWN}
    labels.change(walked.annotation.pk, ann, [item], change="8f14e45f-ceea-467f-a9d2-7c6f4a3a8f00", revision=0)
    return walked


def _talk(walked: World) -> None:
    """A colleague and the annotator each ask about the same step, and a lead answers both."""
    theirs = Annotation.objects.get(rater__name="zq-colleague-name")
    lead = walked.people["manager"]
    make.answer(make.thread(theirs, TALK[0]), lead, TALK[1])
    walked.thread = make.thread(walked.annotation, OWN_TALK[0])
    make.answer(walked.thread, lead, OWN_TALK[1])


def _results(walked: World, step: Any) -> None:
    walked.import_.result["unmatched"] = ["zq-run-result"]
    walked.import_.save()
    marks = {"config": {"x": "zq-run-config"}, "error": "zq-run-error"}
    run = Run.objects.create(project=walked.project, kind="score", state="done", **marks)
    detail = {"flags": ["zq-score-flag"], "why": []}
    Score.objects.create(
        run=run, trajectory=walked.trajectory, step=step, value=0.73519, probability=0.73519, detail=detail
    )
    walked.report.result["x"] = "zq-report"
    walked.report.save()


# The same doors asked otherwise: filters that would tell, fragments, bodies.
VARIANTS: dict[str, list[str]] = {
    "trajectories": [
        f"?outcome={OUTCOME}",
        "?label=-1",
        "?first_error=1",
        "?differ=1",
        "?score=0.9",
        "?sort=doubt",
        "?sort=newest",
    ],
    "trajectory": ["?at=0", "?at=9"],
    "trajectory_steps": ["?from=0"],
    "annotate_find": ["?q=zq", "?q=I+try"],
    "annotate_text": ["?raw=1"],
    "api-trajectories-detail": ["?steps=true"],
    "api-labels-list": ["?kind=judge", "?kind=human", "?rater=zq-judge-name", "?state=submitted"],
    "api-annotations-list": ["?kind=human", "?state=submitted", "?rater=zq-gold-name"],
    "questions": ["?state=all", "?q=zq"],
    "api-threads-list": ["?state=answered", "?begun_by=zq-colleague-name", "?step=1"],
    "api-raters-list": ["?kind=judge", "?name=zq-gold-name"],
}
PARTS = ["message", "reasoning", "call-0", "observation-0", "extra"]


def answers(walked: World) -> Iterator[tuple[str, str]]:
    """Every answer of Stepmark an annotator can get, as (what was asked, all of the answer)."""
    client = Client()
    client.force_login(walked.people["annotator"])
    for route, pattern in addresses():
        name = named(route, pattern)
        for door in DOORS.get(name, []):
            arguments = walked.arguments(name, arguments_of(route))
            if door.method == "get":
                yield from _gets(client, name, arguments)
            elif any(word in name for word in ("label", "annotation", "thread")) or name == "api-next":
                yield from _posts(client, name, arguments, door, walked)


def _gets(client: Client, name: str, arguments: dict[str, Any]) -> Iterator[tuple[str, str]]:
    every = [arguments]
    if name in ("trajectory_part", "annotate_text"):
        which = "name" if "name" in arguments else "part"
        every = [{**arguments, which: part} for part in PARTS]
    for one in every:
        url = reverse(name, kwargs=one)
        for variant in ["", *VARIANTS.get(name, [])]:
            for headers in ({}, {"HX-Request": "true"}):
                yield f"GET {url}{variant} {headers}", _all_of(client.get(url + variant, headers=headers))


def _posts(client: Client, name: str, arguments: dict[str, Any], door: Any, walked: World) -> Iterator[tuple[str, str]]:
    if door.method != "post" or name in ("label_next", "api-labels-bulk"):
        return
    revision = Annotation.objects.get(pk=walked.annotation.pk).revision
    body = walked.filled(door.body)
    if "revision" in body:
        body = {**body, "revision": revision}
    sent = {"data": body} if name.startswith("thread") else {"data": body, "content_type": "application/json"}
    url = reverse(name, kwargs=arguments)
    for headers in ({}, {"HX-Request": "true"}):
        yield f"POST {url} {headers}", _all_of(client.post(url, **sent, headers=headers))


def _all_of(answer: HttpResponse) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = body.decode(errors="replace")
    return f"{answer.status_code} {dict(answer.headers)} {answer.cookies} {text}"


def found_in(walked: World) -> dict[str, list[str]]:
    """Mark → where it was found."""
    read = list(answers(walked))
    assert len(read) > 150
    return {mark: [asked for asked, text in read if mark in text] for mark in [*EVERYTHING, *MINE]}


def leaked(found: dict[str, list[str]], allowed: list[str]) -> dict[str, list[str]]:
    return {mark: where for mark, where in found.items() if where and mark not in [*allowed, *MINE]}


def test_blind_means_that_nothing_of_it_is_in_any_answer():
    found = found_in(marked(Mode.BLIND))
    assert leaked(found, allowed=[]) == {}
    places = " ".join(found[OWN])
    for door in ("/api/v1/projects/walked/labels/", "/state", "/p/walked/label/", "/p/walked/trajectories/"):
        assert door in places
    for mark in OWN_TALK:
        places = " ".join(found[mark])
        for door in ("/api/v1/projects/walked/threads/", "/talk", "/p/walked/questions/"):
            assert door in places, f"{mark} is not at {door}"


def test_reference_mode_shows_the_reference_and_the_outcome_and_nobodys_labels():
    found = found_in(marked(Mode.REFERENCE))
    assert leaked(found, allowed=[REFERENCE, OUTCOME]) == {}
    for mark in (REFERENCE, OUTCOME):
        places = " ".join(found[mark])
        for door in ("/api/v1/projects/walked/trajectories/", "/p/walked/trajectories/", "/p/walked/label/"):
            assert door in places, f"{mark} is not at {door}"


def test_assisted_mode_shows_scores_and_judges_but_no_person_and_no_reference():
    found = found_in(marked(Mode.ASSISTED))
    assert leaked(found, allowed=[*JUDGE, *SCORE, "zq-judge-comment"]) == {}
    assert "/api/v1/projects/walked/scores/" in " ".join(found[SCORE[0]])
    assert "/api/v1/projects/walked/labels/" in " ".join(found["zq-judge-note"])


LATER = ["zq-later-message", "zq-later-call", "zq-later-seen"]


def test_progressive_mode_shows_no_step_before_its_time_at_any_door():
    walked = marked(Mode.PROGRESSIVE)
    mine, steps = walked.annotation, walked.trajectory.steps.of_agent()
    call = {"id": "1", "name": "zq-later-call", "arguments": "{}"}
    seen = {"tool_call_id": "1", "name": "look", "content": "zq-later-seen"}
    steps.filter(index=3).update(message="zq-later-message", tool_calls=[call], observations=[seen])
    Annotation.objects.filter(pk=mine.pk).update(mode=Mode.PROGRESSIVE, frontier=2)
    read = list(answers(walked))
    assert leaked(found_in(walked), allowed=[]) == {}
    assert [asked for asked, text in read for mark in LATER if mark in text] == []
    assert [asked for asked, text in read if "I try 2" in text]  # what is shown already is there to be found
    walked.people["annotator"] = walked.people[Role.OWNER]
    texts = [text for _, text in answers(walked)]
    assert all(any(mark in text for text in texts) for mark in LATER)


def test_who_has_not_begun_a_progressive_trajectory_reads_none_of_it(client):
    walked = marked(Mode.PROGRESSIVE)
    untouched = make.trajectory(walked.project)
    untouched.steps.update(message="zq-untouched")
    client.force_login(walked.people["annotator"])
    here = f"/p/{walked.project.slug}/trajectories/"
    api = f"/api/v1/projects/{walked.project.slug}/"
    for door in (
        here,
        f"{here}{untouched.pk}/",
        f"{here}{untouched.pk}/steps/?from=0",
        f"{api}steps/",
        f"{api}trajectories/",
    ):
        answer = client.get(door)
        assert answer.status_code == 200, door
        assert "zq-untouched" not in _all_of(answer), door
    found = {one["id"]: one["steps"] for one in client.get(f"{api}trajectories/").json()["results"]}
    assert found[untouched.pk] == 0


def test_a_lead_finds_every_mark_so_the_marks_can_be_found():
    walked = marked(Mode.BLIND)
    walked.people["annotator"] = walked.people[Role.OWNER]
    found = found_in(walked)
    assert [mark for mark in EVERYTHING if not found[mark] and mark != "zq-event"] == []
    assert any("/p/walked/questions/" in asked for asked in found[TALK[0]])


@pytest.mark.parametrize("query", VARIANTS["trajectories"])
def test_a_filter_over_what_is_hidden_finds_the_same_whatever_is_there(query, client):
    """Two trajectories that differ only in what is hidden are both listed or both not."""
    walked = marked(Mode.BLIND)
    plain = make.trajectory(walked.project)
    make.lease(plain, walked.people["annotator"])
    Annotation.objects.filter(rater__user=walked.people["annotator"]).delete()
    client.force_login(walked.people["annotator"])
    page = client.get(reverse("trajectories", args=["walked"]) + query).content.decode()
    addresses_ = [reverse("trajectory", args=["walked", one.pk]) for one in (walked.trajectory, plain)]
    assert len({address in page for address in addresses_}) == 1
