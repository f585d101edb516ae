"""Whose word goes out, in grades; what several say together; and what is left out with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from annotations.models import Label, Project, Rater, Run, Score
from annotations.records import Labelled
from annotations.services import exports
from annotations.services.export_asked import ExportRefused, read
from annotations.services.export_labelled import Labelling
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make.project()


def person(project: Project, name: str) -> Rater:
    return make.rater(project, name, Rater.Kind.HUMAN, make.user())


def labelled(project: Project, format: str = "trl-stepwise", **said: Any) -> list[Labelled]:
    asked = read({"format": format, **said})
    way, raters = exports.check(project, asked)
    with transaction.atomic():
        return [one.labelled for one in Labelling(project, asked, raters, way).stream()]


def grades(project: Project, **said: Any) -> list[dict[int, int]]:
    return [dict(one.grades) for one in labelled(project, **said)]


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def of_scheme(name: str, values: list[Any], field: str) -> Project:
    """A project of that scheme in which a judge has said the values, of each step or (one value) of the whole."""
    made = make.project(scheme=make.scheme(name))
    judge, trajectory = make.rater(made, "j"), make.trajectory(made, steps=max(3, len(values)))
    annotation = make.rating(judge, trajectory, [None] * max(3, len(values)))
    steps = list(trajectory.steps.of_agent()) if len(values) > 1 else [None]
    for step, value in zip(steps, values, strict=False):
        annotation.labels.create(step=step, field=field, value=value, origin="judge")
    return made


@pytest.mark.parametrize(
    ("scheme", "field", "values", "expected"),
    [
        ("agent-process", "label", [1, 0, -1], {1: 1, 2: 0, 3: -1}),
        ("data-prm", "score", [1, 0.5, 0], {1: 1, 2: 0, 3: -1}),
        ("prm800k", "rating", [1, 0, -1], {1: 1, 2: 0, 3: -1}),
        ("web-step-grade", "grade", [9, 6, 2], {1: 1, 2: 1, 3: -1}),
        ("first-error", "first_error", [2], {1: 1, 2: -1}),
        ("critique-correction", "verdict", [1, -1, 1], {1: 1, 2: -1, 3: 1}),
    ],
)
def test_the_answers_of_any_scheme_that_knows_wrong_steps_become_grades(scheme, field, values, expected):
    project = of_scheme(scheme, values, field)
    assert grades(project, raters=["j"]) == [expected]


def test_one_raters_word_keeps_what_was_said_as_it_was_given(project):
    ada = person(project, "ada")
    annotation = make.rating(ada, make.trajectory(project), [1, -1, None], final=-1)
    annotation.labels.filter(value=-1, step__isnull=False).update(explanation="It reads the wrong page.")
    (one,) = labelled(project, raters=["human:ada"])
    assert (one.by, one.final, one.first_error) == ("human:ada", -1, 2)
    assert one.record.rating is not None
    assert (one.record.rating.steps, one.record.rating.final) == ({1: 1, 3: -1}, -1), "by places in the original file"
    assert one.explanations == {2: "It reads the wrong page."}


def test_corrections_and_texts_stand_beside_the_grades():
    project = of_scheme("critique-correction", [1, -1, 1], "verdict")
    annotation = project.raters.get().annotations.get()
    step = annotation.trajectory.steps.get(index=2)
    annotation.labels.create(step=step, field="correction", value="Two and two is four.", origin="judge")
    annotation.labels.create(step=step, field="critique", value="The sum is off.", origin="judge")
    (one,) = labelled(project, raters=["j"])
    assert (one.corrections, one.explanations) == ({2: "Two and two is four."}, {2: "The sum is off."})


@pytest.fixture
def three(project: Project) -> Project:
    """Three people on one trajectory of four steps."""
    trajectory = make.trajectory(project, steps=4)
    make.rating(person(project, "ada"), trajectory, [1, 1, -1, 0], final=1)
    make.rating(person(project, "ben"), trajectory, [1, -1, -1, 1], final=1)
    make.rating(person(project, "cy"), trajectory, [1, -1, None, -1], final=-1)
    return project


@pytest.mark.parametrize(
    ("rule", "expected", "final"),
    [
        ("majority", {1: 1, 2: -1, 3: -1}, 1),
        ("unanimous", {1: 1, 3: -1}, None),
        ("any-wrong", {1: 1, 2: -1, 3: -1, 4: -1}, -1),
    ],
)
def test_several_raters_say_together_what_the_rule_makes_of_them(three, rule, expected, final):
    (one,) = labelled(three, rule=rule)
    assert (dict(one.grades), one.final, one.by) == (expected, final, f"consensus:{rule}")


def test_a_tie_is_no_consensus(three):
    (one,) = labelled(three, rule="majority", raters=["ada", "ben"])
    assert dict(one.grades) == {1: 1, 3: -1}


def test_several_raters_need_a_rule(three):
    with pytest.raises(ExportRefused, match="accepted are majority, unanimous, any-wrong") as no:
        labelled(three, raters=["ada", "ben"])
    assert no.value.field == "rule"


def test_records_of_one_label_a_step_carry_the_consensus_too(three, tmp_path):
    exports.export(three, "apb", tmp_path, rule="any-wrong")
    (path,) = tmp_path.glob("*.jsonl")
    assert json.loads(path.read_text())["step_labels"] == {"1": 1, "3": -1, "5": -1, "7": -1}


def propagated(project: Project) -> Rater:
    """Right, wrong, and a third step that a rule carried on from the second."""
    ada = person(project, "ada")
    annotation = make.rating(ada, make.trajectory(project), [1, -1, None])
    cause = annotation.labels.get(value=-1)
    step = annotation.trajectory.steps.get(index=3)
    Label.objects.create(annotation=annotation, step=step, field="label", value=-1, origin="propagated", cause=cause)
    return ada


def test_labels_that_a_rule_carried_on_are_known_and_can_stay_out(project, tmp_path):
    propagated(project)
    (one,) = labelled(project, raters=["ada"])
    assert (dict(one.grades), one.propagated) == ({1: 1, 2: -1, 3: -1}, frozenset({3}))
    (one,) = labelled(project, raters=["ada"], propagated="removed")
    assert (dict(one.grades), one.propagated) == ({1: 1, 2: -1}, frozenset())
    for format, rows in (("apb", 1), ("csv", 2)):
        result = exports.export(project, format, tmp_path / format, rater="ada", propagated="removed")
        assert result["rows"] == rows
    (row,) = [json.loads(line) for line in next((tmp_path / "apb").glob("*.jsonl")).read_text().splitlines()]
    assert row["step_labels"] == {"1": 1, "3": -1}
    with pytest.raises(ExportRefused, match="keeps every label"):
        exports.export(project, "stepmark", tmp_path, propagated="removed")


@pytest.fixture
def several(project: Project) -> Project:
    """Four trajectories of two models; ada has labelled three, ben one of these; one has scores."""
    ada, ben = person(project, "ada"), person(project, "ben")
    first, second, third, _ = (
        make.trajectory(project, policy_model=model, of=make.task(project, source=source))
        for model, source in (("big", "web"), ("big", "files"), ("small", "web"), ("small", "web"))
    )
    make.rating(ada, first, [1, 1, 1])
    make.rating(ada, second, [1, -1, 1])
    make.rating(ada, third, [1, 1, -1])
    make.rating(ben, first, [1, 1, 1])
    project.reference = ada
    project.save()
    run = Run.objects.create(project=project, kind=Run.Kind.SCORE, state=Run.State.DONE, config={"scorer": "small"})
    for place, probability in ((1, 0.9), (2, 0.2), (3, 0.6)):
        step = second.steps.get(index=place)
        Score.objects.create(run=run, trajectory=second, step=step, value=1.5, probability=probability)
    return project


@pytest.mark.parametrize(
    ("said", "places", "left"),
    [
        ({}, [0, 1, 2], {"nobody's word that counts": 1}),
        ({"least_raters": 0}, [0, 1, 2, 3], {}),
        ({"models": ["big"]}, [0, 1], {"another source or policy model": 2}),
        ({"sources": ["files"]}, [1], {"another source or policy model": 3}),
        ({"first_error": "with"}, [1, 2], {"no wrong step": 1, "nobody's word that counts": 1}),
        ({"first_error": "without"}, [0], {"a wrong step": 2, "nobody's word that counts": 1}),
        (
            {"least_raters": 2, "raters": ["ada", "ben"], "rule": "majority"},
            [0],
            {"fewer raters": 2, "nobody's word that counts": 1},
        ),
        ({"score_to": 0.5}, [1], {"no score": 2, "nobody's word that counts": 1}),
        ({"score_from": 0.5}, [], {"no score": 2, "nobody's word that counts": 1, "score out of range": 1}),
    ],
)
@pytest.mark.parametrize("format", ["sft", "stepmark"])
def test_what_a_filter_leaves_out_is_counted_in_the_manifest(several, tmp_path, said, places, left, format):
    every = list(several.trajectories.order_by("task_id").values_list("external_id", flat=True))
    asked = read({"format": format, **said})
    if format == "sft":
        assert [one.record.external_id for one in labelled(several, "sft", **said)] == [every[one] for one in places]
        exports.export(several, "sft", tmp_path, **said)
        assert manifest(tmp_path)["left_out"] == left
    elif asked.looks_at_labels or said.get("models") or said.get("sources"):
        exports.export(several, "stepmark", tmp_path, **said)
        rows = [json.loads(line) for line in next(tmp_path.glob("*.jsonl")).read_text().splitlines()]
        assert [row["trajectory"]["external_id"] for row in rows] == [every[one] for one in places]
        assert manifest(tmp_path)["left_out"] == left
    assert asked.filters() == said


def test_passes_that_are_not_submitted_count_where_they_are_asked_for(project):
    ada = person(project, "ada")
    make.rating(ada, make.trajectory(project), [1, 1, 1])
    make.rating(ada, make.trajectory(project), [1, None, None], state="draft")
    assert len(labelled(project, raters=["ada"])) == 1
    assert len(labelled(project, raters=["ada"], states=["submitted", "draft"])) == 2


def test_only_where_raters_agree(several):
    second = several.trajectories.get(task__source="files")
    make.rating(several.raters.get(name="ben"), second, [1, 1, 1])
    asked = {"raters": ["ada", "ben"], "rule": "majority", "least_raters": 2}
    assert len(labelled(several, **asked)) == 2
    assert [one.record.task.source for one in labelled(several, **asked, agreed=True)] == ["web"]


def test_scores_are_those_of_the_newest_run_or_the_one_that_is_named(several):
    scored = {one.record.task.source: dict(one.scores) for one in labelled(several)}
    assert scored["files"] == {1: 0.9, 2: 0.2, 3: 0.6} and scored["web"] == {}
    newest = Run.objects.create(project=several, kind=Run.Kind.SCORE, state=Run.State.DONE, config={})
    assert all(not one.scores for one in labelled(several))
    older = Run.objects.filter(kind=Run.Kind.SCORE).exclude(pk=newest.pk).get()
    assert any(one.scores for one in labelled(several, scores=older.pk))
    with pytest.raises(ExportRefused, match=f"no finished scoring run 9999; accepted are {newest.pk}, {older.pk}"):
        labelled(several, scores=9999)


def test_labels_go_over_to_the_scheme_that_is_asked_for(project):
    make.rating(person(project, "ada"), make.trajectory(project), [1, 0, -1], final=1)
    (one,) = labelled(project, raters=["ada"], as_scheme="binary")
    assert dict(one.grades) == {1: 1, 3: -1}
    assert one.record.rating is not None and one.record.rating.scheme == "binary"
    assert [scheme.name for scheme in one.record.schemes] == ["binary"]


def test_rollouts_of_a_task_come_together_for_formats_that_compare_them(project, tmp_path):
    ada, task = person(project, "ada"), make.task(project)
    make.rating(ada, make.trajectory(project, of=task), [1, 1, 1], final=1)
    worse = make.trajectory(project, of=task)
    worse.steps.filter(index=2).update(message="I give up.")
    make.rating(ada, worse, [1, -1, -1], final=-1)
    assert exports.export(project, "dpo", tmp_path, rater="ada")["rows"] >= 1
    (path,) = tmp_path.glob("*.jsonl")
    row = json.loads(path.read_text().splitlines()[0])
    assert row["chosen"] != row["rejected"]
