"""Who gets what next: order, seats, leases that run out, work that comes back."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404
from django.utils import timezone

from annotations.models import Annotation, Event, Guideline, Project, Rater, Trajectory, User
from annotations.services import labels, people, queue, seats
from tests import make

pytestmark = pytest.mark.django_db


def work(people: int = 2, trajectories: int = 3, **fields: Any) -> tuple[Project, list[User], list[Trajectory]]:
    members = [make.user() for _ in range(people)]
    project = make.project(*members, **fields)
    return project, members, [make.trajectory(project, steps=1) for _ in range(trajectories)]


def take(project: Project, person: User) -> Annotation:
    leased = queue.lease_next(project, person)
    assert leased is not None
    return leased


def hand_in(annotation: Annotation) -> None:
    Annotation.objects.filter(pk=annotation.pk).update(state="submitted", lease_until=None)


def lapse(annotation: Annotation, **fields: Any) -> None:
    past = timezone.now() - timedelta(minutes=1)
    Annotation.objects.filter(pk=annotation.pk).update(lease_until=past, **fields)


def test_trajectories_come_in_the_order_they_were_imported():
    project, (alice, _), trajectories = work()
    taken = []
    while leased := queue.lease_next(project, alice):
        taken.append(leased.trajectory)
        hand_in(leased)
    assert taken == trajectories


def test_asking_again_gives_the_same_and_renews_it():
    project, (alice, _), _ = work()
    first = take(project, alice)
    Annotation.objects.update(lease_until=timezone.now() + timedelta(seconds=5))
    again = take(project, alice)
    assert again == first
    assert again.lease_until > timezone.now() + timedelta(minutes=10)


def test_each_trajectory_has_as_many_seats_as_the_project_wants_people():
    project, people, (trajectory, _) = work(people=3, trajectories=2, overlap=2)
    taken = [take(project, one) for one in people]
    assert [(one.trajectory == trajectory, one.seat) for one in taken] == [(True, 0), (True, 1), (False, 0)]


def test_when_every_seat_is_held_nothing_is_left():
    project, (alice, bob), _ = work(trajectories=1, overlap=1)
    take(project, alice)
    assert queue.lease_next(project, bob) is None


def test_a_lapsed_lease_gives_the_seat_back_and_keeps_state_and_labels():
    project, (alice, bob), _ = work(trajectories=1, overlap=1)
    hers = take(project, alice)
    hers.labels.create(field="final", value=1, origin="human")
    lapse(hers, state="draft")
    his = take(project, bob)
    hers.refresh_from_db()
    assert (his.trajectory, his.seat) == (hers.trajectory, 0)
    assert (hers.state, hers.seat, hers.lease_until) == ("draft", None, None)
    assert hers.labels.current().count() == 1
    assert queue.lease_next(project, alice) is None, "her seat is taken, and nobody labels the same twice"


def test_a_lapsed_draft_comes_back_to_its_owner_before_anything_new():
    project, (alice, bob), _ = work(overlap=1)
    hers = take(project, alice)
    lapse(hers, state="draft")
    queue.lease_next(project, make.member(project, make.user(), "reviewer").user)  # takes her place
    other = take(project, alice)
    assert other.trajectory != hers.trajectory
    lapse(other, state="draft")
    assert take(project, alice) == other


def test_returned_work_comes_before_drafts_and_new_trajectories():
    project, (alice, _), trajectories = work(overlap=1)
    rater = people.rater_of(project, alice)
    shared = {"rater": rater, "scheme": project.scheme}
    Annotation.objects.create(trajectory=trajectories[0], state="draft", **shared)
    returned = Annotation.objects.create(trajectory=trajectories[1], state="returned", **shared)
    assert take(project, alice) == returned


def test_what_is_held_comes_before_what_was_returned():
    project, (alice, _), trajectories = work(overlap=1)
    held = take(project, alice)
    returned = Annotation.objects.create(
        rater=held.rater, trajectory=trajectories[1], scheme=project.scheme, state="returned"
    )
    assert take(project, alice) == held
    hand_in(held)
    assert take(project, alice) == returned


def test_skipped_work_holds_no_seat_and_does_not_come_back():
    project, (alice, bob), _ = work(trajectories=1, overlap=1)
    hers = take(project, alice)
    Annotation.objects.filter(pk=hers.pk).update(state="skipped", seat=None, lease_until=None)
    assert queue.lease_next(project, alice) is None
    assert take(project, bob).trajectory == hers.trajectory


def test_a_seat_that_came_free_is_filled_in_import_order():
    project, (alice, bob), trajectories = work(trajectories=3, overlap=1)
    first = take(project, alice)
    hand_in(take(project, bob))
    labels.skip(first.pk, alice, "Not for me.")
    assert take(project, bob).trajectory == trajectories[0]


def test_a_lapsed_seat_and_a_released_one_are_filled_in_import_order_too():
    project, (alice, bob), trajectories = work(trajectories=4, overlap=1)
    first = take(project, alice)
    hand_in(take(project, bob))
    lapse(first)
    second = take(project, bob)
    assert second.trajectory == trajectories[0]
    hand_in(take(project, alice))
    seats.release(second)
    carol = make.member(project, make.user()).user
    assert take(project, carol).trajectory == trajectories[0]


def test_a_seat_that_came_free_behind_the_back_of_the_queue_is_found_when_nothing_else_is_left():
    project, (alice, bob), trajectories = work(trajectories=2, overlap=1)
    first = take(project, alice)
    hand_in(take(project, bob))
    Annotation.objects.filter(pk=first.pk).delete()
    assert take(project, bob).trajectory == trajectories[0]


def test_a_raised_overlap_sends_everybody_back_to_the_first_trajectory_with_room():
    project, (alice, bob), trajectories = work(trajectories=3, overlap=1)
    hand_in(take(project, alice))
    hand_in(take(project, bob))
    Project.objects.filter(pk=project.pk).update(overlap=2)
    assert take(project, bob).trajectory == trajectories[0]


def test_old_versions_of_a_trajectory_are_not_given_out():
    project, (alice, _), trajectories = work()
    Trajectory.objects.filter(pk=trajectories[0].pk).update(superseded_at=timezone.now())
    assert take(project, alice).trajectory == trajectories[1]


def test_a_judge_takes_no_seat():
    project, (alice, _), trajectories = work(overlap=1)
    make.rating(make.rater(project), trajectories[0], [1], 1)
    assert take(project, alice).trajectory == trajectories[0]


def test_a_raised_overlap_makes_room_and_a_lowered_one_takes_it():
    project, (alice, bob), trajectories = work(trajectories=2, overlap=1)
    hand_in(take(project, alice))
    Project.objects.filter(pk=project.pk).update(overlap=2)
    assert take(project, bob).seat == 1
    hand_in(take(project, bob))
    Project.objects.filter(pk=project.pk).update(overlap=1)
    carol = make.member(project, make.user()).user
    assert take(project, carol).trajectory == trajectories[1]


def test_the_lease_freezes_scheme_guideline_mode_and_propagation():
    project, (alice, _), _ = work(mode="assisted", propagation="fill", blind_share=0)
    newest = Guideline.objects.create(project=project, version=2, text="Newer")
    leased = take(project, alice)
    Project.objects.filter(pk=project.pk).update(mode="blind", propagation="off")
    leased.refresh_from_db()
    assert (leased.mode, leased.propagation) == ("assisted", "fill")
    assert (leased.guideline, leased.scheme) == (newest, project.scheme)


def test_a_lease_is_logged():
    project, (alice, _), _ = work()
    leased = take(project, alice)
    event = Event.objects.get(annotation=leased)
    assert (event.verb, event.actor, event.after) == ("lease", alice, {"trajectory": leased.trajectory_id, "seat": 0})


def test_a_person_keeps_one_rater_beside_a_file_that_took_their_name():
    project, (alice, _), _ = work()
    from_file = make.rater(project, alice.username, Rater.Kind.HUMAN)
    hers = take(project, alice).rater
    assert hers != from_file
    assert hers.user == alice
    assert people.rater_of(project, alice) == hers


def test_only_members_whose_role_labels_get_work():
    project, _, _ = work()
    with pytest.raises(Http404):
        queue.lease_next(project, make.user())
    with pytest.raises(PermissionDenied):
        queue.lease_next(project, make.member(project, make.user(), "viewer").user)


def test_renewing_holds_the_seat_and_releasing_gives_it_up():
    project, (alice, bob), _ = work(trajectories=1, overlap=1)
    hers = take(project, alice)
    Annotation.objects.update(lease_until=timezone.now() + timedelta(seconds=5))
    assert seats.renew(hers)
    assert hers.lease_until > timezone.now() + timedelta(minutes=10)
    seats.release(hers)
    assert not seats.renew(hers)
    assert take(project, bob).seat == 0


def test_what_was_submitted_can_neither_be_renewed_nor_released():
    project, (alice, _), _ = work()
    hers = take(project, alice)
    hand_in(hers)
    assert not seats.renew(hers)
    seats.release(hers)
    hers.refresh_from_db()
    assert (hers.state, hers.seat, hers.lease_until) == ("submitted", 0, None)


@pytest.mark.parametrize("begun", [False, True], ids=["new", "resumed"])
def test_the_next_task_costs_the_same_few_queries_whatever_there_is(begun, django_assert_max_num_queries):
    project, (alice, _), _ = work(trajectories=12, overlap=1)
    for _ in range(10):
        hand_in(take(project, alice))
    if begun:
        take(project, alice)
    with django_assert_max_num_queries(10):
        assert queue.lease_next(project, alice)


@pytest.mark.django_db(transaction=True)
def test_people_who_ask_at_once_never_share_a_seat():
    project, people, _ = work(people=8, trajectories=5, overlap=1)

    def ask(person: User) -> Annotation | None:
        try:
            return queue.lease_next(project, person)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        leases = list(pool.map(ask, people))
    assert sum(lease is not None for lease in leases) == 5
    assert Annotation.objects.values("trajectory").distinct().count() == 5


@pytest.mark.django_db(transaction=True)
def test_one_person_asking_in_several_tabs_at_once_gets_one_trajectory():
    project, (alice, _), _ = work(trajectories=5, overlap=2)

    def ask(_: int) -> int:
        try:
            return take(project, alice).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ask, range(6)))) == 1


def test_a_label_renews_the_lease_for_the_projects_minutes_and_not_for_another_number():
    person = make.user()
    project = make.project(person, lease_minutes=40, overlap=3)
    mine = make.lease(make.trajectory(project), person, lease_until=timezone.now() + timedelta(minutes=1))
    item = labels.Item(step=1, field="label", value=1)
    outcome = labels.change(mine.pk, person, [item], change=uuid.uuid4(), revision=0)
    assert outcome.lease_until is not None
    assert timedelta(minutes=39) < outcome.lease_until - timezone.now() <= timedelta(minutes=40)


def test_what_comes_next_is_leased_ahead_once_and_comes_when_it_is_asked_for():
    project, (alice, bob), (first, second, third) = work(overlap=1)
    mine = take(project, alice)
    ahead = labels.ahead(mine.pk, alice)
    assert ahead is not None and ahead.trajectory == second
    assert labels.ahead(mine.pk, alice) == ahead
    assert take(project, bob).trajectory == third
    assert take(project, alice) == mine

    hand_in(mine)
    assert take(project, alice) == ahead
    assert first.annotations.get() == mine


def test_nothing_is_leased_ahead_of_what_is_not_worked_on():
    project, (alice, bob), _ = work(trajectories=4)
    mine = take(project, alice)
    with pytest.raises(Http404):
        labels.ahead(mine.pk, bob)
    hand_in(mine)
    assert labels.ahead(mine.pk, alice) is None
    lost = take(project, alice)
    Annotation.objects.filter(pk=lost.pk).update(seat=None, lease_until=None)
    assert labels.ahead(lost.pk, alice) is None


def test_ahead_of_the_last_one_there_is_nothing():
    project, (alice, _), _ = work(trajectories=1)
    assert labels.ahead(take(project, alice).pk, alice) is None
