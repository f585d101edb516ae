"""From answers to verdicts: whole and step by step, thinking first, the wrong steps alone, and comparisons."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotations import schemes
from annotations.formats.agentprocessbench import AgentProcessBench
from annotations.judges import prompts, ways
from annotations.judges.settings import Settings
from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from annotations.schemes.fields.base import Around
from models_service.judges import methods
from models_service.judges.asked import Answer, Case, Question, Said, Unanswered, Verdict
from models_service.judges.methods import once
from tests import judging_cases

SHIPPED = schemes.shipped()
AGENT = SHIPPED["agent-process"]
TALK = [
    StepRecord("user", 0, "What is 2 + 2, doubled?"),
    *(
        StepRecord("agent", place, text)
        for place, text in enumerate(["2 + 2 = 4.", "4 doubled is 9.", "So 9."], start=1)
    ),
]


def judged(case: Case, answers: Callable[[Question], str | Said], **settings: Any) -> Verdict:
    found = judging_cases.played(methods.asking(judging_cases.judge(**settings), case), answers)
    assert isinstance(found, Verdict)
    return found


# Whole and step by step.


@pytest.mark.parametrize("reading", ["whole", "prefix"])
def test_the_same_labels_come_of_one_question_and_of_one_a_step(reading: str):
    case = judging_cases.case(AGENT)
    said = judging_cases.sample(AGENT)
    log: list[Question] = []
    verdict = judged(case, judging_cases.by_step(case, said, log), reading=reading)
    assert verdict.failed == "" and verdict.labels == said
    assert len(log) == (1 if reading == "whole" else len(case.steps) + 1)


def test_step_by_step_a_step_that_fails_has_no_label_and_the_others_stand():
    case = judging_cases.case(AGENT)
    said = judging_cases.sample(AGENT)
    good = judging_cases.by_step(case, said)
    verdict = judged(
        case,
        lambda one: Unanswered("gone") if judging_cases.asked_steps(one)["label_steps"] == [2] else good(one),
        reading="prefix",
    )
    assert verdict.failed == ""
    assert verdict.labels == {place: value for place, value in said.items() if place[0] != 2}
    assert verdict.detail["unanswered"] == {"2": "gone"}


@pytest.mark.parametrize("step", [1, "2", True, None])
def test_step_by_step_an_answer_about_another_step_is_none_of_this_one(step: Any):
    case = judging_cases.case(AGENT)
    said = judging_cases.sample(AGENT)
    good = judging_cases.by_step(case, said)

    def answer(question: Question) -> str | Said:
        told = json.loads(str(good(question)))
        asked = judging_cases.asked_steps(question)["label_steps"]
        return json.dumps(told | ({"step": step} if asked == [2] else {}))

    verdict = judged(case, answer, reading="prefix")
    assert verdict.labels == {place: value for place, value in said.items() if place[0] != 2}
    assert "steps.2.label: is missing" in verdict.detail["unanswered"]["2"]


def test_step_by_step_the_verdict_has_failed_where_nothing_was_answered():
    verdict = judged(judging_cases.case(AGENT), lambda _: Unanswered("gone"), reading="prefix")
    assert verdict.failed == "no step was answered; the first: gone" and verdict.labels == {}


def test_where_the_first_error_ends_the_work_nothing_is_asked_after_it():
    scheme = SHIPPED["processbench"]
    case = judging_cases.case(scheme, TALK)
    log: list[Question] = []
    said = {(1, "label"): 1, (2, "label"): -1, (3, "label"): 1, (None, "answer"): 0}
    verdict = judged(case, judging_cases.by_step(case, said, log), reading="prefix")
    assert [judging_cases.asked_steps(one).get("label_steps") for one in log] == [[1], [2], []]
    assert verdict.labels == {(1, "label"): 1, (2, "label"): -1, (None, "answer"): 0}


def test_read_whole_what_is_said_of_steps_after_the_first_error_is_left_out_and_noted():
    scheme = SHIPPED["processbench"]
    case = judging_cases.case(scheme, TALK)
    said = {(1, "label"): 1, (2, "label"): -1, (3, "label"): 1, (None, "answer"): 0}
    verdict = judged(case, judging_cases.by_step(case, said))
    assert verdict.labels == {(1, "label"): 1, (2, "label"): -1, (None, "answer"): 0}
    assert verdict.detail["ignored"] == ["steps.3.label"]


@pytest.mark.parametrize("reading", ["whole", "prefix"])
def test_in_a_tree_an_error_on_one_branch_ends_no_other(reading: str):
    steps = [StepRecord("user", 0, "Go."), StepRecord("agent", 1, "root", parent=0)]
    steps += [StepRecord("agent", 2, "left", parent=1), StepRecord("agent", 3, "right", parent=1)]
    steps += [StepRecord("agent", 4, "left on", parent=2), StepRecord("agent", 5, "right on", parent=3)]
    case = judging_cases.case(SHIPPED["processbench"], steps)
    said = {(1, "label"): 1, (2, "label"): -1, (3, "label"): 1, (4, "label"): 1, (5, "label"): 1, (None, "answer"): 1}
    verdict = judged(case, judging_cases.by_step(case, said), reading=reading)
    assert verdict.labels == {place: value for place, value in said.items() if place != (4, "label")}


def test_a_field_of_the_whole_that_hangs_on_the_steps_is_read_with_what_was_said_of_them():
    document = AGENT.model_dump()
    document["fields"][-1]["when"] = {"field": "label", "values": [-1]}
    scheme = type(AGENT).model_validate(document)
    case = judging_cases.case(scheme)
    said = judging_cases.sample(AGENT)
    assert judged(case, judging_cases.by_step(case, said), reading="prefix").labels == said
    right = {place: 1 if value == -1 and place[1] == "label" else value for place, value in said.items()}
    kept = judged(case, judging_cases.by_step(case, right), reading="prefix")
    assert (None, "final") not in kept.labels and kept.failed == ""


def test_what_is_asked_after_the_end_is_shown_is_asked_last_and_what_is_asked_before_it_alone():
    scheme = SHIPPED["foresight-hindsight"]
    case = judging_cases.case(scheme)
    said = judging_cases.sample(scheme)
    log: list[Question] = []
    verdict = judged(case, judging_cases.by_step(case, said, log), reading="prefix")
    assert verdict.labels == said
    *steps, last = log
    assert len(steps) == len(case.steps)
    for question in steps:
        assert '"foresight"' in str(question.schema).replace("'", '"') and "hindsight'" not in str(question.schema)
    assert "'hindsight'" in str(last.schema) and "'foresight'" not in str(last.schema)
    assert judging_cases.asked_steps(last)["label_steps"] == case.steps


def test_thinking_first_asks_freely_and_then_for_the_form():
    case = judging_cases.case(AGENT)
    said = judging_cases.sample(AGENT)
    answers, asked = judging_cases.scripted("Step 1 is wrong. <|im_end|>", json.dumps(judging_cases.spoken(case, said)))
    verdict = judged(case, answers, thinks_first=True)
    assert verdict.labels == said
    first, second = asked
    assert (first.purpose, first.schema, second.purpose) == ("thinking", None, "verdict")
    assert second.schema is not None
    assert second.messages[-2] == {"role": "assistant", "content": "Step 1 is wrong. < |im_end|>"}


def test_a_thought_that_does_not_come_is_no_verdict():
    verdict = judged(judging_cases.case(AGENT), lambda _: Answer(" "), thinks_first=True)
    assert verdict.failed == "the model thought nothing"


def test_a_prompt_that_does_not_go_with_the_settings_is_refused():
    shipped = prompts.shipped()
    assert "wrong-steps asks for the wrong steps alone" in ways.refusal(Settings(), AGENT, shipped["wrong-steps"])
    assert ways.refusal(Settings(answer="wrong_steps"), AGENT, shipped["wrong-steps"]) == ""
    assert ways.refusal(Settings(answer="wrong_steps"), AGENT, shipped["step-labels"]) == ""
    assert "is for reading: whole, not prefix" in ways.refusal(Settings(reading="prefix"), PAIRS, shipped["pairwise"])
    assert "is a piece of a method" in ways.refusal(Settings(), AGENT, shipped["mitigation-system"])


def test_samples_are_told_apart_by_their_number_and_ask_the_same():
    case = judging_cases.case(AGENT)
    judge = judging_cases.judge(temperature=1)
    first, second = (next(once.asking(judge, case, number=number))[0] for number in (0, 1))
    assert first.messages == second.messages and first.key("u", "m") != second.key("u", "m")


# The wrong steps alone.


def wrong(*steps: int, **more: Any) -> str:
    listed = [{"evidence": "", "why": f"Step {step} is false.", "step": step, **more} for step in steps]
    return json.dumps({"checked": "I went through it.", "wrong_steps": listed})


def test_listed_steps_are_wrong_and_all_others_right():
    case = judging_cases.case(AGENT, TALK)
    verdict = judged(case, lambda _: wrong(2, 3, 2), answer="wrong_steps")
    assert verdict.labels == {(1, "label"): 1, (2, "label"): -1, (3, "label"): -1}
    assert verdict.explanations == {(2, "label"): "Step 2 is false.", (3, "label"): "Step 3 is false."}
    assert verdict.detail["wrong_steps"] == [2, 3]


def test_an_empty_list_says_that_nothing_is_wrong():
    verdict = judged(judging_cases.case(AGENT, TALK), lambda _: wrong(), answer="wrong_steps")
    assert set(verdict.labels.values()) == {1} and verdict.detail["wrong_steps"] == []


@pytest.mark.parametrize(
    "text", [wrong(7), wrong(0), "{}", '{"wrong_steps": null}', "[2]", '{"wrong_steps": [2]}', wrong(2, step=True)]
)
def test_a_list_that_names_what_is_no_step_labels_nothing(text: str):
    verdict = judged(judging_cases.case(AGENT, TALK), lambda _: text, answer="wrong_steps")
    assert verdict.failed and verdict.labels == {}


def test_with_schemes_that_end_at_the_first_error_no_step_after_it_is_labelled():
    case = judging_cases.case(SHIPPED["processbench"], TALK)
    verdict = judged(case, lambda _: wrong(2, 3), answer="wrong_steps")
    assert verdict.labels == {(1, "label"): 1, (2, "label"): -1}


def test_a_scheme_that_asks_for_the_first_error_gets_it():
    case = judging_cases.case(SHIPPED["first-error"], TALK)
    assert judged(case, lambda _: wrong(3, 2), answer="wrong_steps").labels == {(None, "first_error"): 2}
    assert judged(case, lambda _: wrong(), answer="wrong_steps").labels == {(None, "first_error"): "none"}


def test_other_schemes_say_why_the_wrong_steps_are_not_enough():
    case = judging_cases.case(SHIPPED["similarity"])
    verdict = judged(case, lambda _: wrong(1), answer="wrong_steps")
    assert "wrong_steps need a main field of steps with one choice" in verdict.failed
    assert ways.refusal(Settings(answer="wrong_steps"), SHIPPED["similarity"]).startswith("answer: wrong_steps need")
    assert ways.refusal(Settings(answer="wrong_steps"), AGENT) == ""
    assert ways.refusal(Settings(method="log_probs"), SHIPPED["similarity"]).startswith(
        "method: log_probs reads the letter"
    )


# Comparisons.

PAIRS = SHIPPED["rollout-preference"]


def rollouts(*texts: str) -> Case:
    """Rollouts of one task, numbered from 3 on."""
    task = TaskRecord("t", instruction="Say it well.")
    records = {
        number: TrajectoryRecord(task, (StepRecord("agent", 0, text),), rollout=number)
        for number, text in enumerate(texts, start=3)
    }
    numbers = sorted(records)
    pairs = [(one, other) for one in numbers for other in numbers if one < other]
    arounds = {(None, f"better@{one}-{other}"): Around(None, candidates=[one, other]) for one, other in pairs}
    return Case(records[3], PAIRS, {**arounds, (None, "reason"): Around()}, rollouts=records)


def letter_of(question: Question, text: str) -> str:
    """The letter under which a candidate is shown that says this."""
    data = json.loads(question.messages[1]["content"].split("<trajectory>\n")[1].split("\n</trajectory>")[0])
    return next(str(one["candidate"]) for one in data["candidates"] if text in json.dumps(one))


def entry(answer: Any) -> str:
    return json.dumps({"evidence": "", "why": "It is better.", "answer": answer, "confidence": None})


def test_a_pair_is_asked_in_both_orders_and_the_better_one_is_named_by_its_number():
    log: list[Question] = []

    def honest(question: Question) -> str:
        log.append(question)
        return entry(letter_of(question, "good"))

    verdict = judged(rollouts("bad", "good"), honest)
    assert verdict.labels == {(None, "better@3-4"): 4}
    assert verdict.explanations == {(None, "better@3-4"): "It is better."}
    assert [letter_of(one, "good") for one in log] == ["B", "A"]
    assert verdict.detail["orders"] == {"compared": 1, "agreed": 1}


def test_a_judge_that_always_takes_the_first_says_nothing():
    verdict = judged(rollouts("bad", "good"), lambda _: entry("A"))
    assert verdict.labels == {} and verdict.failed == "no comparison has the same answer in both orders"
    assert verdict.detail["inconsistent"] == {"trajectory.better.3-4": [3, 4]}


def test_of_several_pairs_those_stand_that_stand_in_both_orders():
    def biased(question: Question) -> str:
        texts = question.messages[1]["content"]
        return entry(letter_of(question, "good") if "good" in texts else "A")

    verdict = judged(rollouts("bad", "good", "poor"), biased)
    assert verdict.labels == {(None, "better@3-4"): 4, (None, "better@4-5"): 4}
    assert verdict.detail["orders"] == {"compared": 3, "agreed": 2} and verdict.failed == ""
    assert set(verdict.detail["inconsistent"]) == {"trajectory.better.3-5"}


def test_a_tie_in_both_orders_is_a_tie():
    assert judged(rollouts("x", "y"), lambda _: entry("tie")).labels == {(None, "better@3-4"): "tie"}


@pytest.mark.parametrize("answer", ["C", 3, 4, None, True, "3", ["A"]])
def test_what_is_no_letter_that_was_shown_is_no_answer(answer: Any):
    verdict = judged(rollouts("x", "y"), lambda _: entry(answer))
    assert verdict.labels == {} and verdict.failed


def test_where_one_order_is_not_answered_the_pair_has_no_label():
    answers, _ = judging_cases.scripted(entry("A"), Unanswered("gone"))
    verdict = judged(rollouts("x", "y"), answers)
    assert verdict.labels == {} and verdict.detail["unanswered"] == {"trajectory.better.3-4": "gone"}


def test_where_the_scheme_asks_both_ways_round_each_is_asked_as_it_stands():
    scheme = SHIPPED["better-action"]
    steps = [
        StepRecord("user", 0, "Go."),
        StepRecord("agent", 1, "bad", parent=0),
        StepRecord("agent", 2, "good", parent=0),
    ]
    case = judging_cases.case(scheme, steps)
    log: list[Question] = []

    def honest(question: Question) -> str:
        log.append(question)
        return entry(letter_of(question, "good"))

    verdict = judged(case, honest)
    assert verdict.labels == {(1, "better@1-2"): 2, (1, "better@2-1"): 2}
    assert len(log) == 2
    shown = log[0].messages[1]["content"]
    assert '"index": 1' not in shown and '"index": 0' in shown


def test_rankings_are_turned_round_as_well():
    scheme = SHIPPED["rollout-ranking"]
    case = rollouts("third", "first", "second")
    (spec,) = [one for one in scheme.fields if one.kind == "preference"]
    case = Case(case.record, scheme, {(None, spec.name): Around(None, candidates=[3, 4, 5])}, rollouts=case.rollouts)

    def honest(question: Question) -> str:
        return entry([[letter_of(question, text)] for text in ("first", "second", "third")])

    assert judged(case, honest).labels == {(None, spec.name): [[4], [5], [3]]}


def test_the_best_and_the_worst_of_several_are_asked_in_both_orders_each():
    texts = ["fair", "good", "bad"]
    siblings = [StepRecord("agent", place, text, parent=0) for place, text in enumerate(texts, start=1)]
    case = judging_cases.case(SHIPPED["n-way-best"], [StepRecord("user", 0, "Go."), *siblings])
    log: list[Question] = []

    def honest(question: Question) -> str:
        log.append(question)
        wanted = "good" if judging_cases.asked_steps(question)["field"] == "best" else "bad"
        return entry(letter_of(question, wanted))

    assert judged(case, honest).labels == {(1, "best"): 2, (1, "worst"): 3}
    assert len(log) == 4


def test_a_candidate_that_is_not_there_is_said_to_be_missing_and_nothing_is_asked():
    case = rollouts("x", "y")
    case = Case(case.record, case.scheme, case.arounds, rollouts={3: case.rollouts[3]})
    verdict = judged(case, lambda _: "never asked")
    assert verdict.failed.endswith("candidates 4 are not here") and verdict.labels == {}


def test_what_compares_and_what_does_not_are_asked_apart_and_come_together():
    document = PAIRS.model_dump()
    document["fields"][1].update(required=True)
    case = rollouts("bad", "good")
    case = Case(case.record, type(PAIRS).model_validate(document), case.arounds, rollouts=case.rollouts)

    def honest(question: Question) -> str:
        if "compare" in judging_cases.asked_steps(question):
            return entry(letter_of(question, "good"))
        return json.dumps({"trajectory": {"reason": {"answer": "It says more."}}})

    assert judged(case, honest).labels == {(None, "better@3-4"): 4, (None, "reason"): "It says more."}
    silent = judged(case, lambda one: honest(one) if one.purpose == "comparison" else Unanswered("gone"))
    assert silent.labels == {(None, "better@3-4"): 4} and silent.detail["unanswered"] == {"rest": "gone"}


# Real trajectories.


def test_real_trajectories_are_asked_about_and_read_back_in_both_ways(shared_data: Path):
    path = shared_data / "agentprocessbench" / "trajectories" / "hotpotqa_q00-29.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(12), strict=False)]
    for row in rows:
        record = AgentProcessBench().record(row)
        case = judging_cases.case(AGENT, record.steps, guideline=AGENT.guidelines[2].text)
        said = {(step, "label"): (1, 0, -1)[step % 3] for step in case.steps} | {(None, "final"): -1}
        for reading in ("whole", "prefix"):
            verdict = judged(case, judging_cases.by_step(case, said), reading=reading, observation_limit=2_000)
            assert verdict.failed == "" and verdict.labels == said
