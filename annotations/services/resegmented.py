"""Where the steps of a trajectory's earlier version stand in its new one, also where messages were cut otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotations.formats.lines import load
from annotations.models import Step
from annotations.records import Json, StepRecord
from annotations.segmenting import PARTS
from annotations.segmenting.matching import tiles
from annotations.segmenting.steps import groups, united
from annotations.services.drafts import StepDraft, content_hash

Place = tuple[int, int]  # a step's id, and its index


@dataclass
class Moved:
    """Steps of the old version → where they stand in the new one, as ids. `one`: the same step. `several`: a step that
    is just what some old ones were together. `cut` → how many parts an old one has now. `indexes` are of all that went
    along."""

    one: dict[int, int] = field(default_factory=dict)
    several: dict[int, int] = field(default_factory=dict)
    cut: dict[int, int] = field(default_factory=dict)
    indexes: dict[int, int] = field(default_factory=dict)


def moved(old: int, steps: Sequence[StepDraft], ids: Sequence[int]) -> Moved:
    """From the trajectory `old` to the one whose steps these are."""
    there = {step.stable: (pk, step.place) for step, pk in zip(steps, ids, strict=True)}
    columns = ("content_hash", "ordinal", "pk", "index", "source_index")
    rows = list(Step.objects.filter(trajectory=old).order_by("index").values_list(*columns))
    found = Moved()
    for digest, ordinal, pk, index, _ in rows:
        if now := there.get((digest, ordinal)):
            found.one[pk], found.indexes[index] = now
    if any(row[-1] >= PARTS for row in rows) or any(step.source_index >= PARTS for step in steps):
        _by_messages(found, old, steps, ids)
    return found


def _by_messages(found: Moved, old: int, steps: Sequence[StepDraft], ids: Sequence[int]) -> None:
    """Find what messages that are the same were cut into before, and what now."""
    before = list(Step.objects.filter(trajectory=old).order_by("index"))
    now = [_record(step, load) for step in steps]
    was = [_record(step, lambda value: value) for step in before]
    new = dict(_messages(now))
    taken = set(found.one.values())
    for stable, parts in _messages(was):
        into = new.get(stable)
        if into is None or len(parts) == len(into) == 1:
            continue
        placed = tiles(was[parts.start : parts.stop], now[into.start : into.stop])
        for place, run in placed.items():
            pk = ids[into[place]]
            olds = [before[parts[number]] for number in run]
            if len(olds) > 1:
                found.several.update((one.pk, pk) for one in olds)
            elif olds[0].pk not in found.one and pk not in taken:
                found.one[olds[0].pk] = pk
            found.indexes.update((one.index, into[place]) for one in olds if one.pk in found.one or len(olds) > 1)
        gone = [before[place] for place in parts if before[place].pk not in (found.one | found.several)]
        found.cut.update((one.pk, len(into)) for one in gone)


def _messages(steps: Sequence[StepRecord]) -> Iterable[tuple[tuple[str, int], range]]:
    """(what tells a message from the others, the places of its parts)."""
    seen: Counter[str] = Counter()
    for parts in groups(steps):
        digest = content_hash(united(steps[parts.start : parts.stop]))
        yield (digest, seen[digest]), parts
        seen[digest] += 1


def _record(step: StepDraft | Step, opened: Callable[[Any], Json]) -> StepRecord:
    """What the step says. `opened` is the JSON of what it keeps as such."""
    calls, observations, extra = map(opened, (step.tool_calls, step.observations, step.extra))
    return StepRecord(step.source, step.source_index, step.message, step.reasoning, tuple(calls), observations, extra)
