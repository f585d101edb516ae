"""What saves key presses and catches slips: settling the rest, moving on, suggestions, own answers, warnings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, Project, Run, Score, Step, User
from annotations.services import preferences
from tests import make
from tests.browser.conftest import Watch
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Opener = Callable[[Annotation], Desk]


@pytest.fixture
def annotator() -> User:
    return make.user()


@pytest.fixture
def open_at(page: Page, live_server: LiveServer, log_in: Callable[..., None], annotator: User) -> Opener:
    def enter(mine: Annotation) -> Desk:
        log_in(annotator)
        return Desk(page, live_server.url, mine).open()

    return enter


@pytest.fixture
def desk(open_at: Opener, annotator: User) -> Desk:
    return open_at(make.lease(make.trajectory(make.project(annotator), steps=5), annotator))


def see_all(desk: Desk) -> Desk:
    """Scroll through the page, as one does who reads it."""
    desk.page.set_viewport_size({"width": 1280, "height": 3000})
    expect(desk.card(5)).to_be_in_viewport()
    desk.page.wait_for_timeout(100)
    return desk


def warns(desk: Desk, *texts: str) -> None:
    expect(desk.page.locator(".warning")).to_have_text(texts)


# --- Settling -------------------------------------------------------------------------------------------------------


def test_one_key_settles_all_that_is_open_and_one_undo_takes_it_back(desk: Desk) -> None:
    see_all(desk).press("j", "0", "k", "Shift+Digit1")
    assert desk.saved().stored() == {1: 1, 2: 0, 3: 1, 4: 1, 5: 1}
    desk.in_focus(5)
    expect(desk.page.locator("[data-says].shown")).to_have_text("Settled 4 steps. Undo takes it back.")
    desk.press("u")
    assert desk.saved().stored() == {2: 0}


def test_settling_at_an_error_calls_what_was_before_it_right_and_lets_the_error_carry_on(desk: Desk) -> None:
    see_all(desk).press("j", "j", "Shift+Minus")
    desk.ghosts(4, 5)
    assert desk.saved().stored() == {1: 1, 2: 1, 3: -1}


def test_settling_leaves_open_what_was_never_in_sight(desk: Desk) -> None:
    desk.page.set_viewport_size({"width": 1280, "height": 420})
    desk.page.reload()
    desk.ready().press("Shift+Digit1")
    expect(desk.page.locator("[data-says].shown")).to_contain_text("not yet in sight stay open")
    assert 5 not in desk.saved().stored()


# --- Moving on ------------------------------------------------------------------------------------------------------


def test_who_likes_it_moves_on_with_every_answer(open_at: Opener, annotator: User) -> None:
    preferences.change(annotator, own={}, advance=True)
    desk = open_at(make.lease(make.trajectory(make.project(annotator), steps=3), annotator))
    desk.press("1", "0", "-")
    desk.in_focus(3)
    assert desk.saved().stored() == {1: 1, 2: 0, 3: -1}


def test_own_keys_work_and_are_in_the_list_and_on_the_buttons(open_at: Opener, annotator: User) -> None:
    own = {"agent-process/answer:label:1": ["r"], "next": ["n"], "agent-process/field:note": ["N"]}
    preferences.change(annotator, own=own, advance=False)
    desk = open_at(make.lease(make.trajectory(make.project(annotator), steps=3), annotator))
    expect(desk.choice(1, "Right")).to_have_attribute("aria-keyshortcuts", "r")
    desk.press("r", "1", "n", "r", "j", "?")  # 1 and j mean nothing any more
    expect(desk.page.get_by_role("dialog").get_by_text("next step", exact=True)).to_be_visible()
    expect(desk.page.get_by_role("dialog").locator("kbd", has_text="r").first).to_be_visible()
    desk.press("Escape")
    assert desk.saved().stored() == {1: 1, 2: 1}


# --- Suggestions ----------------------------------------------------------------------------------------------------


@pytest.fixture
def assisted(annotator: User) -> Annotation:
    project = make.project(annotator, mode="assisted", prefill="scorer:embedded", prefill_confidence=0.8)
    trajectory = make.trajectory(project, steps=5)
    run = Run.objects.create(project=project, kind="score", config={"scorer": "embedded"}, state="done")
    for step, probability in zip(trajectory.steps.of_agent(), [0.95, 0.9, 0.1, 0.5, 0.85], strict=True):
        Score.objects.create(run=run, trajectory=trajectory, step=step, value=probability, probability=probability)
    return make.lease(trajectory, annotator)


def offers(desk: Desk) -> dict[int, str]:
    found = desk.page.locator(".choice.offered")
    titles = {int(one.locator("xpath=ancestor::article").get_attribute("data-step") or 0): one for one in found.all()}
    return {step: one.locator(".choice-title").inner_text() for step, one in titles.items()}


def test_suggestions_are_outlined_and_taken_by_enter_or_overruled_by_any_answer(
    open_at: Opener, assisted: Annotation
) -> None:
    desk = open_at(assisted)
    assert offers(desk) == {1: "Right", 2: "Right", 3: "Wrong", 5: "Right"}
    expect(desk.card(1).locator("[data-offer]")).to_have_text("Accept Rightembedded, 95 % sure")
    desk.press("Enter", "j", "0", "j", "j", "Enter", "1")
    assert desk.saved().stored() == {1: 1, 2: 0, 4: 1}  # nothing is suggested for the fourth
    assert desk.origins() == {1: "accepted", 2: "human", 4: "human"}
    taken = assisted.labels.current().get(step__index=1)
    assert (taken.suggestion["source"], taken.suggestion["confidence"]) == ("scorer:embedded", 0.95)
    desk.page.reload()
    desk.ready()
    assert offers(desk) == {3: "Wrong", 5: "Right"}


def test_settling_at_an_error_overrules_what_was_offered_after_it(open_at: Opener, assisted: Annotation) -> None:
    desk = see_all(open_at(assisted)).press("j", "Shift+Minus")
    desk.ghosts(4)
    assert desk.saved().stored() == {1: 1, 2: -1, 3: -1, 5: -1}


def test_enter_on_a_button_works_the_button(open_at: Opener, assisted: Annotation) -> None:
    desk = open_at(assisted)
    desk.choice(1, "Neutral").focus()
    desk.press("Enter")
    assert desk.saved().stored() == {1: 0}


def test_what_is_suggested_is_counted_and_one_key_takes_it_along_when_submitting(
    open_at: Opener, assisted: Annotation
) -> None:
    desk = open_at(assisted)
    expect(desk.page.locator("[data-suggested]")).to_have_text("+ 4 suggested")
    desk.press("f", "Control+Enter")
    expect(desk.page.locator("[data-says]")).to_contain_text("Still missing: Step 4")
    desk.in_focus(4)
    desk.press("1", "Control+Enter")
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_contain_text("4 suggested labels are still open")
    desk.press("Escape")
    desk.in_focus(1)
    desk.press("Control+Shift+Enter")
    desk.page.wait_for_url(lambda url: url != desk.url)
    assert desk.stored() == {1: 1, 2: 1, 3: -1, 4: 1, 5: 1}
    assert desk.origins() == {1: "accepted", 2: "accepted", 3: "accepted", 4: "human", 5: "accepted"}


def test_a_suggestion_that_is_overruled_carries_an_error_on_and_what_is_offered_stays_offered(
    open_at: Opener, assisted: Annotation
) -> None:
    desk = open_at(assisted)
    desk.press("-")
    expect(desk.card(2).locator(".choice.ghost .choice-title")).to_have_text("Wrong")
    expect(desk.card(2).locator(".choice.offered .choice-title")).to_have_text("Right")
    desk.press("j", "Enter")
    assert desk.saved().stored() == {1: -1, 2: 1}
    desk.ghosts()


def test_a_blind_page_of_an_assisted_project_offers_nothing(open_at: Opener, assisted: Annotation) -> None:
    Annotation.objects.filter(pk=assisted.pk).update(mode="blind")
    desk = open_at(assisted)
    assert offers(desk) == {}
    expect(desk.page.locator(".score")).to_have_count(0)


def test_the_answers_to_an_equal_beginning_are_offered_in_the_next_rollout(open_at: Opener, annotator: User) -> None:
    project = make.project(annotator)
    one = make.trajectory(project, steps=3)
    other = make.trajectory(project, steps=3, of=one.task)
    for index in (0, 1, 2):
        Step.objects.filter(trajectory__in=[one, other], index=index).update(turn_hash=f"same {index}")
    first = open_at(make.lease(one, annotator))
    first.press("1", "j", "0", "j", "-").saved()
    second = open_at(make.lease(other, annotator))
    assert offers(second) == {1: "Right", 2: "Neutral"}
    expect(second.card(1).locator("[data-offer]")).to_contain_text("what you said of the same step in another rollout")
    second.press("Enter", "j", "-").saved()
    assert second.stored() == {1: 1, 2: -1}
    warns(second, f"You called the same step Neutral in item {first.annotation.pk}. Dismiss")


# --- Warnings -------------------------------------------------------------------------------------------------------


def test_right_after_wrong_without_a_correction_is_asked_about_and_mended(desk: Desk) -> None:
    desk.press("-", "j", "1")
    expect(desk.card(2).locator(".warning")).to_contain_text("Right directly after Wrong, and no correction is marked.")
    desk.card(2).get_by_role("button", name="Mark as correction").click()
    expect(desk.page.locator(".warning")).to_have_count(0)
    assert desk.saved().stored("correction") == {2: True}


def test_a_warning_is_waved_away_for_good_and_can_be_had_back(desk: Desk) -> None:
    desk.press("-", "j", "1")
    expect(desk.page.get_by_role("button", name="1 warning")).to_be_visible()
    desk.card(2).get_by_role("button", name="Dismiss").click()
    expect(desk.page.locator(".warning")).to_have_count(0)
    desk.saved().page.reload()
    desk.ready()
    expect(desk.page.get_by_role("button", name="1 dismissed")).to_be_visible()
    expect(desk.page.locator(".warning")).to_have_count(0)
    desk.press("w")
    expect(desk.page.locator(".warning")).to_have_count(1)


def test_an_end_that_does_not_fit_the_last_step_is_asked_about(desk: Desk) -> None:
    desk.press("G", "-", "f")
    expect(desk.card(5).locator(".warning")).to_contain_text(
        "The last step is Wrong, and yet the final result is Solved."
    )
    desk.press("f")
    expect(desk.page.locator(".warning")).to_have_count(0)


def test_the_same_call_again_called_right_is_asked_about(open_at: Opener, annotator: User) -> None:
    trajectory = make.trajectory(make.project(annotator), steps=3)
    trajectory.steps.filter(index__in=[1, 3]).update(action_hash="same")
    desk = open_at(make.lease(trajectory, annotator))
    desk.press("1", "G", "1", "g", "g")
    expect(desk.page.get_by_role("button", name="1 warning")).to_be_visible()
    desk.press("w")
    desk.in_focus(3)
    expect(desk.card(3).locator(".warning")).to_contain_text("The same call as in step 1, with the same arguments")


def test_warnings_stop_nobody(desk: Desk) -> None:
    desk.press("-", "j", "1", "j", "1", "j", "1", "j", "1", "f", "Control+Enter")
    desk.page.wait_for_url(lambda url: url != desk.url)
    desk.annotation.refresh_from_db()
    assert desk.annotation.state == Annotation.State.SUBMITTED


# --- Explaining -----------------------------------------------------------------------------------------------------


def test_a_label_is_explained_by_key_and_the_explanation_follows_a_change_of_mind(desk: Desk) -> None:
    desk.press("e")
    expect(desk.page.locator("[data-says].shown")).to_contain_text("Give the step a label first")
    desk.press("-", "e")
    desk.page.keyboard.type("It read the 1st row, not the 2nd.")
    desk.press("Escape", "0").saved()
    label = desk.annotation.labels.current().get(field="label")
    assert (label.value, label.explanation) == (0, "It read the 1st row, not the 2nd.")
    desk.page.reload()
    expect(desk.ready().card(1).locator("[data-explanation]")).to_have_value("It read the 1st row, not the 2nd.")
    desk.press("u", "u", "u")
    expect(desk.card(1).locator("[data-explanation]")).to_be_hidden()
    assert desk.saved().stored() == {}


# --- What the others said -------------------------------------------------------------------------------------------


def test_after_everybody_has_submitted_one_can_see_how_the_others_decided(
    open_at: Opener, annotator: User, watch: Watch
) -> None:
    watch.allow("status of 409")
    colleague = make.user("zq-colleague")
    project = make.project(annotator, colleague, overlap=2)
    trajectory = make.trajectory(project, steps=3)
    mine = make.lease(trajectory, annotator, state="submitted", lease_until=None)
    for step, value in zip(trajectory.steps.of_agent(), [1, 1, -1], strict=True):
        mine.labels.create(step=step, field="label", value=value, origin="human")
    desk = open_at(mine)
    desk.page.get_by_role("button", name="What the others said").click()
    desk.page.get_by_role("button", name="Show it").click()
    expect(desk.page.locator("[data-says].shown")).to_contain_text("Others are still to label")

    rater = make.rater(project, colleague.username, "human", colleague)
    make.rating(rater, trajectory, [1, -1, -1], final=-1)
    desk.page.get_by_role("button", name="What the others said").click()
    desk.page.get_by_role("button", name="Show it").click()
    expect(desk.page.locator("[data-cell='2']")).to_have_attribute("title", "Others: 1 Wrong")
    expect(desk.page.locator("[data-says].shown")).to_have_text("Others differ from you at 1 step: see the strip.")
    assert "zq-colleague" not in desk.page.content()
    expect(desk.page.get_by_role("button", name="Reopen")).to_be_hidden()
    desk.page.reload()
    desk.ready().page.get_by_role("button", name="Reopen").click()
    expect(desk.page.locator("[data-says].shown")).to_contain_text("ask a lead to return the item")
    assert Project.objects.get().events.filter(verb="saw_others").count() == 1
