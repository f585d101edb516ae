"""Tables whose columns nobody knows: steps in several columns, and a row a step whose column names the rollout."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from annotations.formats.base import Item, Refused
from annotations.formats.guessing import guess
from annotations.formats.mapped import Mapped
from annotations.formats.opening import values
from annotations.formats.opening.sources import Source
from annotations.formats.pointers import pointers
from annotations.records import TrajectoryRecord

COLUMNS = """\
prompt,step 1,step 2,step 3,answer,label 1,label 2,label 3
How deep?,I look.,I measure.,It is 13 m.,13 m,good,,poor
How wide?,I look.,,I guess.,4 m,good,,poor
"""
ROWS = """\
run\tsays\tasked\tverdict\tof.model
r1\tI look.\tHow deep?\tgood\tsmall
r1\tIt is 13 m.\tHow deep?\t\tsmall
r2\tI guess.\tHow wide?\tpoor\tlarge
"""


def table(text: str, name: str) -> Source:
    return Source(name, lambda: BytesIO(text.encode()))


def read(text: str, name: str, config: dict[str, Any]) -> list[Item]:
    return list(Mapped("mine", "Mine", pointers(config)).read(table(text, name)))


def records(items: list[Item]) -> list[TrajectoryRecord]:
    assert not [problem for item in items for problem in item.problems]
    return [item.record for item in items if isinstance(item.record, TrajectoryRecord)]


def first(text: str, name: str) -> Any:
    return values.look(table(text, name)).values[0]


MEANT = {"good": 1, "poor": -1}


def test_numbered_columns_are_taken_for_steps_and_their_labels():
    found = guess(first(COLUMNS, "a.csv"))
    assert found == {
        "turns": "step 1, step 2, step 3",
        "labels": "label 1, label 2, label 3",
        "prompt": "prompt",
        "reference": "answer",
    }
    one, two = records(read(COLUMNS, "a.csv", found | {"values": MEANT}))
    assert [step.message for step in one.steps] == ["How deep?", "I look.", "I measure.", "It is 13 m."]
    assert one.rating.steps == {1: 1, 3: -1}, "an empty cell says nothing"
    assert [step.message for step in two.steps] == ["How wide?", "I look.", "I guess."]
    assert two.rating.steps == {1: 1, 2: -1}, "a label goes with the column of its step"


def test_rows_of_one_rollout_are_its_steps():
    config = {"group": "run", "content": "says", "prompt": "asked", "turn_label": "verdict", "model": "of.model"}
    one, two = records(read(ROWS, "b.tsv", config | {"values": MEANT}))
    assert [(step.source, step.message) for step in one.steps] == [
        ("user", "How deep?"),
        ("agent", "I look."),
        ("agent", "It is 13 m."),
    ]
    assert (one.external_id, one.policy_model, one.rating.steps) == ("r1", "small", {1: 1})
    assert (two.external_id, two.rating.steps) == ("r2", {1: -1})


def test_a_row_a_step_is_guessed_by_the_columns_names():
    found = guess({"trajectory_id": "a", "text": "I look.", "label": "1", "question": "How deep?"})
    assert found == {"group": "trajectory_id", "content": "text", "turn_label": "label", "prompt": "question"}


def test_rows_that_stand_apart_are_told_with_where_the_others_are():
    config = {"group": "run", "content": "says"}
    *_, last = read(ROWS + "r1\tAgain.\t\t\t\n", "b.tsv", config)
    (problem,) = last.problems
    assert (last.record, problem.line) == (None, 4)
    assert problem.reason == "run: rows of 'r1' stand apart, from line 1 on; accepted are rows together"


def test_a_row_that_names_no_rollout_is_told_and_the_others_are_read():
    items = read(ROWS + "\tLost.\t\t\t\n", "b.tsv", {"group": "run", "content": "says"})
    assert [problem.reason for item in items for problem in item.problems] == [
        "run: found the text ''; accepted is a rollout's name"
    ]
    assert len([item for item in items if item.record]) == 2


def test_a_table_of_these_columns_is_recognised_and_others_are_not():
    columns = Mapped("a", "A", pointers({"turns": "step 1, step 2"}))
    rows = Mapped("b", "B", pointers({"group": "run", "content": "says"}))
    assert columns.recognises(first(COLUMNS, "a.csv")) and not columns.recognises(first(ROWS, "b.tsv"))
    assert rows.recognises(first(ROWS, "b.tsv")) and not rows.recognises(first(COLUMNS, "a.csv"))
    for other in (None, [], {}, "x", 3, {"run": {"a": 1}}, {"step 1": [1]}):
        assert not columns.recognises(other) and not rows.recognises(other)


def test_pointers_without_turns_or_with_too_few_labels_are_refused():
    with pytest.raises(Refused, match="accepted is where the turns are"):
        pointers({"prompt": "asked"})
    with pytest.raises(Refused, match="found 2 columns for 3 of steps"):
        pointers({"turns": "a, b, c", "labels": "d, e"})


def test_a_row_without_any_step_is_told():
    (item,) = read("prompt,step 1,step 2\nHow deep?,,\n", "a.csv", {"turns": "step 1, step 2"})
    assert "found nothing in any of these columns" in item.problems[0].reason
