"""The gate: which judges' labels may go out, who signs for them, and what the manifest says of it."""

from __future__ import annotations

import json

import pytest

from annotations.judges.probe_limits import BadLimits
from annotations.models import Event, JudgeLeave, Rater, Report
from annotations.services import exports, judge_probes_gate, judge_probes_kept
from annotations.services.export_asked import ExportRefused
from annotations.services.judge_probes_gate import LeaveRefused
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make.user("olga")


@pytest.fixture
def judge(owner):
    """A judge, imported or not, that has labelled one trajectory; a person has too."""
    project = make.project(owner=owner)
    trajectory = make.trajectory(project)
    found = make.rater(project, "gpt")
    make.rating(found, trajectory, [1, 1, -1], -1)
    make.rating(make.rater(project, "ada", Rater.Kind.HUMAN), trajectory, [1, 1, 1], 1)
    return found


def report(judge: Rater, **standings: str) -> Report:
    """One that says of each probe's number how the judge stands; "__" parts probe and number."""
    verdicts = []
    for name, standing in standings.items():
        probe, _, number = name.partition("__")
        verdicts.append({"limit": {"probe": probe, "number": number, "bound": 0.1}, "standing": standing})
    return Report.objects.create(
        project=judge.project, kind="probe", config={"rater": judge.pk}, result={"verdicts": verdicts}
    )


def export(judge: Rater, folder, format="apb-labels", **asked):
    exports.export(judge.project, format, folder, **asked)
    return json.loads((folder / "manifest.json").read_text())


def test_a_judge_that_was_never_probed_goes_out_and_the_manifest_says_so(judge, tmp_path):
    assert export(judge, tmp_path)["judges"] == [
        {"name": "gpt", "report": None, "above": [], "not_enough": [], "signed": None, "left_out": ""}
    ]


def test_a_project_may_ask_that_judges_be_probed(judge, owner, tmp_path):
    judge_probes_kept.set_limits(judge.project, owner, {}, refuse_unprobed=True)
    with pytest.raises(ExportRefused, match="judge:gpt may not be exported: it was never probed"):
        export(judge, tmp_path, rater="judge:gpt")
    report(judge, master_keys__false_positive_rate="within")
    export(judge, tmp_path, rater="judge:gpt")


def test_a_judge_above_a_limit_is_left_out_of_what_holds_every_rater_and_refused_by_name(judge, tmp_path):
    found = report(judge, injection__moved="above", position__flip_rate="not_enough")
    manifest = export(judge, tmp_path)
    assert [one["name"] for one in manifest["raters"]] == ["ada"]
    reason = "its probes are beyond the limits: Prompt injection (verdicts that give way)"
    assert manifest["judges"] == [
        {
            "name": "gpt",
            "report": found.pk,
            "above": ["injection.moved"],
            "not_enough": ["position.flip_rate"],
            "signed": None,
            "left_out": reason,
        }
    ]
    assert f"- gpt: left out: {reason}" in (tmp_path / "README.md").read_text()
    with pytest.raises(ExportRefused, match="give way\\). A manager can sign for it"):
        export(judge, tmp_path, rater="gpt")
    with pytest.raises(ExportRefused):
        export(judge, tmp_path, format="apb", raters=["ada", "gpt"], rule="majority")


def test_a_judge_that_is_the_reference_is_refused_too(judge, tmp_path):
    report(judge, injection__moved="above")
    judge.project.reference = judge
    judge.project.save()
    with pytest.raises(ExportRefused, match="gpt may not be exported"):
        export(judge, tmp_path, format="apb")


def test_a_signature_lets_it_out_and_is_in_the_manifest_and_the_log(judge, owner, tmp_path):
    found = report(judge, injection__moved="above")
    leave = judge_probes_gate.sign(judge, owner, " Its tools are ours. ")
    signed = export(judge, tmp_path, rater="gpt")["judges"][0]
    assert signed["signed"] == {
        "by": "olga",
        "at": leave.signed_at.isoformat(timespec="seconds"),
        "reason": "Its tools are ours.",
        "report": found.pk,
    }
    assert (signed["above"], signed["left_out"]) == (["injection.moved"], "")
    card = (tmp_path / "README.md").read_text()
    said = "beyond the limits: Prompt injection (verdicts that give way); olga signed for it: Its tools are ours."
    assert f"- gpt: its probes are {said}" in card
    event = Event.objects.get(verb="judge.signed")
    assert (event.actor, event.after["reason"]) == (owner, "Its tools are ours.")
    judge_probes_gate.withdraw(judge, owner)
    assert judge_probes_gate.standing(judge).is_barred
    assert JudgeLeave.objects.get().withdrawn_at and Event.objects.filter(verb="judge.unsigned").exists()
    judge_probes_gate.withdraw(judge, owner)
    assert Event.objects.filter(verb="judge.unsigned").count() == 1


def test_a_signature_does_not_cover_what_is_found_after_it(judge, owner):
    report(judge, injection__moved="above", position__flip_rate="within")
    judge_probes_gate.sign(judge, owner, "I know.")
    report(judge, injection__moved="above")
    assert not judge_probes_gate.standing(judge).is_barred
    report(judge, position__flip_rate="above")
    standing = judge_probes_gate.standing(judge)
    assert standing.is_barred and standing.above == ["injection.moved", "position.flip_rate"]
    judge_probes_gate.sign(judge, owner, "I know that too.")
    assert not judge_probes_gate.standing(judge).is_barred
    assert JudgeLeave.objects.filter(withdrawn_at=None).count() == 1


def test_the_newest_report_that_looked_at_a_limit_decides(judge):
    report(judge, injection__moved="above")
    report(judge, position__flip_rate="within")
    assert judge_probes_gate.standing(judge).above == ["injection.moved"]
    report(judge, injection__moved="within")
    assert judge_probes_gate.standing(judge).reason == ""


def test_a_report_of_another_judge_says_nothing(judge):
    report(make.rater(judge.project, "other"), injection__moved="above")
    assert not judge_probes_gate.standing(judge).verdicts


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001])
def test_a_signature_needs_a_reason_of_some_length(judge, owner, reason):
    report(judge, injection__moved="above")
    with pytest.raises(LeaveRefused):
        judge_probes_gate.sign(judge, owner, reason)


def test_nobody_signs_where_nothing_speaks_against_it_nor_for_a_person(judge, owner):
    with pytest.raises(LeaveRefused, match="Nothing speaks against"):
        judge_probes_gate.sign(judge, owner, "Why not.")
    with pytest.raises(LeaveRefused, match="Only judges"):
        judge_probes_gate.sign(judge.project.raters.get(name="ada"), owner, "Why not.")


def test_limits_are_kept_with_who_set_them(judge, owner):
    project = judge.project
    judge_probes_kept.set_limits(project, owner, {"injection.moved": 0.01}, refuse_unprobed=False)
    project.refresh_from_db()
    assert judge_probes_kept.bounds(project) == {"injection.moved": 0.01}
    judge_probes_kept.set_limits(project, owner, {"injection.moved": 0.01}, refuse_unprobed=False)
    assert Event.objects.filter(verb="judge.limits").count() == 1
    with pytest.raises(BadLimits):
        judge_probes_kept.set_limits(project, owner, {"injection.moved": 3}, refuse_unprobed=False)
