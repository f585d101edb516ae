"""AgentProcessBench: full records, one trajectory a line, labels keyed by the index of the assistant message."""

from __future__ import annotations

import re
from typing import Any

from annotations.formats import chat
from annotations.formats.base import LineFormat, Refused, found, text, whole
from annotations.formats.lines import dump
from annotations.records import Json, RatingRecord, TaskRecord, TrajectoryRecord
from annotations.segmenting import joined

KEYS = (
    "total_index",
    "query_index",
    "sample_index",
    "question",
    "data_source",
    "ground_truth",
    "answer_text",
    "messages",
    "tool_metrics",
    "tools",
    "step_labels",
    "final_label",
)
MAPPED = frozenset(KEYS) - {"tool_metrics"} | {"record_id", "model"}
NUMBERS = ("total_index", "query_index", "sample_index")
# The datasets the original evaluation knows by name, and how their sources spell it.
DATASETS = {"hotpotqa": "hotpotqa", "gaia": "gaia_dev", "bfcl": "bfcl", "tau2": "tau2"}


class AgentProcessBench(LineFormat):
    name = "apb"
    title = "AgentProcessBench records (JSONL)"
    purpose = "benchmark"
    keeps = "Everything: messages, tools, labels, numbers, and fields of its own in their order."
    loses = "How a tree branches: its steps are written one after the other."
    writes = True

    def recognises(self, row: Json) -> bool:
        return isinstance(row, dict) and "messages" in row and {"query_index", "sample_index"} <= row.keys()

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        source, query, sample = text(row, "data_source", 200), whole(row, "query_index"), whole(row, "sample_index")
        total = whole(row, "total_index", required=False)
        task = f"{source}:{query}"
        steps = chat.steps_of(row.get("messages"))
        asked = row.get("question")
        fields = {key: value for key, value in row.items() if key not in MAPPED}
        if "question" in row and not isinstance(asked, str):
            fields["question"] = asked
        meta = {"data_source": source, "query_index": query, "sample_index": sample}
        return TrajectoryRecord(
            task=TaskRecord(
                external_id=task,
                source=source,
                instruction=asked if isinstance(asked, str) else "",
                reference=row.get("ground_truth"),
                tools=row.get("tools"),
            ),
            steps=steps,
            external_id=text(row, "record_id", 300) or f"{task}:{sample}",
            rollout=sample,
            policy_model=text(row, "model", 200),
            outcome={"answer": row["answer_text"]} if "answer_text" in row else None,
            meta=meta if total is None else {"total_index": total} | meta,
            extra={"fields": fields} if tuple(row) == KEYS else {"keys": list(row), "fields": fields},
            rating=rating_of(row),
        )

    def row(self, record: TrajectoryRecord, query: int = 0) -> dict[str, Json]:
        """The record as the original writes it, with the labels of `record.rating`. `query` numbers the task where
        the trajectory came from elsewhere and has no number of its own."""
        record = joined(record)
        row = self._but_messages(record, query)
        return row | {"messages": chat.messages_of(record.steps)}

    def line(self, record: TrajectoryRecord, query: int = 0) -> str:
        """dump(row(record, query)), without unpacking observations that are packed."""
        record = joined(record)
        messages = f"[{','.join(chat.texts_of(record.steps))}]"
        parts = [
            f"{dump(key)}:{messages if key == 'messages' else dump(value)}"
            for key, value in self._but_messages(record, query).items()
        ]
        return f"{{{','.join(parts)}}}"

    def _but_messages(self, record: TrajectoryRecord, query: int) -> dict[str, Json]:
        """The record's keys in their order, with all values but the messages."""
        extra, rating = record.extra, record.rating or RatingRecord()
        numbers = {
            "query_index": query,
            "sample_index": record.rollout,
            "data_source": record.task.source,
        } | record.meta
        values = {
            **{key: numbers[key] for key in (*NUMBERS, "data_source") if key in numbers},
            "question": record.task.instruction,
            "ground_truth": record.task.reference,
            "answer_text": record.outcome.get("answer") if isinstance(record.outcome, dict) else None,
            "messages": None,
            "tools": record.task.tools,
            "step_labels": {str(index): value for index, value in sorted(rating.steps.items())},
            "final_label": rating.final,
            "record_id": record.external_id,
            "model": record.policy_model,
            **extra.get("fields", {}),
        }
        # A record from another format has no order of its own: ours, then its own names, then what it alone has.
        ours = "query_index" in record.meta
        keys = extra.get("keys", KEYS) if ours else (*KEYS, "record_id", "model", *extra.get("fields", ()))
        keys = dict.fromkeys((*keys, "step_labels", "final_label"))
        return {key: values[key] for key in keys if key in values}


def dataset_of(source: str) -> str:
    """The name of the file a source's records go to: the original's own where it knows the source."""
    for spelling, dataset in DATASETS.items():
        if spelling in source.lower():
            return dataset
    return safe(source) or "trajectories"


def safe(name: str) -> str:
    """The name with nothing in it that a file name cannot hold."""
    return re.sub(r"[^\w.+-]+", "-", name).strip("-.")[:100]


def rating_of(row: dict[str, Any]) -> RatingRecord | None:
    """What the row's step_labels and final_label say; None where it has neither. A null says nothing."""
    if "step_labels" not in row and "final_label" not in row:
        return None
    return RatingRecord(steps=step_values(row.get("step_labels"), "step_labels"), final=value(row.get("final_label")))


def step_values(labels: Json, key: str) -> dict[int, Json]:
    """Message index → value, without the nulls. A list is keyed by its places, as the original does."""
    if labels is None:
        return {}
    if isinstance(labels, list):
        labels = dict(enumerate(labels))
    if not isinstance(labels, dict):
        raise Refused(key, f"found {found(labels)}; accepted is an object of message index to label")
    said = {_index(index, key): value(one) for index, one in labels.items()}
    return {index: one for index, one in said.items() if one is not None}


def value(label: Json) -> Json:
    """A label as the original's arithmetic reads it: true and false are 1 and 0, whole floats and digit strings are
    numbers. Anything else stays as found; the scheme will refuse it."""
    if isinstance(label, bool):
        return int(label)
    if isinstance(label, float) and label.is_integer():
        return int(label)
    if isinstance(label, str) and re.fullmatch(r"-?[0-9]{1,9}", label.strip()):
        return int(label)
    return label


def _index(index: Json, key: str) -> int:
    if isinstance(index, int) or re.fullmatch(r"[0-9]{1,9}", index):
        return int(index)
    raise Refused(key, f"found the key {index[:40]!r}; accepted are message indices")
