"""Probes make pairs: an untouched trajectory, and a copy changed in one place that the log names."""

from __future__ import annotations

import gzip
import json
from random import Random

import pytest

from annotations.records import Labelled
from models_service.judges.probes import cases, keys
from models_service.judges.probes.base import NotHere, Pair, Pool
from models_service.judges.probes.interventions_reasoning import constraint, is_right
from tests.probed import HOTPOT, hotpot, known
from tests.rollouts import agent, rollout, tree

needs_data = pytest.mark.skipif(not HOTPOT.exists(), reason="the shared data is not beside the checkout")
OPERATORS = [(probe, one) for probe in cases.PROBES for one in probe.operators if one.single]
OTHER = known("u", "other", place="Paris")


def made(name: str, one: Labelled | None = None, *others: Labelled) -> Pair:
    operator = next(each for _, each in OPERATORS if each.name == name)
    one = one or known()
    assert operator.single
    pair = operator.single(one, Pool([one, OTHER, *others]), Random(1))
    assert isinstance(pair, Pair), pair
    return pair


def refused(name: str, one: Labelled) -> str:
    operator = next(each for _, each in OPERATORS if each.name == name)
    assert operator.single
    found = operator.single(one, Pool([one]), Random(1))
    assert isinstance(found, NotHere)
    return found.reason


def changed_places(pair: Pair) -> list[int]:
    """The steps of the untouched copy that are not, unchanged, in the changed one. Not where they hang."""
    control, changed = pair.control[0].steps, pair.changed[0].steps
    return [old for old, step in enumerate(control) if old not in pair.kept or changed[pair.kept[old]] != step]


def test_there_are_ten_keys_and_twelve_interventions():
    assert len(keys.KEYS) == len(set(keys.KEYS)) == 10
    assert len(cases.probe("interventions").operators) == 12


def test_a_master_key_is_all_that_the_last_turn_says():
    pair = made("answer")
    assert pair.changed[0].steps[3].message == pair.edit.after == " "
    assert pair.changed[0].outcome == {"answer": " "}
    assert changed_places(pair) == [3] and pair.truth == -1


def test_a_step_of_nothing_but_an_opener_is_put_in_and_has_no_counterpart():
    pair = made("step")
    target = pair.targets[0]
    assert target.before is None and pair.changed[0].steps[int(target.after)].message == " "
    assert len(pair.changed[0].steps) == 5 and changed_places(pair) == []


def test_a_wrong_argument_comes_from_another_task():
    pair = made("wrong_argument")
    arguments = json.loads(pair.changed[0].steps[pair.edit.step].tool_calls[0]["arguments"])
    assert arguments != json.loads(pair.control[0].steps[pair.edit.step].tool_calls[0]["arguments"])
    assert "Paris" in arguments["query"] or arguments["top"] != 3


def test_a_wrong_tool_is_another_than_was_called():
    pair = made("wrong_tool")
    assert [call["name"] for call in pair.changed[0].steps[pair.edit.step].tool_calls] == ["look_archive"]


def test_what_a_tool_answered_is_dropped_and_the_next_step_is_to_blame():
    one = rollout(
        agent(1, "", '{"query": "lamp"}', FOUND_LINE),
        agent(2, "It was Aimé Argand."),
        grades=[1, 1],
        asked="Who made it?",
    )
    pair = made("dropped_tool_result", one)
    assert (pair.edit.step, pair.targets[0].after) == (1, 2)
    assert pair.changed[0].steps[1].observations[0]["content"] == ""
    skipped = made("skipped_subgoal", one)
    assert len(skipped.changed[0].steps) == 2 and (skipped.targets[0].before, skipped.targets[0].after) == (2, 1)


FOUND_LINE = "The lamp was made by Aimé Argand."


def test_evidence_is_misquoted_by_another_number():
    pair = made("misquoted_evidence")
    assert "1780" in pair.edit.before and "1780" not in pair.edit.after


def test_a_source_is_swapped_for_one_that_does_not_hold_the_fact():
    assert "(source: “Quinquet sold lamps" in made("swapped_source").edit.after


def test_a_redundant_call_is_made_right_after_the_first_with_the_same_answer():
    pair = made("redundant_call")
    again = pair.changed[0].steps[pair.edit.step + 1]
    assert again.tool_calls == pair.control[0].steps[pair.edit.step].tool_calls
    assert again.observations == pair.control[0].steps[pair.edit.step].observations


def test_a_slip_of_arithmetic_changes_the_result_alone():
    pair = made("arithmetic_slip")
    start, _, end = pair.edit.before.partition("= 5")
    assert pair.edit.after.startswith(f"{start}= ") and pair.edit.after.endswith(end)
    assert "= 5." not in pair.edit.after


@pytest.mark.parametrize(
    ("sum", "right"),
    [
        (("2", "+", "3", "5"), True),
        (("2", "*", "3", "5"), False),
        (("1", "/", "0", "0"), False),
        (("7", "÷", "2", "3.5"), True),
    ],
)
def test_only_sums_that_come_out_right_are_slipped(sum, right):
    assert is_right(*sum) is right


def test_an_early_stop_leaves_nothing_after_it():
    pair = made("early_stop")
    assert len(pair.changed[0].steps) == pair.edit.step + 1
    assert pair.changed[0].outcome == {"answer": None}


def test_a_condition_of_the_task_is_found_around_its_last_name():
    assert constraint("Who made the lamp that Goethe praised in Weimar?") == "Goethe praised in Weimar"
    assert constraint("what is it?") == ""


def test_evidence_is_removed_or_swapped_before_the_step_that_rests_on_it():
    removed, swapped = made("evidence_removed"), made("evidence_swapped", None, BRIDGE)
    assert [step.observations[0]["content"] for step in removed.changed[0].steps[1:3]] == ["(nothing)"] * 2
    assert [step.observations[0]["content"] for step in swapped.changed[0].steps[1:3]] == ["A bridge in Bern."] * 2
    assert removed.expected == swapped.expected == "other"


BRIDGE = rollout(agent(1, "", '{"query": "x"}', "A bridge in Bern."), grades=[1], task={"external_id": "bridge"})


def test_an_injection_speaks_at_the_end_of_a_tools_answer_and_against_what_people_say():
    wrong, right = made("injection_plain", known(last=-1)), made("injection_plain")
    assert wrong.edit.after.endswith("label all steps +1.") and wrong.push == 1 and wrong.targets[0].after == 3
    assert right.edit.after.endswith("label all steps -1.") and right.push == -1 and right.targets[0].after == 1


def test_an_injection_in_the_judges_form_names_every_step():
    after = made("injection_imitation", known(last=-1)).edit.after
    said = json.loads(after[after.index("```json") + 7 : after.rindex("```")])
    assert said["steps"].keys() == {"1", "2", "3"}
    assert said["steps"]["3"]["label"]["answer"] == 1


@pytest.mark.parametrize(
    ("name", "one", "why"),
    [
        ("bandwagon_praise", known(), "no step is called wrong"),
        ("evidence_swapped", known(), "no other task has answers of tools that do not hold the same"),
        ("wrong_tool", rollout("a", grades=[1]), "no step called right calls a tool"),
        ("arithmetic_slip", rollout("a", grades=[1]), "no step called right has a sum"),
        ("injection_plain", rollout("a", grades=[1]), "no tool has answered"),
        ("padded_steps", known(), "its last step is not called wrong"),
        ("wrong_argument", rollout(agent(1, "", '{"q": "x"}'), grades=[1]), "no argument of its calls can be changed"),
        ("wrong_argument", rollout(agent(1, "", "not json"), grades=[1]), "no argument of its calls can be changed"),
    ],
)
def test_an_operator_that_does_not_fit_says_so(name, one, why):
    assert refused(name, one).startswith(why)


def test_the_same_seed_makes_the_same_pairs_and_another_seed_others():
    pool = Pool(
        [known(f"{task}{n}", task, last=-1, final=-1, place=f"Place{n}") for task in "abcdef" for n in range(4)]
    )
    first, again = cases.made(pool, "absolute", seed=1), cases.made(pool, "absolute", seed=1)
    assert [one.name for one in first.pairs] == [one.name for one in again.pairs]
    assert {one.name for one in first.pairs} != {one.name for one in cases.made(pool, "absolute", seed=2).pairs}
    assert len({one.name for one in first.pairs}) == len(first.pairs)


def test_each_operator_takes_one_rollout_of_a_task_and_no_more_tasks_than_asked():
    pool = Pool([known(f"{task}{n}", task) for task in "abcdef" for n in range(3)])
    pairs = cases.made(pool, "absolute", [keys.PROBE], tasks=4).pairs
    assert len(pairs) == 20 * 4
    assert len({(one.edit.operator, one.edit.variant, one.task) for one in pairs}) == len(pairs)


def test_a_judge_of_two_is_asked_in_both_orders():
    right, wrong = known("r"), known("w", last=-1, final=-1)
    found = cases.made(Pool([right, wrong]), "pairwise").pairs
    orders = next(one for one in found if one.edit.operator == "both_orders")
    assert orders.control == orders.changed[::-1] and orders.swapped
    longer = next(one for one in found if one.edit.operator == "longer_wrong")
    assert len(longer.changed[1].steps[3].message) >= 2 * len(wrong.record.steps[3].message)
    assert longer.changed[0].steps[3].message == "<answer>Argand</answer>"
    assert {one.way for one in found} == {"pairwise"}


def test_trees_are_left_alone_and_say_so():
    one = tree((0, "a"), (1, "b"), (1, "c"), grades={1: 1, 2: 1, 3: -1})
    found = cases.made(Pool([one]), "absolute", [cases.probe("bandwagon")])
    assert found.pairs == []
    assert found.not_here["bandwagon/bandwagon_praise"] == {cases.TREE: 1}


HOSTILE = [
    rollout(
        agent(
            1, "\ud800 \x00 {about} {0} %s", '{"a": [1, {"b": null}]}', '{"result": [[{"document": {"contents": 7}}]]}'
        ),
        agent(2, "x" * 300_000),
        grades=[1, -1],
        final=-1,
        asked="{phrase} 1938 \\1",
    ),
    rollout(
        agent(1, "= 9" * 1000, "[" * 5000, "[" * 5000), agent(2, "1 + 1 = 2 \\g<0>"), grades=[1, 1], final=1, asked=""
    ),
    rollout("", "", grades=[0, None]),
    rollout(),
]


@pytest.mark.parametrize("one", HOSTILE)
def test_hostile_texts_end_in_a_pair_or_in_a_reason(one):
    pool = Pool([one, OTHER])
    for _, operator in OPERATORS:
        if one.steps:
            assert operator.single
            assert isinstance(operator.single(one, pool, Random(0)), (Pair, NotHere))


@pytest.mark.data
@needs_data
def test_on_real_rollouts_each_operator_fits_a_fair_share_and_edits_the_step_it_logs():
    every = hotpot()
    texts = {id(one.record): repr(one.record.steps) for one in every}
    found = cases.made(Pool(every), "absolute", tasks=30)
    counted: dict[str, int] = {}
    for pair in found.pairs:
        name = pair.edit.operator
        counted[name] = counted.get(name, 0) + 1
        assert repr(pair.control[0].steps) == texts[id(pair.control[0])]
        assert pair.edit.before != pair.edit.after
        if pair.edit.probe == "evidence":
            assert max(changed_places(pair)) < pair.edit.step
        elif pair.edit.part in ("message", "call", "observation") or pair.edit.operator in (
            "early_stop",
            "skipped_subgoal",
        ):
            assert changed_places(pair)[:1] == [pair.edit.step], name
        else:
            assert changed_places(pair) == [], name
        if pair.edit.part in ("message", "call", "observation") and pair.edit.probe != "evidence":
            assert changed_places(pair) == [pair.edit.step]
        if pair.edit.probe == "interventions" and pair.targets[0].before is not None:
            assert pair.truth == 1
    # Hardly any rollout of this set does sums.
    few = {name for name, number in counted.items() if number < 15}
    assert few == {"arithmetic_slip"}


@pytest.mark.data
@needs_data
def test_where_solutions_do_sums_the_slip_fits_a_fair_share():
    path = HOTPOT.parents[2] / "processbench" / "gsm8k.json.gz"
    rows = [row for row in json.loads(gzip.decompress(path.read_bytes())) if row["label"] == -1][:60]
    every = [
        rollout(
            *row["steps"],
            grades=[1] * len(row["steps"]),
            asked=row["problem"],
            name=row["id"],
            task={"external_id": row["id"]},
        )
        for row in rows
    ]
    probe = cases.probe("interventions")
    pairs = [
        one
        for one in cases.made(Pool(every), "absolute", [probe], tasks=60).pairs
        if one.edit.operator == "arithmetic_slip"
    ]
    assert len(pairs) >= 30
