"""From one version of a scheme to the next: what still fits goes over, what was renamed too, and the rest is named."""

from __future__ import annotations

from typing import Any

import pytest

from annotations.records import Json
from annotations.schemes import SchemeRefused, conversions, read
from annotations.schemes.schema import Scheme, thawed

STEPS = [1, 2, 3]


def scheme(*fields: str, version: str = "1", **more: str) -> Scheme:
    rest = "\n".join(f"{key}: {value}" for key, value in more.items())
    listed = "\n".join(f"  - {{{one}}}" for one in fields)
    return read(f'name: ours\nversion: "{version}"\ntitle: Ours\nmain: label\nfields:\n{listed}\n{rest}\n')


LABEL = "name: label, title: Step, kind: choice, choices: [{value: good, title: Good}, {value: bad, title: Bad}]"
TREE = "name: types, title: Types, kind: taxonomy, choices: [{value: a, title: A}, {value: b, title: B}]"


def over(old: Scheme, new: Scheme, answers: dict[tuple[int | None, str], Json]) -> Any:
    way = conversions.route(old, new)
    assert way is not None
    return way.convert(answers, STEPS)


def test_other_titles_keys_and_helps_change_no_answer():
    new = scheme(LABEL.replace("title: Good", "title: Fine, help: Yes., keys: ['1']"), version="2")
    answers = {(1, "label"): "good", (2, "label"): "bad"}
    assert over(scheme(LABEL), new, answers).answers == answers


def test_a_value_that_is_gone_is_named():
    new = scheme(LABEL.replace("value: bad", "value: wrong"), version="2")
    made = over(scheme(LABEL), new, {(1, "label"): "good", (2, "label"): "bad"})
    assert made.answers == {(1, "label"): "good"}
    assert made.lost == [((2, "label"), "bad", "label takes one of good, wrong, not 'bad'")]


def test_a_value_that_was_renamed_goes_over_and_comes_back():
    new = scheme(
        LABEL.replace("value: bad", "value: wrong"), version="2", renames="[{field: label, from: bad, to: wrong}]"
    )
    answers = {(1, "label"): "good", (2, "label"): "bad"}
    there = over(scheme(LABEL), new, answers)
    assert (there.answers, there.lost) == ({(1, "label"): "good", (2, "label"): "wrong"}, [])
    assert over(new, scheme(LABEL), there.answers).answers == answers


def test_a_field_that_was_renamed_goes_over_and_comes_back():
    old = scheme(LABEL, "name: why, title: Why, kind: text")
    new = scheme(
        LABEL, "name: reason, title: Why, kind: text", version="2", renames="[{from_field: why, to_field: reason}]"
    )
    there = over(old, new, {(1, "why"): "It is late."})
    assert there.answers == {(1, "reason"): "It is late."} and there.came == {(1, "reason"): (1, "why")}
    assert over(new, old, there.answers).answers == {(1, "why"): "It is late."}


def test_renames_are_frozen_with_the_scheme():
    new = scheme(LABEL, version="2", renames="[{field: label, from: poor, to: bad}]")
    assert thawed(new.document()).renames == new.renames != ()
    assert "renames" not in scheme(LABEL).document()


def test_a_list_goes_over_where_every_value_still_exists_in_the_order_of_the_new_tree():
    turned = TREE.replace("{value: a, title: A}, {value: b, title: B}", "{value: b, title: B}, {value: a, title: A}")
    new = scheme(LABEL, turned, version="2")
    assert over(scheme(LABEL, TREE), new, {(1, "types"): ["a", "b"]}).answers == {(1, "types"): ["b", "a"]}
    fewer = scheme(LABEL, TREE.replace("{value: a, title: A}, ", ""), version="3")
    made = over(scheme(LABEL, TREE), fewer, {(1, "types"): ["a", "b"], (2, "types"): ["b"]})
    assert made.answers == {(2, "types"): ["b"]} and made.lost[0].value == ["a", "b"], "no half of an answer"


def test_a_renamed_value_is_renamed_within_a_list():
    renames = "[{field: types, from: a, to: c}]"
    new = scheme(LABEL, TREE.replace("value: a,", "value: c,"), version="2", renames=renames)
    assert over(scheme(LABEL, TREE), new, {(1, "types"): ["a", "b"]}).answers == {(1, "types"): ["c", "b"]}


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        ("min: 0, max: 10, step: 0.5", [4, 7]),
        ("min: 0, max: 5, step: 1", []),
        ("min: 0, max: 10, step: 1, better: low", []),
        ("min: 0, max: 10, step: 1, marks: [{at: 4, title: Four}]", [4, 7]),
    ],
)
def test_a_number_goes_over_where_it_means_the_same(changed, kept):
    grade = "name: grade, title: Grade, kind: scale, "
    old, new = scheme(LABEL, grade + "min: 0, max: 10, step: 1"), scheme(LABEL, grade + changed, version="2")
    made = over(old, new, {(1, "grade"): 4, (2, "grade"): 7})
    assert list(made.answers.values()) == kept
    assert len(made.lost) == 2 - len(kept)


def test_a_number_of_a_unit_goes_over_wherever_it_fits():
    field = "name: time, title: Time, kind: scale, unit: min, min: 0, max: "
    old, new = scheme(LABEL, field + "60"), scheme(LABEL, field + "30", version="2")
    made = over(old, new, {(1, "time"): 20, (2, "time"): 45})
    assert made.answers == {(1, "time"): 20} and made.lost[0].value == 45


def test_a_field_of_another_kind_or_of_other_places_takes_nothing():
    old = scheme(LABEL, "name: odd, title: Odd, kind: flag")
    texts = scheme(LABEL, "name: odd, title: Odd, kind: text", version="2")
    assert over(old, texts, {(1, "odd"): True}).lost[0].why == "odd was of kind flag and is of kind text"
    calls = scheme(LABEL, "name: odd, title: Odd, kind: flag, target: tool_call", version="3")
    why = "odd was asked of each step and is asked of each tool_call"
    assert over(old, calls, {(1, "odd"): True}).lost[0].why == why


def test_a_part_of_a_step_keeps_its_part():
    field = "title: Call, kind: flag, target: tool_call"
    old = scheme(LABEL, f"name: odd, {field}")
    new = scheme(LABEL, f"name: bad_call, {field}", version="2", renames="[{from_field: odd, to_field: bad_call}]")
    assert over(old, new, {(1, "odd@call-0"): True}).answers == {(1, "bad_call@call-0"): True}


def test_an_answer_that_the_new_version_does_not_ask_for_any_more_is_named():
    note = "name: note, title: Note, kind: text"
    new = scheme(LABEL, f"{note}, when: {{field: label, values: [bad]}}", version="2")
    answers = {(1, "label"): "good", (1, "note"): "Nice.", (2, "label"): "bad", (2, "note"): "No."}
    made = over(scheme(LABEL, note), new, answers)
    assert set(answers) - set(made.answers) == {(1, "note")}
    assert made.lost == [((1, "note"), "Nice.", "ours does not ask it there")]


@pytest.mark.parametrize(
    ("rename", "said"),
    [
        (
            "{field: label, from: poor, to: worse}",
            "label never says 'worse'; accepted is one of good, bad",
        ),
        (
            "{field: label, from: good, to: bad}",
            "label still says 'good'; accepted is a value that is gone",
        ),
        ("{field: labl, from: poor, to: bad}", "renames.0.field: there is no field 'labl'; accepted is one of label"),
        ("{from_field: old, to_field: labl}", "renames.0.to_field: there is no field 'labl'; accepted is one of label"),
        ("{field: label, was: poor, to: bad}", "is no key of an entry of renames; accepted are field, from, to"),
        ("{field: label, from: poor}", "renames.0: this is no rename; accepted is {field, from, to} for a value"),
        ("{field: label, from: a, to: bad}, {field: label, from: b, to: bad}", "renames.1: 'bad' stands here a second"),
    ],
)
def test_a_rename_that_makes_no_sense_is_refused_with_its_line_and_what_is_accepted(rename, said):
    with pytest.raises(SchemeRefused) as refused:
        scheme(LABEL, version="2", renames=f"[{rename}]")
    assert "line 7, " in str(refused.value) and said in str(refused.value)
