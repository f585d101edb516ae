"""From several opinions to one: what differs comes first, every decision keeps whose word it was, nothing is lost."""

from __future__ import annotations

import uuid

import pytest

from annotations.models import Adjudication, Annotation, Label, Rater, Standing
from annotations.services import adjudication, labels, standing
from annotations.services.adjudication import NotSettled
from annotations.services.outcomes import NotAccepted
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    return make.user("lead")


@pytest.fixture
def project(lead):
    return make.project(owner=lead, overlap=3)


def person(project, name: str) -> Rater:
    return make.rater(project, name, Rater.Kind.HUMAN, make.user(name))


def rated(project, *values: list, judges: tuple[list, ...] = (), finals: tuple = ()):
    """A trajectory that ann, bob, … have labelled so, and judges."""
    found = make.trajectory(project, steps=len(values[0]))
    for place, given in enumerate(values):
        name = ("ann", "bob", "cyd")[place]
        rater = Rater.objects.filter(project=project, name=name).first() or person(project, name)
        make.rating(rater, found, given, finals[place] if finals else 1)
    for given in judges:
        make.rating(make.rater(project), found, given, 1)
    standing.touch(project, [found.pk])
    return found


def row(trajectory) -> Standing:
    return Standing.objects.get(trajectory=trajectory)


def test_how_far_people_differ_is_kept_with_where_that_begins(project):
    found = row(rated(project, [1, 1, 0], [1, -1, 1]))
    assert (found.people, found.people_differ, found.people_weight) == (2, 2, 1.0 + 0.5)
    assert found.first == 2  # the second step of the agent stands at index 2


def test_judges_count_only_where_everybody_is_heard(project):
    found = row(rated(project, [1, 1], [1, 1], judges=([1, -1],)))
    assert (found.people_differ, found.everybody_differ, found.everybody) == (0, 1, 3)


def test_it_is_kept_up_as_people_hand_in_and_take_back(project):
    trajectory = rated(project, [1, 1])
    cyd = make.user("cyd")
    make.member(project, cyd)
    mine = make.lease(trajectory, cyd)
    items = [{"step": index, "field": "label", "value": value} for index, value in ((1, -1), (2, 1))]
    items.append({"step": None, "field": "final", "value": 1})
    done = labels.change(mine.pk, cyd, items, change=uuid.uuid4(), revision=0)
    assert row(trajectory).people_differ == 0
    done = labels.submit(mine.pk, cyd, change=uuid.uuid4(), revision=done.revision)
    assert (row(trajectory).people, row(trajectory).people_differ) == (2, 1)
    labels.reopen(mine.pk, cyd)
    assert (row(trajectory).people, row(trajectory).people_differ) == (1, 0)


def test_the_furthest_apart_comes_first_and_what_is_begun_before_that(project, lead):
    little = rated(project, [1, 1, 1], [1, 1, 0])
    much = rated(project, [1, 1, 1], [-1, -1, 1])
    rated(project, [1, 1], [1, 1])
    assert list(adjudication.waiting(project).values_list("trajectory", flat=True)) == [much.pk, little.pk]
    assert adjudication.following(project, lead) == much.pk
    adjudication.begin(little, lead)
    assert adjudication.following(project, lead) == little.pk
    assert adjudication.following(project, make.user()) == much.pk


def test_who_decides_first_keeps_that_and_sees_the_others_then(project, lead):
    found = adjudication.begin(rated(project, [1, -1], [1, 1]), lead)
    [spot] = [one for one in adjudication.spots(found) if one.differs]
    assert (spot.place, spot.is_seen) == ((2, "label"), False)
    found = adjudication.decide(found, lead, (2, "label"), 0)
    [spot] = [one for one in adjudication.spots(found) if one.differs]
    assert (spot.is_seen, spot.first, spot.decided.value, spot.taken) == (True, 0, 0, [])
    found = adjudication.decide(found, lead, (2, "label"), -1, why="It repeats itself.", of="ann")
    [spot] = [one for one in adjudication.spots(found) if one.differs]
    assert (spot.first, spot.decided.value, spot.taken) == (0, -1, ["ann"])
    assert spot.decided.suggestion == {"raters": ["ann"], "taken_of": "ann", "by": "lead"}
    assert Label.objects.filter(annotation=found.annotation, field="label").count() == 2  # the first one stays


def test_looking_before_deciding_is_kept_too(project, lead):
    found = adjudication.begin(rated(project, [1], [-1]), lead)
    found = adjudication.show(found, lead, (1, "label"))
    found = adjudication.decide(found, lead, (1, "label"), 1)
    assert (found.seen, found.firsts) == (["1.label"], {})


def test_settling_takes_what_is_agreed_with_whose_word_it_is(project, lead):
    found = adjudication.begin(rated(project, [1, -1], [1, 1], finals=(1, 1)), lead)
    with pytest.raises(NotSettled, match="1 are not decided"):
        adjudication.settle(found, lead)
    adjudication.decide(found, lead, (2, "label"), 1)
    found = adjudication.settle(found, lead)
    said = Label.objects.current().filter(annotation=found.annotation)
    assert {(one.step and one.step.index, one.field): one.value for one in said} == {
        (1, "label"): 1,
        (2, "label"): 1,
        (None, "final"): 1,
    }
    assert {one.origin for one in said} == {"adjudicated"}
    agreed = said.get(step__index=1)
    assert agreed.suggestion == {"raters": ["ann", "bob"], "taken_of": "", "agreed": True}
    assert found.annotation.__class__.objects.get(pk=found.annotation_id).state == Annotation.State.SUBMITTED


def test_what_one_rater_alone_has_said_is_nobody_elses_agreement(project, lead):
    trajectory = rated(project, [1, 1], [1, None])
    found = adjudication.settle(adjudication.begin(trajectory, lead), lead)
    assert not Label.objects.filter(annotation=found.annotation, step__index=2).exists()


def test_taking_it_up_again_needs_a_reason_and_nothing_counts_until_it_is_settled_anew(project, lead):
    found = adjudication.begin(rated(project, [1], [-1]), lead)
    adjudication.decide(found, lead, (1, "label"), 1)
    found = adjudication.settle(found, lead)
    with pytest.raises(NotSettled, match="Take it up again"):
        adjudication.decide(found, lead, (1, "label"), -1)
    with pytest.raises(NotAccepted):
        adjudication.reopen(found, lead, "  ")
    found = adjudication.reopen(found, lead, "The guidelines changed.")
    assert Annotation.objects.get(pk=found.annotation_id).state == Annotation.State.DRAFT
    adjudication.decide(found, lead, (1, "label"), -1)
    found = adjudication.settle(found, lead)
    verbs = list(found.project.events.filter(annotation=found.annotation).order_by("pk").values_list("verb", flat=True))
    assert [one.partition(".")[2] for one in verbs if one != "adjudication.decided"] == [
        "begun",
        "settled",
        "reopened",
        "settled",
    ]


def test_two_leads_do_not_write_over_each_other(project, lead):
    trajectory = rated(project, [1], [-1])
    other = make.user("other")
    found = adjudication.begin(trajectory, lead)
    assert adjudication.begin(trajectory, other).pk == found.pk
    with pytest.raises(NotSettled, match="lead has it"):
        adjudication.decide(found, other, (1, "label"), 1)
    found = adjudication.take_over(found, other)
    adjudication.decide(found, other, (1, "label"), 1)
    assert Adjudication.objects.count() == 1


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [((1, "label"), 7, "7"), ((1, "final"), 1, "no field final"), ((0, "label"), 1, "no step 0"), ((1, "x"), 1, "x")],
)
def test_what_the_scheme_does_not_take_is_refused(project, lead, place, value, words):
    found = adjudication.begin(rated(project, [1], [-1]), lead)
    with pytest.raises(NotAccepted, match=words):
        adjudication.decide(found, lead, place, value)
    assert not Label.objects.filter(annotation=found.annotation).exists()


def test_saying_the_same_again_changes_nothing(project, lead):
    found = adjudication.begin(rated(project, [1], [-1]), lead)
    for _ in range(2):
        adjudication.decide(found, lead, (1, "label"), 1)
    assert Label.objects.filter(annotation=found.annotation).count() == 1


def test_what_all_agree_on_is_taken_over_together(project, lead):
    alike, alone, apart = rated(project, [1, 0], [1, 0]), rated(project, [1, 1]), rated(project, [1], [-1])
    assert list(adjudication.agreed(project).values_list("trajectory", flat=True)) == [alike.pk]
    assert adjudication.settle_agreed(project, lead) == 1
    assert adjudication.settle_agreed(project, lead) == 0
    found = Adjudication.objects.get()
    assert found.trajectory == alike
    assert Label.objects.filter(annotation=found.annotation).count() == 3
    assert not Adjudication.objects.filter(trajectory__in=[alone.pk, apart.pk]).exists()


def test_how_many_people_agree_on_is_known_as_they_hand_in(project):
    rated(project, [1, 0], [1, 0])
    rated(project, [1], [-1])
    rated(project, [1])
    assert standing.alike(project) == {"compared": 2, "same": 1}
