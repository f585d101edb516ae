"""Recordings of a terminal (asciinema, versions 1 to 3) as commands and what was printed after them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from annotations.formats.base import Refused, found
from annotations.formats.turns import number
from annotations.records import Json, StepRecord

_CONTROL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)|[@-Z\\-_=>])|[\x00-\x08\x0b-\x0c\x0e-\x1f]"
)
_PROMPT = re.compile(r"^(?:[^\n$#%❯]{1,100}[#%]|[^\n$#%❯]{0,100}[$❯])[ \t]+(\S[^\n]*)$", re.MULTILINE)


def is_header(value: Json) -> bool:
    if not isinstance(value, dict) or isinstance(value.get("version"), bool):
        return False
    sized = ("width" in value and "height" in value) or isinstance(value.get("term"), dict)
    return sized and (
        value.get("version") in (2, 3) or value.get("version") == 1 and isinstance(value.get("stdout"), list)
    )


def steps_of(events: Sequence[Json], *, timed_only: bool) -> tuple[StepRecord, ...]:
    """Commands by what was typed, where that was recorded, else by the prompts in what was printed; without either,
    the recording is one step. `timed_only`: events are pairs of a time and what was printed."""
    told = [_event(event, place, timed_only=timed_only) for place, event in enumerate(events)]
    if not told:
        raise Refused("", "found a recording without events; accepted is one with at least one")
    typed = any(code == "i" for code, _ in told)
    return tuple(_typed(told) if typed else _prompted([text if code == "o" else "" for code, text in told]))


def _event(event: Json, place: int, *, timed_only: bool) -> tuple[str, str]:
    good = isinstance(event, list) and len(event) == (2 if timed_only else 3) and number(event[0])
    if not good or not all(isinstance(one, str) for one in event[1:]):
        raise Refused(f"events[{place}]", f"found {found(event)}; accepted is a list of a time, a kind and a text")
    return ("o", event[1]) if timed_only else (event[1], event[2])


def _typed(told: list[tuple[str, str]]) -> list[StepRecord]:
    """A command ends with a return; what is printed then, up to the next return, came of it."""
    steps: list[StepRecord] = []
    index, line, printed, started = 0, "", "", 0
    command: str | None = None
    for place, (code, text) in enumerate(told, start=1):
        if code == "o":
            printed += text
        elif code == "i":
            for letter in _CONTROL.sub("", text):
                if letter in "\r\n":
                    steps += _made(command, index, printed)
                    index, command, line, printed = max(started or place, index + 1), line, "", ""
                    started = 0
                elif letter == "\x7f":
                    line = line[:-1]
                else:
                    line, started = line + letter, started or place
    steps += _made(command, index, printed)
    if line:  # a return never came
        steps += _made(line, max(started, index + 1), "")
    if not any(step.source == "agent" for step in steps):
        raise Refused("", "found a recording in which nothing was typed; accepted is one with a command")
    return steps


def _made(command: str | None, index: int, printed: str) -> list[StepRecord]:
    if command is None:
        return [StepRecord("system", 0, printed)] if printed.strip() else []
    named = f"command-{index}"
    return [
        StepRecord(
            "agent",
            index,
            tool_calls=({"id": named, "name": "bash", "arguments": command},),
            observations=({"role": "tool", "tool_call_id": named, "name": "output", "content": printed},)
            if printed
            else (),
        )
    ]


def _prompted(printed: list[str]) -> list[StepRecord]:
    cleaned = [_CONTROL.sub("", text).replace("\r\n", "\n").replace("\r", "") for text in printed]
    begins, length = [], 0
    for text in cleaned:
        begins.append(length)
        length += len(text)
    whole = "".join(cleaned)
    hits = list(_PROMPT.finditer(whole))
    if not hits:
        return [StepRecord("agent", 1, observations=({"role": "tool", "name": "output", "content": "".join(printed)},))]
    steps = _made(None, 0, whole[: hits[0].start()])
    index, event = 0, 0
    for place, hit in enumerate(hits):
        while event + 1 < len(begins) and begins[event + 1] <= hit.start():
            event += 1
        index = max(event + 1, index + 1)
        end = hits[place + 1].start() if place + 1 < len(hits) else len(whole)
        steps += _made(hit[1], index, whole[hit.end() + 1 : end])
    return steps
