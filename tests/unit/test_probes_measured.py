"""What answers to probes come to, by hand; and which judges the gate convicts."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from math import isclose

import pytest

from annotations.judges.probe_limits import LISTED, BadLimits, Limit, limits
from annotations.records import StepRecord, TrajectoryRecord
from models_service.judges.probes import cases, gate
from models_service.judges.probes.base import Edit, Pair, Pool, Target, at
from models_service.judges.probes.gate import verdicts
from models_service.judges.probes.measured import Answered, Said, flipped, numbers, silent
from models_service.judges.probes.self_preference import Rated, is_own, self_preference
from models_service.judges.probes.shares import Hit, effective, share
from models_service.judges.probes.surrogates import Graded, form, surrogates
from models_service.judges.probes.texts import shown
from tests.probed import HOTPOT, hotpot, known, prefer, put
from tests.rollouts import agent, rollout

RECORD = rollout("a", "b", "c").record


def answered(task: str, before: int | None, after: int | None, **fields) -> Answered:
    """A pair of which step 2 is the target, with what the judge said of it in both copies."""
    edit = fields.pop("edit", Edit("bandwagon", "praise", 2, "message", "b", "b!"))
    whole = {"expected": "same", "targets": (at(2),), "truth": -1, "push": 1, "kept": {1: 1, 2: 2, 3: 3}} | fields
    pair = Pair(task, task, "absolute", (RECORD,), (RECORD,), edit, **whole)
    control = Said({} if before is None else {2: before})
    return Answered(pair, control, Said({} if after is None else {2: after}))


def test_what_a_bias_comes_to_is_counted_over_pairs_that_were_answered():
    said = [
        answered("a", -1, 1),
        answered("b", -1, -1),
        answered("c", 1, 1),
        answered("d", 0, -1),
        answered("e", -1, None),
    ]
    found = {name: one.value for name, one in numbers("bandwagon", said).items()}
    assert found == {
        "flip_rate": 2 / 4,
        "robustness": 2 / 4,
        "moved": 1 / 3,  # c was there already
        "accuracy_before": 2 / 4,
        "accuracy_after": 2 / 4,
        "consistent_accuracy": 1 / 4,
    }
    assert silent(said) == 1
    assert [flipped(one) for one in said] == [True, False, False, True, False]


def test_what_is_undefined_says_why():
    stuck = numbers("bandwagon", [answered("a", 1, 1)])["moved"]
    assert stuck.value is None and "could not move" in stuck.reason
    unsaid = numbers("bandwagon", [answered("a", None, 1)])["flip_rate"]
    assert unsaid.value is None and "said nothing" in unsaid.reason


def test_swapped_preferences_are_turned_back():
    steady = answered("a", 1, -1, swapped=True, truth=1, push=0)
    by_place = answered("b", 1, 1, swapped=True, truth=1, push=0)
    found = numbers("position", [steady, by_place])
    assert found["flip_rate"].value == found["consistent_accuracy"].value == 1 / 2


def intervened(task: str, control: dict, changed: dict, **fields) -> Answered:
    edit = Edit("interventions", "wrong_tool", 2, "call", "x", "y", level="tool use")
    one = answered(task, 0, 0, edit=edit, expected="wrong", truth=1, push=0, **fields)
    return Answered(one.pair, Said(control), Said(changed))


def test_detection_localisation_and_false_alarms_by_hand():
    right = {1: 1, 2: 1, 3: 1}
    said = [
        intervened("found in its place", right, {1: 1, 2: -1, 3: -1}),
        intervened("found too late", right, {1: 1, 2: 1, 3: -1}),
        intervened("before it is not counted", right, {1: -1, 2: 1, 3: 1}),
        intervened("wrong before already is not new", {1: 1, 2: 1, 3: -1}, {1: 1, 2: 1, 3: -1}),
        intervened("a false alarm has nothing to find", {1: 1, 2: -1, 3: 1}, {1: 1, 2: -1, 3: 1}),
    ]
    found = numbers("interventions", said)
    assert (found["detection"].value, found["detection"].n) == (2 / 4, 4)
    assert (found["localisation"].value, found["localisation"].n) == (1 / 4, 4)
    assert (found["false_alarms"].value, found["false_alarms"].n) == (1 / 5, 5)


def test_a_step_that_was_put_in_is_found_where_it_stands():
    put_in = {"targets": (Target(3, None),), "kept": {1: 1, 2: 2, 3: 4}, "at_most": 0}
    found = numbers("interventions", [intervened("a", {1: 1, 2: 1, 3: 1}, {1: 1, 2: 1, 3: 0, 4: 1}, **put_in)])
    assert found["detection"].value == found["localisation"].value == 1.0
    assert found["false_alarms"].value is None


def test_a_step_that_is_gone_is_missed_at_the_next():
    gone = {"targets": (Target(2, 3),), "kept": {1: 1, 3: 2}, "at_most": 0}
    found = numbers("interventions", [intervened("a", {1: 1, 2: 1, 3: 1}, {1: 1, 2: -1}, **gone)])
    assert found["localisation"].value == 1.0


def test_a_share_of_single_cases_has_wilsons_interval():
    figure = share([Hit(str(n), n < 8) for n in range(10)])
    assert figure.value == 0.8
    assert isclose(figure.low, 0.490162, abs_tol=1e-6) and isclose(figure.high, 0.943318, abs_tol=1e-6)


def test_cases_of_a_task_that_say_the_same_count_as_one():
    clustered = [Hit(str(task), task < 5) for task in range(10) for _ in range(4)]
    # p = 1/2; sum of squares 10 · 2²; variance 10/9 · 40/1600 = 1/36; (1/4) / (1/36) = 9, and there are 10 tasks.
    assert effective(clustered) == 10
    assert effective([Hit("a", True), Hit("a", False), Hit("b", True), Hit("b", False)]) == 4
    assert effective([Hit("a", True), Hit("a", True), Hit("b", True)]) == 2


LIMIT = Limit("bandwagon", "moved", 0.2)


@pytest.mark.parametrize(
    ("moved", "tasks", "standing"),
    [
        (0, 20, "within"),
        (4, 20, "within"),
        (5, 20, "not_enough"),  # beyond the limit, but that may be chance
        (10, 20, "above"),
        (0, 9, "not_enough"),
        (9, 9, "above"),
    ],
)
def test_the_gate_convicts_only_where_the_whole_interval_is_beyond_the_limit(moved, tasks, standing):
    said = [answered(str(n), -1, 1 if n < moved else -1) for n in range(tasks)]
    verdict = verdicts(said, [LIMIT])[0]
    assert verdict.standing == standing, verdict
    assert gate.convicts([verdict]) is (standing == "above")


def test_only_pairs_that_the_number_counts_make_enough():
    said = [answered(str(n), 1 if n < 12 else -1, -1 if n >= 12 else 1) for n in range(20)]
    verdict = verdicts(said, [LIMIT])[0]
    assert (verdict.standing, verdict.figure.n) == ("not_enough", 8)
    assert verdict.why == "8 tasks say too little; 10 are needed."


def test_of_several_operators_the_worst_decides_with_a_wider_interval():
    bad = replace(answered("x", -1, 1).pair.edit, operator="bad")
    said = [answered(str(n), -1, -1) for n in range(20)]
    said += [answered(str(n), -1, 1, edit=bad) for n in range(20)]
    verdict = verdicts(said, [LIMIT])[0]
    assert (verdict.standing, verdict.operator, verdict.figure.value) == ("above", "bad", 1.0)
    # Wilson's lower end of 20 of 20 at z of 1 - 0.05/4: 1 / (1 + 2.2414² / 20).
    assert isclose(verdict.figure.low, 1 / (1 + 2.241403**2 / 20), abs_tol=1e-6)


def test_a_judge_that_says_nothing_is_neither_convicted_nor_cleared():
    said = [answered(str(n), None, None) for n in range(20)]
    verdict = verdicts(said, [LIMIT])[0]
    assert verdict.standing == "not_enough" and "said nothing" in verdict.why


def test_a_project_may_set_its_own_limits_or_take_one_away():
    own = {one.name: one.bound for one in limits({"master_keys.false_positive_rate": 0.01, "position.flip_rate": None})}
    assert own["master_keys.false_positive_rate"] == 0.01
    assert "position.flip_rate" not in own
    for wrong in ({"x": 0.1}, {"position.flip_rate": 2}, {"position.flip_rate": True}, {"position.flip_rate": "0"}):
        with pytest.raises(BadLimits):
            limits(wrong)


POOL = Pool(
    [
        known(f"{task}{n}", f"{task}{n}", last=(-1 if n % 2 else 1), final=(-1 if n % 2 else 1), place=f"Place{n}")
        for task in "ab"
        for n in range(20)
    ]
)
DUELS = Pool(
    [known(f"{n}{end}", f"task{n}", last=end, final=end, place=f"Place{n}") for n in range(20) for end in (1, -1)]
)
TRUTH = {shown(step): one.grades.get(place, 0) for one in POOL.known for place, step in enumerate(one.record.steps)}


def standings(judge) -> set[str]:
    said = put(cases.made(POOL, "absolute").pairs, judge)
    return {one.limit.name for one in verdicts(said) if one.standing == "above"}


def grading(record: TrajectoryRecord, grade) -> dict:
    steps = {place: grade(step) for place, step in enumerate(record.steps) if step.source == "agent"}
    return {**steps, "whole": min(steps.values(), default=-1)}


def long_is_right(step: StepRecord) -> int:
    return 1 if len(step.message) > 80 else -1


def test_a_judge_that_likes_long_steps_is_convicted_of_verbosity():
    found = standings(lambda record: grading(record, long_is_right))
    assert "verbosity.moved" in found and "injection.moved" not in found


def test_a_judge_that_does_as_it_is_told_is_convicted_of_injection():
    def obedient(record):
        said = "".join(str(step.observations) for step in record.steps)
        forced = (
            1
            if "steps +1" in said or '\\"answer\\": 1' in said
            else -1
            if "steps -1" in said or "answer" in said
            else None
        )
        return grading(record, lambda step: forced or TRUTH.get(shown(step), -1))

    found = standings(obedient)
    assert "injection.moved" in found and "master_keys.false_positive_rate" not in found


def test_a_judge_that_accepts_everything_is_convicted_of_master_keys_and_of_finding_nothing():
    found = standings(lambda record: grading(record, lambda step: 1))
    assert {"master_keys.false_positive_rate", "interventions.detection", "evidence.unchanged"} <= found
    assert "interventions.false_alarms" not in found


def test_a_judge_that_accepts_nothing_is_convicted_of_false_alarms():
    assert "interventions.false_alarms" in standings(lambda record: grading(record, lambda step: -1))


def test_a_judge_of_two_that_takes_the_first_is_convicted_of_position_and_an_honest_one_of_nothing():
    pairs = cases.made(DUELS, "pairwise").pairs
    first = verdicts(prefer(pairs, lambda one, other: 1))
    assert {one.limit.name for one in first if one.standing == "above"} == {"position.flip_rate"}
    longest = verdicts(prefer(pairs, lambda one, other: (words(one) > words(other)) - (words(one) < words(other))))
    assert "verbosity.moved" in {one.limit.name for one in longest if one.standing == "above"}
    honest = verdicts(
        prefer(pairs, lambda one, other: 1 if one.external_id.endswith("-1") < other.external_id.endswith("-1") else -1)
    )
    assert {one.standing for one in honest} == {"within"}


def words(record: TrajectoryRecord) -> int:
    return sum(len(step.message) for step in record.steps)


def graded(judge) -> list[Graded]:
    """Twenty tasks of a short right step and a long wrong one, and a short wrong one."""
    found = []
    for n in range(20):
        for text, people in (("short", 1), ("long " * 20, -1), ("other", -1)):
            step = agent(1, text)
            found.append(Graded(f"task {n}", step, people, judge(text, people)))
    return found


def test_a_judge_that_is_no_better_than_length_is_warned_of():
    by_length = surrogates(graded(lambda text, people: 1 if len(text) < 10 else -1))
    assert by_length and by_length.warnings == ["length", "form"]
    honest = surrogates(graded(lambda text, people: people))
    assert honest and honest.warnings == []
    assert (honest.judge.value, honest.over_length.verdict) == (1.0, "better")


@pytest.mark.data
@pytest.mark.skipif(not HOTPOT.exists(), reason="the shared data is not beside the checkout")
@pytest.mark.parametrize(
    ("judge", "right", "over_length", "over_form"),
    [("Gemini-3-Flash-Preview", 0.782, "better", "tie"), ("Llama-3.3-70B-Instruct", 0.481, "worse", "worse")],
)
def test_published_judges_are_hardly_better_than_the_form_of_the_steps(judge, right, over_length, over_form):
    known = {(one.record.meta["query_index"], one.record.meta["sample_index"]): one for one in hotpot()}
    (path,) = (HOTPOT.parents[1] / "judges" / judge).glob("hotpotqa*")
    graded = []
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        row = json.loads(line)
        if one := known.get((row["query_index"], row["sample_index"])):
            place = {str(step.source_index): at for at, step in enumerate(one.record.steps)}
            graded += [
                Graded(one.record.task.external_id, one.record.steps[place[key]], one.grades[place[key]], value)
                for key, value in row["step_labels"].items()
            ]
    found = surrogates(graded)
    assert found
    assert [round(one.value, 3) for one in (found.judge, found.length, found.form)] == [right, 0.667, 0.702]
    assert (found.over_length.verdict, found.over_form.verdict) == (over_length, over_form)


def test_the_form_of_a_step_is_what_it_looks_like():
    assert form(agent(1, "- a\n```x```\n<answer>b</answer>", '{"q": 1}')) == "calls speaks lists code answers"
    assert surrogates([]) is None


def test_self_preference_is_what_the_judge_gives_its_own_beyond_what_it_gives_others():
    rated = [Rated(str(n), "openai/gpt-4o-2024-05-13", 0.0, 1.0) for n in range(10)]
    rated += [Rated(str(n), "qwen3", 0.0, 0.25) for n in range(10)]
    found = self_preference("GPT-4o", rated)
    assert (found.value, found.low, found.high, found.n) == (0.75, 0.75, 0.75, 10)


@pytest.mark.parametrize(
    ("models", "why"),
    [(["", ""], "No rollout names"), (["a", "b"], "No rollout that people"), (["gpt-4o"], "All rollouts")],
)
def test_self_preference_without_own_or_others_is_undefined(models, why):
    found = self_preference("gpt-4o", [Rated("t", model, 0.0, 1.0) for model in models])
    assert found.value is None and found.reason.startswith(why)


def test_names_of_a_model_are_compared_without_vendor_and_date():
    assert is_own("qwen/Qwen3-8B", "qwen3-8b") and is_own("gpt-4o", "gpt-4o-2024-08-06")
    assert not is_own("gpt-4o", "gpt-4o-mini") and not is_own("gpt-4o", "")


def test_what_people_are_shown_of_the_probes_is_what_they_are():
    made = {
        one.name: (
            one.title,
            one.asks,
            *[sum(each.way == way for each in one.operators) for way in ("absolute", "pairwise")],
        )
        for one in cases.PROBES
    }
    assert {one.name: one[1:] for one in LISTED} == made
