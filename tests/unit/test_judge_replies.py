"""Answers of judges: how far down the ladder they are read, what is asked once more, and what has failed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations import schemes
from models_service.judges import replies
from models_service.judges.asked import Answer, Question, Said, Unanswered, Verdict
from models_service.judges.methods import single
from models_service.judges.replies import NoJson, parsed
from tests import judging_cases

SCHEME = schemes.shipped()["agent-process"]
CASE = judging_cases.case(SCHEME)
RIGHT: dict[Any, Any] = {
    (1, "label"): -1,
    (2, "label"): 1,
    (2, "correction"): True,
    (3, "label"): 1,
    (None, "final"): 1,
}
WHOLE = judging_cases.spoken(CASE, RIGHT)


def judged(*answers: str | Said, **more: Any) -> tuple[Verdict, list[Question]]:
    """The verdict when the model answers so, and what it was asked."""
    answer, asked = judging_cases.scripted(*answers)
    verdict = judging_cases.played(single.asking(judging_cases.judge(**more), CASE), answer)
    return verdict, asked


def changed(**entries: Any) -> str:
    """The whole answer with the entry of step 2's label changed."""
    made = json.loads(json.dumps(WHOLE))
    made["steps"]["2"]["label"] |= entries
    return json.dumps(made)


def without(*steps: str) -> str:
    return json.dumps({**WHOLE, "steps": {step: one for step, one in WHOLE["steps"].items() if step not in steps}})


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(WHOLE),
        f"\ufeff  {json.dumps(WHOLE, indent=2)}\n",
        f"I looked at it.\n\n```json\n{json.dumps(WHOLE, indent=1)}\n```\n",
        f"First:\n```json\n{changed(answer=0)}\n```\nNo, better:\n~~~\n{json.dumps(WHOLE)}\n~~~",
        f"<think>\n```json\n{changed(answer=0)}\n```\n</think>\n{json.dumps(WHOLE)}",
    ],
    ids=["whole", "with blanks", "fenced", "the last fence", "after a thought"],
)
def test_whole_json_and_the_last_fenced_block_are_read(text: str):
    verdict, asked = judged(text)
    assert verdict.failed == "" and verdict.labels == RIGHT
    assert verdict.explanations == dict.fromkeys(RIGHT, "Because.")
    assert [one.purpose for one in asked] == ["verdict"]


WRONG = {
    "prose": ("All steps look fine to me.", "the answer is no JSON"),
    "empty": ("  \n", "the answer is empty"),
    "truncated": (json.dumps(WHOLE)[:-40], "the answer is no JSON"),
    "a key twice": (json.dumps(WHOLE).replace('"2":', '"1":'), "the key '1' stands there twice"),
    "no number": (json.dumps(WHOLE).replace('"confidence": null', '"confidence": NaN'), "NaN is no number"),
    "too large a number": (
        json.dumps(WHOLE).replace('"confidence": null', '"confidence": 1e999'),
        "1e999 is no number",
    ),
    "thousands of digits": (json.dumps(WHOLE).replace('"confidence": null', f'"confidence": {"9" * 5000}'), "digits"),
    "nested without end": ("[" * 100_000, "nested too deeply"),
    "nested deeply where nobody looks": (
        json.dumps({**WHOLE, "x": json.loads("[" * 50 + "]" * 50)}),
        "nested too deeply",
    ),
    "a list": ("[1, 0, -1]", "accepted is an object"),
    "a text for a number": (changed(answer="1"), "steps.2.label.answer: label takes one of 1, 0, -1, not '1'"),
    "true for 1": (changed(answer=True), "steps.2.label.answer: label takes one of 1, 0, -1, not True"),
    "1.0 for 1": (changed(answer=1.0), "label takes one of 1, 0, -1, not 1.0"),
    "another value": (changed(answer=2), "label takes one of 1, 0, -1, not 2"),
    "null for a verdict": (changed(answer=None), "steps.2.label: is missing"),
    "no reason": (changed(why=" "), "steps.2.label.why"),
    "a missing step": (without("3"), "steps.3.label: is missing; accepted is 1, 0, -1"),
    "bare verdicts": ('{"steps": {"1": 1, "2": 1, "3": 1}}', "steps.1: found 1; accepted is an object"),
}


@pytest.mark.parametrize(("text", "reason"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_read_is_asked_for_once_more_and_then_counts(text: str, reason: str):
    verdict, asked = judged(text, json.dumps(WHOLE))
    assert verdict.failed == "" and verdict.labels == RIGHT
    assert verdict.detail["repaired"] is True
    assert [one.purpose for one in asked] == ["verdict", "repair"]
    assert asked[1].messages[: len(asked[0].messages)] == asked[0].messages
    assert reason in asked[1].messages[-1]["content"]
    assert asked[1].schema == asked[0].schema


@pytest.mark.parametrize(("text", "reason"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_read_twice_has_failed_and_has_no_labels(text: str, reason: str):
    verdict, asked = judged(text, text)
    assert reason in verdict.failed
    assert verdict.labels == {} and verdict.explanations == {} and verdict.chances == {}
    assert len(asked) == 2


def test_what_was_right_of_a_failed_answer_is_kept_for_people_and_is_no_label():
    verdict, _ = judged(without("3"), without("2", "3"))
    assert verdict.labels == {}
    assert verdict.detail["partial"] == {
        "steps.1.label": -1,
        "steps.2.label": 1,
        "steps.2.correction": True,
        "trajectory.final": 1,
    }


def test_steps_and_keys_that_were_not_asked_about_are_left_out_and_noted():
    made = json.loads(json.dumps(WHOLE))
    made["steps"] |= {"0": made["steps"]["1"], "17": {"label": {"why": "x", "answer": -1}}, "01": {}}
    made["steps"]["1"]["mood"] = {"why": "x", "answer": 1}
    made["steps"]["1"]["label"]["severity"] = "high"
    made["summary"] = "All in all fine."
    verdict, _ = judged(json.dumps(made))
    assert verdict.labels == RIGHT
    noted = {"steps.0", "steps.17", "steps.01", "steps.1.mood", "steps.1.label.severity", "summary"}
    assert set(verdict.detail["ignored"]) == noted


def test_a_flag_that_is_not_set_and_an_empty_note_say_nothing():
    made = json.loads(json.dumps(WHOLE))
    made["steps"]["1"]["correction"] = {"evidence": "", "why": "None here.", "answer": False}
    made["steps"]["1"]["note"] = {"answer": " "}
    verdict, _ = judged(json.dumps(made))
    assert verdict.labels == RIGHT


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Unanswered("the server answered 500 five times"), "the server answered 500 five times"),
        (Answer("", refusal="I cannot help with that."), "the model refused: I cannot help with that."),
        (Answer(json.dumps(WHOLE)[:-9], finish="length"), "cut off: it reached max_tokens"),
        (Answer("", finish="content_filter"), "the server withheld the answer (content_filter)"),
    ],
)
def test_silence_is_no_form_to_be_put_right_and_has_its_reason(said: Said, reason: str):
    verdict, asked = judged(said)
    assert reason in verdict.failed and verdict.labels == {}
    assert len(asked) == 1


def test_an_answer_that_is_whole_counts_although_it_reached_its_most_tokens():
    assert judged(Answer(json.dumps(WHOLE), finish="length"))[0].labels == RIGHT


def test_where_the_repair_is_not_answered_the_reason_names_both():
    verdict, _ = judged("Hm.", Unanswered("the line is dead"))
    assert verdict.failed.startswith("the line is dead (the first answer: the answer is no JSON")


def test_the_answer_that_is_to_be_put_right_is_shown_without_special_tokens_and_not_in_all_its_length():
    _, asked = judged("<|im_start|>" + "x" * 100_000, json.dumps(WHOLE))
    shown = asked[1].messages[-2]
    assert shown["role"] == "assistant" and "<|im_start|>" not in shown["content"]
    assert len(shown["content"]) < 21_000


def test_evidence_and_confidence_are_kept_and_evidence_that_is_nowhere_is_named():
    made = json.loads(json.dumps(WHOLE))
    made["steps"]["1"]["label"] |= {"evidence": "closed on … Mondays", "confidence": 90}
    made["steps"]["2"]["label"] |= {"evidence": "“The moon is cheese”", "confidence": 250}
    verdict, _ = judged(json.dumps(made))
    assert verdict.detail["evidence"]["steps.1.label"] == "closed on … Mondays"
    assert verdict.detail["confidence"] == {"steps.1.label": 90}
    assert verdict.detail["unfounded"] == ["steps.2.label"]


def test_characters_that_no_database_takes_become_a_sign():
    made = json.loads(json.dumps(WHOLE))
    made["steps"]["1"]["note"] = {"answer": "a\x00b"}
    made["steps"]["1"]["label"]["why"] = "half a pair: \ud83d."
    verdict, _ = judged(json.dumps(made))
    assert verdict.labels[(1, "note")] == "a\ufffdb"
    assert verdict.explanations[(1, "label")] == "half a pair: \ufffd."
    json.dumps(verdict.detail, ensure_ascii=False).encode()


def test_how_the_form_was_asked_for_and_how_the_answer_ended_are_kept():
    verdict, _ = judged(Answer(json.dumps(WHOLE), rung="json_object"))
    assert (verdict.detail["rung"], verdict.detail["finish"]) == ("json_object", "stop")


TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(TEXTS, inner)),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(value=JSON, fenced=st.booleans(), before=st.text(alphabet='ab{}[]" \n', max_size=20))
def test_any_json_is_read_as_it_is_bare_or_fenced(value: Any, fenced: bool, before: str):
    text = f"{before}\n```json\n{json.dumps(value)}\n```" if fenced else json.dumps(value)
    assert json.dumps(parsed(text), sort_keys=True) == json.dumps(value, sort_keys=True)
    found, start = replies.document(text)
    assert text[start : start + len(found)] == found
    assert json.loads(found) == value


@settings(max_examples=200, deadline=None)
@given(text=st.text())
def test_any_text_is_json_or_refused_with_a_reason(text: str):
    try:
        parsed(text)
    except NoJson as no:
        assert str(no)


@settings(max_examples=100, deadline=None)
@given(cut=st.integers(1, len(json.dumps(WHOLE)) - 1))
def test_no_part_of_an_answer_is_an_answer(cut: int):
    verdict, _ = judged(json.dumps(WHOLE)[:cut], json.dumps(WHOLE)[:cut])
    assert verdict.failed and verdict.labels == {}
