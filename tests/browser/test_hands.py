"""What others do to an item while somebody works on it, cut off from the server: every label of both is stored, none
twice, and no seat is given out that there is not."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, Event, Guideline, Label, Membership, Project, Role, User
from annotations.services import labels, members, queue, setup
from tests import make
from tests.browser.conftest import Watch
from tests.browser.desk import Desk
from tests.db.importing import APB, file, rows, take

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SAID = {1: 1, 2: -1, 3: 0}  # what ann says, cut off, of the steps in `label_cut_off`


@pytest.fixture
def people() -> dict[str, User]:
    return {name: make.user(name) for name in ("ann", "bob", "lead")}


@pytest.fixture
def project(people: dict[str, User]) -> Project:
    """One seat a trajectory."""
    made = make.project(people["ann"], people["bob"], owner=people["lead"], overlap=1)
    make.trajectory(made)
    return made


@pytest.fixture
def desk(
    page: Page,
    live_server: LiveServer,
    log_in: Callable[..., None],
    people: dict[str, User],
    project: Project,
    watch: Watch,
) -> Desk:
    """Ann at work on the trajectory, with a lease of the queue's own."""
    watch.allow("ERR_INTERNET_DISCONNECTED")
    leased = queue.lease_next(project, people["ann"])
    assert leased
    log_in(people["ann"])
    return Desk(page, live_server.url, leased).open()


def label_cut_off(desk: Desk) -> None:
    desk.page.context.set_offline(True)
    desk.press("1", "j", "-", "j", "0")
    desk.trouble("3 changes are kept in this browser")


def back_online(desk: Desk) -> None:
    desk.page.context.set_offline(False)


def enter(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def door(desk: Desk, name: str, *more: Any) -> str:
    return reverse(name, args=[desk.annotation.rater.project.slug, desk.annotation.trajectory_id, *more])


def label_and_submit(user: User, value: int) -> Annotation:
    """What somebody does on another machine: all steps, the whole, submitted."""
    project = Project.objects.get()
    mine = queue.lease_next(project, user)
    assert mine
    steps = mine.trajectory.steps.of_agent().values_list("index", flat=True)
    items = [{"step": step, "field": "label", "value": value} for step in steps]
    items.append({"step": None, "field": "final", "value": value})
    labels.change(mine.pk, user, items, change=uuid.uuid4(), revision=mine.revision)
    mine.refresh_from_db()
    labels.submit(mine.pk, user, change=uuid.uuid4(), revision=mine.revision)
    mine.refresh_from_db()
    return mine


def said_by(user: User) -> dict[int | None, Any]:
    found = Label.objects.current().filter(annotation__rater__user=user, annotation__retired_at=None, field="label")
    return dict(found.values_list("step__index", "value"))


def changes_of(annotation: Annotation) -> int:
    return Event.objects.filter(annotation=annotation, verb="change").count()


def seats() -> list[tuple[str, int]]:
    held = Annotation.objects.filter(seat__isnull=False).order_by("seat")
    return list(held.values_list("rater__user__username", "seat"))


def test_a_lead_gives_the_item_to_somebody_who_submits_it(desk: Desk, people: dict[str, User], watch: Watch) -> None:
    label_cut_off(desk)
    lead = enter(people["lead"])
    lead.post(door(desk, "trajectory_release", desk.annotation.pk))
    lead.post(door(desk, "trajectory_give"), {"to": "bob"})
    his = label_and_submit(people["bob"], -1)
    assert his.trajectory_id == desk.annotation.trajectory_id

    back_online(desk)
    desk.saved()
    assert said_by(people["ann"]) == SAID
    assert said_by(people["bob"]) == {1: -1, 2: -1, 3: -1}
    assert (changes_of(desk.annotation), seats()) == (3, [("bob", 0)])

    watch.allow("status of 409")
    desk.press("f").saved()
    desk.press("Control+Enter")
    desk.trouble("freed for others.*Label another item meanwhile")
    assert seats() == [("bob", 0)]
    assert Annotation.objects.get(pk=desk.annotation.pk).state == "draft"


def test_a_seat_that_a_lead_freed_is_told_of_and_taken_again_by_submitting(desk: Desk, people: dict[str, User]) -> None:
    label_cut_off(desk)
    enter(people["lead"]).post(door(desk, "trajectory_release", desk.annotation.pk))
    back_online(desk)
    desk.saved()
    desk.page.reload()  # which asks for the seat at once
    desk.ready().trouble("freed for others")
    assert seats() == []
    desk.press("f").saved()
    desk.press("Control+Enter")
    desk.page.wait_for_url(lambda url: url != desk.url)
    assert seats() == [("ann", 0)]
    assert said_by(people["ann"]) == SAID


def test_the_lease_runs_out_and_somebody_else_takes_the_seat(desk: Desk, people: dict[str, User]) -> None:
    label_cut_off(desk)
    Annotation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    label_and_submit(people["bob"], 1)
    back_online(desk)
    desk.saved()
    assert said_by(people["ann"]) == SAID
    assert said_by(people["bob"]) == {1: 1, 2: 1, 3: 1}
    assert (changes_of(desk.annotation), seats()) == (3, [("bob", 0)])


def test_the_item_is_skipped_on_another_machine(desk: Desk, people: dict[str, User], watch: Watch) -> None:
    watch.allow("status of 409")
    label_cut_off(desk)
    labels.skip(desk.annotation.pk, people["ann"], "Not English.")
    back_online(desk)
    desk.trouble("closed elsewhere. 3 changes wait in this browser; reopen the item")
    assert said_by(people["ann"]) == {}

    desk.page.reload()
    desk.page.get_by_role("button", name="Reopen").click()
    desk.page.wait_for_load_state()
    desk.ready().saved()
    assert said_by(people["ann"]) == SAID
    assert (changes_of(desk.annotation), seats()) == (3, [("ann", 0)])


def test_skipped_elsewhere_and_taken_by_somebody_else_nothing_is_lost(
    desk: Desk, people: dict[str, User], watch: Watch
) -> None:
    watch.allow("status of 409")
    label_cut_off(desk)
    labels.skip(desk.annotation.pk, people["ann"], "Not English.")
    label_and_submit(people["bob"], 1)
    back_online(desk)
    desk.trouble("3 changes wait in this browser")
    desk.page.reload()
    desk.page.get_by_role("button", name="Reopen").click()
    desk.trouble("freed for others")
    assert desk.waiting() == 3, "they wait until there is a seat again"
    assert (said_by(people["ann"]), seats()) == ({}, [("bob", 0)])


def finished(desk: Desk, user: User) -> None:
    """Submitted on another machine, with other answers than those that wait here."""
    pk = desk.annotation.pk
    items = [{"step": step, "field": "label", "value": value} for step, value in {1: 1, 2: 1, 3: 1}.items()]
    items.append({"step": None, "field": "final", "value": 1})
    labels.change(pk, user, items, change=uuid.uuid4(), revision=0)
    labels.submit(pk, user, change=uuid.uuid4(), revision=1)


def take_mine(desk: Desk) -> None:
    """Steps 2 and 3 were answered otherwise elsewhere: each is asked about."""
    for _ in range(2):
        desk.page.get_by_role("button", name="Keep what is here").click()


def test_the_item_is_submitted_and_reopened_on_another_machine(
    desk: Desk, people: dict[str, User], watch: Watch
) -> None:
    watch.allow("status of 409")
    label_cut_off(desk)
    finished(desk, people["ann"])
    labels.reopen(desk.annotation.pk, people["ann"])
    back_online(desk)
    take_mine(desk)
    desk.saved()
    assert said_by(people["ann"]) == SAID
    assert seats() == [("ann", 0)]


def test_the_item_is_submitted_on_another_machine_and_returned(
    desk: Desk, people: dict[str, User], watch: Watch
) -> None:
    watch.allow("status of 409")
    label_cut_off(desk)
    finished(desk, people["ann"])
    enter(people["lead"]).post(door(desk, "trajectory_return", desk.annotation.pk), {"reason": "Look at step 2."})
    back_online(desk)
    take_mine(desk)
    desk.saved()
    assert said_by(people["ann"]) == SAID
    assert Annotation.objects.get(pk=desk.annotation.pk).state == "returned"


def role_of_ann(role: Role, project: Project, people: dict[str, User]) -> None:
    ann, lead = (Membership.objects.get(project=project, user=people[name]) for name in ("ann", "lead"))
    members.change_role(ann, role, lead)


def test_whoever_may_no_longer_label_is_told_why_and_what_waits_stays(
    desk: Desk, people: dict[str, User], project: Project, watch: Watch
) -> None:
    watch.allow("status of 403")
    label_cut_off(desk)
    role_of_ann(Role.VIEWER, project, people)
    back_online(desk)
    desk.trouble("Your role here is viewer; this needs .*3 changes wait in this browser and will be sent when you may")
    expect(desk.page.locator("[data-login]")).to_be_hidden()
    assert (desk.waiting(), said_by(people["ann"]), seats()) == (3, {}, [])
    label_and_submit(people["bob"], 1)

    role_of_ann(Role.ANNOTATOR, project, people)
    desk.press("f").saved()
    assert said_by(people["ann"]) == SAID
    assert seats() == [("bob", 0)]


def test_whoever_is_removed_keeps_what_waits_until_they_are_back(
    desk: Desk, people: dict[str, User], project: Project, watch: Watch
) -> None:
    watch.allow("status of 404")
    label_cut_off(desk)
    ann, lead = (Membership.objects.get(project=project, user=people[name]) for name in ("ann", "lead"))
    members.remove(ann, lead)
    back_online(desk)
    desk.trouble("cannot open this item. 3 changes wait in this browser")
    assert (desk.waiting(), seats()) == (3, [])
    members.add(project, people["ann"], Role.ANNOTATOR, lead)
    desk.page.reload()
    desk.ready().saved()
    assert said_by(people["ann"]) == SAID


def test_the_guidelines_change_meanwhile(desk: Desk, people: dict[str, User], project: Project) -> None:
    before = project.guidelines.get()
    label_cut_off(desk)
    Guideline.objects.create(project=project, version=2, text="# Otherwise")
    back_online(desk)
    desk.saved()
    assert said_by(people["ann"]) == SAID
    assert set(Label.objects.values_list("guideline", flat=True)) == {before.pk}, "the version she works under"


@pytest.mark.parametrize("mode", ["assisted", "progressive", "reference"])
def test_the_project_takes_another_mode_meanwhile(
    desk: Desk, people: dict[str, User], project: Project, mode: str
) -> None:
    label_cut_off(desk)
    setup.change(project, people["lead"], mode=mode)
    back_online(desk)
    desk.saved()
    assert said_by(people["ann"]) == SAID
    mine = Annotation.objects.get(pk=desk.annotation.pk)
    assert (mine.mode, mine.frontier) == ("blind", None)


# Imported again. The sample's rollout has agent's steps 2, 3 and 4.


@pytest.fixture
def imported(
    page: Page, live_server: LiveServer, log_in: Callable[..., None], people: dict[str, User], watch: Watch
) -> Desk:
    """Ann at work on an imported rollout."""
    watch.allow("ERR_INTERNET_DISCONNECTED|status of 404")
    project = make.project(people["ann"], owner=people["lead"], overlap=1)
    take(project, APB)
    mine = queue.lease_next(project, people["ann"])
    assert mine
    log_in(people["ann"])
    return Desk(page, live_server.url, mine).open()


def import_again(desk: Desk, folder: Path) -> None:
    """With another second step of the agent, and one more before the first: what was 2, 3 and 4 is 3, none and 5."""
    changed = rows()[0]
    changed["messages"][4]["content"] = "Something else."
    changed["messages"].insert(2, {"role": "assistant", "content": "Let me think."})
    take(desk.annotation.rater.project, file(folder, changed, rows()[1]))


def new_pass(user: User) -> Annotation:
    return Annotation.objects.live().get(rater__user=user)


def test_changes_follow_a_trajectory_that_is_imported_again(
    imported: Desk, people: dict[str, User], tmp_path: Path
) -> None:
    desk, ann = imported, people["ann"]
    label_cut_off(desk)
    import_again(desk, tmp_path)
    back_online(desk)
    desk.trouble("imported anew while you worked. 2 changes of yours went along")
    expect(desk.page.get_by_role("status").filter(has_text="no place in")).to_contain_text("step 2: Wrong")
    desk.press("f")  # one goes on labelling here, and that goes along too
    desk.trouble("3 changes of yours went along")

    desk.page.get_by_role("link", name="Go on with the new version").click()
    new = Desk(desk.page, desk.url, new_pass(ann)).ready().saved()
    assert said_by(ann) == {3: 1, 5: 0}
    assert new.stored("final") == {None: 1}
    assert changes_of(new.annotation) == 3
    listed = new.page.get_by_role("status").filter(has_text="no place in")
    expect(listed).to_contain_text("step 2: Wrong")
    new.page.reload()
    new.ready()
    new.page.get_by_role("button", name="I have seen it").click()
    expect(listed).to_be_hidden()
    new.page.reload()
    expect(new.ready().page.get_by_role("status").filter(has_text="no place in")).to_have_count(0)


def test_what_is_undone_meanwhile_is_undone_there_and_nothing_is_accepted_unseen(
    imported: Desk, people: dict[str, User], tmp_path: Path
) -> None:
    desk, ann = imported, people["ann"]
    desk.press("1").saved()
    desk.page.context.set_offline(True)
    desk.press("u", "-", "p", "G", "u")  # takes the 1 back, says -1, accepts what follows, takes that back
    import_again(desk, tmp_path)
    back_online(desk)
    desk.trouble("went along")
    desk.page.get_by_role("link", name="Go on with the new version").click()
    new = Desk(desk.page, desk.url, new_pass(ann)).ready().saved()
    assert said_by(ann) == {3: -1}
    new.ghosts(4, 5)


def test_what_another_machine_said_meanwhile_is_not_overwritten(
    imported: Desk, people: dict[str, User], tmp_path: Path
) -> None:
    desk, ann = imported, people["ann"]
    label_cut_off(desk)
    item = {"step": 2, "field": "label", "value": -1}
    labels.change(desk.annotation.pk, ann, [item], change=uuid.uuid4(), revision=0)
    import_again(desk, tmp_path)
    back_online(desk)
    expect(desk.page.get_by_role("status").filter(has_text="no place in")).to_contain_text(
        "step 1: Right (the new version says Wrong)"
    )
    desk.page.get_by_role("link", name="Go on with the new version").click()
    Desk(desk.page, desk.url, new_pass(ann)).ready().saved()
    assert said_by(ann) == {3: -1, 5: 0}


def test_what_waited_in_a_closed_tab_is_found_when_the_new_version_is_opened(
    imported: Desk, people: dict[str, User], live_server: LiveServer, tmp_path: Path
) -> None:
    desk, ann = imported, people["ann"]
    desk.page.route("**/change", lambda route: route.abort("internetdisconnected"))
    desk.press("1", "j", "-", "j", "0")
    desk.trouble("3 changes are kept in this browser")
    context = desk.page.context
    desk.page.close()
    import_again(desk, tmp_path)

    new = Desk(context.new_page(), live_server.url, new_pass(ann)).open()
    new.shows(3, "Right")
    new.saved()
    assert said_by(ann) == {3: 1, 5: 0}
    expect(new.page.get_by_role("status").filter(has_text="no place in")).to_contain_text("step 2: Wrong")
    expect(new.page.locator("[data-trouble]")).to_be_hidden()


def test_without_anything_waiting_the_way_is_offered_too(
    imported: Desk, people: dict[str, User], tmp_path: Path
) -> None:
    imported.press("1").saved()
    import_again(imported, tmp_path)
    imported.press("Control+Enter")
    imported.press("j", "0", "j", "0", "f")
    imported.trouble("Go on with the new version")
    assert said_by(people["ann"]) == {3: 1}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_what_could_not_be_placed_is_shown_without_a_barrier(
    imported: Desk, people: dict[str, User], tmp_path: Path, scheme: str, width: int
) -> None:
    desk = imported
    desk.page.set_viewport_size({"width": width, "height": 800})
    desk.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    label_cut_off(desk)
    import_again(desk, tmp_path)
    back_online(desk)
    desk.trouble("went along")
    found = Axe().run(desk.page)
    assert found.violations_count == 0, found.generate_report()
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= width
