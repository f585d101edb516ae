"""Steps cut into parts, and parts put together again: what one direction takes apart the other makes whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from annotations.records import Json, StepRecord
from annotations.segmenting import cuts

PARTS = 1_000_000_000  # parts are numbered from here on, so that no number of a message is that of a part
PART = "part"


@dataclass(frozen=True)
class Piece:
    """What of a step becomes a part: where its text stands, its calls and its observations by their places."""

    text: str  # reasoning, message or nothing
    start: int = 0
    end: int = 0
    reasoning: str = ""
    message: str = ""
    calls: range = range(0)
    seen: tuple[int, ...] = ()


def whole(step: StepRecord) -> list[Piece]:
    return []


def by_call(step: StepRecord) -> list[Piece]:
    """One piece for each call with what came back of it. What is said goes with the first, what answers no call with
    the last."""
    answers = _answers(step) if step.tool_calls else []
    end = len(step.message)
    return [
        Piece(
            "" if place else "message",
            end if place else 0,
            end,
            "" if place else step.reasoning,
            "" if place else step.message,
            range(place, place + 1),
            tuple(answers[place]),
        )
        for place in range(len(step.tool_calls))
    ]


def by_text(cut: Callable[[str], list[cuts.Span]]) -> Callable[[StepRecord], list[Piece]]:
    """Cuts what was thought, and what was said, each by itself. Calls and observations go with the last piece."""

    def pieces(step: StepRecord) -> list[Piece]:
        if not _is_text(step):
            return []
        found = [
            Piece("reasoning", start, end, reasoning=step.reasoning[start:end])
            for start, end in (cut(step.reasoning) if step.reasoning else ())
        ]
        found += [
            Piece("message", start, end, message=step.message[start:end])
            for start, end in (cut(step.message) if step.message.strip() or not found else ())
        ]
        if len(found) < 2:
            return []
        if found[-1].text == "reasoning":  # the message is blank
            found[-1] = replace(found[-1], message=step.message)
        found[-1] = replace(found[-1], calls=range(len(step.tool_calls)), seen=tuple(range(len(step.observations))))
        return found

    return pieces


def one_span(text: str) -> list[cuts.Span]:
    return [(0, len(text))]


WAYS: dict[str, Callable[[StepRecord], list[Piece]]] = {
    "message": whole,
    "tool_call": by_call,
    "paragraph": by_text(cuts.paragraphs),
    "numbered": by_text(cuts.numbered),
    "sentence": by_text(cuts.sentences),
    "thought": by_text(cuts.thoughts),
}


def parts_of(step: StepRecord, way: str, first: int) -> list[StepRecord]:
    """The parts of the step, numbered from `first`; the step itself where it has but one."""
    pieces = WAYS[way](step) if step.source == "agent" else []
    if len(pieces) < 2:
        return [step]
    return [_part(step, piece, number, len(pieces), first) for number, piece in enumerate(pieces, 1)]


def _part(step: StepRecord, piece: Piece, number: int, many: int, first: int) -> StepRecord:
    """What the step says beside its texts goes with the first part. Numbers that the file gives the step are those of
    no part, and stand where they are not read as such."""
    own = step.extra if isinstance(step.extra, dict) else {}
    extra = {key: value for key, value in own.items() if key not in ("observed_at", "values")} if number == 1 else {}
    told: dict[str, Json] = {"of": step.source_index, "number": number, "many": many}
    told |= {"text": piece.text, "start": piece.start, "end": piece.end}
    seen = list(step.observations)
    if number == 1 and "values" in own:
        told["values"] = own["values"]
    if piece.seen and piece.seen != tuple(range(len(seen))):
        told["observed"] = list(piece.seen)
    if "observed_at" in own and piece.seen:
        extra["observed_at"] = [own["observed_at"][place] for place in piece.seen]
    return StepRecord(
        source=step.source,
        source_index=first + number - 1,
        message=piece.message,
        reasoning=piece.reasoning,
        tool_calls=tuple(step.tool_calls[piece.calls.start : piece.calls.stop]),
        observations=tuple(seen[place] for place in piece.seen),
        extra=extra | {PART: told},
        parent=step.parent,
    )


def part_of(step: StepRecord) -> dict[str, Any] | None:
    """What the step says of the step it is a part of; None where it is a whole one."""
    told = step.extra.get(PART) if isinstance(step.extra, dict) else None
    if not isinstance(told, dict):
        return None
    numbers = [told.get(key) for key in ("of", "number", "many")]
    return told if all(type(one) is int and one >= 0 for one in numbers) else None


def groups(steps: Sequence[StepRecord]) -> Iterator[range]:
    """The places of the parts of each step, in order; of a whole step its own."""
    start = 0
    while start < len(steps):
        end, told = start + 1, part_of(steps[start])
        while told and end < len(steps) and (after := part_of(steps[end])) and _follows(told, after):
            end, told = end + 1, after
        yield range(start, end)
        start = end


def _follows(one: dict[str, Any], after: dict[str, Any]) -> bool:
    return bool(after["of"] == one["of"] and after["number"] == one["number"] + 1 and after["many"] == one["many"])


def united(parts: Sequence[StepRecord]) -> StepRecord:
    """The step that these parts, one after the other, are of. Where some are missing, so is what they say."""
    told = part_of(parts[0])
    if told is None:
        return parts[0]
    extra = {key: value for key, value in parts[0].extra.items() if key not in (PART, "observed_at")}
    if "values" in told:
        extra["values"] = told["values"]
    calls = tuple(call for part in parts for call in part.tool_calls)
    order, seen, places = _seen(parts)
    if places:
        extra["observed_at"] = [places[one] for one in order]
    if len(parts) < told["many"] and "keys" in extra:
        extra |= _of_some(extra, calls)
    return StepRecord(
        source=parts[0].source,
        source_index=told["of"],
        message="".join(part.message for part in parts),
        reasoning="".join(part.reasoning for part in parts),
        tool_calls=calls,
        observations=tuple(seen[one] for one in order),
        extra=extra,
        parent=parts[0].parent,
    )


def _of_some(extra: dict[str, Any], calls: tuple[Json, ...]) -> dict[str, Json]:
    """How the message is written where not all of its parts are here."""
    fields = {key: value for key, value in extra.get("fields", {}).items() if key != "content"}
    keys = [key for key in extra["keys"] if key != "tool_calls" or calls or "tool_calls" in fields]
    return {"keys": keys, "fields": fields}


def _seen(parts: Sequence[StepRecord]) -> tuple[list[int], list[Json], list[int]]:
    """All observations as they stand in the parts, their order in the whole, and where they stood in the file."""
    seen = [one for part in parts for one in part.observations]
    places: list[int] = []
    numbers: list[int] = []
    for part in parts:
        places += part.extra.get("observed_at", ())
        observed = part.extra[PART].get("observed")
        numbers += (
            observed if isinstance(observed, list) else range(len(numbers), len(numbers) + len(part.observations))
        )
    if len(numbers) != len(seen) or {type(one) for one in numbers} - {int}:
        numbers = list(range(len(seen)))
    order = sorted(range(len(seen)), key=lambda one: numbers[one])
    return order, seen, places if len(places) == len(seen) else []


def _is_text(step: StepRecord) -> bool:
    """Whether all its message says is text: pictures cannot be divided among parts."""
    fields = step.extra.get("fields") if isinstance(step.extra, dict) else None
    content = fields.get("content") if isinstance(fields, dict) else None
    if not isinstance(content, list):
        return not isinstance(content, dict)
    return all(isinstance(one, str) or (isinstance(one, dict) and isinstance(one.get("text"), str)) for one in content)


def _answers(step: StepRecord) -> list[list[int]]:
    """The places of the observations that answer each call: by id, else by order where there are as many."""
    found: list[list[int]] = [[] for _ in step.tool_calls]
    ids = {call.get("id"): place for place, call in enumerate(step.tool_calls) if call.get("id")}
    observations = list(step.observations)
    paired = len(observations) == len(found)
    for place, one in enumerate(observations):
        named = one.get("tool_call_id") if isinstance(one, dict) else None
        by_order = place if paired and named is None else len(found) - 1
        found[ids.get(named, len(found) - 1) if isinstance(named, str) else by_order].append(place)
    return found
