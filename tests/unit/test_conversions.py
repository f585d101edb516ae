"""From one scheme to another: exact maps lead back, lossy ones invent nothing, every loss has its sentence."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations import schemes
from annotations.schemes import conversions, conversions_table, revisions, rules
from annotations.schemes.maps import FieldMap, Hop
from annotations.schemes.rules import View
from annotations.schemes.schema import Scheme

SHIPPED = schemes.shipped()
STEPS = [1, 3, 5, 8]
FAMILY = ["agent-process", "binary", "data-prm", "first-error", "prm800k", "processbench"]
MAPS = [(source, to, one) for (source, to), maps in conversions.edges().items() for one in maps]


def route(source: str, to: str) -> conversions.Route:
    found = conversions.route(scheme(source), scheme(to))
    assert found is not None
    return found


def scheme(name: str) -> Scheme:
    return conversions.scores() if name == "scores" else SHIPPED[name]


def said(name: str, *values: Any) -> dict[tuple[int | None, str], Any]:
    """These answers of the main field at the steps; None is no answer."""
    main = scheme(name).main
    return {(step, main): value for step, value in zip(STEPS, values, strict=False) if value is not None}


@st.composite
def answers(draw: st.DrawFn, name: str) -> dict[tuple[int | None, str], Any]:
    """What a person can say under the scheme: any of its fixed answers, and nothing where it does not ask."""
    source = scheme(name)
    found: dict[tuple[int | None, str], Any] = {}
    for spec in source.fields:
        for step in STEPS if spec.of_step else [None]:
            fixed = st.sampled_from(spec.values) if spec.values else st.nothing()
            number = st.floats(0, 1) if spec.kind == "scale" else st.nothing()
            text = st.just("It holds.") if spec.kind == "text" else st.nothing()
            place = st.sampled_from(["none", *STEPS]) if spec.kind == "first_error" else st.nothing()
            value = draw(st.none() | fixed | number | text | place)
            if value is not None:
                found[step, spec.name] = value
    effects = rules.effects(source, View(STEPS, found, revealed=True))
    return {place: value for place, value in found.items() if not rules.is_closed(effects, *place)}


PAIRS = [(one, other) for one, other in permutations(FAMILY, 2)]
EXACT = [(source, to) for source, to in PAIRS if not route(source, to).loses]


@pytest.mark.parametrize(("source", "to"), EXACT)
@settings(max_examples=25)
@given(data=st.data())
def test_over_an_exact_map_and_back_is_where_one_began(source, to, data):
    given_answers = data.draw(answers(source))
    there = route(source, to).convert(given_answers, STEPS)
    back = route(to, source).convert(there.answers, STEPS)
    assert (back.answers, list(there.lost)) == (given_answers, [])


def test_there_are_exact_maps():
    assert ("binary", "agent-process") in EXACT and ("processbench", "agent-process") in EXACT


@pytest.mark.parametrize(("source", "to"), [*PAIRS, ("scores", "binary"), ("web-step-grade", "binary")])
@settings(max_examples=25)
@given(data=st.data())
def test_no_map_invents_a_value(source, to, data):
    given_answers = data.draw(answers(source))
    way = route(source, to)
    made = way.convert(given_answers, STEPS)
    target = scheme(to)
    for place, value in made.answers.items():
        spec = target.field(place[1])
        assert spec and not spec.refusal(value)
        assert made.came[place] in given_answers, "each answer comes from one that somebody gave"
    effects = rules.effects(target, View(STEPS, made.answers, revealed=True))
    assert not [place for place in made.answers if rules.is_closed(effects, *place)]
    for place, value, why in made.lost:
        assert given_answers[place] == value and why
    if made.lost:
        assert way.loses, "what can be lost is said beforehand"


@pytest.mark.parametrize(("source", "to"), PAIRS)
@settings(max_examples=25)
@given(data=st.data())
def test_every_answer_goes_over_or_is_named_as_lost_or_the_map_says_so(source, to, data):
    given_answers = data.draw(answers(source))
    made = route(source, to).convert(given_answers, STEPS)
    gone = set(given_answers) - set(made.came.values()) - {place for place, _, _ in made.lost}
    looks_at_all = any(one.by == "first" for hop in route(source, to).hops for one in hop.maps)
    assert not gone or looks_at_all


def test_a_neutral_step_becomes_unlabelled_and_is_named():
    made = route("agent-process", "binary").convert(said("agent-process", 1, 0, -1, None), STEPS)
    assert made.answers == said("binary", 1, None, -1)
    assert made.lost == [((3, "label"), 0, "Neutral has no counterpart")]


def test_nothing_stands_after_the_first_error():
    made = route("binary", "processbench").convert(said("binary", 1, -1, 1, -1), STEPS)
    assert made.answers == said("processbench", 1, -1)
    assert [place for place, _, _ in made.lost] == [(5, "label"), (8, "label")]


def test_two_maps_are_one_way_and_their_losses_are_joined():
    way = route("data-prm", "prm800k")
    assert way.names == ["data-prm 1", f"agent-process {SHIPPED['agent-process'].version}", "prm800k 1"]
    assert any("could be mended" in one for one in way.loses) and any("ends there" in one for one in way.loses)
    made = way.convert(said("data-prm", 1, 0.5, 0, 1), STEPS)
    assert made.answers == said("prm800k", 1, 0, -1)
    assert made.lost == [((8, "score"), 1, "prm800k does not ask it there")], "at its own place, with its own value"


def test_a_first_error_becomes_labels_and_comes_back():
    for value, labels in ((5, (1, 1, -1)), ("none", (1, 1, 1, 1)), (1, (-1,))):
        there = route("first-error", "processbench").convert({(None, "first_error"): value}, STEPS)
        assert there.answers == said("processbench", *labels)
        back = route("processbench", "first-error").convert(there.answers, STEPS)
        assert back.answers == {(None, "first_error"): value}


def test_a_first_error_behind_an_open_step_is_not_known():
    made = route("agent-process", "first-error").convert(said("agent-process", 1, None, -1), STEPS)
    assert made.answers == {}
    assert made.lost[0].why == "step 3 has no label, so that the first wrong step is not known"
    assert route("binary", "first-error").convert(said("binary", 1, 1, 1), STEPS).answers == {}, (
        "none is not known either"
    )


# 1 is the first; 3 and 5 were tried after it, 8 after 3.
TREE = {1: None, 3: 1, 5: 1, 8: 3}


def test_in_a_tree_only_what_comes_below_the_first_error_is_lost():
    made = route("agent-process", "processbench").convert(said("agent-process", 1, -1, 1, 1), STEPS, after=TREE)
    assert made.answers == said("processbench", 1, -1, 1, None)
    assert [one.place for one in made.lost] == [(8, "label")]


def test_in_a_tree_the_first_error_says_that_the_steps_above_it_are_right():
    found = route("first-error", "processbench").convert({(None, "first_error"): 8}, STEPS, after=TREE)
    assert found.answers == said("processbench", 1, 1, None, -1)


def test_in_a_tree_a_first_error_is_known_where_nothing_is_open_but_below_it_and_no_other_way_has_one():
    to = route("processbench", "first-error")

    def first(*values):
        made = to.convert(said("processbench", *values), STEPS, after=TREE)
        return made.answers.get((None, "first_error")), {one.why.split(",")[0] for one in made.lost}

    assert first(1, -1, 1) == (3, set())
    assert first(1, 1, 1, 1) == ("none", set())
    assert first(1, -1, None) == (None, {"step 5 has no label"})
    assert first(1, -1, -1) == (None, {"several ways of the tree have a first wrong step"})


def test_a_neutral_step_before_the_first_error_does_not_hide_it():
    made = route("agent-process", "first-error").convert(said("agent-process", 1, 0, -1), STEPS)
    assert made.answers == {(None, "first_error"): 5}


def test_a_score_becomes_a_label_by_the_bounds_that_are_written_down():
    made = route("scores", "binary").convert({(1, "score"): 0.5, (3, "score"): 0.499}, STEPS)
    assert made.answers == said("binary", 1, -1)
    grades = route("web-step-grade", "binary").convert({(1, "grade"): 5, (3, "grade"): 6}, STEPS)
    assert grades.answers == said("binary", -1, 1)


def test_schemes_that_no_map_joins_have_no_way():
    assert conversions.route(SHIPPED["rollout-ranking"], SHIPPED["binary"]) is None
    assert "binary" in conversions.targets(SHIPPED["agent-process"])
    assert "rollout-ranking" not in conversions.targets(SHIPPED["agent-process"])


def test_a_scheme_whose_field_was_taken_out_has_no_way_over_it():
    other = SHIPPED["binary"].model_dump(mode="json", exclude={"guidelines", "sources", "check", "sample"})
    other["fields"][0]["name"] = other["main"] = "verdict"
    assert conversions.route(Scheme.model_validate(other), SHIPPED["agent-process"]) is None


@pytest.mark.parametrize(("source", "to", "one"), MAPS, ids=lambda one: one if isinstance(one, str) else one.to)
def test_a_map_names_what_exists_and_says_what_it_loses(source: str, to: str, one: FieldMap):
    spec, target = scheme(source).field(one.source), scheme(to).field(one.to)
    assert spec and target
    for was, now in one.values:
        assert was in spec.values and not target.refusal(now)
    for low, now in one.bounds:
        assert not spec.refusal(low) and not target.refusal(now)
    assert list(one.bounds) == sorted(one.bounds)
    told_apart = len({now for _, now in one.values}) == len(spec.values)
    exact = not one.bounds and (not one.values or told_apart)
    assert one.by or exact or one.loses, "a sentence says what does not go over"


def test_no_map_of_a_scheme_sends_two_fields_to_one_or_one_to_two():
    for maps in conversions.edges().values():
        assert len({one.source for one in maps}) == len({one.to for one in maps}) == len(maps)


def test_a_map_that_is_exact_is_not_written_twice():
    written = {(one.source, one.to) for one in conversions.declared().maps}
    derived = set(conversions.edges()) - written
    assert ("binary", "agent-process") in derived and ("prm800k", "agent-process") in derived
    assert ("binary", "data-prm") not in derived, "two values became one"


def test_what_a_rule_filled_in_goes_over_and_asks_for_nothing():
    hop = Hop(SHIPPED["binary"], SHIPPED["processbench"], conversions.edges()["binary", "processbench"])
    made = hop.convert(said("binary", -1, -1), STEPS, {(3, "label")})
    assert made.answers == said("processbench", -1)


def test_the_same_scheme_is_its_own_exact_way():
    way = conversions.route(SHIPPED["agent-process"], SHIPPED["agent-process"])
    assert way is not None and way.loses == ()
    assert revisions.hop(SHIPPED["prm800k"], SHIPPED["prm800k"]).reasons == {}


def test_the_table_of_maps_is_the_one_that_make_docs_would_write():
    assert conversions_table.table() in conversions_table.PAGE.read_text(), "run make docs"
