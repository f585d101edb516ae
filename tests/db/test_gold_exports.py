"""What was given as gold or in training leaves with no dataset, and is in the whole, marked."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from annotations.models import Annotation, Project, Rater, Step
from annotations.services import export_asked, exports, imports
from tests import gilded, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    """Ann labelled one trajectory for the dataset, one as gold, one in training."""
    ann = make.user("ann")
    made = make.project(ann, owner=make.user("lead"))
    rater = make.rater(made, "ann", Rater.Kind.HUMAN, ann)
    items = gilded.known(made, 2)
    make.rating(rater, make.trajectory(made, steps=2), [1, 0], final=1)
    for item, purpose in zip(items, ("gold", "training"), strict=True):
        make.rating(rater, item.trajectory, gilded.RIGHT, final=1, purpose=purpose)
    for step in Step.objects.filter(trajectory__project=made):
        Step.objects.filter(pk=step.pk).update(content_hash=f"{step.pk:016x}{0:048x}")
    return made


def exported(project: Project, folder: Path, **asked: Any) -> tuple[Path, dict[str, Any]]:
    result = exports.perform_asked(project, export_asked.read(asked), folder)
    return folder / result["files"][0], json.loads((folder / "manifest.json").read_text())


def test_a_dataset_leaves_them_out_and_its_manifest_says_so(project: Project, tmp_path: Path) -> None:
    file, manifest = exported(project, tmp_path, format="csv", raters=["human:ann"])
    assert len(list(csv.DictReader(file.read_text().splitlines()))) == 3  # two steps and the verdict
    assert manifest["set_aside"] == {"gold": 1, "training": 1, "why": "left out: they measured or trained their people"}
    [ann] = manifest["raters"]
    assert ann["annotations"] == {"submitted": 1}


def test_the_whole_has_them_with_what_they_were_given_for_and_brings_that_back(
    project: Project, tmp_path: Path
) -> None:
    file, manifest = exported(project, tmp_path, format="stepmark")
    assert manifest["set_aside"]["why"] == "in the file, each with its purpose"
    again = make.project()
    result = imports.import_trajectories(again, [file])
    assert not result["rejected"], result
    purposes = Annotation.objects.filter(rater__project=again, rater__name="ann").values_list("purpose", flat=True)
    assert sorted(purposes) == ["", "gold", "training"]


def test_a_project_without_any_says_nothing_of_them(tmp_path: Path) -> None:
    project = make.project()
    make.rating(make.rater(project, "file", Rater.Kind.IMPORT), make.trajectory(project, steps=2), [1, 0])
    _, manifest = exported(project, tmp_path, format="csv", raters=["import:file"])
    assert "set_aside" not in manifest
