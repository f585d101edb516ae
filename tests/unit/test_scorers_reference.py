"""Scores from what a task names as true: matched calls, entities and hops on the way."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore
from models_service.scorers.reference import assigning, parts
from models_service.scorers.reference.coverage import EntityCoverage, HopCoverage, group_rewards, waypoint_score
from models_service.scorers.reference.matching import MatchedCalls, rewards, similarity, token_f1
from models_service.scorers.reference.parts import Call

CALLS = [
    {"name": "search", "arguments": {"query": "Rome", "limit": 3}},
    {"name": "open", "arguments": {"page": 1}},
]


def step(message: str = "", *calls: tuple[str, Any], saw: str = "") -> StepRecord:
    called = tuple({"id": "c", "name": name, "arguments": arguments} for name, arguments in calls)
    return StepRecord("agent", 0, message, tool_calls=called, observations=({"content": saw},) if saw else ())


def rollout(reference: Any, *steps: StepRecord) -> TrajectoryRecord:
    return TrajectoryRecord(TaskRecord("t", reference=reference), steps)


def values(scorer: Any, record: TrajectoryRecord) -> list[float]:
    [said] = scorer.score([record])
    assert not isinstance(said, CannotScore), said
    return [one.value for one in said]


def test_the_greedy_pairs_of_the_worked_example_miss_the_best_sum() -> None:
    table = np.array([[0.9, 0.8], [0.8, 0.0]])
    assert rewards(table, "greedy") == [0.9, 0]
    assert rewards(table, "best") == [0.8, 0.8]


TABLES = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(
    lambda shape: st.lists(
        st.lists(st.floats(0, 1), min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
    )
)


@given(TABLES)
def test_the_assignment_is_the_best_of_all_there_are(rows: list[list[float]]) -> None:
    table = np.array(rows)
    wide = table if table.shape[0] <= table.shape[1] else table.T
    every = itertools.permutations(range(wide.shape[1]), wide.shape[0])
    best = max(sum(wide[row, column] for row, column in enumerate(order)) for order in every)
    found = assigning.best(table)
    assert len(set(found.values())) == len(found) == min(table.shape)
    assert sum(table[row, column] for row, column in found.items()) == pytest.approx(best)
    assert sum(table[pair] for pair in assigning.greedy(table).items()) <= best + 1e-9


@given(TABLES)
def test_a_plan_of_transport_gives_each_row_and_column_its_mass(rows: list[list[float]]) -> None:
    plan = assigning.transport(np.array(rows))
    assert plan.sum(axis=0) == pytest.approx(1 / plan.shape[1])
    assert plan.sum(axis=1) == pytest.approx(1 / plan.shape[0], abs=1e-4)


def test_a_soft_match_worked_by_hand() -> None:
    # By symmetry the plan is a/2 on the diagonal and (1 - a)/2 beside it, a/(1 - a) = exp(1/0.1).
    share = 1 / (1 + np.exp(-10))
    assert rewards(np.eye(2), "soft") == pytest.approx([share / 2, share / 2])


def test_the_likeness_of_calls_worked_by_hand() -> None:
    right = Call("search", {"query": '"Rome"', "limit": "3"})
    assert similarity(right, right) == 1
    assert similarity(Call("open", right.parameters), right) == 0
    assert similarity(Call("search", {"query": '"Rome"', "page": "1"}), right) == pytest.approx((1 + 1 / 3 + 1) / 4)
    assert similarity(Call("list", {}), Call("list", {})) == 1


def test_a_turn_gets_the_mean_of_its_calls_and_the_last_one_the_words_of_its_answer() -> None:
    record = rollout(
        {"calls": CALLS, "answer": "The city of Rome"},
        step("", ("search", '{"limit": 3, "query": "Rome"}'), ("search", {"query": "Rome", "limit": 3})),
        step("", ("close", {})),
        step("The answer is Rome."),
    )
    assert values(MatchedCalls(), record) == pytest.approx([0.5, 0, 0.5])  # rome; city of rome: 2·1/(1 + 3)
    assert values(MatchedCalls(unmatched=-0.5), record) == pytest.approx([0.25, -0.5, 0.5])


def test_words_two_answers_share() -> None:
    assert token_f1("a b b", "b b c") == pytest.approx(2 * 2 / 5)  # "a" is an article
    assert token_f1("", "x") == 0


@pytest.mark.parametrize(
    ("reference", "steps", "why"),
    [
        (None, [step("x")], "holds no calls"),
        ("forty-two", [step("x")], "holds no calls"),
        (CALLS, [step("I think."), step("", ("open", {}))], "makes no call"),
        (CALLS, [step("Rome")], "holds no answer"),
        (CALLS, [step("", *[("open", {})] * 501)], "more than 500"),
    ],
)
def test_where_there_is_nothing_to_match_it_says_why_and_never_zero(reference: Any, steps: Any, why: str) -> None:
    [said] = MatchedCalls().score([rollout(reference, *steps)])
    assert isinstance(said, CannotScore) and why in str(said) and "not applicable" in str(said)


@pytest.mark.parametrize("options", [{"way": "lazy"}, {"unmatched": 0.5}])
def test_options_that_make_no_sense_are_refused(options: Any) -> None:
    with pytest.raises(ValueError, match="way is one of"):
        MatchedCalls(**options)


NAMES = [*parts.CALLS, *parts.ANSWERS, *parts.ENTITIES, *parts.HOPS, "name", "arguments", "function"]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES), inner),
)


@given(ANYTHING)
def test_a_reference_of_any_shape_is_read_or_said_to_hold_nothing(reference: Any) -> None:
    record = rollout(reference, step("", ("open", "no JSON")), step("Rome"))
    for scorer in (MatchedCalls(), EntityCoverage(weight=0.5), HopCoverage()):
        [said] = scorer.score([record])
        assert isinstance(said, CannotScore) or len(said) == 2


def test_entities_are_counted_where_they_are_first_met_by_any_of_their_names() -> None:
    reference = {"entities": ["Rome", {"name": "Tiber", "aliases": ["Tevere"]}, "Ostia"], "answer": "Ostia"}
    steps = [
        step("Romeo and Juliet"),
        step("", ("search", '{"q": "ROME"}'), saw="On the Tevere."),
        step("answer: Pisa"),
    ]
    assert values(EntityCoverage(), rollout(reference, *steps)) == pytest.approx([0, 2 / 3, 2 / 3])
    assert values(EntityCoverage(weight=0.3), rollout(reference, *steps))[-1] == pytest.approx(0.2)
    right = [*steps[:2], step("answer: ostia.")]
    assert values(EntityCoverage(weight=0.3), rollout(reference, *right))[-1] == 1


def test_a_wrong_answer_is_worth_part_of_what_was_found() -> None:
    assert (waypoint_score(0.5, True, 0.4), waypoint_score(0.5, False, 0.4)) == (1, 0.2)
    assert group_rewards([0.5, 0.25, 0.5], [False, False, True], 0.6) == pytest.approx([0.6, 0.3, 1])
    assert group_rewards([0, 0], [False, False], 0.6) == [0, 0]
    with pytest.raises(ValueError, match="weight"):
        EntityCoverage(weight=1)


HOPS = {"hops": [{"question": "Which river?", "answer": "Tiber"}, {"question": "Which port?", "answer": "Ostia"}]}


@pytest.mark.parametrize(
    ("seen", "flags"),
    [
        (["Tiber", "Ostia"], []),
        (["Tiber"], ["hop 2 is the first that is missing", "premature collapse: fewer hops than the chain has"]),
        (
            ["Tiber", "Pisa", "Pisa"],
            ["hop 2 is the first that is missing", "over-extension: more hops than the chain has"],
        ),
        (["Ostia", "Tiber"], ["distorted: as many hops as the chain has, in another order or to another end"]),
    ],
)
def test_a_chain_of_hops_says_where_it_broke(seen: list[str], flags: list[str]) -> None:
    steps = [step("", ("look", {}), saw=one) for one in seen]
    [said] = HopCoverage().score([rollout(HOPS, *steps)])
    assert said[-1].detail["flags"] == flags
    assert said[-1].value == len({"Tiber", "Ostia"} & set(seen)) / 2
