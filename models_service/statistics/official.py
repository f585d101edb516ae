"""The released AgentProcessBench arithmetic, quirks included, so that our numbers can stand beside published ones.

Records are plain dicts as in the released files. What is peculiar, and kept:

1. Every reference record counts. One with no prediction is a failure and all its steps are wrong, yet it is a hit for
   the first error wherever the reference has none.
2. A record is a failure for two reasons only: it is absent, or its comment starts with "llm_annotate_failed:". Labels
   inside a failed record are scored like any others.
3. Labels join on their keys as strings. A list is keyed 0, 1, 2, …. Booleans count as 0 and 1; whole floats and strings
   of digits are taken; any other value is as if absent.
4. The first error is the smallest numeric key labelled -1 among all keys, also those the reference does not have.
5. Of several predictions for a record the newest counts; a dated one beats an undated one; at equal date the later.
   Two references for a record are an error.
6. A record is known by total_index, else by the dataset's offset + 5 * query_index + sample_index, else (an unknown
   dataset) by query and sample, else by record_id.
7. final_label is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

Record = Mapping[str, Any]

FAILED = "llm_annotate_failed:"
OFFSETS = {"hotpotqa": 0, "gaia_dev": 250, "bfcl": 500, "tau2": 750}
ROLLOUTS = 5
WHOLE = re.compile(r"-?\d+")
DATES = ("updated_at", "created_at", "timestamp")


@dataclass(frozen=True)
class Tally:
    """Counts over records; add them up, also across datasets, before dividing."""

    records: int = 0
    failed: int = 0
    steps: int = 0
    step_hits: int = 0
    exact_hits: int = 0
    first_error_hits: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def step_acc(self) -> float:
        return self.step_hits / self.steps if self.steps else 0.0

    @property
    def first_err_acc(self) -> float:
        return self.first_error_hits / self.records if self.records else 0.0

    @property
    def step_exact(self) -> float:
        return self.exact_hits / self.records if self.records else 0.0

    @property
    def failed_ratio(self) -> float:
        return self.failed / self.records if self.records else 0.0


def compare(reference: Iterable[Record], predictions: Iterable[Record], dataset: str) -> Tally:
    """One rater's records against the reference's. ValueError where the reference has a record twice."""
    found = newest(predictions, dataset)
    known: dict[str, Record] = {}
    for record in reference:
        name = key(record, dataset)
        if name in known:
            raise ValueError(f"The reference has the record {name} twice.")
        known[name] = record
    return sum((one(record, found.get(name)) for name, record in known.items()), Tally())


def one(reference: Record, prediction: Record | None) -> Tally:
    """One record. None: the rater has none."""
    failed = prediction is None or str(prediction.get("comment") or "").strip().startswith(FAILED)
    right = labels(reference.get("step_labels"))
    said = labels(prediction.get("step_labels")) if prediction is not None else {}
    return Tally(
        records=1,
        failed=int(failed),
        steps=len(right),
        step_hits=sum(said.get(step) == value for step, value in right.items()),
        exact_hits=int(said == right),
        first_error_hits=int(first_error(said) == first_error(right)),
    )


def labels(value: Any) -> dict[str, int]:
    """Step labels as the released script reads them. TypeError for what is neither dict, list nor null."""
    if value is None:
        return {}
    if not isinstance(value, (dict, list)):
        raise TypeError(f"step_labels is a {type(value).__name__}, not an object or a list")
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return {str(step): whole for step, label in pairs if (whole := integer(label)) is not None}


def integer(value: Any) -> int | None:
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        return int(value) if WHOLE.fullmatch(value.strip()) else None
    return int(value) if isinstance(value, int) else None


def first_error(said: Mapping[str, int]) -> int:
    """The smallest numeric key labelled -1; -1 where there is none."""
    places = [place for step, value in said.items() if value == -1 and (place := integer(step)) is not None]
    return min(places, default=-1)


def key(record: Record, dataset: str) -> str:
    """What a record is joined on. KeyError where it has nothing of the kind."""
    if (total := integer(record.get("total_index"))) is not None:
        return f"total {total}"
    query, sample = integer(record.get("query_index")), integer(record.get("sample_index"))
    if query is not None and sample is not None:
        known = dataset in OFFSETS
        return f"total {OFFSETS[dataset] + ROLLOUTS * query + sample}" if known else f"query {query} sample {sample}"
    name = record.get("record_id")
    if isinstance(name, str) and name.strip():
        return f"record {name.strip()}"
    raise KeyError("The record has no total_index, no query_index with sample_index, and no record_id.")


def newest(records: Iterable[Record], dataset: str) -> dict[str, Record]:
    """The record that counts, by key."""
    best: dict[str, tuple[tuple[bool, float, int], Record]] = {}
    for line, record in enumerate(records):
        name, when = key(record, dataset), _date(record)
        rank = (when is not None, when or 0.0, line)
        if name not in best or rank > best[name][0]:
            best[name] = (rank, record)
    return {name: record for name, (_, record) in best.items()}


def _date(record: Record) -> float | None:
    found = (_seconds(record.get(name)) for name in DATES)
    return next((when for when in found if when is not None), None)


def _seconds(value: Any) -> float | None:
    """Seconds since 1970 of a number (seconds, milliseconds or nanoseconds by size) or an ISO date (UTC if unsaid)."""
    if isinstance(value, (int, float)):
        return value / (1e9 if value > 1e15 else 1e3 if value > 1e12 else 1)
    if not isinstance(value, str):
        return None
    try:
        when = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
