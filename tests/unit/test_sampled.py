"""Monte-Carlo values and relative progress, held to worked numbers and to a world in which they are known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.records import StepRecord, TrajectoryRecord
from models_service.scorers.base import CannotScore, Partly, Scored, Scorer, checked
from models_service.scorers.sampled.answering import is_right, spelled, spellings, stated
from models_service.scorers.sampled.continuing import BLANK, SILENT, Estimate
from models_service.scorers.sampled.monte_carlo import MonteCarlo, RelativeProgress, progress_label
from models_service.statistics.proportions import wilson
from tests.completing import QUESTION, RIGHT, WRONG, Completer, solution, tree


def said(scorer: Scorer, record: TrajectoryRecord) -> Scored:
    [found] = scorer.score([record])
    return checked(record, found)


def values(scorer: Scorer, record: TrajectoryRecord) -> list[float]:
    found = said(scorer, record)
    assert not isinstance(found, CannotScore), str(found)
    return [one.value for one in found]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("So \\boxed{1} is wrong, and \\boxed{\\frac{1}{2}} right.", "\\frac{1}{2}"),
        ("<answer>Paris</answer> is what I say", "Paris"),
        ("He has 3 left.\n#### 3", "3"),
        ("The answer is 3.5. I hope that helps.", "3.5"),
        ("**Final Answer:** 12\nThank you", "12"),
        ("<think>the answer is 7</think> The answer is 8", "8"),
        ("I wander on", None),
        ("The answer is", None),
        ("<think>the answer is 7", None),
    ],
)
def test_only_a_stated_answer_is_one(text: str, answer: str | None) -> None:
    assert stated(text) == answer


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1,234.50", "1234.5"),
        ("$18", "18"),
        ("\\$18.00", "18"),
        ("\\dfrac{1}{2}", "0.5"),
        ("\\frac12", "2/4"),
        ("-\\frac{3}{4}", "-0.75"),
        ("(b)", "B"),
        ("The  Eiffel tower.", "eiffel tower"),
        ("\\text{Paris}", "Paris"),
        ("\\left( 3, \\frac{\\pi}{2} \\right)", "(3,\\dfrac{\\pi}{2})"),
        ("x^2 + 1", "$x^2+1$"),
    ],
)
def test_answers_that_mean_the_same_are_spelled_the_same(one: str, other: str) -> None:
    assert spelled(one) == spelled(other) is not None


@pytest.mark.parametrize(("one", "other"), [("(3,4)", "34"), ("1/2", "12"), ("3^2", "32"), ("2x", "2"), ("1/0", "1")])
def test_answers_that_differ_are_not_run_together(one: str, other: str) -> None:
    assert spelled(one) != spelled(other)


def test_the_letter_of_a_choice_may_have_the_choice_behind_it() -> None:
    assert is_right("(B) Ulysses", spellings(["(B)"])) and is_right("B: 8", spellings(["B"]))
    assert not is_right("Both", spellings(["B"]))


@given(st.text(max_size=60))
def test_any_text_can_be_spelled(answer: str) -> None:
    spelled(answer), stated(f"The answer is {answer}"), is_right(answer, {"1"})


def test_a_number_too_long_to_count_with_is_still_spelled() -> None:
    assert spelled("9" * 5000) == spelled("9" * 4999) != spelled("8" * 5000)
    assert spelled("1e999999") is not None


@pytest.mark.parametrize(("hits", "low", "high"), [(0, 0.0, 0.3244), (4, 0.2152, 0.7848), (8, 0.6756, 1.0)])
def test_wilson_of_eight(hits: int, low: float, high: float) -> None:
    assert wilson(hits, 8) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 60).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_an_interval_holds_its_share(of: tuple[int, int]) -> None:
    low, high = wilson(*of)
    assert 0 <= low <= of[0] / of[1] <= high <= 1


def test_a_planted_error_is_found() -> None:
    assert values(MonteCarlo(Completer()), solution(5, wrong=3)) == [1, 1, 0, 0, 0]


def test_the_value_is_near_the_completers_chance() -> None:
    found = said(MonteCarlo(Completer(able=0.7, astray=0.2), count=400), solution(4, wrong=3))
    assert [one.value for one in found] == pytest.approx([0.7, 0.7, 0.2, 0], abs=0.08)
    for one in found[:-1]:
        low, high = one.detail["interval"]
        assert low < one.value < high and high - low < 0.1


def test_a_hard_label_is_one_where_a_single_continuation_is_right() -> None:
    weak = Completer(able=0.2)
    soft = values(MonteCarlo(weak, count=64), solution(4))
    assert all(0 < one < 0.5 for one in soft[:-1])
    assert values(MonteCarlo(weak, "hard", count=64), solution(4)) == [1, 1, 1, 1]
    assert values(MonteCarlo(weak, "hard", limit=0.5, count=64), solution(4)) == [0, 0, 0, 1]


def test_a_step_is_unsure_where_the_interval_covers_the_limit() -> None:
    assert Estimate(4, 8).is_unsure(0.5) and not Estimate(8, 8).is_unsure(0.5)
    assert Estimate(0, 8).is_unsure(0.0) and not Estimate(1, 8).is_unsure(0.0)
    [first, last] = said(MonteCarlo(Completer(able=0.5), count=8), solution(2))
    assert first.detail["flags"] == ["unsure"]
    assert last.detail["flags"] == ["its own final answer"] and last.detail["interval"] == [1.0, 1.0]


def test_the_last_step_is_continued_where_it_states_no_answer() -> None:
    completer = Completer()
    found = said(MonteCarlo(completer), solution(2, end="So that is it."))
    assert [one.detail["continuations"] for one in found] == [8, 8] and len(completer.read) == 2


def test_the_completer_reads_the_question_and_the_steps_word_for_word() -> None:
    completer = Completer()
    record = solution(3)
    said(MonteCarlo(completer, ask="Box it."), record)
    [first, second] = completer.read
    assert first.messages == ({"role": "user", "content": f"{QUESTION}{BLANK}Box it."},)
    assert first.opening == f"Step 1 is fine.{BLANK}"
    assert second.opening == f"Step 1 is fine.{BLANK}Step 2 is fine.{BLANK}"


def test_continuations_that_come_to_no_answer_are_no_value() -> None:
    found = said(MonteCarlo(Completer(silent=True)), solution(3))
    assert isinstance(found, Partly)
    assert [one.index for one in found] == [3] and found.unscored == {1: SILENT, 2: SILENT}
    nothing = said(MonteCarlo(Completer(silent=True)), solution(2, end="So."))
    assert isinstance(nothing, CannotScore) and str(nothing) == SILENT


def test_steps_from_which_it_is_too_long_have_no_score_and_the_others_have_theirs() -> None:
    found = said(MonteCarlo(Completer(longest=40)), solution(5, end="So."))
    assert isinstance(found, Partly)
    assert [one.index for one in found] == [1, 2]
    assert found.unscored == dict.fromkeys((3, 4, 5), "too long for the completer")
    progress = said(RelativeProgress(Completer(longest=40)), solution(5, end="So."))
    assert isinstance(progress, Partly) and [one.index for one in progress] == [1, 2]
    alone = said(MonteCarlo(Completer(longest=0)), solution(2, end="So."))
    assert isinstance(alone, CannotScore) and str(alone) == "too long for the completer"


CALL = {"id": "c", "name": "look", "arguments": "{}"}


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (solution(2, reference=None), "holds no answer"),
        (solution(2, tools=[{"name": "look"}]), "the task has tools"),
        (replace(solution(2), steps=(*solution(2).steps, StepRecord("agent", 3, tool_calls=(CALL,)))), "call tools"),
        (
            replace(
                solution(2), steps=(*solution(2).steps, StepRecord("user", 3, "And?"), StepRecord("agent", 4, "No"))
            ),
            "people speak between",
        ),
        (
            replace(solution(1), steps=solution(1).steps[1:], task=replace(solution(1).task, instruction="")),
            "no question",
        ),
    ],
)
@pytest.mark.parametrize("scorer", [MonteCarlo, RelativeProgress])
def test_what_cannot_be_continued_is_not_applicable(scorer: type, record: TrajectoryRecord, why: str) -> None:
    completer = Completer()
    found = said(scorer(completer), record)
    assert isinstance(found, CannotScore) and "not applicable" in str(found) and why in str(found)
    assert not completer.read


def test_the_replies_of_tools_can_be_imagined_and_the_scores_say_so() -> None:
    found = said(MonteCarlo(Completer(), tools="imagine"), solution(3, wrong=2, tools=[{"name": "look"}]))
    assert [one.value for one in found] == [1, 0, 0]
    assert all("answers of tools imagined" in one.detail["flags"] for one in found)


def test_relative_progress_of_the_worked_values() -> None:
    shares = [0.5, 0.5, 0.5, 0.2]
    assert [progress_label(now, before) for before, now in zip(shares, shares[1:], strict=False)] == [1, 1, 0]
    assert progress_label(4 / 5, 5 / 5) == 1 and progress_label(0.5, 0) is None
    assert progress_label(0.8 * 0.3, 0.3) == 1


def test_behind_a_step_of_value_0_progress_is_undefined() -> None:
    found = said(RelativeProgress(Completer()), solution(5, wrong=2))
    assert isinstance(found, Partly)
    assert [(one.index, one.value) for one in found] == [(1, 1), (2, 0)]
    assert set(found.unscored) == {3, 4, 5} and all(why.startswith("undefined") for why in found.unscored.values())


def test_progress_needs_a_completer_that_can_solve_the_question_at_all() -> None:
    found = said(RelativeProgress(Completer(able=0)), solution(3))
    assert isinstance(found, CannotScore) and "bare question" in str(found)


def test_progress_holds_the_value_of_each_step_against_the_one_before() -> None:
    found = said(RelativeProgress(Completer(able=0.9, astray=0.3), count=64), solution(3, wrong=2))
    assert [one.value for one in found] == [1, 0, 0]
    assert found[1].detail["progress"] == pytest.approx(1 / 3, abs=0.15)


LEFT_AND_RIGHT = tree(
    ["Start, fine.", "Left, WRONG.", f"Left end. {WRONG}", "Right, fine.", f"Right end. {RIGHT}"], [0, 1, 2, 1, 4]
)


def test_in_a_tree_each_state_is_drawn_from_once() -> None:
    completer = Completer()
    assert values(MonteCarlo(completer), LEFT_AND_RIGHT) == [1, 0, 0, 1, 1]
    assert len(completer.read) == 3
    found = said(RelativeProgress(Completer()), LEFT_AND_RIGHT)
    assert isinstance(found, Partly) and list(found.unscored) == [3]
    assert [(one.index, one.value) for one in found] == [(1, 1), (2, 0), (4, 1), (5, 1)]


def test_the_completer_is_part_of_what_a_run_keeps() -> None:
    kept = MonteCarlo(Completer(), seed=7).provenance
    assert kept["models"] == [{"model": "completer", "sha256": "1.0"}] and kept["completer"]["model"] == "completer"
    assert kept["options"]["seed"] == 7 and kept["options"]["label"] == "soft"


def test_another_seed_draws_other_continuations() -> None:
    drawn = [values(MonteCarlo(Completer(able=0.5), seed=seed, count=9), solution(4)) for seed in range(3)]
    assert len(set(map(tuple, drawn))) > 1
    assert drawn[0] == values(MonteCarlo(Completer(able=0.5), seed=0, count=9), solution(4))


@pytest.mark.parametrize(
    "options", [{"count": 0}, {"temperature": 0}, {"tools": "call"}, {"limit": 1.5}, {"label": "x"}]
)
def test_options_that_cannot_be_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="."):
        MonteCarlo(Completer(), **options)
