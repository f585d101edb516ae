"""Schemes that compare, mark, correct and warn: what each source asks of its scheme, worked out on small cases."""

from __future__ import annotations

import json
from collections import Counter
from itertools import permutations

import jsonschema
import pytest

from annotations import keys, schemes
from annotations.formats import chat
from annotations.schemes import keys as scheme_keys
from annotations.schemes import rules
from annotations.schemes.fields.base import Around
from annotations.schemes.fields.preference import PreferenceField
from annotations.schemes.measures import objectives, places, preferences, wordings

NAMES = [
    "better-action",
    "blind-goal",
    "cognitive-behaviours",
    "critique-correction",
    "earliest-harm",
    "forecast-failures",
    "harm-spans",
    "hop-diagnosis",
    "intervention",
    "memory-operations",
    "multi-turn-tags",
    "n-way-best",
    "perception-reasoning",
    "perception-spans",
    "plan-risk",
    "rationale-edit",
    "rollout-preference",
    "rollout-ranking",
    "safety-steps",
    "search-patterns",
    "span-codes",
    "step-dpo",
    "supervision-events",
    "teacher-feedback",
    "text-feedback",
    "timed-correction",
    "tool-edit",
    "video-drift",
    "web-arbiter",
    "web-step-grade",
]


def the(name):
    return schemes.shipped()[name]


def field(name, of):
    found = the(name).field(of)
    assert found is not None
    return found


def steps(name):
    """The agent's steps of the sample by index."""
    return {
        index: step for index, step in enumerate(chat.steps_of([*the(name).sample.messages])) if step.source == "agent"
    }


def texts(name):
    return {index: step.message for index, step in steps(name).items()}


def said(name, of=""):
    """The sample's answers by place, as rules see them."""
    indexes = list(steps(name))
    answers = the(name).sample.answers
    places = {(None if one.step is None else indexes[one.step], one.field): one.value for one in answers}
    return {place: value for place, value in places.items() if not of or place[1].partition("@")[0] == of}


def asked(name, answers, indexes=(1, 2, 3)):
    """What a scheme asks of these steps and of the trajectory after these answers."""
    scheme = the(name)
    found = rules.effects(scheme, rules.View(list(indexes), answers))
    places = [(step, spec.name) for spec in scheme.fields for step in (indexes if spec.of_step else [None])]
    return {place for place in places if not rules.is_closed(found, *place)}


def around(name, step):
    found = steps(name)
    lengths = {"message": len(found[step].message), "reasoning": len(found[step].reasoning)} if step else None
    return Around(step=step, steps=list(found), lengths=lengths)


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_of_a_scheme_holds_whole_answers(name):
    scheme = the(name)
    for (step, place), value in said(name).items():
        spec = scheme.field(place)
        assert spec.of_step == (step is not None)
        assert spec.refusal(value, around(name, step)) == ""
        assert spec.lacking(value, around(name, step)) == ""
        jsonschema.validate(value, spec.json_schema(around(name, step)))


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_of_a_scheme_answers_all_that_is_required(name):
    answered = {(step, place.partition("@")[0]) for step, place in said(name)}
    open_places = asked(name, said(name), list(steps(name)))
    required = {spec.name for spec in the(name).fields if spec.required}
    parts = {spec.name for spec in the(name).fields if spec.target == "tool_call" or spec.kind == "preference"}
    for step, place in open_places:
        if place in required - parts:
            assert (step, place) in answered
    assert parts & required <= {place for _, place in answered}


@pytest.mark.parametrize("name", NAMES)
def test_the_guidelines_of_a_scheme_can_be_read_in_a_few_minutes(name):
    for guideline in the(name).guidelines:
        lines = guideline.text.splitlines()
        assert 15 <= len(lines) <= 50
        assert "What not to do" in guideline.text


@pytest.mark.parametrize("name", NAMES)
def test_a_scheme_says_where_it_comes_from_and_which_test_shows_it(name):
    scheme = the(name)
    assert all(source.url or source.note for source in scheme.sources)
    file, _, test = scheme.check.test.rpartition("::")
    assert __file__.endswith(file)
    assert test in globals()


# Comparing


def test_a_good_action_that_loses_one_of_four_pairs_wins_no_state():
    better = field("web-arbiter", "better")
    verdicts = {pair: 4 if set(pair) == {0, 4} else 0 for pair in better.pairs([0, 1, 2, 3, 4]) if 0 in pair}
    assert len(verdicts) == 8  # four others, in both orders
    assert all(better.refusal(one, Around(candidates=pair)) == "" for pair, one in verdicts.items())
    assert better.refusal("tie")
    assert preferences.pairwise(0, verdicts) == (0.75, False)
    assert preferences.pairwise(0, dict.fromkeys(verdicts, 0)) == (1.0, True)
    assert preferences.pairwise(0, {(0, 1): 0, (1, 0): 1}) == (
        0.0,
        False,
    )


def test_a_pair_of_steps_keeps_the_steps_before_it():
    better = field("step-dpo", "better")
    written = {1: "24 / 3 = 8.", 2: "So 8 cuts.", 3: "So 7 cuts."}
    [(one, other)] = better.pairs([2, 3])
    assert better.refusal(3, Around(candidates=(one, other))) == ""
    assert better.refusal(1, Around(candidates=(one, other)))  # the step before is no sibling
    row = preferences.preference_row(written, before=[1], better=3, other=2)
    assert row == {"prefix_steps": ["24 / 3 = 8."], "chosen": "So 7 cuts.", "rejected": "So 8 cuts."}
    sample = said("step-dpo")
    [winner] = [value for (_, place), value in sample.items() if place.startswith("better@")]
    assert sample[winner, "label"] == 1


def test_each_action_stands_first_as_often_as_second():
    better = field("better-action", "better")
    pairs = better.pairs([3, 4, 7])
    assert Counter(first for first, _ in pairs) == Counter(second for _, second in pairs)
    expert = 4
    answers = {pair: expert for pair in pairs if expert in pair}  # the answer is the action, wherever it stood
    assert len(answers) == 4
    assert preferences.pairwise(expert, answers) == (1.0, True)


def test_best_and_worst_make_a_pair_of_one_state():
    best, worst = field("n-way-best", "best"), field("n-way-best", "worst")
    siblings = Around(candidates=[4, 5, 6])
    assert [one.refusal(5, siblings) for one in (best, worst)] == ["", ""]
    assert best.refusal(3, siblings)
    assert worst.refusal("tie", siblings)
    written = {3: "noise", 4: "a cat", 5: "a cat with two tails", 6: "a dog"}
    row = preferences.preference_row(written, before=[3], better=4, other=5)
    assert (row["prefix_steps"], row["chosen"], row["rejected"]) == (["noise"], "a cat", "a cat with two tails")


def test_rollouts_that_beat_each_other_in_a_circle_score_the_same():
    better = field("rollout-preference", "better")
    circle = dict(zip(better.pairs([0, 1, 2]), [0, 2, 1], strict=True))  # 0 > 1, 2 > 0, 1 > 2
    assert preferences.win_rates(circle) == {0: 0.5, 1: 0.5, 2: 0.5}
    assert preferences.circles(circle) == 1
    consistent = {pair: min(pair) for pair in better.pairs([0, 1, 2, 3])}
    rates = preferences.win_rates(consistent)
    assert sorted(rates, key=rates.__getitem__, reverse=True) == [0, 1, 2, 3]
    assert preferences.circles(consistent) == 0
    assert preferences.win_rates({(0, 1): "tie"}) == {0: 0.5, 1: 0.5}


def test_an_order_says_of_each_pair_who_is_better():
    order = field("rollout-ranking", "order")
    value = [[0], [2, 3], [1]]
    assert order.refusal(value, Around(candidates=[0, 1, 2, 3])) == ""
    assert order.refusal([[0], [2, 3]], Around(candidates=[0, 1, 2, 3]))  # one was left out
    assert order.refusal([[0], [2, 3], [0, 1]])  # one stands twice
    verdicts = {tuple(map(int, unit.name.split("-"))): unit.value for unit in order.units(value)}
    assert verdicts == {(0, 1): 0, (0, 2): 0, (0, 3): 0, (1, 2): 2, (1, 3): 3, (2, 3): "tie"}
    for groups in permutations([[0], [1], [2]]):
        strict = {tuple(map(int, unit.name.split("-"))): unit.value for unit in order.units(list(groups))}
        assert preferences.circles(strict) == 0
    rates = preferences.win_rates(verdicts)
    assert (max(rates, key=rates.__getitem__), min(rates, key=rates.__getitem__)) == (value[0][0], value[-1][0])


# Marking


def test_the_mask_covers_wrong_claims_and_nothing_else():
    [(step, spans)] = [(step, value) for (step, _), value in said("perception-spans", "claims").items()]
    text = texts("perception-spans")[step]
    assert "🐟" in text[: spans[0]["start"]]
    assert [text[one["start"] : one["end"]] for one in spans] == ["a red fish", "Two people"]
    mask = wordings.mask(spans, "message", len(text), ["wrong"])
    assert "".join(letter for letter, inside in zip(text, mask, strict=True) if inside) == "Two people"
    assert text[: mask.index(1)] == "The café 🐟 sign shows a red fish. "
    assert asked("perception-spans", {(1, "seen"): -1, (2, "seen"): 0}) >= {(1, "claims")}
    assert (2, "claims") not in asked("perception-spans", {(1, "seen"): -1, (2, "seen"): 0})


def test_a_code_and_its_dimension_stay_on_the_same_words():
    answers = said("span-codes")
    again = {place: json.loads(json.dumps(value)) for place, value in answers.items()}
    for step in steps("span-codes"):
        places = [
            [(one["part"], one["start"], one["end"]) for one in again[step, name]]
            for name in ("processes", "dimensions")
        ]
        assert places[0] == places[1]
    codes = field("span-codes", "processes")
    both = [{"part": "message", "start": 0, "end": 9, "type": kind} for kind in ("avoidance", "rumination")]
    assert codes.refusal(both) == ""  # two codes on the same words


def test_a_monitor_stops_at_the_first_harmful_word():
    text = "one two three four five six seven eight nine ten"
    start = text.index("six")
    spans = [{"part": "message", "start": start, "end": text.index(" ten"), "type": "harmful"}]
    assert field("harm-spans", "harm").refusal(spans, Around(lengths={"message": len(text)})) == ""
    inside = wordings.mask(spans, "message", len(text), ["harmful"])
    assert wordings.stop_at(text, inside) == (5, 0.6)
    assert wordings.stop_at(text, [0] * len(text)) is None
    answers = {(1, "response"): "harmful", (2, "response"): "harmless"}
    assert {place for place in asked("harm-spans", answers, (1, 2)) if place[1] == "harm"} == {(1, "harm")}


def test_grades_five_and_six_fall_on_different_sides():
    grade = field("web-step-grade", "grade")
    assert grade.numbers == list(range(11))
    assert [objectives.is_useful(number) for number in (5, 6)] == [False, True]
    assert [objectives.capped(number, True) for number in (4, 6, 9)] == [4, 6, 6]
    assert objectives.capped(9, False) == 9
    assert grade.refusal(5.5)
    answers = {(1, "alternative"): True}
    assert {place for place in asked("web-step-grade", answers, (1, 2)) if place[1] == "instead"} == {(1, "instead")}


# Correcting


def test_a_row_ends_right_after_the_intervention():
    scheme = the("intervention")
    answers = said("intervention")
    value = answers[None, "intervention"]
    row = wordings.spliced(texts("intervention"), value)
    assert row == [texts("intervention")[1], value["text"]]
    words = set(scheme.sample.reference.lower().replace(";", "").replace(".", "").split())
    assert {"eight", "sum", "77"} <= words - set(" ".join(row).lower().split())
    assert rules.implied_by(scheme, [1, 2, 3], {(2, "label"): -1}) == {1: 2}
    assert (3, "label") not in asked("intervention", {(2, "label"): -1})
    assert (None, "intervention") in asked("intervention", {(2, "label"): -1})
    assert (None, "intervention") not in asked("intervention", {(step, "label"): 1 for step in (1, 2, 3)})


def test_a_correction_is_asked_only_of_a_wrong_step():
    answers = said("critique-correction")
    for step in steps("critique-correction"):
        assert all((step, layer) in answers for layer in ("critique", "second_look", "verdict"))
    corrected = {step for step, name in asked("critique-correction", answers, (1, 2)) if name == "correction"}
    assert corrected == {step for (step, name), value in answers.items() if name == "verdict" and value == -1} == {2}


def test_one_item_gives_both_rows_of_feedback():
    answers = {name: value for (_, name), value in said("text-feedback").items()}
    prompt, first = the("text-feedback").sample.messages[0]["content"], texts("text-feedback")[1]
    distilling = (prompt, first, answers["feedback"], answers["second"])
    modelling = (prompt, first, answers["feedback"])
    assert all(distilling)
    assert distilling[:3] == modelling
    judge = {"verdict": answers["verdict"], "points": "The sentence is too short.\nOne sentence,  as asked"}
    assert judge["verdict"] == answers["verdict"]
    assert wordings.shared_points(judge["points"], answers["points"]) == pytest.approx(1 / 3)
    assert wordings.shared_points(answers["points"], answers["points"]) == 1


def test_corrections_stand_in_the_order_they_were_said():
    answers = said("timed-correction")
    timed = sorted((step, answers[step, "at"], answers[step, "said"]) for step, name in answers if name == "said")
    assert timed == [(1, 1.5, "No, the blue one."), (3, 0, "More to the right.")]
    assert (2, "said") not in asked("timed-correction", answers)
    assert field("timed-correction", "at").refusal(-1)


def test_without_its_teacher_a_rollout_is_as_it_was():
    feedback = {step: value for (step, _), value in said("teacher-feedback", "feedback").items()}
    turns = list(wordings.augmented(texts("teacher-feedback"), feedback))
    assert [turn.author for turn in turns] == ["student", "teacher", "student"]
    assert [turn.text for turn in turns if turn.author == "student"] == [*texts("teacher-feedback").values()]
    assert turns[1].text == feedback[1]


def test_an_edit_stands_beside_the_original():
    answers = said("tool-edit")
    original = steps("tool-edit")[1].tool_calls[0]["arguments"]
    edited = answers[1, "call_edit@call-0"]
    assert json.loads(original) | {"to": "09-04"} == json.loads(edited) != json.loads(original)
    assert (texts("tool-edit")[2], answers[2, "plan_edit"]) == ("67 days.", "37 days.")
    edits = {step for step, name in asked("tool-edit", answers, (1, 2)) if name == "plan_edit"}
    assert edits == {2}


@pytest.mark.parametrize(
    ("found", "expected"), [(1, {"call_edit@call-0"}), (0, {"call_edit@call-0", "call_edit@call-1"})]
)
def test_an_edit_of_a_call_is_asked_only_where_that_call_is_incorrect(found, expected):
    answers = {(1, "plan"): 1, (1, "call@call-0"): 0, (1, "call@call-1"): found}
    effects = rules.effects(the("tool-edit"), rules.View([1], answers))
    places = ("call_edit@call-0", "call_edit@call-1")
    assert {place for place in places if not rules.is_closed(effects, 1, place)} == expected


def test_an_edited_reason_stands_beside_its_draft():
    draft, edited = texts("rationale-edit")[2], said("rationale-edit")[2, "rationale"]
    assert wordings.edit_distance(draft, draft) == 0
    assert wordings.edit_distance("many cells", "many large cells") == 6
    assert 0 < wordings.edit_distance(draft, edited) < len(edited)
    assert {place for place in asked("rationale-edit", said("rationale-edit"), (1, 2)) if place[1] == "rationale"} == {
        (2, "rationale")
    }


# Warning


def test_a_monitor_that_fires_early_refuses_too_much_and_late_misses():
    first = field("earliest-harm", "first_harm")
    assert [first.refusal(value, Around(steps=[1, 3, 5])) == "" for value in (3, "none", 2)] == [True, True, False]
    assert [places.alarm(3, fired) for fired in (1, 3, 5, None)] == ["over-refusal", "right", "miss", "miss"]
    assert [places.alarm("none", fired) for fired in (None, 1)] == ["right", "over-refusal"]
    branches = [{1: 1, 3: 3, 5: 9}, {1: 1, 3: 3, 5: 12}]  # two siblings that share their turns up to 3
    assert [first.moved(3, branch) for branch in branches] == [3, 3]


def test_the_kind_of_risk_is_asked_of_risky_plans_only():
    details = {"risk_type", "from_step", "rationale"}
    assert {name for _, name in asked("plan-risk", {(None, "risky"): "risky"})} == {"risky", *details}
    assert {name for _, name in asked("plan-risk", {(None, "risky"): "safe"})} == {"risky"}
    truth = [("risky", "money"), ("risky", "loss"), ("safe", None)]
    guess = [("risky", "money"), ("risky", "money"), ("safe", None)]
    assert [one[0] == other[0] for one, other in zip(truth, guess, strict=True)] == [True, True, True]
    assert [one[1] == other[1] for one, other in zip(truth, guess, strict=True) if one[1]] == [True, False]


def test_the_rate_of_blind_runs_is_the_share_of_one_answer():
    blind = field("blind-goal", "blind")
    runs = {"small": ["blind", "blind", "seen", "blind"], "large": ["seen", "blind"]}
    assert all(blind.refusal(value) == "" for values in runs.values() for value in values)
    assert {name: values.count("blind") / len(values) for name, values in runs.items()} == {"small": 0.75, "large": 0.5}
    assert (None, "mode") not in asked("blind-goal", {(None, "blind"): "seen"})
    assert (None, "mode") in asked("blind-goal", {(None, "blind"): "blind"})
    one, other = ["blind"] * 12 + ["seen"] * 4, ["blind"] * 11 + ["seen"] * 5
    assert sum(map(str.__eq__, one, other)) / len(one) == 0.9375
    assert [len(field("blind-goal", name).values) for name in ("pattern", "mode")] == [3, 3]


def test_a_pair_of_safety_differs_only_at_the_tagged_step():
    answers, written = said("safety-steps"), texts("safety-steps")
    [tagged] = [step for (step, name), value in answers.items() if name == "tags" and "compliance" in value]
    safe = max(written) + 1
    row = preferences.preference_row(written | {safe: answers[tagged, "instead"]}, [1], better=safe, other=tagged)
    assert row["prefix_steps"] == [written[step] for step in written if step < tagged]
    assert row["rejected"] == written[tagged] != row["chosen"] == answers[tagged, "instead"]
    assert {step for step, name in asked("safety-steps", answers) if name == "instead"} == {tagged}
    assert field("safety-steps", "tags").refusal(["trigger", "none"])


# Tagging


def test_a_step_with_two_opinions_is_disputed_and_not_averaged():
    label = field("perception-reasoning", "label")
    assert objectives.joined(0.6, judged_right=False) == "disputed"
    assert [objectives.joined(0.6, True), objectives.joined(0.2, False)] == ["correct", "incorrect"]
    assert "disputed" in label.values
    assert label.refusal(0.3)  # no number can be said
    answers = {(1, "label"): "incorrect", (2, "label"): "disputed", (3, "label"): "correct"}
    assert {step for step, name in asked("perception-reasoning", answers) if name == "errors"} == {1}


def test_a_forecast_is_whole_before_it_is_resolved():
    before = said("forecast-failures")
    assert (None, "outcome") not in before
    assert not field("forecast-failures", "outcome").required
    after = before | {(None, "outcome"): "wrong"}
    assert {place: value for place, value in after.items() if place[0] is not None} == before
    tagged = {(1, "failures"): ["fake-page"], (2, "failures"): ["fake-page", "temporal-validity"]}
    failures = field("forecast-failures", "failures")
    assert all(failures.refusal(value) == "" for value in tagged.values())
    found = {tag: [step for (step, _), tags in tagged.items() if tag in tags] for tag in failures.values}
    assert (found["fake-page"], found["temporal-validity"], found["leak"]) == ([1, 2], [2], [])


def test_right_and_chosen_operations_make_a_table():
    right = [*said("memory-operations", "operation").values(), "DELETE"]
    chosen = [step.tool_calls[0]["name"] for step in steps("memory-operations").values()]
    chosen.append("DELETE")
    operation = field("memory-operations", "operation")
    assert set(chosen) <= set(operation.values)
    table = Counter(zip(right, chosen, strict=True))
    assert table == {("ADD", "ADD"): 1, ("UPDATE", "DELETE"): 1, ("NOOP", "NOOP"): 1, ("DELETE", "DELETE"): 1}
    assert sum(often for (one, other), often in table.items() if one == other) == 3
    assert {
        step
        for step, name in asked("memory-operations", said("memory-operations"), steps("memory-operations"))
        if name == "kept"
    } == {1, 3}


def test_an_unjustified_factor_is_found_among_the_events():
    answers = said("supervision-events")
    assert Counter(value for (_, name), value in answers.items() if name == "level") == {"none": 2, "direction": 1}
    found = [step for (step, name), value in answers.items() if name == "tags" and "unjustified" in value]
    assert [texts("supervision-events")[step] for step in found] == [
        "I multiply the result by 1.2; the test passes now."
    ]
    told = {place: value for place, value in answers.items() if place[1] != "event"}
    effects = rules.effects(the("supervision-events"), rules.View(list(steps("supervision-events")), told))
    assert [place for one in effects for place in one.problems] == [(found[0], "event")]


def test_two_hops_collapse_and_six_extend_a_chain_of_three():
    assert places.diagnosis([1, 0, 2], chain=3) == "collapse"
    assert places.failing_hop([1, 0, 2], chain=3) == 3
    assert places.diagnosis([1, -1, 2, -1, 3, -1], chain=3) == "over-extension"
    assert places.diagnosis([1, 3, 2], chain=3) == places.diagnosis([1, -1, 3], chain=3) == "distorted"
    assert places.diagnosis([0, 1, 1, 2, 0, 3], chain=3) == "complete"
    answers = said("hop-diagnosis")
    hops = [value for (_, name), value in answers.items() if name == "hop"]
    assert places.diagnosis(hops, chain=3) == answers[None, "diagnosis"]
    assert places.failing_hop(hops, chain=3) == answers[None, "failing"]
    assert (None, "failing") not in asked("hop-diagnosis", {(None, "diagnosis"): "complete"})


def test_conflict_turns_are_listed_and_scored_by_ability():
    answers = said("multi-turn-tags")
    assert [step for (step, name), value in answers.items() if name == "conflict" and value != "none"] == [3]
    abilities = field("multi-turn-tags", "abilities")
    assert len(abilities.values) == 9
    assert len(field("multi-turn-tags", "difficulty").values) == 3
    items = [(["memorization", "privacy-protection"], "missed"), (["privacy-protection"], "solved")]
    assert all(abilities.refusal(tags) == "" for tags, _ in items)
    scores = {ability: [one == "solved" for tags, one in items if ability in tags] for ability in abilities.values}
    table = {ability: sum(found) / len(found) for ability, found in scores.items() if found}
    assert table == {"memorization": 0, "privacy-protection": 0.5}


def test_a_rollout_that_ran_out_of_turns_weighs_nothing():
    assert [objectives.bad_example_weight(over_turn) for over_turn in (True, False)] == [0, 1]
    both = {(None, "over_turn"): True, (None, "found"): "wrong"}
    effects = rules.effects(the("search-patterns"), rules.View([1], both))
    assert [place for one in effects for place in one.problems] == [(None, "found")]
    patterns = field("search-patterns", "patterns")
    assert patterns.refusal(["depth-first", "trial-and-error", "goal-maintenance"]) == ""
    assert patterns.refusal(["depth-first", "none"])


def test_a_diagnosis_is_kept_with_its_clip():
    answers = said("video-drift")
    assert [step for step, name in answers if name == "diagnosis"] == [2]
    assert "[clip 2:" in texts("video-drift")[2]
    assert {step for step, name in asked("video-drift", answers, (1, 2)) if name == "diagnosis"} == {2}
    tags = [*said("video-drift", "faults").values(), ["mid-clip-error"]]
    counts = Counter(tag for value in tags for tag in value)
    assert counts == {"long-horizon-drift": 1, "mid-clip-error": 2}


def test_longer_answers_alone_raise_no_rate():
    behaviours = field("cognitive-behaviours", "behaviours")
    early = [["verification"], ["none"], ["none"], ["subgoal-setting"]]
    late = early * 2
    assert all(behaviours.refusal(value) == "" for value in late)
    rates = [sum(value != ["none"] for value in steps) / len(steps) for steps in (early, late)]
    assert (len(late), rates) == (2 * len(early), [0.5, 0.5])
    assert len(behaviours.values) == 5


def test_only_actions_are_compared_in_both_orders():
    compared = [(name, spec) for name in NAMES for spec in the(name).fields if isinstance(spec, PreferenceField)]
    assert {name for name, spec in compared if spec.both_orders} == {"web-arbiter", "better-action"}


@pytest.mark.parametrize("name", NAMES)
def test_no_key_of_a_scheme_means_two_things(name):
    assert keys.collisions([*keys.PAGE, *scheme_keys.actions(the(name))]) == []
