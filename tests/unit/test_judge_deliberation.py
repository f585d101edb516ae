"""Several answers, one verdict: votes, roles, second thoughts, and as many samples as it takes."""

from __future__ import annotations

import doctest
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from annotations import schemes
from annotations.judges.settings import Settings
from annotations.records import StepRecord
from models_service.judges import methods
from models_service.judges.asked import Case, Question, Said, Unanswered, Verdict
from models_service.judges.methods import adaptive, voting
from tests import judging_cases

AGENT = schemes.shipped()["agent-process"]
BINARY = schemes.shipped()["binary"]
STEPS = [StepRecord("user", 0, "Do it."), *(StepRecord("agent", place, f"Step {place}.") for place in range(1, 6))]
ROLES = ("a strict auditor", "a kind teacher", "a plain reader")


def case(scheme: Any = AGENT) -> Case:
    return judging_cases.case(scheme, STEPS)


def wrong(*steps: int, final: int = 1) -> dict[Any, Any]:
    """Labels of five steps, of which these are wrong."""
    return {(step, "label"): -1 if step in steps else 1 for step in range(1, 6)} | {(None, "final"): final}


def judged(answers: Callable[[Question], str | Said], of: Case | None = None, **settings: Any) -> Verdict:
    found = judging_cases.played(methods.asking(judging_cases.judge(**settings), of or case()), answers)
    assert isinstance(found, Verdict)
    return found


def said(*each: dict[Any, Any] | Said, log: list[Question] | None = None) -> Callable[[Question], str | Said]:
    """Answers in the order in which questions come."""
    turn = itertools.count()

    def answer(question: Question) -> str | Said:
        if log is not None:
            log.append(question)
        one = each[next(turn)]
        return judging_cases.by_step(case(), one)(question) if isinstance(one, dict) else one

    return answer


def named(verdict: Verdict) -> set[int]:
    """The steps it finds wrong."""
    return {step for (step, name), value in verdict.labels.items() if name == "label" and value == -1}


SAMPLED = {"samples": 3, "temperature": 0.7}


@pytest.mark.parametrize(("rule", "holds"), [("intersection", {3}), ("majority", {3}), ("average", {3})])
def test_three_critiques_are_voted_on_as_the_paper_has_it(rule: str, holds: set[int]):
    """{2, 3}, {3}, {3, 5}: in the intersection 3, by majority 3, on average ⅓, 1 and ⅓."""
    verdict = judged(said(wrong(2, 3), wrong(3), wrong(3, 5)), method=rule, **SAMPLED)
    assert named(verdict) == holds
    shares = {step: verdict.chances[step, "label"].get("-1", 0) for step in (2, 3, 5)}
    assert shares == {2: pytest.approx(1 / 3), 3: 1.0, 5: pytest.approx(1 / 3)}
    assert verdict.detail["reliability"] == pytest.approx((1 / 2 + 1 / 3 + 1 / 2) / 3)


def test_two_of_three_are_a_majority_and_no_intersection():
    answers = (wrong(2), wrong(2), wrong())
    assert named(judged(said(*answers), method="majority", **SAMPLED)) == {2}
    assert named(judged(said(*answers), method="intersection", **SAMPLED)) == set()


def test_a_tie_has_no_label_and_says_so():
    verdict = judged(said(wrong(2), wrong()), method="majority", samples=2, temperature=0.7)
    assert (2, "label") not in verdict.labels
    assert verdict.detail["ties"] == ["steps.2.label"]
    assert verdict.failed == ""
    assert len(verdict.labels) == 5


def test_a_sample_that_said_nothing_is_no_vote_and_is_counted():
    verdict = judged(said(wrong(2), Unanswered("gone"), wrong(2)), method="majority", **SAMPLED)
    assert named(verdict) == {2}
    assert verdict.chances[2, "label"] == {"-1": 1.0}
    assert (verdict.detail["samples"], verdict.detail["silent"]) == (3, ["gone"])


def test_where_no_sample_is_an_answer_there_is_no_verdict():
    verdict = judged(said(*[Unanswered("gone")] * 3), method="majority", **SAMPLED)
    assert (verdict.labels, verdict.failed) == ({}, "none of 3 samples was an answer; the first: gone")


def test_samples_are_told_apart_and_their_order_does_not_matter():
    log: list[Question] = []
    answers = (wrong(1, 2), wrong(2), wrong(4, final=-1))
    first = judged(said(*answers, log=log), method="majority", **SAMPLED)
    assert [one.number for one in log] == [0, 1, 2]
    assert len({one.key("server", "model") for one in log}) == 3
    for order in itertools.permutations(answers):
        again = judged(said(*order), method="majority", **SAMPLED)
        assert (again.labels, again.chances) == (first.labels, first.chances)


def test_reasons_are_those_of_a_sample_that_said_what_holds():
    verdict = judged(said(wrong(), wrong(2), wrong(2)), method="majority", **SAMPLED)
    assert verdict.explanations[2, "label"] == "Because."


def test_a_panel_is_asked_as_each_role_and_votes():
    log: list[Question] = []
    verdict = judged(said(wrong(1), wrong(1), wrong(), log=log), method="panel", personas=ROLES)
    assert named(verdict) == {1}
    for role, question in zip(ROLES, log, strict=True):
        assert f"You are {role}." in question.messages[0]["content"]
    assert [one["persona"] for one in verdict.detail["personas"]] == list(ROLES)


def test_in_a_debate_each_hears_the_others_and_the_ruling_hears_all():
    log: list[Question] = []
    answers = said(wrong(1), wrong(2), wrong(), wrong(1), wrong(1), wrong(1), wrong(1), log=log)
    verdict = judged(answers, method="debate", personas=ROLES, rounds=2)
    assert named(verdict) == {1}
    assert len(log) == 7
    second = log[3].messages[0]["content"]
    assert "### a kind teacher" in second
    assert "### a strict auditor" not in second
    assert all(f"### {role}" in log[6].messages[0]["content"] for role in ROLES)
    assert len(verdict.detail["rounds"]) == 2


def test_a_critique_comes_between_two_verdicts_and_both_are_kept():
    log: list[Question] = []
    verdict = judged(said(wrong(1), judging_free("Step 2 was overlooked."), wrong(1, 2), log=log), method="critique")
    assert named(verdict) == {1, 2}
    assert [one.purpose for one in log] == ["verdict", "critique", "verdict"]
    assert log[1].schema is None
    assert "Step 2 was overlooked." in log[2].messages[0]["content"]
    assert "steps.1.label: -1" in verdict.detail["first"]


def judging_free(words: str) -> Said:
    from models_service.judges.asked import Answer

    return Answer(words)


def test_without_a_critique_the_verification_stands():
    verdict = judged(said(wrong(1), Unanswered("gone")), method="critique")
    assert named(verdict) == {1}
    assert verdict.detail["critique"]["failed"]


def test_only_what_two_sides_part_on_is_thought_about_again():
    log: list[Question] = []

    def answer(question: Question) -> str | Said:
        log.append(question)
        one = (wrong(1, 2), wrong(1), wrong(1))[min(len(log), 3) - 1]
        return judging_cases.by_step(case(), one)(question)

    verdict = judged(answer, method="branch")
    assert named(verdict) == {1}
    assert judging_cases.asked_steps(log[2])["label_steps"] == [2]
    assert verdict.detail["branch"]["open"] == [
        "steps.2.label",
        "steps.2.correction",
        "steps.2.note",
    ]
    assert len(log) == 3


def test_two_sides_that_agree_need_no_third_question():
    log: list[Question] = []
    verdict = judged(said(wrong(1), wrong(1), log=log), method="branch")
    assert (named(verdict), len(log), verdict.detail["branch"]) == ({1}, 2, {"open": []})


def test_samples_are_drawn_until_every_place_is_settled():
    """Four alike settle it: P(Beta(5, 1) > ½) = 31/32, and with three 15/16 is too little."""
    log: list[Question] = []
    verdict = judged(said(*[wrong(1)] * 4, log=log), method="adaptive", samples=10, temperature=0.7)
    assert (len(log), verdict.detail["settled"], named(verdict)) == (4, True, {1})


def test_no_more_samples_are_drawn_than_the_budget_has():
    log: list[Question] = []
    answers = [wrong(1), wrong()] * 3
    verdict = judged(said(*answers, log=log), method="adaptive", samples=2, budget=3, temperature=0.7)
    assert (len(log), verdict.detail["settled"]) == (5, False)


def test_every_method_that_settings_name_is_there():
    assert set(methods.METHODS) == set(Settings.model_fields["method"].annotation.__args__)


def test_step_by_step_samples_vote_on_each_step():
    turns = {0: wrong(2), 1: wrong(2), 2: wrong()}

    def answer(question: Question) -> str | Said:
        return judging_cases.by_step(case(), turns[question.number])(question)

    verdict = judged(answer, method="majority", reading="prefix", **SAMPLED)
    assert named(verdict) == {2}
    assert json.dumps(verdict.detail)


def test_the_examples_hold():
    assert doctest.testmod(voting).failed == doctest.testmod(adaptive).failed == 0
