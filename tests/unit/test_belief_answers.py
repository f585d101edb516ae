"""What a rollout's own answer is held for: by how many rollouts give it, how sure a model is of it, how it reads."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from annotations.records import StepRecord
from models_service.scorers.base import CannotScore, Partly, checked
from models_service.scorers.belief import dimensions, formulas
from models_service.scorers.belief.confidence import AnswerConfidence
from models_service.scorers.belief.consensus import ALONE, Consensus
from models_service.scorers.belief.dimensions import Dimensions
from models_service.scorers.belief.knowing import AnswerTrue, Knows
from models_service.scorers.language.asked import Completion, NotServed, Token
from tests.believing import Told, before, rising, trace

GAIN = math.log(0.5 + 1e-8) - math.log(0.1 + 1e-8)
MODEL = rising(user=math.log(0.1), first=math.log(0.5))
FOUR = [trace("first", f"The answer is {said}", number=at) for at, said in enumerate(["4", "4.0", "4"])]
FIVE = trace("first", "The answer is 5", number=3)


def replies(*words: tuple[str, float], otherwise: float = 0.5):
    """A model whose one-word reply is yes as surely as the first of these words that stands in the question says."""

    def written(read, sampling):
        yes = next((chance for word, chance in words if word in read), otherwise)
        top = {"Yes": math.log(yes / 2), " yes": math.log(yes / 2), "True": math.log(yes)}
        top |= {"No": math.log(1 - yes), "False": math.log(1 - yes), "Well": -9.0}
        return [Completion("Yes", (Token("Yes", 0.0, top),))]

    return written


def values(said):
    return [[one.value for one in row] for row in said]


def test_an_answer_that_three_of_four_give_weighs_three_quarters():
    three, *_, one = values(Consensus(Told(MODEL)).score([*FOUR, FIVE]))
    assert three == pytest.approx([0.75 * GAIN, 0.75 * 0 + 0.5 * 0.75])
    assert one == pytest.approx([0.25 * GAIN, 0.5 * 0.25])


def test_every_rollout_of_a_cluster_is_asked_about_its_usual_spelling():
    model = Told(MODEL)
    Consensus(model).score([*FOUR, FIVE])
    assert {text for _, text in model.asked[0]} == {" 4", " 5"}


def test_a_rollout_of_one_step_has_the_last_term_alone_and_a_lone_one_says_so():
    [scored] = Consensus(Told(MODEL), share=0.2).score([trace("first: the answer is 4")])
    assert scored[0].value == pytest.approx(0.8)
    assert scored[0].detail["flags"] == [ALONE]


def test_a_rollout_without_an_answer_has_no_score_and_no_vote():
    silent, unsure = trace("first", ""), trace("first", "I could not find the answer: unknown")
    said = Consensus(Told(MODEL)).score([silent, FOUR[0], unsure])
    assert [str(one) for one in (said[0], said[2])] == [
        "consensus potential not applicable: the trajectory gives no answer"
    ] * 2
    assert said[1][0].detail["share"] == 1.0


def test_no_reference_is_read():
    assert not Consensus.reads_reference and Consensus.siblings
    bare = [replace(one, task=replace(one.task, reference=None)) for one in [*FOUR, FIVE]]
    assert values(Consensus(Told(MODEL)).score(bare)) == values(Consensus(Told(MODEL)).score([*FOUR, FIVE]))


@settings(max_examples=25)
@given(some.permutations(range(6)), some.sampled_from(["spelling", "entailment"]))
def test_the_order_of_rollouts_changes_nothing(order, same):
    answers = ["4", "four", "5", "five", "4.0", "about 4"]
    records = [trace("first", f"The answer is {said}", number=at) for at, said in enumerate(answers)]
    # "four" entails and is entailed by "4" and "about 4"; these two do not entail each other.
    implied = replies(("Second answer: four", 0.9), ("First answer: four", 0.9), otherwise=0.2)
    scorer = Consensus(Told(MODEL, implied), same=same)
    alone, mixed = scorer.score(records), scorer.score([records[at] for at in order])
    assert [mixed[order.index(at)] for at in range(6)] == alone


def test_answers_that_imply_each_other_are_one_where_the_model_is_asked():
    records = [trace("first", f"The answer is {said}", number=at) for at, said in enumerate(["4", "four", "5"])]
    both = replies(
        ("First answer: 4\nSecond answer: four", 0.9), ("First answer: four\nSecond answer: 4", 0.8), otherwise=0.1
    )
    said = Consensus(Told(MODEL, both), same="entailment").score(records)
    assert [row[0].detail["share"] for row in said] == pytest.approx([2 / 3, 2 / 3, 1 / 3])
    one_way = replies(("First answer: 4\nSecond answer: four", 0.9), otherwise=0.1)
    said = Consensus(Told(MODEL, one_way), same="entailment").score(records)
    assert [row[0].detail["share"] for row in said] == pytest.approx([1 / 3] * 3)


def test_weights_of_clusters_by_evidence_sum_to_one():
    assert formulas.cluster_weights([3, 1]) == [0.75, 0.25]
    raised = formulas.cluster_weights([3, 1], [0.0, 1.0], eta=math.log(3))
    assert raised == pytest.approx([0.5, 0.5])
    said = Consensus(Told(MODEL), eta=1.0).score([*FOUR, FIVE])
    assert said[0][0].detail["share"] == pytest.approx(0.75)  # nothing was observed, so the evidence is the same


def test_trees_have_no_one_answer():
    steps = (FIVE.steps[0], *(StepRecord("agent", 1, message="x", parent=at) for at in (None, 1, 1)))
    tree = replace(FIVE, steps=steps)
    for scorer in (Consensus(Told(MODEL)), AnswerTrue(Told(MODEL)), AnswerConfidence(Told(MODEL))):
        [said] = scorer.score([tree])
        assert str(said) == f"{scorer.title} not applicable: a tree has no one answer"


def test_p_true_is_the_share_of_true_against_false_after_each_step():
    model = Told(written=replies(("second", 0.9), ("first", 0.3)))
    [scored] = AnswerTrue(model).score([trace("first", "second: the answer is 4")])
    assert [one.value for one in scored] == pytest.approx([0.3, 0.9])
    read = [before(prompt) for prompt in model.asked[0]]
    assert all(
        "Proposed answer: 4\n\nIs the proposed answer true?\nAnswer with one word, True or False." in one
        for one in read
    )


def test_p_true_shows_other_answers_where_asked_to_and_never_its_own_rollouts():
    model = Told(written=replies())
    scorer = AnswerTrue(model, others=True)
    assert scorer.siblings and not AnswerTrue(Told()).siblings
    scorer.score([FOUR[0], FIVE])
    assert any("Other answers that were given:\n- 5\n\nProposed answer: 4" in before(one) for one in model.asked[0])


def test_p_i_know_needs_no_answer():
    [scored] = Knows(Told(written=replies(("first", 0.6)))).score([trace("first", "")])
    assert [one.value for one in scored] == pytest.approx([0.6, 0.6])


def test_where_neither_word_is_likely_the_two_are_compared_as_texts():
    written = lambda read, sampling: [Completion("Hm", (Token("Hm", 0.0, {"Hm": -0.1}),))]  # noqa: E731
    model = Told(lambda read, text: [-1.0] if text == "Yes" else [-2.0], written)
    [scored] = Knows(model).score([trace("first")])
    assert scored[0].value == pytest.approx(1 / (1 + math.exp(-1)))
    [said] = Knows(Told(written=written)).score([trace("first")])
    assert str(said) == "neither Yes nor No is among the 20 likeliest replies"
    with pytest.raises(NotServed):
        Knows(Told()).score([trace("first")])


def test_confidence_is_the_mean_probability_of_the_answers_tokens_where_it_was_said():
    def given(read, text):
        assert text == " 4 of them"
        return [math.log(0.5), math.log(0.25), math.log(0.75)] if read.endswith("answer is") else [math.log(0.1)] * 3

    [scored] = AnswerConfidence(Told(given)).score([trace("first", "So the answer is 4 of them")])
    assert [one.value for one in scored] == pytest.approx([0.1, 0.5])
    assert [one.detail["read"] for one in scored] == ["asked for after the step", "where it was said"]


def test_confidence_of_the_three_dimensions_is_a_mean_and_a_sum():
    assert dimensions.confidence([-1.0, -3.0], [-0.5, -0.25]) == pytest.approx(-2.75)


def test_dimensions_are_standardised_among_the_rollouts_steps_and_weighed():
    def log_probs(read, text):
        return [-1.0] if "bad" in read + text else [-0.5]

    model = Told(log_probs, replies(("bad", 0.2), otherwise=0.8))
    one, other = trace("good: the answer is 4"), trace("bad: the answer is 4", number=1)
    rows = Dimensions(model, weights=(1, 2, 0)).score([one, other])
    # Each dimension tells the two apart, so that its z-scores are 1 and −1.
    assert values(rows) == [pytest.approx([3.0]), pytest.approx([-3.0])]
    assert rows[0][0].detail["confidence"] == pytest.approx(-1.0) and "coherence" not in rows[0][0].detail
    assert rows[0][0].detail["why"][1] == {"feature": "relevance", "contribution": pytest.approx(2.0)}
    assert rows[0][0].detail["flags"] == [dimensions.NO_DOCUMENTS]


def test_a_dimension_that_is_not_wanted_is_not_asked_about():
    model = Told(lambda read, text: [-1.0])
    [scored] = Dimensions(model, weights=(1, 0, 0)).score([trace("a", "the answer is 4")])
    assert len(model.asked) == 1 and scored[0].detail["flags"] == []


def test_documents_that_were_retrieved_are_asked_about():
    record = trace("look", "The answer is 4")
    seen = replace(record.steps[1], observations=({"content": "two and two are four"},))
    model = Told(written=replies())
    Dimensions(model, weights=(0, 1, 0)).score([replace(record, steps=(record.steps[0], seen, record.steps[2]))])
    read = [before(prompt) for prompt in model.asked[0]]
    assert sum("Documents:\ntwo and two are four\n\nReasoning:" in one for one in read) == 2


def test_a_step_that_says_nothing_has_a_reason_and_the_others_their_numbers():
    record, other = trace("", "The answer is 4"), trace("The answer is 4", number=1)
    said, _ = Dimensions(Told(lambda read, text: [-1.0], replies())).score([record, other])
    assert isinstance(said, Partly) and dict(said.unscored) == {1: "the step says nothing"}
    assert [one.value for one in checked(record, said)] == [0.0]


def test_a_lone_step_cannot_be_compared():
    said = Dimensions(Told(lambda read, text: [-1.0], replies())).score([trace("The answer is 4"), trace()])
    assert str(said[0]).endswith("not applicable: there is no other step to compare it with") and said[1] == ()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Consensus(Told(), same="sound"),
        lambda: Consensus(Told(), share=2),
        lambda: Dimensions(Told(), weights=(1, 1)),
        lambda: Dimensions(Told(), weights=(0, 0, 0)),
        lambda: Dimensions(Told(), weights=(1, -1, 1)),
    ],
)
def test_options_that_mean_nothing_are_refused(make):
    with pytest.raises(ValueError):
        make()


def test_a_comparison_that_fails_is_a_reason_for_the_tasks_rollouts():
    class Cannot(Told):
        def complete(self, prompts, sampling):
            return [CannotScore("too long") for _ in prompts]

    said = Consensus(Cannot(MODEL), same="entailment").score([FOUR[0], FIVE, trace("The answer is 4", task="other")])
    assert [str(one) for one in said[:2]] == ["too long"] * 2 and len(said[2]) == 1
