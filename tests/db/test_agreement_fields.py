"""Agreement in every field of a scheme: the declared level, and figures worked by hand."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from annotations import schemes
from annotations.models import Annotation, Label, Rater, Report, Step
from annotations.schemes.fields.base import Around
from annotations.services import agreement_fields, projects
from models_service.statistics import fields
from tests import make
from tests.answers import figures, says, section, started

pytestmark = pytest.mark.django_db

SCHEME = """
name: five-kinds
version: "1"
title: Five kinds
main: label
fields:
  - {name: label, title: Step, target: step, kind: choice, level: ordinal,
     choices: [{value: 1, title: Right}, {value: 0, title: Neutral}, {value: -1, title: Wrong}]}
  - {name: failures, title: Failures, target: step, kind: taxonomy,
     choices: [{value: plan, title: Plan}, {value: tool, title: Tool}, {value: fact, title: Fact}]}
  - {name: quality, title: Quality, target: step, kind: scale, min: 0, max: 10,
     dimensions: [{name: depth, title: Depth}, {name: care, title: Care}]}
  - {name: marks, title: Marks, target: step, kind: spans,
     types: [{value: slip, title: Slip}, {value: lie, title: Lie}]}
  - {name: rubric, title: Rubric, target: trajectory, kind: rubric,
     items: [{name: asks, title: Asks first}, {name: cites, title: Cites}]}
  - {name: note, title: Note, target: step, kind: text}
"""


def slip(start, end):
    return {"part": "message", "start": start, "end": end, "type": "slip"}


@pytest.fixture
def project():
    """Two people on two rollouts of two steps; each message has ten code points, some outside the first plane."""
    made, (ann, bob) = started(SCHEME, "ann", "bob")
    one, two = (make.trajectory(made, steps=2) for _ in range(2))
    Step.objects.filter(trajectory__in=[one, two], source="agent").update(message="𝔸bcd 🙂 fgh")
    says(ann, one, {
        (1, "label"): 1, (1, "failures"): ["plan"], (1, "quality"): {"depth": 0, "care": 5}, (1, "marks"): [slip(2, 6)],
        (2, "label"): 0, (2, "failures"): ["plan"], (2, "quality"): {"depth": 0, "care": 5}, (2, "note"): "Odd.",
        (None, "rubric"): {"asks": "yes", "cites": "no"},
    })  # fmt: skip
    says(bob, one, {
        (1, "label"): 1, (1, "failures"): ["plan"], (1, "quality"): {"depth": 0, "care": 5}, (1, "marks"): [slip(4, 8)],
        (2, "label"): 1, (2, "failures"): ["plan", "tool"], (2, "quality"): {"depth": 1},
        (None, "rubric"): {"asks": "yes", "cites": "yes"},
    })  # fmt: skip
    says(ann, two, {
        (1, "label"): -1, (1, "failures"): ["tool"], (1, "quality"): {"depth": 1}, (2, "label"): -1,
        (None, "rubric"): {"asks": "no", "cites": "no"},
    })  # fmt: skip
    says(bob, two, {
        (1, "label"): -1, (1, "failures"): ["tool"], (1, "quality"): {"depth": 3},
        (None, "rubric"): {"asks": "no", "cites": "no"},
    })  # fmt: skip
    return made


def test_every_field_has_its_declared_level_in_the_order_of_the_scheme(project):
    found = fields.section(agreement_fields.tables(project), 0, 0)
    assert [(row["field"], row["part"], row["level"]) for row in found] == [
        ("label", "", "ordinal"),
        ("failures", "", "set"),
        ("quality", "depth", "interval"),
        ("quality", "care", "interval"),
        ("marks", "", "spans"),
        ("marks", "slip", "spans"),
        ("marks", "lie", "spans"),
        ("rubric", "", "nominal"),
        ("rubric", "asks", "nominal"),
        ("rubric", "cites", "nominal"),
        ("note", "", "none"),
    ]


def test_an_ordinal_choice_by_hand(project):
    row = section(project)["label", ""]
    # (1,1), (0,1), (-1,-1); margins 3, 1, 2, n = 6. Ranks 1.5, 3.5, 5: squares 4, 12.25, 2.25. Observed 2 * 4 = 8.
    # Expected 2 * (3*1*4 + 3*2*12.25 + 1*2*2.25) = 180; alpha = 1 - 5 * 8 / 180.
    assert figures(row) == pytest.approx({"alpha_ordinal": 1 - 40 / 180, "percent": 2 / 3})
    assert (row["units"], row["labels"], row["raters"]) == (3, 7, 2)


def test_a_taxonomy_by_hand(project):
    row = section(project)["failures", ""]
    # As in the unit test of sets: {plan} x2, {plan}/{plan, tool}, {tool} x2.
    assert figures(row) == pytest.approx({"alpha_masi": 9 / 14, "jaccard": 2.5 / 3, "percent": 2 / 3})


def test_a_vector_by_hand(project):
    rows = section(project)
    # Depth (0,0), (0,1), (1,3): as in the unit test of intervals. Care: (5,5) alone, no variation.
    assert figures(rows["quality", "depth"])["alpha_interval"] == pytest.approx(32 / 82)
    assert rows["quality", "depth"]["title"] == "Depth"
    care = rows["quality", "care"]["figures"]["alpha_interval"]
    assert (care["value"], care["n"]) == (None, 1)
    assert "no variation" in care["reason"]


def test_spans_by_hand(project):
    rows = section(project)
    # Four messages of ten: in the first both inside 2, apart 4; in the others nobody marked anything. n = 80, inside 8.
    expected = {"alpha_characters": 1 - 79 * 8 / (2 * 8 * 72), "f1_exact": 0, "f1_overlap": 1, "f1_iou": 0}
    assert figures(rows["marks", ""]) == pytest.approx(expected)
    assert figures(rows["marks", "slip"]) == pytest.approx(expected)
    assert rows["marks", ""]["figures"]["alpha_characters"]["n"] == 40
    assert rows["marks", "lie"]["figures"]["f1_exact"]["reason"] == (
        "Nobody marked anything in a text that two raters looked at."
    )


def test_a_rubric_by_hand(project):
    rows = section(project)
    # Asks: yes/yes, no/no. Cites: no/yes, no/no: coincidences apart 2, margins 3 and 1: 1 - 3 * 2 / 6 = 0.
    assert figures(rows["rubric", "asks"]) == {"alpha_nominal": 1, "percent": 1}
    assert figures(rows["rubric", "cites"]) == {"alpha_nominal": 0, "percent": 0.5}
    # All four: apart 2, margins no 5, yes 3, n = 8: 1 - 7 * 2 / 30.
    assert figures(rows["rubric", ""]) == pytest.approx({"alpha_nominal": 1 - 14 / 30, "percent": 0.75})


def test_free_text_is_said_not_to_be_measured(project):
    row = section(project)["note", ""]
    assert row["figures"] == {}
    assert row["reason"] == "It is free text: what people write is not compared."


def test_the_row_of_a_main_choice_is_what_the_report_says_at_its_top(project):
    out = StringIO()
    call_command("agreement", project.slug, "--json", stdout=out)
    said = json.loads(out.getvalue())
    mine = next(row for row in said["fields"] if row["field"] == "label")["figures"]
    for name in ("alpha_ordinal", "percent"):
        for part in ("value", "low", "high"):
            assert mine[name][part] == pytest.approx(said["figures"][name][part]), (name, part)
        assert mine[name]["n"] == said["figures"][name]["n"]


def test_the_page_of_a_report_shows_what_is_undefined_with_its_reason(client, project):
    call_command("agreement", project.slug, stdout=StringIO())
    client.force_login(project.memberships.get(role="owner").user)
    page = client.get(reverse("report", args=[project.slug, Report.objects.get().pk])).content.decode()
    assert "Among all raters" in page
    assert "Not measured. It is free text" in page
    assert "Nobody marked anything in a text that two raters looked at." in page


def test_propagated_labels_are_given_with_and_without(project):
    annotation = Annotation.objects.filter(rater__name="bob").last()
    cause = annotation.labels.get(field="label")
    last = annotation.trajectory.steps.of_agent().last()
    Label.objects.create(annotation=annotation, step=last, field="label", value=-1, origin="propagated", cause=cause)
    rows = section(project)
    assert rows["label", ""]["units"] == 4
    assert figures(rows["label", ""], "by_hand")["percent"] == pytest.approx(2 / 3)
    assert figures(rows["label", ""])["percent"] == pytest.approx(3 / 4)
    assert rows["failures", ""]["by_hand"] is None


def test_people_are_given_apart_from_judges(project):
    judge = make.rater(project, "judge")
    says(judge, project.trajectories.first(), {(1, "label"): -1, (2, "label"): -1})
    row = section(project)["label", ""]
    assert figures(row, "people")["percent"] == pytest.approx(2 / 3)
    assert figures(row)["percent"] == pytest.approx((1 / 3 + 0 + 1) / 3)


def test_the_fingerprint_of_the_fields_follows_the_answers(project):
    before = agreement_fields.fingerprint(agreement_fields.tables(project))
    assert before == agreement_fields.fingerprint(agreement_fields.tables(project))
    Label.objects.filter(field="marks", annotation__rater__name="ann").update(value=[slip(2, 7)])
    assert agreement_fields.fingerprint(agreement_fields.tables(project)) != before


def test_gathering_costs_the_same_for_few_labels_and_for_many(project, django_assert_num_queries):
    with django_assert_num_queries(8):
        agreement_fields.tables(project)
    ann = project.raters.get(name="ann")
    for _ in range(5):
        says(ann, make.trajectory(project, steps=4), {(1, "label"): 1, (2, "marks"): [slip(0, 2)]})
    with django_assert_num_queries(8):
        agreement_fields.tables(project)


PARTS = {"tool_call": "@call-0", "sentence": "@0-8"}


@pytest.mark.parametrize("name", sorted(schemes.shipped()))
def test_who_says_the_same_in_a_shipped_scheme_agrees_fully_at_every_level_it_declares(name):
    users = [make.user() for _ in range(2)]
    made = make.project(*users, scheme=make.scheme(name))
    trajectory = make.trajectory(made, steps=3)
    scheme = projects.scheme_of(made.scheme)
    answers = {}
    for spec in scheme.fields:
        pair = "@1-2" if getattr(spec, "form", "") == "pair" else ""
        where = 1 if spec.of_step else None
        answers[where, spec.name + PARTS.get(spec.target, pair)] = spec.sample(
            Around(1, steps=[1, 2, 3], candidates=[1, 2])
        )
    for user in users:
        says(make.rater(made, user.username, Rater.Kind.HUMAN, user), trajectory, answers)

    rows = fields.section(agreement_fields.tables(made), 0, 0)

    assert {row["field"]: row["level"] for row in rows} == {spec.name: spec.level for spec in scheme.fields}
    for row in rows:
        assert row["left_out"] == 0, row
        assert bool(row["figures"]) == (row["level"] != "none"), row
        for key, figure in row["figures"].items():
            full = 0 if key == "mean_difference" else 1
            assert figure["value"] == full or (figure["value"] is None and figure["reason"]), (
                row["field"],
                key,
                figure,
            )
