"""Agreement as it stands now is what a report would say, however labels came and went."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.utils import timezone

from annotations import schemes
from annotations.models import (
    AgreementMark,
    Annotation,
    Label,
    ProjectAgreement,
    Rater,
    Role,
    TaskAgreement,
    Trajectory,
)
from annotations.services import adjudication, agreement, agreement_live, changes, projects, standing
from models_service import counting
from models_service.statistics import report, running
from tests import make

pytestmark = pytest.mark.django_db
VALUES = (1, 0, -1)


def person(project, name: str) -> Rater:
    user = make.user(name)
    make.member(project, user)
    return make.rater(project, name, Rater.Kind.HUMAN, user)


@pytest.fixture
def project():
    return make.project(owner=make.user("lead"))


def figures(project) -> dict:
    """What the page shows, once everything is counted."""
    counting.count(project.pk)
    now = agreement_live.now(project)
    assert now.waiting == 0
    return now.figures


def from_scratch(project) -> dict:
    return report.compute(agreement.table(project, {"reference": ""}), resamples=0)


def alike(live: dict, whole: dict) -> None:
    """The figures of a section that stands in both, to rounding."""
    for name, figure in whole["figures"].items():
        mine = live["figures"][name]
        assert mine["n"] == figure["n"], name
        assert (mine["value"] is None) == (figure["value"] is None), name
        if figure["value"] is None:
            assert mine["reason"] == figure["reason"]
        else:
            assert mine["value"] == pytest.approx(figure["value"], rel=0, abs=1e-12), name


def same_as_a_report(project) -> None:
    live, whole = figures(project), from_scratch(project)
    assert live["counts"] == whole["counts"]
    alike(live["main"]["all"], whole)
    alike(live["final"]["all"], whole["final"])
    for mine, theirs in (("people", "people"), ("by_hand", "without_propagated"), ("unaided", "without_accepted")):
        assert (live["main"][mine] is None) == (whole[theirs] is None), mine
        if whole[theirs]:
            alike(live["main"][mine], whole[theirs])
    for mine, theirs in ((live["main"], whole), (live["final"], whole["final"])):
        known = {frozenset((pair["a"], pair["b"])): pair for pair in theirs["pairs"] if pair["n"]}
        assert {frozenset((pair["a"], pair["b"])): pair["n"] for pair in mine["pairs"] if pair["n"]} == {
            names: pair["n"] for names, pair in known.items()
        }
        for pair in mine["pairs"]:
            for key in ("percent", "kappa", "kappa_quadratic"):
                if pair["n"]:
                    wanted = known[frozenset((pair["a"], pair["b"]))][key]
                    assert pair[key] == (None if wanted is None else pytest.approx(wanted, rel=0, abs=1e-12))


def recounted(project) -> dict:
    """The sums as they are when everything is counted at once."""
    TaskAgreement.objects.filter(project=project).delete()
    ProjectAgreement.objects.filter(project=project).delete()
    counting.count(project.pk)
    return ProjectAgreement.objects.get(project=project).sums


class Crowd:
    """People and judges who label, hand in, take back and change their mind, by chance."""

    def __init__(self, project, seed: int) -> None:
        self.chance = random.Random(seed)
        self.project = project
        tasks = [make.task(project) for _ in range(3)]
        self.trajectories = [make.trajectory(project, steps=3, of=task, rollout=n) for task in tasks for n in range(2)]
        self.people = [person(project, f"{name}-{seed}") for name in ("ann", "ben", "cleo")]
        self.judges = [make.rater(project, f"judge-{n}-{seed}") for n in range(2)]

    def step(self) -> None:
        self.chance.choice((self.hand_in, self.hand_in, self.take_back, self.judge, self.fail, self.replace))()

    def pass_of(self, rater: Rater, trajectory: Trajectory) -> Annotation | None:
        return Annotation.objects.live().filter(rater=rater, trajectory=trajectory).first()

    def values(self) -> list:
        return [self.chance.choice((*VALUES, 1, 1, None)) for _ in range(3)]

    def hand_in(self) -> None:
        rater, trajectory = self.chance.choice(self.people), self.chance.choice(self.trajectories)
        if found := self.pass_of(rater, trajectory):
            self.relabel(found)
        else:
            found = make.rating(rater, trajectory, self.values(), self.chance.choice((1, -1, None)), state="draft")
            self.fill(found)
        if found.state != Annotation.State.SUBMITTED:
            changes.move(found, Annotation.State.SUBMITTED, "label.submitted", rater.user, comment="")

    def relabel(self, found: Annotation) -> None:
        if found.state == Annotation.State.SUBMITTED:
            changes.move(found, Annotation.State.RETURNED, "label.returned", found.rater.user, comment="again")
        label = found.labels.current().filter(field="label", origin="human", implies=None).first()
        if label:
            Label.objects.filter(pk=label.pk).update(superseded_at=timezone.now())
            Label.objects.create(
                annotation=found, step=label.step, field="label", value=self.chance.choice(VALUES), origin="human"
            )

    def fill(self, found: Annotation) -> None:
        """What follows from an error, as it is filled in."""
        cause = found.labels.current().filter(field="label", value=-1).first()
        said = found.labels.values("step")
        found.labels.current().filter(field="label", implies=None, value=0).update(origin=Label.Origin.ACCEPTED)
        for step in found.trajectory.steps.of_agent().exclude(pk__in=said) if cause else ():
            Label.objects.create(
                annotation=found, step=step, field="label", value=-1, origin=Label.Origin.PROPAGATED, cause=cause
            )

    def take_back(self) -> None:
        found = Annotation.objects.live().filter(rater__in=self.people, state="submitted").order_by("?").first()
        if found:
            changes.move(found, Annotation.State.DRAFT, "label.reopened", found.rater.user, comment="")

    def judge(self, state: str = "submitted") -> None:
        rater, trajectory = self.chance.choice(self.judges), self.chance.choice(self.trajectories)
        with transaction.atomic():
            Annotation.objects.live().filter(rater=rater, trajectory=trajectory).update(retired_at=timezone.now())
            make.rating(rater, trajectory, self.values(), self.chance.choice((1, -1)), state=state)
            standing.touch(self.project, [trajectory.pk])

    def fail(self) -> None:
        self.judge(Annotation.State.FAILED)

    def replace(self) -> None:
        """A new version of a trajectory, of which nobody has said anything."""
        place = self.chance.randrange(len(self.trajectories))
        old = self.trajectories[place]
        standing.touch(self.project, [old.pk])
        Trajectory.objects.filter(pk=old.pk).update(superseded_at=timezone.now())
        self.trajectories[place] = make.trajectory(
            self.project, steps=3, of=old.task, rollout=old.rollout, version=old.version + 1
        )


@pytest.mark.parametrize("seed", range(4))
def test_after_any_sequence_of_changes_it_is_what_a_report_says(project, seed):
    crowd = Crowd(project, seed)
    for _ in range(6):
        for _ in range(5):
            crowd.step()
        same_as_a_report(project)
    kept = ProjectAgreement.objects.get(project=project).sums
    assert kept == recounted(project)


def rated(project, *rows) -> Trajectory:
    """A trajectory of which judges say these, handed in by the way that judges do."""
    trajectory = make.trajectory(project, steps=len(rows[0]))
    for place, values in enumerate(rows):
        judge, _ = Rater.objects.get_or_create(project=project, kind=Rater.Kind.JUDGE, name=f"judge-{place}")
        make.rating(judge, trajectory, list(values))
    standing.touch(project, [trajectory.pk])
    return trajectory


def test_worked_by_hand(project):
    rated(project, [1, 1, -1], [1, 1, -1], [1, -1, -1])
    found = figures(project)["main"]["all"]
    assert found["percent"] == pytest.approx(7 / 9)
    assert found["ac1"] == pytest.approx((7 / 9 - 20 / 81) / (1 - 20 / 81))
    assert found["figures"]["percent"]["n"] == 3


def test_only_the_tasks_that_changed_are_read(project):
    one, other = rated(project, [1, 1], [1, -1]), rated(project, [1, 0], [1, 0])
    figures(project)
    TaskAgreement.objects.filter(task=other.task).update(counts={})
    standing.touch(project, [one.pk])
    counting.count(project.pk)
    assert TaskAgreement.objects.get(task=other.task).counts == {}


def test_a_message_that_comes_twice_counts_nothing_twice(project):
    rated(project, [1, 1], [1, -1])
    before = figures(project)
    assert counting.count_all() == 0
    assert counting.count(project.pk) == 0
    assert agreement_live.now(project).figures == before


def test_a_mark_and_its_label_are_written_together_or_not_at_all(project):
    trajectory = rated(project, [1, 1], [1, -1])
    figures(project)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        standing.touch(project, [trajectory.pk])
        assert AgreementMark.objects.count() == 1
        raise ZeroDivisionError
    assert not AgreementMark.objects.exists()


def test_a_worker_that_dies_halfway_has_counted_nothing(project, monkeypatch):
    rated(project, [1, 1], [1, -1])
    before = figures(project)
    rated(project, [1, 0], [0, 1])

    def dies(*_):
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr(running, "figures_of", dies)
        with pytest.raises(SystemExit):
            counting.count(project.pk)

    assert agreement_live.now(project).waiting == 1
    assert agreement_live.now(project).figures == before
    same = figures(project)
    assert same["counts"]["labels"] == 8


def test_what_changes_while_a_task_is_counted_is_counted_again(project):
    trajectory = rated(project, [1, 1], [1, -1])
    agreement_live.ready(project)
    with transaction.atomic():
        taken = agreement_live.take(project)
        assert taken is not None
        table = taken.table()
        standing.touch(project, [trajectory.pk])  # as if it was committed just now by somebody else
        taken.finish(running.figures_of(taken.add(running.counted(table)), table, taken.raters()))
    assert agreement_live.now(project).waiting == 1


def test_another_scheme_begins_it_anew_in_its_words(project):
    rated(project, [1, 1], [1, -1])
    assert figures(project)["main"]["all"]["percent"] == 0.5
    project.scheme = projects.freeze(schemes.shipped()["binary"])
    project.save()
    assert agreement_live.now(project).figures == {}
    standing.touch_all(project)
    live, whole = figures(project), from_scratch(project)
    alike(live["main"]["all"], whole)


def test_labels_of_before_anything_was_counted_are_counted_with_the_first_that_comes(project):
    rated(project, [1, 1], [1, -1])
    rated(project, [0, 1], [0, 1])
    AgreementMark.objects.all().delete()
    rated(project, [1, 1], [1, 1])
    assert figures(project)["counts"]["trajectories"] == 3


def test_a_main_field_that_is_no_choice_has_a_report_only():
    scale = projects.freeze(schemes.shipped()["scale"]) if "scale" in schemes.shipped() else None
    if scale is None:
        pytest.skip("no shipped scheme has such a main field")
    project = make.project(owner=make.user(), scheme=scale)
    assert figures(project).get("main") is None


def test_what_was_adjudicated_is_no_rater_and_every_rater_stands_beside_it(project):
    lead = project.memberships.get(role=Role.OWNER).user
    for name, values in (("ann", [1, 1, -1]), ("ben", [1, -1, -1])):
        rater = person(project, name)
        trajectory = Trajectory.objects.filter(project=project).first() or make.trajectory(project, steps=3)
        found = make.rating(rater, trajectory, values, state="draft")
        changes.move(found, Annotation.State.SUBMITTED, "label.submitted", rater.user, comment="")
    found = adjudication.begin(trajectory, lead)
    spot = next(one for one in adjudication.spots(found) if one.differs)
    adjudication.decide(found, lead, spot.place, 1)
    assert figures(project)["main"]["settled"] is None
    adjudication.settle(found, lead)

    same_as_a_report(project)
    against = report.compute(agreement.table(project, {"reference": "consensus:adjudicated"}), resamples=0)
    alike(agreement_live.now(project).figures["main"]["all"], against)
    settled = agreement_live.now(project).figures["main"]["settled"]
    assert settled["before"]["percent"] == pytest.approx(2 / 3)
    assert [(row["name"], row["step_acc"], row["n"]) for row in settled["raters"]] == [
        ("ann", 1.0, 3),
        ("ben", pytest.approx(2 / 3), 3),
    ]
    adjudication.reopen(found, lead, "a second look")
    assert figures(project)["main"]["settled"] is None


def test_counting_one_task_asks_as_much_whatever_the_size_of_the_project(project, django_assert_max_num_queries):
    trajectories = [rated(project, [1, 1], [1, -1]) for _ in range(8)]
    figures(project)
    standing.touch(project, [trajectories[0].pk])
    with django_assert_max_num_queries(40):
        counting.count(project.pk)
    assert connection.queries is not None


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_people_at_once_lose_nothing():
    project = make.project(owner=make.user("lead"))
    trajectories = [rated(project, [1, 1, -1], [1, -1, -1]) for _ in range(6)]
    third = make.rater(project, "third")
    over = threading.Event()

    def labels() -> None:
        try:
            for trajectory in trajectories:
                with transaction.atomic():
                    make.rating(third, trajectory, [1, 0, -1])
                    standing.touch(project, [trajectory.pk])
        finally:
            over.set()
            connection.close()

    def works() -> None:
        try:
            while not over.is_set():
                counting.count_all()
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(labels), pool.submit(works), pool.submit(works)]:
            done.result()
    same_as_a_report(project)
    kept = ProjectAgreement.objects.get(project=project).sums
    assert kept["counts"]["labels"] == 54
    assert kept == recounted(project)
