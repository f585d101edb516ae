"""What the others said is shown to who has handed in, once all have, and costs the right to reopen."""

from __future__ import annotations

import pytest

from annotations.models import Annotation, Trajectory
from annotations.services import labels, spread
from annotations.services.outcomes import SawOthers
from annotations.services.spread import NotYet
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def trajectory() -> Trajectory:
    return make.trajectory(make.project(overlap=2), steps=2)


def handed_in(trajectory: Trajectory, *values: int) -> Annotation:
    person = make.user()
    make.member(trajectory.project, person)
    rater = make.rater(trajectory.project, person.username, "human", person)
    seat = trajectory.annotations.filter(seat__isnull=False).count()
    return make.rating(rater, trajectory, list(values), final=1, seat=seat)


def test_it_says_how_often_each_value_was_given_and_nothing_of_ones_own(trajectory):
    mine = handed_in(trajectory, 1, -1)
    handed_in(trajectory, 1, 0)
    assert spread.look(mine.pk, mine.rater.user) == {1: [[1, 1]], 2: [[0, 1]]}


def test_machines_and_those_who_have_not_submitted_do_not_count(trajectory):
    mine = handed_in(trajectory, 1, 1)
    make.rating(make.rater(trajectory.project), trajectory, [-1, -1])
    with pytest.raises(NotYet, match="Others are still to label"):
        spread.look(mine.pk, mine.rater.user)


def test_who_has_not_submitted_sees_nothing(trajectory):
    person = make.user()
    make.member(trajectory.project, person)
    mine = make.lease(trajectory, person)
    handed_in(trajectory, 1, 1)
    with pytest.raises(NotYet, match="Submit first"):
        spread.look(mine.pk, person)


def test_who_has_looked_cannot_reopen_until_a_lead_returns_it(trajectory):
    lead = make.user()
    make.member(trajectory.project, lead, "owner")
    mine = handed_in(trajectory, 1, 1)
    handed_in(trajectory, 1, 1)
    spread.look(mine.pk, mine.rater.user)
    spread.look(mine.pk, mine.rater.user)
    assert mine.events.filter(verb="saw_others").count() == 1
    with pytest.raises(SawOthers):
        labels.reopen(mine.pk, mine.rater.user)
    labels.give_back(mine, lead, "Look again at step 2.")
    assert labels.lease(mine.pk, mine.rater.user).state == "returned"
