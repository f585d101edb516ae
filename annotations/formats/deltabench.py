"""DeltaBench: a long chain of thought in numbered sections, with the numbers of those that are wrong or of no use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from annotations.formats import naming, solutions
from annotations.formats.base import LabelRecord, LineFormat, Refused, found, text
from annotations.records import Json, RatingRecord, TaskRecord, TrajectoryRecord

TEXTS = ("sections_content", "section_content")
WRONG, USELESS = "reason_error_section_numbers", "reason_unuseful_section_numbers"
MAPPED = frozenset(["id", "question", "answer", "task_l1", *TEXTS, WRONG, USELESS])
SECTION = re.compile(r"\bsection\s*(\d+)\s*:", re.IGNORECASE)


class DeltaBench(LineFormat):
    """A section is a step. Every section was looked at: one with an error is wrong, one that is of no use and has none
    is neutral, every other one is right. That is what the preset agent-process says with 0; the released evaluation
    counts both kinds as errors. A section begins where the text names the number after the last one."""

    name = "deltabench"
    title = "DeltaBench"
    keeps = "Sections, which of them are wrong and which of no use, question, answer, and fields of its own."
    loses = "Nothing is written in this format. The spaces around sections."

    def recognises(self, row: Json) -> bool:
        return isinstance(row, dict) and WRONG in row and any(isinstance(row.get(key), str) for key in TEXTS)

    def records(self, value: Any) -> Iterable[TrajectoryRecord | LabelRecord | Refused]:
        if not isinstance(value, dict):
            raise Refused("", f"found {found(value)}; accepted is one JSON object a line")
        record = self.record(value)
        count = len(record.steps) - 1
        strays = [solutions.stray(solutions.numbers(value, key) or [], count, key) for key in (WRONG, USELESS)]
        return (record, *strays[0], *strays[1])

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        said = _sections(row)
        steps = solutions.steps_of(text(row, "question"), said)
        fields = {key: one for key, one in row.items() if key not in MAPPED}
        return TrajectoryRecord(
            task=TaskRecord(
                naming.prompt_id(steps),
                source=text(row, "task_l1", 200) or self.name,
                instruction=steps[0].message,
                reference=row.get("answer"),
            ),
            steps=steps,
            external_id=naming.name(row, "id"),
            extra={"fields": fields} if fields else {},
            rating=_rating(row, len(said)),
        )


def _sections(row: dict[str, Any]) -> list[str]:
    key = next((one for one in TEXTS if row.get(one) is not None), TEXTS[0])
    whole = text(row, key)
    starts: list[re.Match[str]] = []
    for hit in SECTION.finditer(whole):
        if int(hit[1][:9]) == len(starts) + 1:
            starts.append(hit)
    if not starts:
        raise Refused(key, f"found {found(row.get(key))}; accepted is a text of sections: section1: … section2: …")
    ends = [*(hit.start() for hit in starts[1:]), len(whole)]
    return [whole[hit.end() : end].strip() for hit, end in zip(starts, ends, strict=True)]


def _rating(row: dict[str, Any], count: int) -> RatingRecord | None:
    wrong, useless = solutions.numbers(row, WRONG), solutions.numbers(row, USELESS)
    if wrong is None:
        return None
    labels = solutions.several(wrong, count)
    for number in useless or ():
        if 1 <= number <= count and labels.get(number) != -1:
            labels[number] = 0
    return RatingRecord(dict(sorted(labels.items())), scheme="agent-process") if labels else None
