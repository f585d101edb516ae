"""PRMBench: a solution into which errors of one kind were put, and the numbers of the steps that are wrong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from annotations.formats import naming, solutions
from annotations.formats.base import LabelRecord, LineFormat, Refused, found, text
from annotations.records import Json, RatingRecord, TaskRecord, TrajectoryRecord

QUESTIONS = ("modified_question", "question", "original_question")
MAPPED = frozenset(["idx", "modified_question", "modified_process", "error_steps"])


class PRMBench(LineFormat):
    """The modified solution is the trajectory: several steps can be wrong, and every other one is right. A row without
    one (`multi_solutions`, or a sample called correct) is the original solution, in which none is wrong. A redundant
    step counts as wrong here, as it does there: `classification` says what kind of wrong it is. The original, and which
    steps were changed, are kept beside. Some rows of the released files number a step that is not there: what is meant
    is not known, so that only the steps that are named get a label."""

    name = "prmbench"
    title = "PRMBench"
    keeps = "The modified solution with all its wrong steps and the reason, the kind of error, the original beside."
    loses = "Nothing is written in this format. The original solution is kept as a field, not as a trajectory."

    def recognises(self, row: Json) -> bool:
        return (
            isinstance(row, dict)
            and "original_process" in row
            and {"error_steps", "classification"} & row.keys() != set()
        )

    def records(self, value: Any) -> Iterable[TrajectoryRecord | LabelRecord | Refused]:
        if not isinstance(value, dict):
            raise Refused("", f"found {found(value)}; accepted is one JSON object a line")
        record = self.record(value)
        wrong = solutions.numbers(value, "error_steps") or []
        return (record, *solutions.stray(wrong, len(record.steps) - 1, "error_steps"))

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        process = "modified_process" if row.get("modified_process") else "original_process"
        said = solutions.texts(row, process)
        steps = solutions.steps_of(next((one for key in QUESTIONS if (one := text(row, key))), ""), said)
        fields = {key: one for key, one in row.items() if key not in MAPPED and key != process}
        return TrajectoryRecord(
            task=TaskRecord(
                naming.prompt_id(steps),
                source=text(row, "classification", 200) or self.name,
                instruction=steps[0].message,
                reference=row.get("ground_truth"),
            ),
            steps=steps,
            external_id=_name(row),
            extra={"fields": fields},
            rating=_rating(row, len(said), original=process == "original_process"),
        )


def _name(row: dict[str, Any]) -> str:
    """The number of a row is one within its kind of error only."""
    return "/".join(one for one in (text(row, "classification", 200), naming.name(row, "idx")) if one)


def _rating(row: dict[str, Any], count: int, *, original: bool) -> RatingRecord | None:
    wrong = solutions.numbers(row, "error_steps")
    if wrong is None and not original:
        return None
    labels = solutions.several(wrong or [], count)
    reason = text(row, "reason")
    why = {index: reason for index, label in labels.items() if label == -1 and reason}
    return RatingRecord(labels, explanations=why, scheme="binary") if labels else None
