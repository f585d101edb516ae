"""From draft to submitted and back: what must be there, who holds a seat, what is never lost."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from annotations.models import Annotation, Event, Role
from annotations.services import labels, queue, seats
from annotations.services.outcomes import Closed, Missing, NoSeat, NotAccepted
from tests import make
from tests.db.test_labels import begun, do, held, say

pytestmark = pytest.mark.django_db


def finished(**fields: Any) -> Annotation:
    mine = begun(steps=2, **fields)
    say(mine, (1, "label", 1), (2, "label", 1), (None, "final", 1))
    mine.refresh_from_db()
    return mine


def skip(mine: Annotation, reason: str = "Not English.") -> Any:
    return labels.skip(mine.pk, mine.rater.user, reason)


def reopen(mine: Annotation) -> Any:
    return labels.reopen(mine.pk, mine.rater.user)


def fill_the_seats_of(mine: Annotation) -> None:
    """Others take every seat of a trajectory whose first one was lost."""
    Annotation.objects.filter(pk=mine.pk).update(seat=None, lease_until=None)
    project = mine.rater.project
    for _ in range(project.overlap):
        person = make.user()
        make.member(project, person)
        assert queue.lease_next(project, person)
    mine.refresh_from_db()


def test_a_finished_pass_is_submitted_and_keeps_its_seat_for_good():
    mine = finished()
    outcome = do(labels.submit, mine)
    mine.refresh_from_db()
    assert (outcome.state, mine.state, mine.seat, mine.lease_until) == ("submitted", "submitted", 0, None)
    assert mine.submitted_at <= timezone.now()


def test_what_is_missing_is_named_in_reading_order():
    mine = begun(steps=3)
    say(mine, (2, "label", 1))
    with pytest.raises(Missing) as refused:
        do(labels.submit, mine)
    assert refused.value.answer["missing"] == [
        {"step": 1, "field": "label"},
        {"step": 3, "field": "label"},
        {"step": None, "field": "final"},
    ]
    assert refused.value.answer["ghosts"] == 0


def test_suggestions_count_as_missing_until_they_are_accepted_with_the_submission():
    mine = begun(steps=3)
    say(mine, (1, "label", -1), (None, "final", -1))
    with pytest.raises(Missing) as refused:
        do(labels.submit, mine)
    assert refused.value.answer["ghosts"] == 2
    do(labels.submit, mine, accept_ghosts=True)
    assert held(mine) == {1: -1, 2: (-1, 1), 3: (-1, 1)}


def test_a_submission_that_still_misses_something_accepts_nothing():
    mine = begun(steps=3)
    say(mine, (1, "label", -1))
    with pytest.raises(Missing):
        do(labels.submit, mine, accept_ghosts=True)
    assert held(mine) == {1: -1}


def test_handing_in_twice_is_handing_in_once():
    mine = finished()
    once = uuid.uuid4()
    for change in (once, once, uuid.uuid4()):
        assert do(labels.submit, mine, change=change).state == "submitted"
    assert Event.objects.filter(annotation=mine, verb="submit").count() == 1


def test_a_lost_seat_is_taken_again_on_submitting_where_one_is_free():
    mine = finished(seat=None, lease_until=None)
    do(labels.submit, mine)
    mine.refresh_from_db()
    assert (mine.state, mine.seat) == ("submitted", 0)


def test_without_a_free_seat_nothing_is_submitted_and_nothing_lost():
    mine = finished()
    fill_the_seats_of(mine)
    with pytest.raises(NoSeat):
        do(labels.submit, mine)
    mine.refresh_from_db()
    assert (mine.state, mine.seat) == ("draft", None)
    assert held(mine) == {1: 1, 2: 1}


def test_skipping_gives_the_seat_back_says_why_and_keeps_the_labels():
    mine = finished()
    skip(mine, " Not English. ")
    mine.refresh_from_db()
    assert (mine.state, mine.seat, mine.lease_until, mine.comment) == ("skipped", None, None, "Not English.")
    assert held(mine) == {1: 1, 2: 1}


def test_skipping_needs_a_reason():
    mine = finished()
    with pytest.raises(NotAccepted):
        skip(mine, "  ")


def test_a_finished_pass_cannot_be_skipped_by_accident():
    mine = finished()
    do(labels.submit, mine)
    with pytest.raises(Closed):
        skip(mine)
    assert held(mine) == {1: 1, 2: 1}


def test_saving_again_does_not_take_a_submission_back():
    mine = finished()
    do(labels.submit, mine)
    with pytest.raises(Closed):
        say(mine, (1, "label", 0))
    mine.refresh_from_db()
    assert mine.state == "submitted"


def test_what_was_submitted_reopens_on_its_own_seat_with_a_new_lease():
    mine = finished()
    do(labels.submit, mine)
    assert reopen(mine).state == "draft"
    mine.refresh_from_db()
    assert (mine.seat, mine.submitted_at) == (0, None)
    assert mine.lease_until > timezone.now()
    assert held(mine) == {1: 1, 2: 1}


def test_what_was_skipped_reopens_where_a_seat_is_free():
    mine = finished()
    skip(mine)
    reopen(mine)
    mine.refresh_from_db()
    assert (mine.state, mine.seat, mine.comment) == ("draft", 0, "")


def test_what_was_skipped_stays_skipped_without_a_seat():
    mine = finished()
    skip(mine)
    fill_the_seats_of(mine)
    with pytest.raises(NoSeat):
        reopen(mine)
    mine.refresh_from_db()
    assert mine.state == "skipped"


def test_reopening_what_is_open_changes_nothing():
    mine = finished()
    assert reopen(mine).revision == mine.revision


def test_a_failed_pass_cannot_be_reopened():
    mine = begun(state="failed")
    with pytest.raises(Closed):
        reopen(mine)


def test_the_lease_is_renewed_while_the_page_is_open():
    mine = finished()
    Annotation.objects.update(lease_until=timezone.now())
    renewed = labels.lease(mine.pk, mine.rater.user)
    assert renewed.lease_until > timezone.now()


def test_a_lapsed_lease_takes_its_seat_again_where_one_is_free():
    mine = finished(seat=None, lease_until=None)
    assert labels.lease(mine.pk, mine.rater.user).lease_until
    mine.refresh_from_db()
    assert mine.seat == 0


def test_without_a_seat_the_lease_says_so():
    mine = finished()
    fill_the_seats_of(mine)
    assert labels.lease(mine.pk, mine.rater.user).lease_until is None


def test_each_label_renews_the_lease():
    mine = begun()
    Annotation.objects.update(lease_until=timezone.now())
    assert say(mine, (1, "label", 1)).lease_until > timezone.now()


def test_a_lead_gives_work_back_with_a_reason_and_its_owner_goes_on():
    mine = finished()
    do(labels.submit, mine)
    lead = make.member(mine.rater.project, make.user(), Role.MANAGER).user
    returned = labels.give_back(mine, lead, "Step 2 again, please.")
    assert (returned.state, returned.seat, returned.comment) == ("returned", 0, "Step 2 again, please.")
    assert queue.lease_next(mine.rater.project, mine.rater.user) == mine
    say(mine, (2, "label", 0))
    mine.refresh_from_db()
    assert mine.state == "returned", "it stays on the list of returned work until it is handed in"
    do(labels.submit, mine)
    mine.refresh_from_db()
    assert (mine.state, mine.comment) == ("submitted", "")


def test_returned_work_keeps_its_longer_lease_while_it_is_looked_at():
    mine = finished()
    do(labels.submit, mine)
    lead = make.member(mine.rater.project, make.user(), Role.OWNER).user
    until = labels.give_back(mine, lead, "").lease_until
    assert until > timezone.now() + seats.RETURNED_FOR / 2
    say(mine, (1, "label", 0))
    labels.lease(mine.pk, mine.rater.user)
    mine.refresh_from_db()
    assert mine.lease_until >= until


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.ANNOTATOR, Role.VIEWER])
def test_only_who_manages_gives_work_back(role):
    mine = finished()
    do(labels.submit, mine)
    with pytest.raises(PermissionDenied):
        labels.give_back(mine, make.member(mine.rater.project, make.user(), role).user, "No.")


def test_a_stranger_gives_nothing_back():
    mine = finished()
    do(labels.submit, mine)
    with pytest.raises(Http404):
        labels.give_back(mine, make.user(), "No.")


def test_what_is_not_submitted_cannot_be_given_back():
    mine = finished()
    lead = make.member(mine.rater.project, make.user(), Role.OWNER).user
    with pytest.raises(Closed):
        labels.give_back(mine, lead, "Early.")


def test_a_skip_and_what_follows_stand_in_the_log():
    mine = finished()
    skip(mine, "Broken.")
    reopen(mine)
    do(labels.submit, mine)
    events = Event.objects.filter(annotation=mine).exclude(verb="change").order_by("pk")
    assert [(one.verb, one.before, one.after) for one in events] == [
        ("skip", {"state": "draft"}, {"state": "skipped", "reason": "Broken."}),
        ("reopen", {"state": "skipped"}, {"state": "draft"}),
        ("submit", {"state": "draft"}, {"state": "submitted"}),
    ]
