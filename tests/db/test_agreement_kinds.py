"""Agreement on preferences, first errors, flags, parts of steps, and where silence is an answer."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from annotations import schemes
from annotations.models import Annotation, Label, Report
from annotations.services import projects
from tests import make
from tests.answers import figures, says, section, started

pytestmark = pytest.mark.django_db

OTHERS = """
name: other-kinds
version: "1"
title: Other kinds
main: better
fields:
  - {name: better, title: Better, target: task, kind: preference, form: pair}
  - {name: ranked, title: Ranked, target: task, kind: preference, form: rank, level: ranking}
  - {name: first, title: First error, target: trajectory, kind: first_error}
  - {name: call, title: Call, target: tool_call, kind: choice,
     choices: [{value: good, title: Good}, {value: bad, title: Bad}]}
  - {name: progress, title: Progress, target: step, kind: progress}
  - {name: odd, title: Odd, target: step, kind: flag}
  - {name: why, title: Why, target: step, kind: flag, when: {field: call_made, values: ["no"]}}
  - {name: call_made, title: Called, target: step, kind: choice,
     choices: [{value: "yes", title: "Yes"}, {value: "no", title: "No"}]}
  - {name: instead, title: Instead, target: trajectory, kind: intervention}
"""


@pytest.fixture
def others():
    """Two people on two rollouts of one task, two steps each."""
    made, (ann, bob) = started(OTHERS, "ann", "bob")
    task = make.task(made)
    one, two = (make.trajectory(made, steps=2, of=task) for _ in range(2))
    says(ann, one, {
        (None, "better@0-1"): 0, (None, "ranked"): [[0], [1, 2]], (None, "first"): 1, (1, "call@call-0"): "good",
        (2, "call@call-0"): "bad", (1, "progress"): 50, (1, "odd"): True, (1, "call_made"): "no", (1, "why"): True,
        (2, "call_made"): "yes",
    })  # fmt: skip
    says(bob, two, {(None, "better@1-0"): 0, (None, "ranked"): [[0], [2], [1]], (None, "first"): "none"})
    says(bob, one, {
        (None, "first"): 2, (1, "call@call-0"): "good", (2, "call@call-0"): "bad", (1, "progress"): 60,
        (1, "call_made"): "no", (2, "call_made"): "no",
    })  # fmt: skip
    says(ann, two, {(None, "first"): "none"})
    return made


def test_a_pair_is_the_same_pair_whichever_is_shown_first_and_on_whichever_rollout_it_is_stored(others):
    row = section(others)["better", ""]
    assert (row["units"], row["labels"]) == (1, 2)
    assert row["figures"]["percent"]["value"] == 1


def test_a_ranking_is_measured_by_its_pairs(others):
    row = section(others)["ranked", ""]
    # 0-1 and 0-2 alike, 1-2 a tie for one. Firsts 4, tie 1, second 1, n = 6: 1 - 5 * 2 / (36 - 18).
    # Where both choose one it is the same, and the tie counts half: 5/2 of 3.
    assert figures(row) == pytest.approx({"percent": 2 / 3, "alpha_nominal": 1 - 10 / 18, "sides": 1, "half": 5 / 6})


def test_first_errors_next_to_each_other_are_near(others):
    said = figures(section(others)["first", ""])
    assert (said["percent"], said["exact"], said["near"], said["none_percent"]) == (0.5, 0, 1, 1)


def test_a_tool_call_is_a_place_of_its_own(others):
    row = section(others)["call", ""]
    assert (row["of"], row["units"], figures(row)["alpha_nominal"]) == ("tool_call", 2, 1)


def test_a_flag_that_is_asked_and_not_set_is_a_no(others):
    rows = section(others)
    # Ann sets it at one of four steps, Bob nowhere.
    assert (rows["odd", ""]["units"], figures(rows["odd", ""])["percent"]) == (4, 0.75)
    # Asked where no call was made: both at the first step, Bob alone at the second.
    assert (rows["why", ""]["units"], rows["why", ""]["labels"]) == (1, 3)
    assert figures(rows["why", ""])["percent"] == 0


def test_a_judge_that_never_sets_a_flag_has_not_answered_it(others):
    judge = make.rater(others, "judge")
    says(judge, others.trajectories.first(), {(1, "progress"): 10})
    assert section(others)["odd", ""]["raters"] == 2
    assert section(others)["progress", ""]["raters"] == 3


def test_a_failed_pass_has_said_nothing(others):
    judge = make.rater(others, "judge")
    says(judge, others.trajectories.first(), {(1, "progress"): 10, (1, "odd"): True}, state=Annotation.State.FAILED)
    assert section(others)["progress", ""]["raters"] == 2
    assert section(others)["odd", ""]["raters"] == 2


def test_an_answer_that_the_scheme_does_not_take_is_counted_and_left_out(others):
    Label.objects.filter(field="progress", annotation__rater__name="ann").update(value="half")
    Label.objects.filter(field="odd").update(value="perhaps")
    rows = section(others)
    assert (rows["progress", ""]["labels"], rows["progress", ""]["left_out"]) == (1, 1)
    assert (rows["odd", ""]["labels"], rows["odd", ""]["left_out"]) == (7, 1)  # and it is no "no" either


def test_a_project_whose_main_field_is_no_choice_gets_a_report(client, others):
    out = StringIO()
    call_command("agreement", others.slug, stdout=out)
    result = Report.objects.get().result
    assert result["values"] == []
    assert result["figures"]["percent"]["reason"].startswith("The main field is no choice")
    assert result["counts"]["labels"] == 2
    assert "better (nominal, by task): 2 raters" in out.getvalue()
    assert "instead (none, by trajectory): It is a text of its own" in out.getvalue()

    client.force_login(others.memberships.get(role="owner").user)
    page = client.get(reverse("report", args=[others.slug, Report.objects.get().pk])).content.decode()
    assert "Every field of the scheme" in page
    assert "2 answers to better of 2 raters" in page
    assert Report.objects.get().inputs["fields_sha256"][:16] in page
    assert "Among all raters" not in page
    assert "At most one step off, where both name one" in page
    assert client.get(reverse("agreement", args=[others.slug])).status_code == 200
    assert "Over 2 answers to better" in client.get(reverse("project", args=[others.slug])).content.decode()


STOPPING = """
name: stopping
version: "1"
title: Stops at the first error
main: label
rules: [{rule: stop-after-first-error, field: label, value: -1}]
fields:
  - {name: label, title: Step, target: step, kind: choice,
     choices: [{value: 1, title: Right}, {value: -1, title: Wrong}]}
  - {name: odd, title: Odd, target: step, kind: flag}
  - {name: safe, title: Safe call, target: tool_call, kind: flag}
  - {name: sound, title: Sound, target: sentence, kind: flag}
  - {name: marks, title: Marks, target: step, kind: spans, parts: [call, observation],
     types: [{value: slip, title: Slip}]}
  - {name: list, title: List, target: trajectory, kind: rubric, items_from: task}
"""


@pytest.fixture
def stopping():
    """Two people on three steps; Ann stops at the second."""
    made, (ann, bob) = started(STOPPING, "ann", "bob")
    one = make.trajectory(made, steps=3)
    one.steps.of_agent().update(message="Yes. No.")
    call, seen = {"part": "call-0", "type": "slip"}, {"part": "observation-0", "type": "slip"}
    says(ann, one, {
        (1, "label"): 1, (2, "label"): -1, (1, "safe@call-0"): True, (1, "sound@0-4"): True,
        (1, "marks"): [call | {"start": 0, "end": 4}, seen | {"start": 0, "end": 3}],
        (None, "list"): {"a": "yes", "b": "no"},
    })  # fmt: skip
    says(bob, one, {
        (1, "label"): 1, (2, "label"): 1, (3, "label"): 1, (1, "marks"): [call | {"start": 0, "end": 4}],
        (None, "list"): {"a": "yes", "b": "yes"},
    })  # fmt: skip
    return made


def test_a_step_that_a_rule_has_closed_was_not_asked(stopping):
    row = section(stopping)["odd", ""]
    assert (row["units"], row["labels"]) == (2, 5)


def test_flags_of_tool_calls_and_sentences_count_each_of_them(stopping):
    rows = section(stopping)
    assert (rows["safe", ""]["units"], figures(rows["safe", ""])["percent"]) == (2, 0.5)
    # Two sentences in each of the two steps that both were asked.
    assert (rows["sound", ""]["units"], figures(rows["sound", ""])["percent"]) == (4, 0.75)


def test_spans_of_calls_and_observations_count_their_own_texts(stopping):
    row = section(stopping)["marks", ""]
    # Calls {"at": 1} of nine code points and observations "Saw 1." of six, at the two steps that both were asked.
    assert row["figures"]["alpha_characters"]["n"] == 2 * (9 + 6)
    # Inside for both 4, for one 3, of 30: n = 60, inside 11: 1 - 59 * 6 / (2 * 11 * 49).
    assert figures(row)["alpha_characters"] == pytest.approx(1 - 59 * 6 / (2 * 11 * 49))
    assert figures(row)["f1_exact"] == pytest.approx(2 / 3)


def test_items_that_differ_from_task_to_task_are_counted_together(stopping):
    rows = section(stopping)
    assert [part for name, part in rows if name == "list"] == [""]
    assert figures(rows["list", ""])["percent"] == 0.5


def test_a_pass_under_a_scheme_without_the_flag_was_not_asked_for_it(stopping):
    older = projects.freeze(schemes.read(STOPPING.replace("name: odd", "name: even")))
    Annotation.objects.filter(rater__name="bob").update(scheme=older)
    assert section(stopping)["odd", ""]["raters"] == 1


def test_a_judge_that_marks_nothing_in_one_step_but_something_in_another_has_looked_at_both(stopping):
    judge = make.rater(stopping, "judge")
    says(judge, stopping.trajectories.get(), {(2, "marks"): [{"part": "call-0", "start": 0, "end": 2, "type": "slip"}]})
    assert section(stopping)["marks", ""]["raters"] == 3


SIBLINGS = """
name: siblings
version: "1"
title: Siblings
main: next
fields:
  - {name: next, title: Next, target: step, kind: preference, form: best}
  - {name: both, title: Both orders, target: task, kind: preference, form: pair, both_orders: true}
"""


def test_the_best_of_siblings_is_its_place_among_them_and_both_orders_are_two_pairs():
    made, (ann, bob) = started(SIBLINGS, "ann", "bob")
    one = make.trajectory(made, steps=6)
    steps = {step.index: step for step in one.steps.all()}
    for parent, children in ((1, (2, 3)), (4, (5, 6))):
        one.steps.filter(index__in=children).update(parent=steps[parent])
    says(ann, one, {(2, "next"): 2, (5, "next"): 6, (None, "both@0-1"): 0, (None, "both@1-0"): 0})
    says(bob, one, {(2, "next"): 2, (5, "next"): 5, (None, "both@0-1"): 0, (None, "both@1-0"): 1})
    rows = section(made)
    # First, first; second, first: margins 3 and 1: alpha 1 - 3 * 2 / 6 = 0, not that of four different steps.
    assert figures(rows["next", ""]) == {"alpha_nominal": 0, "percent": 0.5, "sides": 0.5, "half": 0.5}
    assert (rows["both", ""]["units"], figures(rows["both", ""])["percent"]) == (2, 0.5)
    # Ann says rollout 0 both times, Bob the one that is shown first.
    assert figures(rows["both", ""])["both_orders"] == 0.5
