"""Stepmark's own format: everything leaves, and comes back as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from annotations.models import Annotation, Label, Project, Rater
from annotations.services import exports
from tests import make
from tests.db.importing import APB, file, take

pytestmark = pytest.mark.django_db


def leave(project: Project, folder: Path) -> Path:
    exports.export(project, "stepmark", folder)
    return folder / f"{project.slug}.jsonl"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_left_comes_into_an_empty_project_and_leaves_as_the_same_bytes(tmp_path):
    project = make.project()
    take(project, APB)
    first = leave(project, tmp_path / "first")
    again = make.project()
    result = take(again, first)
    assert result["rejected"] == []
    assert leave(again, tmp_path / "second").read_bytes() == first.read_bytes()
