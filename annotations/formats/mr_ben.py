"""MR-Ben: several models' solutions of a question, each with its first wrong step, why it is wrong, and how it should
have been."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from annotations.formats import naming, solutions
from annotations.formats.base import LabelRecord, Refused, ValueFormat, found, text
from annotations.records import Json, RatingRecord, StepRecord, TaskRecord, TrajectoryRecord

STEPS, FIRST = "Model_Solution_Steps", "Model_Solution_First_Error_Step"
REASON, RECTIFIED = "Model_Solution_Error_Reason", "Model_Solution_Rectified_First_Error_Step"
CORRECT = {"correct": 1, "incorrect": 0}
NOT = "N/A"
MAPPED = frozenset(["Question_UUID", "Question", "Sampled_Model", "Subject", "Ground_Truth_Answer", STEPS])


class MRBen(ValueFormat):
    """One object of question to solutions, or one solution a row. Steps are a list, and the first wrong one is named by
    its number from 1, or "N/A" where there is none; of code, they are one text, whose lines are the steps, and the
    wrong line is written out. Where it stands more than once, or is blank, it is not known which line is meant, and
    the solution has no labels of steps."""

    name = "mr-ben"
    title = "MR-Ben"
    keeps = "Every solution with its model, first wrong step, reasons and corrections of it, and fields of its own."
    loses = "Nothing is written in this format. Blank lines of code."

    def recognises(self, value: Json) -> bool:
        if not isinstance(value, dict):
            return False
        first = next(iter(value.values()), None)
        row = first[0] if isinstance(first, list) and first else value
        return isinstance(row, dict) and STEPS in row and "Question" in row

    def records(self, value: Any) -> Iterable[TrajectoryRecord | LabelRecord | Refused]:
        if not isinstance(value, dict):
            raise Refused("", f"found {found(value)}; accepted is an object of question to solutions, or one solution")
        return self._one(value) if STEPS in value or "Question" in value else self._every(value)

    def _one(self, row: dict[str, Any]) -> Iterator[TrajectoryRecord | Refused]:
        record, doubt = _record(row)
        yield record
        if doubt:
            yield doubt

    def _every(self, questions: dict[str, Any]) -> Iterator[TrajectoryRecord | Refused]:
        if not questions:
            raise Refused("", "found an object of 0 keys; accepted is an object of question to solutions")
        for question, rows in questions.items():
            at = question[:80]
            if not isinstance(rows, list):
                yield Refused(at, f"found {found(rows)}; accepted is a list of solutions")
                continue
            for place, row in enumerate(rows):
                yield from self._read_at(row, question, place, f"{at}[{place}]")

    def _read_at(self, row: Json, question: str, place: int, at: str) -> Iterator[TrajectoryRecord | Refused]:
        try:
            if not isinstance(row, dict):
                raise Refused("", f"found {found(row)}; accepted is an object")
            record, doubt = _record(row)
            task = replace(record.task, external_id=question[: naming.NAME] or record.task.external_id)
            yield replace(record, task=task, rollout=place)
            if doubt:
                raise doubt
        except Refused as refused:
            yield Refused(".".join(one for one in (at, refused.field) if one), refused.reason)


def _record(row: dict[str, Any]) -> tuple[TrajectoryRecord, Refused | None]:
    """The solution, and what of its labels could not be placed."""
    said = _steps(row)
    count = len(said)
    question, options = text(row, "Question"), row.get("Options")
    asked = [question, options] if isinstance(options, str) and options.strip() not in ("", NOT) else [question]
    steps = solutions.steps_of("\n\n".join(asked), [one for _, one in said])
    first, doubt = _first(row, said)
    labels = {} if first is None else solutions.until(first - 1 if first else None, count)
    final = CORRECT.get(str(row.get("Model_Solution_Correctness")))
    reasons = _texts(row.get(REASON))
    why = {first: "\n\n".join(reasons)} if first and reasons else {}
    has_rating = bool(labels) or final is not None
    record = TrajectoryRecord(
        task=TaskRecord(
            naming.name(row, "Question_UUID") or naming.prompt_id(steps),
            source=text(row, "Subject", 200) or MRBen.name,
            instruction=steps[0].message,
            reference=row.get("Ground_Truth_Answer"),
        ),
        steps=_rectified(steps, first, _texts(row.get(RECTIFIED))),
        policy_model=text(row, "Sampled_Model", 200),
        extra={"fields": {key: one for key, one in row.items() if key not in MAPPED}},
        rating=RatingRecord(labels, final, why, scheme="processbench") if has_rating else None,
    )
    return record, doubt


def _steps(row: dict[str, Any]) -> list[tuple[str, str]]:
    """The steps, each as it is named and as it reads."""
    said = row.get(STEPS)
    if isinstance(said, str):
        lines = [line for line in said.split("\n") if line.strip()]
        if lines:
            return [(line, line) for line in lines]
    return [(str(number), one) for number, one in enumerate(solutions.texts(row, STEPS), start=1)]


def _first(row: dict[str, Any], said: list[tuple[str, str]]) -> tuple[int | None, Refused | None]:
    """The number of the first wrong step, 0 where there is none, None where it is not said or not clear which it is."""
    value = row.get(FIRST)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None:
        return None, None
    if not isinstance(value, str):
        return None, Refused(FIRST, f"found {found(value)}; accepted is a step, or {NOT!r}")
    if value.strip() == NOT:
        return 0, None
    whole = [number for number, (name, _) in enumerate(said, start=1) if name == value]
    stripped = [number for number, (name, _) in enumerate(said, start=1) if name.strip() == value.strip()]
    places = whole if len(whole) == 1 else stripped
    if len(places) == 1:
        return places[0], None
    accepted = f"accepted is one of the {len(said)} steps, or {NOT!r}. The steps stay without labels"
    return None, Refused(FIRST, f"found {found(value)}, which names {len(places)} steps; {accepted}")


def _rectified(steps: tuple[StepRecord, ...], first: int | None, texts: list[str]) -> tuple[StepRecord, ...]:
    """The steps, the first wrong one with how it should have been beside it."""
    if not first or not texts:
        return steps
    return tuple(
        replace(one, extra={"fields": {"rectified": texts}}) if one.source_index == first else one for one in steps
    )


def _texts(value: Json) -> list[str]:
    every = value if isinstance(value, list) else [value]
    said = [one.strip() for one in every if isinstance(one, str)]
    return [one for one in said if one and one != NOT]
