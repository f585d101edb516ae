"""The label scheme is changed while somebody labels: what they said follows to the pass under the new version."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations import schemes
from annotations.models import Annotation, Project, User
from annotations.services import queue, scheme_changes, scheme_texts
from tests import make
from tests.browser.conftest import Watch
from tests.browser.desk import Desk
from tests.browser.test_hands import back_online, label_cut_off

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Without the neutral answer, and with another name for the wrong one.
PRESET = schemes.preset_text("agent-process")
SHARPER = "\n".join(
    line
    for line in PRESET.partition("\nguidelines:")[0].splitlines()
    if "title: Neutral" not in line and not line.startswith("version:")
)
SHARPER = SHARPER.replace("{value: -1, title: Wrong", "{value: bad, title: Bad")
SHARPER = SHARPER.replace("value: -1, until", "value: bad, until")
SHARPER += "\nversion: sharper\nrenames:\n  - {field: label, from: -1, to: bad}\n"


@pytest.fixture
def people() -> dict[str, User]:
    return {name: make.user(name) for name in ("ann", "lead")}


@pytest.fixture
def desk(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], people: dict[str, User], watch: Watch
) -> Desk:
    """Ann at work on a trajectory of three steps."""
    watch.allow("ERR_INTERNET_DISCONNECTED|status of 404")
    project = make.project(people["ann"], owner=people["lead"], overlap=1)
    make.trajectory(project)
    leased = queue.lease_next(project, people["ann"])
    assert leased
    log_in(people["ann"])
    return Desk(page, live_server.url, leased).open()


def change_scheme(lead: User) -> None:
    project = Project.objects.get()
    scheme_changes.change(project, scheme_texts.save(project, SHARPER, lead), lead)


def successor(user: User) -> Annotation:
    return Annotation.objects.live().get(rater__user=user)


def test_what_waits_follows_in_the_new_words_and_what_has_none_is_listed(desk: Desk, people: dict[str, User]) -> None:
    label_cut_off(desk)  # right, wrong, neutral
    change_scheme(people["lead"])
    back_online(desk)
    desk.trouble("The label scheme was changed while you worked. 2 changes of yours went along")
    listed = desk.page.get_by_role("status").filter(has_text="has no place")
    expect(listed).to_contain_text("step 3: Neutral (label takes one of 1, bad, not 0)")
    desk.page.get_by_role("link", name="Go on with the new version").click()
    new = Desk(desk.page, desk.url, successor(people["ann"])).ready().saved()
    assert new.stored() == {1: 1, 2: "bad"}
    new.shows(2, "Bad")
    expect(new.page.get_by_role("status").filter(has_text="has no place")).to_contain_text("Neutral")


def test_without_anything_waiting_the_way_is_offered_too(desk: Desk, people: dict[str, User]) -> None:
    desk.press("1", "j", "-").saved()
    change_scheme(people["lead"])
    desk.press("j", "1")
    desk.trouble("The label scheme was changed while you worked. 1 change of yours went along")
    desk.page.get_by_role("link", name="Go on with the new version").click()
    new = Desk(desk.page, desk.url, successor(people["ann"])).ready().saved()
    assert new.stored() == {1: 1, 2: "bad", 3: 1}


def test_the_old_address_leads_to_the_pass_that_goes_on(desk: Desk, people: dict[str, User]) -> None:
    desk.press("1").saved()
    change_scheme(people["lead"])
    desk.page.goto(desk.url)
    new = Desk(desk.page, desk.url, successor(people["ann"])).ready()
    new.shows(1, "Right")
