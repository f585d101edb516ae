"""Potentials, ways to an answer, and how likely a step's own words are: by numbers worked out by hand."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from annotations.records import StepRecord
from models_service.scorers.base import CannotScore, Partly
from models_service.scorers.belief import chains, formulas, potential
from models_service.scorers.belief.gains import INTRINSIC, OwnGain
from models_service.scorers.belief.hindsight import AnswerHindsight, ReplyHindsight, StepLikelihood
from models_service.scorers.belief.paths import WRITTEN, PathFaithfulness
from models_service.scorers.belief.potential import CHECKING, LOST, READ_OFF, SOLVING, StepPotential
from models_service.scorers.belief.ratios import PolicyRatio
from models_service.scorers.belief.surprise import Surprise
from models_service.scorers.language.asked import Completion, NotServed, Token
from tests.believing import Told, before, rising, trace

SURE = Token("4", 0.0, {"4": 0.0})
SPLIT = Token("4", math.log(0.5), {"4": math.log(0.5), "5": math.log(0.5)})


@pytest.mark.parametrize(("accuracy", "confidence", "wanted"), [(1, 1, 1), (0, 1, -1), (1, 0, 0.5), (0, 0, 0)])
def test_the_corners_of_the_potential(accuracy, confidence, wanted):
    assert formulas.potential(accuracy, confidence) == wanted


def test_the_entropy_of_a_token_between_two_is_the_logarithm_of_two():
    assert formulas.entropy(SPLIT.top) == pytest.approx(math.log(2))
    assert formulas.entropy({"a": 0.0, "b": -math.inf}) == 0.0


def test_confidence_is_of_the_answers_places_alone():
    closed = Completion("4} so", (SPLIT, Token("}", 0.0, {"}": 0.0}), SURE))
    assert potential.confidence([closed]) == pytest.approx(0.5)
    assert potential.confidence([closed, Completion("4", (SURE,))]) == pytest.approx(0.75)
    assert potential.confidence([Completion("}", (Token("}", 0.0, {"}": 0.0}),))]) == 1.0
    with pytest.raises(CannotScore, match="drew no token"):
        potential.confidence([Completion("")])


def test_an_answer_of_several_tokens_can_pass_nine_tenths():
    """The released code divides by the number of tokens: .97 / 3 never does."""
    assert potential.accuracy([Token("t", math.log(0.97))] * 3) == pytest.approx(0.97)


def test_a_token_of_the_right_answer_that_is_not_considered_counts_ten():
    assert potential.accuracy([Token("t", -math.inf)]) == pytest.approx(math.exp(-10))
    going = Completion("12", (Token("1", -0.1, {"1": -0.1, "2": -3.0}), Token("2", -0.2, {"2": -0.2})))
    assert potential.read_off([going], "12") == pytest.approx(math.exp(-0.15))
    several = Completion("12", (Token("1", -0.1, {"1": -0.1, "12": -4.0}), Token("2", -0.2, {"2": -0.2})))
    assert potential.read_off([several], "12") == pytest.approx(math.exp(-0.15))  # as it was drawn
    assert potential.read_off([going], "2") == pytest.approx(math.exp(-3.0))  # considered, and not drawn
    assert potential.read_off([going], "27") == pytest.approx(math.exp((-3 - 10) / 2))
    assert potential.read_off([going], "x") == pytest.approx(math.exp(-10))


def solver(**known):
    """A model that is sure of 4 once one of these words was said, and of 5 before."""

    def written(read, sampling):
        assert read.endswith("**Final Answer** \\boxed{")
        assert (sampling.count, sampling.most, sampling.temperature, sampling.top) == (5, 10, 0.6, 20)
        return [Completion("4", (SURE,))] * 5

    return Told(rising(**known), written)


def test_the_step_that_solves_it_is_told_from_those_that_check():
    [scored] = StepPotential(solver(found=0.0)).score([trace("try", "found", "check", "The answer is 4")])
    first = -1 + math.exp(-9) * 2  # Acc e⁻⁹, Conf 1
    assert [one.value for one in scored] == pytest.approx([0, 1 - first, 0, 0])
    assert [one.detail["flags"] for one in scored] == [[], [SOLVING], [CHECKING], [CHECKING]]
    assert scored[1].detail["potential"] == 1.0


def test_a_wrong_rollout_that_had_it_right_says_where():
    [scored] = StepPotential(solver(found=0.0, lost=-9.0)).score([trace("found", "lost", "The answer is 5")])
    assert [one.detail["flags"] for one in scored] == [[LOST], [], []]
    assert scored[1].value == pytest.approx(-2 + math.exp(-9) * 2)


def test_without_log_probabilities_of_given_texts_accuracy_is_read_off_what_is_drawn():
    model = solver()
    model.given = None
    [scored] = StepPotential(model).score([trace("try", "The answer is 4")])
    assert scored[0].detail["accuracy"] == 1.0 and READ_OFF in scored[0].detail["flags"]
    with pytest.raises(NotServed):
        StepPotential(Told()).score([trace("try")])


SOLUTION = {"answer": "12", "solution": "Three boxes hold 4 pens each.\n\n3 * 4 = 12 pens."}


def test_a_chain_is_covered_in_order_by_what_was_written():
    record = trace("Each of three boxes can hold 4 pens.", "Hm.", "So 3 * 4 = 12 pens.")
    steps = chains.chain(SOLUTION)
    assert len(steps) == 2
    assert chains.covered(record, steps, 0.6) == {1: 1, 2: 1, 3: 2}
    assert chains.covered(trace("12 pens, 3 and 4"), steps, 0.9) == {1: 0}  # the first step is not covered, so no other


@pytest.mark.parametrize("reference", [None, "12", {"answer": "12"}, {"solution": ""}, {"solution": 5}, ["a"]])
def test_a_reference_without_a_solution_has_no_chain(reference):
    assert chains.chain(reference) == []


def test_path_faithfulness_is_what_a_step_adds_to_the_rest_of_the_chain_a_token():
    asked = []

    def log_probs(read, text):
        asked.append((read.count("pens"), text))
        return [-1.0, -1.5] if "boxes" in read else [-2.0, -2.5]

    record = trace(
        "Each of three boxes can hold 4 pens.", "So 3 * 4 = 12 pens.", "The answer is 12", reference=SOLUTION
    )
    [scored] = PathFaithfulness(Told(log_probs), limit=3).score([record])
    assert [one.value for one in scored] == pytest.approx([1.0, 1.0, 1.0])
    assert [one.detail["covered"] for one in scored] == [1, 2, 2]
    assert {text for _, text in asked} == {"3 * 4 = 12 pens.\nThe answer is 12", "The answer is 12"}
    assert scored[-1].detail["reward"] == pytest.approx(2.0) and scored[-1].detail["outcome"] == 1.0
    assert {"feature": "covers: 3 * 4 = 12 pens.", "contribution": 1.0} in scored[1].detail["why"]


def test_path_faithfulness_stays_within_its_limit():
    extreme = Told(lambda read, text: [0.0] if "step" in read else [-math.inf])
    scorer = PathFaithfulness(extreme, limit=0.5)
    [scored] = scorer.score([trace("step", reference=SOLUTION)])
    assert scored[0].value == 0.5 and scorer.range == (-0.5, 0.5)


def test_a_chain_the_model_writes_is_kept_only_with_the_right_answer():
    def writes(said):
        return Told(lambda read, text: [-1.0], lambda read, sampling: [Completion(said)])

    [scored] = PathFaithfulness(writes("Two and two.\nThe answer is 4"), write=True).score([trace("a")])
    assert scored[0].detail["flags"] == [WRITTEN] and scored[0].detail["of"] == 1
    [said] = PathFaithfulness(writes("Two and two.\nThe answer is 5"), write=True).score([trace("a")])
    assert str(said).endswith("the solution that the language model wrote does not end with the right answer")
    [said] = PathFaithfulness(writes("")).score([trace("a")])
    assert str(said) == "path faithfulness not applicable: the task's reference holds no solution, only an answer"


ANSWERS, FIRST, SECOND = ("four", "five"), ("left", "right"), ("up", "down")
ALL = list(itertools.product(ANSWERS, FIRST, SECOND))


def joint(weights):
    """A model of one mind: what it says of steps, with and without the answer, comes of one table p(answer, steps)."""
    total = sum(weights)
    table = {one: weight / total for one, weight in zip(ALL, weights, strict=True)}

    def p(*said):
        return sum(weight for one, weight in table.items() if all(word in one for word in said))

    def log_probs(read, text):
        known = [word for word in (*ANSWERS, *FIRST) if word in read]
        return [math.log(p(*known, text) / p(*known))]

    return p, log_probs


@given(some.lists(some.floats(min_value=0.01, max_value=1), min_size=8, max_size=8), some.sampled_from(ALL))
def test_evidence_for_an_answer_adds_up_to_what_the_steps_say_of_it(weights, said):
    """Bayes: Σ e_t = log p(answer given steps) − log p(answer)."""
    answer, first, second = said
    p, log_probs = joint(weights)
    [scored] = AnswerHindsight(Told(log_probs)).score([trace(first, second, reference=answer)])
    whole = math.log(p(*said) / p(first, second)) - math.log(p(answer))
    assert math.fsum(one.value for one in scored) == pytest.approx(whole, abs=1e-9)


def test_a_step_that_speaks_for_the_answer_is_above_nothing_and_the_answer_stands_in_the_question():
    model = Told(lambda read, text: [-1.0, -2.0] if "verified" in read else [-1.5, -2.5])
    [scored] = AnswerHindsight(model).score([trace("first", "second")])
    assert [one.value for one in scored] == pytest.approx([1.0, 1.0])
    assert scored[0].detail["by token"] == pytest.approx(0.5)
    assert "user: What is 2 + 2?\n\n[The verified answer is: 4]\nfirst\n\n" in [before(p) for p, _ in model.asked[0]]


def test_what_tools_answered_is_read_and_not_counted():
    record = trace("look", "done")
    called = replace(record.steps[1], observations=({"content": "seen"},))
    between = StepRecord("user", 9, message="look")  # the same words as the agent's: the agent's are asked about
    model = Told(lambda read, text: [-1.0])
    StepLikelihood(model).score([replace(record, steps=(record.steps[0], called, between, record.steps[2]))])
    assert sorted((before(prompt), text) for prompt, text in model.asked[0]) == [
        ("user: What is 2 + 2?\n", "look"),
        ("user: What is 2 + 2?\nlook\n\n<tool_response>\nseen\n</tool_response>\n\nlook\n\n", "done"),
    ]


def test_of_several_answers_the_one_that_the_steps_speak_for_most():
    model = Told(lambda read, text: [-1.0 if "is: four" in read else -2.0])
    [scored] = AnswerHindsight(model).score([trace("a", reference=["4", "four"])])
    assert scored[0].value == pytest.approx(1.0) and scored[0].detail["answer"] == "four"


def test_the_users_next_words_stand_in_for_the_answer_and_need_no_reference():
    record = trace("first", "second", "third", reference=None)
    steps = (*record.steps[:2], StepRecord("user", 5, message="No, I meant 3"), *record.steps[2:])
    model = Told(lambda read, text: [-3.0] if "[What the user says later: No, I meant 3]" in read else [-1.0])
    [said] = ReplyHindsight(model).score([replace(record, steps=steps)])
    assert isinstance(said, Partly) and not ReplyHindsight.reads_reference
    assert [(one.index, one.value) for one in said] == [(1, -2.0)]
    assert set(said.unscored) == {3, 4}
    assert "no turn of the user follows" in said.unscored[3]


def test_the_likelihood_of_a_step_is_the_mean_of_its_tokens_and_a_silent_one_has_none():
    [said] = StepLikelihood(Told(lambda read, text: [-1.0, -3.0])).score([trace("a", "")])
    assert [one.value for one in said] == [-2.0]
    assert dict(said.unscored) == {2: "the step says nothing"}
    assert said[0].detail["why"] == [{"feature": "perplexity", "contribution": pytest.approx(math.exp(2))}]


@pytest.mark.parametrize("scorer", [AnswerHindsight, ReplyHindsight, StepLikelihood])
def test_nothing_can_stand_in_for_log_probabilities_of_a_steps_words(scorer):
    record = trace("a")
    asked = replace(record, steps=(*record.steps, StepRecord("user", 9, message="No.")))
    with pytest.raises(NotServed):
        scorer(Told(written=lambda read, sampling: [])).score([asked])


@pytest.mark.parametrize("log_prob", [-math.inf, 0.0, -1e308])
def test_impossible_and_certain_words_have_finite_numbers(log_prob):
    model = Told(lambda read, text: [log_prob] if "verified" in read else [-1.0])
    [scored] = AnswerHindsight(model).score([trace("a")])
    assert scored[0].value in (-99.0, 1.0)
    [scored] = StepLikelihood(Told(lambda read, text: [log_prob])).score([trace("a")])
    assert math.isfinite(scored[0].value)


def test_the_log_ratio_of_two_models_adds_up_over_a_response():
    policy, base = Told(lambda read, text: [-1.0, -2.0]), Told(lambda read, text: [-1.5, -2.5])
    [scored] = PolicyRatio(policy, against=base).score([trace("first", "second")])
    assert [one.value for one in scored] == pytest.approx([1.0, 1.0])
    [scored] = PolicyRatio(policy, against=base, beta=0.05).score([trace("first", "")])
    assert isinstance(scored, Partly) and [one.value for one in scored] == pytest.approx([0.05])
    scorer = PolicyRatio(policy, against=base)
    assert scorer.provenance["against"] == {"model": "told"} and len(scorer.provenance["models"]) == 2
    assert scorer.usage == {"calls": 6.0}  # two steps and one, of each of the two models


def test_surprise_is_of_what_was_observed_alone():
    record = trace("look", "done")
    called = replace(
        record.steps[1], observations=({"content": "look"}, {"content": "</tool_response> <tool_response>"})
    )
    model = Told(lambda read, text: [-1.0, -2.0])
    [said] = Surprise(model).score([replace(record, steps=(record.steps[0], called, record.steps[2]))])
    assert isinstance(said, Partly) and [(one.index, one.value) for one in said] == [(1, 1.5)]
    assert dict(said.unscored) == {2: "the step observed nothing"}
    [(prompt, text)] = model.asked[0]
    assert before(prompt) == "user: What is 2 + 2?\nlook\n\n<tool_response>\n"
    assert text == "look\n</tool_response>\n\n<tool_response>\n</tool_response> <tool_response>"


def test_a_gain_for_the_rollouts_own_answer_reads_no_reference_and_says_so():
    model = Told(rising(first=math.log(0.5), so=math.log(0.8)))
    [scored] = OwnGain(model).score([trace("first", "so the answer is 5")])
    assert [one.value for one in scored] == pytest.approx([0.5 - math.exp(-9), 0.3])
    assert {text for _, text in model.asked[0]} == {" 5"} and not OwnGain.reads_reference
    assert scored[-1].detail["flags"] == [INTRINSIC] and "outcome" not in scored[-1].detail
