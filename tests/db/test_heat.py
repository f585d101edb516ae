"""Where the raters of a trajectory differ, cell by cell."""

from __future__ import annotations

import pytest
from django.urls import reverse

from annotations.models import Rater
from annotations.services import heat, projects
from annotations.services.axis import Axis
from tests import make

pytestmark = pytest.mark.django_db


def of(trajectory, most: int = 240) -> heat.Heat:
    agent = list(trajectory.steps.of_agent().values_list("index", flat=True))
    axis = Axis(len(agent), max(agent), agent, most)
    return heat.of(projects.scheme_of(trajectory.project.scheme), trajectory, axis)


def rated(*values: list, finals: tuple = (1, 1, 1)):
    project = make.project(owner=make.user())
    found = make.trajectory(project, steps=len(values[0]))
    for given, final in zip(values, finals, strict=False):
        make.rating(make.rater(project), found, given, final)
    return found


def test_each_step_says_how_far_apart_its_answers_are():
    found = of(rated([1, 1, 1, 1], [1, 0, -1, None]))
    assert [(one.apart, one.raters) for one in found.cells] == [(0.0, 2), (0.5, 2), (1.0, 2), (None, 0)]
    assert ([one.index for one in found.differ], found.compared, found.whole) == ([2, 3], 3, False)


def test_the_whole_is_told_apart_and_one_rater_alone_differs_from_nobody():
    assert of(rated([1], [1], finals=(1, -1))).whole
    assert (of(rated([1])).raters, of(rated([1])).count) == (1, 0)


def test_of_a_long_trajectory_the_furthest_apart_in_a_cell_shows():
    found = of(rated([1] * 6, [1, 1, -1, 0, 1, 0]), most=3)
    assert [one.apart for one in found.cells] == [0.0, 1.0, 0.5]


def test_passes_that_are_not_handed_in_are_not_heard():
    trajectory = rated([1, 1])
    person = make.rater(trajectory.project, "ann", Rater.Kind.HUMAN, make.user("ann"))
    make.rating(person, trajectory, [-1, -1], state="draft")
    assert of(trajectory).raters == 1


def test_leads_see_it_with_a_way_to_decide_and_where_there_is_nothing_to_compare_no_panel(client):
    trajectory = rated([1, 1], [1, -1])
    client.force_login(trajectory.project.memberships.get().user)
    url = reverse("trajectory_heat", args=[trajectory.project.slug, trajectory.pk])
    page = client.get(url).content.decode()
    assert "1 of 2" in page
    assert "Decide where they differ" in page
    alone = rated_alone(trajectory.project)
    assert client.get(reverse("trajectory_heat", args=[trajectory.project.slug, alone.pk])).status_code == 204


def rated_alone(project):
    found = make.trajectory(project)
    make.rating(make.rater(project), found, [1, 1, 1])
    return found
