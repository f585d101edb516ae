"""Raters who labelled by different schemes are compared in the words of the project's."""

from __future__ import annotations

import pytest

from annotations import schemes
from annotations.models import Rater
from annotations.services import agreement, projects
from tests import make
from tests.answers import figures, says, section

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make.project(make.user("ann"), make.user("ben"), owner=make.user())


def other(name):
    return projects.freeze(schemes.shipped()[name])


def two(project, hers, his, scheme):
    """A trajectory of three steps (at 1, 2 and 3) that ann labelled by the project's scheme and ben by another."""
    trajectory = make.trajectory(project, steps=3)
    ann, ben = (make.rater(project, name, Rater.Kind.JUDGE) for name in ("hers", "his"))
    says(ann, trajectory, {(step, "label"): value for step, value in zip((1, 2, 3), hers, strict=True)})
    says(ben, trajectory, {(step, "label"): value for step, value in his.items()}, scheme=scheme)


def test_a_binary_judge_agrees_with_a_ternary_one_where_both_say_the_same(project):
    two(project, [1, -1, 1], {1: 1, 2: -1, 3: 1}, other("binary"))
    assert figures(section(project)["label", ""])["percent"] == 1
    assert list(agreement.table(project, {}).label_value) == [0, 2, 0] * 2


def test_what_a_map_does_not_lead_to_is_said_by_nobody(project):
    two(project, [1, -1, 1], {1: 1}, other("web-step-grade"))
    assert section(project)["label", ""]["raters"] == 1
    assert len(agreement.table(project, {}).label_value) == 3


def test_passes_under_an_older_version_of_the_scheme_count_as_before(project):
    older = schemes.shipped()["agent-process"].model_copy(update={"title": "As it was called before"})
    two(project, [1, 0, -1], {1: 1, 2: 0, 3: 1}, projects.freeze(older))
    row = section(project)["label", ""]
    assert row["raters"] == 2
    assert figures(row)["percent"] == pytest.approx(2 / 3)
