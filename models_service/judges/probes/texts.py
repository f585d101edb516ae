"""Reading and changing records: their texts, and copies that differ in one place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from annotations.records import Json, Labelled, StepRecord, TrajectoryRecord
from models_service.judges.probes.base import WHOLE, Duel, Edit, Expected, Pair, Spot, Target, at

LOOKED_AT = 200_000  # characters of one text that are looked at for facts; the rest is there, and left alone
MOST_FACTS = 300  # names and numbers of one text that are looked at
FACT = re.compile(r"\b(?:\d{2,}(?:[.,]\d+)*|[A-Z][\w’'-]{2,}(?: [A-Z][\w’'-]+)*)\b")
COMMON_WORDS = """
    The This That These Those There Then Thus Therefore However Although While When Where What Which Who Why How And
    But For From With Without After Before Since Because Based First Second Third Next Final Finally Answer Question
    Let His Her Its Their Our Your You They She Not Yes Also Both Neither Either According Given Result Results
    Search Information Document Title Note Step User Now None True False Only Some Many Most All Any Here
    """
COMMON = frozenset(COMMON_WORDS.split())


@dataclass(frozen=True)
class Passage:
    """A piece of evidence: what it is called and what it says."""

    name: str
    text: str


def edited(
    one: Labelled,
    changed: TrajectoryRecord,
    edit: Edit,
    expected: Expected,
    targets: Sequence[Target | Spot],
    *,
    kept: Mapping[int, int] | None = None,
    truth: int | None = None,
    **more: Any,
) -> Pair:
    """The pair of a trajectory and its changed copy. Without `kept`, every step has the place it had."""
    whole = tuple(target if isinstance(target, Target) else at(target) for target in targets)
    given = _grade(one, whole[0].before) if truth is None else truth
    same = dict(enumerate(range(len(one.record.steps)))) if kept is None else dict(kept)
    return Pair(
        task=one.record.task.external_id,
        trajectory=called_as(one),
        way="absolute",
        control=(one.record,),
        changed=(changed,),
        edit=edit,
        expected=expected,
        targets=whole,
        truth=given,
        kept=same,
        **more,
    )


def called_as(one: Labelled) -> str:
    """What the rollout is called among those of all tasks."""
    return one.record.external_id or f"{one.record.task.external_id} {one.record.rollout}"


def _grade(one: Labelled, spot: Spot | None) -> int | None:
    return one.final if spot == WHOLE else one.grades.get(spot) if isinstance(spot, int) else None


def between(
    duel: Duel, first: TrajectoryRecord, second: TrajectoryRecord, edit: Edit, *, swapped: bool = False, push: int = -1
) -> Pair:
    """The pair of two rollouts, the right one first, and what was made of them. `swapped`: the changed copy has the
    wrong one first. Without that, a change pulls towards the wrong one."""
    right, wrong = duel.right.record, duel.wrong.record
    return Pair(
        task=right.task.external_id,
        trajectory=f"{called_as(duel.right)} against {called_as(duel.wrong)}",
        way="pairwise",
        control=(right, wrong),
        changed=(first, second),
        edit=edit,
        expected="same",
        targets=(at(WHOLE),),
        truth=1,
        push=push,
        swapped=swapped,
    )


def with_step(record: TrajectoryRecord, place: int, **fields: Any) -> TrajectoryRecord:
    """The record with these fields of one step changed. Its rating goes: it is about other words."""
    steps = list(record.steps)
    steps[place] = replace(steps[place], **fields)
    return replace(record, steps=tuple(steps), rating=None, passes=())


def without_step(record: TrajectoryRecord, place: int) -> tuple[TrajectoryRecord, dict[int, int]]:
    """The record without a step, and where the others are now."""
    kept = {old: old - (old > place) for old in range(len(record.steps)) if old != place}
    return _rebuilt(record, [record.steps[old] for old in kept], kept), kept


def with_steps_before(
    record: TrajectoryRecord, place: int, added: Sequence[StepRecord]
) -> tuple[TrajectoryRecord, dict[int, int]]:
    """The record with steps put in before the place, and where the others are now."""
    kept = {old: old + len(added) * (old >= place) for old in range(len(record.steps))}
    return _rebuilt(record, [*record.steps[:place], *added, *record.steps[place:]], kept), kept


def cut_after(record: TrajectoryRecord, place: int) -> tuple[TrajectoryRecord, dict[int, int]]:
    """The record up to the place and with it, and where its steps are."""
    kept = {old: old for old in range(place + 1)}
    return _rebuilt(record, record.steps[: place + 1], kept), kept


def _rebuilt(record: TrajectoryRecord, steps: Sequence[StepRecord], kept: Mapping[int, int]) -> TrajectoryRecord:
    """Where the trajectory is a tree, what hung on a step that is gone hangs where that one hung."""
    hung = [replace(step, parent=_now(record, step.parent, kept)) for step in steps]
    return replace(record, steps=tuple(hung), rating=None, passes=(), numbers={})


def _now(record: TrajectoryRecord, parent: int | None, kept: Mapping[int, int]) -> int | None:
    while parent is not None and parent not in kept:
        parent = record.steps[parent].parent
    return None if parent is None else kept[parent]


def agents(record: TrajectoryRecord) -> list[int]:
    return [place for place, step in enumerate(record.steps) if step.source == "agent"]


def graded(one: Labelled, grade: int, fits: Callable[[StepRecord], Any] = bool) -> list[int]:
    """The places of the agent's steps with this grade that fit."""
    return [place for place in one.steps if one.grades.get(place) == grade and fits(one.record.steps[place])]


def called(step: StepRecord) -> str:
    """The step's calls as a text."""
    return "\n".join(f"{call_name(call)} {arguments_text(call)}" for call in step.tool_calls)


def shown(step: StepRecord) -> str:
    """All that the agent wrote in the step: words and calls."""
    return "\n".join(filter(None, (step.reasoning, step.message, called(step))))


def call_name(call: Json) -> str:
    inner = call.get("function") if isinstance(call, dict) else None
    found = call.get("name") or (inner.get("name") if isinstance(inner, dict) else "") if isinstance(call, dict) else ""
    return found if isinstance(found, str) else ""


def arguments_text(call: Json) -> str:
    found = call.get("arguments", "") if isinstance(call, dict) else ""
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def arguments_of(call: Json) -> dict[str, Json] | None:
    """The arguments as an object; None where they are no JSON object."""
    found = call.get("arguments") if isinstance(call, dict) else None
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except (ValueError, RecursionError):
            return None
    return found if isinstance(found, dict) else None


def with_arguments(call: Json, arguments: Mapping[str, Json]) -> dict[str, Json]:
    """The call with other arguments, written the way they were."""
    as_text = isinstance(call.get("arguments"), str)
    written: Json = json.dumps(arguments, ensure_ascii=False) if as_text else dict(arguments)
    return {**call, "arguments": written}


def observed(observation: Json) -> str:
    """What an observation says, as a text."""
    content = observation.get("content", "") if isinstance(observation, dict) else observation
    if isinstance(content, list):
        parts = [part.get("text", "") if isinstance(part, dict) else part for part in content]
        return "\n".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def saying(observation: Json, text: str) -> dict[str, Json]:
    """The observation with another text."""
    return {**observation, "content": text} if isinstance(observation, dict) else {"content": text}


def evidence(step: StepRecord) -> str:
    return "\n".join(map(observed, step.observations))


def evidence_before(record: TrajectoryRecord, place: int) -> str:
    """All that tools had answered when the step was written."""
    return "\n".join(evidence(step) for step in record.steps[:place] if step.observations)


def facts(text: str) -> list[str]:
    """Names and numbers in a text, each once, in order of appearance."""
    found = (match.group() for match in FACT.finditer(text[:LOOKED_AT]))
    return list(islice(dict.fromkeys(fact for fact in found if fact not in COMMON), MOST_FACTS))


def passages(observations: Sequence[Json]) -> list[Passage]:
    """The documents in what tools answered: the texts of a JSON answer, else the whole answer. Each is called by its
    title, address or first line."""
    found = []
    for observation in observations:
        text = observed(observation)
        try:
            parts = list(_long_texts(json.loads(text)))
        except (ValueError, RecursionError):
            parts = []
        found += parts or [Passage("", text)]
    return [Passage(one.name or _first_line(one.text), one.text) for one in found if one.text.strip()]


def _long_texts(value: Json, name: str = "") -> Iterator[Passage]:
    if isinstance(value, dict):
        named = next((value[key] for key in ("title", "url", "source") if isinstance(value.get(key), str)), name)
        for one in value.values():
            yield from _long_texts(one, named)
    elif isinstance(value, list):
        for one in value:
            yield from _long_texts(one, name)
    elif isinstance(value, str) and len(value) > 60:
        yield Passage(name, value)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].strip(" \"'#*")[:80] if text.strip() else ""


def once(text: str, old: str, new: str) -> str:
    """The text with the first appearance of a word or phrase replaced, not within a longer word."""
    return re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, text, count=1)


def holds(text: str, phrase: str) -> bool:
    # Looking for the plain words first keeps texts of many megabytes quick.
    return phrase in text and re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text) is not None


def quoted(text: str) -> str:
    """What a sentence of a message can hold of somebody's text: one line, not long."""
    return " ".join(text.split())[:160]
