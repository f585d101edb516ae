"""The scheme command: it says what a change would do, and does it when told."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotations.models import Annotation, Project, ProjectScheme
from annotations.services import scheme_texts
from tests import make
from tests.db.test_scheme_changes import NO_NEUTRAL, ann, mine, project  # noqa: F401 (fixtures)

pytestmark = pytest.mark.django_db


@pytest.fixture
def new(tmp_path: Path) -> Path:
    path = tmp_path / "new.yaml"
    path.write_text(NO_NEUTRAL)
    return path


def run(of: Project, *args: Any) -> str:
    out = StringIO()
    call_command("scheme", of.slug, *map(str, args), stdout=out)
    return out.getvalue()


def in_force(project: Project) -> int:  # noqa: F811
    version = scheme_texts.in_force(project)
    assert version
    return version.number


def test_it_prints_the_plan_and_writes_nothing(project, mine, new):  # noqa: F811
    versions = list(ProjectScheme.objects.values())
    printed = run(project, "--file", new)
    assert "1 passes go along" in printed and "4 labels go along, 1 cannot" in printed
    assert "step 2, ann: 0: label takes one of 1, -1, not 0" in printed
    assert "Nothing is written" in printed
    assert Annotation.objects.live().get(rater=mine.rater_id).pk == mine.pk
    assert list(ProjectScheme.objects.values()) == versions


def test_told_to_it_changes_and_goes_back(project, mine, new, tmp_path):  # noqa: F811
    first = in_force(project)
    result = json.loads(run(project, "--file", new, "--apply", "--json", "--unmapped", tmp_path / "gone.csv"))
    assert result["applied"] and result["counts"]["unmapped"] == 1
    assert (tmp_path / "gone.csv").read_text().splitlines()[1].endswith('not 0"')
    assert Annotation.objects.live().get(rater=mine.rater_id).pk != mine.pk
    assert "1 are in force again" in run(project, "--number", first, "--apply")
    assert Annotation.objects.live().get(rater=mine.rater_id).pk == mine.pk


def test_a_scheme_with_a_mistake_is_refused_with_its_file_and_line(project, tmp_path):  # noqa: F811
    path = tmp_path / "odd.yaml"
    path.write_text(NO_NEUTRAL.replace("kind: flag", "kind: flagg"))
    with pytest.raises(CommandError, match=r"odd.yaml, line \d+, .*found 'flagg'; accepted is one of"):
        run(project, "--file", path)


def test_what_is_not_there_is_answered_with_what_is(project):  # noqa: F811
    with pytest.raises(CommandError, match=f"There is no version 77. There are: .*{in_force(project)}"):
        run(project, "--number", 77)
    with pytest.raises(CommandError, match="in force already"):
        run(project, "--number", in_force(project), "--apply")
    with pytest.raises(CommandError, match="There is no project"):
        run(Project(slug="nowhere"), "--number", 1)


def test_a_project_without_passes_changes_too(new):
    empty = make.project()
    assert "label: new" not in run(empty, "--file", new, "--apply")
    empty.refresh_from_db()
    assert empty.scheme.name == "ours"
