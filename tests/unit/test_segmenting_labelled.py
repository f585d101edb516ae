"""What is learned from message by message, of rollouts that were labelled in smaller steps."""

from __future__ import annotations

import pytest

from annotations.formats import FORMATS
from annotations.formats.writer import Writer
from annotations.records import Labelled
from annotations.segmenting import segmented
from annotations.segmenting.labelled import by_message, joined_labelled
from tests.unit.test_segmenting import USER, agent, record


def graded(*grades: int | None, **more) -> Labelled:
    cut = segmented(record(USER, agent("A.\n\nB."), agent("C.")), "paragraph").record
    return Labelled(cut, {place: one for place, one in enumerate(grades, 1) if one is not None}, **more)


@pytest.mark.parametrize(
    ("grades", "whole"),
    [((1, 1, 0), {1: 1, 2: 0}), ((1, 0, 1), {1: 0, 2: 1}), ((1, None, 1), {2: 1}), ((None, -1, 1), {1: -1, 2: 1})],
)
def test_a_message_is_as_good_as_its_worst_part(grades, whole):
    assert joined_labelled(graded(*grades)).grades == whole


def test_the_correction_of_a_message_begins_as_it_began():
    made = joined_labelled(graded(1, -1, 1, corrections={2: "Better."}, explanations={1: "so", 2: "no"}))
    assert (made.corrections, made.explanations) == ({1: "A.\n\nBetter."}, {1: "so\nno"})


def test_a_message_is_as_likely_right_as_its_least_likely_part():
    made = joined_labelled(graded(1, 1, 1, scores={1: 0.9, 2: 0.5, 3: 0.7}, propagated=frozenset([2])))
    assert (made.scores, made.propagated) == ({1: 0.5, 2: 0.7}, {1})


WHOLE = [one for one in FORMATS.values() if isinstance(one, Writer) and one.whole]


@pytest.mark.parametrize("form", WHOLE, ids=lambda one: one.name)
def test_formats_of_conversations_write_whole_messages(form):
    rollouts = []
    for number, last in enumerate(["Good.", "Bad."]):
        said = record(USER, agent("One.\n\nTwo.", [("a", {})]), agent(last), rollout=number, external_id=f"t:{number}")
        steps = {1: 1, 2: 1 - 2 * number}
        rollouts.append(Labelled(said, steps, final=1 - 2 * number))
    cut = [
        Labelled(segmented(one.record, "paragraph").record, {1: 1, 2: 1, 3: one.grades[2]}, final=one.final)
        for one in rollouts
    ]
    asked = {option.name: option.default for option in form.options}
    groups = [[0, 1]] if form.together else [[0], [1]]
    for group in groups:
        written = list(form.files([rollouts[one] for one in group], asked))
        assert list(form.files(by_message(form.whole, [cut[one] for one in group]), asked)) == written
