"""Items given to the same person again: one in so many, beside the first pass, with nothing of it, counted apart."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.models import Annotation, Event, Gold, Label, Project, Rater, Step, User
from annotations.services import (
    agreement,
    assigning,
    export_asked,
    exports,
    gold_results,
    history,
    imports,
    labels,
    quality,
    quality_words,
    queue,
    repeats,
    spread,
    twins,
)
from annotations.services.filters import Filters
from annotations.services.search import Search
from tests import gilded, make
from tests.db.importing import file, take
from tests.db.test_versions_lost import record
from tests.gilded import given

pytestmark = pytest.mark.django_db
REPEAT = Annotation.Purpose.REPEAT


@pytest.fixture
def ann() -> User:
    return make.user("ann")


@pytest.fixture
def project(ann: User) -> Project:
    made = make.project(ann, owner=make.user("lead"))
    gilded.live(made, 24)
    return made


def first_repeat(project: Project, person: User) -> Annotation:
    """Labels on until something is given again; that is left open."""
    taken = gilded.take(project, person)
    while taken.purpose != REPEAT:
        gilded.answer(taken, gilded.RIGHT)
        taken = gilded.take(project, person)
    return taken


def test_nothing_comes_again_until_a_lead_says_so(project: Project, ann: User) -> None:
    assert {one.purpose for one in given(project, ann, 8)} == {""}


def test_of_each_block_of_n_one_comes_again_and_none_a_third_time(project: Project, ann: User) -> None:
    gilded.planned(project, again=4, again_after=0)
    had = given(project, ann, 24)
    blocks = [[one.purpose for one in had[start : start + 4]].count(REPEAT) for start in range(0, 24, 4)]
    assert blocks[1:] == [1] * 5, "in the first there may be nothing yet that could come again"
    again = [one.trajectory_id for one in had if one.purpose == REPEAT]
    assert len(set(again)) == len(again)
    assert set(again) <= {one.trajectory_id for one in had if not one.purpose}


def test_it_comes_no_sooner_than_so_many_days_after(project: Project, ann: User) -> None:
    gilded.planned(project, again=2, again_after=7)
    assert REPEAT not in {one.purpose for one in given(project, ann, 6)}
    old = Annotation.objects.order_by("pk")[0]
    Annotation.objects.filter(pk=old.pk).update(submitted_at=timezone.now() - timedelta(days=7, minutes=1))
    assert first_repeat(project, ann).trajectory_id == old.trajectory_id


def test_it_begins_with_nothing_of_the_first_pass_and_leaves_that_alone(project: Project, ann: User) -> None:
    gilded.planned(project, again=2, again_after=0)
    again = first_repeat(project, ann)
    first = Annotation.objects.get(trajectory=again.trajectory, purpose="")
    assert gilded.labelled(again) == 0
    assert twins.siblings_of(again) == []
    assert again.seat >= 1000  # beside those that the trajectory wants
    gilded.answer(again, [1, 1])
    said = Label.objects.current().filter(annotation=first, field="label").order_by("step__index")
    assert list(said.values_list("value", flat=True)) == gilded.RIGHT


def test_what_is_given_again_and_leased_ahead_is_what_comes(project: Project, ann: User) -> None:
    gilded.planned(project, again=2, again_after=0)
    given(project, ann, 3)
    open_now = gilded.take(project, ann)
    ahead = queue.lease_ahead(open_now, ann)
    gilded.answer(open_now, gilded.RIGHT)
    assert ahead is not None
    assert gilded.take(project, ann).pk == ahead.pk


def test_what_the_others_were_seen_to_say_of_does_not_come_again(project: Project, ann: User) -> None:
    rater = make.rater(project, "ann", Rater.Kind.HUMAN, ann)
    one, other = [make.rating(rater, make.trajectory(project, steps=2), gilded.RIGHT, final=1) for _ in range(2)]
    gilded.filled(project, Gold(trajectory=one.trajectory))
    spread.look(one.pk, ann)
    plan = gilded.planned(project, again=2, again_after=0)
    rater.project = project
    assert list(repeats.left(rater, plan)) == [other.trajectory_id]


def test_once_is_all_the_database_takes(project: Project, ann: User) -> None:
    rater = make.rater(project, "ann", Rater.Kind.HUMAN, ann)
    trajectory = make.trajectory(project, steps=2)
    make.rating(rater, trajectory, gilded.RIGHT)
    make.rating(rater, trajectory, gilded.RIGHT, purpose=REPEAT)
    with pytest.raises(IntegrityError):
        make.rating(rater, trajectory, gilded.RIGHT, purpose="gold")


def test_who_could_look_their_labels_up_among_others_gets_nothing_again(project: Project) -> None:
    gilded.planned(project, again=2, again_after=0)
    assert {one.purpose for one in given(project, User.objects.get(username="lead"), 6)} == {""}


def test_what_was_said_again_counts_in_nothing_but_how_one_does_as_oneself(project: Project, ann: User) -> None:
    gilded.planned(project, again=2, again_after=0)
    again = gilded.answer(first_repeat(project, ann), [1, 1])
    assert not agreement.counted(project).filter(pk=again.pk).exists()
    lead = project.memberships.get(user__username="lead")
    [person] = quality.figures(lead)
    firsts = Annotation.objects.filter(rater__user=ann, purpose="").count()
    assert person.steps == 2 * firsts
    assert person.again.n == 0


def test_the_list_of_trajectories_shows_what_was_said_first(project: Project, ann: User) -> None:
    rater = make.rater(project, "ann", Rater.Kind.HUMAN, ann)
    trajectory = make.trajectory(project, steps=2)
    make.rating(rater, trajectory, [1, 1], final=1)
    make.rating(rater, trajectory, [1, -1], final=1, purpose=REPEAT)
    lead = project.memberships.get(user__username="lead")
    assert not list(Search(lead, Filters(label=-1)).sorted())
    assert len(list(Search(lead, Filters(label=1)).sorted())) == 1


def test_a_lead_who_gives_the_trajectory_to_the_person_means_the_first_pass(project: Project, ann: User) -> None:
    gilded.planned(project, again=2, again_after=0)
    again = first_repeat(project, ann)
    lead = User.objects.get(username="lead")
    with pytest.raises(assigning.NotGiven, match="submitted this trajectory already"):
        assigning.give(again.trajectory_id, ann, lead, slug=project.slug)


def test_how_one_does_as_oneself_is_the_share_that_is_as_before(project: Project, ann: User) -> None:
    """Of ten items twice, the second step is said otherwise in four: 26 of 30 answers, 16 of 20 about steps. Before,
    each answer was given ten times; now +1 14 and −1 6 times: by chance .5, so κ = (.8 − .5) / .5."""
    rater = make.rater(project, "ann", Rater.Kind.HUMAN, ann)
    for number, trajectory in enumerate(gilded.live(project, 10)):
        make.rating(rater, trajectory, [1, -1], final=1)
        make.rating(rater, trajectory, [1, 1] if number < 4 else [1, -1], final=1, purpose=REPEAT)
    lead = project.memberships.get(user__username="lead")
    found = gold_results.again(lead)[rater.pk]
    assert (found.items, found.all.n, found.all.value) == (10, 30, pytest.approx(26 / 30))
    assert found.kappa.value == pytest.approx(0.6)
    assert [(at.value, at.right, at.n) for at in found.answers] == [(1, 10, 10), (-1, 6, 10)]
    assert gold_results.figures(lead) == {}
    own = project.memberships.get(user=ann)
    assert gold_results.again(own) == {}, "up to the end of the day before"
    rows = [row for row in quality_words.of(lead) if "given again" in row[1]]
    assert [(row[1], row[2]) for row in rows] == [
        ("as themselves on items given again", pytest.approx(26 / 30)),
        ("as themselves on items given again, κ", pytest.approx(0.6)),
    ]


def test_a_first_pass_that_is_taken_up_again_is_held_against_nothing(project: Project, ann: User) -> None:
    rater = make.rater(project, "ann", Rater.Kind.HUMAN, ann)
    trajectory = make.trajectory(project, steps=2)
    first = make.rating(rater, trajectory, gilded.RIGHT, state=Annotation.State.DRAFT)
    make.rating(rater, trajectory, gilded.RIGHT, purpose=REPEAT)
    lead = project.memberships.get(user__username="lead")
    assert gold_results.again(lead) == {}
    Annotation.objects.filter(pk=first.pk).update(state="submitted")
    assert gold_results.again(lead)[rater.pk].items == 1


def test_the_page_has_the_settings_and_the_figures(project: Project, ann: User) -> None:
    rater = make.rater(project, "ann", Rater.Kind.HUMAN, ann)
    for trajectory in gilded.live(project, 8):
        make.rating(rater, trajectory, gilded.RIGHT, final=1)
        make.rating(rater, trajectory, gilded.RIGHT, final=1, purpose=REPEAT)
    lead = Client()
    lead.force_login(User.objects.get(username="lead"))
    url = reverse("gold", args=[project.slug])
    said = {"every": 0, "again": 10, "again_after": 3, "shown": "totals", "training": 0, "mark": 80}
    assert "One in one would be nothing new" in lead.post(url, said | {"again": 1}).content.decode()
    assert lead.post(url, said).status_code == 302
    plan = Project.objects.get(pk=project.pk).gold_plan
    assert (plan.again, plan.again_after) == (10, 3)
    assert "As the first time" in lead.get(url).content.decode()
    assert "items given again</th>" in lead.get(reverse("quality", args=[project.slug])).content.decode()
    event = Event.objects.filter(verb="gold.planned").latest("pk")
    assert event.after == {"again": 10, "again_after": 3}


def test_the_person_is_not_told_that_they_had_it_before(client: Any, project: Project, ann: User) -> None:
    gilded.planned(project, again=2, again_after=0)
    again = first_repeat(project, ann)
    client.force_login(ann)
    told = client.get(f"/api/v1/projects/{project.slug}/annotations/{again.pk}/").json()
    assert told["purpose"] == ""
    assert client.get(reverse("annotate", args=[project.slug, again.pk])).status_code == 200


def test_the_whole_has_both_passes_and_brings_both_back_once(project: Project, ann: User, tmp_path: Path) -> None:
    rater = make.rater(project, "ann", Rater.Kind.HUMAN, ann)
    trajectory = make.trajectory(project, steps=2)
    for step in Step.objects.filter(trajectory__project=project):
        Step.objects.filter(pk=step.pk).update(content_hash=f"{step.pk:016x}{0:048x}")
    make.rating(rater, trajectory, [1, -1], final=1)
    make.rating(rater, trajectory, [1, 1], final=1, purpose=REPEAT)
    result = exports.perform_asked(project, export_asked.read({"format": "stepmark"}), tmp_path)
    file = tmp_path / result["files"][0]
    other = make.project()
    for _ in range(2):
        result = imports.import_trajectories(other, [file])
        assert not result["rejected"], result
    found = Label.objects.current().filter(annotation__rater__project=other, field="label").order_by("step__index")
    assert list(found.filter(annotation__purpose="").values_list("value", flat=True)) == [1, -1]
    assert list(found.filter(annotation__purpose=REPEAT).values_list("value", flat=True)) == [1, 1]
    assert Annotation.objects.filter(rater__project=other).count() == 2
    mine = imports.import_trajectories(project, [file])
    assert not mine["rejected"], mine
    assert Annotation.objects.filter(rater__project=project, trajectory=trajectory).count() == 2


def test_both_passes_go_along_to_a_new_version_each_as_what_it_is(ann: User, tmp_path: Path) -> None:
    project = make.project(ann, owner=make.user("lead"))
    take(project, file(tmp_path, record("One.", "Two.")))
    rater, old = make.rater(project, "ann", Rater.Kind.HUMAN, ann), project.trajectories.live().get()
    make.rating(rater, old, [1, -1])
    make.rating(rater, old, [1, 1], purpose=REPEAT)
    take(project, file(tmp_path, record("Before.", "One.", "Two.")))
    new = project.trajectories.live().get()
    assert new.pk != old.pk
    said = Label.objects.current().filter(annotation__trajectory=new, annotation__retired_at=None)
    told = said.order_by("annotation__purpose", "step__index").values_list("annotation__purpose", "value")
    assert list(told) == [("", 1), ("", -1), (REPEAT, 1), (REPEAT, 1)]


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_ask_at_once_get_the_same(transactional_db: None) -> None:
    ann = make.user("ann")
    project = make.project(ann, owner=make.user("lead"))
    gilded.live(project, 24)
    gilded.planned(project, again=2, again_after=0)
    given(project, ann, 3)
    start = threading.Barrier(4)

    def ask(_: int) -> int:
        start.wait()
        try:
            return gilded.take(project, ann).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(4)))) == 1


def test_taking_the_second_pass_up_again_is_taking_up_that_one(project: Project, ann: User) -> None:
    gilded.planned(project, again=2, again_after=0)
    again = gilded.answer(first_repeat(project, ann), gilded.RIGHT)
    labels.reopen(again.pk, ann)
    again.refresh_from_db()
    assert (again.state, again.purpose) == (Annotation.State.DRAFT, REPEAT)
    assert Annotation.objects.get(trajectory=again.trajectory_id, purpose="").state == Annotation.State.SUBMITTED
    assert Event.objects.filter(annotation=again, verb=history.REOPEN).exists()
