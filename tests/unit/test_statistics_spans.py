"""Agreement on spans, against numbers worked by hand and against counting every code point."""

from __future__ import annotations

from array import array
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.tables import SpanTable
from models_service.statistics import distances, spans
from models_service.statistics.figures import figures
from models_service.statistics.spans import Stretch, matched

LENGTH = 8


def table(said, lengths=(10,), types=("a", "b")):
    """`said` has for each rater, for each text, (start, end, type) of their spans; None: not looked at."""
    readers = [(rater, text) for rater, each in enumerate(said) for text, marks in enumerate(each) if marks is not None]
    rows = [
        (rater, text, start, end, types.index(kind))
        for rater, each in enumerate(said)
        for text, marks in enumerate(each)
        for start, end, kind in marks or ()
    ]
    ints = [array("i", (row[place] for row in rows)) for place in range(5)]
    return SpanTable(
        types=types,
        text_task=array("i", range(len(lengths))),
        text_length=array("i", lengths),
        reader_rater=array("i", (one for one, _ in readers)),
        reader_text=array("i", (one for _, one in readers)),
        span_rater=ints[0],
        span_text=ints[1],
        span_start=ints[2],
        span_end=ints[3],
        span_type=ints[4],
    )


def measured(said, lengths=(10,), types=("a", "b")):
    """The figures over all types, then of each."""
    made = table(said, lengths, types)
    blocks = spans.blocks(made, range(len(said)), len(lengths))
    found = [figures(each, 0, 0) for each in blocks]
    return [{name: figure for part in each.values() for name, figure in part.items()} for each in found]


def values(*args, **kwargs):
    return [{name: figure.value for name, figure in each.items()} for each in measured(*args, **kwargs)]


# --- by hand


def test_two_spans_that_meet_agree_in_part():
    # 2-6 and 4-8 of ten: both inside 2, both outside 4, apart 4. n = 20, inside 8: alpha = 1 - 19*8 / (2*8*12) = 5/24.
    every, of_a, of_b = values([[[(2, 6, "a")]], [[(4, 8, "a")]]])
    assert every["alpha_characters"] == pytest.approx(5 / 24)
    assert of_a == every
    assert (every["f1_exact"], every["f1_overlap"], every["f1_iou"]) == (0, 1, 0)
    assert of_b["f1_overlap"] is None


def test_half_of_the_union_is_enough():
    # 0-4 and 0-8: 4 of 8.
    every, *_ = values([[[(0, 4, "a")]], [[(0, 8, "a")]]])
    assert (every["f1_exact"], every["f1_overlap"], every["f1_iou"]) == (0, 1, 1)


def test_the_same_stretch_of_another_type_is_no_match():
    # Characters: {a} against {b} in 5, nothing in 5. n = 20, margins 5, 5, 10: 1 - 19*10 / (400 - 150) = 60/250.
    every, of_a, _ = values([[[(0, 5, "a")]], [[(0, 5, "b")]]])
    assert every["alpha_characters"] == pytest.approx(60 / 250)
    assert every["f1_overlap"] == 0
    # Inside and outside of a: apart in 5, margins 5 and 15: 1 - 19*10 / (2*5*15).
    assert of_a["alpha_characters"] == pytest.approx(1 - 190 / 150)


def test_a_rater_who_marked_nothing_disagrees_and_one_who_did_not_look_says_nothing():
    nothing, *_ = values([[[(0, 5, "a")]], [[]]])
    assert nothing["f1_exact"] == 0
    # Apart in 5 of 10; n = 20, margins 5 and 15: 1 - 19*10 / 150.
    assert nothing["alpha_characters"] == pytest.approx(1 - 190 / 150)
    unread, *_ = measured([[[(0, 5, "a")]], [None]])
    assert unread["alpha_characters"].reason == "No text was looked at by two raters."
    assert unread["f1_exact"].reason == "Nobody marked anything in a text that two raters looked at."


def test_overlapping_spans_of_one_rater_are_each_matched_once():
    # One marks 0-6 and 4-10, the other 0-10: one of them is matched, of three spans: 2*1/3.
    every, *_ = values([[[(0, 6, "a"), (4, 10, "a")]], [[(0, 10, "a")]]])
    assert every["f1_overlap"] == pytest.approx(2 / 3)
    assert every["alpha_characters"] is None  # all is inside for both
    # Nested spans of two types: {a, b} against {a} in 2-4, MASI 2/3. Sets: {a} 4 + 6 = 10, {a,b} 2, {} 8; n = 20.
    # Observed 2 * 2 * 2/3 = 8/3. Expected 2 * (10*2*2/3 + 10*8 + 2*8) = 2 * (40/3 + 96) = 656/3.
    nested, *_ = values([[[(0, 6, "a"), (2, 4, "b")]], [[(0, 6, "a")]]])
    assert nested["alpha_characters"] == pytest.approx(1 - 19 * (8 / 3) / (656 / 3))
    assert nested["f1_exact"] == pytest.approx(2 / 3)


def test_a_pairing_is_changed_where_that_lets_another_in():
    # The first overlaps both, the second only the first of theirs: two pairs, whichever comes first.
    assert matched([Stretch(0, 9), Stretch(0, 2)], [Stretch(0, 3), Stretch(5, 9)], spans.overlap) == 2


def test_with_three_raters_every_pair_counts():
    # Equal spans of two, nothing by the third: pairs 1 of 1, 0 of 1, 0 of 1 spans: 2 / (2 + 1 + 1).
    every, *_ = measured([[[(0, 5, "a")]], [[(0, 5, "a")]], [[]]])
    assert every["f1_exact"].value == 0.5
    assert every["f1_exact"].n == 2


def test_text_that_nobody_marks_hardly_moves_alpha():
    small, *_ = values([[[(2, 6, "a")]], [[(4, 8, "a")]]], lengths=(1_000,))
    large, *_ = values([[[(2, 6, "a")]], [[(4, 8, "a")]]], lengths=(1_000_000,))
    # Towards 1 - apart / (2 * mean marked) = 1 - 4/8.
    assert small["alpha_characters"] == pytest.approx(0.5, abs=0.01)
    assert large["alpha_characters"] == pytest.approx(0.5, abs=0.0001)


def test_a_span_that_runs_past_its_text_ends_with_it():
    every, *_ = values([[[(5, 99, "a")]], [[(5, 10, "a")]]])
    assert (every["alpha_characters"], every["f1_exact"]) == (1, 1)


# --- by definition

mark = st.tuples(st.integers(0, LENGTH - 1), st.integers(1, LENGTH), st.sampled_from("ab")).filter(
    lambda m: m[0] < m[1]
)
marks = st.none() | st.lists(mark, max_size=4)
readings = st.integers(2, 3).flatmap(
    lambda raters: st.lists(st.lists(marks, min_size=2, max_size=2), min_size=raters, max_size=raters)
)


@given(readings)
def test_alpha_is_that_of_counting_every_code_point(said):
    rows = [
        [frozenset(k for s, e, k in each[text] if s <= at < e) for each in said if each[text] is not None]
        for text in range(2)
        for at in range(LENGTH)
    ]
    pairable = [row for row in rows if len(row) > 1]
    everything = [value for row in pairable for value in row]
    n = len(everything)
    value = values(said, lengths=(LENGTH, LENGTH))[0]["alpha_characters"]
    among = sum(distances.masi(a, b) for a, b in permutations(everything, 2))
    if not among:
        assert value is None
        return
    within = sum(sum(distances.masi(a, b) for a, b in permutations(row, 2)) / (len(row) - 1) for row in pairable)
    assert value == pytest.approx(1 - (within / n) / (among / (n * (n - 1))))


@given(st.lists(mark, min_size=1, max_size=4))
def test_who_marks_the_same_agrees_fully(each):
    each = sorted(set(each))
    every, *_ = values([[each], [each]], lengths=(LENGTH,))
    assert every["alpha_characters"] in (None, 1)
    assert every["f1_exact"] == every["f1_overlap"] == every["f1_iou"] == 1


@given(readings)
def test_a_looser_match_never_finds_less(said):
    for each in values(said, lengths=(LENGTH, LENGTH)):
        if each["f1_exact"] is not None:
            assert each["f1_exact"] <= each["f1_iou"] <= each["f1_overlap"] <= 1


def tried(near):
    """As many pairs as can be, by trying all."""
    if not near:
        return 0
    rest = near[1:]
    return max([tried(rest), *(1 + tried([each - {place} for each in rest]) for place in near[0])])


@given(st.lists(mark, max_size=4), st.lists(mark, max_size=4))
def test_matching_finds_as_many_pairs_as_there_are(ours, theirs):
    one, other = ([Stretch(start, end) for start, end, _ in each] for each in (ours, theirs))
    for match in spans.MATCHES.values():
        near = [{place for place, span in enumerate(other) if match(mine, span)} for mine in one]
        assert matched(one, other, match) == tried(near)
