"""For each of these presets, what shows that it does what its source asks. The sheet of schemes names these tests."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import pytest

from annotations import schemes
from annotations.formats.chat import steps_of
from annotations.rendering import parts
from annotations.schemes import rules
from annotations.schemes.fields.base import Around
from annotations.schemes.measures import figures, objectives, progress, rubrics
from annotations.schemes.rules import View
from annotations.schemes.sentences import sentences

HERE = "tests/unit/test_presets_scored.py::"
MINE = {name: scheme for name, scheme in schemes.shipped().items() if scheme.check and HERE in scheme.check.test}


def field(scheme, name):
    return MINE[scheme].field(name)


def takes(scheme, name, value, **around):
    return field(scheme, name).refusal(value, Around(**around)) == ""


def asked(scheme, steps, answers, **view):
    """The fields that are still asked at each place, given what is said."""
    effects = rules.effects(MINE[scheme], View(steps, answers, **view))
    places = [*steps, None]
    fields = MINE[scheme].fields
    return {
        place: [
            one.name
            for one in fields
            if one.of_step == (place is not None) and not rules.is_closed(effects, place, one.name)
        ]
        for place in places
    }


def items_of(scheme, name="rubric"):
    """The items that the sample's task brings, by name."""
    return {one["name"]: one for one in MINE[scheme].sample.reference[name]}


def said(scheme):
    """What the sample says, by the place among the agent's steps and the field."""
    return {(one.step, one.field): one.value for one in MINE[scheme].sample.answers}


@pytest.mark.parametrize("scheme", MINE)
def test_a_sample_is_taken_whole_and_leaves_nothing_required_open(scheme):
    steps = steps_of(list(MINE[scheme].sample.messages))
    agent = [index for index, one in enumerate(steps) if one.source == "agent"]
    answers = {(None if place is None else agent[place], name): one for (place, name), one in said(scheme).items()}
    for (step, name), value in answers.items():
        spec = field(scheme, name)
        items = items_of(scheme, name) if spec.kind == "rubric" and spec.items_from != "scheme" else None
        texts = {one.name: len(one.text) for one in parts.parts(steps[step])} if step is not None else None
        around = Around(step, agent, texts, items)
        assert (spec.refusal(value, around), spec.lacking(value, around)) == ("", ""), name
    for step, names in asked(scheme, agent, answers, revealed=True).items():
        for spec in (one for one in map(MINE[scheme].field, names) if one.required):
            found = sentences(steps[step].message) if spec.target == "sentence" else []
            for name in [f"{spec.name}@{start}-{end}" for start, end in found] or [spec.name]:
                assert (step, name) in answers


@pytest.mark.parametrize("scheme", MINE)
def test_the_check_of_a_preset_is_one_of_these_tests(scheme):
    assert MINE[scheme].check.test.removeprefix(HERE) in globals()


def test_prm800k_asks_nothing_after_the_first_bad_step():
    ratings = [1, 0, -1, None, None]
    answers = {(step, "rating"): one for step, one in enumerate(ratings) if one is not None}
    open_at = asked("prm800k", range(5), answers)
    assert [bool(open_at[step]) for step in range(5)] == [True, True, True, False, False]
    assert rules.implied_by(MINE["prm800k"], range(5), answers) == {}
    assert all(asked("prm800k", range(2), {(0, "rating"): 0}).values())
    assert field("prm800k", "rating").json_schema() == {"enum": [1, 0, -1]}


def first_error(scheme, steps, answers):
    """The label as ProcessBench writes it, from what was said and what the rule fills in."""
    filled = dict.fromkeys(rules.implied_by(scheme, range(steps), answers), 1)
    labels = filled | {step: one for (step, _), one in answers.items()}
    assert all(labels[step] == 1 for step in range(min((s for s in labels if labels[s] == -1), default=steps)))
    return next((step for step in sorted(labels) if labels[step] == -1), -1)


def test_processbench_needs_one_key_to_give_back_the_first_error(shared_data):
    scheme = MINE["processbench"]
    files = sorted((shared_data / "processbench").glob("*.gz"))
    records = [one for path in files for one in json.loads(gzip.decompress(path.read_bytes()))]
    assert {one["label"] == -1 for one in records} == {True, False}
    for record in records:
        steps, label = len(record["steps"]), record["label"]
        pressed = {(label, "label"): -1} if label >= 0 else {(step, "label"): 1 for step in range(steps)}
        assert first_error(scheme, steps, pressed) == label
        left = asked("processbench", range(steps), pressed)
        assert [step for step in range(steps) if left[step]] == list(range(steps if label < 0 else label + 1))


def test_binary_gives_one_true_or_false_a_step():
    labels = [value > 0 for (_, name), value in said("binary").items() if name == "label"]
    assert labels == [True, True, False]
    assert [one for one in (1, 0, -1, True, None, "+") if takes("binary", "label", one)] == [1, -1]
    assert MINE["binary"].propagation is None, "an error says nothing of the next step"


def test_data_prm_takes_three_scores_and_no_failed_parse():
    assert [one for one in (1, 0.5, 0, -1, None, "", 0.25, True) if takes("data-prm", "score", one)] == [1, 0.5, 0]
    sample = said("data-prm")
    assert (sample[1, "score"], sample[1, "silent"], sample[1, "checked"]) == (0, True, True)
    left = asked("data-prm", [0, 1], {(0, "score"): 0.5, (0, "checked"): True, (1, "score"): 1})
    assert (left[0], left[1]) == (["score", "silent", "checked", "evidence"], ["score", "checked"])


def test_agent_atlas_asks_source_and_impact_of_failures_only():
    assert len(field("agent-atlas", "state").values) == 6
    assert len(field("agent-atlas", "failure").values) == 9 + len(["none"])
    assert asked("agent-atlas", [], {(None, "failure"): ["none"]})[None] == ["described", "failure"]
    both = {(None, "failure"): ["planning", "premature_stop"], (None, "described"): "It gives up after one search."}
    assert asked("agent-atlas", [], both)[None] == ["described", "failure", "source", "impact"]
    assert not takes("agent-atlas", "failure", ["none", "planning"])
    assert takes("agent-atlas", "described", "Anything in free words.")


def test_reflect_tells_a_clean_turn_from_an_unlabelled_one():
    spec = field("reflect-failures", "failure")
    groups = {group.value: [one.value for one in group.choices] for level in spec.choices for group in level.choices}
    assert list(groups) == ["reasoning", "tool_use", "report", "evidence"]
    assert not any(takes("reflect-failures", "failure", [name]) for name in groups)
    edits = {2: "wrong_argument", 5: "invented_citation"}
    answers = {(step, "failure"): [edits.get(step, "none")] for step in range(8)}
    assert {step: one[0] for (step, _), one in answers.items() if one != ["none"]} == edits
    left = asked("reflect-failures", range(9), answers)
    assert ("why" in left[2], "why" in left[5], (8, "failure") in answers) == (False, True, False)
    assert spec.required and not takes("reflect-failures", "failure", [])


def test_multi_agent_failures_has_the_fourteen_published_modes():
    spec = field("multi-agent-failures", "modes")
    modes = [value for value in spec.values if value != "none"]
    assert Counter(mode[0] for mode in modes) == {"1": 5, "2": 6, "3": 3}
    assert takes("multi-agent-failures", "modes", modes)
    assert not takes("multi-agent-failures", "modes", ["none", "1.1"])
    assert (spec.level, spec.target) == ("set", "trajectory")


def test_reasoning_dimensions_stay_apart_and_have_a_weighted_total():
    spec = field("reasoning-dimensions", "quality")
    value = {"confidence": 0.9, "relevance": 0.6, "coherence": 0.3}
    assert [(one.name, one.value) for one in spec.units(value)] == list(value.items())
    assert spec.total(value) == pytest.approx(0.6)
    assert (spec.refusal({"relevance": 0.6}), spec.lacking({"relevance": 0.6})) == ("", "Confidence, Coherence")
    off = [one.model_copy(update={"weight": 0 if one.name == "confidence" else 1}) for one in spec.dimensions]
    assert spec.model_copy(update={"dimensions": tuple(off)}).total(value) == pytest.approx(0.45)


def test_faithful_correct_counts_all_four_combinations():
    answer = "It is old. It is tall. It is red. It is here."
    places = [f"{start}-{end}" for start, end in sentences(answer)]
    labels = dict(zip(places, [(1, 1), (1, 0), (0, 1), (0, 0)], strict=True))
    for place, (faithful, correct) in labels.items():
        assert takes("faithful-correct", f"faithful@{place}", faithful)
        assert takes("faithful-correct", f"correct@{place}", correct)
        start, end = map(int, place.split("-"))
        assert answer[start:end] == answer[start:end].strip()
    assert Counter(labels.values()) == {(1, 1): 1, (1, 0): 1, (0, 1): 1, (0, 0): 1}
    assert [one.name for one in MINE["faithful-correct"].fields] == ["faithful", "reason", "correct"]
    assert figures.f1(found=1, asked=3, needed=2) == pytest.approx(0.4), "precision 1/3, recall 1/2"


def test_a_miracle_step_passes_but_is_not_verified():
    spec, around = field("rubric-miracle", "rubric"), Around(items=items_of("rubric-miracle"))
    whole = spec.points(dict.fromkeys(around.items, "yes"), around)
    poor = spec.points({"counts-six": "yes", "counts-twelve": "no", "subtracts": "no"}, around)
    assert (whole, poor) == (1, 0.25)
    sound, miracle = [["none"], ["none"]], [["none"], ["miracle_step"]]
    rollouts = [(1, miracle, whole), (1, sound, poor), (0, sound, whole)]
    assert any(answer == 1 for answer, _, _ in rollouts), "Pass@3 counts the problem"
    assert not any(rubrics.verified(*one, limit=0.75) for one in rollouts), "Verified Pass@3 does not"
    assert rubrics.verified(1, sound, whole, limit=0.75)


def test_a_checklist_scores_the_share_of_yes():
    spec, around = field("checklist", "checklist"), Around(items=items_of("checklist", "checklist"))
    value = said("checklist")[None, "checklist"]
    assert spec.points(value, around) == 0.75
    assert [(one.name, one.value) for one in spec.units(value)] == list(value.items())
    assert "no item" in spec.refusal({"rhymes": "yes"}, around)
    assert spec.lacking({"date": "yes", "place": "no"}, around) != ""
    assert not takes("checklist", "checklist", {"date": "partly"})
    assert takes("checklist", "overall", 4) and not field("checklist", "overall").required


def test_one_failed_check_of_four_costs_its_criterion_more_than_a_quarter():
    spec, around = field("two-level-rubric", "rubric"), Around(items=items_of("two-level-rubric"))
    value = said("two-level-rubric")[None, "rubric"]
    labels = {name: one for name, one in value.items() if name.startswith("labels")}
    assert spec.points(labels, around) == (1 - 1 / 4) ** 2 == 0.5625
    assert spec.points(value, around) == pytest.approx((2 * 1 + 1 * 0.5625) / 3)
    assert spec.model_copy(update={"score": "share"}).points(value, around) == pytest.approx(5 / 6)
    assert rubrics.unmet(spec, value, around) == ["labels-earth"]


def test_a_weighted_rubric_and_its_examinations_equal_hand_values():
    spec, around = field("weighted-rubric", "rubric"), Around(items=items_of("weighted-rubric"))
    sample = said("weighted-rubric")
    assert spec.points(sample[None, "rubric"], around) == pytest.approx((3 + 1 - 1) / (3 + 2 + 1))
    needed = sample[None, "examinations"]
    orders = [one for (_, name), one in sample.items() if name == "order"]
    assert field("weighted-rubric", "examinations").points(needed) == 1 / 2
    assert figures.f1(found=orders.count(1), asked=len(orders), needed=len(needed)) == pytest.approx(1 / 2)


def test_hindsight_names_exactly_the_unmet_items():
    spec, around = field("hindsight-rubric", "rubric"), Around(items=items_of("hindsight-rubric"))
    first = {"q5": "no", "q1": "yes", "q3": "yes", "q2": "no", "q4": "yes"}
    assert rubrics.unmet(spec, first, around) == ["q2", "q5"]
    retry = first | {"q2": "yes"}
    assert rubrics.retry_bonus(spec, first, retry, around) == pytest.approx(4 / 5 - 3 / 5)


def test_a_skill_opens_its_own_rubric_and_no_other():
    skills = [value for value in field("skill-rubrics", "skill").values if value != "none"]
    for skill in skills:
        assert asked("skill-rubrics", [0], {(0, "skill"): skill})[0] == ["skill", skill]
        value = field("skill-rubrics", skill).sample()
        assert all(one.name.startswith(f"{skill}-") for one in field("skill-rubrics", skill).units(value))
    assert asked("skill-rubrics", [0], {(0, "skill"): "none"})[0] == ["skill"]


def test_a_failed_outcome_never_rises_above_a_success_by_good_process():
    spec = field("principles", "principles")
    names = list(spec.asked())
    perfect, poor = spec.points(dict.fromkeys(names, "yes")), spec.points(dict.fromkeys(names, "no"))
    assert objectives.normalised(perfect, outcome=0) <= objectives.normalised(poor, outcome=1)
    assert spec.points(dict.fromkeys(names, "na")) is None
    assert spec.points({"serves": "yes", "grounded": "no", "precise": "na"}) == 0.5
    assert [one.name for one in spec.units(dict.fromkeys(names, "yes"))] == names


def test_the_first_grade_is_sealed_when_the_outcome_is_shown():
    answers = {(1, "foresight"): 4}
    assert asked("foresight-hindsight", [1], answers, revealed=False)[1] == ["foresight"]
    assert "hindsight" in asked("foresight-hindsight", [1], answers, revealed=True)[1]
    views = [View([1], answers, revealed) for revealed in (False, True)]
    sealed = [list(rules.effects(MINE["foresight-hindsight"], view)[0].sealed) for view in views]
    assert sealed == [["hindsight"], ["foresight"]]
    grades = [
        (said("foresight-hindsight")[step, "foresight"], said("foresight-hindsight")[step, "hindsight"])
        for step in (0, 1)
    ]
    assert (grades, figures.mean_shift(grades), figures.mean_shift([])) == ([(4, 1), (4, 4)], -1.5, None)


def test_progress_has_the_error_of_the_hand_values():
    labels = [said("progress")[step, "progress"] for step in range(3)]
    assert labels == [30, 10, 10], "it falls where the cup does"
    assert figures.mean_absolute_error(zip([40, 30, 10], labels, strict=True)) == 10
    assert [one for one in (0, 100, 45, 47, -5, 105) if takes("progress", "progress", one)] == [0, 100, 45]
    assert sum(name == "failure" for _, name in said("progress")) == 1


def test_budgets_give_a_progress_that_rises_and_rests():
    budgets, advances = [0.6, None, None, 0.4, None], [True, False, True, True, False]
    curve = progress.spread(budgets, advances)
    assert curve == [0.3, 0.3, 0.6, 1, 1]
    assert curve == sorted(curve) and sum(one or 0 for one in budgets) == 1
    assert progress.spread([1, None, None], [False] * 3) == [0, 0, 0]
    left = asked("subtask-budgets", [0, 1], {(0, "begins"): True})
    assert ("budget" in left[0], "budget" in left[1]) == (True, False)


def test_timed_steps_report_overlap_and_order():
    left = asked("timed-steps", [0, 1, 2], {(0, "shown"): 2, (1, "shown"): 1, (2, "shown"): 0})
    assert ["time" in left[step] for step in range(3)] == [True, True, False]
    times = [(10, 20), (15, 30), (5, 8), (50, 40)]
    values = {step: {"start": start, "end": end} for step, (start, end) in enumerate(times)}
    assert all(takes("timed-steps", "time", value) for value in values.values())
    assert progress.time_faults(values) == ([3], [(0, 1)], [(0, 2), (1, 2)])
    assert field("timed-steps", "time").unit == "s"


def test_segments_divide_the_proof():
    steps = [1, 2, 3, 5, 6]
    cut = progress.segments(steps, {1: "go_on", 3: "begin", 5: "go_on", 6: "begin"})
    assert cut == [[1, 2], [3, 5], [6]]
    assert [step for segment in cut for step in segment] == steps
    assert field("proof-segments", "place").required, "a tactic without a label keeps the pass open"


def test_thought_units_after_the_first_right_one_are_wasted():
    assert progress.first_right_unit(["wrong", "right", "right"]) == (2, 1)
    assert progress.first_right_unit(["none", "wrong", "none", "none"]) == (None, 0)
    sample = [said("thought-units")[step, "answer"] for step in range(4)]
    assert progress.first_right_unit(sample) == (2, 1)


def test_an_attempt_is_rewarded_for_getting_further_than_those_before():
    attempts = [0.2, 0.5, 0.4]
    assert all(takes("subtask-lesson", "completion", one) for one in attempts)
    assert progress.progress_rewards(attempts) == [0.2, 0.3, 0]
    assert field("subtask-lesson", "lesson").required and not takes("subtask-lesson", "lesson", " ")


def test_objectives_prefer_apart_and_pay_only_when_the_outcome_passes():
    spec = field("objectives", "grades")
    one, other = {"accuracy": 5, "rigour": 2, "coherence": 3}, {"accuracy": 3, "rigour": 4, "coherence": 3}
    assert objectives.better_by_objective(one, other) == {"accuracy": "one", "rigour": "other", "coherence": "tie"}
    assert len(spec.units(one)) == len(spec.dimensions) == 3
    assert [objectives.gated(spec.total(one), outcome) for outcome in (1, 0)] == [pytest.approx(10 / 3), 0]
    assert field("objectives", "degraded").values == tuple(one)


def test_the_share_of_formal_that_is_casual_can_be_counted():
    assert field("formality", "formality").level == "ordinal"
    labels = [("formal", 2), ("formal", 3), ("formal", 2), ("informal", 1), ("formal", 2)]
    assert all(takes("formality", "older", old) and takes("formality", "formality", now) for old, now in labels)
    assert figures.share_of(labels, "formal", 2) == 3 / 4
    assert figures.share_of(labels, "polite", 2) is None


def test_what_a_turn_does_instead_is_asked_only_where_it_is_not_genuine():
    left = asked("follow-up", [0, 1, 2], {(0, "genuine"): 1, (1, "genuine"): 0})
    assert [left[step] for step in range(3)] == [["genuine"], ["genuine", "instead"], ["genuine"]]
    by_temperature = [(0.0, 0), (0.0, 0), (0.7, 1), (0.7, 0), (1.0, 1)]
    assert [figures.share_of(by_temperature, one, 1) for one in (0.0, 0.7, 1.0)] == [0, 0.5, 1]


def test_five_tags_have_a_majority_and_a_tie_has_none():
    think, quick = field("thinking-mode", "mode").values
    assert figures.majority([think, quick, think, think, quick]) == think
    assert figures.majority([think, quick, quick, think]) is None
    assert figures.majority([]) is None
    assert not MINE["thinking-mode"].step_fields


def test_similarity_is_aligned_from_one_half_on():
    values = [0.49, 0.5, 0.78, 0.1]
    assert all(takes("similarity", "similarity", one) for one in values)
    assert not any(takes("similarity", "similarity", one) for one in (-0.01, 1.01, True, "0.5"))
    assert [figures.aligned(one) for one in values] == [False, True, True, False]
