"""Bisection for the first error, the tree of states, self-denoised labels, and the filters over verdicts."""

from __future__ import annotations

import math
from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_service.scorers.base import CannotScore, Scored
from models_service.scorers.sampled.omega import FirstError
from models_service.scorers.sampled.scan import SelfDenoised, denoised
from models_service.scorers.sampled.search import Prefix, Rollout, Tree, balanced, bisected, grown
from models_service.statistics.filtering import (
    NO_ERROR,
    Verdicts,
    consensus,
    first_error,
    lowest_at_last,
    noise,
    right_with_errors,
)
from tests.completing import WRONG, Completer, solution
from tests.unit.test_sampled import LEFT_AND_RIGHT, said, values


def searched(count: int, error: int) -> tuple[int, int]:
    """The first error that is found, and how many states were asked about."""
    search, asked = bisected(count), 0
    try:
        number = next(search)
        while True:
            asked += 1
            number = search.send(number < error)
    except StopIteration as end:
        return end.value, asked


def test_every_planted_error_is_found_within_the_bound() -> None:
    for count in range(1, 65):
        for error in range(1, count + 1):
            found, asked = searched(count, error)
            assert found == error
            assert asked <= math.ceil(math.log2(count))


@pytest.mark.parametrize(("steps", "error"), [(1, 1), (2, 1), (5, 3), (8, 8), (13, 2)])
def test_a_trajectorys_first_error_is_found_with_few_states(steps: int, error: int) -> None:
    completer = Completer()
    found = said(FirstError(completer), solution(steps, wrong=error))
    assert [one.value for one in found] == [1] * (error - 1) + [0] * (steps - error + 1)
    assert [one.index for one in found if "first error" in one.detail["flags"]] == [error]
    assert len(completer.read) <= math.ceil(math.log2(steps)) + 1


def test_what_was_not_drawn_from_says_that_it_is_inferred() -> None:
    found = said(FirstError(Completer(able=0.6), count=20), solution(8, wrong=6))
    inferred = [one.index for one in found if "inferred, not sampled" in one.detail["flags"]]
    assert inferred == [1, 2, 3, 7]  # 4, 6 and 5 were asked, the last one states its answer
    assert found[0].value == 1 and 0 < found[3].value < 1 and "interval" in found[3].detail


def test_where_the_answer_is_right_nothing_is_drawn() -> None:
    completer = Completer()
    found = said(FirstError(completer), solution(4))
    assert [one.value for one in found] == [1, 1, 1, 1] and not completer.read
    assert all(one.detail["flags"] == ["inferred, not sampled", "the final answer is right"] for one in found)


def test_a_trajectory_that_revises_warns_and_the_full_way_shows_the_recovery() -> None:
    record = solution(6, wrong=2, mended=4, end=f"Wait, I correct this. {WRONG}")
    found = said(FirstError(Completer()), record)
    assert any("a later step revises" in flag for one in found for flag in one.detail["flags"])
    every = said(FirstError(Completer(), full=True), record)
    assert [one.value for one in every] == [1, 0, 0, 1, 1, 0]
    assert [one.index for one in every if any(flag.startswith("above 0") for flag in one.detail["flags"])] == [4, 5]
    assert "first error" in every[1].detail["flags"]


@pytest.mark.parametrize(
    ("completer", "end", "why"),
    [
        (Completer(able=0), WRONG, "bare question"),
        (Completer(), "And so on.", "states no answer"),
        (Completer(silent=True), WRONG, "none of the continuations"),
        (Completer(longest=0), WRONG, "after step 2: too long"),
    ],
)
def test_a_search_that_could_tell_nothing_is_not_applicable(completer: Completer, end: str, why: str) -> None:
    found = said(FirstError(completer), solution(4, wrong=2, end=end))
    assert isinstance(found, CannotScore) and why in str(found)


def test_in_a_tree_each_way_is_searched() -> None:
    assert values(FirstError(Completer()), LEFT_AND_RIGHT) == [1, 0, 0, 1, 1]


def test_q_and_u_are_those_of_the_formula() -> None:
    tree = Tree()
    state = tree.add(("a",), [Rollout(("w " * 100,), False), Rollout(("b",), True)])
    assert tree.q(state, state.rollouts[0]) == pytest.approx(0.5**0.5 * 0.9 ** (100 / 500))
    assert tree.u(state) == 0
    state.visits = 3
    tree.add(("b",), [Rollout(("c",), True)]).visits = 6
    assert tree.u(state) == pytest.approx(0.125 * 3 / 4)


def test_wrong_rollouts_of_mixed_states_are_picked_once_each_the_promising_first() -> None:
    tree = Tree()
    wrong, right = Rollout(("x",), False), Rollout(("y",), True)
    likely = tree.add(("l",), [wrong, right, right, right])
    unlikely = tree.add(("u",), [wrong, wrong, wrong, right])
    tree.add(("never",), [wrong, wrong])
    tree.add(("always",), [right, right])
    picked = [tree.pick() for _ in range(5)]
    assert [one[0] for one in picked[:1]] == [likely]
    assert [one is None for one in picked] == [False] * 4 + [True]
    assert all(not one[1].right for one in picked[:4])
    assert (likely.visits, unlikely.visits) == (1, 3)


def drawing(prefix: Prefix) -> Generator[str, None, list[Rollout]]:
    """A world in which a step "bad" ruins all: from elsewhere one of two continuations has one, as its third step."""
    yield "asked"
    if "bad" in prefix:
        return [Rollout(("on", "end"), False), Rollout(("off", "end"), False)]
    return [Rollout(("a", "b", "bad", "c", "d"), False), Rollout(("a", "b", "end"), True)]


def test_a_grown_tree_holds_every_state_that_was_evaluated_and_draws_from_each_once() -> None:
    tree = Tree()
    growing, asked = grown(tree, drawing, 3), 0
    try:
        next(growing)
        while True:
            asked += 1
            growing.send(None)
    except StopIteration as end:
        assert end.value == 3
    assert asked == len(tree.states) == len(tree.pairs())
    assert all((value == 0) == ("bad" in prefix) for prefix, value in tree.pairs())
    assert {prefix for prefix, value in tree.pairs() if value == 0} >= {("a", "b", "bad")}


@given(st.lists(st.sampled_from([0.0, 0.25, 1.0]), max_size=30), st.integers(0, 3))
def test_balanced_pairs_are_as_many_of_each_kind(shares: list[float], seed: int) -> None:
    pairs = [((str(at),), share) for at, share in enumerate(shares)]
    kept = balanced(pairs, seed)
    positive = sum(value > 0 for _, value in kept)
    assert positive * 2 == len(kept) and positive == min(shares.count(0.0), len(shares) - shares.count(0.0))
    assert kept == [one for one in pairs if one in kept]


def test_softening_is_that_of_the_worked_numbers() -> None:
    assert denoised([1, 0.5, 0.2, 0, 0.1], 0.4, 2) == [1, 1, 0.5, 0, 0]
    assert denoised([1, 0.5, 0.2, 0], 0.4, 0) == [1, 1, 1, 0]
    assert denoised([0.1, 0.1], 0.4, 2) == [1, 1]
    assert denoised([0, 1], 0.4, 2) == [0, 0]


@given(st.lists(st.floats(0, 1), max_size=12), st.floats(0.01, 1), st.integers(0, 12))
def test_denoised_labels_are_shares_and_a_wider_window_never_raises_one(
    shares: list[float], confidence: float, window: int
) -> None:
    labels = denoised(shares, confidence, window)
    assert all(0 <= one <= 1 for one in labels)
    wider = denoised(shares, confidence, window + 1)
    assert all(one <= other for one, other in zip(wider, labels, strict=True))


def test_self_denoised_labels_of_a_wrong_solution() -> None:
    found = said(SelfDenoised(Completer(able=0.5), count=64, window=1), solution(5, wrong=4))
    assert [one.value for one in found][:2] == [1, 1] and [one.value for one in found][3:] == [0, 0]
    root, at = found[2].detail["why"][1]["contribution"], found[2].detail["why"][0]["contribution"]
    assert found[2].value == min(1, at / root) and found[2].detail["flags"][0].startswith("soft")
    assert found[3].detail["flags"][0] == "first error"


def test_right_solutions_are_not_drawn_from_and_questions_beyond_the_completer_are_left_out() -> None:
    completer = Completer()
    assert values(SelfDenoised(completer), solution(6)) == [1] * 6
    assert [one.opening for one in completer.read] == [""]
    dropped: Scored = said(SelfDenoised(Completer(able=0.1)), solution(6, wrong=2))
    assert isinstance(dropped, CannotScore) and "fewer than 0.25" in str(dropped)


def test_only_rollouts_of_equal_verdicts_are_kept() -> None:
    said = [Verdicts(2, 2), Verdicts(NO_ERROR, NO_ERROR), Verdicts(1, 2), Verdicts(NO_ERROR, 0), Verdicts(None, None)]
    assert consensus(said) == ([0, 1], [2, 3], [4])


def test_the_first_error_of_labels_is_unknown_behind_a_gap() -> None:
    assert first_error([1, 0.5, 0, 1]) == 2
    assert first_error([1, 1]) == NO_ERROR
    assert first_error([0, None]) == 0
    assert first_error([1, None, 0]) is None and first_error([]) is None


def test_diagnostics_count_what_they_say() -> None:
    assert right_with_errors([(True, 2), (True, NO_ERROR), (False, 1), (True, None)]) == (1, 2)
    assert lowest_at_last([[1, 0.5, 0.1], [0.1, 0.9], [0.2, 0.2], [0.3]]) == (1, 3)
    assert right_with_errors([]).value is None and lowest_at_last([[1, 0]]).value == 1


def test_noise_is_the_share_of_steps_on_which_machine_and_person_differ() -> None:
    found = noise([(1, True), (0, True), (0.4, False), (0.5, False), (None, True), (1, None)])
    assert found == (2, 4) and found.value == 0.5
