"""Asking and flagging beside the work, and answering: no words are lost, none are said twice, and answers are seen."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from annotations.models import Annotation, Message, Project, Role, Thread, User
from annotations.services import guidelines
from tests import make
from tests.browser.conftest import Watch
from tests.browser.desk import Desk
from tests.browser.test_pages import barriers

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LogIn = Callable[..., None]
SENDING = re.compile(r"/label/\d+/(ask|reply)$")


@pytest.fixture
def annotator() -> User:
    return make.user("ines")


@pytest.fixture
def lead() -> User:
    return make.user("lead")


@pytest.fixture
def project(annotator: User, lead: User) -> Project:
    made = make.project(annotator, title="Searching agents")
    make.member(made, lead, Role.MANAGER)
    return made


@pytest.fixture
def mine(project: Project, annotator: User) -> Annotation:
    return make.lease(make.trajectory(project, steps=5), annotator, guideline=project.guidelines.get())


@pytest.fixture
def desk(page: Page, live_server: LiveServer, log_in: LogIn, annotator: User, mine: Annotation) -> Desk:
    log_in(annotator)
    return Desk(page, live_server.url, mine).open()


def form(desk: Desk, step: int | None = 1) -> Locator:
    return desk.page.locator(f'[data-talk="{"" if step is None else step}"] .words-form')


def area(desk: Desk, step: int | None = 1) -> Locator:
    return form(desk, step).get_by_role("textbox")


def thread(desk: Desk, step: int | None = 1) -> Locator:
    return desk.page.locator(f'[data-talk="{"" if step is None else step}"] article.thread')


def said() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("text", flat=True))


def drafts(desk: Desk) -> int:
    return int(desk.page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('stepmark:draft')).length"))


def refuse(route: Route) -> None:
    route.abort("connectionrefused")


def test_a_key_asks_about_the_step_in_focus_and_labels_nothing(desk: Desk, mine: Annotation) -> None:
    desk.press("j", "q")
    expect(area(desk, 2)).to_be_focused()
    desk.page.keyboard.type("Is 1 + 1 right? jk-x")
    desk.press("Control+Enter")
    expect(thread(desk, 2)).to_contain_text("Is 1 + 1 right? jk-x")
    expect(thread(desk, 2)).to_contain_text("open")
    expect(form(desk, 2)).to_have_count(0)
    desk.in_focus(2)
    expect(desk.card(2)).to_be_focused()
    made = Thread.objects.get()
    assert (made.kind, made.step and made.step.index, made.annotation, made.begun_by.username) == (
        "ask",
        2,
        mine,
        "ines",
    )
    assert desk.stored() == {}
    assert drafts(desk) == 0
    desk.press("1").saved()
    assert desk.stored() == {2: 1}


def test_a_flag_by_mouse_about_a_step_and_about_the_whole_item(desk: Desk) -> None:
    desk.card(3).get_by_role("button", name="Ask or flag").click()
    form(desk, 3).get_by_role("radio", name="Flag").check()
    area(desk, 3).fill("This result is cut off.")
    form(desk, 3).get_by_role("button", name="Send").click()
    expect(thread(desk, 3)).to_contain_text("Flag")
    desk.page.get_by_role("button", name="Ask or flag about the whole item").click()
    area(desk, None).fill("The task has no answer.")
    form(desk, None).get_by_role("button", name="Send").click()
    expect(thread(desk, None)).to_contain_text("The task has no answer.")
    assert set(Thread.objects.values_list("kind", "step__index")) == {("flag", 3), ("ask", None)}
    expect(desk.page.get_by_role("list", name="Your questions and flags")).to_contain_text("Step 3 flag open")


def test_escape_leaves_the_form_and_keeps_the_words(desk: Desk) -> None:
    desk.press("q")
    desk.page.keyboard.type("Half a thou")
    desk.press("Escape")
    expect(form(desk)).to_have_count(0)
    expect(desk.card(1)).to_be_focused()
    desk.card(1).get_by_role("button", name="Go on with your draft").click()
    expect(area(desk)).to_have_value("Half a thou")
    form(desk).get_by_role("button", name="Discard").click()
    expect(desk.card(1).get_by_role("button", name="Ask or flag")).to_be_visible()
    assert (drafts(desk), said()) == (0, [])


def test_an_empty_message_is_not_sent(desk: Desk) -> None:
    desk.press("q", "Control+Enter")
    expect(form(desk)).to_contain_text("Write something first.")
    expect(area(desk)).to_be_focused()
    assert said() == []


def test_a_draft_survives_a_reload_with_its_kind(desk: Desk) -> None:
    desk.press("j", "q")
    form(desk, 2).get_by_role("radio", name="Flag").check()
    area(desk, 2).fill("Not yet sent")
    desk.page.reload()
    desk.ready()
    expect(area(desk, 2)).to_have_value("Not yet sent")
    expect(form(desk, 2).get_by_role("radio", name="Flag")).to_be_checked()
    form(desk, 2).get_by_role("button", name="Send").click()
    expect(thread(desk, 2)).to_contain_text("Not yet sent")
    assert Thread.objects.get().kind == "flag"


def test_a_server_in_trouble_is_told_of_and_sending_again_says_it_once(desk: Desk, watch: Watch) -> None:
    watch.allow("status of 503")
    desk.page.route(SENDING, lambda route: route.fulfill(status=503, body="busy"))
    desk.press("q")
    desk.page.keyboard.type("Are you there?")
    desk.press("Control+Enter")
    expect(form(desk)).to_contain_text("Not sent: the server cannot be reached. Your words are kept in this browser.")
    desk.page.reload()
    desk.ready()
    expect(area(desk)).to_have_value("Are you there?")
    form(desk).get_by_role("button", name="Send").click()
    expect(form(desk).get_by_role("button", name="Send again")).to_be_enabled()
    desk.page.unroute(SENDING)
    form(desk).get_by_role("button", name="Send again").click()
    expect(thread(desk)).to_contain_text("Are you there?")
    assert said() == ["Are you there?"]
    assert drafts(desk) == 0


def test_offline_the_words_stay_and_labelling_goes_on(desk: Desk, watch: Watch) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED")
    desk.page.context.set_offline(True)
    desk.press("q")
    desk.page.keyboard.type("Nobody hears me.")
    desk.press("Control+Enter")
    expect(form(desk)).to_contain_text("the server cannot be reached")
    desk.press("Escape", "1", "j", "0")
    desk.trouble("2 changes are kept")
    desk.page.context.set_offline(False)
    desk.saved()
    assert desk.stored() == {1: 1, 2: 0}
    desk.press("k", "q", "Control+Enter")
    expect(thread(desk)).to_contain_text("Nobody hears me.")


def test_sent_twice_in_a_hurry_it_is_said_once(desk: Desk) -> None:
    def slowly(route: Route) -> None:
        desk.page.wait_for_timeout(300)
        route.continue_()

    desk.page.route(SENDING, slowly)
    desk.press("q")
    desk.page.keyboard.type("Once?")
    form(desk).get_by_role("button", name="Send").dblclick(no_wait_after=True)
    expect(thread(desk)).to_have_count(1)
    assert said() == ["Once?"]


def test_a_message_whose_answer_was_lost_is_said_once(desk: Desk, watch: Watch) -> None:
    watch.allow("ERR_FAILED|ERR_CONNECTION_REFUSED")

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort("connectionrefused")

    desk.page.route(SENDING, lose_the_answer, times=1)
    desk.press("q")
    desk.page.keyboard.type("Did it arrive?")
    desk.press("Control+Enter")
    expect(form(desk)).to_contain_text("Not sent")
    desk.press("Control+Enter")
    expect(thread(desk)).to_contain_text("Did it arrive?")
    assert said() == ["Did it arrive?"]


def test_words_that_changed_after_a_lost_answer_become_a_reply(desk: Desk, watch: Watch) -> None:
    watch.allow("ERR_FAILED|ERR_CONNECTION_REFUSED")

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort("connectionrefused")

    desk.page.route(SENDING, lose_the_answer, times=1)
    desk.press("q")
    desk.page.keyboard.type("First")
    desk.press("Control+Enter")
    expect(form(desk)).to_contain_text("Not sent")
    area(desk).fill("First, and more")
    desk.press("Control+Enter")
    expect(desk.page.locator("[data-says]")).to_contain_text("Your first words had arrived already.")
    expect(area(desk)).to_have_value("First, and more")
    expect(area(desk)).to_be_focused()
    desk.press("Control+Enter")
    expect(thread(desk)).to_contain_text("First, and more")
    assert said() == ["First", "First, and more"]
    assert Thread.objects.count() == 1


def test_signed_out_one_signs_in_in_place_and_the_words_go(desk: Desk, watch: Watch, annotator: User) -> None:
    watch.allow("status of 40[13]")
    Session.objects.all().delete()
    desk.press("q")
    desk.page.keyboard.type("Still me?")
    desk.press("Control+Enter")
    expect(form(desk)).to_contain_text("you are signed out")
    login = desk.page.locator('[data-talk="1"] [data-login]')
    login.get_by_label("Password").fill(make.PASSWORD)
    desk.press("Enter")
    expect(thread(desk)).to_contain_text("Still me?")
    expect(login).to_have_count(0)
    assert said() == ["Still me?"]


def test_two_tabs_share_a_draft_and_say_it_once(desk: Desk, context: BrowserContext, live_server: LiveServer) -> None:
    desk.press("q")
    desk.page.keyboard.type("From the first tab")
    other = Desk(context.new_page(), live_server.url, desk.annotation).open()
    expect(area(other)).to_have_value("From the first tab")
    form(other).get_by_role("button", name="Send").click()
    expect(thread(other)).to_contain_text("From the first tab")
    expect(thread(desk)).to_contain_text("From the first tab")
    expect(form(desk)).to_have_count(0)
    assert said() == ["From the first tab"]


def test_words_typed_in_another_tab_while_they_are_sent_are_not_lost(
    desk: Desk, context: BrowserContext, live_server: LiveServer
) -> None:
    other = Desk(context.new_page(), live_server.url, desk.annotation).open()
    other.press("q")

    def type_meanwhile(route: Route) -> None:
        expect(area(other)).to_have_value("One thing")
        area(other).fill("Another thing")
        route.continue_()

    desk.page.route(SENDING, type_meanwhile, times=1)
    desk.press("q")
    desk.page.keyboard.type("One thing")
    desk.press("Control+Enter")
    expect(thread(desk)).to_contain_text("One thing")
    expect(thread(other)).to_contain_text("One thing")
    expect(area(other)).to_have_value("Another thing")
    form(other).get_by_role("button", name="Send").click()
    expect(thread(other)).to_have_count(2)
    assert said() == ["One thing", "Another thing"]


def test_words_and_threads_outlast_the_cards_they_stand_under(
    page: Page, live_server: LiveServer, log_in: LogIn, annotator: User, project: Project, lead: User
) -> None:
    log_in(annotator)
    long = make.lease(make.trajectory(project, steps=150), annotator)
    make.answer(make.thread(long, "How far?", step=150), lead, "All the way.")
    desk = Desk(page, live_server.url, long).open()
    desk.press("q")
    desk.page.keyboard.type("Still here?")
    desk.press("Escape")
    desk.card(1).get_by_role("button", name="Go on with your draft").click()
    expect(area(desk)).to_have_value("Still here?")
    page.get_by_role("button", name="Step 150").click()
    expect(thread(desk, 150)).to_contain_text("All the way.")
    expect(desk.card(1)).to_have_count(0)
    desk.press("g", "g")
    expect(area(desk)).to_have_value("Still here?")
    expect(desk.card(1).get_by_role("button", name="Ask or flag")).to_have_count(1)
    area(desk).press("Control+Enter")
    expect(thread(desk)).to_contain_text("Still here?")


def test_a_closed_item_can_still_be_asked_about(desk: Desk, mine: Annotation) -> None:
    Annotation.objects.filter(pk=mine.pk).update(state="submitted")
    desk.page.reload()
    desk.ready()
    desk.press("j", "q")
    desk.page.keyboard.type("Was it?")
    desk.press("Control+Enter")
    expect(thread(desk, 2)).to_contain_text("Was it?")


# Answers


def test_an_answer_comes_to_the_open_page_is_marked_and_seen_once_it_was_in_sight(
    desk: Desk, mine: Annotation, lead: User
) -> None:
    asked = make.thread(mine, "Is it?", step=5)
    answer = make.answer(asked, lead, "It is, and here is why.")
    desk.page.reload()
    desk.ready()
    listed = desk.page.get_by_role("list", name="Your questions and flags")
    expect(listed).to_contain_text("new answer")
    listed.get_by_role("button", name="Step 5").click()
    desk.in_focus(5)
    expect(thread(desk, 5)).to_contain_text("It is, and here is why.")
    expect(thread(desk, 5).locator(".new")).to_have_count(1)
    with desk.page.expect_response(re.compile("/seen$")):
        thread(desk, 5).scroll_into_view_if_needed()
    assert Message.objects.get(pk=answer.pk).seen_at is not None
    desk.page.reload()
    desk.ready()
    expect(thread(desk, 5)).to_contain_text("It is, and here is why.")
    expect(desk.page.locator("[data-new]")).to_have_count(0)


def test_an_answer_that_nobody_scrolled_to_stays_new(desk: Desk, mine: Annotation, lead: User) -> None:
    desk.page.set_viewport_size({"width": 1280, "height": 400})
    answer = make.answer(make.thread(mine, step=5), lead)
    desk.page.reload()
    desk.ready()
    expect(desk.page.get_by_role("list", name="Your questions and flags")).to_contain_text("new answer")
    desk.page.wait_for_timeout(1500)
    assert Message.objects.get(pk=answer.pk).seen_at is None


def test_who_comes_back_to_the_tab_is_told_of_an_answer(desk: Desk, mine: Annotation, lead: User) -> None:
    desk.press("q")
    desk.page.keyboard.type("Is it?")
    desk.press("Control+Enter")
    expect(thread(desk)).to_have_count(1)
    make.answer(Thread.objects.get(), lead, "It is.")
    desk.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(desk.page.locator("[data-says]")).to_contain_text("An answer at step 1.")
    expect(thread(desk)).to_contain_text("It is.")


def test_one_replies_closes_and_opens_again(desk: Desk, mine: Annotation, lead: User) -> None:
    make.answer(make.thread(mine, "Is it?"), lead, "It is.")
    desk.page.reload()
    desk.ready()
    thread(desk).get_by_role("button", name="Reply").click()
    expect(area(desk)).to_be_focused()
    desk.page.keyboard.type("Thank you.")
    desk.press("Control+Enter")
    expect(thread(desk)).to_contain_text("Thank you.")
    thread(desk).get_by_role("button", name="Close").click()
    expect(thread(desk)).to_contain_text("closed")
    expect(thread(desk).get_by_text("Thank you.")).to_be_hidden()
    thread(desk).locator("summary").click()
    thread(desk).get_by_role("button", name="Say more").click()
    desk.page.keyboard.type("One thing more.")
    desk.press("Control+Enter")
    expect(thread(desk)).to_contain_text("open")
    assert said() == ["Is it?", "It is.", "Thank you.", "One thing more."]


def test_a_reply_survives_a_reload(desk: Desk, mine: Annotation, lead: User) -> None:
    make.answer(make.thread(mine), lead)
    desk.page.reload()
    desk.ready()
    thread(desk).get_by_role("button", name="Reply").click()
    desk.page.keyboard.type("But wh")
    desk.page.reload()
    desk.ready()
    expect(area(desk)).to_have_value("But wh")


def test_hostile_words_stand_as_words(desk: Desk) -> None:
    desk.press("q")
    area(desk).fill('<img src=x onerror="document.title=1"> **b** </article><script>document.title=1</script>')
    desk.press("Control+Enter")
    expect(thread(desk)).to_contain_text("<script>document.title=1</script>")
    expect(thread(desk).locator("img, script, b:not(.who b)")).to_have_count(0)
    assert desk.page.title() != "1"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_label_page_with_threads_and_a_form_has_no_barrier(
    desk: Desk, mine: Annotation, lead: User, project: Project, scheme: str, width: int
) -> None:
    make.answer(make.thread(mine), lead)
    make.thread(mine, step=None, kind="flag")
    guidelines.publish(project, "# Guidelines\nNew.", lead)
    desk.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    desk.page.set_viewport_size({"width": width, "height": 800})
    desk.page.reload()
    desk.ready()
    expect(thread(desk)).to_have_count(1)
    expect(desk.page.locator("[data-newer]")).to_have_count(1)
    desk.press("q")
    expect(form(desk)).to_be_visible()
    assert barriers(desk.page) == []
    assert desk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


# Guidelines


def test_a_newer_version_is_taken_up_without_a_reload_and_later_labels_name_it(
    desk: Desk, project: Project, mine: Annotation, lead: User
) -> None:
    guidelines.publish(project, "# Guidelines\nRetries are neutral.", lead)
    desk.press("1").saved()
    desk.page.evaluate("window.same = true; document.dispatchEvent(new Event('visibilitychange'))")
    banner = desk.page.locator("[data-newer]")
    expect(banner).to_contain_text("Version 2 of the guidelines is in force; this item shows version 1.")
    banner.get_by_text("What changed").click()
    expect(banner.locator("ins")).to_have_text("Retries are neutral.")
    banner.get_by_role("button", name="Use it from now on").click()
    expect(banner).to_have_count(0)
    panel = desk.page.locator("[data-guidelines]")
    expect(panel).to_contain_text("version 2")
    expect(panel).to_contain_text("Retries are neutral.")
    expect(panel.locator("summary")).to_be_focused()
    desk.page.locator("#step-2").click(position={"x": 5, "y": 5})
    desk.press("0").saved()
    versions = mine.labels.current().values_list("step__index", "guideline__version")
    assert dict(versions) == {1: 1, 2: 2}
    assert desk.page.evaluate("window.same") is True


def test_labels_that_wait_go_before_a_version_is_taken_up(
    desk: Desk, project: Project, mine: Annotation, lead: User, watch: Watch
) -> None:
    watch.allow("ERR_CONNECTION_REFUSED")
    guidelines.publish(project, "# Guidelines\nNew.", lead)
    desk.page.reload()
    desk.ready()
    button = desk.page.get_by_role("button", name="Use it from now on")
    expect(button).to_be_visible()
    desk.page.route("**/change", refuse)
    desk.press("1")
    button.click()
    expect(desk.page.locator("[data-says]")).to_contain_text("Your labels go first")
    mine.refresh_from_db()
    assert mine.guideline is not None
    assert mine.guideline.version == 1
    desk.page.unroute("**/change")
    desk.saved()
    button.click()
    expect(desk.page.locator("[data-guidelines]")).to_contain_text("version 2")
    assert [one.guideline and one.guideline.version for one in mine.labels.current()] == [1]


def test_another_tab_shows_the_version_that_was_taken_up(
    desk: Desk, project: Project, lead: User, context: BrowserContext, live_server: LiveServer
) -> None:
    guidelines.publish(project, "# Guidelines\nNew.", lead)
    other = Desk(context.new_page(), live_server.url, desk.annotation).open()
    other.page.get_by_role("button", name="Use it from now on").click()
    expect(other.page.locator("[data-guidelines]")).to_contain_text("version 2")
    desk.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(desk.page.locator("[data-guidelines]")).to_contain_text("version 2")
    expect(desk.page.locator("[data-guidelines]")).to_contain_text("New.")


# Where leads answer


@pytest.fixture
def questions(page: Page, live_server: LiveServer, log_in: LogIn, lead: User, mine: Annotation) -> Page:
    """The page with two open questions, the first one first."""
    make.thread(mine, "Is a retry wrong?", step=1)
    make.thread(mine, "Is this cut off?", step=2, kind="flag")
    log_in(lead)
    page.goto(live_server.url + reverse("questions", args=[mine.rater.project.slug]))
    expect(page.locator("html[data-ready]")).to_have_count(1)
    return page


def article(page: Page, text: str) -> Locator:
    return page.locator("article.thread", has_text=text)


def test_a_lead_answers_with_keys_alone(questions: Page) -> None:
    questions.keyboard.press("j")
    expect(article(questions, "Is a retry wrong?")).to_be_focused()
    questions.keyboard.press("r")
    questions.keyboard.type("It is neutral. jk")
    questions.keyboard.press("Control+Enter")
    answered = article(questions, "Is a retry wrong?")
    expect(answered).to_contain_text("It is neutral. jk")
    expect(answered).to_contain_text("answered")
    expect(answered).to_be_focused()
    expect(questions.get_by_role("navigation", name="States")).to_contain_text("Open 1Answered 1")
    questions.keyboard.press("j")
    expect(article(questions, "Is this cut off?")).to_be_focused()
    assert said() == ["Is a retry wrong?", "Is this cut off?", "It is neutral. jk"]


def test_a_lead_closes_and_what_was_typed_stays(questions: Page) -> None:
    one = article(questions, "Is a retry wrong?")
    one.get_by_role("textbox").fill("Half an ans")
    one.get_by_role("button", name="Close").click()
    expect(one).to_contain_text("closed by lead")
    expect(one.get_by_role("textbox")).to_have_value("Half an ans")
    assert said() == ["Is a retry wrong?", "Is this cut off?"]
    assert Thread.objects.filter(closed_at__isnull=False).count() == 1


def test_an_answer_waits_out_a_server_in_trouble_and_a_reload(questions: Page, watch: Watch) -> None:
    watch.allow("status of 503|Response Status Error Code 503")
    questions.route("**/reply/", lambda route: route.fulfill(status=503, body="busy"))
    one = article(questions, "Is a retry wrong?")
    one.get_by_role("textbox").fill("It is neutral.")
    one.get_by_role("button", name="Send").click()
    expect(one).to_contain_text("Not sent: the server cannot be reached.")
    questions.reload()
    expect(one.get_by_role("textbox")).to_have_value("It is neutral.")
    questions.unroute("**/reply/")
    one.get_by_role("button", name="Send").click()
    expect(one).to_contain_text("answered")
    expect(one.get_by_role("textbox")).to_have_value("")
    assert said()[2:] == ["It is neutral."]


def test_an_answer_whose_answer_was_lost_is_said_once_also_after_a_reload(questions: Page, watch: Watch) -> None:
    watch.allow("ERR_FAILED|ERR_CONNECTION_REFUSED|htmx:sendError|htmx:afterRequest")

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort("connectionrefused")

    questions.route("**/reply/", lose_the_answer, times=1)
    one = article(questions, "Is a retry wrong?")
    one.get_by_role("textbox").fill("It is neutral.")
    one.get_by_role("button", name="Send").click()
    expect(one).to_contain_text("Not sent")
    questions.goto(f"{questions.url}?state=all")
    expect(one.get_by_role("textbox")).to_have_value("It is neutral.")
    with questions.expect_response("**/reply/"):
        one.get_by_role("button", name="Send").click()
    expect(one.get_by_role("textbox")).to_have_value("")
    assert said()[2:] == ["It is neutral."]


def test_a_lead_who_is_signed_out_keeps_the_words(questions: Page, lead: User) -> None:
    Session.objects.all().delete()
    one = article(questions, "Is a retry wrong?")
    one.get_by_role("textbox").fill("It is neutral.")
    one.get_by_role("button", name="Send").click()
    expect(one).to_contain_text("Not sent: you are signed out.")
    one.get_by_role("link", name="Sign in and come back here").click()
    questions.get_by_label("User name").fill(lead.username)
    questions.get_by_label("Password", exact=True).fill(make.PASSWORD)
    questions.keyboard.press("Enter")
    expect(one.get_by_role("textbox")).to_have_value("It is neutral.")
    one.get_by_role("button", name="Send").click()
    expect(one).to_contain_text("answered")
    assert said()[2:] == ["It is neutral."]


def test_a_lead_sees_a_question_once_it_was_in_sight(questions: Page, annotator: User) -> None:
    with questions.expect_response("**/seen/"):
        pass
    questions.wait_for_load_state("networkidle")
    assert Message.objects.filter(author=annotator, seen_at__isnull=False).exists()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_place_where_leads_answer_has_no_barrier(questions: Page, scheme: str, width: int) -> None:
    questions.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    questions.set_viewport_size({"width": width, "height": 800})
    for query in ("", "?state=all&q=retry", "?state=closed"):
        questions.goto(questions.url.split("?")[0] + query)
        assert barriers(questions) == [], query
        assert questions.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
