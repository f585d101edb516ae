"""A record made ready for the tables: its texts, its hashes, who it is. Nothing here touches the database."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from annotations.formats.lines import dump
from annotations.records import Json, RatingRecord, StepRecord, TaskRecord, TrajectoryRecord
from annotations.rendering.identity import action_hash, sequence_hash, turn_hash
from annotations.rendering.outline import outline
from annotations.rendering.parts import Part, parts
from annotations.segmenting import PART, joined


class StepDraft(NamedTuple):
    """A row of the step table, but for its ids."""

    place: int
    source: str
    source_index: int
    message: str
    reasoning: str
    tool_calls: str
    observations: str
    extra: str
    content_hash: str
    ordinal: int
    action_hash: str
    turn_hash: str
    outline: str | None
    parent: int | None = None  # the place of the step it was tried after

    @property
    def stable(self) -> tuple[str, int]:
        """What the same step has in every version of its trajectory."""
        return self.content_hash, self.ordinal


class TaskDraft(NamedTuple):
    """A row of the task table, but for its ids."""

    external_id: str
    source: str
    instruction: str
    reference: str | None
    tools: str | None


@dataclass(frozen=True)
class Draft:
    """One trajectory on its way in. `file` and `line` say where it stands."""

    file: str
    line: int
    task: TaskDraft
    external_id: str
    rollout: int | None
    policy_model: str
    outcome: str | None
    meta: str
    extra: Json
    steps: tuple[StepDraft, ...]
    hashes: tuple[str, ...]  # of all that is said; the first is stored, another was by an earlier version of ours
    rating: RatingRecord | None
    whole: TrajectoryRecord | None = None  # the record itself, where it says what every rater says
    original: bytes = b""  # what it was made of
    wholes: tuple[str, ...] = ()  # the hashes of it by message
    turns_hash: str = ""  # by message too, as actions_hash is
    actions_hash: str = ""

    @property
    def content_hash(self) -> str:
        return self.hashes[0]

    @property
    def identity(self) -> bytes:
        """What makes two records the same trajectory: task and rollout, else its own id, else all it says. Hashed."""
        if self.rollout is not None:
            named = f"rollout {self.rollout} of {self.task.external_id}"
        elif self.external_id:
            named = f"id {self.external_id}"
        else:
            named = f"content {self.wholes[0]} of {self.task.external_id}"
        return hashlib.blake2b(named.encode(), digest_size=16).digest()

    @property
    def digest(self) -> bytes:
        """Of all the record says, labels included."""
        said: object = self.rating and [sorted(self.rating.steps.items()), self.rating.final]
        if self.whole:
            said = self.whole.passes, self.whole.task.rubrics
        return hashlib.sha256(f"{self.content_hash}{said!r}".encode()).digest()[:16]


def draft(record: TrajectoryRecord, file: str, line: int, original: bytes = b"") -> Draft:
    """Raises RecursionError where the record is nested too deep to be written."""
    steps, whole = _steps(record.steps), joined(record)
    task = _task(record.task)
    meta, outcome = dump(record.meta), None if record.outcome is None else dump(record.outcome)
    said = (*task, record.policy_model, outcome)
    in_order = dump(dict(sorted(record.meta.items())))  # the column keeps no order
    metas = dict.fromkeys((in_order, meta))
    hashes = tuple(_hash((*said, one, dump(record.extra)), steps) for one in metas)
    turns, wholes = steps, hashes
    if whole is not record:
        turns = _steps(tuple(whole.steps))
        wholes = tuple(_hash((*said, one, dump(whole.extra)), turns) for one in metas)
    return Draft(
        file,
        line,
        task,
        record.external_id,
        record.rollout,
        record.policy_model,
        outcome,
        meta,
        record.extra,
        steps,
        hashes,
        record.rating,
        record if record.passes or record.task.rubrics or record.schemes else None,
        original,
        wholes,
        sequence_hash(step.turn_hash for step in turns),
        sequence_hash(step.action_hash for step in turns if step.source == "agent"),
    )


def _hash(said: Sequence[str | None], steps: Sequence[StepDraft]) -> str:
    whole = hashlib.sha256()
    for part in said:
        whole.update(f"{part}\x1f".encode())
    for step in steps:
        after = "" if step.parent is None else f" after {step.parent}"
        whole.update(f"{step.source_index} {step.content_hash}{after}\x1f".encode())
    return whole.hexdigest()


def _task(task: TaskRecord) -> TaskDraft:
    reference = None if task.reference is None else dump(task.reference)
    tools = None if task.tools is None else dump(task.tools)
    return TaskDraft(task.external_id, task.source, task.instruction, reference, tools)


def _steps(steps: tuple[StepRecord, ...]) -> tuple[StepDraft, ...]:
    seen: Counter[str] = Counter()
    made = []
    for index, step in enumerate(steps):
        texts = (step.message, step.reasoning, dump(step.tool_calls), dump(step.observations), dump(step.extra))
        digest = content_hash(step, texts)
        told = list(parts(step))
        identity = (digest, seen[digest], action_hash(step), turn_hash(step.source, step, told))
        made.append(StepDraft(index, step.source, step.source_index, *texts, *identity, _outline(told), step.parent))
        seen[digest] += 1
    return tuple(made)


def content_hash(step: StepRecord, texts: Sequence[str] = ()) -> str:
    """Of all the step says, its place apart; a part of a message is the same wherever it stands there. `texts` are
    what tables hold of it, where the caller has them."""
    *said, extra = texts or (step.message, step.reasoning, dump(step.tool_calls), dump(step.observations), "")
    if PART in step.extra or not texts:
        extra = dump({key: one for key, one in step.extra.items() if key != PART})
    return hashlib.sha256("\x1f".join((step.source, *said, extra)).encode()).hexdigest()


def _outline(told: Sequence[Part]) -> str | None:
    found = outline(told)
    return None if found is None else dump(found)
