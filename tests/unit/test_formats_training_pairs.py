"""Pairs of better and worse: of steps after the same beginning, and of whole rollouts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.formats.dpo import DPO
from annotations.formats.kto import KTO
from annotations.formats.pairs import Wanted, find
from annotations.formats.step_preferences import StepPreferences
from annotations.formats.trl_step_preferences import TRLStepPreferences
from annotations.records import Labelled, StepRecord
from tests.rollouts import TOOL, agent, rollout, tree, user, valued


def steps(*rollouts: Labelled, **asked: Any) -> list[dict[str, Any]]:
    return list(StepPreferences().rows(rollouts, asked))


def two(*rollouts: Labelled, **asked: Any) -> list[tuple[str, str]]:
    return [(row["chosen"], row["rejected"]) for row in steps(*rollouts, **asked)]


def test_a_right_and_a_wrong_step_of_a_tree_after_the_same_one_make_a_pair():
    (row,) = steps(tree((0, "a"), (1, "good"), (1, "bad"), (1, "so so"), grades={1: 1, 2: 1, 3: -1, 4: 0}))
    assert row == {
        "task": "task",
        "prompt": "Q",
        "prefix_steps": ["a"],
        "chosen": "good",
        "rejected": "bad",
        "chosen_source": "sibling",
        "rejected_source": "sibling",
        "margin": 2.0,
        "on_policy": True,
        "evidence": {
            "kind": "siblings",
            "by": "human:ada",
            "chosen_trajectory": "t",
            "chosen_step": 2,
            "chosen_grade": 1,
            "chosen_value": None,
            "rejected_trajectory": "t",
            "rejected_step": 3,
            "rejected_grade": -1,
            "rejected_value": None,
            "why": "",
        },
    }


def test_any_higher_grade_makes_a_pair_where_that_is_asked():
    found = steps(tree((0, "good"), (0, "bad"), (0, "so so"), grades={1: 1, 2: -1, 3: 0}), grades="any")
    assert {(row["chosen"], row["rejected"], row["margin"]) for row in found} == {
        ("good", "bad", 2.0),
        ("good", "so so", 1.0),
        ("so so", "bad", 1.0),
    }


def test_steps_after_different_steps_are_no_pair():
    assert steps(tree((0, "a"), (0, "b"), (1, "good"), (2, "bad"), grades={3: 1, 4: -1})) == []


def test_a_step_without_a_label_is_in_no_pair():
    assert steps(tree((0, "good"), (0, "unknown"), grades={1: 1})) == []


def test_rollouts_that_begin_with_equal_calls_are_paired_where_they_part():
    one = rollout(agent(1, "I look.", '{"b": 1, "a": 2}', "12"), "right", grades=[1, 1], name="one")
    other = rollout(agent(1, "Let me see.", '{"a":2,"b":1}', "12 m"), "wrong", grades=[1, -1], name="other")
    (row,) = steps(one, other)
    assert (row["chosen"], row["rejected"], row["chosen_source"]) == ("right", "wrong", "rollout")
    assert row["prefix_steps"][0].startswith("Let me see."), "the beginning is that of the rejected step"
    assert "12 m" in row["prefix_steps"][0]


def test_rollouts_that_were_asked_something_else_are_not_paired():
    assert steps(rollout("right", grades=[1]), rollout("wrong", grades=[-1], asked="another")) == []


@pytest.mark.parametrize(("models", "known"), [(("m", "m"), True), (("m", "n"), False), (("", ""), False)])
def test_two_rollouts_are_on_policy_where_their_model_is_known_to_be_the_same(models, known):
    one = rollout("right", grades=[1], record={"policy_model": models[0]})
    other = rollout("wrong", grades=[-1], record={"policy_model": models[1]})
    assert [row["on_policy"] for row in steps(one, other)] == [known]


def test_an_action_that_is_right_here_and_wrong_there_is_in_no_pair():
    assert two(rollout("a", grades=[1]), rollout("a", grades=[-1]), rollout("b", grades=[-1])) == []


def test_no_pair_follows_a_wrong_step_unless_that_is_asked():
    branches = tree((0, "off"), (1, "good"), (1, "bad"), grades={1: -1, 2: 1, 3: -1})
    assert two(branches) == []
    assert two(branches, prefix="any") == [("good", "bad")]


def test_a_correction_is_chosen_over_its_step_and_is_not_on_policy():
    labelled = rollout("a", "bad", grades=[1, -1], corrections={2: "better"}, explanations={2: "Off by one."})
    (row,) = steps(labelled)
    assert (row["chosen"], row["rejected"], row["prefix_steps"]) == ("better", "bad", ["a"])
    assert (row["chosen_source"], row["on_policy"], row["margin"]) == ("correction", False, None)
    assert row["evidence"]["why"] == "Off by one."


def test_the_best_sibling_by_value_is_chosen_over_the_worst_with_the_margin():
    branches = rollout(valued(1, "low", 0, 0.25), valued(2, "high", 0, 0.75), valued(3, "middle", 0, 0.5))
    (row,) = steps(branches)
    assert (row["chosen"], row["rejected"], row["margin"]) == ("high", "low", 0.5)
    assert row["evidence"]["kind"] == "values"
    assert steps(branches, margin=0.6) == []
    assert two(branches, values="every", margin=0.25) == [("high", "middle"), ("high", "low"), ("middle", "low")]


def test_only_the_sources_that_are_asked_for_are_written():
    labelled = tree((0, "good"), (0, "bad"), grades={1: 1, 2: -1}, corrections={2: "better"})
    assert two(labelled, sources="corrections") == [("better", "bad")]
    assert two(labelled, sources="siblings") == [("good", "bad")]
    assert two(labelled) == [("good", "bad"), ("better", "bad")]


def test_what_a_user_says_between_two_steps_stands_before_the_later_one():
    turns = (agent(1, "a"), user("More?", 2), agent(3, "b"), user("And?", 4), agent(5, "bad"))
    (row,) = steps(rollout(*turns, grades=[1, 1, -1], corrections={5: "better"}))
    assert row["prefix_steps"] == ["a", "More?\n\nb", "And?"]


def test_results_of_tools_stand_with_the_steps_only_where_they_are_asked_for():
    labelled = rollout(agent(1, "bad", "{}", "seen"), grades=[-1], corrections={1: "better"})
    assert "seen" not in steps(labelled)[0]["rejected"]
    assert "seen" in steps(labelled, results="with")[0]["rejected"]


def test_for_trl_the_pair_is_two_messages_after_a_conversation():
    labelled = rollout(agent(1, "I look.", "{}", "12"), agent(2, "bad", reasoning="hm"), corrections={2: "better"})
    assert list(TRLStepPreferences().rows([labelled], {})) == [
        {
            "prompt": [
                {"role": "user", "content": "Q"},
                {
                    "role": "assistant",
                    "content": "I look.",
                    "tool_calls": [
                        {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}},
                    ],
                },
                {"role": "tool", "content": "12", "tool_call_id": "c1"},
            ],
            "chosen": [{"role": "assistant", "content": "better"}],
            "rejected": [{"role": "assistant", "content": "bad", "reasoning_content": "hm"}],
            "tools": [TOOL],
        }
    ]


def pairs(*rollouts: Labelled, **asked: Any) -> list[tuple[str, str, float]]:
    rows = DPO().rows(rollouts, asked)
    return [(row["chosen_trajectory"], row["rejected_trajectory"], row["margin"]) for row in rows]


def test_a_rollout_that_did_it_is_chosen_over_one_that_did_not():
    good, bad = rollout("yes", final=1, name="good"), rollout("no", final=-1, name="bad")
    assert pairs(good, bad, rollout("maybe", name="unknown")) == [("good", "bad", 2.0)]
    (row,) = DPO().rows([good, bad], {})
    assert row["prompt"] == [{"role": "user", "content": "Q"}]
    assert (row["chosen"], row["rejected"]) == (
        [{"role": "assistant", "content": "yes"}],
        [{"role": "assistant", "content": "no"}],
    )


def test_rollouts_are_compared_by_their_share_of_right_steps():
    half = rollout("a", "b", grades=[1, -1], name="half")
    whole = rollout("c", "d", grades=[1, None], name="whole")
    assert pairs(half, whole, by="right") == [("whole", "half", 0.5)]
    assert pairs(half, whole, by="right", margin=0.6) == []


def test_wrong_steps_are_counted_only_where_every_step_is_labelled():
    one, none = rollout("a", "b", grades=[1, -1], name="one"), rollout("c", grades=[0], name="none")
    unknown = rollout("d", "e", grades=[1], name="unknown")
    assert pairs(one, none, unknown, by="wrong") == [("none", "one", 1.0)]


def test_rollouts_are_compared_by_how_often_they_were_preferred():
    found = [rollout(name, preferred=won, name=name) for name, won in (("a", 0.5), ("b", 1.0), ("c", 0.0))]
    assert pairs(*found, by="preferred") == [("b", "a", 0.5), ("b", "c", 1.0), ("a", "c", 0.5)]
    assert pairs(*found, by="preferred", pairs="ends") == [("b", "c", 1.0)]


def test_rollouts_that_begin_otherwise_or_say_the_same_are_no_pair():
    assert pairs(rollout("a", final=1), rollout("b", final=-1, asked="another")) == []
    assert pairs(rollout("a", final=1), rollout("a", final=-1)) == []


def test_ways_of_a_tree_are_compared_by_their_steps_alone():
    branches = tree((0, "a"), (0, "b"), grades={1: 1, 2: -1}, final=1)
    assert pairs(branches, by="final") == []
    assert pairs(branches, by="right") == [("t#0", "t#1", 1.0)]


def kto(*rollouts: Labelled, **asked: Any) -> list[tuple[str, bool]]:
    return [(row["completion"][-1]["content"], row["label"]) for row in KTO().rows(rollouts, asked)]


def test_rollouts_are_good_or_not_by_their_verdict():
    found = [rollout(text, final=final) for text, final in (("yes", 1), ("no", -1), ("neither", 0), ("unknown", None))]
    assert kto(*found) == [("yes", True), ("no", False)]


def test_rollouts_are_good_by_their_steps_only_where_all_are_right():
    found = [rollout(text, text, grades=grades) for text, grades in (("a", [1, 1]), ("b", [1, -1]), ("c", [1]))]
    assert kto(*found, by="steps") == [("a", True), ("b", False)]


def test_each_labelled_step_can_be_a_completion_of_all_before_it():
    labelled = rollout(agent(1, "a", "{}", "seen"), "b", "c", "d", grades=[1, -1, 0])
    rows = list(KTO().rows([labelled], {"unit": "step"}))
    assert [(row["completion"][0]["content"], row["label"]) for row in rows] == [("a", True), ("b", False)]
    assert [len(row["completion"]) for row in rows] == [1, 1]
    assert [one["role"] for one in rows[1]["prompt"]] == ["user", "assistant", "tool"]


@st.composite
def groups(draw: st.DrawFn) -> list[Labelled]:
    words, marks = st.sampled_from("abc"), st.sampled_from([1, 0, -1, None])
    made = []
    for name in range(draw(st.integers(1, 4))):
        said = draw(st.lists(words, min_size=1, max_size=4))
        made.append(rollout(*said, grades=[draw(marks) for _ in said], name=str(name)))
    return made


@given(groups())
def test_pairs_only_ever_follow_equal_actions_and_are_given_once(rollouts):
    given_once = set()
    for pair in find(rollouts, Wanted(any_grade=True)):
        assert pair.chosen and (pair.chosen.grade or 0) > (pair.rejected.grade or 0)
        before = [_words(one.rollout.record.steps, one.before) for one in (pair.chosen, pair.rejected)]
        assert before[0] == before[1]
        key = (tuple(before[0]), pair.chosen.step.message, pair.rejected.step.message)
        assert key not in given_once
        given_once.add(key)
        assert all(pair.rejected.rollout.grades.get(place) != -1 for place in pair.rejected.before)


def _words(turns: tuple[StepRecord, ...], places: tuple[int, ...]) -> list[str]:
    return [turns[place].message for place in places]
