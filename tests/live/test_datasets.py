"""The `datasets` library, in an environment of its own, opens every file of rows that we write."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from annotations.formats.lines import dump
from annotations.formats.writer import Writer
from annotations.services.export_files import Tables
from tests.contract.test_writers import EVERY, WRITERS, asks, rows

VERSION = "5.2.0"
ROOT = Path(__file__).parents[2]
HOME = ROOT / "var" / f"datasets-{VERSION}"
ASKED = "STEPMARK_DATASETS"  # set it to run these tests outside CI: the first run installs some 200 MB

LOADS = """
import json, sys
from datasets import load_dataset
for name in sys.argv[2:]:
    kind = "parquet" if name.endswith(".parquet") else "json"
    try:
        found = load_dataset(kind, data_files=name, split="train", cache_dir=sys.argv[1])
        said = {"rows": found.num_rows, "columns": found.column_names, "first": found[0]}
    except Exception as problem:
        said = {"problem": repr(problem)[:500], "cause": repr(problem.__cause__)[:500]}
    print(json.dumps({"file": name, **said}))
"""

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not {"CI", ASKED} & set(os.environ), reason=f"runs in CI, or with {ASKED}=1"),
]


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of an environment with `datasets`, made once."""
    made = HOME / "bin" / "python"
    if not (HOME / "whole").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", HOME], check=True)
        pip = [made, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"datasets=={VERSION}"]
        subprocess.run(pip, check=True)
        (HOME / "whole").touch()
    return made


def written(one: Writer, asked: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    """The rows as they stand in the file."""
    found = [
        {key: dump(value) if key in one.packed else value for key, value in row.items()}
        for row in rows(one, EVERY, asked)
    ]
    if found and one.suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(found), path)
    elif found:
        path.write_text("".join(f"{dump(row)}\n" for row in found), encoding="utf-8")
    return found


def files(folder: Path) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    for name, one in WRITERS.items():
        for number, asked in enumerate(asks(one)):
            path = folder / f"{name}-{number}{one.suffix}"
            if found := written(one, asked, path):
                yield path, found


def loaded(python: Path, folder: Path, paths: list[Path]) -> list[dict[str, Any]]:
    quiet = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "home"), "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    answer = subprocess.run(
        [python, "-c", LOADS, folder / "cache", *paths],
        env=os.environ | quiet,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_every_file_of_rows_loads_with_all_its_rows(python, tmp_path):
    made = dict(files(tmp_path))
    assert {path.name.rsplit("-", 1)[0] for path in made} == WRITERS.keys()
    found = {Path(one["file"]): one for one in loaded(python, tmp_path, list(made))}
    problems = {path.name: one for path, one in found.items() if "problem" in one}
    assert not problems
    for path, rows_of_it in made.items():
        one = found[path]
        assert (one["rows"], set(one["columns"])) == (len(rows_of_it), set().union(*rows_of_it)), path.name
        assert plain(one["first"]) == plain(rows_of_it[0]), path.name


LONG: list[dict[str, Any]] = [
    {"steps": [{"role": "user", "text": "x" * 10_000}], "says": None, "tools": None, "score": 1, "spans": []}
] * 1_400
LATE: list[dict[str, Any]] = [
    {"steps": [{"role": "agent", "text": "a", "name": "b"}], "says": None, "tools": None, "score": 1, "spans": []},
    {"steps": [], "says": {"a": 1}, "tools": [{"any": 1}], "score": 0.5, "spans": [{"from": 1}], "new": ["c"]},
    {"steps": [], "says": None, "tools": None, "score": 2, "spans": [{"from": 2, "to": None}], "new": []},
]


@pytest.mark.parametrize("back", [False, True])
def test_a_file_whose_first_megabytes_lack_a_key_loads(python, tmp_path, back):
    class Rows(Writer):
        name, suffix, reads = "long", ".jsonl", back
        packed = frozenset() if back else frozenset({"tools"})

    with Tables(tmp_path, Rows()) as tables:
        for row in [*LONG, *LATE]:
            tables.row("long", row)
    assert (tmp_path / "long.jsonl").stat().st_size > 12_000_000
    (found,) = loaded(python, tmp_path, [tmp_path / "long.jsonl"])
    assert found.get("rows") == len(LONG) + len(LATE), found
    assert set(found["columns"]) == {"steps", "says", "tools", "score", "spans", "new"}


def plain(value: Any) -> Any:
    """As far as a loader keeps it: it says null for a key that an object lacks, and cuts numbers after ten digits."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items() if one is not None}
    if isinstance(value, float):
        return round(value, 8)
    return [plain(one) for one in value] if isinstance(value, list) else value
