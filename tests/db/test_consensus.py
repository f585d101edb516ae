"""A project's consensus: gathered from labels, worked out by a run, kept with what it was made of."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from annotations import jobs
from annotations.models import Annotation, Label, Project, Rater, Report, Run
from annotations.services import adjudication, consensus, consensus_rows
from annotations.services.consensus import ConsensusRefused
from models_service import tasks
from tests import make

pytestmark = pytest.mark.django_db

GOLD = ([1, 1, -1], [0, -1, -1], [1, 1, 1], [1, 0, -1])
SAID: dict[str, tuple[list[Any], ...]] = {
    "ann": ([1, 1, -1], [0, -1, -1], [1, 1, 1], [1, 0, None]),
    "bob": ([1, 1, -1], [1, -1, -1], [1, 1, 1], [1, 0, -1]),
    "cyd": ([1, -1, 1], [0, 1, -1], [1, 0, 1], [1, 1, 1]),
}


@pytest.fixture
def project() -> Project:
    """Three people on four tasks, and a judge who calls everything right; the gold is the reference."""
    made = make.project(owner=make.user())
    rollouts = [make.trajectory(made) for _ in GOLD]
    gold = make.rater(made, "gold", Rater.Kind.IMPORT)
    raters = [make.rater(made, name, Rater.Kind.HUMAN) for name in SAID]
    judge = make.rater(made, "yes")
    for place, one in enumerate(rollouts):
        make.rating(gold, one, GOLD[place], 1)
        make.rating(judge, one, [1, 1, 1], 1)
        for rater in raters:
            make.rating(rater, one, SAID[rater.name][place], 1)
    made.reference = gold
    made.save()
    return made


def computed(project: Project, **config: Any) -> Report:
    run = jobs.run_here(consensus.start(project, None, **config))
    assert (run.state, run.error) == ("done", "")
    return Report.objects.get(pk=run.result["consensus"])


def method(report: Report, name: str) -> dict[str, Any]:
    return next(one for one in report.result["methods"] if one["name"] == name)


def steps_of(report: Report) -> list[dict[str, str]]:
    assert report.run is not None
    with default_storage.open(report.run.file, "rb") as stream:
        return list(csv.DictReader(io.StringIO(stream.read().decode(), newline="")))


def test_people_are_asked_the_reference_is_no_voice_and_the_best_alone_stands_beside(project):
    report = computed(project)
    result = report.result
    assert result["counts"] | {"tasks": 4, "trajectories": 4, "units": 12, "labels": 35} == result["counts"]
    assert [one["name"] for one in result["raters"]] == ["ann", "bob", "cyd"]
    assert result["reference"] == "gold"
    # Of twelve: the second task's first step has 0 1 0, the last step of the last one -1 and 1, which is a tie.
    majority = method(report, "majority")
    assert (majority["accuracy"], majority["decided"], majority["ties"]) == (pytest.approx(11 / 12), 11, 1)
    assert result["best_rater"]["rater"] == "ann"
    assert result["best_rater"]["accuracy"] == pytest.approx(11 / 12)
    assert method(report, "dawid_skene")["converged"] is True
    assert [one["name"] for one in result["methods"]][-1] == "gold_anchored"


def test_who_is_asked_can_be_chosen_and_what_is_made_of_others_words_is_never_asked(project):
    everybody = computed(project, raters="everybody").result
    assert [one["name"] for one in everybody["raters"]] == ["ann", "bob", "cyd", "yes"]
    picked = computed(project, raters=["human:ann", "judge:yes"]).result
    assert [one["name"] for one in picked["raters"]] == ["ann", "yes"]
    settled = make.rater(project, adjudication.RATER, Rater.Kind.CONSENSUS)
    for one in project.trajectories.all():
        make.rating(settled, one, [1, 1, 1], 1)
    again = computed(project, raters="everybody", reference="consensus:adjudicated").result
    assert [one["name"] for one in again["raters"]] == ["ann", "bob", "cyd", "gold", "yes"]
    assert again["reference"] == "adjudicated"
    with pytest.raises(ConsensusRefused, match="no voice of its own"):
        consensus.start(project, None, raters=["human:ann", "consensus:adjudicated"])


def test_what_cannot_be_is_refused_with_what_is_accepted(project):
    with pytest.raises(ConsensusRefused, match="accepted: label, correction, final"):
        consensus.start(project, None, field="notes")
    with pytest.raises(ConsensusRefused, match="takes two raters"):
        consensus.start(project, None, raters="judges")
    with pytest.raises(ConsensusRefused, match="no rater called 'human:nobody'"):
        consensus.start(project, None, raters=["human:nobody", "human:ann"])
    with pytest.raises(ConsensusRefused, match="no raters 'friends'"):
        consensus.start(project, None, raters="friends")
    adopted = make.rater(project, "dawid_skene v1", Rater.Kind.CONSENSUS)
    with pytest.raises(ConsensusRefused, match="is a consensus itself"):
        consensus.start(project, None, reference=f"consensus:{adopted.name}")
    assert not Run.objects.filter(kind=Run.Kind.CONSENSUS).exists()


def test_without_a_reference_nothing_is_said_of_who_is_right_and_why(project):
    report = computed(project, reference="")
    one = method(report, "dawid_skene")
    assert (one["accuracy"], one["reasons"]["accuracy"]) == (None, "No reference rater is chosen.")
    assert one["expected_error"] is not None
    assert {row["error"] for row in one["risk"]} == {row["error"] for row in one["thresholds"]} == {None}
    assert one["calibration"]["reason"] == "No step that has a consensus has a label of the reference."
    assert method(report, "gold_anchored")["reason"] == "No reference rater is chosen."
    assert report.result["best_rater"]["reasons"]["accuracy"] == "No reference rater is chosen."


def test_the_file_has_every_step_with_what_every_method_says_of_it(project):
    report = computed(project)
    rows = steps_of(report)
    assert len(rows) == 12
    assert [rows[3][name] for name in ("said 1", "said 0", "said -1", "reference", "majority")] == [*"120", "0", "0"]
    assert float(rows[3]["majority 0"]) == pytest.approx(2 / 3)
    tie = rows[11]
    assert (tie["majority"], float(tie["majority 1"]), float(tie["majority -1"])) == ("", 0.5, 0.5)
    assert all(sum(float(row[f"dawid_skene {v}"]) for v in ("1", "0", "-1")) == pytest.approx(1) for row in rows)
    assert report.run is not None and report.run.sha256


def test_verdicts_on_whole_trajectories_have_a_consensus_too(project):
    report = computed(project, field="final")
    assert report.result["target"] == "trajectory"
    assert report.result["counts"]["units"] == 4
    assert method(report, "dawid_skene")["reason"].startswith("All labels are one and the same value")
    assert {row["step_id"] for row in steps_of(report)} == {""}


def test_a_flag_that_was_asked_and_not_set_is_a_no(project):
    one = Annotation.objects.filter(rater__name="ann").order_by("pk").first()
    step = one.trajectory.steps.of_agent()[1]
    Label.objects.create(annotation=one, step=step, field="correction", value=True, origin=Label.Origin.HUMAN)
    table = consensus_rows.gathered(consensus.read(project, {"field": "correction"}))
    assert table.titles == ("yes", "no")
    labels = zip(table.label_rater, table.label_unit, table.label_value, strict=True)
    said = {(table.units[unit].step, table.raters[rater].name): table.titles[value] for rater, unit, value in labels}
    assert (said[step.pk, "ann"], said[step.pk, "bob"]) == ("yes", "no")
    assert len(table.units) == 12


def test_labels_that_were_filled_in_can_be_left_out(project):
    last = Label.objects.filter(annotation__rater__name="bob", field="label").order_by("pk").last()
    cause = Label.objects.filter(annotation=last.annotation, field="label").order_by("pk").first()
    Label.objects.filter(pk=last.pk).update(origin=Label.Origin.PROPAGATED, cause=cause)
    assert computed(project).result["counts"]["propagated"] == 1
    assert computed(project, by_hand=True).result["counts"]["labels"] == 34


def test_passes_that_are_not_handed_in_and_passes_that_failed_say_nothing(project):
    one = Annotation.objects.filter(rater__name="ann").order_by("pk").first()
    Annotation.objects.filter(pk=one.pk).update(state=Annotation.State.DRAFT)
    two = Annotation.objects.filter(rater__name="yes").order_by("pk").first()
    Annotation.objects.filter(pk=two.pk).update(state=Annotation.State.FAILED)
    counts = computed(project, raters="everybody").result["counts"]
    assert (counts["labels"], counts["failed"]) == (35 - 3 + 12 - 3, 1)


def test_a_report_says_when_labels_have_changed_since(project):
    report = computed(project)
    assert not consensus.is_stale(report)
    other = make.rater(project, "new", Rater.Kind.JUDGE)
    make.rating(other, project.trajectories.first(), [1, 1, 1])
    assert not consensus.is_stale(report), "a judge has no voice among people"
    Annotation.objects.filter(rater__name="ann").update(revision=2)
    assert consensus.is_stale(report)


def test_a_run_that_is_delivered_twice_or_taken_up_again_keeps_one_report(project):
    run = consensus.start(project, None)
    tasks.run_consensus(run.pk)
    tasks.run_consensus(run.pk)
    before = Report.objects.get(run=run)
    Run.objects.filter(pk=run.pk).update(state=Run.State.QUEUED)  # as after a worker that died at the very end
    tasks.run_consensus(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.DONE
    assert Report.objects.get(run=run).pk == before.pk
    assert run.sha256 == Run.objects.get(pk=run.pk).sha256 != ""


def test_the_same_labels_give_the_same_report_and_fingerprint(project):
    one, two = computed(project), computed(project)
    assert one.result == two.result
    assert one.inputs["sha256"] == two.inputs["sha256"]
    Label.objects.filter(annotation__rater__name="cyd", field="label", value=0).update(value=-1)
    assert computed(project).inputs["sha256"] != one.inputs["sha256"]


def test_a_stopped_run_keeps_nothing(project):
    run = consensus.start(project, None)
    Run.objects.filter(pk=run.pk).update(state=Run.State.CANCELLED)
    tasks.run_consensus(run.pk)
    assert not Report.objects.filter(kind=consensus.KIND).exists()


def test_the_command_does_the_same(project):
    out = io.StringIO()
    call_command("consensus", project.slug, "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["methods"][0]["name"] == "majority"
    text = io.StringIO()
    call_command("consensus", project.slug, "--raters", "human:ann", "--raters", "judge:yes", stdout=text)
    assert "alone: ann" in text.getvalue()
    with pytest.raises(CommandError, match="accepted: label, correction, final"):
        call_command("consensus", project.slug, "--field", "nothing")
