"""The next item is there before it is asked for."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, User
from annotations.services import labels, queue
from tests import make
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ARRIVED = "performance.getEntriesByType('navigation')[0].deliveryType"


@pytest.fixture
def annotator() -> User:
    return make.user()


@pytest.fixture
def desk(page: Page, live_server: LiveServer, log_in: Callable[..., None], annotator: User) -> Desk:
    """Two steps on the desk, and two trajectories to go."""
    project = make.project(annotator)
    for _ in range(3):
        make.trajectory(project, steps=2)
    mine = queue.lease_next(project, annotator)
    assert mine
    log_in(annotator)
    return Desk(page, live_server.url, mine).open()


def pages(annotator: User) -> list[tuple[int, str]]:
    own = Annotation.objects.filter(rater__user=annotator).order_by("pk")
    return list(own.values_list("pk", "state"))


def label_all(desk: Desk) -> None:
    desk.press("1", "j", "1")
    with desk.page.expect_response(lambda answer: answer.url.endswith("/ahead")):
        desk.press("f")
    desk.saved()


def test_it_is_leased_and_fetched_once_nothing_is_missing_and_handing_in_goes_straight_there(
    desk: Desk, annotator: User
) -> None:
    desk.press("1", "j", "1")
    desk.saved()
    assert len(pages(annotator)) == 1
    label_all(desk)
    (_, ahead) = pages(annotator)
    desk.page.wait_for_timeout(500)

    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url) if request.is_navigation_request() else None)
    desk.press("Control+Enter")
    desk.page.wait_for_url(f"**/label/{ahead[0]}/")
    desk.ready()
    assert desk.page.evaluate(ARRIVED) == "navigational-prefetch"
    assert asked == [desk.page.url]


def test_what_another_device_said_of_it_meanwhile_is_there(desk: Desk, annotator: User) -> None:
    label_all(desk)
    desk.page.wait_for_timeout(500)
    other = Annotation.objects.exclude(pk=desk.annotation.pk).get()
    said = [{"step": 1, "field": "label", "value": -1}]
    labels.change(other.pk, annotator, said, change=uuid.uuid4(), revision=other.revision)
    desk.press("Control+Enter")
    desk.page.wait_for_url(f"**/label/{other.pk}/")
    desk.ready().shows(1, "Wrong")


def test_where_nothing_comes_next_the_project_does(desk: Desk, annotator: User) -> None:
    for one in range(3):
        label_all(desk)
        before = desk.page.url
        desk.press("Control+Enter")
        desk.page.wait_for_url(lambda url, before=before: url != before)
        if one < 2:
            desk.ready()
    expect(desk.page.get_by_text("Nothing is left for you to label here")).to_be_visible()
    expect(desk.page.get_by_text("What to do next")).to_have_count(0)
    assert {state for _, state in pages(annotator)} == {"submitted"}
