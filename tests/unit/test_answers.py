"""Answers of any kind in a few words, asked for by address, and told with the texts they point at."""

from __future__ import annotations

import pytest

from annotations.models import Label
from annotations.rendering.corrections import Bit, compared
from annotations.schemes import shipped
from annotations.schemes.schema import Scheme
from annotations.services import asked, legends
from annotations.services.answers import Mark, Voice, Voices
from annotations.services.told import Teller
from annotations.services.wrongs import Wrong


def preset(name: str) -> Scheme:
    return shipped()[name]


def told(name: str, field: str, value: object, **texts: str):
    teller = Teller(Voices(preset(name)), {})
    return teller.answer(Label(field=field, value=value, origin="human"), texts)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_answer_of_a_sample_has_words_a_tone_and_no_trace_of_python(name: str):
    scheme = preset(name)
    assert scheme.sample
    voices = Voices(scheme)
    for one in scheme.sample.answers:
        mark = voices.mark(one.field, one.value)
        assert mark.words
        assert not any(sign in mark.words for sign in ("{'", "['"))
        assert mark.tone in ("right", "neutral", "wrong", "plain")


def test_what_no_longer_fits_its_field_is_shown_as_it_is_stored():
    voice = Voice(preset("agent-process").main_field)
    assert voice.mark({"a": [1]}) == Mark('{"a":[1]}')
    assert voice.mark(7).tone == "plain"
    assert Voice(None).mark("left over").words == "left over"


def test_a_number_is_a_bar_as_high_as_it_is():
    voice = Voice(preset("web-step-grade").main_field)
    assert [voice.mark(value).bar for value in (0, 5, 10)] == [(9, 10), (5, 10), (0, 10)]


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_scheme_has_a_legend_for_its_strips(name: str):
    assert all(mark.words for mark in legends.of(preset(name)))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("agent-process", "correction", "Correction"),
        ("agent-process", "label:-1", "Step: Wrong"),
        ("agent-process", "note", "Note: anything"),
        ("web-step-grade", "grade:2..5", "from 2 to 5"),
        ("web-step-grade", "grade:..5", "to 5"),
        ("first-error", "first_error:none", "none"),
    ],
)
def test_an_address_asks_for_an_answer_of_any_field(name: str, text: str, words: str):
    found = asked.read(text, preset(name))
    assert words in found.words
    assert found.spelled == text


@pytest.mark.parametrize(
    ("name", "text", "accepted"),
    [
        ("agent-process", "colour", "label, correction, note, final"),
        ("agent-process", "label:5", "one of 1, 0, -1"),
        ("agent-process", "label@call-0:1", "one of the fields"),
        ("web-step-grade", "grade:low", "grade:from..to"),
        ("web-step-grade", "grade:nan..1", "grade:from..to"),
        ("reasoning-dimensions", "quality:0..1", "quality.confidence|relevance|coherence"),
    ],
)
def test_an_answer_that_cannot_be_asked_for_is_refused_with_what_can(name: str, text: str, accepted: str):
    with pytest.raises(ValueError, match=".") as no:
        asked.read(text, preset(name))
    assert accepted in str(no.value)


@pytest.mark.parametrize(
    ("name", "wrong", "not_wrong"),
    [
        ("agent-process", -1, [1, 0]),
        ("binary", -1, [1]),
        ("first-error", 3, ["none"]),
        ("web-step-grade", 2, [5, 9]),
        ("reflect-failures", ["misquoted_evidence"], []),
    ],
)
def test_what_calls_a_step_wrong_is_known_where_the_scheme_says_so(name: str, wrong: object, not_wrong: list[object]):
    found = Wrong(preset(name))
    if found.known:
        assert found.says(wrong)
    assert not any(found.says(value) for value in not_wrong)


def test_a_main_field_without_a_wrong_answer_knows_none():
    for name in ("thinking-mode", "rollout-ranking", "memory-operations"):
        assert not Wrong(preset(name)).says(preset(name).main_field.sample())


def test_spans_are_told_as_the_text_they_mark():
    text = "The café 🐟 sign shows a red fish. Two people wait."
    start = text.index("a red fish")
    span = {"part": "message", "start": start, "end": start + 10, "type": "supported"}
    (line,) = told("perception-spans", "claims", [span], message=text).lines
    assert (line.quote, line.mark and line.mark.words) == ("a red fish", "Shown")
    assert line.before + line.quote + line.after == text


def test_a_correction_is_told_beside_what_was_written():
    answer = told("tool-edit", "call_edit@call-0", '{"to": "09-04"}', **{"call-0": '{"to": "09-05"}'})
    assert (answer.part, answer.bits) == ("call 1", [Bit("", '{"to": '), Bit("-", '"09-05"}'), Bit("+", '"09-04"}')])


def test_no_character_of_a_correction_is_lost():
    before, after = "One  two\nthree ", "One two\n\nthree four"
    bits = compared(before, after)
    assert "".join(one.text for one in bits if one.sign != "+") == before
    assert "".join(one.text for one in bits if one.sign != "-") == after
    assert compared("a" * 5_000, "b") == [Bit("+", "b")], "long texts are not held against each other"


def test_a_sentence_is_told_with_its_words_and_a_pair_with_its_names():
    assert told("faithful-correct", "correct@4-9", 1, message="The bridge").quote == "bridg"
    pair = told("rollout-preference", "better@0-2", 2)
    assert (pair.part, pair.mark and pair.mark.words) == ("rollout 0 or 2", "rollout 2 is better")
