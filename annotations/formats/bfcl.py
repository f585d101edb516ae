"""BFCL results: what a model called for each entry of the leaderboard, in one turn or many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from annotations.formats import bfcl_turns, naming
from annotations.formats.base import Item, LineFormat, Refused, found
from annotations.formats.opening.sources import Source
from annotations.formats.opening.values import Shape
from annotations.records import Json, TaskRecord, TrajectoryRecord

COUNTS = ("latency", "input_token_count", "output_token_count")
MAPPED = frozenset(["id", "result", "inference_log", "reasoning_content", *COUNTS])
GROUPS = frozenset(["live", "non_live", "multi_turn", "agentic", "memory", "web_search", "format_sensitivity"])


class BFCL(LineFormat):
    """The rows do not say which model they are of; the folders do, where they come along: result/MODEL/BFCL_….json."""

    name = "bfcl"
    title = "BFCL results (version 3 and 4)"
    keeps = (
        "Turns and steps with their calls and what these gave, reasoning, latency and tokens of each step, the states."
    )
    loses = "The inputs that were logged, and in single turns the question, which the results do not have."

    def recognises(self, value: Json) -> bool:
        if not isinstance(value, dict) or not isinstance(value.get("id"), str) or "messages" in value:
            return False
        return isinstance(value.get("result"), (str, list)) and any(key in value for key in (*COUNTS, "inference_log"))

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        if "result" not in row:
            raise Refused("result", f"found {found(row)} without it; accepted is a text or a list of calls")
        steps, states = bfcl_turns.steps_of(row)
        name = naming.name(row, "id")
        category = name.rpartition("_")[0]
        fields = {key: value for key, value in row.items() if key not in MAPPED}
        return TrajectoryRecord(
            task=TaskRecord(
                external_id=name or naming.prompt_id(steps),
                source=f"bfcl {category}".strip()[:200],
                instruction=naming.instruction(steps),
            ),
            steps=steps,
            extra={"fields": fields | ({"states": states} if states else {})},
        )

    def read(self, source: Source, shape: Shape | None = None) -> Iterator[Item]:
        model = _model(source.name)
        for item in super().read(source, shape):
            record = item.record
            if model and isinstance(record, TrajectoryRecord):
                name = f"{model}:{record.task.external_id}"[: naming.NAME]
                item = replace(item, record=replace(record, policy_model=model, external_id=name))
            yield item


def _model(path: str) -> str:
    """The model whose folder the file lies in; "" where it lies in none."""
    folders = [part for part in PurePosixPath(path).parent.parts if part not in GROUPS]
    if "result" in folders:
        folders = folders[folders.index("result") + 1 :]
    return folders[-1][:200] if folders and PurePosixPath(path).name.startswith("BFCL_") else ""
