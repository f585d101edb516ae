"""The `datasets` library opens the folder of every export by its data card, without a script."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from annotations import formats
from annotations.formats.judge_sft import JudgeSFT
from annotations.formats.stepmark import Stepmark
from annotations.judges import prompts
from annotations.models import Project
from annotations.services import export_asked, exports
from tests import judges, make
from tests.db.test_export_formats import project  # noqa: F401 (a fixture)
from tests.live.test_datasets import pytestmark as runs_in_ci
from tests.live.test_datasets import python  # noqa: F401 (a fixture)

pytestmark = [*runs_in_ci, pytest.mark.django_db]
IN_TEST = "Where is the well?"  # where half the tasks are test
LOADS = """
import json, sys
from datasets import get_dataset_config_names, load_dataset
for name in sys.argv[2:]:
    try:
        found = {config: load_dataset(name, config, cache_dir=sys.argv[1]) for config in get_dataset_config_names(name)}
        said = {config: {split: rows.num_rows for split, rows in one.items()} for config, one in found.items()}
    except Exception as problem:
        said = repr(problem)[:500]
    print(json.dumps([name, said]))
"""


def uneven(project: Project) -> None:  # noqa: F811
    """More tasks, whose gold answers, tools, outcomes and messages have other shapes than the first's."""
    ada = project.reference
    assert ada is not None
    for place, (reference, tools, outcome) in enumerate(
        [("seven", None, {"answer": "x", "reward": "much"}), ({"target": [1]}, [{"name": 3}], 0.5), ([7], [], None)]
    ):
        task = make.task(project, source="mixed", reference=reference, tools=tools)
        for values in ([1, 1, 1], [1, 0, -1]):
            made = make.trajectory(project, of=task, outcome=outcome)
            made.steps.filter(index=3).update(message=f"Otherwise {place} {values[2]}", tool_calls=[], observations=[])
            make.rating(ada, made, values, final=values[2])


def wants(project: Project) -> dict[str, dict[str, str]]:  # noqa: F811
    """What a format has to be told."""
    prompt = prompts.shipped()["step-labels"].text
    return {JudgeSFT.name: {"judge": str(judges.judge(project, prompt=prompt))}}


def test_every_export_opens_by_its_card(project, python, tmp_path):  # noqa: F811
    uneven(project)
    names = [name for name in formats.writable() if name != Stepmark.name]
    wanted = wants(project)
    rows = {name: exports.export(project, name, tmp_path / name, **wanted.get(name, {}))["rows"] for name in names}
    assert rows[JudgeSFT.name]
    quiet = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home"), "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    answer = subprocess.run(
        [python, "-c", LOADS, tmp_path / "cache", *(tmp_path / name for name in names)],
        env=os.environ | quiet,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    found: dict[str, Any] = {Path(name).name: said for name, said in map(json.loads, answer.stdout.splitlines())}
    problems = {name: said for name, said in found.items() if isinstance(said, str)}
    assert not problems
    assert {name: sum(sum(one.values()) for one in said.values()) for name, said in found.items()} == rows


def test_train_and_test_load_by_their_names(project, python, tmp_path):  # noqa: F811
    """Formats that are read again keep the shapes of their rows, which nothing makes equal: tools here, none there."""
    even(project)
    names = [name for name in formats.writable() if export_asked.splits(name) and not formats.FORMATS[name].reads]
    told, wanted = {}, wants(project)
    for name in names:
        exports.export(project, name, tmp_path / name, test_share=0.5, **wanted.get(name, {}))
        told[name] = json.loads((tmp_path / name / "manifest.json").read_text())["split"]["tasks"]
    quiet = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home"), "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    answer = subprocess.run(
        [python, "-c", LOADS_BOTH, tmp_path / "cache", *(tmp_path / name for name in names)],
        env=os.environ | quiet,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    found = {Path(name).name: said for name, said in map(json.loads, answer.stdout.splitlines())}
    assert {name: said for name, said in found.items() if isinstance(said, str)} == {}
    both = [name for name in names if len(told[name]) == 2]
    assert {name for name in both if set(found[name]) != {"train", "test"}} == set()
    assert len(both) > 10


def even(project: Project) -> None:  # noqa: F811
    """More tasks, each with a good and a bad rollout, and tools of different shapes. The first task, which alone has an
    explanation and a call that was not made, is of the test split: by name the first, whose types a loader takes."""
    ada = project.reference
    assert ada is not None
    project.tasks.update(instruction=IN_TEST)
    for place in range(12):
        tool = {"type": "function", "function": {"name": "look", "parameters": {f"at{place}": {"type": "string"}}}}
        task = make.task(project, source="even", instruction=f"How deep is shaft {place}?", tools=[tool])
        for values in ([1, 1, 1], [1, 0, -1]):
            made = make.trajectory(project, of=task, outcome={"answer": "x", "reward": values[2]})
            made.steps.filter(index=3).update(message=f"Otherwise {place} {values[2]}", tool_calls=[], observations=[])
            make.rating(ada, made, values, final=values[2])


LOADS_BOTH = """
import json, pathlib, sys
from datasets import load_dataset
for name in sys.argv[2:]:
    files = {}
    for path in sorted(pathlib.Path(name).iterdir()):
        split = path.stem.rpartition(".")[2]
        if path.suffix in (".jsonl", ".parquet") and split in ("train", "test"):
            files[split] = str(path)
    kind = "parquet" if any(one.endswith(".parquet") for one in files.values()) else "json"
    try:
        found = load_dataset(kind, data_files=files, cache_dir=sys.argv[1]) if files else {}
        said = {split: rows.num_rows for split, rows in found.items()}
    except Exception as problem:
        said = f"{problem!r} {problem.__cause__!r}"[:900]
    print(json.dumps([name, said]))
"""
