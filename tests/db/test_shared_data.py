"""Every real file we have opens by itself, as what it is, with as many records as its page says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from annotations.formats.base import Item, LabelRecord
from annotations.models import Project
from annotations.records import TrajectoryRecord
from annotations.services import imports, sources
from tests import make
from tests.conftest import SHARED

PAGE = SHARED / "data" / "README.md"
ROW = re.compile(r"^\| ([a-z_]+/[^|]*?)(?: \(\d+ files\))? \| [^|]+ \| ([^|]+) \|", re.MULTILINE)
# How the page counts, and the records that many of them are: a pair of responses is two rollouts of one task.
COUNTED = {"trajectories": 1, "records": 1, "flat-text": 1, "CoT": 1, "solutions": 1, "items": 1, "conversations": 1}
COUNTED |= {"samples": 1, "trace": 1, "episodes": 1, "response": 2}
PAIRS = ("sharegpt/dpo_en_demo", "sharegpt/v1_dpo_demo")
JUDGED = ("pandalm/gpt", "pandalm/pandalm")  # verdicts on the pairs, without the answers: a record each
# Folders and files that are one trajectory, whatever their page counts in them.
ONE = ("swe_agent/", "openhands/", "toolbench_tree/", "screenagent/", "atif/")
PROBLEMS = {"claude_code/edge_cases.jsonl"}  # it holds lines that are none, on purpose
# Some of their labels name a step that is not there, or a line of code that stands there twice.
PROBLEMS |= {f"prmbench/prm800k_test_p1_4o_{kind}.jsonl.gz" for kind in ("circular", "confidence", "redundency")}
PROBLEMS |= {"mr_ben/coding.json.gz"}


def listed() -> list[tuple[str, str]]:
    return ROW.findall(PAGE.read_text()) if PAGE.exists() else []


def expected(name: str, told: str) -> int | None:
    """How many records the page says the file holds; None where it counts something else."""
    if name.startswith(ONE):
        return 1
    for many, of in re.findall(r"(\d+) ([\w-]+)", told):
        if of in COUNTED:
            return int(many) * (2 if name.startswith(PAIRS) else 1 if name.startswith(JUDGED) else COUNTED[of])
    return None


def read(path: Path) -> tuple[set[str], list[Item]]:
    """The formats that read the file, and all they give."""
    for holds in ("trajectories", "labels"):
        with sources.opened([(path, path.name)], holds=holds) as units:
            found = [unit for unit in units if unit.format]
            if found:
                return {unit.format.name for unit in found if unit.format}, [i for unit in units for i in unit.items()]
    with sources.opened([(path, path.name)]) as units:
        return set(), [item for unit in units for item in unit.items()]


def test_the_page_lists_every_file(shared_data):
    found = {str(path.relative_to(shared_data)) for path in shared_data.rglob("*") if path.is_file()}
    named = [name for name, _ in listed()]
    left = [one for one in found if not one.startswith("LICENSES/") and not one.startswith(tuple(named))]
    assert left == ["README.md"]


@pytest.mark.parametrize(("name", "told"), listed() or [("", "")])
def test_a_real_file_opens_with_the_records_its_page_counts(name, told, shared_data):
    formats, items = read(shared_data / name)
    assert len(formats) == 1, items[0].problems
    records = [item.record for item in items if item.record]
    problems = [problem for item in items for problem in item.problems]
    assert name in PROBLEMS or not problems
    many = expected(name, told)
    assert len(records) == many if many is not None else records
    assert all(isinstance(one, TrajectoryRecord | LabelRecord) for one in records)


@pytest.mark.django_db
@pytest.mark.skipif("CI" not in os.environ, reason="half a minute; CI does it")
def test_all_of_it_comes_in_and_a_second_time_changes_nothing(shared_data):
    folders = sorted({name.split("/")[0] for name, _ in listed()})
    project: Project = make.project()
    for folder in folders:
        result = imports.import_trajectories(project, [shared_data / folder])
        assert result["created"] or folder == "LICENSES", folder
        again = imports.import_trajectories(project, [shared_data / folder])
        assert (again["created"], again["updated"], again["labels"]) == (0, 0, 0), folder
        assert again["unchanged"] == result["created"] + result["unchanged"] + result["updated"], folder
