"""A problem and its solution in written steps: what the step-labelled data sets share, reading and writing.

Read, the problem is the user's turn at 0 and the step with index k the agent's turn at k + 1, so that a source index is
also the place of the message where the record is written as a chat.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from annotations.formats.base import Refused, found
from annotations.formats.lines import load
from annotations.formats.step_text import parts as parts
from annotations.records import Json, Labelled, StepRecord, TrajectoryRecord


def texts(row: dict[str, Any], key: str) -> list[str]:
    """The row's list of texts under the key, one at least."""
    value = row.get(key)
    if not isinstance(value, list) or not value:
        raise Refused(key, f"found {found(value) if key in row else 'nothing'}; accepted is a list of texts")
    for place, one in enumerate(value):
        if not isinstance(one, str):
            raise Refused(f"{key}[{place}]", f"found {found(one)}; accepted is a text")
    return value


def steps_of(problem: str, said: Sequence[str]) -> tuple[StepRecord, ...]:
    asked = StepRecord("user", 0, problem)
    return (asked, *(StepRecord("agent", place, one) for place, one in enumerate(said, start=1)))


def until(first_error: int | None, count: int) -> dict[int, Json]:
    """Labels by source index where only the first wrong step is known (None: there is none): right before it, wrong at
    it, and nothing after it."""
    if first_error is None:
        return dict.fromkeys(range(1, count + 1), 1)
    return dict.fromkeys(range(1, first_error + 1), 1) | {first_error + 1: -1}


def kept(name: str, row: Mapping[str, Any], mapped: Iterable[str], usual: Sequence[str]) -> dict[str, Json]:
    """What a record remembers of its row: whose it is, the fields that have no place, and an unusual order of keys."""
    extra: dict[str, Json] = {"format": name}
    known = set(mapped)
    if fields := {key: value for key, value in row.items() if key not in known}:
        extra["fields"] = fields
    return extra if tuple(row) == tuple(usual) else extra | {"keys": list(row)}


def memory(record: TrajectoryRecord, name: str) -> dict[str, Any]:
    """What the record remembers of the row of this format that it was made of; empty where it came from elsewhere."""
    extra = record.extra
    return extra if isinstance(extra, dict) and extra.get("format") == name else {}


def ordered(
    values: Mapping[str, Json], remembered: Mapping[str, Any], usual: Sequence[str], always: Sequence[str] = ()
) -> dict[str, Json]:
    """A row of these values, with the fields and in the order of the row that the record was made of."""
    every = {**remembered.get("fields", {}), **values}
    keys = dict.fromkeys((*remembered.get("keys", usual), *always))
    if "keys" not in remembered:
        keys |= dict.fromkeys(remembered.get("fields", ()))
    return {key: every[key] for key in keys if key in every}


@dataclass(frozen=True)
class Written:
    """A trajectory from its beginning to one end, as text. `places` are those of the steps among the record's. Of a
    tree each way to a leaf is one, numbered from 0; the verdict on a tree is on no one of its ways."""

    prompt: str
    places: tuple[int, ...]
    steps: tuple[str, ...]
    number: int | None = None

    def labels(self, labelled: Labelled, *, masked: bool = False) -> list[int | None]:
        """The grades of the steps; None where there is none, or where a rule filled it in and these are masked."""
        hidden = labelled.propagated if masked else frozenset()
        return [None if place in hidden else labelled.grades.get(place) for place in self.places]

    def final(self, labelled: Labelled) -> int | None:
        return labelled.final if self.number is None else None

    def name(self, record: TrajectoryRecord) -> str:
        """What the trajectory is called; of a tree, with the number of the way."""
        name = record.external_id or record.task.external_id
        return name if self.number is None else f"{name}#{self.number}"


def written(record: TrajectoryRecord) -> Iterator[Written]:
    """The trajectory; of a tree, each way from its root to a leaf. What others say between steps opens the next one."""
    every = list(ways(record.steps))
    for number, way in enumerate(every):
        said: list[str] = []
        places: list[int] = []
        before: list[str] = []
        prompt: list[str] = []
        for place in way:
            step = record.steps[place]
            if step.source != "agent":
                before.append(step.message)
                continue
            prompt, before = (prompt, before) if places else (before, [])
            said.append("\n\n".join([*before, *parts(step)]))
            places.append(place)
            before = []
        yield Written("\n\n".join(prompt), tuple(places), tuple(said), number if len(every) > 1 else None)


def ways(steps: Sequence[StepRecord]) -> Iterator[list[int]]:
    """The places of all steps; of a tree, those on the way to each leaf, with the context before it."""
    if all(step.parent is None for step in steps):
        yield list(range(len(steps)))
        return
    inner = {step.parent for step in steps}
    for leaf, step in enumerate(steps):
        if leaf in inner or step.source != "agent":
            continue
        way = lineage(steps, leaf)
        context = [place for place in range(way[0]) if steps[place].parent is None and steps[place].source != "agent"]
        yield [*context, *way]


def apart(record: TrajectoryRecord) -> Iterator[TrajectoryRecord]:
    """The record; of a tree, each way to a leaf as a record of its own, which is no rollout that has a number."""
    every = list(ways(record.steps))
    if len(every) < 2:
        yield record
        return
    for number, way in enumerate(every):
        steps = tuple(replace(record.steps[place], parent=None) for place in way)
        name = f"{record.external_id or record.task.external_id}#{number}"
        yield replace(record, steps=steps, external_id=name, rollout=None)


def lineage(steps: Sequence[StepRecord], place: int) -> list[int]:
    """The step with those it was tried after, from the first."""
    way = [place]
    while (parent := steps[way[-1]].parent) is not None and parent < way[-1]:
        way.append(parent)
    return way[::-1]


def several(wrong: Sequence[int], count: int) -> dict[int, Json]:
    """Labels by source index where the numbers of all wrong steps are given, from 1: these are wrong, the others right.
    Where one of them is no step, it is not known which one is meant, and no other step is called right."""
    known = [number for number in wrong if 1 <= number <= count]
    right = dict.fromkeys(range(1, count + 1), 1) if len(known) == len(wrong) else {}
    return dict(sorted((right | dict.fromkeys(known, -1)).items()))


def stray(wrong: Sequence[int], count: int, key: str) -> list[Refused]:
    """What is to be said where a number names no step."""
    numbers = ", ".join(str(number) for number in wrong if not 1 <= number <= count)
    if not numbers:
        return []
    reason = f"found {numbers}, which is no step; accepted are 1 to {count}. The other steps stay without a label"
    return [Refused(key, reason)]


def numbers(row: Mapping[str, Any], key: str) -> list[int] | None:
    """The row's list of whole numbers, also as JSON text, as tables have it; None where it says nothing."""
    value = row.get(key)
    if isinstance(value, str):
        try:
            value = load(value) if value.strip() else None
        except (ValueError, RecursionError):
            raise Refused(key, f"found {found(value)}; accepted is a list of step numbers") from None
    if value is None:
        return None
    if not isinstance(value, list):
        raise Refused(key, f"found {found(value)}; accepted is a list of step numbers")
    for place, one in enumerate(value):
        if isinstance(one, bool) or not isinstance(one, int):
            raise Refused(f"{key}[{place}]", f"found {found(one)}; accepted is the number of a step, from 1")
    return value
