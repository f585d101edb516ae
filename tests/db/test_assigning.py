"""A lead frees seats and gives work: who gets what next, what stays, what is refused and why."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Count
from django.http import Http404
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.models import Annotation, Event, Membership, Project, Role, Trajectory, User
from annotations.services import assigning, labels, members, queue, seats
from annotations.services.assigning import NotGiven
from annotations.services.outcomes import Closed, NoSeat
from tests import make
from tests.db.test_labels import do, held, say
from tests.db.test_queue import hand_in, lapse, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead() -> User:
    return make.user("lead")


@pytest.fixture
def project(lead: User) -> Project:
    """One seat a trajectory, two of them, and two who label."""
    made = make.project(make.user("ann"), make.user("bob"), owner=lead, overlap=1)
    for _ in range(2):
        make.trajectory(made, steps=2)
    return made


@pytest.fixture
def ann(project: Project) -> User:
    return User.objects.get(username="ann")


@pytest.fixture
def bob(project: Project) -> User:
    return User.objects.get(username="bob")


@pytest.fixture
def hers(project: Project, ann: User) -> Annotation:
    """Ann's draft over the first trajectory."""
    mine = take(project, ann)
    say(mine, (1, "label", 1))
    mine.refresh_from_db()
    return mine


def release(one: Annotation, by: User, reason: str = "") -> Annotation:
    return assigning.release(one.pk, by, reason, slug=one.rater.project.slug)


def give(trajectory: Trajectory, to: User, by: User, instead_of: Annotation | None = None) -> Annotation:
    place = instead_of and instead_of.pk
    return assigning.give(trajectory.pk, to, by, instead_of=place, slug=trajectory.project.slug)


def events(verb: str) -> list[Event]:
    return list(Event.objects.filter(verb=verb).select_related("actor"))


# Release


def test_a_released_seat_is_free_for_others_and_labels_and_draft_stay(hers, lead, bob):
    release(hers, lead, " She is away. ")
    hers.refresh_from_db()
    assert (hers.state, hers.seat, hers.lease_until) == ("draft", None, None)
    assert held(hers) == {1: 1}
    assert take(hers.rater.project, bob).trajectory_id == hers.trajectory_id
    (event,) = events("release")
    assert (event.actor, event.annotation, event.before, event.after["reason"]) == (
        lead,
        hers,
        {"seat": 0},
        "She is away.",
    )


def test_the_page_that_is_still_open_does_not_take_the_seat_back_by_itself(hers, lead, ann):
    release(hers, lead)
    for _ in range(2):
        assert labels.lease(hers.pk, ann).lease_until is None
    lapse(take(hers.rater.project, ann))
    assert labels.lease(hers.pk, ann).lease_until is None


def test_label_next_leads_to_other_work_first_and_back_to_it_when_there_is_none(hers, lead, ann):
    project = hers.rater.project
    release(hers, lead)
    other = take(project, ann)
    assert other.trajectory_id != hers.trajectory_id
    assert take(project, ann) == other
    hand_in(other)
    again = take(project, ann)
    assert (again.pk, again.seat) == (hers.pk, 0)
    lapse(again)
    seats.free_lapsed(project, timezone.now())
    assert labels.lease(hers.pk, ann).lease_until, "she took it up again: it is hers like any other"


def test_labels_that_come_later_are_stored_and_submitting_takes_a_seat_that_is_free(hers, lead, ann):
    release(hers, lead)
    say(hers, (2, "label", 0), (None, "final", 1))
    hers.refresh_from_db()
    assert do(labels.submit, hers).state == "submitted"
    assert held(hers) == {1: 1, 2: 0}


def test_releasing_twice_is_releasing_once(hers, lead):
    for _ in range(2):
        release(hers, lead)
    assert len(events("release")) == 1


@pytest.mark.parametrize("state", ["submitted", "skipped"])
def test_what_is_not_open_is_not_released(hers, lead, state):
    Annotation.objects.filter(pk=hers.pk).update(state=state)
    with pytest.raises(Closed):
        release(hers, lead)
    hers.refresh_from_db()
    assert hers.seat == 0


def test_what_a_judge_said_is_not_released(project, lead):
    judged = make.rating(make.rater(project), project.trajectories.first(), [1, 1], state="draft", submitted_at=None)
    with pytest.raises(Closed):
        release(judged, lead)


# Give


def test_what_is_given_is_theirs_for_a_day_and_first_at_label_next(project, lead, ann, bob):
    first, second = project.trajectories.order_by("pk")
    begun = take(project, bob)
    assert begun.trajectory_id == first.pk
    given = give(second, bob, lead)
    assert given.lease_until > timezone.now() + timedelta(hours=23)
    assert (given.state, given.seat, given.rater.user) == ("leased", 0, bob)
    assert take(project, bob) == given
    say(given, (1, "label", 1))
    assert take(project, bob) == given, "and stays first while they work on it"
    hand_in(given)
    assert take(project, bob) == begun
    (event,) = events("assign")
    assert (event.actor, event.annotation, event.after["to"], event.after["instead_of"]) == (lead, given, "bob", None)


def test_it_takes_the_place_of_who_is_named(hers, lead, bob):
    given = give(hers.trajectory, bob, lead, instead_of=hers)
    hers.refresh_from_db()
    assert (given.seat, hers.seat, hers.state) == (0, None, "draft")
    assert held(hers) == {1: 1}
    assert [one.annotation for one in events("release")] == [hers]


def test_without_a_free_seat_it_is_refused_and_says_who_holds_them(hers, lead, bob):
    with pytest.raises(NotGiven, match="The one seat of this trajectory: at work on it ann. Say whose place"):
        give(hers.trajectory, bob, lead)
    hand_in(hers)
    with pytest.raises(NotGiven, match=r"submitted by ann\. Return one, or raise the overlap"):
        give(hers.trajectory, bob, lead)
    assert not Annotation.objects.filter(rater__user=bob).exists()
    assert not events("assign")


def test_what_is_submitted_makes_no_way(hers, lead, bob):
    hand_in(hers)
    with pytest.raises(NotGiven, match="ann's pass is submitted: only an open pass makes way"):
        give(hers.trajectory, bob, lead, instead_of=hers)
    hers.refresh_from_db()
    assert hers.seat == 0


def test_a_pass_of_another_trajectory_makes_no_way(hers, project, lead, bob):
    other = project.trajectories.exclude(pk=hers.trajectory_id).get()
    with pytest.raises(NotGiven, match="not one of this trajectory"):
        give(other, bob, lead, instead_of=hers)


def test_who_has_begun_it_goes_on_with_their_labels(hers, lead, ann, bob):
    give(hers.trajectory, bob, lead, instead_of=hers)
    his = Annotation.objects.get(rater__user=bob)
    given = give(hers.trajectory, ann, lead, instead_of=his)
    assert (given.pk, given.seat, given.state, held(given)) == (hers.pk, 0, "draft", {1: 1})
    assert labels.lease(hers.pk, ann).lease_until
    assert take(hers.rater.project, ann) == hers


def test_who_skipped_it_goes_on_with_their_labels(hers, lead, ann):
    labels.skip(hers.pk, ann, "Too hard.")
    given = give(hers.trajectory, ann, lead)
    assert (given.pk, given.state, given.comment, given.seat) == (hers.pk, "draft", "", 0)
    assert held(given) == {1: 1}


def test_who_has_submitted_it_is_not_given_it_again(hers, lead, ann):
    hand_in(hers)
    with pytest.raises(NotGiven, match="ann has submitted this trajectory already. Return it"):
        give(hers.trajectory, ann, lead)


def test_a_seat_whose_lease_ran_out_is_free(hers, lead, bob):
    lapse(hers)
    assert give(hers.trajectory, bob, lead).seat == 0


def test_nobody_is_given_more_seats_than_the_project_wants(hers, project, lead, bob):
    Project.objects.update(overlap=2)
    give(hers.trajectory, bob, lead)
    make.member(project, cy := make.user("cy"))
    with pytest.raises(NotGiven, match="All 2 seats of this trajectory: at work on it ann, bob"):
        give(hers.trajectory, cy, lead)


def test_whoever_labels_nothing_here_is_given_nothing(hers, project, lead):
    with pytest.raises(NotGiven, match="is no member"):
        give(hers.trajectory, make.user("eve"), lead)
    make.member(project, vic := make.user("vic"), Role.VIEWER)
    with pytest.raises(NotGiven, match="vic is viewer here and does not label"):
        give(hers.trajectory, vic, lead)


def test_an_old_version_is_not_given(hers, lead, bob):
    Trajectory.objects.filter(pk=hers.trajectory_id).update(superseded_at=timezone.now())
    with pytest.raises(NotGiven, match="newer version"):
        give(hers.trajectory, bob, lead)


def test_a_given_pass_begins_under_the_rules_of_the_project(project, lead, ann):
    Project.objects.update(mode="progressive", propagation="fill")
    given = give(project.trajectories.first(), ann, lead)
    assert (given.mode, given.propagation, given.frontier) == ("progressive", "suggest", 1)
    assert given.guideline == project.guidelines.first()


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.ANNOTATOR, Role.VIEWER, None])
def test_only_who_manages_the_project_does_any_of_it(hers, project, bob, role):
    other = make.user("other")
    if role:
        make.member(project, other, role)
    for deed in (lambda: release(hers, other), lambda: give(hers.trajectory, bob, other)):
        with pytest.raises(PermissionDenied if role else Http404):
            deed()


def test_nothing_of_another_project_is_reached(hers, lead, bob):
    elsewhere = make.project(bob, owner=lead)
    with pytest.raises(Http404):
        assigning.release(hers.pk, lead, slug=elsewhere.slug)
    with pytest.raises(Http404):
        assigning.give(hers.trajectory_id, bob, lead, slug=elsewhere.slug)


@pytest.mark.django_db(transaction=True)
def test_seats_are_never_exceeded_whoever_asks_gives_releases_and_submits_at_once():
    lead, people = make.user("lead"), [make.user() for _ in range(6)]
    project = make.project(*people, owner=lead, overlap=2)
    for _ in range(3):
        make.trajectory(project, steps=1)

    def everything(person: User) -> None:
        try:
            for _ in range(4):
                mine = queue.lease_next(project, person)
                if mine is None:
                    continue
                say(mine, (1, "label", 1), (None, "final", 1))
                _give_anywhere(project, person, lead)
                _submit(mine)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(everything, people))

    seats = Annotation.objects.filter(seat__isnull=False).values("trajectory").annotate(held=Count("seat"))
    assert {row["held"] for row in seats} <= {1, 2}
    begun = Annotation.objects.exclude(state="leased")
    assert begun.exists()
    for one in begun:
        assert held(one) == {1: 1}, "no label is lost"


def _give_anywhere(project: Project, to: User, lead: User) -> None:
    for trajectory in project.trajectories.order_by("?"):
        open_ones = Annotation.objects.filter(trajectory=trajectory, state__in=seats.OPEN, seat__isnull=False)
        try:
            give(trajectory, to, lead, instead_of=open_ones.order_by("?").first())
        except NotGiven:
            continue


def _submit(mine: Annotation) -> None:
    mine.refresh_from_db()
    with suppress(NoSeat):
        do(labels.submit, mine)


# Members who leave


def member(project: Project, user: User) -> Membership:
    return Membership.objects.select_related("user").get(project=project, user=user)


def test_a_member_who_leaves_frees_their_seats_and_leaves_every_label(hers, project, lead, ann, bob):
    assert members.remove(member(project, ann), member(project, lead)) == 1
    hers.refresh_from_db()
    assert (hers.state, hers.seat, held(hers)) == ("draft", None, {1: 1})
    assert take(project, bob).trajectory_id == hers.trajectory_id
    (event,) = events("free")
    assert (event.actor, event.annotation) == (lead, hers)


def test_a_member_who_comes_back_goes_on_with_their_draft(hers, project, lead, ann):
    members.remove(member(project, ann), member(project, lead))
    members.add(project, ann, Role.ANNOTATOR, member(project, lead))
    assert take(project, ann) == hers
    say(hers, (2, "label", 0))
    assert held(hers) == {1: 1, 2: 0}


def test_submitted_work_of_a_member_who_leaves_keeps_its_seat(hers, project, lead, ann):
    hand_in(hers)
    assert members.remove(member(project, ann), member(project, lead)) == 0
    hers.refresh_from_db()
    assert (hers.state, hers.seat) == ("submitted", 0)


def test_whoever_becomes_a_viewer_holds_no_seat_and_whoever_still_labels_keeps_theirs(hers, project, lead, ann):
    assert members.change_role(member(project, ann), Role.REVIEWER, member(project, lead)) == 0
    hers.refresh_from_db()
    assert hers.seat == 0
    assert members.change_role(member(project, ann), Role.VIEWER, member(project, lead)) == 1
    hers.refresh_from_db()
    assert (hers.seat, held(hers)) == (None, {1: 1})


# Pages


def enter(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def post(user: User, name: str, *args: Any, **body: Any) -> str:
    answer = enter(user).post(reverse(name, args=args), body, follow=True)
    return re.sub(r"\s+", " ", answer.content.decode())


def test_the_trajectory_page_offers_both_to_managers_and_to_nobody_else(hers, project, lead, ann):
    page = reverse("trajectory", args=[project.slug, hers.trajectory_id])
    doors = [
        reverse("trajectory_release", args=[project.slug, hers.trajectory_id, hers.pk]),
        reverse("trajectory_give", args=[project.slug, hers.trajectory_id]),
    ]
    shown = enter(lead).get(page).content.decode()
    assert all(f'action="{door}"' in shown for door in doors)
    make.member(project, reviewer := make.user(), Role.REVIEWER)
    for other in (ann, reviewer):
        shown = enter(other).get(page).content.decode()
        assert not any(door in shown for door in doors)


def test_a_submitted_pass_is_offered_to_be_returned_and_not_released(hers, project, lead):
    hand_in(hers)
    shown = enter(lead).get(reverse("trajectory", args=[project.slug, hers.trajectory_id])).content.decode()
    assert reverse("trajectory_release", args=[project.slug, hers.trajectory_id, hers.pk]) not in shown


def test_what_came_of_it_is_said(hers, project, lead):
    where = (project.slug, hers.trajectory_id)
    assert "at work on it ann" in post(lead, "trajectory_give", *where, to="bob")
    assert "Nobody here is called zoe." in post(lead, "trajectory_give", *where, to="zoe")
    assert "Given to bob" in post(lead, "trajectory_give", *where, to="bob", instead_of=hers.pk)
    his = Annotation.objects.get(rater__user__username="bob")
    assert "The seat of bob is free" in post(lead, "trajectory_release", *where, his.pk)
    hand_in(his)
    assert "Only an open pass" in post(lead, "trajectory_release", *where, his.pk)


def test_the_members_page_says_how_many_items_came_free(hers, project, lead, ann):
    assert "1 item they held can go to others." in post(
        lead, "member_change", project.slug, member(project, ann).pk, role="viewer"
    )


def test_the_overview_leads_to_the_open_passes_of_each_person(hers, project, lead, ann, bob):
    other = project.trajectories.exclude(pk=hers.trajectory_id).get()
    make.lease(other, bob, state="submitted")
    shown = enter(lead).get(reverse("project", args=[project.slug])).content.decode()
    link = re.search(r'href="(\S+\?rater=ann&amp;state=open)"', shown)
    assert link
    listed = enter(lead).get(link[1].replace("&amp;", "&")).content.decode()
    assert hers.trajectory.external_id in listed
    assert other.external_id not in listed
    assert "Not all of the address" not in listed
