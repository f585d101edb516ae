"""How labelling goes: numbers counted from what is stored, the rows behind each, and for annotators their own alone."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.models import Annotation, Event, Label, Look, Membership, Project, Rater, Role, User
from annotations.services import blind_share, pace
from annotations.services.pace import Asked
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead() -> User:
    return make.user("lead")


@pytest.fixture
def project(lead: User) -> Project:
    return make.project(owner=lead)


def person(project: Project, name: str) -> Rater:
    user = make.user(name)
    make.member(project, user)
    return make.rater(project, name, Rater.Kind.HUMAN, user)


def passed(rater: Rater, values: list[Any], **fields: Any) -> Annotation:
    return make.rating(rater, make.trajectory(rater.project, steps=len(values)), values, **fields)


def looked(annotation: Annotation, *seconds: float, visits: int = 1) -> None:
    """So long was each step in sight, in one opening of the page."""
    page = uuid.uuid4()
    for step, each in zip(annotation.trajectory.steps.of_agent(), seconds, strict=True):
        facts = {"visible_ms": round(each * 1000), "visits": visits}
        Look.objects.create(annotation=annotation, step=step, page=page, **facts)


def figures_of(user: User, project: Project, **asked: Any) -> tuple[pace.Figures, dict[str, pace.Figures]]:
    everybody, people = pace.figures(Membership.objects.get(user=user, project=project), Asked(**asked))
    return everybody, {one.name: one for one in people}


def test_dwell_is_what_all_openings_of_the_page_add_up_to(project, lead):
    mine = passed(person(project, "ann"), [1, 0, -1])
    looked(mine, 1, 4, 2)
    looked(mine, 1, 16, 2, visits=2)
    ann = figures_of(lead, project)[1]["ann"]
    # In sight 2, 20 and 4 s: the median is 4; 90 % lie within 4 + 0.8 × (20 − 4) = 16.8.
    assert (ann.steps, ann.measured, ann.median, ann.p90) == (3, 3, 4000, 16800)
    # Three visits each, two of them again.
    assert ann.revisits == 2.0


def test_what_is_hardly_looked_at_is_what_one_says_it_is(project, lead):
    looked(passed(person(project, "ann"), [1, 0, -1, 1]), 0.5, 1, 2.5, 9)
    counts = {under: figures_of(lead, project, under=under)[1]["ann"].quick for under in (0.5, 1, 3, 60)}
    assert counts == {0.5: 0, 1: 1, 3: 3, 60: 4}
    assert figures_of(lead, project, under=3)[1]["ann"].quick_share == 0.75


def test_steps_that_were_not_measured_are_counted_and_in_no_time(project, lead):
    mine = passed(person(project, "ann"), [1, 0, -1])
    looked(mine, 5, 5, 5)
    Look.objects.filter(step__index=2).delete()
    ann = figures_of(lead, project)[1]["ann"]
    assert (ann.steps, ann.measured, ann.median) == (3, 2, 5000)
    Look.objects.all().delete()
    ann = figures_of(lead, project)[1]["ann"]
    assert (ann.steps, ann.measured, ann.median, ann.p90, ann.revisits, ann.quick_share) == (3, 0, *[None] * 4)


def test_what_a_rule_brought_took_nobody_any_time(project, lead):
    mine = passed(person(project, "ann"), [-1, None, 1])
    cause = mine.labels.get(step__index=1)
    second = mine.trajectory.steps.get(index=2)
    Label.objects.create(annotation=mine, step=second, field="label", value=-1, origin="propagated", cause=cause)
    looked(mine, 1, 1, 1)
    assert figures_of(lead, project)[1]["ann"].steps == 2


def test_key_to_key_counts_each_change_once_and_what_was_taken_back_too(project, lead):
    mine = passed(person(project, "ann"), [1, 0, -1], final=1)
    times = {1: 1000, 2: 3000, 3: 8000}
    for step, time_ms in times.items():
        mine.labels.filter(step__index=step).update(time_ms=time_ms, revision=step)
    # One change that answered two places, one that was superseded since, and one that no page timed.
    mine.labels.filter(step=None).update(time_ms=8000, revision=3)
    mine.labels.filter(step__index=1).update(superseded_at=timezone.now())
    step = mine.trajectory.steps.get(index=1)
    Label.objects.create(annotation=mine, step=step, field="label", value=0, origin="human", time_ms=0, revision=4)
    ann = figures_of(lead, project)[1]["ann"]
    assert (ann.changes, ann.between) == (3, 3000)


def accepted(annotation: Annotation, *looked_ms: int) -> None:
    for label, looked in zip(annotation.labels.filter(field="label").order_by("step__index"), looked_ms, strict=False):
        told = {"source": "judge:j", "value": label.value, "confidence": 0.9, "looked_ms": looked}
        Label.objects.filter(pk=label.pk).update(origin="accepted", suggestion=told)


def test_suggestions_taken_and_those_taken_hastily(project, lead):
    accepted(passed(person(project, "ann"), [1, 0, -1, 1]), 500, 1999, 2000)
    ann = figures_of(lead, project)[1]["ann"]
    assert (ann.accepted, ann.hasty) == (3, 2)
    assert figures_of(lead, project, hasty=0.6)[1]["ann"].hasty == 1


def test_what_items_and_steps_cost_is_of_submitted_ones(project, lead):
    ann = person(project, "ann")
    passed(ann, [1, 0], time_spent_ms=60_000)
    passed(ann, [1, 0, -1, 1], time_spent_ms=120_000)
    passed(ann, [1], time_spent_ms=999_000, state="draft", submitted_at=None)
    found = figures_of(lead, project)[1]["ann"]
    assert (found.items, found.per_item, found.per_step) == (2, 90_000, 30_000)


def test_everybodys_numbers_are_of_all_rows_not_of_the_persons_numbers(project, lead):
    looked(passed(person(project, "ann"), [1, 0, -1]), 1, 1, 1)
    looked(passed(person(project, "bob"), [1]), 9)
    everybody, people = figures_of(lead, project)
    assert list(people) == ["ann", "bob"]
    assert (everybody.steps, everybody.median) == (4, 1000)


def test_machines_files_and_passes_that_others_took_the_place_of_do_not_count(project, lead):
    passed(make.rater(project, "judge"), [1, 1])
    passed(make.rater(project, "old", Rater.Kind.HUMAN), [1, 1])  # a person's labels out of a file
    passed(person(project, "ann"), [1, 1], retired_at=timezone.now())
    assert figures_of(lead, project) == (pace.Figures(""), {})


def test_filters_by_day_and_person(project, lead):
    for name, days in (("ann", 0), ("bob", 40)):
        mine = passed(person(project, name), [1, 1])
        then = timezone.now() - timedelta(days=days)
        mine.labels.update(created_at=then)
        Annotation.objects.filter(pk=mine.pk).update(submitted_at=then)
    since = (timezone.now() - timedelta(days=7)).date()
    assert list(figures_of(lead, project)[1]) == ["ann", "bob"]
    assert list(figures_of(lead, project, since=since)[1]) == ["ann"]
    assert list(figures_of(lead, project, person="bob")[1]) == ["bob"]


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.VIEWER])
def test_who_may_not_see_others_labels_gets_their_own_numbers_alone(project, role):
    passed(person(project, "bob"), [1, 1])
    ann = person(project, "ann")
    passed(ann, [1])
    Membership.objects.filter(user=ann.user).update(role=role)
    everybody, people = figures_of(ann.user, project)
    assert (everybody.steps, list(people)) == (1, ["ann"])
    assert figures_of(ann.user, project, person="bob")[1] == {}


KINDS = {"steps": 3, "quick": 1, "revisits": 0, "accepted": 2, "hasty": 1, "changes": 0, "items": 1}


@pytest.mark.parametrize("kind", pace.KINDS)
def test_the_rows_behind_a_number_are_as_many_as_it_says(project, lead, kind):
    mine = passed(person(project, "ann"), [1, 0, -1], time_spent_ms=5000)
    looked(mine, 1, 4, 9)
    accepted(mine, 100, 5000)
    found, total = pace.rows(Membership.objects.get(user=lead), Asked(), kind, 0)
    assert len(found) == total == KINDS[kind]
    assert {(row["name"], row["external_id"]) for row in found} <= {("ann", mine.trajectory.external_id)}


def test_rows_come_in_pages_without_loss(project, lead, monkeypatch):
    monkeypatch.setattr(pace, "PER_PAGE", 2)
    looked(passed(person(project, "ann"), [1, 0, -1, 1, 1]), 5, 3, 9, 1, 7)
    member = Membership.objects.get(user=lead)
    pages = [pace.rows(member, Asked(), "steps", page)[0] for page in range(4)]
    assert [[row["visible_ms"] for row in page] for page in pages] == [[9000, 7000], [5000, 3000], [1000], []]


# Pages


def get(user: User, name: str, project: Project, query: str = "") -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(reverse(name, args=[project.slug]) + query)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_every_number_of_the_page_opens_its_rows(project, lead):
    mine = passed(person(project, "ann"), [1, 0, -1], time_spent_ms=90_000)
    looked(mine, 1, 4, 9, visits=3)
    accepted(mine, 100, 5000)
    mine.labels.update(time_ms=1500)
    page = get(lead, "pace", project, "?under=5&t=1")
    links = set(re.findall(r'href="([^"]*/pace/rows/[^"]*)"', page))
    assert {re.search(r"of=(\w+)", one)[1] for one in links} == set(pace.KINDS)
    client = Client()
    client.force_login(lead)
    for link in links:
        rows = client.get(link.replace("&amp;", "&")).content.decode()
        assert f'href="/p/{project.slug}/trajectories/{mine.trajectory_id}/' in rows, link
        assert "under=5" in link, "the filters go along"


def test_numbers_that_are_not_defined_say_why(project, lead):
    mine = passed(person(project, "ann"), [1], state="draft", submitted_at=None)
    page = get(lead, "pace", project)
    for reason in ("none was measured", "no change was timed", "none taken", "nothing submitted"):
        assert reason in page, reason
    Annotation.objects.filter(pk=mine.pk).update(state="submitted", submitted_at=timezone.now())
    assert "no time was told" in get(lead, "pace", project)


def test_an_annotator_has_a_page_of_their_own(project):
    ann, bob = person(project, "ann"), person(project, "bob")
    looked(passed(ann, [1, 0]), 2, 2)
    passed(bob, [1, 0, -1])
    page = get(ann.user, "pace", project)
    assert "My pace" in page
    assert "bob" not in page
    assert "Do suggestions sway" not in page
    rows = get(ann.user, "pace_rows", project, "?of=steps&person=bob")
    assert "bob" not in rows


def test_filters_that_cannot_be_read_are_named_and_the_usual_holds(project, lead):
    looked(passed(person(project, "ann"), [1, 0]), 1, 20)
    page = get(lead, "pace", project, "?since=yesterday&under=-1&t=nan&person=nobody")
    assert "Enter a valid date." in page
    assert "greater than or equal to 0" in page
    assert "Enter a number." in page
    assert "nobody is not one of the available choices" in page
    assert "50.0 %" in page


@pytest.mark.parametrize(
    "query", ["?of=nothing", "?of=steps&page=-3", "?of=steps&page=99999999999", "?of=quick&under=x"]
)
def test_an_odd_address_of_rows_is_no_error(project, lead, query):
    client = Client()
    client.force_login(lead)
    status = client.get(reverse("pace_rows", args=[project.slug]) + query).status_code
    assert status == (404 if "nothing" in query else 200)


def test_an_empty_project_says_so(project, lead):
    assert "Nobody has labelled a step yet." in get(lead, "pace", project)
    assert "Widen the filters." in get(lead, "pace", project, "?since=2020-01-01")


# Assisted beside blind


@pytest.fixture
def assisted(lead: User) -> Project:
    made = make.project(owner=lead, mode=Project.Mode.ASSISTED)
    made.reference = make.rater(made, "gold", Rater.Kind.IMPORT)
    made.save()
    return made


def beside_gold(rater: Rater, values: list[Any], gold: list[Any], **fields: Any) -> Annotation:
    mine = passed(rater, values, **fields)
    make.rating(rater.project.reference, mine.trajectory, gold)
    return mine


def test_blind_items_are_compared_with_assisted_ones(assisted):
    ann = person(assisted, "ann")
    beside_gold(ann, [1, 1, -1, 0], [1, 1, 1, None], mode="blind")
    accepted(beside_gold(ann, [1, 1, -1, 0], [1, 0, -1, 0], mode="assisted"), 100, 100)
    arms = {(one.mode, one.origin): one for one in blind_share.compare(assisted).arms}
    blind, whole = arms["blind", ""], arms["assisted", ""]
    assert (blind.items, blind.steps, blind.compared, blind.agreed) == (1, 4, 3, 2)
    assert (whole.items, whole.steps, whole.compared, whole.agreed) == (1, 4, 4, 3)
    taken, own = arms["assisted", "accepted"], arms["assisted", "human"]
    assert ((taken.steps, taken.agreement), (own.steps, own.agreement)) == ((2, 0.5), (2, 1.0))


def test_items_begun_before_the_project_was_assisted_are_not_part_of_it(assisted, lead):
    ann = person(assisted, "ann")
    old = beside_gold(ann, [1], [1], mode="blind")
    Annotation.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=1))
    changed = {"project": assisted, "actor": lead, "verb": "project.changed", "before": {"mode": "blind"}}
    event = Event.objects.create(**changed, after={"mode": "assisted"})
    beside_gold(ann, [1, 1], [1, 1], mode="blind")
    found = blind_share.compare(assisted)
    assert found.since == event.at
    assert [(one.items, one.steps) for one in found.arms if not one.origin] == [(1, 2)]


def test_without_a_reference_nothing_agrees_and_the_page_says_why(assisted, lead):
    Project.objects.filter(pk=assisted.pk).update(reference=None)
    assisted.refresh_from_db()
    passed(person(assisted, "ann"), [1, 1], mode="assisted")
    assert [one.agreement for one in blind_share.compare(assisted).arms] == [None, None]
    assert "no reference is set" in get(lead, "pace", assisted)


def test_a_project_that_is_not_assisted_has_nothing_to_compare(project, lead):
    assert blind_share.compare(project) is None
    assert "the project is not assisted" in get(lead, "pace", project)


def test_the_page_asks_the_database_the_same_however_many_people(project, lead, django_assert_num_queries):
    client = Client()
    client.force_login(lead)
    for name in ("ann", "bob", "cy"):
        looked(passed(person(project, name), [1, 0]), 1, 2)
        client.get(reverse("pace", args=[project.slug]))
        with django_assert_num_queries(8):
            client.get(reverse("pace", args=[project.slug]))
