"""How far to rely on each person, by hand-worked numbers."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from annotations.models import Rater, Role, Step
from annotations.services import adjudication, quality, standing
from annotations.services.quality import Share, share
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make.project(owner=make.user("lead"), overlap=3)


def people(project, *names: str) -> list[Rater]:
    found = [make.rater(project, name, Rater.Kind.HUMAN, make.user(name)) for name in names]
    for one in found:
        make.member(project, one.user)
    return found


def figures(project, who: str = "lead") -> dict[str, quality.Person]:
    return {one.rater.name: one for one in quality.figures(project.memberships.get(user__username=who))}


def test_the_others_majority_is_what_more_of_them_say_and_where_they_are_split_there_is_none(project):
    ann, bob, cyd = people(project, "ann", "bob", "cyd")
    for number in range(10):  # ann is right with the others on four of five steps; bob and cyd always agree
        trajectory = make.trajectory(project, steps=5)
        make.rating(ann, trajectory, [1, 1, 1, 1, -1])
        make.rating(bob, trajectory, [1, 1, 1, 1, 1])
        make.rating(cyd, trajectory, [1, 1, 1, 1, 1 if number else 0])
    found = figures(project)
    assert (found["ann"].others.n, found["ann"].others.value) == (49, 40 / 49)  # once bob and cyd are split
    assert found["bob"].others.n == 40  # at the last step ann and cyd are split
    assert found["bob"].others.value == 1.0
    assert found["ann"].steps == 50


def test_against_the_reference_and_what_was_adjudicated(project):
    [ann] = people(project, "ann")
    gold = make.rater(project, "gold", Rater.Kind.IMPORT)
    project.reference = gold
    project.save()
    for _ in range(6):
        trajectory = make.trajectory(project, steps=4)
        make.rating(ann, trajectory, [1, 1, 1, 1])
        make.rating(gold, trajectory, [1, 1, 1, -1])
    standing.touch_all(project)
    for row in list(adjudication.waiting(project, everybody=True).select_related("trajectory")):
        lead = project.memberships.get(user__username="lead").user
        begun = adjudication.begin(row.trajectory, lead, everybody=True)
        adjudication.decide(begun, lead, (4, "label"), 1)
        adjudication.settle(begun, lead)
    found = figures(project)["ann"]
    assert (found.reference.n, found.reference.value) == (24, 0.75)
    assert (found.adjudicated.n, found.adjudicated.value) == (24, 1.0)


def test_against_oneself_on_equal_steps(project):
    [ann] = people(project, "ann")
    task = make.task(project)
    for number in range(8):  # the same step in eight rollouts: once said to be wrong
        trajectory = make.trajectory(project, of=task, steps=1)
        Step.objects.filter(trajectory=trajectory, source="agent").update(turn_hash="same")
        make.rating(ann, trajectory, [1 if number else -1])
    found = figures(project)["ann"].again
    assert (found.n, found.value) == (28, 21 / 28)


def test_a_change_over_time_shows_by_quarters(project):
    ann, bob, cyd = people(project, "ann", "bob", "cyd")
    began = timezone.now()
    for number in range(24):
        trajectory = make.trajectory(project, steps=4)
        said = [1, 1, 1, 1] if number < 6 else [1, -1, -1, -1]
        make.rating(ann, trajectory, said, submitted_at=began + timedelta(minutes=number))
        for other in (bob, cyd):
            make.rating(other, trajectory, [1, 1, 1, 1])
    found = figures(project)["ann"]
    assert [one.value for one in found.quarters] == [1.0, 0.25, 0.25, 0.25]
    assert found.drift == -0.75


def test_of_too_few_steps_nothing_is_told():
    assert share([(9, 10), (9, 9)]) == Share(19)
    assert share([(30, 40)]) == Share(40, 0.75)


def test_the_interval_is_over_tasks():
    """Two tasks of twenty: all alike, and half. p = 3/4, deviations ±5, error 1.96·sqrt(50·2)/40."""
    found = share([(20, 20), (10, 20)])
    assert (found.value, found.low) == (0.75, pytest.approx(0.75 - 1.96 * 10 / 40))
    assert found.high == 1.0


def test_everybody_sees_their_own_and_leads_all(project, client):
    people(project, "ann", "bob")
    for who, seen in (("ann", {"ann"}), ("lead", {"ann", "bob"})):
        assert set(figures(project, who)) == seen
    client.force_login(project.memberships.get(user__username="ann").user)
    page = client.get(reverse("quality", args=[project.slug])).content.decode()
    assert ">ann<" in page
    assert ">bob<" not in page


def test_viewers_have_no_figures_and_other_schemes_say_why(project, client):
    viewer = make.user()
    make.member(project, viewer, Role.VIEWER)
    client.force_login(viewer)
    assert client.get(reverse("quality", args=[project.slug])).status_code == 403
    other = make.project(owner=viewer, scheme=make.scheme("rollout-preference"))
    assert "Nothing to compare" in client.get(reverse("quality", args=[other.slug])).content.decode()


def test_the_plot_the_file_and_the_command_say_what_the_page_does(project, client):
    ann, bob, cyd = people(project, "ann", "bob", "cyd")
    for _ in range(5):
        trajectory = make.trajectory(project, steps=5)
        for rater, values in ((ann, [1, 1, 1, 1, -1]), (bob, [1] * 5), (cyd, [1] * 5)):
            make.rating(rater, trajectory, values)
    client.force_login(project.memberships.get(user__username="lead").user)
    page = client.get(reverse("quality", args=[project.slug])).content.decode()
    assert "<title>0.800</title>" in page, "ann, as the others: 4 of 5 steps"
    taken = client.get(reverse("quality_csv", args=[project.slug])).content.decode()
    assert "ann,as the others’ majority,0.8,0.8,0.8,25\r\n" in taken
    out = StringIO()
    call_command("quality", project.slug, stdout=out)
    assert out.getvalue() == taken
    with pytest.raises(CommandError, match="no project"):
        call_command("quality", "none")
    client.force_login(ann.user)
    own = client.get(reverse("quality_csv", args=[project.slug])).content.decode()
    assert "ann," in own and "bob," not in own
