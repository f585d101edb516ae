"""From rows to report."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations import jobs, schemes
from annotations.models import Annotation, Label, Rater, Report, Run
from annotations.services import agreement, projects
from tests import make

pytestmark = pytest.mark.django_db


def command(slug: str, *options: str) -> dict:
    out = StringIO()
    call_command("agreement", slug, *options, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def project():
    """Two trajectories of two steps: the reference, a judge who misses the error, one who failed on the second."""
    made = make.project()
    one, two = make.trajectory(made, steps=2), make.trajectory(made, steps=2)
    gold, blind, broken = (make.rater(made, name, kind) for name, kind in ROLES)
    make.rating(gold, one, [1, -1], final=-1)
    make.rating(gold, two, [1, 1], final=1)
    make.rating(blind, one, [1, 1], final=1)
    make.rating(blind, two, [1, 1], final=1)
    make.rating(broken, one, [1, -1], final=-1)
    make.rating(broken, two, [None, None], state=Annotation.State.FAILED)
    made.reference = gold
    made.save()
    return made


ROLES = (("gold", Rater.Kind.IMPORT), ("blind", Rater.Kind.JUDGE), ("broken", Rater.Kind.JUDGE))


def test_the_command_reports_each_rater_against_the_projects_reference(project):
    said = command(project.slug)

    assert said["reference"] == "gold"
    assert set(said["raters"]) == {"blind", "broken"}
    blind, broken = said["raters"]["blind"], said["raters"]["broken"]
    assert (blind["step_acc"], blind["first_err_acc"], blind["coverage"], blind["failed"]) == (0.75, 0.5, 1.0, 0)
    assert (broken["step_acc"], broken["first_err_acc"], broken["coverage"], broken["failed"]) == (0.5, 0.5, 0.5, 1)
    assert broken["recall"] == {"1": 1 / 3, "0": None, "-1": 1.0}
    assert said["baselines"]["1"]["step_acc"] == 0.75


def test_the_released_arithmetic_credits_a_failed_pass_where_there_is_no_error(project):
    said = command(project.slug, "--official")

    assert said["official"] is True
    assert said["raters"]["broken"]["first_err_acc"] == 1.0
    assert said["raters"]["broken"]["failed_ratio"] == 0.5
    assert said["raters"]["broken"]["step_acc"] == 0.5


def test_a_report_is_kept_with_its_run_and_what_it_was_computed_from(project):
    said = command(project.slug)

    report = Report.objects.get()
    assert report.result == said
    assert report.run.state == Run.State.DONE
    assert report.run.result["report"] == report.pk
    assert report.inputs["counts"] == {
        "raters": 3, "tasks": 2, "trajectories": 2, "steps": 4, "labels": 10, "propagated": 0,
        "accepted": 0, "failed": 1,
    }  # fmt: skip
    assert report.inputs["sha256"] == agreement.fingerprint(agreement.table(project, {}))


def test_the_fingerprint_follows_the_labels(project):
    before = agreement.fingerprint(agreement.table(project, {}))
    label = Label.objects.filter(field="label", value=-1).first()
    Label.objects.filter(pk=label.pk).update(superseded_at=timezone.now())
    Label.objects.create(annotation=label.annotation, step=label.step, field="label", value=0, origin=label.origin)

    after = agreement.fingerprint(agreement.table(project, {}))

    assert before != after


def test_a_person_counts_once_their_pass_is_submitted():
    person = make.user("ann")
    project = make.project(person)
    trajectory = make.trajectory(project, steps=1)
    rater = make.rater(project, "ann", Rater.Kind.HUMAN, person)
    annotation = make.rating(rater, trajectory, [1], state=Annotation.State.DRAFT)
    assert agreement.table(project, {}).raters == ()

    Annotation.objects.filter(pk=annotation.pk).update(state=Annotation.State.SUBMITTED)

    assert [each.name for each in agreement.table(project, {}).raters] == ["ann"]


def test_retired_passes_old_versions_and_superseded_labels_do_not_count(project):
    judge = make.rater(project, "late")
    gone, old = make.trajectory(project, steps=1), make.trajectory(project, steps=1)
    make.rating(judge, gone, [1], retired_at=timezone.now())
    make.rating(judge, old, [1])
    type(old).objects.filter(pk=old.pk).update(superseded_at=timezone.now())

    assert "late" not in [each.name for each in agreement.table(project, {}).raters]


def test_without_propagated_labels_only_what_was_said_by_hand_is_compared(project):
    person = make.user("ann")
    rater = make.rater(project, "ann", Rater.Kind.HUMAN, person)
    trajectory = project.trajectories.order_by("pk").first()
    annotation = make.rating(rater, trajectory, [-1, None])
    cause = annotation.labels.get(field="label")
    second = trajectory.steps.of_agent().last()
    Label.objects.create(
        annotation=annotation, step=second, field="label", value=-1, origin=Label.Origin.PROPAGATED, cause=cause
    )

    said = command(project.slug)

    assert said["counts"]["propagated"] == 1
    assert said["raters"]["ann"]["percent"] == 0.5
    by_hand = said["without_propagated"]["raters"]["ann"]
    assert (by_hand["percent"], by_hand["figures"]["percent"]["n"]) == (0.0, 1)


def test_a_rater_is_found_by_name_by_kind_and_name_or_as_the_projects_own(project):
    assert agreement.find(project, None).name == "gold"
    assert agreement.find(project, "") is None
    assert agreement.find(project, "judge:blind").name == "blind"
    with pytest.raises(agreement.AgreementRefused, match="no rater called 'nobody'.*import:gold"):
        agreement.find(project, "nobody")


def test_two_raters_of_one_name_are_told_apart_by_kind(project):
    twin = make.rater(project, "gold", Rater.Kind.JUDGE)
    make.rating(twin, project.trajectories.first(), [1, 1])

    said = command(project.slug, "--reference", "gold")  # the project's reference is meant

    assert said["reference"] == "gold (import)"
    assert "gold (judge)" in said["raters"]
    project.reference = None
    project.save()
    with pytest.raises(CommandError, match="several raters called 'gold'"):
        command(project.slug, "--reference", "gold")


def test_without_a_reference_raters_are_still_held_against_each_other(project):
    project.reference = None
    project.save()

    said = command(project.slug)

    assert said["reference"] is None
    assert said["alpha_nominal"] is not None
    assert said["raters"]["gold"]["step_acc"] is None
    assert said["raters"]["gold"]["figures"]["step_acc"]["reason"] == "No reference rater is chosen."


def test_an_empty_project_says_why_there_is_nothing():
    said = command(make.project().slug)

    assert said["alpha_ordinal"] is None
    assert said["figures"]["alpha_ordinal"]["reason"] == "No step has labels from two raters."


def test_a_project_that_is_not_there_is_an_error():
    with pytest.raises(CommandError, match="no project 'nowhere'"):
        command("nowhere")


def test_the_summary_for_people_ranks_the_raters_and_shows_the_constants(project):
    out = StringIO()
    call_command("agreement", project.slug, stdout=out)

    lines = out.getvalue().splitlines()
    assert lines[0].startswith("3 raters, 10 labels of 4 steps in 2 trajectories of 2 tasks; reference: gold")
    names = [line.split("  ")[0] for line in lines[3:8]]
    assert names == ["blind", "broken", "always +1", "always 0", "always -1"]


def test_gathering_costs_the_same_for_few_labels_and_for_many(project, django_assert_num_queries):
    for _ in range(5):
        make.rating(project.reference, make.trajectory(project, steps=4), [1, 0, -1, 1], final=1)
    project.refresh_from_db()
    with django_assert_num_queries(10):
        agreement.table(project, {})


def test_no_text_of_a_step_is_read(project):
    with CaptureQueriesContext(connection) as queries:
        agreement.table(project, {})
    assert not any("message" in each["sql"] or "observations" in each["sql"] for each in queries.captured_queries)


WHOLE = """
name: verdicts
version: "1"
title: Verdicts
main: verdict
fields:
  - name: verdict
    title: Verdict
    target: trajectory
    kind: choice
    choices: [{value: good, title: Good}, {value: "schön", title: Schön}, {value: bad, title: Bad}]
"""


def test_a_scheme_about_whole_trajectories_counts_each_as_one_unit():
    made = make.project(scheme=projects.freeze(schemes.read(WHOLE)))
    said = {"a": ["good", "schön", "bad"], "b": ["good", "schön", "good"]}
    trajectories = [make.trajectory(made, steps=2) for _ in range(3)]
    for name, values in said.items():
        rater = make.rater(made, name)
        for trajectory, value in zip(trajectories, values, strict=True):
            annotation = make.rating(rater, trajectory, [None, None])
            Label.objects.create(annotation=annotation, field="verdict", value=value, origin="judge")

    found = command(made.slug, "--reference", "a")

    assert found["raters"]["b"]["step_acc"] == 2 / 3
    assert found["raters"]["b"]["confusion"]["table"] == [[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]]
    assert found["figures"]["alpha_ordinal"]["reason"] == "The values of this field have no order."
    assert found["final"] is None
    with pytest.raises(CommandError, match="whole numbers"):
        command(made.slug, "--official")


def test_a_value_that_the_scheme_does_not_have_is_left_out(project):
    Label.objects.filter(annotation__rater__name="blind").update(value=7)
    assert command(project.slug)["raters"]["blind"]["coverage"] == 0


def test_a_run_taken_up_again_keeps_its_first_report(project):
    command(project.slug)
    run = Run.objects.get()
    Run.objects.filter(pk=run.pk).update(state=Run.State.QUEUED)

    jobs.run_here(run)

    assert Report.objects.get().run == run
    assert run.state == Run.State.DONE
