"""The page that asks for a report, and the page that shows one."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from annotations.models import Label, Rater, Report, Role, Run, Trajectory
from annotations.services import standing
from models_service import counting
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    """A reference, a poor judge, and a better one whose name sorts after it; one label was propagated."""
    made = make.project(owner=make.user("owner"))
    gold = make.rater(made, "gold", Rater.Kind.IMPORT)
    poor, good = make.rater(made, "a poor <b>judge</b>"), make.rater(made, "z better")
    for _ in range(3):
        trajectory = make.trajectory(made, steps=3)
        annotation = make.rating(gold, trajectory, [1, -1, None], final=-1)
        Label.objects.create(
            annotation=annotation,
            step=trajectory.steps.of_agent().last(),
            field="label",
            value=-1,
            origin=Label.Origin.PROPAGATED,
            cause=annotation.labels.get(value=-1, field="label"),
        )
        make.rating(poor, trajectory, [1, 1, 1], final=1)
        make.rating(good, trajectory, [1, -1, 0], final=-1)
    made.reference = gold
    made.save()
    return made


@pytest.fixture
def owner(client, project):
    client.force_login(project.memberships.get(role=Role.OWNER).user)
    return client


def shown(client, project, query="", **options):
    call_command("agreement", project.slug, "--json", stdout=StringIO(), **options)
    answer = client.get(reverse("report", args=[project.slug, Report.objects.last().pk]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_coefficients_that_few_ask_for_are_folded_away(owner, project):
    first, _, folded = shown(owner, project).partition("5 more coefficients")
    assert "Gwet’s AC1" in first and "Krippendorff’s α, ordinal" in first
    for title in ("Conger’s κ", "Brennan–Prediger", "Gwet’s AC2, quadratic", "Krippendorff’s α, interval"):
        assert title in folded and title not in first


def test_a_report_of_before_there_were_more_coefficients_is_shown_as_it_was(owner, project):
    shown(owner, project)
    report = Report.objects.last()
    for section in (report.result, report.result["final"], report.result["without_propagated"]):
        kept = ("percent", "alpha_ordinal", "alpha_nominal", "fleiss_kappa")
        section["figures"] = {name: section["figures"][name] for name in kept}
    Report.objects.filter(pk=report.pk).update(result=report.result)
    page = owner.get(reverse("report", args=[project.slug, report.pk])).content.decode()
    assert "Fleiss’ κ" in page
    assert "AC1</th>" not in page and "more coefficients" not in page


def test_the_report_shows_the_best_rater_first_and_the_constants_last(owner, project):
    page = shown(owner, project)
    places = [page.index(text) for text in ("z better", "a poor &lt;b&gt;judge", "always +1", "always 0", "always -1")]
    assert places == sorted(places)
    assert "<b>judge" not in page


def test_the_report_can_leave_out_what_was_propagated(owner, project):
    assert "Without propagated</a>" in shown(owner, project)
    page = shown(owner, project, "?by_hand")
    assert 'href="?by_hand" aria-current="page"' in page
    assert "Left out: 3 labels that were propagated, as if" in page
    assert "accepted" not in page.split("<main")[1]


def test_the_report_can_leave_out_what_was_accepted(owner, project):
    Label.objects.filter(annotation__rater__name="z better", value=0).update(origin=Label.Origin.ACCEPTED)
    page = shown(owner, project, "?unaided")
    assert "Left out: 3 labels that were propagated and 3 that were suggested and accepted" in page
    assert "A label that was accepted may be the first error itself" in page
    result = Report.objects.last().result
    assert result["raters"]["z better"]["coverage"] == 1
    alone = result["without_accepted"]["raters"]["z better"]
    assert (alone["coverage"], alone["step_acc"], alone["first_err_acc"]) == (1, 1, None)


def test_a_report_without_a_reference_compares_raters_with_each_other_only(owner, project):
    page = shown(owner, project, reference="")
    assert "Among all raters" in page
    assert "against" not in page.split("<main", 1)[1].split("</h1>", 1)[0]
    assert "always +1" not in page


def test_what_is_folded_is_fetched_when_it_is_opened(owner, project):
    for number in range(4):
        make.rating(make.rater(project, f"rater {number}"), project.trajectories.first(), [1, 1, -1], final=1)
    page = shown(owner, project)
    assert "21 pairs of raters" in page
    assert "Pairs of raters" not in page and "rows: the reference" not in page
    assert "?part=pairs&amp;by_hand" in shown(owner, project, "?by_hand")
    pairs = shown(owner, project, "?part=pairs&by_hand")
    assert pairs.count("<tr><th>") == 21 + 1  # and the heading
    confusion = shown(owner, project, "?part=confusion")
    assert confusion.count("rows: the reference") == 6
    assert "<html" not in pairs + confusion


def test_that_one_task_has_no_intervals_is_said_once(owner, project):
    for rollout, one in enumerate(project.trajectories.all()):
        Trajectory.objects.filter(pk=one.pk).update(task=project.tasks.first(), rollout=rollout)
    assert shown(owner, project).count("There is one task only") == 1


def test_a_report_of_nothing_says_why(client):
    owner = make.user()
    empty = make.project(owner=owner)
    client.force_login(owner)
    assert "No step has labels from two raters." in shown(client, empty)


def test_asking_for_a_report_starts_a_run_with_the_chosen_reference(owner, project):
    asked = {"reference": "judge:z better", "official": "1", "propagated": "1"}
    answer = owner.post(reverse("agreement", args=[project.slug]), asked)
    run = Run.objects.get()
    assert answer.url == reverse("run", args=[project.slug, run.pk])
    assert run.config == {"reference": "judge:z better", "official": True}


def test_an_annotator_sees_no_report(client, project):
    annotator = make.user()
    make.member(project, annotator)
    client.force_login(annotator)
    assert client.get(reverse("agreement", args=[project.slug])).status_code == 403


def test_without_a_reference_there_is_no_table_of_who_is_right(owner, project):
    project.reference = None
    project.save()
    page = shown(owner, project)
    assert "No reference rater is chosen" not in page
    assert "Verdicts against the reference" not in page


def test_verdicts_are_counted_in_trajectories(owner, project):
    verdicts = shown(owner, project).partition("The verdict on the whole trajectory")[2]
    assert ">Trajectories</th>" in verdicts
    assert ">Steps</th>" not in verdicts


def test_the_page_says_how_it_stands_now_and_what_is_being_counted(owner, project):
    address = reverse("agreement", args=[project.slug])
    first = project.trajectories.first()
    standing.touch(project, [first.pk])
    assert "1 task is being counted" in owner.get(address).content.decode()
    counting.count(project.pk)
    page = owner.get(address).content.decode()
    shown = page.split('id="now"')[1].split("</section>")[0]
    assert "Every label that was handed in is in it." in shown
    assert "hx-get" not in shown
    assert "Not propagated" in shown and "Gwet’s AC1" in shown
    assert "a poor &lt;b&gt;judge" in shown and "<b>judge" not in shown


def test_while_something_is_counted_the_page_asks_again_for_that_part_alone(owner, project):
    standing.touch(project, list(project.trajectories.values_list("pk", flat=True)))
    part = owner.get(reverse("agreement", args=[project.slug]), headers={"HX-Request": "true"}).content.decode()
    assert "3 tasks are being counted" in part and "every 3s" in part
    assert "No worker is alive" in part
    assert "<html" not in part


def test_a_project_without_labels_says_what_to_do(client):
    owner = make.user()
    empty = make.project(owner=owner)
    client.force_login(owner)
    assert "As soon as two raters" in client.get(reverse("agreement", args=[empty.slug])).content.decode()
