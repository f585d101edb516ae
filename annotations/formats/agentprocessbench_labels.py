"""AgentProcessBench label files: what one rater, a person or a judge, says of many trajectories."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from annotations.formats.agentprocessbench import step_values, value
from annotations.formats.base import LabelRecord, LineFormat, Refused, text, whole
from annotations.records import Json, RatingRecord, TrajectoryRecord
from annotations.segmenting import joined

FAILED = "llm_annotate_failed:"
TIMES = ("updated_at", "created_at", "timestamp")


class AgentProcessBenchLabels(LineFormat):
    name = "apb-labels"
    title = "AgentProcessBench label files (JSONL)"
    purpose = "benchmark"
    keeps = "Labels, explanations, comments, times, and calls that failed."
    loses = "The trajectories: a label file names them."
    holds = "labels"
    writes = True
    everyone = True

    def recognises(self, row: Json) -> bool:
        return isinstance(row, dict) and "step_labels" in row and "messages" not in row

    def record(self, row: dict[str, Any]) -> LabelRecord:
        comment = text(row, "comment")
        failed = comment.strip().startswith(FAILED)
        said = row.get("explanations")
        said = said if isinstance(said, dict) else {}
        record = LabelRecord(
            RatingRecord(
                steps=step_values(row.get("step_labels"), "step_labels"),
                # The original writes 0 where the call broke. It is not a label.
                final=None if failed else value(row.get("final_label")),
                explanations=_explanations(said.get("steps")),
                final_explanation=said["final"] if isinstance(said.get("final"), str) else "",
                failed=failed,
                comment=comment,
                updated_at=_time(row),
            ),
            total_index=whole(row, "total_index", required=False),
            data_source=text(row, "data_source") if row.get("data_source") is not None else None,
            query_index=whole(row, "query_index", required=False),
            sample_index=whole(row, "sample_index", required=False),
            record_id=text(row, "record_id"),
        )
        if record.total_index is None and not record.record_id and not _has_triple(record):
            accepted = "total_index, or data_source with query_index and sample_index, or record_id"
            raise Refused("total_index", f"found nothing that names the trajectory; accepted is {accepted}")
        return record

    def row(self, record: TrajectoryRecord, rater: str, dataset: str) -> dict[str, Json]:
        """The rating of the record as a line of the rater's label file."""
        record = joined(record)
        rating = record.rating or RatingRecord()
        agents = [step.source_index for step in record.steps if step.source == "agent"]
        # A judge that failed keeps a null for each step it did not answer, as the original writes it.
        steps = {index: rating.steps.get(index) for index in agents} if rating.failed else rating.steps
        spoken = {str(index): said for index, said in sorted(rating.explanations.items())}
        return {
            **{key: record.meta[key] for key in ("total_index",) if key in record.meta},
            "dataset": dataset,
            "record_id": record.external_id,
            "annotator": rater,
            "username": rater,
            **{key: record.meta[key] for key in ("data_source", "query_index", "sample_index") if key in record.meta},
            "step_labels": {str(index): one for index, one in sorted(steps.items())},
            "final_label": rating.final,
            "status": "done",
            "comment": rating.comment,
            "updated_at": rating.updated_at,
            "explanations": {"steps": spoken, "final": rating.final_explanation},
        }


def _has_triple(record: LabelRecord) -> bool:
    return None not in (record.data_source, record.query_index, record.sample_index)


def _explanations(steps: Json) -> dict[int, str]:
    if not isinstance(steps, dict):
        return {}
    return {int(key): said for key, said in steps.items() if key.isdecimal() and isinstance(said, str) and said}


def _time(row: dict[str, Any]) -> str:
    """The row's time in UTC, so that times compare as texts; "" where it has none that can be read."""
    for key in TIMES:
        if moment := _moment(row.get(key)):
            return moment.isoformat(timespec="microseconds")
    return ""


def _moment(said: Json) -> datetime | None:
    try:
        if isinstance(said, (int, float)) and not isinstance(said, bool):
            return datetime.fromtimestamp(_seconds(said), UTC)
        moment = datetime.fromisoformat(said.strip()) if isinstance(said, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _seconds(number: float) -> float:
    """Seconds since 1970 from a number of seconds, milliseconds or nanoseconds, told apart by its size."""
    return number / 1e9 if number > 1e15 else number / 1e3 if number > 1e12 else number
