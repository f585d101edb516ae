"""Rewards of turns: the formulas by hand, and the rows that they stand in."""

from __future__ import annotations

from math import exp, sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.formats import rewards
from annotations.formats.openrlhf import OpenRLHF
from annotations.formats.rewards import FORMS, Moments, moments, normalised
from annotations.formats.turn_rewards import TurnRewards
from annotations.formats.verl import Verl
from annotations.records import Labelled
from tests.rollouts import agent, rollout, tree, valued

NUMBERS = st.lists(st.floats(-1, 1), max_size=8)
GRADES = st.lists(st.lists(st.sampled_from([1, 0, -1, None]), min_size=1, max_size=5), min_size=1, max_size=4)


def rows(*rollouts: Labelled, **asked: Any) -> list[dict[str, Any]]:
    return list(TurnRewards().rows(rollouts, asked))


def given_to(row: dict[str, Any]) -> list[float]:
    return [turn["process_reward"] for turn in row["turns"] if turn["mask"]]


def test_differences_of_a_potential_begin_from_nothing_and_sum_to_the_last():
    assert rewards.potential([0.5, 0.75, 0.25]) == [0.5, 0.25, -0.5]
    assert rewards.potential([]) == []


def test_in_min_form_the_weights_fall_with_the_reward():
    """T = 0.1: weights of 0.2 and 0.3 are as 1 to exp(-1)."""
    low = 1 / (1 + exp(-1))
    assert rewards.least([0.2, 0.3]) == pytest.approx([0.2 * low, 0.3 * (1 - low)])
    assert rewards.least([1.0, -1.0, 1.0]) == pytest.approx([0, -1, 0], abs=1e-8)
    assert sum(rewards.least([1.0, -1.0, 1.0])) == pytest.approx(min([1.0, -1.0, 1.0]), abs=1e-8)
    assert rewards.least([]) == []


def test_a_right_step_said_again_does_not_raise_what_the_min_form_comes_to():
    assert sum(rewards.least([1.0, 1.0, -1.0])) <= sum(rewards.least([1.0, -1.0])) + 1e-8


def test_normalised_values_have_mean_0_and_deviation_1():
    """1, 1, -1: mean 1/3, deviation sqrt(8/9)."""
    among = moments([1, 1, -1])
    assert (among.mean, among.deviation) == (pytest.approx(1 / 3), pytest.approx(sqrt(8 / 9)))
    assert normalised(1, among) == pytest.approx(1 / sqrt(2))
    assert normalised(-1, among) == pytest.approx(-sqrt(2))


def test_where_values_do_not_vary_a_normalised_one_is_0():
    assert normalised(0.1, moments([0.1] * 3)) == 0
    assert normalised(1, Moments()) == 0


@given(NUMBERS, NUMBERS)
def test_moments_of_two_lists_add_up_to_those_of_both(one, other):
    both, added = moments(one + other), moments(one) + moments(other)
    assert (added.count, added.lowest, added.highest) == (both.count, both.lowest, both.highest)
    assert (added.total, added.squares) == (pytest.approx(both.total), pytest.approx(both.squares))


@given(NUMBERS, st.sampled_from(list(FORMS)))
def test_every_form_has_a_reward_for_each_turn(numbers, form):
    assert len(FORMS[form](numbers)) == len(numbers)


@given(NUMBERS)
def test_potentials_sum_to_the_last_and_the_min_form_stays_between_least_and_greatest(numbers):
    assert sum(rewards.potential(numbers)) == pytest.approx(numbers[-1] if numbers else 0)
    if numbers:
        assert min(numbers) - 1e-9 <= sum(rewards.least(numbers)) <= max(numbers) + 1e-9


def test_each_turn_has_its_reward_and_its_place_in_the_text():
    labelled = rollout(agent(1, "a", "{}", "seen"), "b", grades=[1, None], final=-1)
    (row,) = rows(labelled)
    spans = [(turn["role"], row["text"][turn["char_start"] : turn["char_end"]]) for turn in row["turns"]]
    assert spans == [
        ("user", "Q"),
        ("assistant", 'a\n\n<tool_call>\n{"name":"look","arguments":"{}"}\n</tool_call>'),
        ("tool", "<tool_response>\nseen\n</tool_response>"),
        ("assistant", "b"),
    ]
    assert [(turn["index"], turn["process_reward"], turn["mask"]) for turn in row["turns"]] == [
        (0, 0.0, 0),
        (1, 1.0, 1),
        (1, 0.0, 0),
        (2, 0.0, 0),
    ]
    assert {key: row[key] for key in row if key not in ("text", "turns")} == {
        "trajectory_id": "t",
        "group_id": "task",
        "outcome_reward": -1.0,
        "aggregation": "sum",
        "aggregate": 1.0,
        "form": "raw",
        "normalisation": "none",
        "note": "",
    }


def test_a_grade_that_a_rule_filled_in_can_be_masked():
    labelled = rollout("a", "b", grades=[-1, -1], propagated=frozenset([2]))
    assert [given_to(row) for row in rows(labelled)] == [[-1.0, -1.0]]
    assert [given_to(row) for row in rows(labelled, propagated="masked")] == [[-1.0]]


def test_rewards_can_be_scores_or_values_of_the_file():
    labelled = rollout("a", "b", scores={1: 0.75, 2: 0.25})
    assert [given_to(row) for row in rows(labelled, reward="scores")] == [[0.75, 0.25]]
    assert [given_to(row) for row in rows(labelled, reward="signed")] == [[0.5, -0.5]]
    branches = rollout(valued(1, "a", 0, 0.5), valued(2, "b", 1, 0.75))
    assert [given_to(row) for row in rows(branches, reward="values", form="potential")] == [[0.5, 0.25]]


def test_a_turn_without_a_label_is_passed_over_by_a_difference():
    assert [given_to(row) for row in rows(rollout("a", "b", "c", grades=[1, None, -1]), form="potential")] == [[1, -2]]


def test_a_group_is_all_turns_of_all_rollouts_of_the_task():
    """1, 1 and -1 have mean 1/3 and deviation sqrt(8/9)."""
    found = rows(rollout("a", "b", grades=[1, 1]), rollout("c", grades=[-1]), normalisation="group")
    assert [given_to(row) for row in found] == [
        pytest.approx([1 / sqrt(2), 1 / sqrt(2)]),
        pytest.approx([-sqrt(2)]),
    ]
    assert [row["aggregate"] for row in found] == [2, -1]


def test_by_turn_each_number_of_a_turn_is_a_group():
    """First turns 1 and -1: plus and minus one. Second turns 1 and 1 do not vary. Only one rollout has a third."""
    one, other = rollout("a", "b", "e", grades=[1, 1, -1]), rollout("c", "d", grades=[-1, 1])
    first, second = rows(one, other, normalisation="turn")
    assert (given_to(first), given_to(second)) == ([1, 0, 0], [-1, 0])
    assert "do not vary" in first["note"] and "do not vary" in second["note"]


def test_a_batch_is_what_the_file_holds_where_that_is_known():
    labelled = rollout("a", "b", grades=[1, -1])
    writer = TurnRewards()
    known = writer.ahead([[labelled], [rollout("c", "d", grades=[1, 1])]], {"normalisation": "batch"})
    found = rows(labelled, normalisation="batch", **known)
    assert [given_to(row) for row in found] == [pytest.approx([1 / sqrt(3), -sqrt(3)])], "1, -1, 1, 1: mean 1/2"
    assert [given_to(row) for row in rows(labelled, normalisation="batch")] == [[1, -1]]


def test_nobody_looks_ahead_where_no_batch_is_asked_for():
    unread = iter([[rollout("a", grades=[1])]])
    assert TurnRewards().ahead(unread, {"normalisation": "group"}) == {} and len(list(unread)) == 1


@pytest.mark.parametrize(("how", "total"), [("sum", 0), ("mean", 0), ("min", -1), ("last", 1)])
def test_the_rewards_of_a_rollout_come_to_a_number(how, total):
    assert [row["aggregate"] for row in rows(rollout("a", "b", "c", grades=[-1, 0, 1]), aggregation=how)] == [total]


def test_the_outcome_is_the_verdict_or_what_the_file_says():
    labelled = rollout("a", grades=[1], final=0, record={"outcome": {"resolved": True}})
    assert [row["outcome_reward"] for row in rows(labelled)] == [0]
    assert [row["outcome_reward"] for row in rows(labelled, outcome="file")] == [1]
    assert [
        row["outcome_reward"] for row in rows(rollout("a", grades=[1], record={"outcome": "none"}), outcome="file")
    ] == [None]


def test_a_rollout_of_which_nothing_is_known_is_not_written():
    assert rows(rollout("a")) == []
    (row,) = rows(rollout("a", final=1))
    assert (given_to(row), row["aggregate"], row["outcome_reward"]) == ([], None, 1)


def test_each_way_of_a_tree_is_a_rollout():
    found = rows(tree((0, "a"), (1, "b"), (1, "c"), grades={1: 1, 2: 1, 3: -1}))
    assert [(row["trajectory_id"], given_to(row)) for row in found] == [("t#0", [1, 1]), ("t#1", [1, -1])]


@given(GRADES, st.sampled_from(["group", "turn", "batch"]), st.sampled_from(list(FORMS)))
def test_normalised_rewards_of_a_group_sum_to_0(groups, normalisation, form):
    rollouts = [rollout(*["a"] * len(grades), grades=grades) for grades in groups]
    found = rows(*rollouts, normalisation=normalisation, form=form)
    assert sum(one for row in found for one in given_to(row)) == pytest.approx(0, abs=1e-6)


@given(GRADES)
def test_a_mask_covers_labelled_turns_of_the_agent_alone(groups):
    for grades in groups:
        for row in rows(
            rollout(*[agent(place, "a", "{}", "seen") for place, _ in enumerate(grades, 1)], grades=grades)
        ):
            masked = [turn["index"] for turn in row["turns"] if turn["mask"]]
            assert masked == [place for place, grade in enumerate(grades, 1) if grade is not None]
            assert all(turn["role"] == "assistant" for turn in row["turns"] if turn["mask"])


def test_for_verl_the_prompt_is_messages_and_the_rollout_stands_beside_it():
    labelled = rollout("a", grades=[1], final=1, task={"source": "hotpot", "reference": {"target": ["x"]}})
    assert list(Verl().rows([labelled], {})) == [
        {
            "data_source": "hotpot",
            "prompt": [{"role": "user", "content": "Q"}],
            "ability": "agent",
            "reward_model": {"style": "rule", "ground_truth": '{"target":["x"]}'},
            "extra_info": {
                "split": "train",
                "index": 0,
                "trajectory_id": "t",
                "group_id": "task",
                "response": "a",
                "turns": [
                    {
                        "index": 1,
                        "char_start": 0,
                        "char_end": 1,
                        "role": "assistant",
                        "process_reward": 1.0,
                        "mask": 1,
                    }
                ],
                "outcome_reward": 1.0,
                "aggregation": "sum",
                "aggregate": 1.0,
                "form": "raw",
                "normalisation": "none",
                "note": "",
            },
        }
    ]


def test_for_openrlhf_a_mark_stands_after_the_words_of_each_turn_that_has_a_reward():
    labelled = rollout(agent(1, "a", "{}", "seen"), "b", "c", grades=[1, None, -1])
    (row,) = OpenRLHF().rows([labelled], {})
    assert row["input"] == (
        'Q\n\na\n\n<tool_call>\n{"name":"look","arguments":"{}"}\n</tool_call> ки\n\n'
        "<tool_response>\nseen\n</tool_response>\n\nb\n\nc ки"
    )
    assert row["label"] == [1.0, -1.0]
    assert list(OpenRLHF().rows([rollout("носки", grades=[1])], {})) == []
