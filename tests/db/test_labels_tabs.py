"""Two tabs, two devices, requests that cross: steps merge, true conflicts are shown, nothing is doubled."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection

from annotations.models import Annotation, Event, Label
from annotations.services import history, labels, queue, quick
from annotations.services.outcomes import Conflict
from tests import make
from tests.db.test_labels import begun, changed, do, held, say

pytestmark = pytest.mark.django_db


def at_once(deeds: list[Callable[[], Any]]) -> list[Any]:
    def run(deed: Callable[[], Any]) -> Any:
        try:
            return deed()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def test_the_database_refuses_a_second_event_of_one_change():
    mine = begun()
    once = uuid.uuid4()
    history.record(mine, "change", mine.rater.user, change=once)
    with pytest.raises(IntegrityError, match="one_event_per_change"), quick.in_one_go():
        history.record(mine, "change", mine.rater.user, change=once)


def test_other_steps_merge_and_the_answer_tells_of_them():
    mine = begun()
    say(mine, (1, "label", 1), revision=0)
    outcome = say(mine, (2, "label", 0), revision=0)
    assert changed(outcome) == [(1, "label", 1, "human", None), (2, "label", 0, "human", None)]
    assert outcome.revision == 2


def test_the_same_step_is_a_conflict_that_names_both_sides():
    mine = begun()
    say(mine, (1, "label", 1), revision=0)
    with pytest.raises(Conflict) as refused:
        say(mine, (1, "label", -1), (2, "label", 0), revision=0)
    (clash,) = refused.value.answer["items"]
    assert {key: clash[key] for key in ("step", "field", "yours", "theirs", "by")} == {
        "step": 1,
        "field": "label",
        "yours": -1,
        "theirs": 1,
        "by": mine.rater.user.username,
    }
    assert clash["at"]
    assert refused.value.answer["revision"] == 1
    assert held(mine) == {1: 1}, "all or nothing"


def test_a_clearing_that_crosses_is_a_conflict_too():
    mine = begun()
    say(mine, (1, "label", 1))
    say(mine, (1, "label", None), revision=1)
    with pytest.raises(Conflict) as refused:
        say(mine, (1, "label", -1), revision=1)
    assert refused.value.answer["items"][0]["theirs"] is None


def test_an_undo_elsewhere_counts_as_a_change():
    mine = begun()
    say(mine, (1, "label", 1))
    do(labels.undo, mine)
    with pytest.raises(Conflict):
        say(mine, (1, "label", -1), revision=1)


def test_force_overwrites():
    mine = begun()
    say(mine, (1, "label", 1), revision=0)
    say(mine, (1, "label", -1), revision=0, force=True)
    assert held(mine) == {1: -1}


def test_agreeing_is_no_conflict():
    mine = begun()
    say(mine, (1, "label", 1), revision=0)
    assert changed(say(mine, (1, "label", 1), revision=0)) == [(1, "label", 1, "human", None)]


def test_a_rule_that_filled_the_step_elsewhere_is_no_conflict():
    mine = begun(propagation="fill")
    say(mine, (1, "label", -1), revision=0)
    say(mine, (3, "label", 1), revision=0)
    assert held(mine) == {1: -1, 2: (-1, 1), 3: 1}


def test_a_change_sent_before_its_answer_came_is_recognised_though_it_conflicts_with_itself():
    mine = begun()
    once = uuid.uuid4()
    say(mine, (1, "label", 1), revision=0, change=once)
    assert changed(say(mine, (1, "label", 1), revision=0, change=once)) == [(1, "label", 1, "human", None)]


@pytest.mark.django_db(transaction=True)
def test_a_change_sent_many_times_at_once_is_made_once():
    mine = begun(propagation="fill")
    once = uuid.uuid4()
    user = mine.rater.user
    item = labels.Item(step=1, field="label", value=-1)

    def send() -> Any:
        return labels.change(mine.pk, user, [item], change=once, revision=0, time_ms=10)

    answers = at_once([send] * 6)
    assert {answer.revision for answer in answers} == {1}
    assert all(len(answer.labels) == 4 for answer in answers)
    assert Event.objects.filter(annotation=mine).count() == 1
    assert Label.objects.filter(annotation=mine).count() == 4
    assert Annotation.objects.get(pk=mine.pk).time_spent_ms == 10


@pytest.mark.django_db(transaction=True)
def test_a_change_that_alters_nothing_may_arrive_many_times_at_once():
    mine = begun()
    user = mine.rater.user
    once = uuid.uuid4()
    answers = at_once([lambda: labels.undo(mine.pk, user, change=once, revision=0)] * 6)
    assert {answer.revision for answer in answers} == {0}
    assert Event.objects.filter(annotation=mine).count() == 1


@pytest.mark.django_db(transaction=True)
def test_different_steps_labelled_at_once_are_all_kept():
    mine = begun(steps=8)
    user = mine.rater.user

    def send(step: int) -> Callable[[], Any]:
        item = labels.Item(step=step, field="label", value=1)
        return lambda: labels.change(mine.pk, user, [item], change=uuid.uuid4(), revision=0)

    answers = at_once([send(step) for step in range(1, 9)])
    assert sorted(answer.revision for answer in answers) == list(range(1, 9))
    assert held(mine) == dict.fromkeys(range(1, 9), 1)


@pytest.mark.django_db(transaction=True)
def test_submitting_in_one_tab_while_asking_for_the_next_in_another_does_not_hang():
    mine = begun(steps=1)
    project, user = mine.rater.project, mine.rater.user
    make.trajectory(project, steps=1)
    for round in range(5):
        say(mine, (1, "label", 1), (None, "final", 1))
        Annotation.objects.filter(pk=mine.pk).update(seat=None, lease_until=None)
        mine.refresh_from_db()
        at_once(
            [
                lambda: labels.submit(mine.pk, user, change=uuid.uuid4(), revision=mine.revision),
                lambda: queue.lease_next(project, user),
                lambda: labels.lease(mine.pk, user),
            ]
        )
        mine.refresh_from_db()
        assert (mine.state, mine.seat, mine.lease_until) == ("submitted", 0, None), round
        labels.reopen(mine.pk, user)
