"""A long table: one row a label, with everything about who said it, when, of what, and under which rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from annotations.formats.base import Format

TEXTS = (
    "project",
    "source",
    "task",
    "trajectory",
    "policy_model",
    "step_id",
    "field",
    "part",
    "title",
    "value",
    "origin",
    "explanation",
    "suggestion",
    "first_value",
    "rater",
    "rater_kind",
    "mode",
    "propagation",
    "drawn",
    "scheme",
    "scheme_version",
)
WHOLES = (
    "rollout",
    "trajectory_version",
    "step",
    "source_index",
    "cause_step",
    "guideline_version",
    "time_ms",
    "time_spent_ms",
)
TIMES = ("created_at", "submitted_at")
COLUMNS = ("project", "source", "task", "trajectory", "rollout", "trajectory_version", "policy_model", "step")
OF_LABEL = ("step_id", "source_index", "field", "part", "title", "value", "number")
ORDER = tuple(dict.fromkeys((*COLUMNS, *OF_LABEL, *TEXTS, *WHOLES, *TIMES)))
GROUP = 10_000  # rows held in memory and written together


class LongParquet(Format):
    """`field` is the name of a field and `title` what the page calls it; where it is asked of a part of a step, or of a
    pair, `part` says of which. `value` is the label as JSON, `number` the same where it is a number. `step` is the
    place in the trajectory and null where the label is of the whole; `source_index` the place in the original file;
    `cause_step` the step whose label implied this one. `suggestion` is what was accepted, as JSON with its source and
    confidence; `first_value` what the rater had said before the end was shown to them (progressive mode), as JSON;
    `time_ms` how long the rater looked before this label, `time_spent_ms` the whole pass."""

    name = "parquet"
    title = "One row a label (Parquet)"
    purpose = "everything"
    keeps = "Every label of every rater, with who said it, when, of what and under which rules."
    loses = "The texts of the trajectories."
    suffix = ".parquet"
    holds = "labels"
    writes = True
    everyone = True

    def write(self, rows: Iterable[Mapping[str, Any]], path: Path) -> int:
        """Write the rows, keys as in the schema; returns how many. Needs pyarrow."""
        import pyarrow as pa
        from pyarrow import parquet

        schema = _schema(pa)
        written, held = 0, []
        with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
            for row in rows:
                held.append(row)
                if len(held) == GROUP:
                    writer.write_table(pa.Table.from_pylist(held, schema=schema))
                    written, held = written + GROUP, []
            if held or not written:
                writer.write_table(pa.Table.from_pylist(held, schema=schema))
        return written + len(held)


def _schema(pa: Any) -> Any:
    fields = {
        **dict.fromkeys(TEXTS, pa.string()),
        **dict.fromkeys(WHOLES, pa.int64()),
        "number": pa.float64(),
        **dict.fromkeys(TIMES, pa.timestamp("us", tz="UTC")),
    }
    return pa.schema([(name, fields[name]) for name in ORDER])
