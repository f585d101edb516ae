"""From labels, verdicts and calls to a leaderboard that is kept, and found again where nothing changed."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotations import jobs
from annotations.judges.settings import Settings
from annotations.models import (
    Annotation,
    Judge,
    JudgeCall,
    JudgeVerdict,
    Label,
    Project,
    Rater,
    Report,
    Run,
    Trajectory,
)
from annotations.services import judges, leaderboard, leaderboard_drift, leaderboard_steps
from tests import judges as stub
from tests import make

pytestmark = pytest.mark.django_db

PRICES = {"version": "2026-11", "currency": "EUR", "models": {}}


def command(slug: str, *options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("leaderboard", slug, *options, "--json", stdout=out)
    return json.loads(out.getvalue())


def rows(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Those that somebody labelled for, by name."""
    return {one["name"]: one for one in result["rows"] if one["kind"] != "ensemble"}


@pytest.fixture
def project() -> Project:
    """Two trajectories of two steps, labelled by gold, and by a judge whose labels came from a file."""
    made = make.project(owner=make.user("owner"))
    gold, filed = make.rater(made, "gold", Rater.Kind.IMPORT), make.rater(made, "filed")
    for values in ([1, -1], [1, 1]):
        trajectory = make.trajectory(made, steps=2, policy_model="small")
        make.rating(gold, trajectory, values, final=1)
        make.rating(filed, trajectory, [1, 1], final=1)
    made.reference = gold
    made.save()
    return made


def version(project: Project, **settings: Any) -> Judge:
    """The next version of the project's own judge."""
    server = stub.server("http://127.0.0.1:9/v1", prices=PRICES) if not _servers() else _servers()[0]
    guideline = project.guidelines.first()
    number = project.judges.count() + 1
    return judges.make(
        project, None, name="own", server=server, model=f"model-{number}", prompt=f"Judge.\nPrompt {number}.\n",
        prompt_name=f"single-{number}", settings=Settings(**settings), guideline=guideline,
    )  # fmt: skip


def _servers() -> list[Any]:
    from annotations.models import JudgeServer

    return list(JudgeServer.objects.all())


def judged(
    judge: Judge, trajectory: Trajectory, values: list[Any], *, cost: int | None = 500, chances: Any = None
) -> Annotation:
    """A pass of the judge's with its verdict and one call."""
    pass_ = make.rating(judge.rater, trajectory, values)
    call = JudgeCall.objects.create(
        project=judge.project, judge=judge, trajectory=trajectory, server=judge.server, model=judge.model,
        key=f"{JudgeCall.objects.count():064x}", purpose="verdict", question={}, state=JudgeCall.State.ANSWERED,
        cost_micro=cost, latency_ms=1500,
    )  # fmt: skip
    verdict = JudgeVerdict.objects.create(annotation=pass_, judge=judge, detail={"chances": chances} if chances else {})
    verdict.calls.add(call)
    return pass_


def test_judges_from_files_and_own_ones_stand_in_one_table_with_what_is_known_of_them(project):
    judge = version(project, reading="prefix", sight="reference")
    for trajectory in project.trajectories.all():
        judged(judge, trajectory, [1, 1])

    said = rows(command(project.slug))

    assert set(said) == {"filed", "own v1"}
    own = said["own v1"]
    assert (own["judge"]["reading"], own["judge"]["sight"], own["judge"]["model"]) == ("prefix", "reference", "model-1")
    # Two calls of 500 millionths for four steps; 1.5 s for each of two trajectories.
    assert own["cost"] == {"per_1000_steps": 250_000.0, "currency": "EUR", "reason": ""}
    assert own["seconds"] == {"per_trajectory": 1.5, "reason": ""}
    assert said["filed"]["judge"] is None
    assert said["filed"]["cost"]["per_1000_steps"] is None
    assert said["filed"]["cost"]["reason"].startswith("Its labels came from a file")


def test_a_person_has_a_row_and_no_cost(project):
    person = make.rater(project, "ann", Rater.Kind.HUMAN, make.user("ann"))
    make.rating(person, project.trajectories.first(), [1, -1])
    said = rows(command(project.slug))["ann"]
    assert (said["kind"], said["missing"]) == ("human", 1)
    assert "cost" not in said


def test_a_cost_that_is_known_in_part_is_not_known(project):
    judge = version(project)
    first, second = project.trajectories.order_by("pk")
    judged(judge, first, [1, 1])
    judged(judge, second, [1, 1], cost=None)

    cost = rows(command(project.slug))["own v1"]["cost"]

    assert (cost["per_1000_steps"], cost["reason"]) == (None, "1 of its 2 answers have no known price.")


def test_what_a_judge_was_taught_with_does_not_count_for_it(project):
    first, second = project.trajectories.order_by("pk")
    label = Label.objects.get(annotation__trajectory=first, annotation__rater__name="gold", step__index=1)
    example = {"text": "I try.", "answer": 1, "label": label.pk}
    judge = version(project, examples=[example])
    judged(judge, first, [1, -1])
    judged(judge, second, [1, -1])

    own = rows(command(project.slug))["own v1"]

    assert (own["taught"], own["trajectories"]) == (1, 1)
    assert own["figures"]["step_acc"]["value"] == 0.5


def test_shares_of_votes_are_held_against_the_reference(project):
    judge = version(project)
    first, second = project.trajectories.order_by("pk")
    sure = {f"steps.{index}.label": {"1": 0.75, "-1": 0.25} for index in (1, 2)}
    judged(judge, first, [1, 1], chances=sure | {"trajectory.final": {"1": 1.0}, "steps.9.label": {"1": 1.0}})
    judged(judge, second, [1, 1], chances=sure)

    said = rows(command(project.slug))
    found = said["own v1"]["chances"]

    assert said["filed"]["chances"] is None
    assert (found["steps"], found["few"]) == (4, True)
    assert found["top"]["figures"]["ece"]["value"] == 0.0  # .75 said, three of four seen
    assert found["wrong"]["figures"]["brier"]["value"] == pytest.approx((3 * 0.0625 + 0.5625) / 4)


def test_the_tool_that_a_step_calls_and_where_a_trajectory_comes_from_are_known(project):
    step = project.trajectories.first().steps.of_agent().first()
    step.tool_calls = [{"name": "look"}, {"name": "nul\x00", "a": "\\\\u0000"}, "odd"]
    step.save()
    table = leaderboard.gathered(project, {})
    assert table.tools == ("several tools", "look", "look", "look")
    assert set(table.sources) == {"made"}
    assert set(table.models) == {"small"}


def test_what_was_adjudicated_is_a_reference_and_no_row(project):
    settled = make.rater(project, "adjudicated", Rater.Kind.CONSENSUS)
    for trajectory in project.trajectories.all():
        make.rating(settled, trajectory, [1, 1])
    assert set(rows(command(project.slug))) == {"filed"}
    said = command(project.slug, "--reference", "adjudicated")
    assert set(rows(said)) == {"filed", "gold"}
    assert rows(said)["filed"]["figures"]["step_acc"]["value"] == 1.0


def test_the_same_labels_are_not_measured_twice_and_others_are(project):
    first = command(project.slug)
    assert command(project.slug) == first
    report = Report.objects.get(kind="leaderboard")
    assert Run.objects.filter(result__leaderboard=report.pk).count() == 2
    assert not leaderboard.is_stale(report)

    make.rating(make.rater(project, "late"), project.trajectories.first(), [1, -1])

    assert leaderboard.is_stale(report)
    assert set(rows(command(project.slug))) == {"filed", "late"}
    assert Report.objects.filter(kind="leaderboard").count() == 2
    assert command(project.slug, "--official")["official"] is True
    assert Report.objects.filter(kind="leaderboard").count() == 3


def test_a_mark_that_moved_while_the_labels_are_the_same_is_settled_by_measuring_again(project):
    command(project.slug)
    Annotation.objects.filter(rater__name="gold").update(revision=7)
    report = Report.objects.get(kind="leaderboard")
    assert leaderboard.is_stale(report)

    command(project.slug)

    assert Report.objects.filter(kind="leaderboard").count() == 1
    assert not leaderboard.is_stale(report)


def test_the_summary_says_who_is_no_better_than_a_constant_answer(project):
    out = StringIO()
    call_command("leaderboard", project.slug, stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0] == "1 judges against gold: 2 trajectories, 4 steps, 2 tasks"
    assert "filed is not better than always +1." in lines


def test_a_reference_is_asked_for_and_found(project):
    with pytest.raises(CommandError, match="no rater called 'nobody'"):
        command(project.slug, "--reference", "nobody")
    Project.objects.filter(pk=project.pk).update(reference=None)
    with pytest.raises(CommandError, match="needs a reference"):
        command(project.slug)
    assert command(project.slug, "--reference", "filed")["reference"] == "filed"


def test_a_run_of_a_reference_that_labelled_nothing_fails_in_words(project):
    make.rater(project, "idle")
    with pytest.raises(CommandError, match="idle has labelled nothing that can be compared"):
        command(project.slug, "--reference", "idle")


@pytest.mark.parametrize("name", ["first-error", "web-step-grade"])
def test_a_scheme_has_what_applies_to_it_or_says_why_not(name):
    made = make.project(scheme=make.scheme(name))
    gold, judge = make.rater(made, "gold"), make.rater(made, "judge")
    for values in ((2, 2), ("none", 1)):
        trajectory = make.trajectory(made, steps=2)
        for rater, value in zip((gold, judge), values, strict=True):
            pass_ = make.rating(rater, trajectory, [None, None])
            Label.objects.create(annotation=pass_, field=pass_.scheme.document["main"], value=value, origin="judge")
    if name == "web-step-grade":
        with pytest.raises(CommandError, match="the report of Agreement has its figures"):
            command(made.slug, "--reference", "gold")
        return
    with pytest.raises(CommandError, match="whole numbers"):
        command(made.slug, "--reference", "gold", "--official")
    found = rows(command(made.slug, "--reference", "gold"))["judge"]["figures"]
    assert (found["first_err_acc"]["value"], found["coverage"]["value"]) == (0.5, 1.0)
    assert (found["first_err_acc_error"]["value"], found["first_err_acc_clean"]["value"]) == (1.0, 0.0)
    assert found["step_acc"]["value"] is None


def test_the_steps_behind_a_cell_are_those_where_the_two_say_so(project):
    gold, filed = (Rater.objects.get(name=name) for name in ("gold", "filed"))
    Label.objects.filter(annotation__rater=filed).update(explanation="It looks fine.")
    cell = leaderboard_steps.of_cell(project, gold, filed, (-1, 1), 1)
    (one,) = cell.rows
    assert (cell.total, one.at, one.number, one.why) == (1, 2, 2, "It looks fine.")
    assert leaderboard_steps.of_cell(project, gold, filed, (-1, -1), 1).rows == []
    Label.objects.filter(annotation__rater=filed).delete()
    assert leaderboard_steps.of_cell(project, gold, filed, (1, leaderboard_steps.NOTHING), 1).total == 3


def test_versions_of_a_judge_are_compared_on_the_same_trajectories_with_what_was_changed(project):
    first, second = version(project), version(project, reading="prefix")
    for trajectory, values in zip(project.trajectories.order_by("pk"), ([1, -1], [1, 1]), strict=True):
        judged(first, trajectory, [1, 1])
        judged(second, trajectory, values)
    result = command(project.slug)

    (moved,) = leaderboard_drift.of(result, second)

    assert (moved.before, moved.after) == (first, second)
    assert moved.pair is not None
    assert moved.pair["figures"]["step_acc"]["value"] == 0.25
    assert (moved.kappas[0]["value"], moved.kappas[1]["value"]) == (0.0, 1.0)
    changed = {what: (before, after) for what, before, after in moved.changes}
    assert changed == {
        "model": ("model-1", "model-2"),
        "prompt": ("single-1", "single-2"),
        "reading": ("whole", "prefix"),
    }
    assert [(line.mark, line.text) for line in moved.prompt if line.mark in "+-"] == [
        ("-", "Prompt 1."), ("+", "Prompt 2."),
    ]  # fmt: skip


def test_a_run_that_was_taken_up_again_keeps_its_first_report(project):
    command(project.slug)
    run = Run.objects.get()
    Run.objects.filter(pk=run.pk).update(state=Run.State.QUEUED)
    jobs.run_here(run)
    assert (run.state, Report.objects.count()) == (Run.State.DONE, 1)


def test_gathering_costs_the_same_for_few_labels_and_for_many(project, django_assert_max_num_queries):
    for _ in range(5):
        make.rating(project.reference, make.trajectory(project, steps=4), [1, 0, -1, 1])
    with django_assert_max_num_queries(24):
        leaderboard.gathered(project, {})
