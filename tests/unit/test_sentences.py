"""Where sentences begin and end, in code points of the text as it was imported."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.schemes.sentences import sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\n ", []),
        ("One.", ["One."]),
        ("He is 3.5 m tall, says Dr. Smith. Is he?", ["He is 3.5 m tall, says Dr. Smith.", "Is he?"]),
        ("First line.\n\n  Second one!  ", ["First line.", "Second one!"]),
        ("😀👩‍🔬 Yes. 你好。再见。", ["😀👩‍🔬 Yes.", "你好。", "再见。"]),
        ("e\u0301te\u0301. Une autre.", ["e\u0301te\u0301.", "Une autre."]),
    ],
)
def test_a_text_falls_into_its_sentences(text, expected):
    assert [text[start:end] for start, end in sentences(text)] == expected


@given(st.text(max_size=200))
def test_sentences_stand_in_order_do_not_overlap_and_leave_out_only_blanks(text):
    found = sentences(text)
    assert all(start < end <= len(text) for start, end in found)
    assert all(one[1] <= other[0] for one, other in zip(found, found[1:], strict=False))
    covered = {place for start, end in found for place in range(start, end)}
    assert not "".join(letter for place, letter in enumerate(text) if place not in covered).strip()
