"""Gold items: slipped into the queue one in so many, never told apart, never in the way of the others."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from annotations.models import Annotation, Gold, Label, Project, Rater, Role, User
from annotations.services import (
    adjudication,
    agreement,
    gold,
    gold_results,
    labels,
    progress_counts,
    queue,
    queue_policies_shown,
    spread,
    standing,
)
from tests import gilded, make
from tests.gilded import given

pytestmark = pytest.mark.django_db
GOLD = Annotation.Purpose.GOLD


@pytest.fixture
def ann() -> User:
    return make.user("ann")


@pytest.fixture
def project(ann: User) -> Project:
    made = make.project(ann, owner=make.user("lead"), overlap=2)
    gilded.live(made, 24)
    return made


def test_nothing_is_gold_until_a_lead_says_so(project: Project, ann: User) -> None:
    gilded.filled(project, *gilded.known(project, 4))
    assert {one.purpose for one in given(project, ann, 8)} == {""}


def test_of_each_block_of_n_one_is_gold_and_none_comes_twice(project: Project, ann: User) -> None:
    items = gilded.known(project, 6)
    gilded.filled(project, *items)
    gilded.planned(project, every=4)
    had = given(project, ann, 16)
    assert [sum(one.purpose == GOLD for one in had[start : start + 4]) for start in range(0, 16, 4)] == [1, 1, 1, 1]
    golden = [one.trajectory_id for one in had if one.purpose == GOLD]
    assert len(set(golden)) == 4
    assert set(golden) <= {item.trajectory_id for item in items}


def test_the_draw_hangs_on_the_person_and_is_the_same_however_often_one_asks(project: Project, ann: User) -> None:
    gilded.filled(project, *gilded.known(project, 6))
    plan = gilded.planned(project, every=3)
    first = gilded.take(project, ann)
    assert gilded.take(project, ann).pk == first.pk
    first.delete()  # as if the server had fallen over before it was stored
    again = gilded.take(project, ann)
    assert (again.trajectory_id, again.purpose) == (first.trajectory_id, first.purpose)
    assert gold.plan_of(project).seed == plan.seed


def test_what_runs_out_is_not_missed_and_comes_one_a_block_again(project: Project, ann: User) -> None:
    gilded.filled(project, *gilded.known(project, 1))
    gilded.planned(project, every=2)
    assert sum(one.purpose == GOLD for one in given(project, ann, 8)) == 1
    gilded.filled(project, *gilded.known(project, 5))
    had = [one.purpose for one in given(project, ann, 4)]
    assert [had[:2].count(GOLD), had[2:].count(GOLD)] == [1, 1]


def test_a_gold_answer_takes_no_seat_that_the_trajectory_wants(project: Project, ann: User) -> None:
    [item] = gilded.known(project, 1)
    gilded.planned(project, every=2)
    rater = make.rater(project, "ann", Rater.Kind.HUMAN, ann)
    annotation = make.rating(rater, item.trajectory, gilded.RIGHT, seat=1000, purpose=GOLD)
    assert annotation.seat == 1000
    upcoming = {one.trajectory: one.taken for one in queue_policies_shown.upcoming(project, 0, 100)}
    assert upcoming[item.trajectory_id] == 0
    others = [make.user() for _ in range(2)]
    for one in others:
        make.member(project, one, Role.REVIEWER)  # who get no gold
        while gilded.take(project, one).trajectory_id != item.trajectory_id:
            given(project, one, 1)
        gilded.answer(gilded.take(project, one), gilded.RIGHT)
    assert progress_counts.of_project(project).finished >= 1


def test_there_is_always_a_seat_for_a_gold_item_that_was_let_go(project: Project, ann: User) -> None:
    items = gilded.known(project, 3)
    gilded.filled(project, *items)
    gilded.planned(project, every=2)
    taken = gilded.take(project, ann)
    while taken.purpose != GOLD:
        gilded.answer(taken, gilded.RIGHT)
        taken = gilded.take(project, ann)
    assert taken.lease_until is not None
    Annotation.objects.filter(pk=taken.pk).update(lease_until=timezone.now() - timedelta(minutes=1))
    again = gilded.take(project, ann)
    assert (again.pk, again.seat) == (taken.pk, taken.seat)
    assert gilded.answer(again, gilded.RIGHT).state == Annotation.State.SUBMITTED


def test_nobody_gets_gold_whose_reference_they_made(project: Project, ann: User) -> None:
    lead = User.objects.get(username="lead")
    trajectory = make.trajectory(project, steps=2)
    people = [make.rater(project, kind=Rater.Kind.HUMAN) for _ in range(2)]
    for seat, (one, values) in enumerate(zip(people, ([1, 1], [1, -1]), strict=True)):
        make.rating(one, trajectory, values, final=1, seat=seat)
    standing.touch_all(project)
    begun = adjudication.begin(trajectory, ann, everybody=False)
    for spot in adjudication.spots(begun):
        adjudication.decide(begun, ann, spot.place, spot.voices[0].value)
    adjudication.settle(begun, ann)
    gold.mark(project, trajectory.pk, lead)
    gilded.planned(project, every=2)
    assert GOLD not in {one.purpose for one in given(project, ann, 8)}
    bob = make.user("bob")
    make.member(project, bob)
    assert GOLD in {one.purpose for one in given(project, bob, 8)}


def test_who_sees_others_labels_gets_no_gold(project: Project) -> None:
    gilded.filled(project, *gilded.known(project, 3))
    gilded.planned(project, every=2)
    assert {one.purpose for one in given(project, User.objects.get(username="lead"), 6)} == {""}


def test_gold_answers_are_kept_and_counted_nowhere(project: Project, ann: User) -> None:
    gilded.filled(project, *gilded.known(project, 3))
    gilded.planned(project, every=2)
    had = given(project, ann, 2)
    [golden] = [one for one in had if one.purpose == GOLD]
    assert gilded.labelled(golden) == 3
    assert not agreement.counted(project).filter(pk=golden.pk).exists()
    assert not standing.passes([golden.trajectory_id]).filter(pk=golden.pk).exists()
    assert not progress_counts.people(project).filter(pk=golden.pk).exists()
    assert progress_counts.my_count(project, ann) == 2  # their own count tells nothing


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_ask_at_once_get_the_same_gold_item() -> None:
    ann = make.user("ann")
    project = make.project(ann, overlap=1)
    gilded.live(project, 6)
    gilded.filled(project, *gilded.known(project, 3))
    gilded.planned(project, every=2)
    first = gilded.take(project, ann)
    if first.purpose != GOLD:
        gilded.answer(first, gilded.RIGHT)
    else:
        Annotation.objects.filter(pk=first.pk).delete()
    gate = threading.Barrier(2)

    def ask() -> tuple[int, str]:
        try:
            gate.wait()
            taken = gilded.take(project, ann)
            return taken.trajectory_id, taken.purpose
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        one, other = [found.result() for found in [pool.submit(ask), pool.submit(ask)]]
    assert one == other
    assert one[1] == GOLD


def shown(client: Any, project: Project, annotation: Annotation) -> str:
    """The label page without what is of this trajectory and pass alone."""
    text = client.get(reverse("annotate", args=[project.slug, annotation.pk])).content.decode()
    trajectory = annotation.trajectory
    words = [trajectory.external_id, trajectory.task.external_id, trajectory.task.instruction]
    for step in trajectory.steps.all():
        words += [step.message, str(step.tool_calls), str(step.observations)]
    for word in sorted(filter(None, words), key=len, reverse=True):
        text = text.replace(word, "…")
    return "".join(letter for letter in text if not letter.isdigit())


def test_neither_page_nor_api_tells_a_gold_item_from_another(client: Any, project: Project, ann: User) -> None:
    gilded.filled(project, *gilded.known(project, 3))
    gilded.planned(project, every=2)
    client.force_login(ann)
    golden, other = sorted([gilded.take(project, ann), *_next(project, ann)], key=lambda one: one.purpose != GOLD)
    assert (golden.purpose, other.purpose) == (GOLD, "")
    answers = [client.get(f"/api/v1/projects/{project.slug}/annotations/{one.pk}/").json() for one in (golden, other)]
    assert answers[0].keys() == answers[1].keys()
    alike = [name for name in answers[0] if name not in ("id", "trajectory", "trajectory_external_id")]
    assert all(
        type(answers[0][name]) is type(answers[1][name])
        for name in alike
        if name not in ("submitted_at", "lease_until")
    )
    assert "gold" not in str(answers).lower()
    page = shown(client, project, golden)
    assert "gold" not in page.lower()
    lease = f"/projects/{project.slug}/annotate/{golden.pk}/lease"
    assert client.post(lease, {}, content_type="application/json").status_code in (200, 404, 409)


def _next(project: Project, ann: User) -> list[Annotation]:
    [first] = Annotation.objects.filter(rater__user=ann, state="leased")
    gilded.answer(first, gilded.RIGHT)
    return [gilded.take(project, ann)]


def test_what_the_others_said_is_of_as_many_others_as_anywhere(project: Project, ann: User) -> None:
    gilded.filled(project, *gilded.known(project, 3))
    gilded.planned(project, every=2)
    [golden] = [one for one in given(project, ann, 2) if one.purpose == GOLD]
    said = spread.look(golden.pk, ann)
    assert [sum(count for _, count in found) for found in said.values()] == [1, 1]  # of an overlap of 2: one other


def test_an_item_whose_reference_is_taken_up_again_is_given_to_nobody(project: Project, ann: User) -> None:
    [item] = gilded.known(project, 1)
    gilded.filled(project, item)
    gilded.planned(project, every=2)
    Annotation.objects.filter(pk=item.reference_id).update(state="draft")
    assert GOLD not in {one.purpose for one in given(project, ann, 6)}
    assert gold.stands(gold.items(project).get()) != ""


def test_unmarking_keeps_what_was_said(project: Project, ann: User) -> None:
    gilded.filled(project, *gilded.known(project, 3))
    gilded.planned(project, every=2)
    [golden] = [one for one in given(project, ann, 2) if one.purpose == GOLD]
    gold.unmark(Gold.objects.get(trajectory=golden.trajectory_id), None)
    assert Label.objects.current().filter(annotation=golden).count() == 3
    assert Annotation.objects.get(pk=golden.pk).purpose == GOLD
    assert gold_results.figures(project.memberships.get(user__username="lead")) == {}


def test_a_gold_item_leased_ahead_is_the_one_that_comes(project: Project, ann: User) -> None:
    gilded.filled(project, *gilded.known(project, 3))
    gilded.planned(project, every=2)
    first = gilded.take(project, ann)
    ahead = queue.lease_ahead(first, ann)
    assert ahead is not None
    gilded.answer(first, gilded.RIGHT)
    assert gilded.take(project, ann).pk == ahead.pk
    assert GOLD in {first.purpose, ahead.purpose}


def test_a_skipped_gold_item_is_not_given_again(project: Project, ann: User) -> None:
    gilded.filled(project, *gilded.known(project, 1))
    gilded.planned(project, every=2)
    taken = gilded.take(project, ann)
    while taken.purpose != GOLD:
        gilded.answer(taken, gilded.RIGHT)
        taken = gilded.take(project, ann)
    labels.skip(taken.pk, ann, "I cannot tell.")
    assert GOLD not in {one.purpose for one in given(project, ann, 6)}
