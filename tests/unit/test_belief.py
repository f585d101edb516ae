"""Beliefs in a right answer after each step, by numbers worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from annotations.records import StepRecord
from models_service.scorers.base import CannotScore, checked
from models_service.scorers.belief import formulas, returns
from models_service.scorers.belief.gains import GainReturns, InformationGain, InformationPotential
from models_service.scorers.belief.probing import SAMPLED
from models_service.scorers.belief.segments import SegmentProgress, ends
from models_service.scorers.language.asked import Completion, NotServed, Token
from tests.believing import Told, before, rising, trace

LOG_PROBS = some.floats(allow_nan=False, max_value=0) | some.just(-math.inf)


def tokens(*log_probs: float) -> list[Token]:
    return [Token("t", one) for one in log_probs]


def test_the_log_ratio_of_the_textbook_example_is_one():
    assert formulas.log_ratio(tokens(-1, -2), tokens(-1.5, -2.5)) == pytest.approx(1.0)


def test_normalisations_by_name():
    values = [math.log(0.5), math.log(0.125)]
    assert formulas.NORMALISATIONS["mean-log"](values) == pytest.approx(0.25)
    assert formulas.NORMALISATIONS["product"](values) == pytest.approx(0.0625)
    assert formulas.NORMALISATIONS["mean"](values) == pytest.approx(0.3125)


@given(some.lists(LOG_PROBS, min_size=1, max_size=20), some.lists(LOG_PROBS, min_size=1, max_size=20))
def test_impossible_and_certain_tokens_leave_every_number_finite(one, other):
    for normalised in formulas.NORMALISATIONS.values():
        p, q = normalised(formulas.log_probs(tokens(*one))), normalised(formulas.log_probs(tokens(*other)))
        assert 0 <= p <= 1
        assert -18.43 < formulas.log_gain(p, q) < 18.43
    assert math.isfinite(formulas.log_ratio(tokens(*one), tokens(*other)))


@pytest.mark.parametrize("read", [[], [math.nan]])
def test_no_token_or_no_number_is_a_reason_and_no_value(read):
    with pytest.raises(CannotScore):
        formulas.log_probs(tokens(*read))


def test_a_gain_is_what_a_step_adds_to_the_belief_and_the_first_is_held_against_the_bare_question():
    model = Told(rising(question=-9, first=math.log(0.5), second=math.log(0.25), third=math.log(0.9)))
    record = trace("first", "second", "third: the answer is 4")
    [scored] = InformationGain(model, max_tokens=999).score([record])
    assert [one.value for one in scored] == pytest.approx([0.5 - math.exp(-9), -0.25, 0.65])
    assert sum(one.value for one in scored) == pytest.approx(0.9 - math.exp(-9))
    assert [one.probability for one in scored] == [None] * 3
    assert scored[-1].detail["outcome"] == 1.0 and "outcome" not in scored[0].detail
    assert [scored[0].detail["before"], scored[0].detail["after"]] == pytest.approx([math.exp(-9), 0.5])


def test_the_words_that_ask_stand_behind_the_steps_and_the_answers_space_belongs_to_it():
    model = Told(rising())
    InformationGain(model).score([trace("first", "second")])
    [pairs] = model.asked
    closing = "<think>\nNow there's enough information to answer.\n</think>\n\n<answer>"
    assert {before(prompt) for prompt, _ in pairs} == {
        f"user: What is 2 + 2?\n{closing}",
        f"user: What is 2 + 2?\nfirst\n\n{closing}",
        f"user: What is 2 + 2?\nfirst\n\nsecond\n\n{closing}",
    }
    assert {text for _, text in pairs} == {" 4"}


def test_without_a_chat_template_all_is_one_text():
    model = Told(rising())
    InformationGain(model, chat=False).score([trace("first")])
    openings = sorted((prompt.opening for prompt, _ in model.asked[0]), key=len)
    assert all(not prompt.messages for prompt, _ in model.asked[0])
    assert openings[0].startswith("What is 2 + 2?\n\n<think>")
    assert openings[1].startswith("What is 2 + 2?\n\nfirst\n\n<think>")


def test_control_tokens_that_a_trajectory_spells_out_are_broken():
    model = Told(rising())
    record = trace("<|im_end|> [INST] </s>", reference="<|eot_id|>4")
    InformationGain(model).score([record])
    read = "".join(before(prompt) + text for prompt, text in model.asked[0])
    assert "< |im_end|> [ INST] < /s>" in read and "< |eot_id|>4" in read


def test_all_steps_of_all_trajectories_are_asked_about_at_once_each_thing_once_and_what_begins_alike_side_by_side():
    model = Told(rising())
    InformationGain(model).score([trace("first", "b"), trace("other"), trace("first", "c"), trace()])
    [pairs] = model.asked
    read = [before(prompt) for prompt, _ in pairs]
    assert len(read) == len(set(read)) == 5
    assert ["first" in one for one in read].count(True) == 3
    places = [place for place, one in enumerate(read) if "first" in one]
    assert places == list(range(places[0], places[0] + 3))


def test_of_several_accepted_answers_the_likeliest_counts_and_is_named():
    model = Told(lambda read, text: [-1.0 if text == " four" and "first" in read else -3.0])
    [scored] = InformationGain(model).score([trace("first", reference={"target": ["4", "four", 4.0]})])
    assert scored[0].value == pytest.approx(math.exp(-1) - math.exp(-3))
    assert scored[0].detail["answer"] == "four"


def test_what_is_not_asked_of_many_accepted_answers_is_said():
    model = Told(rising())
    [scored] = InformationGain(model, answers=2).score([trace("a", reference=["1", "2", "3"])])
    assert {text for _, text in model.asked[0]} == {" 1", " 2"}
    assert scored[0].detail["flags"] == ["only the first 2 of 3 accepted answers were asked about"]


@pytest.mark.parametrize("reference", ["4", 4, ["4"], {"target": ["4"]}, {"answer": 4}, {"gold": "4"}])
def test_a_reference_is_read_however_it_is_written(reference):
    model = Told(rising())
    InformationGain(model).score([trace("a", reference=reference)])
    assert {text for _, text in model.asked[0]} == {" 4"}


@pytest.mark.parametrize("reference", [None, "", "  ", [], {}, {"target": []}, {"calls": []}, True, {"answer": None}])
def test_no_reference_is_a_reason(reference):
    model = Told(rising())
    for scorer in (InformationGain(model), SegmentProgress(model), InformationPotential(model)):
        [said] = scorer.score([trace("a", reference=reference)])
        assert str(said) == f"{scorer.title} not applicable: the task's reference holds no answer"
    assert model.asked == []


def test_where_given_texts_have_no_log_probabilities_draws_are_counted_and_the_scores_say_so():
    def written(read, sampling):
        right = 3 if "second" in read else 1 if "first" in read else 0
        return [Completion(one) for one in [" 4.0", " 4", "4", " five"][:right] + [" five"] * (sampling.count - right)]

    [scored] = InformationGain(Told(written=written), draws=4).score([trace("first", "second")])
    assert [one.value for one in scored] == pytest.approx([0.25, 0.5])
    assert [one.detail["flags"] for one in scored] == [[SAMPLED]] * 2


def test_draws_can_be_refused():
    with pytest.raises(NotServed, match="no log-probabilities of given texts"):
        InformationGain(Told(written=lambda read, sampling: ()), draws=0).score([trace("a")])


def test_what_a_model_cannot_read_is_a_reason_for_that_trajectory_alone():
    class Short(Told):
        def forced(self, pairs):
            said = super().forced(pairs)
            return [
                CannotScore("too long") if "long" in before(p) else t for (p, _), t in zip(pairs, said, strict=True)
            ]

    refused, scored = InformationGain(Short(rising())).score([trace("short", "long"), trace("short")])
    assert str(refused) == "too long" and len(scored) == 1


@given(some.lists(some.floats(min_value=-30, max_value=0), min_size=2, max_size=8))
def test_gains_add_up_to_the_whole_change_of_belief(log_probs):
    words = {f"w{place}x": value for place, value in enumerate(log_probs[1:])}
    record = trace(*words, reference="4")
    model = Told(lambda read, text: [rising(**words)(read, text)[0] if "w0x" in read else log_probs[0]])
    [gains], [potentials] = InformationGain(model).score([record]), InformationPotential(model).score([record])
    first, last = math.exp(log_probs[0]), math.exp(log_probs[-1])
    assert math.fsum(one.value for one in gains) == pytest.approx(last - first, abs=1e-9)
    whole = math.log(last + 1e-8) - math.log(first + 1e-8)
    assert math.fsum(one.value for one in potentials) == pytest.approx(whole, abs=1e-9)
    checked(record, gains)


def test_long_traces_are_read_with_observations_shortened_and_say_so():
    record = trace("first", "second: the answer is 4")
    seen = replace(record.steps[1], observations=({"content": "x" * 9000},))
    [scored] = InformationGain(Told(rising()), max_tokens=1500).score(
        [replace(record, steps=(record.steps[0], seen, record.steps[2]))]
    )
    assert all("observations shortened" in one.detail["flags"] for one in scored)


def test_a_model_that_says_how_much_it_reads_is_not_given_more():
    model = Told(rising())
    model.max_tokens = 1600
    record = trace("first", "second: the answer is 4")
    seen = replace(record.steps[1], observations=({"content": "x" * 9000},))
    [scored] = InformationGain(model).score([replace(record, steps=(record.steps[0], seen, record.steps[2]))])
    assert "observations shortened" in scored[1].detail["flags"]
    assert max(len(before(prompt)) for prompt, _ in model.asked[0]) < 1600 * 3
    assert (InformationGain(model).longest, InformationGain(Told()).longest) == (1400, 16_384)


def test_what_is_still_too_long_is_read_in_windows_and_each_gain_is_within_one_of_them():
    read = []

    def given(before_it, text):
        read.append(before_it)
        return [-1.0 if "final" in before_it else -2.0]

    record = trace(*("word " * 200 for _ in range(6)), "final: the answer is 4")
    [scored] = InformationGain(Told(given), max_tokens=900).score([record])
    assert all("read in a window" in one.detail["flags"] and "window" in one.detail for one in scored)
    assert [one.value for one in scored] == pytest.approx([0.0] * 6 + [math.exp(-1) - math.exp(-2)])
    assert max(map(len, read)) < 3000


def test_of_a_tree_each_way_is_read_and_a_step_is_held_against_the_one_it_was_tried_after():
    asked = StepRecord("user", 0, message="Which?")
    tried = [("root", None), ("left", 1), ("right", 1)]
    steps = tuple(StepRecord("agent", 1, message=said, parent=parent) for said, parent in tried)
    record = replace(trace(), steps=(asked, *steps))
    model = Told(rising(root=math.log(0.5), left=math.log(0.25), right=math.log(0.75)))
    [scored] = InformationGain(model).score([record])
    assert [one.value for one in checked(record, scored)][1:] == pytest.approx([-0.25, 0.25])
    assert all("outcome" not in one.detail for one in scored)


def test_what_the_user_says_between_is_read():
    record = trace("first", "second")
    steps = (*record.steps[:2], StepRecord("user", 5, message="Sure?"), record.steps[2])
    model = Told(rising())
    InformationGain(model).score([replace(record, steps=steps)])
    assert any("first\n\nSure?\n\nsecond" in before(prompt) for prompt, _ in model.asked[0])


def test_segments_end_where_sentences_do_and_add_up_to_what_the_step_moved():
    step = "Two plus two. That is four! So I say 4"
    assert [step[start:end] for start, end in zip([0, *ends(step, 3)], ends(step, 3), strict=False)] == [
        "Two plus two. ",
        "That is four! ",
        "So I say 4",
    ]
    model = Told(rising(plus=math.log(0.1), four=math.log(0.7), say=math.log(0.6)))
    [scored] = SegmentProgress(model, segments=3).score([trace(step)])
    assert [why["contribution"] for why in scored[0].detail["why"]] == pytest.approx([0.1 - math.exp(-9), 0.6, -0.1])
    assert scored[0].value == pytest.approx(0.6 - math.exp(-9))
    assert scored[0].detail["ends"] == [14, 28, 38]


@given(some.text(max_size=300), some.integers(1, 6))
def test_segments_cover_a_step_whatever_it_says(step, most):
    found = ends(step, most)
    assert found[-1] == len(step) and found == sorted(set(found)) and 1 <= len(found) <= most


def test_returns_of_turns_less_the_groups_mean():
    assert returns.discounted([1.0, 2.0, 4.0], 0.5) == [3.0, 4.0, 4.0]
    assert returns.centred([[1.0, 1.0], [0.0, 0.0]]) == [[1.25, 0.25], [-0.75, -0.75]]


def test_three_rollouts_of_two_turns_by_z_score_at_each_turn():
    # Turn 1: gains 0, .3, .6, mean .3, deviation .2449: z −1.2247, 0, 1.2247. Turn 2: .2, .2, .8, mean .4,
    # deviation .2828: z −.7071, −.7071, 1.4142. Sums from turn 1 on are divided by √2, from turn 2 on by 1.
    made = returns.by_turn([[0.0, 0.2], [0.3, 0.2], [0.6, 0.8]])
    assert made[0] == pytest.approx([(-1.224745 - 0.707107) / math.sqrt(2), -0.707107], abs=1e-6)
    assert made[1] == pytest.approx([-0.5, -0.707107], abs=1e-6)
    assert made[2] == pytest.approx([(1.224745 + 1.414214) / math.sqrt(2), 1.414214], abs=1e-6)


def test_rollouts_of_unequal_length_and_a_lone_one_have_finite_advantages():
    assert returns.by_turn([[0.5, 0.1, 0.2], [0.4]]) == [pytest.approx([1 / math.sqrt(3), 0, 0]), [-1.0]]
    assert returns.by_turn([[0.5, 0.2]]) == [[0.0, 0.0]]


def test_gains_as_advantages_keep_the_gain_beside_and_take_the_outcome_for_the_last():
    model = Told(rising(first=math.log(0.5), right=math.log(0.9), wrong=math.log(0.1)))
    one, other = trace("first", "right: the answer is 4"), trace("first", "wrong: the answer is 5", number=1)
    rows = GainReturns(model).score([one, other])
    p = 0.5 - math.exp(-9)  # rewards: p and 1; p and 0. Returns: p + 1, 1; p, 0. Mean: (2p + 2) / 4
    mean = (2 * p + 2) / 4
    assert [step.value for row in rows for step in row] == pytest.approx([p + 1 - mean, 1 - mean, p - mean, -mean])
    assert rows[0][0].detail["gain"] == pytest.approx(p)
    again = GainReturns(model, by="a2tgpo").score([other, one])
    assert [step.value for step in again[1]] == pytest.approx([1 / math.sqrt(2), 1.0])


def test_rollouts_of_other_tasks_are_another_group():
    model = Told(rising(first=math.log(0.5)))
    records = [trace("first", task="a"), trace("first", task="b"), trace("none", task="b", number=1)]
    alone, *rows = GainReturns(model, by="a2tgpo").score(records)
    assert [row[0].value for row in rows] == pytest.approx([1.0, -1.0])
    assert str(alone).endswith("not applicable: no other rollout of the task could be scored")


@pytest.mark.parametrize(
    "options",
    [{"normalisation": "sum"}, {"max_tokens": 0}, {"answers": 0}, {"draws": -1}, {"by": "x"}, {"discount": 2}],
)
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(ValueError):
        GainReturns(Told(), **options)


def test_what_scores_come_from_is_kept_with_a_run():
    said = InformationGain(Told(), draws=3).provenance
    assert said["scorer"] == "InformationGain" and said["language"] == {"model": "told"}
    assert said["models"] == [{"model": "told", "sha256": None}] and said["range"] == [-1.0, 1.0]
    assert said["options"]["draws"] == 3 and said["options"]["normalisation"] == "mean-log"
    assert GainReturns(Told()).provenance["options"]["by"] == "igpo"
