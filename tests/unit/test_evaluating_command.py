"""`manage.py evaluate_labels` as it is called: without any database, for people and for programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from models_service.evaluating_command import NAME

ROOT = Path(__file__).parents[2]
GOLD = [
    {"dataset": "hotpotqa", "query_index": 0, "sample_index": 0, "step_labels": {"2": 1, "4": 1}},
    {"dataset": "hotpotqa", "query_index": 1, "sample_index": 0, "step_labels": {"2": 1, "4": -1}},
    {"dataset": "bfcl", "query_index": 0, "sample_index": 0, "step_labels": {"2": 0}},
]


def lines(path: Path, rows: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in rows))
    return path


def by(name: str, labels: list[dict[str, int]], **more: Any) -> list[dict[str, Any]]:
    return [one | {"annotator": name, "step_labels": said} | more for one, said in zip(GOLD, labels, strict=False)]


RIGHT = [one["step_labels"] for one in GOLD]
WRONG = [{"2": -1, "4": -1}, {"2": -1, "4": -1}, {"2": 0}]


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    return lines(tmp_path / "gold.jsonl", GOLD)


def called(*arguments: Any) -> tuple[str, str]:
    """What it prints. No test in this file may use a database; pytest-django sees to that."""
    out, err = StringIO(), StringIO()
    call_command("evaluate_labels", *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_it_runs_where_there_is_no_database_and_starts_none(tmp_path, gold):
    said = lines(tmp_path / "said.jsonl", by("judge", RIGHT))
    arguments = [sys.executable, "manage.py", "evaluate_labels", "--reference", gold, "--predictions", said, "--json"]
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    for place, where in (("none", {}), ("elsewhere", {"DATABASE_URL": "postgres://nobody:x@127.0.0.1:9/none"})):
        home = {"STEPMARK_HOME": str(tmp_path / place), "DJANGO_SETTINGS_MODULE": "app.settings"}
        answer = subprocess.run(
            arguments, env=kept | home | where, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        assert (answer.returncode, answer.stderr) == (0, "")
        assert json.loads(answer.stdout)["all"]["judge"]["step_acc"] == 1
        assert not list(tmp_path.glob(f"{place}/**/PG_VERSION"))


def test_it_loads_no_deep_learning():
    script = "import django; django.setup(); import models_service.evaluating_command, sys; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {name.split(".")[0] for name in answer.stdout.split()}.isdisjoint({"torch", "transformers"})


def test_the_object_for_programs_has_what_is_promised(tmp_path, gold):
    said = lines(tmp_path / "said.jsonl", by("judge", RIGHT))
    found = json.loads(called("--reference", gold, "--predictions", said, "--json")[0])
    promised = {
        *("step_acc", "first_err_acc", "step_exact", "macro_f1", "kappa"),
        *("coverage", "failed", "steps", "trajectories"),
    }
    assert set(found["sets"]) == {"hotpotqa", "bfcl"}
    rows = [found["all"]["judge"], found["baselines"]["all"]["1"], found["baselines"]["sets"]["bfcl"]["0"]]
    for row in [*rows, *(of["judge"] for of in found["sets"].values())]:
        assert promised <= set(row)
        undefined = {name for name, value in row.items() if value is None}
        undefined |= {f"recall {name}" for name, value in row["recall"].items() if value is None}
        assert set(row["reasons"]) == undefined


def test_people_get_a_table_for_each_set_and_for_all_best_first_and_aligned(tmp_path, gold):
    long = "x" * 60
    files = [
        lines(tmp_path / "bad.jsonl", by("b", WRONG)),
        lines(tmp_path / "good.jsonl", by("a", RIGHT)),
        lines(tmp_path / "long.jsonl", by(long, WRONG[:1])),
    ]
    out, err = called("--reference", gold, "--predictions", *files)
    blocks = [block.splitlines() for block in out.strip("\n").split("\n\n")]
    assert [block[0] for block in blocks] == [
        "hotpotqa: 2 trajectories, 4 steps, 1 without an error",
        "bfcl: 1 trajectories, 1 steps, 1 without an error",
        "all: hotpotqa, bfcl, pooled",
        "among all: 5 steps, 4 raters with the reference, 3 labels missing",
        "together: one label of 3 raters; a tie is none, and wrong",
    ]
    names = [line.split()[0] for line in blocks[0][2:]]
    assert names == ["a", "b", "x" * (NAME - 1) + "…", "always", "always", "always"]
    widths = {len(line.split("  only ")[0]) for block in blocks[:3] for line in block[1:]}
    assert len(widths) == 1
    assert [line for line in blocks[2] if "x…" in line][0].endswith("  only hotpotqa")
    assert "as the released" not in out
    assert err.startswith(f"{tmp_path} holds what several annotators say of the same records: they go by annotator.")


def test_people_see_what_all_say_together_with_the_best_alone_below(tmp_path, gold):
    files = [lines(tmp_path / f"{name}.jsonl", by(name, said)) for name, said in (("a", RIGHT), ("b", WRONG))]
    out = called("--reference", gold, "--predictions", *files)[0]
    together = out[out.index("together: ") :].splitlines()
    assert [line[2:38].strip() for line in together[2:]] == [
        "majority", "wawa", "one coin", "dawid skene", "mace vb", "mace em", "gold anchored", "alone: a",
    ]  # fmt: skip
    majority = next(line for line in together if "majority" in line)
    assert majority.split()[1:] == ["0.400", "(0.000,", "1.000)", "0.667", "1.000", "0.400", "3", "0.000"]


def test_one_rater_alone_has_nobody_to_be_together_with(tmp_path, gold):
    said = lines(tmp_path / "said.jsonl", by("judge", RIGHT))
    assert "together" not in called("--reference", gold, "--predictions", said)[0]


def test_with_official_the_table_says_so(tmp_path, gold):
    said = lines(tmp_path / "said.jsonl", by("judge", RIGHT))
    assert "as the released script counts" in called("--reference", gold, "--predictions", said, "--official")[0]


def test_what_was_not_counted_is_told_beside_the_answer(tmp_path, gold):
    rows = by("judge", RIGHT)
    rows += [rows[0] | {"query_index": 9}, rows[1], rows[2] | {"dataset": "tau2"}, "not json"]
    rows[1] = rows[1] | {"step_labels": {"2": 1, "4": "wrong", "6": 1}}
    rows[4] = rows[1]
    said = lines(tmp_path / "said.jsonl", rows)
    out, err = called("--reference", gold, "--predictions", said, "--json")
    found = json.loads(out)
    assert found["unreferenced"] == {"hotpotqa": {"judge": 1}, "tau2": {"judge": 1}}
    assert "Not used: 3" in err
    assert f"{said}, line 2, step_labels.4: found the text 'wrong'; accepted is -1, 0, 1 or null" in err
    assert f"{said}, line 7: not JSON" in err
    assert "judge, hotpotqa: 1 predictions are of records that the reference does not have." in err
    assert "judge, hotpotqa: 1 predictions were made again; the newest counts." in err
    assert "judge, hotpotqa: 1 labels are of steps that the reference does not have." in err
    assert [one["line"] for one in found["refused"]] == [2, 5, 7]


def test_names_out_of_files_move_no_cursor(tmp_path, gold):
    said = lines(tmp_path / "said.jsonl", by("\x1b[2Jme\n\u202eyou", RIGHT))
    out, _ = called("--reference", gold, "--predictions", said)
    assert "·[2Jme··you" in out
    assert "\x1b" not in out and "\u202e" not in out


def test_a_file_that_is_not_there_is_named_with_what_is(tmp_path, gold):
    with pytest.raises(CommandError, match=r"no file .*gone\.jsonl; there is gold\.jsonl"):
        called("--reference", tmp_path / "gone.jsonl", "--predictions", gold)
    with pytest.raises(CommandError, match="there is no folder"):
        called("--reference", gold, "--predictions", tmp_path / "no" / "x.jsonl")
    with pytest.raises(CommandError, match="is a folder; accepted are files"):
        called("--reference", gold, "--predictions", tmp_path)


def test_a_reference_that_says_something_twice_is_refused(tmp_path):
    twice = lines(tmp_path / "gold.jsonl", [GOLD[0], GOLD[0]])
    with pytest.raises(CommandError, match=r"total 0 of hotpotqa twice: .*line 1, and .*line 2"):
        called("--reference", twice, "--predictions", twice)


def test_where_nothing_can_be_used_the_command_fails_and_says_what_it_found(tmp_path, gold):
    said = lines(tmp_path / "said.jsonl", by("judge", RIGHT[:1], dataset="tau2"))
    with pytest.raises(CommandError, match="No prediction"):
        called("--reference", gold, "--predictions", said)
