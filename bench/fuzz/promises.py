"""What every reader promises of what it makes, whatever it was given."""

from __future__ import annotations

import re
from typing import Any

from annotations.formats.base import LabelRecord, LogFormat
from annotations.formats.lines import dump
from annotations.records import TrajectoryRecord
from annotations.services import drafts
from annotations.services.rating_ways import Inwards
from annotations.services.segments import Segmenting
from annotations.services.sources import Unit

_unstorable = re.compile("[\x00\ud800-\udfff]")
_escaped_nul = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class Find(AssertionError):
    """What a reader promises and did not keep."""


def check(unit: Unit, inwards: Inwards, way: Segmenting) -> None:
    """Reads the unit as an import does, up to the tables. Records of a log stand where their first piece does, so what
    is gathered of one may come after what follows it."""
    line, name, located = 0, unit.name, unit.format is not None
    for item in unit.items():
        if item.record is None and not item.problems:
            raise Find("neither a record nor a problem")
        if item.line < line and not isinstance(unit.format, LogFormat):
            raise Find("positions go backwards")
        line = item.line
        for problem in item.problems:
            if not problem.file.startswith(name) or not problem.reason or (located and problem.line < 1):
                raise Find(f"a problem without a place: {problem.field} {problem.reason}")
            _texts(problem.file, problem.field, problem.reason)
        if isinstance(item.record, TrajectoryRecord):
            _record(item.record)
            record = inwards.take(item.record, name, item.line).record
            _storable(drafts.draft(record, name, item.line, item.original))
            record, _ = way.take(record, name, item.line)
            _storable(drafts.draft(record, name, item.line, item.original))
        elif isinstance(item.record, LabelRecord):
            _rating(item.record.rating)


def _record(record: TrajectoryRecord) -> None:
    indices = [step.source_index for step in record.steps]
    if len(set(indices)) != len(indices):
        raise Find("two steps at one place")
    if all(step.source != "agent" for step in record.steps):
        raise Find("no step to label")
    if not all(type(one) is int and 0 <= one < 2**31 for one in indices):
        raise Find("a step's place is no whole number that a table holds")
    if not all(step.parent is None or 0 <= step.parent < place for place, step in enumerate(record.steps)):
        raise Find("a step comes before the one it was tried after")
    if any(step.source not in ("system", "user", "agent") for step in record.steps):
        raise Find("a step is of nobody we know")
    if not record.task.external_id or len(record.task.external_id) > 400 or len(record.external_id) > 400:
        raise Find("an id is missing, or longer than a table holds")
    if len(record.task.source) > 200 or len(record.policy_model) > 200:
        raise Find("a name is longer than a table holds")
    if record.rollout is not None and not (type(record.rollout) is int and 0 <= record.rollout < 2**31):
        raise Find("a rollout is no whole number that a table holds")
    _texts(*(text for step in record.steps for text in (step.message, step.reasoning)))
    _texts(record.task.instruction, record.task.source, record.policy_model, record.external_id)
    if record.rating:
        _rating(record.rating)


def _rating(rating: Any) -> None:
    dump([list(rating.steps.values()), rating.final])
    _texts(*rating.explanations.values(), rating.final_explanation, rating.comment)


def _texts(*texts: Any) -> None:
    for one in texts:
        if not isinstance(one, str) or _unstorable.search(one):
            raise Find(f"a text that no table holds: {type(one).__name__}")


def _storable(draft: drafts.Draft) -> None:
    """Every text of the rows is one that PostgreSQL takes, in JSON too."""
    documents = [draft.meta, draft.outcome or "", draft.task.reference or "", draft.task.tools or "", dump(draft.extra)]
    for step in draft.steps:
        documents += [step.tool_calls, step.observations, step.extra, step.outline or ""]
    for one in documents:
        if _unstorable.search(one) or _escaped_nul.search(one):
            raise Find("JSON that no table holds")
    draft.identity, draft.digest  # noqa: B018
