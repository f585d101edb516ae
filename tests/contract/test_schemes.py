"""What every shipped scheme promises: its sample is labelled, leaves and comes back, and is judged, as declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from annotations import schemes
from annotations.models import Annotation, Label, Project, Rater
from annotations.schemes import Scheme
from annotations.services import agreement_fields, exports, imports
from models_service.statistics import fields as statistics
from tests import make, sampled

SHIPPED = schemes.shipped()
SAMPLED = {name: scheme for name, scheme in SHIPPED.items() if scheme.sample}
every_scheme = pytest.mark.parametrize("scheme", SAMPLED.values(), ids=SAMPLED.keys())


def said(annotation: Annotation) -> dict[tuple[int | None, str], Any]:
    rows = Label.objects.current().filter(annotation=annotation)
    return {(step, field): value for step, field, value in rows.values_list("step__index", "field", "value")}


def in_any_order(answers: dict[tuple[int | None, str], Any]) -> dict[Any, Any]:
    """The answers with pairs unordered: each person is asked them in an order of their own. Where both orders are asked
    the two are one here."""
    return {(step, *sorted(name.replace("@", "-").split("-"))): value for (step, name), value in answers.items()}


def leave(project: Project, folder: Path) -> bytes:
    exports.export(project, "stepmark", folder)
    return (folder / f"{project.slug}.jsonl").read_bytes()


def test_every_shipped_scheme_has_a_sample():
    assert [name for name, scheme in SHIPPED.items() if not scheme.sample or not scheme.sample.answers] == []


@pytest.mark.django_db
@every_scheme
def test_its_sample_is_labelled_as_a_person_would(scheme: Scheme, tmp_path: Path):
    person = make.user()
    project = sampled.project_of(scheme, tmp_path, person)
    mine = sampled.labelled(project, person, sampled.answers_of(scheme))
    assert mine.state == Annotation.State.SUBMITTED
    assert in_any_order(said(mine)).items() >= in_any_order(sampled.answers_of(scheme)).items()


@pytest.mark.django_db
@every_scheme
def test_what_was_said_leaves_and_comes_back_as_the_same_bytes(scheme: Scheme, tmp_path: Path):
    person = make.user()
    project = sampled.project_of(scheme, tmp_path, person)
    mine = sampled.labelled(project, person, sampled.answers_of(scheme))
    first = leave(project, tmp_path / "first")
    again = make.project(scheme=project.scheme)
    (tmp_path / "left.jsonl").write_bytes(first)
    result = imports.import_trajectories(again, [tmp_path / "left.jsonl"])
    assert result["rejected"] == []
    theirs = Annotation.objects.get(rater__project=again)
    assert (theirs.rater.kind, theirs.rater.name) == (Rater.Kind.HUMAN, person.username)
    assert said(theirs) == said(mine)
    assert leave(again, tmp_path / "second") == first


@pytest.mark.django_db
@every_scheme
def test_two_annotators_who_came_in_are_compared_at_the_level_that_each_field_declares(scheme: Scheme, tmp_path: Path):
    ann, ben = make.user(), make.user()
    project = sampled.project_of(scheme, tmp_path, ann, ben)
    for person in (ann, ben):
        sampled.labelled(project, person, sampled.answers_of(scheme))
        Annotation.objects.filter(rater__project=project).update(seat=None)
    leave(project, tmp_path)
    other = make.project(scheme=project.scheme)
    imports.import_trajectories(other, [tmp_path / f"{project.slug}.jsonl"])
    tables = agreement_fields.tables(other)
    assert {(one.kind, one.name) for one in tables.raters} == {("human", ann.username), ("human", ben.username)}
    assert [(one.name, one.level) for one in tables.fields] == [(spec.name, spec.level) for spec in scheme.fields]
    assert [one.left_out for one in tables.fields] == [0] * len(scheme.fields)
    for row in statistics.section(tables, resamples=1, seed=1):
        spec = scheme.field(row["field"])
        assert spec and row["level"] == spec.level
        percent = row["figures"].get("percent", {"value": None})["value"]
        assert percent in (None, 1.0), "they said the same"
        if spec.level == "none":
            assert row["reason"]
