"""Comparisons of rollouts on their way to pairs for DPO: real labels of real passes in the database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import transaction

from annotations.models import Annotation, Project, Rater, Trajectory
from annotations.schemes import reading
from annotations.services import export_preview, exports, projects
from annotations.services.export_asked import read
from annotations.services.export_labelled import Labelling
from tests import make

pytestmark = pytest.mark.django_db


def compared(project: Project, count: int = 3) -> list[Trajectory]:
    """Rollouts of one task that say different things, numbered from 0."""
    task = make.task(project)
    made = [make.trajectory(project, of=task) for _ in range(count)]
    for one in made:
        one.steps.filter(index=2).update(message=f"I try it the way of {one.rollout}.")
    return made


def says(project: Project, name: str, on: Trajectory, answers: dict[str, Any], **fields: Any) -> Annotation:
    """A pass of that judge over that one rollout, with these answers about its task."""
    rater = project.raters.filter(name=name).first() or make.rater(project, name)
    annotation = make.rating(rater, on, [None] * 3, **fields)
    for field, value in answers.items():
        annotation.labels.create(field=field, value=value, origin="judge")
    return annotation


def preferred(project: Project, **said: Any) -> dict[int, float | None]:
    asked = read({"format": "dpo", "options": {"by": "preferred"}, **said})
    way, raters = exports.check(project, asked)
    with transaction.atomic():
        found = [one.labelled for one in Labelling(project, asked, raters, way).stream()]
    return {one.record.rollout or 0: one.preferred for one in found}


def of_scheme(name: str) -> Project:
    return make.project(scheme=make.scheme(name))


def test_a_rollout_has_the_share_of_comparisons_that_it_won_and_a_tie_counts_half():
    project = of_scheme("rollout-preference")
    first, *_ = compared(project)
    says(project, "j", first, {"better@0-1": 0, "better@0-2": "tie", "better@1-2": 2})
    assert preferred(project, raters=["j"]) == {0: 0.75, 1: 0.0, 2: 0.75}


def test_one_pass_over_a_task_makes_pairs_of_all_its_rollouts(tmp_path):
    project = of_scheme("rollout-preference")
    first, *_ = compared(project)
    compared(project)  # nobody has compared these
    says(project, "j", first, {"better@0-1": 0, "better@0-2": 0, "better@1-2": 1})
    asked = {"raters": ["j"], "options": {"by": "preferred"}}
    assert exports.export(project, "dpo", tmp_path, **asked)["rows"] == 3
    (path,) = Path(tmp_path).glob("*.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    order = [(row["chosen_trajectory"][-1], row["rejected_trajectory"][-1], row["margin"]) for row in rows]
    assert sorted(order) == [("0", "1", 0.5), ("0", "2", 1.0), ("1", "2", 0.5)]
    told = json.loads((tmp_path / "manifest.json").read_text())
    assert told["left_out"] == {"nobody's word that counts": 3}
    assert len(export_preview.first_rows(project, "dpo", **asked)) == 3


def test_an_order_of_all_is_a_comparison_of_each_two():
    project = of_scheme("rollout-ranking")
    main = projects.scheme_of(project.scheme).main
    first, *_ = compared(project)
    says(project, "j", first, {main: [[2], [0, 1]]})
    assert preferred(project, raters=["j"]) == {0: 0.25, 1: 0.25, 2: 1.0}


def test_all_raters_that_are_asked_for_count_and_no_others():
    project = of_scheme("rollout-preference")
    first, second = compared(project, 2)
    says(project, "j", first, {"better@0-1": 0})
    says(project, "k", second, {"better@0-1": 0})
    says(project, "l", first, {"better@0-1": 1})
    assert preferred(project, raters=["j", "k", "l"], rule="majority") == {
        0: pytest.approx(2 / 3),
        1: pytest.approx(1 / 3),
    }
    assert preferred(project, raters=["j", "k"], rule="majority", least_raters=2) == {0: 1.0, 1: 0.0}
    assert preferred(project, raters=["j"], least_raters=2) == {}


def test_of_a_raters_answers_to_one_question_the_newest_counts():
    project = of_scheme("rollout-preference")
    first, second = compared(project, 2)
    says(project, "j", first, {"better@0-1": 0})
    says(project, "j", second, {"better@0-1": 1})
    assert preferred(project, raters=["j"]) == {0: 0.0, 1: 1.0}


def test_what_is_not_submitted_or_was_superseded_compares_nothing():
    project = of_scheme("rollout-preference")
    first, second = compared(project, 2)
    says(project, "j", first, {"better@0-1": 0}, state="draft")
    assert preferred(project, raters=["j"]) == {}
    assert preferred(project, raters=["j"], states=["draft"]) == {0: 1.0, 1: 0.0}
    says(project, "k", second, {"better@0-1": 0})
    Trajectory.objects.filter(pk=second.pk).update(superseded_at="2026-01-01T00:00Z")
    assert preferred(project, raters=["k"]) == {}


def test_the_best_of_several_wins_against_each_of_the_others():
    project = of_own({"form": "best"})
    first, *_ = compared(project)
    says(project, "j", first, {"better": 1})
    assert preferred(project, raters=["j"]) == {0: 0.0, 1: 1.0, 2: 0.0}
    says(project, "k", first, {"better": "tie"})
    assert preferred(project, raters=["k"]) == {0: 0.5, 1: 0.5, 2: 0.5}


def test_both_orders_of_a_pair_are_two_comparisons():
    project = of_own({"form": "pair", "both_orders": True})
    first, *_ = compared(project, 2)
    says(project, "j", first, {"better@0-1": 0, "better@1-0": 1})
    assert preferred(project, raters=["j"]) == {0: 0.5, 1: 0.5}


def test_where_steps_are_labelled_too_a_rollout_without_a_pass_stays_out():
    project = of_own({"form": "pair", "required": False}, steps=True)
    first, *_ = compared(project, 2)
    says(project, "j", first, {"better@0-1": 0})
    assert preferred(project, raters=["j"]) == {0: 1.0}


def of_own(said: dict[str, Any], *, steps: bool = False) -> Project:
    """A project whose scheme compares rollouts in that way, and labels steps where it is asked to."""
    fields = [{"name": "better", "title": "Better", "target": "task", "kind": "preference", "required": True, **said}]
    values = [{"value": 1, "title": "Right"}, {"value": -1, "title": "Wrong"}]
    if steps:
        fields.insert(
            0,
            {
                "name": "label",
                "title": "Label",
                "target": "step",
                "kind": "choice",
                "choices": values,
                "required": True,
            },
        )
    document = {"name": "own", "version": "1", "title": "Own", "main": fields[0]["name"], "fields": fields}
    return make.project(scheme=projects.freeze(reading.read(yaml.safe_dump(document))))


def test_a_rater_is_a_person_as_well_as_a_judge():
    project = of_scheme("rollout-preference")
    first, *_ = compared(project, 2)
    ada = make.rater(project, "ada", Rater.Kind.HUMAN, make.user())
    make.rating(ada, first, [None] * 3).labels.create(field="better@0-1", value=1, origin="human")
    project.reference = ada
    project.save()
    assert preferred(project) == {0: 0.0, 1: 1.0}
