from __future__ import annotations

import pytest

from annotations.models import Annotation, Label, Membership, Project, Rater, Role, Run, Score, Trajectory
from annotations.services import visibility
from annotations.services.visibility import EVERYTHING, Visible
from tests import make

pytestmark = pytest.mark.django_db

Mode = Project.Mode


def judged(mode: Mode) -> Trajectory:
    """A trajectory rated by the reference rater, a judge, a colleague; with a score."""
    project = make.project(mode=mode, blind_share=0)
    trajectory = make.trajectory(project, steps=2, outcome={"reward": 1})
    project.reference = make.rater(project, "gold", Rater.Kind.IMPORT)
    project.save()
    for rater in (
        project.reference,
        make.rater(project, "judge"),
        make.rater(project, "colleague", Rater.Kind.HUMAN, make.user()),
    ):
        make.rating(rater, trajectory, [1, -1])
    run = Run.objects.create(project=project, kind=Run.Kind.SCORE)
    Score.objects.create(run=run, trajectory=trajectory, step=trajectory.steps.of_agent()[0], value=0.5)
    return trajectory


def raters_of(membership: Membership) -> list[str]:
    labels = visibility.labels_visible_to(membership)
    return sorted(set(labels.values_list("annotation__rater__name", flat=True)))


@pytest.mark.parametrize(
    ("mode", "seen"),
    [
        (Mode.BLIND, Visible()),
        (Mode.REFERENCE, Visible(reference=True, outcome=True)),
        (Mode.ASSISTED, Visible(judges=True, scores=True)),
    ],
)
def test_an_annotator_sees_what_the_mode_shows(mode, seen):
    trajectory = judged(mode)
    assert visibility.of(make.member(trajectory.project, make.user()), trajectory) == seen


@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER, Role.REVIEWER])
def test_a_lead_sees_everything_of_a_blind_project(role):
    trajectory = judged(Mode.BLIND)
    membership = make.member(trajectory.project, make.user(), role)
    assert visibility.of(membership, trajectory) == EVERYTHING
    assert raters_of(membership) == ["colleague", "gold", "judge"]
    assert visibility.scores_visible_to(membership).count() == 1
    assert visibility.raters_visible_to(membership).count() == 3


def test_a_leads_own_blind_pass_is_blind():
    trajectory = judged(Mode.BLIND)
    lead = make.user()
    membership = make.member(trajectory.project, lead, Role.MANAGER)
    assert visibility.of(membership, make.lease(trajectory, lead)) == Visible()


def test_in_blind_mode_only_ones_own_labels_are_there():
    trajectory = judged(Mode.BLIND)
    ann = make.user("ann")
    membership = make.member(trajectory.project, ann)
    mine = make.lease(trajectory, ann)
    Label.objects.create(annotation=mine, field="final", value=1, origin=Label.Origin.HUMAN)
    assert raters_of(membership) == ["ann"]
    assert [rater.name for rater in visibility.raters_visible_to(membership)] == ["ann"]
    assert not visibility.scores_visible_to(membership).exists()


def test_assisted_mode_shows_judges_and_scores_but_no_person_and_not_the_reference_rater():
    trajectory = judged(Mode.ASSISTED)
    membership = make.member(trajectory.project, make.user())
    assert raters_of(membership) == ["judge"]
    assert [rater.name for rater in visibility.raters_visible_to(membership)] == ["judge"]
    assert visibility.scores_visible_to(membership).count() == 1


def test_where_a_share_is_left_blind_nothing_is_shown_before_it_is_drawn():
    trajectory = judged(Mode.ASSISTED)
    Project.objects.update(blind_share=15)
    ann = make.user()
    membership = Membership.objects.get(pk=make.member(trajectory.project, ann).pk)
    assert visibility.of(membership, trajectory) == Visible()
    assert raters_of(membership) == []
    assert not visibility.scores_visible_to(membership).exists()
    make.lease(trajectory, ann, mode=Mode.ASSISTED)
    assert visibility.of(membership, trajectory) == Visible(judges=True, scores=True)
    assert raters_of(membership) == ["judge"]
    looks_on = Membership.objects.get(pk=make.member(trajectory.project, make.user(), Role.VIEWER).pk)
    assert visibility.of(looks_on, trajectory) == Visible(judges=True, scores=True)


def test_a_judge_that_is_the_reference_is_not_shown_in_assisted_mode():
    trajectory = judged(Mode.ASSISTED)
    trajectory.project.reference = Rater.objects.get(name="judge")
    assert raters_of(make.member(trajectory.project, make.user())) == []


def test_a_pass_keeps_the_mode_it_was_begun_in():
    trajectory = judged(Mode.ASSISTED)
    ann = make.user()
    membership = make.member(trajectory.project, ann)
    mine = make.lease(trajectory, ann, mode=Mode.BLIND)
    assert visibility.of(membership, mine) == Visible()
    assert visibility.of(membership, trajectory) == Visible()
    assert raters_of(membership) == []
    assert not visibility.scores_visible_to(membership).exists()
    Project.objects.update(mode=Mode.BLIND)
    Annotation.objects.update(mode=Mode.ASSISTED)
    membership = Membership.objects.get(pk=membership.pk)
    assert visibility.of(membership, trajectory) == Visible(judges=True, scores=True)
    assert raters_of(membership) == ["judge"]


def test_a_blind_pass_over_one_rollout_keeps_the_tasks_reference_from_its_siblings():
    trajectory = judged(Mode.REFERENCE)
    sibling = make.trajectory(trajectory.project, of=trajectory.task)
    ann = make.user()
    membership = make.member(trajectory.project, ann)
    make.lease(trajectory, ann, mode=Mode.BLIND)
    assert visibility.of(membership, sibling) == Visible(outcome=True)
    assert not visibility.Lens(membership).reference_of(trajectory.task_id)


def test_another_projects_labels_are_nobodys_here():
    judged(Mode.BLIND)
    elsewhere = make.member(make.project(), make.user(), Role.OWNER)
    assert raters_of(elsewhere) == []
    assert not visibility.scores_visible_to(elsewhere).exists()
    assert not visibility.raters_visible_to(elsewhere).exists()


def test_a_lens_over_many_trajectories_costs_one_query(django_assert_num_queries):
    trajectory = judged(Mode.REFERENCE)
    ann = make.user()
    membership = make.member(trajectory.project, ann)
    others = [make.trajectory(trajectory.project) for _ in range(4)]
    make.lease(others[0], ann, mode=Mode.BLIND)
    with django_assert_num_queries(1):
        lens = visibility.Lens(membership)
        assert [lens.of(one).outcome for one in others] == [False, True, True, True]
