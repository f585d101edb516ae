"""What labels say of the policies that made the rollouts, by hand-worked numbers."""

from __future__ import annotations

import doctest
from typing import Any

from models_service.statistics import insight
from models_service.statistics.insight import Rollout, compute


def rollout(*grades: int | None, task: int = 1, model: str = "a", **fields: Any) -> Rollout:
    told = {"pk": 0, "name": "", "source": "", "tools": ("",) * len(grades), **fields}
    return Rollout(task=task, model=model, grades=grades, **told)


def row(found: dict[str, Any], model: str) -> dict[str, Any]:
    return next(one for one in found["models"] if one["name"] == model)


def test_a_policy_that_stops_early_looks_right_until_that_is_taken_into_account():
    """The weak one stops after its first, right step; the strong one goes on, with one slip in four."""
    found = compute([rollout(1, model="weak"), rollout(1, 1, -1, 1, model="strong")])
    weak, strong = row(found, "weak"), row(found, "strong")
    assert (weak["shares"]["1"]["value"], strong["shares"]["1"]["value"]) == (1.0, 0.75)
    assert (weak["full"]["value"], strong["full"]["value"]) == (0.25, 0.75)
    assert (weak["common"]["value"], strong["common"]["value"]) == (1.0, 1.0)


def test_shares_are_of_labelled_steps_and_say_of_how_many():
    found = row(compute([rollout(1, None, 0, -1)]), "a")
    assert [found["shares"][grade]["value"] for grade in ("1", "0", "-1")] == [1 / 3] * 3
    assert found["shares"]["1"]["n"] == 3


def test_recovery_is_a_right_step_after_the_first_wrong_one():
    found = row(compute([rollout(1, -1, 1), rollout(-1, -1), rollout(1, 1)]), "a")
    assert (found["recovery"]["value"], found["recovery"]["n"]) == (0.5, 2)
    assert (found["with_error"]["value"], found["first_error"]) == (2 / 3, 1.5)


def test_where_nothing_is_labelled_there_is_no_share_and_a_reason():
    found = row(compute([rollout(None, None)]), "a")
    assert found["shares"]["1"]["value"] is None
    assert found["recovery"]["reason"]
    assert compute([])["counts"] == {"rollouts": 0, "tasks": 0, "steps": 0, "outcomes": 0}


def test_intervals_are_over_tasks_and_do_not_depend_on_the_order():
    some = [rollout(1, -1, task=task) if task % 3 else rollout(1, 1, task=task) for task in range(30)]
    one, other = (row(compute(order), "a")["shares"]["-1"] for order in (some, some[::-1]))
    assert one == other
    assert one["low"] < one["value"] < one["high"]


def test_what_follows_what():
    found = insight.transitions([rollout(1, -1, 1, -1, -1), rollout(0, None, 1)])
    assert found["all"]["-1"] == {"1": 1, "0": 0, "-1": 1}
    assert found["after"]["1"] == {"1": 0, "0": 0, "-1": 1}
    assert (found["self_correction"], found["wrong_stays"]) == (0.5, 0.5)


def test_errors_by_place_and_by_tool():
    found = compute([rollout(1, -1, -1, 1, tools=("search", "search", "read", ""))])
    assert [(one["steps"], one["wrong"], one["first"]) for one in found["positions"]] == [
        (1, 0, 0), (0, 0, 0), (1, 1, 1), (0, 0, 0), (0, 0, 0), (1, 1, 0), (0, 0, 0), (1, 0, 0), (0, 0, 0), (0, 0, 0)
    ]  # fmt: skip
    assert found["tools"] == [
        {"tool": "search", "steps": 2, "wrong": 1},
        {"tool": "", "steps": 1, "wrong": 0},
        {"tool": "read", "steps": 1, "wrong": 1},
    ]


def test_right_answers_by_wrong_ways_are_named_and_so_are_wrong_ones_by_right_ways():
    found = insight.outcomes(
        [
            rollout(1, -1, success=True, pk=1, name="miracle"),
            rollout(1, 1, success=True),
            rollout(1, 1, success=False, pk=3, name="unlucky"),
            rollout(1, None, success=True),
            rollout(-1, success=None),
        ]
    )
    assert (found["rollouts"], found["miracles"], found["unlucky"], found["rate"]) == (3, 1, 1, 0.5)
    assert [one["name"] for one in found["lists"]["miracles"]] == ["miracle"]


def test_the_examples_hold():
    assert doctest.testmod(insight).failed == 0


def test_errors_by_argument_stand_beside_those_of_calls_without_it():
    """Three calls of search, two with top, all with query, which so tells nothing; one of fetch, too few for a row."""
    with_top = (("search", "", ""), ("search", "query", ""), ("search", "top", ""))
    without = (("search", "", ""), ("search", "query", ""))
    fetch = (("fetch", "", ""), ("fetch", "url", ""))
    found = compute([rollout(-1, -1, 1, 1, calls=(with_top, with_top, without, fetch))])["arguments"]
    assert found == [
        {"tool": "search", "argument": "top", "value": "", "steps": 2, "wrong": 2, "else_steps": 1, "else_wrong": 0}
    ]


def test_values_have_rows_where_they_are_few():
    def calls(*values: str) -> tuple[tuple[tuple[str, str, str], ...], ...]:
        return tuple((("go", "", ""), ("go", "to", ""), ("go", "to", value)) for value in values)

    few = compute([rollout(1, 1, -1, calls=calls("left", "left", "right"))])["arguments"]
    assert [(one["value"], one["steps"], one["else_wrong"]) for one in few] == [("left", 2, 1)]
    grades = (1,) * 20
    many = compute([rollout(*grades, calls=calls(*[str(place // 2) for place in range(20)]))])["arguments"]
    assert many == [], "ten different ones are no choice of a few"
    same = compute([rollout(1, 1, calls=calls("left", "left"))])["arguments"]
    assert same == [], "one that is always the same tells nothing"


def test_second_attempts_beside_first_ones():
    """First right, wrong, wrong; second right, right, wrong; the third rollout tries a third time and gets it."""
    some = [
        rollout(1, attempts=((1, "a"), (1, "b"))),
        rollout(1, attempts=((-1, "a"), (1, "b"))),
        rollout(1, attempts=((0, "a"), (-1, "a"), (1, "c"))),
        rollout(1, attempts=((1, "a"),)),
        rollout(1, attempts=((1, "a"), (None, "b"))),
    ]
    [found] = compute(some)["attempts"]
    assert found["rollouts"] == 3
    told = {name: round(found[name]["value"], 4) for name in ("first", "second", "gain", "fixed", "broken", "repeats")}
    third = round(1 / 3, 4)
    assert told == {
        "first": third,
        "second": round(2 / 3, 4),
        "gain": third,
        "fixed": third,
        "broken": 0,
        "repeats": 0.25,
    }
    assert [one["value"] for one in found["within"]] == [1 / 3, 2 / 3, 1]
    assert round(found["slope"], 9) == round(1 / 3, 9)
    assert compute([rollout(1)])["attempts"] == []


def test_what_a_success_takes_is_what_all_took():
    some = [
        rollout(1, spent={"cost": 1.0}, success=True),
        rollout(1, spent={"cost": 3.0}, success=False),
        rollout(1, success=True),
        rollout(1, model="b", spent={"seconds": 5.0}, success=False),
    ]
    cost, seconds = compute(some)["spent"]
    assert (cost["name"], cost["what"], cost["rollouts"], cost["known"]) == ("a", "cost", 3, 2)
    assert (cost["each"]["value"], cost["success"]["value"]) == (2.0, 4.0)
    assert (seconds["success"]["value"], seconds["success"]["reason"]) == (None, "none of these succeeded")
