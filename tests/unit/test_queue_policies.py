"""What makes a trajectory urgent, by hand, and that chance keeps its share however the scores lie."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.services.queue_policies import (
    Facts,
    ScoredStep,
    course_of,
    critical_step,
    disagreement,
    diverse,
    entropy,
    most_likely_wrong,
    shares_higher,
    uncertainty,
)
from annotations.services.queue_policies_chance import by_chance
from annotations.services.queue_policies_order import Mixture, Ranked, measures, mixture, order


def facts(trajectory: int, *right: float, task: int = 0, source: str = "", **fields: object) -> Facts:
    before = [None, *right]
    steps = [ScoredStep(place, one, 1 - one, before[place]) for place, one in enumerate(right)]
    return Facts(trajectory, task, source, steps=steps, **fields)  # type: ignore[arg-type]


def numbers(many: list[Facts], policy: str = "wrong", share: float = 0.2, **more: int) -> list[Ranked]:
    mixed = mixture(policy, share)
    return order(many, {one.trajectory for one in many}, measures(many, mixed, "seed"), mixed, "seed", **more)


def test_the_worst_step_says_how_urgent_a_trajectory_is():
    said = most_likely_wrong(facts(1, 0.9, 0.3, 0.6))
    assert said is not None
    assert (round(said.value, 9), said.reason) == (0.7, "step 1: P(wrong) 0.70")


def test_judges_and_scorer_are_furthest_apart_on_one_step():
    said = disagreement(facts(1, 0.9, 0.2, judged={0: 1.0, 1: 0.5}))
    assert said is not None
    assert said.value == pytest.approx(0.9)
    assert said.reason == "step 0: wrong to 100% of the judges, 0.10 by scores"


def test_where_no_judge_spoke_of_a_scored_step_nobody_differs():
    assert disagreement(facts(1, 0.9, judged={5: 1.0})) is None


def test_a_critical_step_is_the_one_before_which_the_score_falls_furthest():
    said = critical_step(facts(1, 0.9, 0.7, 0.1, 0.4))
    assert said is not None
    assert (round(said.value, 9), said.reason) == (0.6, "step 2: the score falls by 0.60, to 0.10")
    rising = critical_step(facts(1, 0.1, 0.7))
    assert rising is not None and rising.value < 0
    assert critical_step(facts(1, 0.1)) is None


def test_doubt_is_the_mean_entropy_of_the_steps():
    said = uncertainty(facts(1, 0.5, 1.0))
    assert said is not None and said.value == 0.5
    assert entropy(0.25) == pytest.approx(0.811278, abs=1e-6)
    raw = Facts(1, 0, steps=[ScoredStep(0, 3.0, 0.5, calibrated=False)])
    assert uncertainty(raw) is None


def test_without_steps_no_policy_says_anything():
    assert [policy(Facts(1, 0)) for policy in (most_likely_wrong, disagreement, critical_step, uncertainty)] == [
        None
    ] * 4


def test_courses_of_action_come_in_turn_and_the_frequent_one_first():
    assert course_of(["search", "search", "open", "search"]) == "search → open → search"
    many = [Facts(number, 0, course="a" if number < 3 else "b") for number in range(5)] + [Facts(9, 0, course="c")]
    said = diverse(many, "seed")
    turns = sorted(said, key=lambda one: -said[one].value)
    assert ["a" if one < 3 else "c" if one == 9 else "b" for one in turns] == ["a", "b", "c", "a", "b", "a"]


def test_scores_that_are_no_probabilities_are_held_against_all_others():
    higher = shares_higher([1.0, 5.0, 5.0, 9.0])
    assert [higher(one) for one in (1.0, 5.0, 9.0)] == [0.875, 0.5, 0.125]


def test_the_mixture_of_active_learning_is_half_a_quarter_and_a_quarter_after_forty():
    mixed = mixture("active", 0.2)
    assert mixed.warm == 40
    assert mixed.parts == pytest.approx({"wrong": 0.5, "disagreement": 0.25})
    assert mixed.at_random == pytest.approx(0.25)
    assert mixture("active", 0.4).at_random == pytest.approx(0.4)


def test_active_learning_draws_its_first_forty_by_chance_and_counts_those_that_are_done():
    many = [facts(number, number / 200, judged={0: 1.0}) for number in range(200)]
    ranked = numbers(many, "active")
    assert {one.drawn for one in ranked[:40]} == {"random"}
    parts = Counter(one.policy for one in ranked[40:120])
    assert parts == {"wrong": 40, "disagreement": 20, "random": 20}
    assert any(one.drawn == "policy" for one in numbers(many, "active", done=40)[:5])


@given(
    st.integers(1, 120),
    st.sampled_from(["wrong", "critical", "uncertain", "disagreement", "active", "diverse", "random"]),
    st.integers(10, 100),
    st.randoms(use_true_random=False),
)
def test_whatever_the_scores_each_comes_once_and_chance_keeps_its_share(count, policy, percent, draw):
    many = [
        facts(
            number,
            *[draw.random() for _ in range(draw.randrange(4))],
            task=draw.randrange(9),
            judged={0: draw.random()} if draw.random() < 0.5 else {},
        )
        for number in range(count)
    ]
    ranked = numbers(many, policy, percent / 100)
    assert sorted(one.trajectory for one in ranked) == list(range(count))
    drawn = [one for one in ranked if one.drawn == "random"]
    assert len(drawn) >= count * percent / 100 - 1e-6
    shuffled = [facts(one.trajectory, draw.random(), task=one.task) for one in many]
    again = [one for one in numbers(shuffled, policy, percent / 100) if one.drawn == "random"]
    if len(drawn) < count and len(again) < count:
        assert {one.trajectory for one in drawn} == {one.trajectory for one in again}


def test_each_twenty_places_hold_the_share_of_chance():
    many = [facts(number, number / 1000) for number in range(1000)]
    ranked = numbers(many, share=0.15)
    blocks = [sum(one.drawn == "random" for one in ranked[start : start + 20]) for start in range(0, 1000, 20)]
    assert set(blocks) == {3}
    places = {tuple(one.drawn == "random" for one in ranked[start : start + 20]) for start in range(0, 200, 20)}
    assert len(places) > 5, "nobody can tell from its place why a trajectory came"


def test_the_most_urgent_come_first_among_what_the_policy_brings():
    many = [facts(number, number / 100) for number in range(100)]
    urgent = [one.trajectory for one in numbers(many) if one.drawn == "policy"]
    assert urgent == sorted(urgent)


def test_the_draw_holds_each_source_and_task_by_its_size():
    strata = {number: ("big" if number < 80 else "small", number // 4) for number in range(100)}
    turn = by_chance(strata, "seed")
    for end in (10, 25, 50, 75):
        big = sum(strata[one][0] == "big" for one in turn[:end])
        assert abs(big - 0.8 * end) <= 1
    tasks = Counter(strata[one][1] for one in turn[:50])
    assert max(tasks.values()) <= 3 and len(tasks) == 25


def test_no_trajectory_has_a_better_chance_of_being_drawn_early():
    strata = {number: ("a", 0) if number < 3 else ("b", number) for number in range(10)}
    drawn = Counter(one for seed in range(3000) for one in by_chance(strata, str(seed))[:5])
    assert all(abs(count / 3000 - 0.5) < 0.05 for count in drawn.values())


def test_a_mixture_without_parts_is_all_chance():
    assert Mixture({}).at_random == 1
    assert {one.drawn for one in numbers([facts(1, 0.2), facts(2, 0.4)], "random")} == {"random"}
