"""How people do on gold items, and what leads mark as such."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from annotations.models import Annotation, Project, Rater, User
from annotations.services import adjudication, gold, gold_results, quality
from annotations.services.outcomes import NotAccepted
from tests import gilded, make

pytestmark = pytest.mark.django_db
GOLD = Annotation.Purpose.GOLD


@pytest.fixture
def ann() -> User:
    return make.user("ann")


@pytest.fixture
def project(ann: User) -> Project:
    return make.project(ann, owner=make.user("lead"), overlap=2)


def test_accuracy_and_kappa_against_gold_by_answer_and_over_time(project: Project, ann: User) -> None:
    items = gilded.known(project, 10)
    gilded.filled(project, *items)
    rater = make.rater(project, "ann", Rater.Kind.HUMAN, ann)
    for number, item in enumerate(items):  # wrong at the second step of the last two
        values = [1, 1] if number >= 8 else [1, -1]
        make.rating(rater, item.trajectory, values, final=1, purpose=GOLD, seat=1000)
    lead = project.memberships.get(user__username="lead")
    person = gold_results.figures(lead)[rater.pk]
    assert (person.items, person.all.n, person.all.value) == (10, 30, 28 / 30)
    # Of 20 steps 18 are alike; ann says +1 of 12 and the file of 10: by chance (12·10 + 8·10) / 400 = 0.5.
    assert person.kappa.value == pytest.approx((0.9 - 0.5) / 0.5)
    assert [(one.value, one.right, one.n) for one in person.answers] == [(1, 10, 10), (-1, 8, 10)]
    assert [part.n for part in person.quarters] == [9, 9, 6, 6]


def test_kappa_says_why_it_is_not_known() -> None:
    assert gold_results.kappa([]).why == "nothing compared"
    assert gold_results.kappa([[("1", "1")], [("1", "1")]]).why.startswith("only one answer")


def test_the_interval_of_kappa_leaves_out_one_task_at_a_time() -> None:
    right, wrong = ("1", "1"), ("1", "-1")
    tasks = [[right, ("-1", "-1")], [right, ("-1", "-1")], [right, wrong]]
    found = gold_results.kappa(tasks)
    # All: 5 of 6 alike, 4 × +1 against 3 × +1, by chance 1/2: 2/3. Without the third: 1. Without another: 1/2.
    assert found.value == pytest.approx(2 / 3)
    spread_of = (2 / 3 * ((1 - 2 / 3) ** 2 + 2 * (1 / 2 - 2 / 3) ** 2)) ** 0.5
    assert found.low == pytest.approx(2 / 3 - 1.96 * spread_of)
    assert found.high == 1.0


def test_ones_own_figures_stop_at_the_end_of_the_day_before(project: Project, ann: User) -> None:
    items = gilded.known(project, 8)
    rater = make.rater(project, "ann", Rater.Kind.HUMAN, ann)
    own = project.memberships.get(user=ann)
    yesterday = timezone.now() - timedelta(days=1)
    for item in items[:7]:
        make.rating(rater, item.trajectory, gilded.RIGHT, final=1, purpose=GOLD, submitted_at=yesterday)
    make.rating(rater, items[7].trajectory, gilded.RIGHT, final=1, purpose=GOLD)
    assert gold_results.figures(own)[rater.pk].items == 7
    assert quality.figures(own)[0].steps == 14
    assert quality.figures(project.memberships.get(user__username="lead"))[0].steps == 16
    gilded.planned(project, shown="nothing")
    assert gold_results.figures(own) == {}


def test_the_usual_reference_is_what_was_adjudicated_then_the_projects_then_a_files(project: Project) -> None:
    trajectory = make.trajectory(project, steps=2)
    person = make.rating(make.rater(project, kind=Rater.Kind.HUMAN), trajectory, [1, 1])
    file = make.rating(make.rater(project, "file", Rater.Kind.IMPORT), trajectory, [1, 1])
    decided = make.rating(make.rater(project, adjudication.RATER, Rater.Kind.CONSENSUS), trajectory, [1, 1])
    assert gold.usual(project, [person, file, decided]) == decided
    assert gold.usual(project, [person, file]) == file
    project.reference = person.rater
    assert gold.usual(project, [person, file]) == person
    assert gold.usual(project, []) is None


def test_a_judge_is_no_reference_and_a_trajectory_without_one_is_refused(project: Project) -> None:
    trajectory = make.trajectory(project, steps=2)
    judged = make.rating(make.rater(project, "judge", Rater.Kind.JUDGE), trajectory, [1, 1])
    with pytest.raises(NotAccepted):
        gold.mark(project, trajectory.pk, None)
    with pytest.raises(NotAccepted):
        gold.mark(project, trajectory.pk, None, reference=judged.pk)


def test_marking_many_takes_so_many_by_chance_and_none_twice(project: Project) -> None:
    file = make.rater(project, "file", Rater.Kind.IMPORT)
    for _ in range(5):
        make.rating(file, make.trajectory(project, steps=2), [1, 1])
    assert gold.mark_many(project, None, rater=file.pk, most=3) == 3
    assert gold.mark_many(project, None, rater=file.pk) == 2
    assert gold.mark_many(project, None, rater=file.pk) == 0
    assert gold.sources(project) == []
