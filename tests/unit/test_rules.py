"""What the error-propagation rule fills in, by hand-worked cases and by properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations import schemes
from annotations.schemes import rules
from annotations.schemes.rules import View, implied_by

N = None
SCHEME = schemes.shipped()["agent-process"]


def carry_forward(said, stops, value):
    """What the rule implies, by place: `said` and `stops` are what stands at each."""
    answers = {(place, "label"): one for place, one in enumerate(said) if one is not None}
    answers |= {(place, "mark"): True for place, stop in enumerate(stops) if stop}
    return rules.carry_forward(View(range(len(said)), answers), field="label", value=value, until="mark").implied


answers = st.lists(st.sampled_from([None, None, 1, 0, -1]), max_size=30)


@st.composite
def trajectories(draw: st.DrawFn) -> tuple[list[int | None], list[bool]]:
    said = draw(answers)
    return said, draw(st.lists(st.booleans(), min_size=len(said), max_size=len(said)))


@pytest.mark.parametrize(
    ("said", "corrections", "implied"),
    [
        ([], [], {}),
        ([N, N, N], [], {}),
        ([1, 0, N], [], {}),
        ([-1, N, N], [], {1: 0, 2: 0}),
        ([N, -1, N, N], [], {2: 1, 3: 1}),
        ([-1, N, 1, N], [], {1: 0}),
        ([-1, N, 0, N], [], {1: 0}),
        ([-1, N, -1, N], [], {1: 0, 3: 2}),
        ([-1, N, N, N], [2], {1: 0}),
        ([-1, N, 1, N], [2], {1: 0}),
        ([-1, N, -1, N], [2], {1: 0, 3: 2}),
        ([-1, N, N, -1, N], [2], {1: 0, 4: 3}),
        ([-1, N], [0], {1: 0}),
        ([N, N], [0], {}),
    ],
)
def test_an_error_reaches_as_far_as_it_should(said, corrections, implied):
    assert carry_forward(said, [place in corrections for place in range(len(said))], -1) == implied


@given(trajectories())
def test_nothing_is_suggested_where_a_person_spoke_or_marked_a_correction(trajectory):
    said, stops = trajectory
    for place in carry_forward(said, stops, -1):
        assert said[place] is None
        assert not stops[place]


@given(trajectories())
def test_a_cause_is_the_error_said_last_and_nothing_stands_between(trajectory):
    said, stops = trajectory
    for place, cause in carry_forward(said, stops, -1).items():
        assert cause < place
        assert said[cause] == -1
        assert all(said[between] is None and not stops[between] for between in range(cause + 1, place))


@given(trajectories())
def test_every_silent_step_right_after_an_error_or_its_echo_is_filled(trajectory):
    said, stops = trajectory
    implied = carry_forward(said, stops, -1)
    for place in range(1, len(said)):
        follows = said[place - 1] == -1 or place - 1 in implied
        assert (place in implied) == (follows and said[place] is None and not stops[place])


@given(trajectories())
def test_without_errors_nothing_is_suggested(trajectory):
    said, stops = trajectory
    assert carry_forward([None if one == -1 else one for one in said], stops, -1) == {}


@given(trajectories())
def test_accepting_what_is_suggested_and_reading_it_as_said_suggests_nothing_more(trajectory):
    said, stops = trajectory
    implied = carry_forward(said, stops, -1)
    accepted = [-1 if place in implied else one for place, one in enumerate(said)]
    assert carry_forward(accepted, stops, -1) == {}


@given(trajectories(), st.data())
def test_a_correction_stops_every_suggestion_until_the_next_error(trajectory, data):
    said, stops = trajectory
    if not said:
        return
    place = data.draw(st.integers(0, len(said) - 1))
    said[place], stops[place] = None, True
    implied = carry_forward(said, stops, -1)
    for later in range(place, len(said)):
        if said[later] == -1:
            break
        assert later not in implied


def test_the_scheme_says_which_field_value_and_mark_the_rule_is_about():
    said = {(2, "label"): -1, (7, "correction"): True, (4, "note"): "odd", (None, "final"): -1}
    assert implied_by(SCHEME, [2, 4, 7, 9], said) == {4: 2}


def test_a_scheme_without_a_rule_fills_nothing_in():
    plain = SCHEME.model_copy(update={"rules": ()})
    assert implied_by(plain, [1, 2], {(1, "label"): -1}) == {}


def view(revealed=None, **said):
    """`said`: field → {step: answer}, over the steps 1, 3, 5 and 7."""
    answers = {(step, field): value for field, found in said.items() for step, value in found.items()}
    return View([1, 3, 5, 7], answers, revealed)


def test_the_first_error_makes_what_is_silent_before_it_right_and_asks_nothing_after_it():
    found = rules.first_error(view(label={5: -1}), field="label", value=-1, before=1)
    assert (found.field, found.fills, found.implied) == ("label", 1, {1: 5, 3: 5})
    assert found.closed == {(7, "*")}


def test_what_a_person_said_before_the_first_error_stays():
    found = rules.first_error(view(label={1: 0, 5: -1, 7: -1}), field="label", value=-1, before=1)
    assert found.implied == {3: 5}


def test_without_an_error_the_first_error_rule_does_nothing():
    found = rules.first_error(view(label={1: 1}), field="label", value=-1, before=1)
    assert not found.implied
    assert not found.closed


def test_after_the_first_error_the_rest_is_not_asked():
    assert rules.stop_after_first_error(view(label={3: -1}), field="label", value=-1).closed == {(5, "*"), (7, "*")}
    assert rules.stop_after_first_error(view(label={3: 1}), field="label", value=-1).closed == frozenset()


def test_the_first_rating_is_sealed_by_showing_the_end_and_the_second_is_not_asked_before():
    before = rules.hindsight_lock(view(revealed=False), first="foresight", then="hindsight")
    assert set(before.sealed) == {"hindsight"}
    assert (3, "hindsight") in before.closed
    after = rules.hindsight_lock(view(revealed=True), first="foresight", then="hindsight")
    assert set(after.sealed) == {"foresight"}
    assert not after.closed


def test_two_of_an_exclusive_group_at_one_place_are_objected_to():
    said = view(a={1: True, 3: True}, b={3: True}, c={5: True})
    assert rules.exclusive(said, fields=["a", "b"]).problems == {(3, "b"): "goes not with a"}


def test_an_answer_that_must_be_explained_is_objected_to_until_it_is():
    said = view(label={1: -1, 3: -1, 5: 1}, why={3: "It reads the wrong page."})
    found = rules.must_explain(said, field="label", values=[-1], by="why")
    assert found.problems == {(1, "why"): "has to say why"}


# 0 is the first; 1 and 4 were tried after it, 2 and 3 after 1, 5 after 4.
TREE = {0: N, 1: 0, 2: 1, 3: 1, 4: 0, 5: 4}


def tree(**said):
    """`said`: field → {step: answer}, over the steps of TREE."""
    return View(
        list(TREE), {(step, field): one for field, found in said.items() for step, one in found.items()}, None, TREE
    )


def test_an_error_reaches_what_was_tried_after_it_and_none_of_its_siblings():
    def implied(**said):
        return rules.carry_forward(tree(**said), field="label", value=-1, until="mark").implied

    assert implied(label={1: -1}) == {2: 1, 3: 1}
    assert implied(label={2: -1}) == {}
    assert implied(label={0: -1, 4: 1}) == {1: 0, 2: 0, 3: 0}
    assert implied(label={0: -1}, mark={1: True}) == {4: 0, 5: 0}


def test_each_way_down_a_tree_has_a_first_error_of_its_own():
    found = rules.first_error(tree(label={2: -1, 4: -1}), field="label", value=-1, before=1)
    assert found.implied == {0: 2, 1: 2}
    assert found.closed == {(5, "*")}
    assert rules.stop_after_first_error(tree(label={1: -1}), field="label", value=-1).closed == {(2, "*"), (3, "*")}


def test_of_a_tree_a_step_that_is_not_looked_at_hides_nothing_above_it():
    looked = View([0, 2, 5], {(0, "label"): -1}, None, TREE)
    assert rules.carry_forward(looked, field="label", value=-1).implied == {2: 0, 5: 0}


@st.composite
def trees(draw: st.DrawFn) -> View:
    said = draw(answers)
    after = {place: draw(st.sampled_from([None, *range(place)])) for place in range(len(said))}
    return View(range(len(said)), {(place, "label"): one for place, one in enumerate(said) if one}, None, after)


def way_up(view, step):
    while (step := view.after[step]) is not None:
        yield step


@given(trees())
def test_in_a_tree_the_rules_say_of_a_step_what_they_say_of_the_way_to_it(tree):
    whole = rules.carry_forward(tree, field="label", value=-1).implied
    closed = rules.stop_after_first_error(tree, field="label", value=-1).closed
    for step in tree.steps:
        way = [*reversed(list(way_up(tree, step))), step]
        alone = View(way, tree.answers)
        assert rules.carry_forward(alone, field="label", value=-1).implied.get(step) == whole.get(step)
        after = rules.stop_after_first_error(alone, field="label", value=-1).closed
        assert ((step, "*") in after) == ((step, "*") in closed)


@given(trees())
def test_in_a_tree_right_is_what_stands_above_a_first_error_and_nothing_else(tree):
    implied = rules.first_error(tree, field="label", value=-1, before=1).implied
    wrong = {step for step in tree.steps if tree.answers.get((step, "label")) == -1}
    firsts = {step for step in wrong if not wrong & set(way_up(tree, step))}
    above = {one for step in firsts for one in way_up(tree, step)}
    assert set(implied) == {step for step in above if (step, "label") not in tree.answers}
    assert all(cause in firsts and step in way_up(tree, cause) for step, cause in implied.items())


@given(trajectories())
def test_a_tree_without_a_branch_is_a_row_of_steps(trajectory):
    said = {(place, "label"): one for place, one in enumerate(trajectory[0]) if one is not None}
    row = View(range(len(trajectory[0])), said)
    chain = View(row.steps, said, None, {place: place - 1 if place else None for place in row.steps})
    for rule, settings in ((rules.carry_forward, {}), (rules.first_error, {"before": 1})):
        assert rule(row, field="label", value=-1, **settings) == rule(chain, field="label", value=-1, **settings)


CONDITIONAL = """
name: conditional
version: "1"
title: Conditional
main: label
fields:
  - {name: label, title: Label, kind: choice, choices: [{value: 1, title: Right}, {value: -1, title: Wrong}]}
  - name: kind
    title: Kind
    kind: taxonomy
    choices: [{value: a, title: A}, {value: b, title: B}]
    when: {field: label, values: [-1]}
  - {name: deeper, title: Deeper, kind: text, when: {field: kind, values: [b]}}
  - {name: summary, title: Summary, kind: text, target: trajectory, when: {field: label, values: [-1]}}
  - {name: solved, title: Solved, kind: flag, target: trajectory}
  - {name: how, title: How, kind: text, when: {field: solved}}
"""


def closed(**said):
    found = rules.effects(schemes.read(CONDITIONAL), view(**said))
    return lambda step, field: rules.is_closed(found, step, field)


def test_a_field_with_a_condition_is_asked_where_its_step_meets_it():
    is_closed = closed(label={1: -1, 3: 1}, kind={1: ["a", "b"], 5: ["a"]})
    assert not is_closed(1, "kind")
    assert is_closed(3, "kind")
    assert is_closed(5, "kind")
    assert not is_closed(1, "deeper")
    assert is_closed(5, "deeper")


def test_the_trajectory_is_asked_where_any_of_its_steps_meets_the_condition():
    assert closed(label={1: 1})(None, "summary")
    assert not closed(label={1: 1, 7: -1})(None, "summary")


def test_every_step_is_asked_where_the_trajectory_meets_the_condition():
    assert closed()(3, "how")
    assert not closed(solved={None: True})(3, "how")


@pytest.mark.parametrize("scheme", schemes.shipped().values(), ids=lambda scheme: scheme.name)
def test_every_rule_of_a_shipped_scheme_works_on_what_its_sample_says(scheme):
    said = {(one.step, one.field): one.value for one in scheme.sample.answers}
    steps = sorted({step for step, _ in said if step is not None})
    assert len(rules.effects(scheme, View(steps, said, revealed=False))) == len(scheme.rules) + 1
