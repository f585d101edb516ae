"""A project can let scores decide what is labelled next, with a share that chance decides."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from annotations import jobs
from annotations.models import Annotation, Project, QueueRank, Run, Score, Trajectory, User
from annotations.services import labels, queue, queue_policies_shown, seats, setup
from annotations.services import queue_policies_run as policies
from tests import make
from tests.queued import ordered, score, scored, work

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


def taken(project: Project, person: User) -> list[Annotation]:
    found = []
    while one := queue.lease_next(project.slug, person):
        found.append(one)
        Annotation.objects.filter(pk=one.pk).update(state="submitted", lease_until=None)
    return found


def drawn_by_policy(passes: list[Annotation]) -> list[int]:
    return [one.trajectory_id for one in passes if one.drawn == "policy"]


def test_a_queue_is_in_the_order_of_import_unless_a_lead_says_otherwise(project, ann):
    made = scored(project, [[0.9], [0.1], [0.5]])
    assert [(one.trajectory, one.drawn) for one in taken(project, ann)] == [(one, "") for one in made]


def test_what_is_most_likely_wrong_comes_first_among_what_chance_did_not_draw(project, lead, ann):
    made = scored(project, [[0.99, number / 20] for number in range(20)])
    run = ordered(project, lead, queue_policy="wrong")
    assert (run.state, run.error) == ("done", "")
    passes = taken(project, ann)
    worst = drawn_by_policy(passes)
    assert {one.trajectory_id for one in passes} == {one.pk for one in made}
    assert worst == [one.pk for one in made if one.pk in worst], "the lower its worst step, the sooner"
    assert sum(one.drawn == "random" for one in passes) == 4
    assert run.result == {
        "in_force": True,
        "why": "",
        "scored_by": Run.objects.get(kind="score").pk,
        "by_policy": 16,
        "by_chance": 4,
        "unscored": 0,
        "spoke": True,
    }


def test_whom_chance_draws_does_not_depend_on_the_scores(project, lead):
    rows = [[0.9, number / 20] for number in range(20)]
    made = scored(project, rows)
    ordered(project, lead, queue_policy="wrong")
    before = set(QueueRank.objects.filter(drawn="random").values_list("trajectory", flat=True))
    score(project, made, rows[::-1])
    policies.start(Project.objects.get(), lead)
    run = work()
    assert QueueRank.objects.values_list("run", flat=True).distinct().get() == run.pk
    assert set(QueueRank.objects.filter(drawn="random").values_list("trajectory", flat=True)) == before


def test_without_scores_all_come_by_chance(project, lead, ann):
    for _ in range(6):
        make.trajectory(project)
    ordered(project, lead, queue_policy="wrong")
    assert [one.drawn for one in taken(project, ann)] == ["random"] * 6


def test_a_trajectory_without_a_score_comes_by_chance_or_last(project, lead, ann):
    made = scored(project, [[0.5]] * 10)
    silent = [make.trajectory(project) for _ in range(10)]
    ordered(project, lead, queue_policy="wrong")
    passes = taken(project, ann)
    late = [one.trajectory in silent for one in passes if one.drawn == "policy"]
    assert late == sorted(late)
    assert {one.trajectory for one in passes} == {*made, *silent}


def test_scores_without_calibration_order_by_their_rank_but_tell_nothing_of_doubt(project, lead):
    scored(project, [[float(number)] for number in range(10)], calibrated=False)
    run = ordered(project, lead, queue_policy="wrong")
    first = QueueRank.objects.filter(run=run, drawn="policy").order_by("place").first()
    assert "of all steps score higher" in first.reason
    assert ordered(project, lead, queue_policy="uncertain").result["by_policy"] == 0


def test_where_judges_and_scorer_differ_comes_first(project, lead):
    made = scored(project, [[0.9]] * 10)
    judge = make.rater(project)
    for one, said in zip(made, [1, 1, 1, -1, 1, 1, -1, 1, 1, 1], strict=True):
        make.rating(judge, one, [said])
    run = ordered(project, lead, queue_policy="disagreement")
    ranks = list(QueueRank.objects.filter(run=run, drawn="policy").order_by("place"))
    differ = [one.trajectory_id in (made[3].pk, made[6].pk) for one in ranks]
    assert differ == sorted(differ, reverse=True)
    assert "wrong to 100% of the judges, 0.10 by scores" in ranks[0].reason


def test_the_reference_rater_is_no_judge_to_the_queue(project, lead):
    made = scored(project, [[0.9]] * 5)
    gold = make.rater(project, "gold")
    make.rating(gold, made[0], [-1])
    Project.objects.update(reference=gold)
    assert ordered(project, lead, queue_policy="disagreement").result["by_policy"] == 0


def test_the_scorer_can_be_named_and_is_else_the_newest_one_done(project, lead):
    made = scored(project, [[0.1], [0.9]], config={"scorer": "old"})
    old, new = Run.objects.get(), score(project, made, [[0.9], [0.1]], config={"scorer": "new"})
    score(project, made, [[0.5], [0.5]], config={"scorer": "third"}, state="running")
    assert ordered(project, lead, queue_policy="wrong").result["scored_by"] == new.pk
    assert ordered(project, lead, queue_scorer="old").result["scored_by"] == old.pk


def test_scores_that_read_the_reference_order_only_where_labellers_see_it(project, lead):
    scored(project, [[0.1], [0.9]], result={"reads_reference": True})
    blind = ordered(project, lead, queue_policy="wrong")
    assert (blind.result["scored_by"], blind.result["by_policy"]) == (None, 0)
    shown = ordered(project, lead, mode="reference")
    assert shown.result["scored_by"] == Run.objects.get(kind="score").pk


def test_an_order_that_tells_of_the_reference_ends_with_the_mode_that_shows_it(project, lead):
    scored(project, [[0.1], [0.9]], result={"reads_reference": True})
    Project.objects.update(mode="reference")
    project.refresh_from_db()
    assert ordered(project, lead, queue_policy="wrong").result["scored_by"]
    setup.change(project, lead, mode="blind")
    assert Project.objects.get().queue_ranking is None, "before the run that orders it anew is done"


def test_an_older_run_that_ends_later_changes_nothing(project, lead):
    scored(project, [[0.1], [0.9]])
    setup.change(project, lead, queue_policy="wrong")
    old = Run.objects.get(kind="queue")
    new = jobs.run_here(Run.objects.create(project=project, kind="queue", config=old.config))
    assert jobs.run_here(old).result["why"] == f"the order of a newer run, {new.pk}, holds"
    assert Project.objects.get().queue_ranking == new
    assert {one.run_id for one in QueueRank.objects.all()} == {new.pk}


def test_back_in_the_order_of_import_nothing_of_the_policy_is_left(project, lead, ann):
    made = scored(project, [[0.9, number / 9] for number in range(9, 0, -1)])
    ordered(project, lead, queue_policy="wrong")
    hers = queue.lease_next(project.slug, ann)
    Annotation.objects.filter(pk=hers.pk).update(state="submitted", lease_until=None)
    setup.change(project, lead, queue_policy="import")
    assert not QueueRank.objects.exists()
    rest = [one for one in made if one.pk != hers.trajectory_id]
    assert [(one.trajectory, one.drawn) for one in taken(project, ann)] == [(one, "") for one in rest]


def test_the_settings_that_hold_when_the_run_begins_are_those_it_follows(project, lead):
    scored(project, [[0.9, 0.2], [0.3, 0.8], [0.5, 0.5], [0.7, 0.6]])
    setup.change(project, lead, queue_policy="wrong")
    old = Run.objects.get(kind="queue")
    setup.change(project, lead, queue_policy="critical")
    assert jobs.run_here(old).result["in_force"]
    assert {one.policy for one in QueueRank.objects.filter(run=old)} == {"random", "critical"}


def test_a_run_that_finds_the_queue_back_in_the_order_of_import_leaves_it_so(project, lead):
    scored(project, [[0.5]] * 4)
    setup.change(project, lead, queue_policy="wrong")
    setup.change(project, lead, queue_policy="import")
    assert not work().result["in_force"]
    assert Project.objects.get().queue_ranking is None


def test_asking_twice_with_the_same_settings_begins_one_run(project, lead):
    scored(project, [[0.5]] * 4)
    setup.change(project, lead, queue_policy="wrong")
    project.refresh_from_db()
    assert policies.start(project, lead) == policies.start(project, lead) == Run.objects.get(kind="queue")


def test_scores_that_were_made_order_the_queue_anew(project, lead):
    make.trajectory(project)
    ordered(project, lead, queue_policy="wrong")
    run = jobs.start(Run.Kind.SCORE, project, lead, scorer="embedded")
    assert jobs.run_here(run).state == "done"
    assert Run.objects.filter(kind="queue").count() == 2
    assert work().result["scored_by"] == run.pk


def test_scores_change_nothing_in_the_order_of_import(project, lead):
    make.trajectory(project)
    jobs.run_here(jobs.start(Run.Kind.SCORE, project, lead, scorer="embedded"))
    assert not Run.objects.filter(kind="queue").exists()


def test_what_came_in_since_comes_last_until_the_queue_is_ordered_again(project, lead, ann):
    made = scored(project, [[0.5]] * 3)
    ordered(project, lead, queue_policy="wrong")
    late = make.trajectory(project)
    passes = taken(project, ann)
    assert ({one.trajectory for one in passes[:3]}, passes[3].trajectory) == (set(made), late)
    assert passes[3].drawn == ""


def test_a_seat_that_comes_free_is_filled_in_the_order_of_the_policy(project, lead, ann):
    scored(project, [[number / 30] for number in range(30)])
    bob = make.member(project, make.user()).user
    ordered(project, lead, queue_policy="wrong")
    first = queue.lease_next(project.slug, ann)
    for _ in range(3):
        his = queue.lease_next(project.slug, bob)
        Annotation.objects.filter(pk=his.pk).update(state="submitted", lease_until=None)
    labels.skip(first.pk, ann, "Not for me.")
    assert queue.lease_next(project.slug, bob).trajectory == first.trajectory


def test_a_lapsed_seat_and_a_released_one_are_too(project, lead, ann):
    scored(project, [[number / 30] for number in range(30)])
    bob = make.member(project, make.user()).user
    ordered(project, lead, queue_policy="wrong")
    first = queue.lease_next(project.slug, ann)
    his = queue.lease_next(project.slug, bob)
    Annotation.objects.filter(pk=his.pk).update(state="submitted", lease_until=None)
    Annotation.objects.filter(pk=first.pk).update(lease_until=timezone.now())
    again = queue.lease_next(project.slug, bob)
    assert again.trajectory == first.trajectory
    seats.release(again)
    carol = make.member(project, make.user()).user
    assert queue.lease_next(project.slug, carol).trajectory == first.trajectory


def test_nobody_gets_a_trajectory_twice_and_each_has_its_seats(project, lead, ann):
    Project.objects.update(overlap=2)
    project.refresh_from_db()
    made = scored(project, [[number / 12] for number in range(12)])
    bob, carol = (make.member(project, make.user()).user for _ in range(2))
    ordered(project, lead, queue_policy="wrong")
    for _ in range(3):
        for person in (ann, bob, carol):
            one = queue.lease_next(project.slug, person)
            Annotation.objects.filter(pk=one.pk).update(state="submitted", lease_until=None)
    for person in (carol, bob, ann):
        taken(project, person)
    assert Annotation.objects.count() == 24
    assert {one.annotations.count() for one in made} == {2}
    assert {one.annotations.values("rater").distinct().count() for one in made} == {2}


def test_a_raised_overlap_orders_those_that_have_room_again(project, lead, ann):
    scored(project, [[0.2], [0.4]])
    ordered(project, lead, queue_policy="wrong")
    taken(project, ann)
    assert ordered(project, lead, queue_random=30).total == 0
    assert ordered(project, lead, overlap=2).total == 2


def test_a_newer_version_takes_no_place_of_the_old_one(project, lead, ann):
    made = scored(project, [[0.2], [0.4], [0.6]])
    ordered(project, lead, queue_policy="wrong")
    Trajectory.objects.filter(pk=made[0].pk).update(superseded_at=timezone.now())
    assert {one.trajectory for one in taken(project, ann)} == set(made[1:])


def test_the_change_is_in_the_log(project, lead):
    setup.change(project, lead, queue_policy="critical", queue_random=35)
    event = project.events.get(verb="project.changed")
    assert (event.actor, event.before) == (lead, {"queue_policy": "import", "queue_random": 20})
    assert event.after == {"queue_policy": "critical", "queue_random": 35}


def test_the_next_task_costs_the_same_few_queries_by_policy(project, lead, ann, django_assert_max_num_queries):
    scored(project, [[number / 30] for number in range(30)])
    ordered(project, lead, queue_policy="wrong")
    for _ in range(10):
        one = queue.lease_next(project.slug, ann)
        Annotation.objects.filter(pk=one.pk).update(state="submitted", lease_until=None)
    with django_assert_max_num_queries(10):
        assert queue.lease_next(project.slug, ann)


def test_people_who_ask_at_once_by_policy_never_share_a_seat(project, lead):
    scored(project, [[number / 5] for number in range(5)])
    people = [make.member(project, make.user()).user for _ in range(8)]
    ordered(project, lead, queue_policy="wrong")

    def ask(person: User) -> Annotation | None:
        try:
            return queue.lease_next(project.slug, person)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        leases = list(pool.map(ask, people))
    assert sum(lease is not None for lease in leases) == 5
    assert Annotation.objects.values("trajectory").distinct().count() == 5


def test_what_is_leased_ahead_is_the_next_one_by_policy(project, lead, ann):
    scored(project, [[number / 30] for number in range(30)])
    ordered(project, lead, queue_policy="wrong")
    project.refresh_from_db()
    listed = [one.trajectory for one in queue_policies_shown.upcoming(project)]
    mine = queue.lease_next(project.slug, ann)
    ahead = labels.ahead(mine.pk, ann)
    assert [mine.trajectory_id, ahead.trajectory_id] == listed[:2]
    assert queue.lease_next(project.slug, ann) == mine


def test_where_only_tasks_are_asked_about_each_comes_once_by_policy_too(lead, ann):
    made = make.project(ann, owner=lead, overlap=1, scheme=make.scheme("rollout-ranking"))
    for _ in range(4):
        task = make.task(made)
        score(made, [make.trajectory(made, of=task), make.trajectory(made, of=task)], [[0.5] * 3, [0.1] * 3])
    ordered(made, lead, queue_policy="wrong")
    passes = taken(made, ann)
    assert len(passes) == 4
    assert {one.trajectory.rollout for one in passes} == {0}


def test_an_import_orders_the_queue_anew(project, lead, tmp_path):
    scored(project, [[0.5]] * 2)
    ordered(project, lead, queue_policy="wrong")
    run = Run.objects.create(project=project, kind="import", state="done")
    assert policies.follow(run).kind == "queue"
    failed = Run.objects.create(project=project, kind="import", state="failed")
    assert policies.follow(failed) is None


def test_a_calibration_changes_what_is_most_likely_wrong(project, lead):
    scored(project, [[0.5, 0.9]] * 10)
    read = Run.objects.get(kind="score")
    before = ordered(project, lead, queue_policy="wrong")
    parameters = {"of": "probability", "method": "temperature", "temperature": 0.5}
    project.calibrations.create(scored=read, scorer="embedded", method="temperature", parameters=parameters, report={})
    score(project, [], [])  # so that there is something newer that says nothing
    policies.start(Project.objects.get(), lead)
    after = work()
    assert after.pk > before.pk and after.result["scored_by"] == read.pk
    assert QueueRank.objects.filter(run=after, drawn="policy").first().reason == "step 1: P(wrong) 0.50"


def test_in_a_tree_a_step_falls_from_the_one_it_hangs_on(project, lead):
    made = scored(project, [[0.9, 0.2, 0.8]] * 10)
    for one in made:
        first, second, third = one.steps.of_agent()
        second.parent = third.parent = first
        second.save()
        third.save()
    run = ordered(project, lead, queue_policy="critical")
    assert (
        QueueRank.objects.filter(run=run, drawn="policy").first().reason == "step 2: the score falls by 0.70, to 0.20"
    )
    Score.objects.filter(step__index=2).update(value=0.85, probability=0.85)
    policies.start(Project.objects.get(), lead)
    assert (
        QueueRank.objects.filter(run=work(), drawn="policy")
        .first()
        .reason.startswith("step 3: the score falls by 0.10")
    )


def test_how_unlike_courses_are_is_read_from_the_tools_that_were_called(project, lead):
    made = [make.trajectory(project) for _ in range(20)]
    odd = made[7].steps.of_agent().last()
    odd.tool_calls = [{"id": "1", "name": "buy", "arguments": "{}"}]
    odd.save()
    run = ordered(project, lead, queue_policy="diverse")
    assert run.result["by_policy"] == 16
    reasons = list(QueueRank.objects.filter(run=run, drawn="policy").order_by("place").values_list("reason", flat=True))
    assert any(reason.endswith("that did: look") for reason in reasons[:2])
    assert "1 of 1 that did: look → buy" in reasons[:2] or QueueRank.objects.get(trajectory=made[7]).drawn == "random"
