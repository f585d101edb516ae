"""Chances of verdicts from the log-probabilities of letters."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations import schemes
from models_service.judges import methods, tokens
from models_service.judges.asked import Answer, Case, Question, Said, TokenChance, Verdict
from tests import judging_cases

AGENT = schemes.shipped()["agent-process"]
CASE = judging_cases.case(AGENT)
NAMES = {"A": "1", "B": "0", "C": "-1"}


def token(text: str, **top: float) -> TokenChance:
    """A token with the probabilities of those that could have stood there."""
    logs = {name.replace("_", " "): math.log(share) for name, share in top.items()}
    return TokenChance(text, logs.get(text, -0.1), logs)


def judged(case: Case, *answers: str | Said, **more: Any) -> tuple[Verdict, list[Question]]:
    answer, asked = judging_cases.scripted(*answers)
    judge = judging_cases.judge(method="log_probs", **more)
    return judging_cases.played(methods.asking(judge, case), answer), asked


def test_spellings_of_a_letter_are_one_and_the_whole_is_1():
    found = tokens.chances(token("A", A=0.4, _A=0.1, a=0.1, B=0.2, **{'"C': 0.1}, The=0.1), NAMES)
    assert found == pytest.approx({"1": 0.6 / 0.9, "0": 0.2 / 0.9, "-1": 0.1 / 0.9})


def test_a_letter_that_is_not_among_the_likeliest_tokens_has_the_floor():
    found = tokens.chances(TokenChance("A", math.log(0.5), {"A": math.log(0.5), "B": -9999.0}), NAMES)
    floor = math.exp(-20)
    assert found == pytest.approx(
        {"1": 0.5 / (0.5 + 2 * floor), "0": floor / (0.5 + 2 * floor), "-1": floor / (0.5 + 2 * floor)}
    )
    assert all(found.values())


def test_where_no_letter_is_among_them_there_are_no_chances():
    assert tokens.chances(token("The", The=0.9, It=0.1), NAMES) == {}
    assert tokens.chances(TokenChance("A", -9999.0, {"A": -9999.0}), NAMES) == {}


def test_with_two_verdicts_the_chance_is_that_of_generative_process_reward_models():
    one, other = -0.3, -1.7
    found = tokens.chances(TokenChance("A", one, {"A": one, "B": other}), {"A": "1", "B": "-1"})
    assert found["1"] == pytest.approx(math.exp(one) / (math.exp(one) + math.exp(other)))


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("A", "A"),
        (" b", "B"),
        ('"C"', "C"),
        ("**A**", "A"),
        ("(B).", "B"),
        ("Answer", ""),
        ("AB", ""),
        ("", ""),
        ("Ä", ""),
        ("1", ""),
    ],
)
def test_a_letter_is_one_letter_whatever_stands_around_it(text: str, letter: str):
    assert tokens.spelled(text) == letter


ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(-99, 99), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
VALUES = st.recursive(ATOMS, lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)), max_leaves=15)


@settings(max_examples=200, deadline=None)
@given(value=VALUES, indent=st.sampled_from([None, 0, 2]), plain=st.booleans())
def test_every_value_of_a_document_is_found_where_it_stands(value: Any, indent: int | None, plain: bool):
    text = json.dumps(value, indent=indent, ensure_ascii=plain)
    found = list(tokens.values(text))
    assert len(found) == _count(value)
    for path, place in found:
        one = value
        for name in path:
            one = one[int(name)] if isinstance(one, list) else one[name]
        start = place - 1 if isinstance(one, str) else place
        assert json.JSONDecoder().raw_decode(text, start)[0] == one


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_count, value.values()))
    return sum(map(_count, value)) if isinstance(value, list) else 1


# In JSON, read whole.


def lettered(*letters: str) -> dict[str, Any]:
    """An answer with these letters for steps 1 to 3 and for the whole."""
    entries = [{"evidence": "", "why": "Because é.", "answer": one, "confidence": None} for one in letters]
    steps = {str(step): {"label": one} for step, one in enumerate(entries[:3], start=1)}
    return {"steps": steps, "trajectory": {"final": entries[3]}}


def tokenised(text: str, chances: list[dict[str, float]]) -> tuple[TokenChance, ...]:
    """The text in pieces of up to three characters, where the letters of answers have these chances."""
    spots = [place for path, place in tokens.values(text) if path[-1] == "answer"]
    found: list[TokenChance] = []
    at = 0
    while at < len(text):
        ahead = [spot for spot in spots if spot > at]
        end = min([at + 3, *(ahead[:1] if at not in spots else [at + 1])])
        shares = chances[spots.index(at)] if at in spots else {}
        found.append(TokenChance(text[at:end], -0.1, {name: math.log(share) for name, share in shares.items()}))
        at = end
    return tuple(found)


CHANCES = [{"A": 0.7, "B": 0.2, "C": 0.1}, {"C": 0.9, "B": 0.1}, {"A": 0.5, "a": 0.5}, {"A": 0.6, "B": 0.4}]


def test_read_whole_each_place_has_the_chances_of_the_token_that_its_letter_stands_in():
    text = json.dumps(lettered("A", "C", "A", "A"), ensure_ascii=False)
    verdict, (question,) = judged(CASE, Answer(text, tokens=tokenised(text, CHANCES)))
    assert verdict.failed == ""
    assert verdict.labels == {(1, "label"): 1, (2, "label"): -1, (3, "label"): 1, (None, "final"): 1}
    assert verdict.explanations[(1, "label")] == "Because é."
    assert verdict.chances[(1, "label")] == pytest.approx({"1": 0.7, "0": 0.2, "-1": 0.1})
    assert verdict.chances[(2, "label")] == pytest.approx({"1": 0.0, "0": 0.1, "-1": 0.9}, abs=1e-8)
    assert verdict.chances[(3, "label")]["1"] == pytest.approx(1.0)
    assert verdict.chances[(None, "final")] == pytest.approx({"1": 0.6, "0": 0.4, "-1": 0.0}, abs=1e-8)
    assert question.logprobs == 20
    assert "- C: -1 (Wrong)" in question.messages[0]["content"]


def test_tokens_before_the_answer_and_halves_of_characters_do_not_move_the_places():
    text = f"```json\n{json.dumps(lettered('A', 'C', 'A', 'A'), ensure_ascii=False)}\n```"
    inner = text.removeprefix("```json\n").removesuffix("\n```")
    around = [
        TokenChance("```json\n", -0.1),
        *tokenised(inner, CHANCES),
        TokenChance("\n```", -0.1),
        TokenChance("<|end|>", -0.1),
    ]
    whole, _ = judged(CASE, Answer(text, tokens=tuple(around)))
    halves = [half for one in around for half in ([one] if "é" not in one.text else _halves(one))]
    broken, _ = judged(CASE, Answer(text, tokens=tuple(halves)))
    assert whole.chances == broken.chances and len(whole.chances) == 4


def _halves(one: TokenChance) -> list[TokenChance]:
    """A token with é in it, as servers tell it that cut between its bytes."""
    before, _, after = one.text.partition("é")
    return [TokenChance(text, -0.1) for text in (before + "\ufffd", "\ufffd" + after)]


def test_without_log_probabilities_the_labels_stand_and_have_no_chances():
    verdict, _ = judged(CASE, json.dumps(lettered("A", "B", "C", "A")))
    assert verdict.labels == {(1, "label"): 1, (2, "label"): 0, (3, "label"): -1, (None, "final"): 1}
    assert verdict.chances == {} and verdict.detail["no_chances"] == "the server tells no log-probabilities"


@pytest.mark.parametrize("answer", ["1", 1, "D", "a", None, True])
def test_what_is_no_letter_of_the_field_is_no_label(answer: Any):
    text = json.dumps(lettered("A", answer, "A", "A"))
    verdict, _ = judged(CASE, text, text)
    assert verdict.failed and verdict.labels == {}


# One letter, read step by step.


def test_step_by_step_the_answer_is_one_letter_with_its_chances():
    said = [Answer(one, tokens=(token(one, A=0.5, B=0.25, C=0.25),)) for one in ("A", "B", " C", "A")]
    verdict, asked = judged(CASE, *said, reading="prefix")
    assert verdict.labels == {(1, "label"): 1, (2, "label"): 0, (3, "label"): -1, (None, "final"): 1}
    assert verdict.chances[(2, "label")] == pytest.approx({"1": 0.5, "0": 0.25, "-1": 0.25})
    assert {one.purpose for one in asked} == {"letter"} and all(one.schema is None for one in asked)
    assert '"field": "label"' in asked[0].messages[1]["content"]


def test_step_by_step_what_is_no_letter_is_asked_once_more_and_then_has_failed():
    answers = {"label": ["It is right.", "A"], "final": ["1", "perhaps"]}
    heard: list[str] = []

    def answer(question: Question) -> str:
        name = "final" if '"field": "final"' in question.messages[1]["content"] else "label"
        heard.append(name)
        return answers[name][question.purpose == "repair"]

    verdict = judging_cases.played(
        methods.asking(judging_cases.judge(method="log_probs", reading="prefix"), CASE), answer
    )
    assert verdict.labels == dict.fromkeys([(1, "label"), (2, "label"), (3, "label")], 1)
    assert verdict.detail["unanswered"] == {"trajectory.final": "the answer is no letter; accepted are A, B, C"}
    assert len(heard) == 8


def test_thinking_first_the_thought_is_the_reason():
    def answer(question: Question) -> str | Said:
        if question.purpose == "thinking":
            return "It looks the wrong town up."
        return Answer("C", tokens=(token("C", C=1.0),))

    judge = judging_cases.judge(method="log_probs", reading="prefix", thinks_first=True)
    verdict = judging_cases.played(methods.asking(judge, CASE), answer)
    assert verdict.explanations[(1, "label")] == "It looks the wrong town up."
    assert verdict.chances[(1, "label")]["-1"] == pytest.approx(1.0)


def test_a_scheme_without_choices_says_that_it_has_none():
    verdict, _ = judged(judging_cases.case(schemes.shipped()["similarity"]))
    assert verdict.failed.startswith("log_probs asks for one of a few choices")
