"""What the label page tells of how long steps were in sight: sums that only grow, of the person's own pass."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import Annotation, Label, Look, Project
from annotations.services import looks
from tests import make

pytestmark = pytest.mark.django_db

DAY = 24 * 60 * 60 * 1000


@pytest.fixture
def mine() -> Annotation:
    annotator = make.user("ann")
    return make.lease(make.trajectory(make.project(annotator)), annotator)


def tell(mine: Annotation, *rows: list[Any], page: uuid.UUID | str = "", who: str = "ann") -> Any:
    """The answer of the door to these rows."""
    client = Client()
    client.force_login(make.User.objects.get(username=who))
    url = reverse("label_looks", args=[mine.rater.project.slug, mine.pk])
    body = {"page": str(page or uuid.uuid4()), "looks": list(rows)}
    return client.post(url, json.dumps(body), content_type="application/json")


def kept() -> dict[int, tuple[int, int, int]]:
    """Sums over all openings: step → (ms, visits, unfolds)."""
    found: dict[int, tuple[int, int, int]] = {}
    for one in Look.objects.select_related("step"):
        held = found.get(one.step.index, (0, 0, 0))
        found[one.step.index] = (held[0] + one.visible_ms, held[1] + one.visits, held[2] + one.unfolds)
    return found


def test_sums_are_kept_by_step(mine):
    assert tell(mine, [1, 1200, 1, 0], [2, 400, 1, 2]).json() == {"changed": 2}
    assert kept() == {1: (1200, 1, 0), 2: (400, 1, 2)}


def test_a_packet_told_again_or_late_changes_nothing(mine):
    page = uuid.uuid4()
    tell(mine, [1, 1200, 1, 0], page=page)
    tell(mine, [1, 5000, 3, 1], page=page)
    for late in ([1, 1200, 1, 0], [1, 5000, 3, 1]):
        assert tell(mine, late, page=page).json() == {"changed": 0}
    assert kept() == {1: (5000, 3, 1)}


def test_each_sum_grows_by_itself(mine):
    page = uuid.uuid4()
    tell(mine, [1, 1200, 5, 0], page=page)
    tell(mine, [1, 1000, 2, 3], page=page)
    assert kept() == {1: (1200, 5, 3)}


def test_openings_of_the_page_add_up(mine):
    for _ in range(3):
        tell(mine, [1, 1000, 1, 0])
    assert kept() == {1: (3000, 3, 0)}


def test_a_step_named_twice_counts_once_with_its_largest_numbers(mine):
    assert tell(mine, [1, 1000, 1, 0], [1, 900, 4, 0]).json() == {"changed": 1}
    assert kept() == {1: (1000, 4, 0)}


def test_numbers_beyond_a_day_are_a_day(mine):
    tell(mine, [1, 2**53 - 1, DAY + 1, DAY])
    assert kept() == {1: (DAY, DAY, DAY)}


def test_steps_that_are_not_there_and_turns_of_others_are_left_out(mine):
    answer = tell(mine, [0, 500, 1, 0], [1, 500, 1, 0], [99, 500, 1, 0])
    assert (answer.status_code, answer.json()) == (200, {"changed": 1})
    assert set(kept()) == {1}


def test_a_first_progressive_pass_keeps_nothing_of_what_it_does_not_show(mine):
    Annotation.objects.filter(pk=mine.pk).update(mode=Project.Mode.PROGRESSIVE, frontier=2)
    tell(mine, [1, 500, 1, 0], [2, 500, 1, 0], [3, 500, 1, 0])
    assert set(kept()) == {1, 2}


def test_an_empty_packet_is_no_error(mine):
    assert tell(mine).json() == {"changed": 0}


@pytest.mark.parametrize(
    "row", [[1, -1, 0, 0], [1, "900", 1, 0], [1, 900, 1], [-1, 900, 1, 0], [1, 2**53, 1, 0], [2**31, 1, 1, 1], None]
)
def test_a_row_of_another_shape_is_refused_and_nothing_of_the_packet_kept(mine, row):
    answer = tell(mine, [2, 900, 1, 0], row)
    assert answer.status_code == 422
    assert answer.json()["field"].startswith("looks.1")
    assert not Look.objects.exists()


def test_a_packet_of_too_many_rows_is_refused(mine):
    assert tell(mine, *[[step, 1, 0, 0] for step in range(2000)]).status_code == 200
    answer = tell(mine, *[[step, 1, 0, 0] for step in range(2001)])
    assert (answer.status_code, answer.json()["field"]) == (422, "looks")


def test_nobody_tells_of_anothers_pass(mine):
    other = make.user("bob")
    make.member(mine.rater.project, other)
    assert tell(mine, [1, 900, 1, 0], who="bob").status_code == 404
    assert not Look.objects.exists()


def test_what_is_told_last_arrives_after_the_submission_too(mine):
    Annotation.objects.filter(pk=mine.pk).update(state=Annotation.State.SUBMITTED)
    assert tell(mine, [1, 900, 1, 0]).status_code == 200
    assert set(kept()) == {1}


def test_it_changes_neither_labels_nor_the_revision(mine):
    before = Annotation.objects.values().get(pk=mine.pk)
    looks.record(mine.pk, mine.rater.user, uuid.uuid4(), [looks.Look(1, 900, 1, 0)])
    assert Annotation.objects.values().get(pk=mine.pk) == before
    assert not Label.objects.exists()


def test_a_packet_costs_the_same_however_many_rows(mine, django_assert_num_queries):
    for rows in (1, 3):
        with django_assert_num_queries(2):
            looks.record(
                mine.pk, mine.rater.user, uuid.uuid4(), [looks.Look(step + 1, 9, 1, 0) for step in range(rows)]
            )
