"""Rollouts of a task laid on one another: the graph drawn by hand, and real ones."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from annotations.rendering.identity import seen_hash
from annotations.topology.graph import Graph, Rollout, Through, diversity, efficiency, likeness, select
from annotations.topology.layout import BETWEEN, EDGE, layout
from annotations.topology.prefixes import shared
from annotations.topology.stretches import stretches


def rollout(turns: str, passed: bool | None = True) -> Rollout:
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


def test_of_a_rollout_of_which_nobody_knows_whether_it_passed_nothing_is_made_up():
    """a: three go through it, of two it is known, one passed. b: known of none, so nothing is said of it."""
    some = [rollout("a"), rollout("ac", False), rollout("ab", None)]
    graph = Graph(some)
    assert graph.through["a"] == Through(rollouts=3, known=2, passed=1)
    assert graph.success == {"a": 1 / 2, "c": 0, "b": None}
    assert graph.error_branches().value == 1, "of the two ways on from a, only c is known to be worse"
    assert graph.recovery(some[2]) == 0
    unknown = Graph([rollout("ab", None), rollout("ac", None)])
    assert unknown.error_branches().reason == "of no place where ways part is it known how its rollouts ended"
    assert unknown.heterogeneity.reason == "no rollout passed"


def test_how_varied_the_ways_are_whether_or_not_they_pass():
    """Six rollouts on five ways, one of them twice: −(⅓ log₂ ⅓ + 4 · ⅙ log₂ ⅙) bits."""
    assert round(Graph(SIX).variety.value or 0, 6) == 2.251629
    assert Graph([rollout("ab"), rollout("bc")]).unlikeness.value == 1 - 1 / 3
    assert Graph([rollout("ab")]).unlikeness.value is None
    assert Graph([]).variety.value is None


def test_states_that_always_follow_one_another_are_one_stretch():
    assert stretches(["abcd", "abce", "xce"]) == [("a", "b"), ("c",), ("d",), ("e",), ("x",)]
    assert stretches(["abab"]) == [("a", "b")]
    assert stretches(["abc", "ab"]) == [("a", "b"), ("c",)], "one ends before c"
    assert stretches(["abc", "bc"]) == [("a",), ("b", "c")], "one begins at b"
    assert stretches(["aa"]) == [("a",)]
    assert stretches([]) == []


@given(st.lists(st.text("abcd", max_size=6), max_size=6))
def test_every_state_is_in_one_stretch(ways):
    found = stretches(ways)
    assert sorted(node for one in found for node in one) == sorted({node for way in ways for node in way})


def test_what_comes_later_stands_further_right_and_a_way_back_is_one():
    """0 → 1 → 2, 0 → 2, and back from 2 to 1."""
    found = layout([2, 1, 2], [0, 1, 1.5], {(0, 1): 1, (1, 2): 1, (0, 2): 1, (2, 1): 1})
    xs = [box.x for box in found.boxes]
    assert xs[0] < xs[1] < xs[2]
    assert [(line.tail, line.head) for line in found.lines if line.back] == [(2, 1)]
    assert found.boxes[0].height > found.boxes[1].height, "more go through it"


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_no_two_boxes_stand_on_one_another(edges):
    found = layout([1, 2, 3, 4, 5, 6], [0, 1, 1, 2, 3, 3], dict.fromkeys(edges, 1))
    for one, other in itertools.combinations(found.boxes, 2):
        upper, lower = sorted((one, other), key=lambda box: box.y)
        assert one.x != other.x or upper.y + upper.height + BETWEEN <= lower.y
    assert all(box.x >= EDGE and box.x < found.width and box.y + box.height < found.height for box in found.boxes)
    assert all(found.boxes[line.tail].x < found.boxes[line.head].x for line in found.lines if not line.back)


def test_what_begins_alike_is_found_with_all_that_has_it():
    assert shared(["abc", "abd", "ax", "b"]) == [[(0, 0), (1, 0), (2, 0)], [(0, 1), (1, 1)]]
    assert shared([["a", "", "c"], ["a", "", "c"]]) == [[(0, 0), (1, 0)]], "what has no key is like nothing"
    assert shared([]) == []


def test_what_was_seen_is_the_same_whatever_the_ids_of_calls_and_however_it_is_spaced():
    assert seen_hash([{"tool_call_id": "1", "content": "A river."}]) == seen_hash(
        [{"tool_call_id": "2", "content": "A\n river.", "took": 3}]
    )
    assert seen_hash(["A river."]) != seen_hash(["a river."])
    assert seen_hash(["a", "b"]) != seen_hash(["b", "a"])
    assert seen_hash([]) == ""
