"""Rollouts of a task laid on one another: the graph drawn by hand, and real ones."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.records import StepRecord
from models_service.scorers.train_prior import lessons
from models_service.statistics.topology import (
    Graph,
    Rollout,
    diversity,
    efficiency,
    likeness,
    rollout_of,
    select,
    turn_of,
)


def rollout(turns: str, passed: bool = True) -> Rollout:
    return Rollout(tuple(turns), passed)


SIX = [
    rollout("abe"),
    rollout("abe"),
    rollout("acbe"),
    rollout("acd", False),
    rollout("ad", False),
    rollout("abce"),
]


def test_six_rollouts_collapse_to_the_graph_drawn_by_hand():
    graph = Graph(SIX)
    assert graph.success == {"a": 4 / 6, "b": 1, "e": 1, "c": 2 / 3, "d": 0}
    assert graph.edges == {
        ("a", "b"): 3,
        ("b", "e"): 3,
        ("a", "c"): 2,
        ("c", "b"): 1,
        ("c", "d"): 1,
        ("a", "d"): 1,
        ("b", "c"): 1,
        ("c", "e"): 1,
    }
    assert len(graph.branching) == 8
    assert graph.error_branches().value == 3 / 8
    assert graph.error_branches(0.5).value == 2 / 8
    assert graph.heterogeneity.value == 1.5


def test_recovery_is_the_number_of_moves_from_a_bad_place_to_a_good_one():
    graph = Graph(SIX)
    assert [graph.recovery(one, 0.7) for one in SIX] == [1, 1, 1, 0, 0, 2]
    assert [graph.recovery(one) for one in SIX] == [0] * 6, "no place that leads on is worse than even"


def test_a_recovery_from_a_place_where_most_fail():
    rollouts = [rollout("xg"), rollout("x", False), rollout("xy", False)]
    assert Graph(rollouts).recovery(rollouts[0]) == 1


def test_efficiency_is_the_share_of_turns_that_are_new():
    assert efficiency(rollout("abab")).value == 0.5
    assert efficiency(rollout("abc")).value == 1
    assert efficiency(rollout("")).reason == "the rollout has no turn"


def test_diversity_is_how_unlike_the_chosen_ones_it_is():
    assert likeness(rollout("abe"), rollout("acbe")) == 0.75
    assert diversity(rollout("abe"), [rollout("acbe"), rollout("xy")]).value == 1 - (0.75 + 0) / 2
    assert diversity(rollout("abe"), []).reason == "nothing is chosen yet"


def test_what_passed_is_chosen_by_recovery_first_and_then_by_how_unlike_it_is():
    assert select(Graph(SIX), 3, tau=0.7) == [5, 0, 1]
    assert select(Graph(SIX), 99) == [0, 2, 1, 5]
    assert select(Graph([rollout("ab", False)]), 3) == []


def test_what_cannot_be_said_says_why():
    alike = Graph([rollout("ab"), rollout("ab")])
    assert alike.error_branches().reason == "no way of the rollouts parts from another"
    assert alike.heterogeneity.value == 0
    assert Graph([rollout("ab", False)]).heterogeneity.reason == "no rollout passed"


def test_a_turn_is_the_same_however_its_call_is_spelled():
    def step(arguments: object, seen: object, message: str = "") -> StepRecord:
        call = {"id": "1", "name": "search", "arguments": arguments}
        return StepRecord("agent", 1, message, "", (call,), ({"tool_call_id": "1", "content": seen},))

    same = [
        step('{"query": "The  Seine", "top": 3}', "A river."),
        step('{"top":3,"query":"the Seine"}', "A\n river.", "Let me look."),
        step({"query": "The Seine", "top": 3}, "a river."),
    ]
    assert len({turn_of(one) for one in same}) == 1
    assert turn_of(step('{"query": "The Loire", "top": 3}', "A river.")) != turn_of(same[0])
    assert turn_of(step('{"query": "The Seine", "top": 3}', "Nothing.")) != turn_of(same[0])
    assert turn_of(step("not JSON", [{"type": "text"}])) == turn_of(step("not  json", [{"type": "text"}]))


def test_only_the_turns_of_the_agent_are_nodes():
    steps = [StepRecord("user", 0, "Go."), StepRecord("agent", 1, "I think."), StepRecord("agent", 2, "i  think.")]
    made = rollout_of(steps, True)
    assert len(made.turns) == 2 and len(set(made.turns)) == 1


@given(st.lists(st.tuples(st.text("abcd", max_size=6), st.booleans()), min_size=1, max_size=7))
def test_whatever_the_rollouts_shares_are_shares(rows):
    rollouts = [rollout(turns, passed) for turns, passed in rows]
    graph = Graph(rollouts)
    assert all(0 <= one <= 1 for one in graph.success.values())
    branches = graph.error_branches().value
    assert branches is None or 0 <= branches <= 1
    assert sorted(select(graph, 99)) == [place for place, one in enumerate(rollouts) if one.passed and one.turns]
    for one, other in itertools.combinations(rollouts, 2):
        assert 0 <= likeness(one, other) == likeness(other, one) <= 1


@pytest.mark.data
def test_real_rollouts_share_their_beginnings(shared_data: Path) -> None:
    path = shared_data / "agentprocessbench" / "trajectories" / "hotpotqa_q00-29.jsonl.gz"
    graphs = [Graph([rollout_of(record.steps, True) for record in lesson.rollouts]) for lesson in lessons(path)]
    assert len(graphs) == 30
    shared = [len(graph.success) < sum(len(set(one.turns)) for one in graph.rollouts) for graph in graphs]
    assert 5 <= sum(shared) < 30, "some begin with the very same search, most word it anew"
    assert all(graph.heterogeneity.value is not None for graph in graphs)
