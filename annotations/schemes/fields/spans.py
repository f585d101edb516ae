"""Stretches of a step's text, each of a type, with what speaks for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field

from annotations.records import Json
from annotations.schemes.fields.base import NOTHING, Around, Choice, FieldSpec, Unit, is_text, is_whole

Part = Literal["message", "reasoning", "call", "observation"]
PLACE = re.compile(r"^(message|reasoning|(call|observation)-(0|[1-9]\d{0,4}))$")
KEYS = {"part", "start", "end", "type"}
MORE = {"evidence", "note"}


class SpansField(FieldSpec):
    """Stores a list of {"part", "start", "end", "type"}, in reading order, and where asked {"evidence", "note"}.

    `part` is a text of the step: message, reasoning, call-0 (the arguments of its first tool call), observation-0.
    `start` ≤ code point < `end` count Unicode code points of that text as it was imported, from 0. `evidence` is
    {"step", "part", "start", "end"} of another place, or {"text"} (a link, a quotation). Spans may overlap.
    """

    kind: Literal["spans"]
    level: Literal["spans"] = "spans"
    target: Literal["step"] = "step"
    types: tuple[Choice, ...] = Field(min_length=1)
    parts: tuple[Part, ...] = ("message",)
    evidence: Literal["", "optional", "required"] = ""
    overlap: bool = True

    @property
    def options(self) -> tuple[Choice, ...]:
        return self.types

    def problem(self) -> str:
        values = [one.value for one in self.types]
        if len(set(values)) != len(values):
            return "two types have the same value"
        return "types within types are not known" if any(one.choices for one in self.types) else ""

    def refusal(self, value: Json, around: Around = NOTHING) -> str:
        if not isinstance(value, list) or not value:
            return f"{self.name} takes a list of spans, not {value!r}"
        for number, span in enumerate(value):
            if reason := self._of_one(span, around):
                return f"{self.name}, span {number}: {reason}"
        if value != ordered(value):
            return f"{self.name} takes spans in reading order, each once"
        if not self.overlap and (both := _overlap(value)):
            return f"{self.name}: spans {both[0]} and {both[1]} overlap"
        return ""

    def _of_one(self, span: Json, around: Around) -> str:
        if not isinstance(span, dict) or not set(span) >= KEYS or set(span) - KEYS - MORE:
            return f"accepted is an object of part, start, end, type, and evidence or note, not {span!r}"
        types = self.values
        if not any(span["type"] == one and type(span["type"]) is type(one) for one in types):
            return f"type takes one of {', '.join(map(str, types))}, not {span['type']!r}"
        if not is_text(span.get("note", "-")):
            return "note takes a text that is not empty"
        if not isinstance(span["part"], str) or span["part"].split("-")[0] not in self.parts:
            return f"part takes {', '.join(self.parts)} (calls and observations numbered: call-0), not {span['part']!r}"
        return _bounds(span, around.lengths) or self._of_evidence(span, around)

    def _of_evidence(self, span: dict[str, Json], around: Around) -> str:
        if "evidence" not in span:
            return ""
        found = span["evidence"]
        if not self.evidence:
            return "evidence is not asked here"
        if isinstance(found, dict) and set(found) == {"text"} and is_text(found["text"]):
            return ""
        if not isinstance(found, dict) or set(found) != {"step", "part", "start", "end"}:
            return 'evidence takes {"step", "part", "start", "end"} or {"text"}'
        step = found["step"]
        if not is_whole(step) or step < 0:
            return f"evidence takes the index of a turn as step, not {step!r}"
        return (reason := _bounds(found, None)) and f"evidence: {reason}"

    def lacking(self, value: Json, around: Around = NOTHING) -> str:
        if self.evidence != "required":
            return ""
        without = sum("evidence" not in span for span in value)
        return f"the evidence of {without} span{'s' if without > 1 else ''}" if without else ""

    def accepted(self, around: Around = NOTHING) -> list[Json]:
        return ['a list of {"part", "start", "end", "type"}', f"type: {', '.join(map(str, self.values))}"]

    def in_order(self, value: Json) -> Json:
        whole = isinstance(value, list) and not any(self._of_one(span, NOTHING) for span in value)
        return found if whole and len(found := ordered(value)) == len(value) else value

    def json_schema(self, around: Around = NOTHING) -> dict[str, Json]:
        bound: dict[str, Json] = {"type": "integer", "minimum": 0}
        numbered = [part for part in self.parts if part in ("call", "observation")]
        plain = [part for part in self.parts if part not in numbered]
        patterns = [*plain, *(rf"{part}-(0|[1-9]\d{{0,4}})" for part in numbered)]
        part: dict[str, Json] = {"type": "string", "pattern": f"^({'|'.join(patterns)})$"}
        place = {"part": part, "start": bound, "end": {"type": "integer", "minimum": 1}}
        properties: dict[str, Json] = {**place, "type": {"enum": list(self.values)}}
        properties["note"] = {"type": "string", "pattern": r"\S"}
        if self.evidence:
            anywhere = {**place, "part": {"type": "string", "pattern": PLACE.pattern}, "step": bound}
            properties["evidence"] = {
                "anyOf": [_object(anywhere), _object({"text": {"type": "string", "pattern": r"\S"}})]
            }
        required = sorted(KEYS) + (["evidence"] if self.evidence == "required" else [])
        span = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
        return {"type": "array", "items": span, "minItems": 1}

    def units(self, value: Json) -> list[Unit]:
        return [Unit(span["part"], span["type"], {"start": span["start"], "end": span["end"]}) for span in value]

    def moved(self, value: Json, steps: Mapping[int, int]) -> Json:
        return None if None in (found := [_moved(span, steps) for span in value]) else found

    def words(self, value: Json) -> str:
        titles = {one.value: one.title for one in self.types}
        return ", ".join(
            f"{titles.get(span['type'], span['type'])} {span['part']} {span['start']}–{span['end']}" for span in value
        )

    def tone(self, value: Json) -> str:
        tones = [one.tone for one in self.types if any(span["type"] == one.value for span in value) and one.tone]
        return tones[0] if tones else "wrong"

    def sample(self, around: Around = NOTHING) -> Json:
        part = (
            "message"
            if "message" in self.parts
            else self.parts[0] + ("-0" if self.parts[0] in ("call", "observation") else "")
        )
        end = min(5, (around.lengths or {}).get(part, 5)) or 1
        more = {"evidence": {"text": "The page says 1994."}} if self.evidence else {}
        return [{"part": part, "start": 0, "end": end, "type": self.values[0], **more}]


def ordered(spans: Iterable[Mapping[str, Json]]) -> list[Mapping[str, Json]]:
    """In reading order, each stretch of a type once."""
    found = {(_rank(one["part"]), one["start"], one["end"], str(one["type"])): one for one in spans}
    return [found[key] for key in sorted(found)]


def _rank(part: str) -> tuple[int, int]:
    name, _, number = part.partition("-")
    return ("reasoning", "message", "call", "observation").index(name), int(number or 0)


def _bounds(place: Mapping[str, Json], lengths: Mapping[str, int] | None) -> str:
    part, start, end = place["part"], place["start"], place["end"]
    if not isinstance(part, str) or not PLACE.match(part):
        return f"part takes message, reasoning, call-0, observation-0 and so on, not {part!r}"
    if not (is_whole(start) and is_whole(end) and 0 <= start < end):
        return f"start and end take code points with 0 ≤ start < end, not {start!r} and {end!r}"
    if lengths is not None and end > lengths.get(part, 0):
        return f"{part} has {lengths.get(part, 0)} code points here, and the span ends at {end}"
    return ""


def _overlap(spans: list[Mapping[str, Json]]) -> tuple[int, int] | None:
    for place, (one, other) in enumerate(zip(spans, spans[1:], strict=False)):
        if one["part"] == other["part"] and other["start"] < one["end"]:
            return place, place + 1
    return None


def _moved(span: Mapping[str, Json], steps: Mapping[int, int]) -> Json:
    evidence = span.get("evidence", {})
    if "step" not in evidence:
        return dict(span)
    if evidence["step"] not in steps:
        return None
    return {**span, "evidence": evidence | {"step": steps[evidence["step"]]}}


def _object(properties: dict[str, Json]) -> dict[str, Json]:
    return {"type": "object", "properties": properties, "required": sorted(properties), "additionalProperties": False}
