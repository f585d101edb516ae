"""Questions and flags: who sees them, what is said once, where they stand."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.db import connection
from django.http import Http404
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotations.models import Annotation, Label, Membership, Message, Project, Role, Step, Thread, Trajectory, User
from annotations.services import asking, questions, threads
from annotations.services.outcomes import NotAccepted
from annotations.services.questions import Filters
from tests import make
from tests.db.test_pages import enter

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return make.user("ann")


@pytest.fixture
def lead(project: Project) -> Membership:
    return make.member(project, make.user("lead"), Role.REVIEWER)


@pytest.fixture
def mine(project: Project, ann: User) -> Annotation:
    make.member(project, ann)
    return make.lease(make.trajectory(project, steps=4), ann)


def member(user: User, project: Project) -> Membership:
    return Membership.objects.get(user=user, project=project)


def state(thread: Thread) -> str:
    return Thread.objects.with_state().get(pk=thread.pk).state


def door(annotation: Annotation, name: str) -> str:
    return reverse(f"label_{name}", args=[annotation.rater.project.slug, annotation.pk])


def send(client: Client, annotation: Annotation, name: str, **body: Any) -> Any:
    return client.post(door(annotation, name), body, content_type="application/json")


# What a thread goes through


def test_a_question_waits_until_somebody_else_speaks_and_again_when_its_asker_does(mine, lead):
    asked = make.thread(mine)
    assert state(asked) == "open"
    make.answer(asked, lead.user)
    assert state(asked) == "answered"
    make.answer(asked, mine.rater.user, "But the tool failed.")
    assert state(asked) == "open"


def test_closing_ends_it_and_saying_more_opens_it_again(mine, lead):
    asked = make.thread(mine)
    asking.close(asked, lead.user)
    assert state(asked) == "closed"
    make.answer(asked, mine.rater.user, "One thing more.")
    assert state(asked) == "open"
    verbs = list(mine.rater.project.events.filter(verb__startswith="thread").values_list("verb", "actor__username"))
    assert verbs == [("thread.closed", "lead"), ("thread.reopened", "ann")]


def test_closing_twice_keeps_who_closed_it_first(mine, lead, owner):
    asked = make.thread(mine)
    asking.close(asked, lead.user)
    asking.close(asked, owner)
    assert Thread.objects.get().closed_by == lead.user


def test_a_message_sent_twice_is_said_once(mine, lead):
    key = uuid.uuid4()
    first, again = (
        asking.begin(mine.pk, mine.rater.user, kind="ask", step=1, text="Right?", key=key) for _ in range(2)
    )
    assert first == again
    assert Thread.objects.count() == 1
    answer = uuid.uuid4()
    for _ in range(2):
        asking.reply(first.thread, lead.user, "It is.", answer)
    assert list(first.thread.messages.values_list("text", flat=True)) == ["Right?", "It is."]


def test_a_message_that_arrives_late_does_not_open_what_was_closed_since(mine, lead):
    asked, key = make.thread(mine), uuid.uuid4()
    asking.reply(asked, mine.rater.user, "Oh, I see.", key)
    asking.close(asked, mine.rater.user)
    asking.reply(asked, mine.rater.user, "Oh, I see.", key)
    assert state(asked) == "closed"


def test_the_key_of_somebody_elses_message_says_nothing_of_it(mine, project):
    secret = make.thread(mine, "zq-secret").messages.get().key
    other = make.lease(mine.trajectory, make.user(), seat=1)
    make.member(project, other.rater.user)
    with pytest.raises(NotAccepted, match="Another message has this key") as refused:
        asking.begin(other.pk, other.rater.user, kind="ask", step=1, text="Right?", key=secret)
    assert "zq-secret" not in str(refused.value.answer)
    assert Thread.objects.count() == 1, "and no thread without a message is left behind"


@pytest.mark.django_db(transaction=True)
def test_the_same_message_from_two_requests_at_once_is_said_once(mine):
    key, done = uuid.uuid4(), []

    def ask() -> None:
        try:
            done.append(asking.begin(mine.pk, mine.rater.user, kind="ask", step=1, text="Right?", key=key).pk)
        finally:
            connection.close()

    at_once = [threading.Thread(target=ask) for _ in range(6)]
    for one in at_once:
        one.start()
    for one in at_once:
        one.join()
    assert len(done) == 6
    assert len(set(done)) == 1
    assert (Thread.objects.count(), Message.objects.count()) == (1, 1)


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 10_001, "a\x00b", "half \ud83d a pair"])
def test_what_cannot_be_said_is_refused_by_name(mine, text):
    with pytest.raises(NotAccepted) as refused:
        make.thread(mine, text or " ")
    assert refused.value.answer["field"] == "text"
    assert not Thread.objects.exists()


def test_one_asks_about_a_step_of_the_agents_or_the_whole_and_nothing_else(mine):
    assert make.thread(mine, "All of it?", step=None).step is None
    for step in (0, 99):  # a user's turn; none
        with pytest.raises(NotAccepted, match=f"There is no agent step {step}"):
            make.thread(mine, step=step)


def test_a_submitted_item_can_still_be_asked_about(mine):
    Annotation.objects.filter(pk=mine.pk).update(state="submitted")
    assert state(make.thread(mine)) == "open"


def test_nobody_asks_in_somebody_elses_pass(mine, lead):
    for other in (lead.user, make.user()):
        with pytest.raises(Http404):
            asking.begin(mine.pk, other, kind="ask", step=1, text="Right?", key=uuid.uuid4())


def test_without_hindsight_a_step_that_is_not_shown_is_none(mine):
    Annotation.objects.filter(pk=mine.pk).update(mode="progressive", frontier=2)
    client = enter(mine.rater.user)
    asked = {"kind": "ask", "text": "Right?"}
    ahead, beyond = (send(client, mine, "ask", **asked, step=step, key=str(uuid.uuid4())).json() for step in (3, 99))
    assert ahead["error"].replace("3", "99") == beyond["error"]
    assert ahead["accepted"] == beyond["accepted"]
    assert send(client, mine, "ask", **asked, step=2, key=str(uuid.uuid4())).status_code == 200


# Who sees what


def test_a_thread_is_between_its_asker_and_those_who_lead(project, mine, lead, owner):
    make.thread(mine)
    colleague, viewer = make.member(project, make.user()), make.member(project, make.user(), Role.VIEWER)
    seeing = (member(mine.rater.user, project), lead, member(owner, project), colleague, viewer)
    assert [threads.visible_to(one).count() for one in seeing] == [1, 1, 1, 0, 0]
    assert threads.visible_to(make.member(make.project(), mine.rater.user)).count() == 0, "another project"


@pytest.mark.parametrize("name", ["thread", "thread_reply", "thread_close", "thread_seen"])
def test_a_colleague_is_told_that_there_is_no_such_thread(project, mine, name):
    asked = make.thread(mine)
    other = make.user()
    make.member(project, other)
    client = enter(other)
    there, nowhere = (reverse(name, args=[project.slug, pk]) for pk in (asked.pk, asked.pk + 999))
    ask = client.get if name == "thread" else client.post
    assert [ask(there).status_code, ask(nowhere).status_code] == [404, 404]
    assert asked.messages.count() == 1


def test_the_label_page_shows_a_lead_their_own_threads_alone(project, mine, lead):
    make.thread(mine, "zq-colleague asks")
    own = make.lease(mine.trajectory, lead.user, seat=1)
    make.thread(own, "My own question")
    page = enter(lead.user).get(door(own, "talk")).json()
    assert len(page["threads"]) == 1
    assert "zq-colleague" not in str(page)


def test_an_annotator_learns_no_count_of_others_questions(project, mine):
    colleague = make.user()
    make.member(project, colleague)
    make.thread(mine)
    page = enter(colleague).get(reverse("project", args=[project.slug])).content.decode()
    assert "question" not in page.lower()
    assert enter(colleague).get(reverse("questions", args=[project.slug])).status_code == 403


def test_what_is_said_is_shown_as_it_was_typed_and_nothing_in_it_is_hidden(mine):
    thread = make.thread(mine, "<script>alert(1)</script> **not** bold\u202e\nsecond line")
    html = enter(mine.rater.user).get(door(mine, "talk")).json()["threads"][0]["html"]
    assert thread.pk == enter(mine.rater.user).get(door(mine, "talk")).json()["threads"][0]["id"]
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; **not** bold" in html
    assert 'class="hidden-character"' in html


# Having it before one


def test_an_answer_is_new_until_its_asker_had_it_before_them(project, mine, lead):
    asked = make.thread(mine)
    answer = make.answer(asked, lead.user)
    client = enter(mine.rater.user)
    (shown,) = client.get(door(mine, "talk")).json()["threads"]
    assert (shown["new"], shown["newest"]) == (1, answer.pk)
    assert client.get(door(mine, "talk")).json()["threads"][0]["new"] == 1, "reading is no side effect of a GET"
    assert send(client, mine, "seen", thread=asked.pk, upto=answer.pk).json() == {"seen": 1}
    assert client.get(door(mine, "talk")).json()["threads"][0]["new"] == 0
    first = Message.objects.get(pk=answer.pk).seen_at
    send(client, mine, "seen", thread=asked.pk, upto=answer.pk)
    assert Message.objects.get(pk=answer.pk).seen_at == first


def test_an_answer_that_came_after_the_page_was_drawn_stays_new(mine, lead):
    asked = make.thread(mine)
    first = make.answer(asked, lead.user)
    second = make.answer(asked, lead.user, "And one thing more.")
    assert asking.seen(asked, mine.rater.user, first.pk) == 1
    assert Message.objects.get(pk=second.pk).seen_at is None


def test_each_side_sees_the_others_words_and_not_its_own(mine, lead, owner):
    asked = make.thread(mine)
    answer = make.answer(asked, lead.user)
    assert asking.seen(asked, owner, answer.pk) == 1, "the question; not the other lead's answer"
    assert Message.objects.get(pk=answer.pk).seen_at is None
    assert asking.seen(asked, mine.rater.user, answer.pk) == 1


# Where it stands


def test_threads_follow_their_step_into_a_new_version_of_the_rollout(project, mine, lead):
    kept, gone = make.thread(mine, step=2), make.thread(mine, step=3)
    old = {step.index: step for step in mine.trajectory.steps.all()}
    Trajectory.objects.update(superseded_at=timezone.now())
    new = make.trajectory(project, steps=4, of=mine.trajectory.task, rollout=mine.trajectory.rollout, version=2)
    same = new.steps.get(index=4)
    same.content_hash, same.ordinal = old[2].content_hash, old[2].ordinal
    same.save()
    Annotation.objects.filter(pk=mine.pk).update(retired_at=timezone.now(), seat=None, lease_until=None)
    successor = Annotation.objects.create(rater=mine.rater, trajectory=new, scheme=mine.scheme, state="draft")
    found = {one.thread.pk: (one.at, one.lost) for one in threads.of_pass(successor)}
    assert found == {kept.pk: (4, False), gone.pk: (None, True)}
    by_step = threads.of_trajectory(lead, new)
    assert {at: [one.thread.pk for one in talks] for at, talks in by_step.items()} == {4: [kept.pk], None: [gone.pk]}
    make.answer(kept, lead.user)
    (answer,) = threads.news(member(mine.rater.user, project)).answers
    assert (answer.annotation, answer.at) == (successor.pk, 4), "the answer is read where one works now"


def test_a_trajectory_shows_a_member_the_threads_they_may_know_of_by_step(project, mine, lead):
    make.thread(mine, step=2)
    make.thread(mine, step=None)
    other = make.member(project, make.user())
    assert sorted(threads.of_trajectory(lead, mine.trajectory), key=str) == [2, None]
    assert threads.of_trajectory(other, mine.trajectory) == {}


def test_where_a_step_is_shown_its_threads_stand_with_the_way_to_answer_them(project, mine, lead):
    asked = make.thread(mine, "Is <b>it</b>?", step=2)
    talks = threads.of_trajectory(lead, mine.trajectory)[2]
    html = render_to_string("threads/_of_step.html", {"talks": talks, "project": project})
    assert "Is &lt;b&gt;it&lt;/b&gt;?" in html
    assert reverse("thread", args=[project.slug, asked.pk]) in html
    assert render_to_string("threads/_of_step.html", {"talks": None, "project": project}).strip() == ""


# The place where leads answer


def ids(membership: Membership, **asked: Any) -> list[int]:
    return [row.talk.thread.pk for row in questions.page(membership, Filters(**asked)).rows]


def test_what_waits_stands_first_and_the_longest_wait_at_the_top(mine, lead):
    first, second, third, fourth = (make.thread(mine, step=step) for step in (1, 2, 3, 4))
    make.answer(first, lead.user)
    asking.close(second, lead.user)
    assert ids(lead) == [third.pk, fourth.pk]
    assert ids(lead, state="all") == [third.pk, fourth.pk, first.pk, second.pk]
    assert ids(lead, state="closed") == [second.pk]
    assert questions.counts(lead, Filters()) == {"open": 2, "answered": 1, "closed": 1, "all": 4}


def test_filters_narrow_by_kind_person_trajectory_and_words(project, mine, lead):
    other = make.lease(make.trajectory(project), make.user("bea"))
    make.member(project, other.rater.user)
    asked, flagged = make.thread(mine, "Is a retry wrong?"), make.thread(other, "Broken.", kind="flag")
    make.answer(flagged, lead.user, "A retry would have helped.")
    assert ids(lead, state="all", kind="flag") == [flagged.pk]
    assert ids(lead, state="all", person="ann") == [asked.pk]
    assert ids(lead, state="all", trajectory=other.trajectory_id) == [flagged.pk]
    assert ids(lead, state="all", q="RETRY") == [asked.pk, flagged.pk], "also in what was answered"
    assert questions.counts(lead, Filters(kind="flag"))["all"] == 1
    assert questions.people(lead) == ["ann", "bea"]


def test_pages_follow_each_other_without_losing_or_repeating_a_thread(mine, lead, monkeypatch):
    monkeypatch.setattr(questions, "PER_PAGE", 3)
    made = [make.thread(mine, f"Number {number}?") for number in range(8)]
    for thread in made[:4]:
        make.answer(thread, lead.user)
    seen, after = [], ""
    for _ in range(3):
        page = questions.page(lead, Filters(state="all"), after)
        seen += [row.talk.thread.pk for row in page.rows]
        after = page.after
    assert not after
    assert seen == [thread.pk for thread in made[4:]] + [thread.pk for thread in reversed(made[:4])]
    assert len(questions.page(lead, Filters(state="all"), "nonsense").rows) == 3


def test_a_row_says_what_the_step_said_and_what_its_person_says_of_it(project, mine, lead):
    step = mine.trajectory.steps.get(index=2)
    Step.objects.filter(pk=step.pk).update(message="I shall look it up.")
    Label.objects.create(annotation=mine, step=step, field="label", value=-1, origin="human")
    colleague = make.lease(mine.trajectory, make.user(), seat=1)
    Label.objects.create(annotation=colleague, step=step, field="label", value=1, origin="human")
    make.thread(mine, step=2)
    (row,) = questions.page(lead, Filters()).rows
    assert (row.talk.number, row.label.words, row.label.title) == (2, "−1", "Wrong")
    page = enter(lead.user).get(reverse("questions", args=[project.slug])).content.decode()
    for said in ("I shall look it up.", "step 2", "Wrong", "?at=2#step-2", "look"):
        assert said in page


def test_the_list_asks_as_little_however_many_threads_there_are(project, mine, lead):
    client = enter(lead.user)
    address = reverse("questions", args=[project.slug])
    make.thread(mine)
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for step in (1, 2, 3, 4):
        make.answer(make.thread(mine, step=step), mine.rater.user, "Anybody?")
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few)
    assert not any('"annotations_step"."message"' in one["sql"] for one in many if "LEFT(" not in one["sql"])


def test_an_address_that_makes_no_sense_is_answered_in_words(project, mine, lead):
    make.thread(mine)
    query = "?state=asleep&kind=shout&trajectory=first&after=zz"
    page = enter(lead.user).get(reverse("questions", args=[project.slug]) + query).content.decode()
    assert "State: found “asleep”; accepted are open, answered, closed, all." in page
    assert "Kind: found “shout”; accepted are ask, flag, note." in page
    assert "Trajectory: found “first”; accepted is the number of one." in page


def test_an_answer_comes_back_as_the_one_thread_with_the_counts_beside_it(project, mine, lead):
    asked = make.thread(mine)
    client = enter(lead.user)
    here = "http://testserver" + reverse("questions", args=[project.slug]) + "?kind=ask"
    headers = {"HX-Request": "true", "HX-Current-URL": here}
    body = {"key": str(uuid.uuid4()), "text": "It is."}
    answer = client.post(reverse("thread_reply", args=[project.slug, asked.pk]), body, headers=headers)
    page = answer.content.decode()
    assert "<html" not in page
    assert page.count("<article") == 1
    assert "answered" in page
    assert 'hx-swap-oob="true"' in page
    assert "?kind=ask" in page
    again = client.post(reverse("thread_reply", args=[project.slug, asked.pk]), body, headers=headers)
    assert again.status_code == 200
    assert asked.messages.count() == 2


def test_words_that_changed_after_a_lost_answer_are_kept_for_another_message(project, mine, lead):
    asked = make.thread(mine)
    client, address = enter(lead.user), reverse("thread_reply", args=[project.slug, asked.pk])
    body = {"key": str(uuid.uuid4()), "text": "It is."}
    client.post(address, body)
    changed = client.post(address, {**body, "text": "It is not."})
    page = changed.content.decode()
    assert changed.status_code == 422
    assert "your first words had arrived already" in page
    assert ">It is not.</textarea>" in page
    assert body["key"] not in page
    assert asked.messages.count() == 2


def test_an_empty_answer_is_refused_and_without_htmx_all_still_works(project, mine, lead):
    asked = make.thread(mine)
    client = enter(lead.user)
    address = reverse("thread_reply", args=[project.slug, asked.pk])
    empty = client.post(address, {"key": str(uuid.uuid4()), "text": " "})
    assert empty.status_code == 422
    assert "Not sent: Nothing is written." in empty.content.decode()
    done = client.post(address, {"key": str(uuid.uuid4()), "text": "It is."})
    assert done.headers["Location"] == reverse("thread", args=[project.slug, asked.pk])
    assert client.post(reverse("thread_close", args=[project.slug, asked.pk])).status_code == 302
    assert state(asked) == "closed"


def test_the_asker_reads_and_goes_on_with_a_thread_at_its_own_address(project, mine, lead):
    asked = make.thread(mine, "Is it right?")
    make.answer(asked, lead.user, "It is.")
    client = enter(mine.rater.user)
    page = client.get(reverse("thread", args=[project.slug, asked.pk])).content.decode()
    assert "Is it right?" in page
    assert "It is." in page
    assert reverse("questions", args=[project.slug]) + '"' not in page
    assert "Turn into a guideline" not in page


# News on the project's page


def test_a_lead_is_told_how_many_wait_and_an_asker_where_their_answers_are(project, mine, lead):
    asked = make.thread(mine, step=3)
    page = enter(lead.user).get(reverse("project", args=[project.slug])).content.decode()
    assert "1 question or flag waits for an answer" in page
    assert "answer" not in enter(mine.rater.user).get(reverse("project", args=[project.slug])).content.decode()
    make.answer(asked, lead.user, "Read section two.")
    page = enter(lead.user).get(reverse("project", args=[project.slug])).content.decode()
    assert "waits for an answer" not in page
    page = enter(mine.rater.user).get(reverse("project", args=[project.slug])).content.decode()
    assert "1 answer to your questions" in page
    assert f"{reverse('annotate', args=[project.slug, mine.pk])}?at=3#step-3" in page
    assert "Read section two." in page
    asking.seen(asked, mine.rater.user, asked.messages.last().pk)
    assert (
        "Read section two." not in enter(mine.rater.user).get(reverse("project", args=[project.slug])).content.decode()
    )


def test_a_viewer_has_no_news(project, mine):
    make.thread(mine)
    assert threads.news(make.member(project, make.user(), Role.VIEWER)) == (0, 0, [])
