"""Export of full AgentProcessBench records against COPY TO of the same rows plus orjson of the same records.

Run: DATABASE_URL=… python -m bench.exports
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import common

if TYPE_CHECKING:
    from annotations.models import Project

LIMIT = "COPY TO of the same trajectory, task, step and label rows, plus orjson.dumps of the same records, written"
REPEATS = 3
ROWS = """
    SELECT t.external_id, t.rollout, t.policy_model, t.outcome, t.meta, t.extra,
           k.external_id, k.source, k.instruction, k.reference, k.tools
      FROM annotations_trajectory t JOIN annotations_task k ON k.id = t.task_id
     WHERE t.project_id = {0} AND t.superseded_at IS NULL ORDER BY t.task_id, t.rollout;
    SELECT s.trajectory_id, s.source, s.source_index, s.message, s.reasoning, s.tool_calls, s.observations, s.extra
      FROM annotations_step s JOIN annotations_trajectory t ON t.id = s.trajectory_id
     WHERE t.project_id = {0} AND t.superseded_at IS NULL ORDER BY t.task_id, t.rollout, s.index;
    SELECT a.trajectory_id, l.step_id, l.field, l.value, l.explanation
      FROM annotations_label l JOIN annotations_annotation a ON a.id = l.annotation_id
      JOIN annotations_rater r ON r.id = a.rater_id
     WHERE r.project_id = {0} AND l.superseded_at IS NULL ORDER BY a.trajectory_id, l.id
"""


def main() -> None:
    common.django_up()
    rows = [row for size in common.SIZES for row in measured(size)]
    common.write("exports", rows, repeats=f"best of {REPEATS}, side by side")


def measured(size: int) -> list[common.Row]:
    project = common.project(f"export-{size}", size)
    times: dict[str, list[float]] = {"apb": [], "apb-labels": [], "trl-stepwise": [], "parquet": [], "limit": []}
    with tempfile.TemporaryDirectory() as folder:
        taken_away(project, "apb", Path(folder))
        records = [json.loads(line) for line in (Path(folder) / "hotpotqa.jsonl").open()]
        for _ in range(REPEATS):
            for name in ("apb", "apb-labels", "trl-stepwise", "parquet"):
                times[name].append(common.timed(lambda name=name: taken_away(project, name, Path(folder))))  # type: ignore[misc]
            times["limit"].append(common.timed(lambda: copied_and_dumped(project, records, Path(folder))))
        megabytes = (Path(folder) / "hotpotqa.jsonl").stat().st_size / 1e6
    best = {name: min(taken) for name, taken in times.items()}
    note = f"{megabytes:.0f} MB, {megabytes / best['apb']:.0f} MB/s"
    rows = [common.share_of("export apb", size, best["apb"], best["limit"], LIMIT, 1 / 3, note=note)]
    for name in ("apb-labels", "trl-stepwise", "parquet"):
        rows.append(common.share_of(f"export {name}", size, best[name], best["limit"], LIMIT, 1 / 3))
    return rows


def taken_away(project: Project, name: str, folder: Path) -> None:
    from annotations.services import exports

    assert exports.export(project, name, folder)["rows"] > 0


def copied_and_dumped(project: Project, records: list[Any], folder: Path) -> None:
    import orjson
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor, (folder / "rows").open("wb") as out:
        for query in ROWS.format(project.pk).split(";"):
            with cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
                out.writelines(copy)
    with (folder / "records").open("wb") as out:
        for record in records:
            out.write(orjson.dumps(record) + b"\n")


if __name__ == "__main__":
    main()
