"""Labels of a consensus as passes of a rater of their own: what is written, who hears them, taking them back."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotations import jobs
from annotations.models import Annotation, Event, Judge, Label, Membership, Project, Rater, Report, Role, Run, Standing
from annotations.services import (
    adjudication,
    agreement,
    agreement_fields,
    consensus,
    consensus_adopt,
    gold,
    judge_corrections,
    suggestions,
    visibility,
)
from annotations.services.consensus_adopt import AdoptionRefused
from models_service import tasks
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    """Two people and a judge; all agree but on the last step of the second trajectory, of which one said nothing."""
    made = make.project(owner=make.user())
    first, second, third = (make.trajectory(made) for _ in range(3))
    said: dict[str, tuple[list[Any], ...]] = {
        "ann": ([1, 1, -1], [1, -1, 1], [1, 1, 1]),
        "bob": ([1, 1, -1], [1, -1, -1], [1, 1, 1]),
    }
    for name, values in said.items():
        rater = make.rater(made, name, Rater.Kind.HUMAN)
        for one, labels in zip((first, second, third), values, strict=True):
            make.rating(rater, one, labels, 1)
    return made


@pytest.fixture
def report(project: Project) -> Report:
    run = jobs.run_here(consensus.start(project, None))
    assert (run.state, run.error) == ("done", "")
    return Report.objects.select_related("project", "run").get(pk=run.result["consensus"])


def adopted(report: Report, method: str = "majority", at: float = 0.9) -> tuple[Run, Rater]:
    run = jobs.run_here(consensus_adopt.start(report, None, method, at))
    assert (run.state, run.error) == ("done", "")
    return run, Rater.objects.get(pk=run.result["rater"])


def labels_of(rater: Rater) -> list[Any]:
    found = Label.objects.filter(annotation__rater=rater).order_by("annotation__trajectory", "step__index")
    return list(found.values_list("value", flat=True))


def people(project: Project) -> list[tuple[Any, ...]]:
    """Everything that people said, with when it was superseded."""
    rows = Label.objects.filter(annotation__rater__kind=Rater.Kind.HUMAN).order_by("pk")
    return list(rows.values_list("pk", "annotation", "value", "origin", "superseded_at", "revision"))


def test_the_estimate_is_what_is_written(project, report):
    told = consensus_adopt.estimate(report, "majority", 0.9)
    assert (told.row["accepted"], told.row["trajectories"], told.left, told.refused) == (8, 3, 1, "")
    run, rater = adopted(report)
    assert (run.result["passes"], run.result["labels"], run.result["gone"]) == (3, 8, 0)
    assert (rater.kind, rater.name) == ("consensus", f"majority v{report.run_id}")
    assert labels_of(rater) == [1, 1, -1, 1, -1, 1, 1, 1]


def test_every_pass_and_label_says_where_it_comes_from(project, report):
    _, rater = adopted(report)
    one = Annotation.objects.filter(rater=rater).first()
    assert one.comment == (
        f"Consensus by majority in run {report.run_id}, labels of a posterior of 0.9 or more, of human:ann, human:bob."
    )
    label = Label.objects.filter(annotation=one).first()
    assert label.origin == "consensus"
    assert label.suggestion == {"method": "majority", "run": report.run_id, "threshold": 0.9, "posterior": 1.0}
    event = Event.objects.get(verb="consensus.adopted")
    assert (event.after["labels"], event.after["report"], event.after["at"]) == (8, report.pk, 0.9)


def test_no_persons_label_is_touched_by_adopting_or_taking_back(project, report):
    before, standing = people(project), list(Standing.objects.values())
    _, rater = adopted(report)
    consensus_adopt.take_back(rater, None)
    assert people(project) == before
    assert list(Standing.objects.values()) == standing


def test_taken_back_they_count_for_nothing_and_stay_as_history(project, report):
    _, rater = adopted(report)
    assert consensus_adopt.take_back(rater, None) == 3
    assert consensus_adopt.take_back(rater, None) == 0
    assert Annotation.objects.filter(rater=rater, retired_at__isnull=False).count() == 3
    assert consensus_adopt.adopted(project) == []
    assert Event.objects.get(verb="consensus.taken_back").before["passes"] == 3
    adopted(report, at=0.5)
    assert [one.passes for one in consensus_adopt.adopted(project)] == [3]


def test_what_may_not_be_taken_back_stays(project, report):
    _, rater = adopted(report)
    with pytest.raises(AdoptionRefused, match="were not adopted"):
        consensus_adopt.take_back(project.raters.get(name="ann"), None)
    settled = make.rater(project, adjudication.RATER, Rater.Kind.CONSENSUS)
    with pytest.raises(AdoptionRefused, match="were not adopted"):
        consensus_adopt.take_back(settled, None)
    Project.objects.filter(pk=project.pk).update(reference=rater)
    with pytest.raises(AdoptionRefused, match="is the project's reference"):
        consensus_adopt.take_back(rater, None)


def test_nothing_hears_them_as_somebodys_word(project, report):
    before = agreement.fingerprint(agreement.table(project, {})), agreement_fields.tables(project).raters
    judge_rater = make.rater(project, "judge")
    for one in project.trajectories.all():
        make.rating(judge_rater, one, [0, 0, 0])
    _, rater = adopted(report)
    table = agreement.table(project, {})
    assert [one.name for one in table.raters] == ["ann", "bob", "judge"]
    assert [one.name for one in agreement_fields.tables(project).raters] == ["ann", "bob", "judge"]
    assert before[1] == agreement_fields.tables(project).raters[:2]
    assert [one.name for one in consensus.read(project, {"raters": "everybody"}).raters()] == ["ann", "bob", "judge"]
    judge = Judge(rater=judge_rater, project=project)
    assert {one.label.annotation.rater.name for one in judge_corrections.of(judge)} == {"ann", "bob"}
    assert not gold.references(project).filter(rater=rater).exists()
    assert rater.name not in " ".join(title for _, title in suggestions.sources(project))
    assert not consensus.is_stale(report), "adopting changes nothing that a consensus is made of"


def test_it_may_be_a_reference_where_somebody_says_so_but_never_of_a_consensus(project, report):
    _, rater = adopted(report)
    table = agreement.table(project, {"reference": f"consensus:{rater.name}"})
    assert table.reference is not None and table.raters[table.reference].name == rater.name
    with pytest.raises(consensus.ConsensusRefused, match="is a consensus itself"):
        consensus.start(project, None, reference=f"consensus:{rater.name}")


def test_who_labels_does_not_see_them(project, report):
    _, rater = adopted(report)
    for mode in Project.Mode.values:
        Project.objects.filter(pk=project.pk).update(mode=mode)
        for role in (Role.ANNOTATOR, Role.VIEWER):
            one = make.member(project, make.user(), role)
            membership = Membership.objects.select_related("project").get(pk=one.pk)
            assert not visibility.annotations_visible_to(membership).filter(rater=rater).exists(), (mode, role)
            assert not visibility.labels_visible_to(membership).filter(annotation__rater=rater).exists(), (mode, role)
            assert not visibility.raters_visible_to(membership).filter(pk=rater.pk).exists(), (mode, role)


def test_a_run_that_is_delivered_twice_or_taken_up_again_writes_once(project, report):
    run = consensus_adopt.start(report, None, "majority", 0.9)
    tasks.run_adoption(run.pk)
    tasks.run_adoption(run.pk)
    Run.objects.filter(pk=run.pk).update(state=Run.State.QUEUED)  # as after a worker that died at the very end
    tasks.run_adoption(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.DONE
    rater = Rater.objects.get(pk=run.result["rater"])
    assert Annotation.objects.filter(rater=rater).count() == 3
    assert len(labels_of(rater)) == 8


def test_two_runs_at_once_adopt_once(project, report):
    one = consensus_adopt.start(report, None, "majority", 0.9)
    two = consensus_adopt.start(report, None, "majority", 0.5)
    jobs.run_here(one)
    jobs.run_here(two)
    assert (one.state, two.state) == ("done", "failed")
    assert "is adopted already" in two.error
    assert len(labels_of(Rater.objects.get(name=f"majority v{report.run_id}"))) == 8


def test_a_stopped_run_writes_nothing(project, report):
    run = consensus_adopt.start(report, None, "majority", 0.9)
    Run.objects.filter(pk=run.pk).update(state=Run.State.CANCELLED)
    tasks.run_adoption(run.pk)
    assert not Annotation.objects.filter(rater__kind=Rater.Kind.CONSENSUS).exists()


def test_what_was_worked_out_is_adopted_though_labels_have_changed_and_it_says_so(project, report):
    Label.objects.filter(annotation__rater__name="bob", field="label").update(value=0)
    Annotation.objects.filter(rater__name="bob").update(revision=5)
    assert consensus_adopt.estimate(report, "majority", 0.9).is_stale
    _, rater = adopted(report)
    assert labels_of(rater) == [1, 1, -1, 1, -1, 1, 1, 1]
    (one,) = consensus_adopt.adopted(project)
    assert (one.report, one.is_stale) == (report, True)


def test_a_list_of_adopted_raters_does_not_ask_more_for_more_of_them(project, report, client):
    client.force_login(project.memberships.get().user)
    there = reverse("consensus", args=[project.slug])
    for name in ("majority", "wawa", "one_coin"):
        adopted(report, name, 0.5)
    with CaptureQueriesContext(connection) as few:
        client.get(there)
    for number in range(consensus_adopt.LOOKED_AT):
        rater = make.rater(project, f"imported v{number}", Rater.Kind.CONSENSUS)
        make.rating(rater, project.trajectories.first(), [1, 1, 1])
    with CaptureQueriesContext(connection) as many:
        client.get(there)
    assert len(many) <= len(few)


def test_what_cannot_be_adopted_says_why(project, report):
    with pytest.raises(AdoptionRefused, match="no method 'oracle'; accepted: majority"):
        consensus_adopt.start(report, None, "oracle", 0.9)
    with pytest.raises(AdoptionRefused, match=r"0\.42 is none of the report's thresholds"):
        consensus_adopt.start(report, None, "majority", 0.42)
    with pytest.raises(AdoptionRefused, match="none: No reference rater is chosen"):
        consensus_adopt.start(report, None, "gold_anchored", 0.9)
    other = make.scheme("rollout-preference")
    before = project.scheme_id
    Project.objects.filter(pk=project.pk).update(scheme=other)
    again = Report.objects.select_related("project", "run").get(pk=report.pk)
    assert "scheme has changed" in consensus_adopt.estimate(again, "majority", 0.9).refused
    Project.objects.filter(pk=project.pk).update(scheme=before)
    default_storage.delete(report.run.file)
    default_storage.save(report.run.file, ContentFile(b"trajectory_id\n1\n"))
    run = jobs.run_here(consensus_adopt.start(report, None, "majority", 0.9))
    assert (run.state, "is not the one that was written" in run.error) == ("failed", True)
    assert not Annotation.objects.filter(rater__kind=Rater.Kind.CONSENSUS).exists()


def test_of_trajectories_that_have_a_new_version_nothing_is_written(project, report):
    gone = project.trajectories.order_by("pk").first()
    project.trajectories.filter(pk=gone.pk).update(superseded_at=report.created_at)
    run, rater = adopted(report)
    assert (run.result["passes"], run.result["labels"], run.result["gone"]) == (2, 5, 3)
    assert not Annotation.objects.filter(rater=rater, trajectory=gone).exists()


def test_an_export_tells_them_apart_and_takes_no_vote_of_them(project, report, tmp_path):
    _, rater = adopted(report)

    def manifest(name: str, *asked: str) -> dict[str, Any]:
        out = tmp_path / name
        call_command("export", project.slug, "--out", str(out), *asked, stdout=StringIO())
        return json.loads((out / "manifest.json").read_text())

    voted = manifest("voted", "--format", "prm-rows", "--rule", "majority")
    assert [(one["kind"], one["name"]) for one in voted["raters"]] == [("human", "ann"), ("human", "bob")]
    named = manifest("named", "--format", "prm-rows", "--rater", f"consensus:{rater.name}")
    assert [(one["kind"], one["name"]) for one in named["raters"]] == [("consensus", rater.name)]
    assert named["label_origins"] == {"consensus": 8}
    whole = manifest("whole", "--format", "stepmark")
    assert ("consensus", rater.name) in [(one["kind"], one["name"]) for one in whole["raters"]]
    assert whole["label_origins"]["consensus"] == 8


def test_the_pages_estimate_ask_adopt_and_take_back(project, report, client):
    client.force_login(project.memberships.get().user)
    there = reverse("consensus_adopt", args=[project.slug, report.pk])
    page = client.get(there, {"method": "majority", "at": "0.9"})
    text = page.content.decode()
    assert (page.status_code, "<b>8 labels</b> on 3 trajectories" in text, "no probabilities" in text) == (
        200,
        True,
        True,
    )
    posted = client.post(there, {"method": "majority", "at": "0.9"})
    run = jobs.run_here(Run.objects.filter(kind=Run.Kind.ADOPT).latest("pk"))
    assert posted.headers["Location"] == reverse("run", args=[project.slug, run.pk])
    assert "See what is adopted" in client.get(posted.headers["Location"]).content.decode()
    refused = client.post(there, {"method": "majority", "at": "0.9"})
    assert (refused.status_code, "is adopted already" in refused.content.decode()) == (422, True)
    listed = client.get(reverse("consensus", args=[project.slug])).content.decode()
    rater = Rater.objects.get(kind=Rater.Kind.CONSENSUS)
    assert f'Take back<span class="visually-hidden"> {rater.name}' in listed
    client.post(reverse("consensus_take_back", args=[project.slug, rater.pk]))
    assert "Adopted</h2>" not in client.get(reverse("consensus", args=[project.slug])).content.decode()


def test_a_reviewer_reads_and_asks_but_does_not_adopt(project, report, client):
    reviewer = make.user()
    make.member(project, reviewer, Role.REVIEWER)
    client.force_login(reviewer)
    page = client.get(reverse("consensus_report", args=[project.slug, report.pk]))
    assert (page.status_code, "Adopt…" in page.content.decode()) == (200, False)
    there = reverse("consensus_adopt", args=[project.slug, report.pk])
    assert client.post(there, {"method": "majority", "at": "0.9"}).status_code == 403


def test_the_command_adopts_and_takes_back(project, report):
    out = StringIO()
    call_command(
        "consensus", project.slug, "--report", str(report.pk), "--adopt", "majority", "--at", "0.9", stdout=out
    )
    name = f"majority v{report.run_id}"
    assert f"Adopted: 8 labels in 3 passes of {name}." in out.getvalue()
    back = StringIO()
    call_command("consensus", project.slug, "--take-back", name, stdout=back)
    assert back.getvalue().strip() == f"3 passes of {name} are taken back."


def test_a_judge_whose_labels_may_not_go_out_is_not_adopted_in_disguise(project):
    judge = make.rater(project, "mini")
    for one in project.trajectories.all():
        make.rating(judge, one, [1, 1, 1])
    run = jobs.run_here(consensus.start(project, None, raters="everybody"))
    Project.objects.filter(pk=project.pk).update(judge_limits={"unprobed": "refused"})
    report = Report.objects.select_related("project", "run").get(pk=run.result["consensus"])
    with pytest.raises(AdoptionRefused, match="It hears mini, whose labels may not go out"):
        consensus_adopt.start(report, None, "majority", 0.5)


def test_of_a_flag_only_what_is_set_becomes_a_label(project):
    for rater in project.raters.all():
        for one in Annotation.objects.filter(rater=rater).order_by("trajectory")[:1]:
            step = one.trajectory.steps.of_agent()[1]
            Label.objects.create(annotation=one, step=step, field="correction", value=True, origin=Label.Origin.HUMAN)
    run = jobs.run_here(consensus.start(project, None, field="correction"))
    report = Report.objects.select_related("project", "run").get(pk=run.result["consensus"])
    assert consensus_adopt.estimate(report, "majority", 0.9).row["accepted"] == 9
    _, rater = adopted(report)
    assert labels_of(rater) == [True]
    assert Annotation.objects.filter(rater=rater).count() == 3
