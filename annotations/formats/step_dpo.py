"""Step-DPO: a right and a wrong next step after the same right ones, as its data set and its trainer name them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from annotations.formats import naming, step_pairs, step_text, training
from annotations.formats.base import Refused, ValueFormat, found
from annotations.formats.loose import mapping, without
from annotations.formats.pairs import Pair
from annotations.formats.writer import Writer
from annotations.records import Json, Labelled, RatingRecord, StepRecord, TaskRecord, TrajectoryRecord

KEYS = ("prompt", "initial_reason_steps", "chosen", "rejected")
SIDES = ("chosen", "rejected")
_HEAD = re.compile(r"^[ \t]*(?:[*#]+ ?)?Step \d+[ \t]*[:.]", re.MULTILINE)
_ONLY_HEAD = re.compile(r"\s*(?:[*#]+ ?)?Step \d+[ \t]*[:.](?:\*+)?\s*|\s*")


class StepDPO(ValueFormat, Writer):
    """A row is two rollouts of one task, which share the steps before. Those are right, and so is the chosen step; the
    rejected one is wrong. The heading of a step ("Step 3:") that ends the shared text belongs to the step after it."""

    name = "step-dpo"
    title = "Step-DPO (JSONL)"
    keeps = "The prompt, the steps that both follow, the right and the wrong step, the answer, fields of its own."
    loses = "Steps without a counterpart, and how tool calls and thoughts were kept apart."
    purpose = "preferences"
    options = step_pairs.OPTIONS
    together = True
    graded = False

    def recognises(self, value: Json) -> bool:
        return isinstance(value, dict) and all(isinstance(value.get(key), str) for key in KEYS)

    def records(self, value: Any) -> Iterable[TrajectoryRecord | Refused]:
        said = mapping(value)
        for key in KEYS:
            if not isinstance(said.get(key), str):
                held = found(said[key]) if key in said else "nothing"
                raise Refused(key, f"found {held}; accepted is a text")
        return [_record(said, side) for side in (0, 1)]

    def rows(self, rollouts: Sequence[Labelled], asked: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        asked = training.usual(self.options, asked)
        written = step_text.whole if asked["results"] == "with" else step_text.said
        for pair in step_pairs.found(rollouts, asked):
            rejected = pair.rejected
            head = _head(rejected.step)
            prompt, initial = _beginning(rejected.rollout.record, rejected.before)
            values = {
                "prompt": prompt,
                "initial_reason_steps": initial + head,
                "chosen": written(step_pairs.better(pair)).removeprefix(head),
                "rejected": written(rejected.step).removeprefix(head),
            }
            yield _in_order(pair, values)


def _record(row: dict[str, Any], side: int) -> TrajectoryRecord:
    pieces, head = _cut(row["initial_reason_steps"])
    texts = [*pieces, head + row[SIDES[side]]]
    last = {"fields": {"head": head}} if head else {}
    steps = [StepRecord("user", 0, row["prompt"])]
    for place, text in enumerate(texts, 1):
        steps.append(StepRecord("agent", place, text, extra=last if place == len(texts) else {}))
    source = row.get("dataset")
    return TrajectoryRecord(
        task=TaskRecord(
            external_id=naming.prompt_id(steps),
            source=source[:200] if isinstance(source, str) else "",
            instruction=row["prompt"],
            reference=row.get("answer"),
        ),
        steps=tuple(steps),
        outcome={"preferred": side == 0},
        meta={"pair": naming.hashed([row[key] for key in KEYS]).replace("prompt", "pair"), "side": side},
        extra={"keys": list(row), "fields": without(row, *KEYS)},
        rating=RatingRecord(
            steps=dict.fromkeys(range(1, len(texts)), 1) | {len(texts): -1 if side else 1},
            scheme="step-dpo",
        ),
    )


def _cut(text: str) -> tuple[list[str], str]:
    """The steps that the text holds, which joined are the text again, and the heading that it ends with."""
    starts = [hit.start() for hit in _HEAD.finditer(text)][1:]
    edges = [0, *starts, len(text)]
    pieces = [text[start:end] for start, end in zip(edges, edges[1:], strict=False)]
    head = pieces.pop() if _ONLY_HEAD.fullmatch(pieces[-1]) else ""
    return pieces, head


def _head(step: StepRecord) -> str:
    head = mapping(step.extra.get("fields")).get("head")
    return head if isinstance(head, str) and step.message.startswith(head) else ""


def _is_ours(record: TrajectoryRecord) -> bool:
    return set(KEYS) <= set(record.extra.get("keys", ()))


def _beginning(record: TrajectoryRecord, before: Sequence[int]) -> tuple[str, str]:
    """The text before the agent's first step, and that of the steps before the two."""
    first = next((at for at, place in enumerate(before) if record.steps[place].source == "agent"), len(before))
    prompt = step_text.joined(record.steps, before[:first])
    if _is_ours(record):
        return prompt, "".join(record.steps[place].message for place in before[first:])
    initial = step_text.joined(record.steps, before[first:])
    return prompt, f"{initial}\n\n" if initial else ""


def _in_order(pair: Pair, values: dict[str, Json]) -> dict[str, Json]:
    """The row with what else the file said of the pair, where both steps come from one row of such a file."""
    record = pair.rejected.rollout.record
    other = pair.chosen.rollout.record if pair.chosen else None
    if other is None or not _is_ours(record) or other.meta.get("pair") != record.meta.get("pair"):
        return values
    values = record.extra.get("fields", {}) | values
    return {key: values[key] for key in record.extra["keys"] if key in values}
