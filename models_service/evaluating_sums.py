"""One rater's records of a set against the reference's, as sums over tasks that statistics are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models_service.evaluating_files import TERNARY, Entry
from models_service.statistics import first_errors, measures
from models_service.statistics import official as script
from models_service.statistics.coefficients import Codes
from models_service.statistics.figures import Block, Ints, add_by_task
from models_service.statistics.matrices import Matrix

NOTHING, ERROR = len(TERNARY), TERNARY.index(-1)
TITLES = [str(value) for value in TERNARY]
EMPTY = "The reference has labelled no step."
Pair = tuple[script.Record, script.Record | None]


class ReferenceRefused(ValueError):
    """A reference that nothing can be held against."""


@dataclass(frozen=True)
class Reference:
    """The reference's records of one set that count, and their labelled steps as the units of a matrix. `steps` has for
    each unit its key and which record it is of, `tasks` what its tasks are called."""

    entries: Sequence[Entry]
    steps: Sequence[tuple[str, int]]
    matrix: Matrix
    tasks: Sequence[str]

    @property
    def codes(self) -> Codes:
        return self.matrix.labels[:, 0]

    @property
    def wrong(self) -> Ints:
        """The records with a step labelled wrong."""
        return np.unique(self.matrix.trajectory[self.codes == ERROR])


@dataclass(frozen=True)
class Held:
    """What one rater comes to in one set: blocks of sums over its tasks, counts, and the labels themselves."""

    blocks: Mapping[str, Block]
    counts: Counter[str]
    codes: Codes


def reference_of(entries: Iterable[Entry], dataset: str, official: bool) -> Reference:
    """The records of that set. In ours one that failed, or labels no step, is none. ReferenceRefused where one is there
    twice."""
    known: dict[str, Entry] = {}
    for one in entries:
        if one.dataset == dataset and known.setdefault(one.key, one) is not one:
            twice = f"{known[one.key].place}, and {one.place}"
            raise ReferenceRefused(f"The reference has the record {one.key} of {dataset} twice: {twice}.")
    kept = [one for one in known.values() if official or (said(one) and not failed(one))]
    steps = [(step, place) for place, one in enumerate(kept) for step in sorted(said(one), key=_order)]
    codes = [TERNARY.index(said(kept[place])[step]) for step, place in steps]
    tasks: dict[str, int] = {}
    task_of = _ints(tasks.setdefault(_task(one), len(tasks)) for one in kept)
    trajectory = _ints(place for _, place in steps)
    labels = np.array(codes, dtype=np.uint8).reshape(-1, 1)
    nobody = np.zeros(labels.shape, dtype=bool)
    matrix = Matrix(labels, nobody, NOTHING, trajectory, task_of[trajectory], task_of, max(1, len(tasks)))
    return Reference(kept, steps, matrix, list(tasks) or [""])


def held(reference: Reference, entries: Sequence[Entry], official: bool) -> Held:
    """One rater's records of the set; of several for one trajectory the newest counts."""
    found = _newest(entries)
    pairs = [(one, found.get(one.key)) for one in reference.entries]
    right = [said(one) for one, _ in pairs]
    words = [None if other is None or failed(other) else said(other) for _, other in pairs]
    codes = [_code((words[place] or {}).get(step)) for step, place in reference.steps]
    exact = [one == other for one, other in zip(right, words, strict=True)]
    counts = Counter(
        failed=words.count(None),
        missing=sum(other is None for _, other in pairs),
        extra=sum(len((other or {}).keys() - one.keys()) for one, other in zip(right, words, strict=True)),
        superseded=len(entries) - len(found),
    )
    records = [(one.record, None if other is None else other.record) for one, other in pairs]
    return _scored(reference, np.array(codes, dtype=np.uint8), exact, counts, records if official else None)


def constant(reference: Reference, place: int, official: bool) -> Held:
    """The same answer to every step."""
    value = TERNARY[place]
    codes = np.full(len(reference.steps), place, dtype=np.uint8)
    exact = [set(said(one).values()) <= {value} for one in reference.entries]
    same = [dict.fromkeys(script.labels(one.record.get("step_labels")), value) for one in reference.entries]
    records = [(one.record, {"step_labels": all_}) for one, all_ in zip(reference.entries, same, strict=True)]
    return _scored(reference, codes, exact, Counter(), records if official else None)


def said(entry: Entry) -> dict[str, int]:
    """The record's labels by step, those that are labels."""
    read = script.labels(entry.record.get("step_labels"))
    return {step: value for step, value in read.items() if value in TERNARY}


def failed(entry: Entry) -> bool:
    return str(entry.record.get("comment") or "").strip().startswith(script.FAILED)


def _scored(
    reference: Reference, codes: Codes, exact: Sequence[bool], counts: Counter[str], released: Sequence[Pair] | None
) -> Held:
    """`released`: the pairs of records that the released arithmetic is asked of."""
    matrix = reference.matrix
    steps = measures.against(matrix, reference.codes, codes, TITLES)
    wrong = {f"f1 {TITLES[ERROR]}": measures.f1(NOTHING, ERROR, TITLES[ERROR])}
    trajectories, hits = measures.first_error_hits(matrix, reference.codes, codes, ERROR)
    clean = ~np.isin(trajectories, reference.wrong)
    blocks = {
        "steps": Block(steps.sums, {**steps.measures, **wrong}),
        "first": first_errors.parts(hits, clean, matrix.task_of[trajectories], matrix.tasks),
        "exact": _rate(matrix, exact, np.ones(len(exact))),
    }
    counts["trajectories"] = len(reference.entries)
    counts["steps"] = len(reference.steps)
    if released is not None:
        blocks |= _released(matrix, released)
        counts["steps"] = int(blocks["released"].sums[:, 1].sum())
    return Held(blocks, counts, codes)


def _released(matrix: Matrix, pairs: Sequence[Pair]) -> dict[str, Block]:
    tallies = [script.one(*pair) for pair in pairs]
    first = np.array([one.first_error_hits for one in tallies], dtype=bool)
    clean = [script.first_error(script.labels(right.get("step_labels"))) == -1 for right, _ in pairs]
    return {
        "released": _rate(matrix, [one.step_hits for one in tallies], [one.steps for one in tallies]),
        "first": first_errors.parts(first, np.array(clean, dtype=bool), matrix.task_of, matrix.tasks),
        "exact": _rate(matrix, [one.exact_hits for one in tallies], np.ones(len(tallies))),
    }


def _rate(matrix: Matrix, hits: Any, every: Any) -> Block:
    columns = np.column_stack([hits, every]).astype(np.float64)
    return measures.rate(add_by_task(matrix.task_of, columns, matrix.tasks), EMPTY)


def _newest(entries: Sequence[Entry]) -> dict[str, Entry]:
    """The entry that counts, by key."""
    if not entries:
        return {}
    of_record = {id(one.record): one for one in entries}
    best = script.newest((one.record for one in entries), entries[0].dataset)
    return {key: of_record[id(record)] for key, record in best.items()}


def _code(value: int | None) -> int:
    return NOTHING if value is None else TERNARY.index(value)


def _order(step: str) -> tuple[bool, int, str]:
    """By number; what is none comes last."""
    place = script.integer(step)
    return place is None, place or 0, step


def _task(entry: Entry) -> str:
    """What resampling draws: the rollouts of a question together, a record of which it is not known by itself."""
    if (query := script.integer(entry.record.get("query_index"))) is not None:
        return f"query {query}"
    total = script.integer(entry.record.get("total_index"))
    if total is None or entry.dataset not in script.OFFSETS:
        return entry.key
    return f"query {(total - script.OFFSETS[entry.dataset]) // script.ROLLOUTS}"


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int64)
