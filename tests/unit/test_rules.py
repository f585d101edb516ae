"""What the error-propagation rule fills in, by hand-worked cases and by properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations import schemes
from annotations.schemes import rules
from annotations.schemes.rules import carry_forward, implied_by

N = None
SCHEME = schemes.shipped()["agent-process"]

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
    plain = SCHEME.model_copy(update={"propagation": None})
    assert implied_by(plain, [1, 2], {(1, "label"): -1}) == {}


@pytest.mark.parametrize("scheme", schemes.shipped().values(), ids=lambda scheme: scheme.name)
def test_every_shipped_scheme_names_a_rule_that_exists(scheme):
    assert scheme.propagation is None or scheme.propagation.rule in rules.RULES
