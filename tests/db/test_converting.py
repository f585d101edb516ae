"""What passes under other schemes say in the words of one, as agreement reads labels."""

from __future__ import annotations

import pytest

from annotations import schemes
from annotations.models import Annotation, Label, Project
from annotations.services.converting import Converting
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make.project()


def test_labels_come_in_the_words_of_the_scheme_with_their_steps_and_origins(project):
    one = make.rating(make.rater(project), make.trajectory(project, steps=4), [1, 0, -1, -1], final=1)
    cause = one.labels.get(step__index=3)
    one.labels.filter(step__index=4).update(origin=Label.Origin.PROPAGATED, cause=cause)
    rows = list(Converting(schemes.shipped()["binary"]).rows(Annotation.objects.all()))
    steps = dict(one.trajectory.steps.values_list("index", "pk"))
    assert [row[1:] for row in rows] == [
        (steps[1], "label", 1, "judge"),
        (steps[3], "label", -1, "judge"),
        (steps[4], "label", -1, "propagated"),
    ]
    assert {row.annotation for row in rows} == {one.pk}


def test_what_is_lost_is_counted_by_field(project):
    make.rating(make.rater(project), make.trajectory(project), [0, 0, 1], final=-1)
    converting = Converting(schemes.shipped()["binary"])
    assert len(list(converting.rows(Annotation.objects.all()))) == 1
    assert converting.lost == {"label": 2, "final": 1}


def test_an_answer_about_the_whole_has_no_step(project):
    one = make.rating(make.rater(project), make.trajectory(project), [1, -1, 1])
    (row,) = Converting(schemes.shipped()["first-error"]).rows(Annotation.objects.all())
    assert row == (one.pk, None, "first_error", 2, "judge")


def test_passes_that_no_map_leads_from_say_nothing_and_are_counted(project):
    make.rating(make.rater(project), make.trajectory(project), [1, 1, 1])
    converting = Converting(schemes.shipped()["rollout-ranking"])
    assert list(converting.rows(Annotation.objects.all())) == []
    assert converting.unreachable == {"agent-process": 1}


def test_passes_of_several_schemes_are_read_as_one(project):
    trajectory = make.trajectory(project)
    make.rating(make.rater(project), trajectory, [1, 0, -1])
    graded = make.rating(make.rater(project), trajectory, [None] * 3)
    Annotation.objects.filter(pk=graded.pk).update(scheme=make.scheme("web-step-grade"))
    for step, grade in zip(trajectory.steps.of_agent(), (9, 6, 2), strict=True):
        graded.labels.create(step=step, field="grade", value=grade, origin="judge")
    rows = list(Converting(schemes.shipped()["binary"]).rows(Annotation.objects.all()))
    assert [row.value for row in rows] == [1, -1, 1, 1, -1]


def test_however_many_passes_there_are_they_are_read_a_list_at_a_time(project, django_assert_num_queries):
    for _ in range(5):
        make.rating(make.rater(project), make.trajectory(project), [1, 1, -1])
    converting = Converting(schemes.shipped()["binary"])
    converting.route(project.scheme_id)
    with django_assert_num_queries(4):  # ids, passes, steps, labels
        assert len(list(converting.rows(Annotation.objects.all()))) == 15
