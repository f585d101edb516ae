"""Agreement before and after: what raters had said, beside what was decided."""

from __future__ import annotations

import csv
import io

import pytest
from django.urls import reverse

from annotations.models import Adjudication, AgreementMark, Rater
from annotations.services import adjudication, adjudication_shown, adjudication_weighed, agreement_live, standing
from models_service import counting
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    return make.user("lead")


@pytest.fixture
def project(lead):
    return make.project(owner=lead, overlap=3)


def rated(project, *said: list, final: int = 1):
    """A trajectory of which ann, bob and cyd say this."""
    found = make.trajectory(project, steps=len(said[0]))
    for name, values in zip(("ann", "bob", "cyd"), said, strict=False):
        rater = Rater.objects.filter(project=project, name=name).first()
        rater = rater or make.rater(project, name, Rater.Kind.HUMAN, make.user(name))
        make.rating(rater, found, values, final)
    standing.touch(project, [found.pk])
    return found


def decided(trajectory, lead, *, first: dict[int, int] | None = None, **finals: int) -> Adjudication:
    """Settled with those values at the places that differ; `first` is what was decided before the others were seen."""
    found = adjudication.begin(trajectory, lead)
    for step, value in (first or {}).items():
        adjudication.decide(found, lead, (step, "label"), value)
    for name, value in finals.items():
        step = int(name.removeprefix("at_"))
        if step not in (first or {}):
            adjudication.show(found, lead, (step, "label"))
        adjudication.decide(found, lead, (step, "label"), value)
    return adjudication.settle(found, lead)


def test_worked_by_hand(project, lead):
    """Steps said 1 1 1, 1 1 -1, 0 1 -1 by three. The second is decided -1 after the others were seen (1 at first), the
    third 0 as at first; on the first and on the verdict all agree."""
    trajectory = rated(project, [1, 1, 0], [1, 1, 1], [1, -1, -1])
    found = decided(trajectory, lead, first={2: 1, 3: 0}, at_2=-1)

    assert found.weighed["fields"] == {
        "label": {
            "places": 3, "alike": 1, "pairs": 9, "same": 4, "majority": 1, "overruled": 1, "blind": 2, "kept": 1,
        },
        "final": {"places": 1, "alike": 1, "pairs": 3, "same": 3, "majority": 0, "overruled": 0, "blind": 0, "kept": 0},
    }  # fmt: skip
    keys = {one.name: str(one.pk) for one in project.raters.all()}
    told = {name: found.weighed["raters"][keys[name]]["label"] for name in ("ann", "bob", "cyd")}
    assert told == {"ann": {"n": 3, "same": 2}, "bob": {"n": 3, "same": 1}, "cyd": {"n": 3, "same": 2}}
    assert (found.weighed["overruled"], found.weighed["changed"]) == (["2.label"], ["2.label"])


def test_who_looks_first_has_decided_nothing_blind(project, lead):
    found = decided(rated(project, [1, 1], [1, -1]), lead, at_2=-1)
    assert found.weighed["fields"]["label"]["blind"] == 0
    assert found.weighed["fields"]["label"]["majority"] == 0  # one against one


def test_what_all_agreed_on_and_was_decided_otherwise_is_overruled(project, lead):
    found = adjudication.begin(rated(project, [1, 1], [1, -1]), lead)
    adjudication.decide(found, lead, (1, "label"), -1)
    adjudication.decide(found, lead, (2, "label"), 1)
    told = adjudication.settle(found, lead).weighed
    assert (told["fields"]["label"]["majority"], told["overruled"]) == (1, ["1.label"])


def test_it_is_kept_as_it_stood_though_raters_change_their_minds(project, lead):
    trajectory = rated(project, [1, 1], [1, -1])
    found = decided(trajectory, lead, at_2=1)
    before = found.weighed
    trajectory.annotations.filter(rater__name="bob").update(state="returned")
    standing.touch(project, [trajectory.pk])
    found.refresh_from_db()
    assert found.weighed == before


def test_all_of_them_together_and_none_that_is_taken_up_again(project, lead):
    one = decided(rated(project, [1, 1], [1, -1], [1, 1]), lead, first={2: 1})
    decided(rated(project, [0, 1], [1, 1], [1, 1]), lead, first={1: 0})
    counting.count(project.pk)
    shown = adjudication_shown.weighed(project)
    label = next(row for row in shown.fields if row["field"] == "label")
    assert shown.trajectories == 2
    assert (label["same"], label["pairs"], label["share_same"]) == (8, 12, pytest.approx(2 / 3))
    assert (label["overruled"], label["majority"], label["kept"], label["blind"]) == (1, 2, 2, 2)
    assert shown.before["percent"]["value"] == pytest.approx(2 / 3)
    ann = next(row for row in shown.raters if (row["rater"], row["field"]) == ("ann", "label"))
    assert (ann["same"], ann["n"]) == (1.0, 4)

    adjudication.reopen(one, lead, "a second look")
    counting.count(project.pk)
    assert adjudication_shown.weighed(project).trajectories == 1


def test_one_settled_before_this_was_kept_is_weighed_by_the_worker(project, lead):
    found = decided(rated(project, [1, 1], [1, -1]), lead, first={2: 1})
    kept = found.weighed
    Adjudication.objects.update(weighed=None)
    counting.count(project.pk)
    found.refresh_from_db()
    assert found.weighed == kept == adjudication_weighed.of(found)
    assert not AgreementMark.objects.exists()
    assert agreement_live.now(project).figures["decided"]["trajectories"] == 1


@pytest.fixture
def browser(client, lead):
    client.force_login(lead)
    return client


def test_the_page_leads_to_the_places(browser, project, lead):
    address = reverse("adjudicate_weighed", args=[project.slug])
    assert "Nothing is settled yet" in browser.get(address).content.decode()
    plain = decided(rated(project, [1, 1], [1, -1], [1, 1]), lead, at_2=1)
    turned = decided(rated(project, [1, 1], [1, -1], [1, 1]), lead, first={2: 1}, at_2=-1)
    counting.count(project.pk)
    page = browser.get(address).content.decode()
    assert "1 of 2</a>" in page
    assert "0 of 1</a>" in page
    place = f"{reverse('adjudicate_one', args=[project.slug, turned.trajectory_id])}#place-2.label"
    assert page.count(place) == 2
    only = browser.get(f"{address}?only=overruled").content.decode()
    assert turned.trajectory.external_id in only and plain.trajectory.external_id not in only


def test_the_tables_can_be_taken_away(browser, project, lead):
    decided(rated(project, [1, 1], [1, -1], [1, 1]), lead, first={2: 1}, at_2=-1)
    counting.count(project.pk)

    def read(table: str) -> list[dict[str, str]]:
        answer = browser.get(reverse("adjudicate_weighed_csv", args=[project.slug, table]))
        return list(csv.DictReader(io.StringIO(answer.content.decode())))

    label = read("fields")[0]
    assert (label["field"], label["pairs"], label["same"], label["overruled"]) == ("label", "6", "4", "1")
    assert {row["rater"] for row in read("raters")} == {"ann", "bob", "cyd"}
    row = read("trajectories")[0]
    assert (row["by"], row["places_overruled"], row["places_changed"]) == ("lead", "2.label", "2.label")
    assert browser.get(reverse("adjudicate_weighed_csv", args=[project.slug, "other"])).status_code == 404


def test_the_page_asks_as_much_of_many_as_of_one(browser, project, lead, django_assert_max_num_queries):
    for _ in range(6):
        decided(rated(project, [1, 1], [1, -1]), lead, at_2=1)
    counting.count(project.pk)
    with django_assert_max_num_queries(20):
        browser.get(reverse("adjudicate_weighed", args=[project.slug]))
