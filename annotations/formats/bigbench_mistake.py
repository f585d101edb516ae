"""BIG-Bench Mistake: a chain of thought, and the index of its first mistake, or null where it has none."""

from __future__ import annotations

from typing import Any

from annotations.formats import naming, solutions
from annotations.formats.base import LineFormat, Refused, found, text
from annotations.records import Json, RatingRecord, TaskRecord, TrajectoryRecord

MAPPED = frozenset(["input", "steps", "target", "answer", "mistake_index"])


class BigBenchMistake(LineFormat):
    """Null is a label here: somebody looked and found no mistake, so that every step is right. A row without the key
    has no label. Whether the answer equals the target is left to who compares them."""

    name = "bigbench-mistake"
    title = "BIG-Bench Mistake"
    keeps = "Input, steps, the first mistake, target and answer, and fields of its own."
    loses = "Nothing is written in this format."

    def recognises(self, row: Json) -> bool:
        return isinstance(row, dict) and {"input", "steps", "mistake_index"} <= row.keys()

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        said = solutions.texts(row, "steps")
        steps = solutions.steps_of(text(row, "input"), said)
        fields = {key: one for key, one in row.items() if key not in MAPPED}
        return TrajectoryRecord(
            task=TaskRecord(
                naming.prompt_id(steps), source=self.name, instruction=steps[0].message, reference=row.get("target")
            ),
            steps=steps,
            outcome={"answer": row["answer"]} if row.get("answer") is not None else None,
            extra={"fields": fields} if fields else {},
            rating=_rating(row, len(said)),
        )


def _rating(row: dict[str, Any], count: int) -> RatingRecord | None:
    if "mistake_index" not in row:
        return None
    index = row["mistake_index"]
    if isinstance(index, float) and index.is_integer():
        index = int(index)  # as tables have whole numbers beside nulls
    if index is not None and (isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < count):
        accepted = f"accepted is the index of a step, 0 to {count - 1}, or null where there is no mistake"
        raise Refused("mistake_index", f"found {found(index)}; {accepted}")
    return RatingRecord(solutions.until(index, count), scheme="processbench")
