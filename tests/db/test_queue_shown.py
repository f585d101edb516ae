"""Leads see what comes next and why. Who labels is told nothing of it, by any door."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from rest_framework.test import APIClient

from annotations.models import Annotation, Project, QueueRank, Role, Run, User
from annotations.services import queue, queue_policies_shown, setup
from tests import make
from tests.queued import ordered, scored, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lead() -> User:
    return make.user("lead")


@pytest.fixture
def ann() -> User:
    return make.user("ann")


@pytest.fixture
def project(lead: User, ann: User) -> Project:
    return make.project(ann, owner=lead, overlap=1)


def page(user: User, project: Project, address: str = "queue/") -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(f"/p/{project.slug}/{address}")
    assert answer.status_code == 200
    return answer.content.decode()


def api(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_the_list_is_in_the_order_people_are_given_trajectories(project, lead, ann):
    scored(project, [[0.99, number / 20] for number in range(20)])
    ordered(project, lead, queue_policy="wrong")
    project.refresh_from_db()
    listed = queue_policies_shown.upcoming(project)
    assert listed[0].taken == 0
    first = queue.lease_next(project.slug, ann)
    assert first is not None and listed[0].trajectory == first.trajectory_id
    assert [one.trajectory for one in queue_policies_shown.upcoming(project)] == [one.trajectory for one in listed[1:]]


def test_a_page_of_the_list_goes_on_where_the_one_before_ended(project, lead):
    scored(project, [[number / 7] for number in range(7)])
    for policy in ("import", "wrong"):
        if policy != "import":
            ordered(project, lead, queue_policy=policy)
        project.refresh_from_db()
        whole = queue_policies_shown.upcoming(project)
        first = queue_policies_shown.upcoming(project, limit=3)
        assert first + queue_policies_shown.upcoming(project, after=first[-1].place) == whole
        assert len(whole) == 7


def test_a_lead_reads_why(project, lead):
    made = scored(project, [[0.9, 0.05]] * 10)
    ordered(project, lead, queue_policy="wrong")
    shown = page(lead, project)
    assert shown.count("Most likely wrong first</td>") == 8
    assert "step 2: P(wrong) 0.95" in shown
    assert shown.count("whatever its scores</td>") == 2
    assert made[0].external_id in shown


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.VIEWER])
def test_who_may_not_see_scores_is_told_neither_policy_nor_reason(project, lead, role):
    scored(project, [[0.9, 0.05]] * 4)
    ordered(project, lead, queue_policy="wrong", queue_scorer="embedded")
    person = make.member(project, make.user(), role).user
    told = api(person).get(f"/api/v1/projects/{project.slug}/").json()
    assert (told["queue_policy"], told["queue_scorer"], told["queue_random"]) == (None, None, None)
    assert api(person).get(f"/api/v1/projects/{project.slug}/queue/").status_code == 403
    client = Client()
    client.force_login(person)
    assert client.get(f"/p/{project.slug}/queue/").status_code == 403
    assert "queue/" not in page(person, project, "")


def test_a_pass_does_not_say_how_it_was_drawn_to_its_own_person(project, lead, ann):
    scored(project, [[0.9, 0.05]] * 4)
    ordered(project, lead, queue_policy="wrong")
    leased = api(ann).post(f"/api/v1/projects/{project.slug}/next/").json()
    assert not {"drawn", "reason", "priority", "place"} & leased.keys()
    workbench = page(ann, project, f"label/{leased['id']}/")
    assert "P(wrong)" not in workbench and "by chance" not in workbench
    events = str(list(Annotation.objects.get().events.values()))
    assert "drawn" not in events and "P(wrong)" not in events


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"queue_policy": "wrong"}, "Nothing scored the trajectories yet"),
        ({"queue_policy": "wrong", "queue_scorer": "embedded"}, "embedded has scored nothing here yet"),
        ({"queue_policy": "random"}, ""),
        ({"queue_policy": "diverse"}, ""),
    ],
)
def test_the_settings_say_that_nothing_scored_the_trajectories(project, lead, settings, said):
    make.trajectory(project)
    ordered(project, lead, **settings)
    project.refresh_from_db()
    notice = queue_policies_shown.status(project).notice
    assert notice.startswith(said) and bool(notice) == bool(said)
    assert notice in page(lead, project, "settings/")


def test_the_settings_say_that_scores_which_read_the_reference_are_not_followed(project, lead):
    scored(project, [[0.9]], result={"reads_reference": True})
    ordered(project, lead, queue_policy="wrong")
    project.refresh_from_db()
    assert queue_policies_shown.status(project).notice == queue_policies_shown.READ_TRUTH
    ordered(project, lead, mode="reference")
    project.refresh_from_db()
    assert queue_policies_shown.status(project).notice == ""


@pytest.mark.parametrize(("policy", "said"), queue_policies_shown.NO_USE.items())
def test_scores_that_say_nothing_the_order_could_go_by_are_told_of(project, lead, policy, said):
    scored(project, [[0.9], [0.4]], calibrated=False)
    ordered(project, lead, queue_policy=policy)
    project.refresh_from_db()
    assert queue_policies_shown.status(project).notice == said


def test_ordering_again_is_a_run(project, lead):
    scored(project, [[0.9], [0.4]])
    client = Client()
    client.force_login(lead)
    client.post(f"/p/{project.slug}/queue/")
    assert not Run.objects.filter(kind="queue").exists(), "as imported there is nothing to order"
    first = ordered(project, lead, queue_policy="wrong")
    assert client.post(f"/p/{project.slug}/queue/").status_code == 302
    assert work().pk > first.pk
    assert "stand in the queue by chance" in page(lead, project, f"runs/{work().pk}/")


def test_a_program_lists_orders_and_sets_the_queue(project, lead):
    scored(project, [[0.99, number / 20] for number in range(20)])
    address, client = f"/api/v1/projects/{project.slug}/", api(lead)
    assert client.post(f"{address}queue/").status_code == 409
    assert client.patch(address, {"queue_policy": "wrong", "queue_random": 30}, format="json").status_code == 200
    run = work()
    assert client.get(address).json()["queue_policy"] == "wrong"
    listed = client.get(f"{address}queue/?page_size=2").json()
    assert (listed["ordered_by"], [one["place"] for one in listed["results"]]) == (run.pk, [1, 2])
    after = client.get(f"{address}queue/?after=2").json()["results"]
    assert [one["place"] for one in after] == [*range(3, 21)]
    assert client.post(f"{address}queue/").json()["kind"] == "queue"
    for wrong in ({"queue_policy": "best"}, {"queue_random": 5}, {"queue_scorer": "nobody"}):
        assert client.patch(address, wrong, format="json").status_code == 400
    assert client.get(f"{address}queue/?after=x").status_code == 400


def test_the_settings_form_keeps_a_tenth_by_chance(project, lead):
    client = Client()
    client.force_login(lead)
    fields = {"title": "T", "overlap": 1, "lease_minutes": 15, "mode": "blind", "propagation": "off", "prefill": ""}
    fields |= {"prefill_confidence": 0.8, "blind_share": 15, "queue_policy": "wrong", "queue_scorer": ""}
    assert client.post(f"/p/{project.slug}/settings/", fields | {"queue_random": 9}).status_code == 422
    assert client.post(f"/p/{project.slug}/settings/", fields | {"queue_random": 10}).status_code == 302
    assert work().config == {"policy": "wrong", "scorer": "", "random": 10}
    shown = page(lead, project, "settings/")
    assert "What comes next → <b>wrong</b>" in shown


def test_it_is_counted_how_passes_were_drawn(project, lead, ann, django_assert_num_queries: Callable[..., object]):
    made = scored(project, [[number / 10] for number in range(10)])
    ordered(project, lead, queue_policy="wrong")
    for _ in made:
        one = queue.lease_next(project.slug, ann)
        assert one is not None
        Annotation.objects.filter(pk=one.pk).update(state="submitted", lease_until=None)
    with django_assert_num_queries(1):
        assert queue_policies_shown.drawn(project) == {"random": 2, "policy": 8, "": 0}
    assert "2 passes drawn by chance, 8 by policy" in page(lead, project)


def test_hostile_names_are_shown_inert(project, lead):
    made = scored(project, [[0.1]] * 10)
    type(made[0]).objects.update(external_id="<script>alert(1)</script>")
    ordered(project, lead, queue_policy="wrong")
    QueueRank.objects.update(reason="<b>bold</b>")
    shown = page(lead, project)
    assert "<script>alert(1)" not in shown and "<b>bold</b>" not in shown


def test_setting_the_same_again_orders_nothing(project, lead):
    scored(project, [[0.1]])
    ordered(project, lead, queue_policy="wrong")
    setup.change(project, lead, queue_policy="wrong", title="New name")
    assert Run.objects.filter(kind="queue").count() == 1
