"""Traces of a terminal: commands with what they printed and how they ended, as rows or in one object, and recordings.

A command is a step. Rows belong together by their session, else all of a file do. `source_index` is the place of the
command counted from 1, since 0 is what was asked; in a recording (asciinema) that of the event, counted likewise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotations.formats import naming, terminal_casts
from annotations.formats.base import Item, LogFormat, Refused, found
from annotations.formats.lines import Line
from annotations.formats.loose import listed, without
from annotations.formats.turns import number, words
from annotations.records import Json, Problem, StepRecord, TaskRecord, TrajectoryRecord

COMMANDS = ("command", "cmd", "keystrokes")
PRINTED = ("stdout", "output", "stderr")
ENDED = ("exit_code", "exitCode", "returncode", "return_code", "exit_status", "exit")
LISTS = ("commands", "trace", "steps", "history", "interactions", "entries", "events")
SESSIONS = ("session_id", "session", "sessionId", "trajectory_id", "run_id", "episode_id", "trace_id")
THOUGHTS = ("thought", "reasoning", "explanation", "comment")
SECONDS = ("duration", "duration_s", "elapsed", "execution_time", "time")
ASKED = ("instruction", "task", "goal", "prompt", "question")
CAME = ("success", "resolved", "reward", "score", "answer", "passed")


@dataclass
class _Session:
    """The rows of one trajectory, or the one object that holds them, or a recording's header with its events."""

    name: str = ""
    lines: list[Line] = field(default_factory=list)
    whole: dict[str, Any] = field(default_factory=dict)
    cast: bool = False

    @property
    def rows(self) -> list[Json]:
        key = next((key for key in LISTS if key in self.whole), "") if self.whole else ""
        return list(self.whole[key]) if key else [line.value for line in self.lines]


class Terminal(LogFormat):
    name = "terminal"
    title = "Terminal traces (commands, asciinema)"
    keeps = (
        "Commands, standard output, standard error, exit codes, times, sessions, tasks; recordings with their events."
    )
    loses = "The timing of recordings, and their colours where nobody's typing was recorded."

    def recognises(self, value: Json) -> bool:
        return _is_command(value) or bool(_list_of(value)) or terminal_casts.is_header(value)

    def gathered(self, rows: Iterator[Line], file: str) -> Iterator[Item]:
        sessions: dict[object, _Session] = {}
        cast: _Session | None = None
        for row in rows:
            value = row.value
            if row.reason:
                yield _problem(row, file, "", row.reason)
            elif terminal_casts.is_header(value):
                cast = sessions[row.number] = _Session(whole=value, lines=[row], cast=True)
            elif cast and isinstance(value, list):
                cast.lines.append(row)
            elif _list_of(value):
                sessions[row.number] = _Session(_session(value), [row], value)
            elif _is_command(value):
                sessions.setdefault(name := _session(value), _Session(name)).lines.append(row)
            else:
                yield _problem(row, file, "", f"found {found(value)}; accepted is an object with command and stdout")
        for session in sessions.values():
            yield _item(session, file)


def _is_command(value: Json) -> bool:
    if not isinstance(value, dict) or _command(value) is None:
        return False
    return any(key in value for key in (*PRINTED, *ENDED))


def _command(row: dict[str, Any]) -> str | None:
    """The command, of a list of arguments its words; None where there is none."""
    said = next((row[key] for key in COMMANDS if key in row), None)
    if isinstance(said, list) and said and all(isinstance(one, str) for one in said):
        return " ".join(said)
    return said if isinstance(said, str) else None


def _list_of(value: Json) -> list[Json]:
    """The commands that an object holds, where that is what it is."""
    if not isinstance(value, dict) or _command(value) is not None:
        return []
    rows = next((listed(value[key]) for key in LISTS if key in value), [])
    return rows if rows and all(_is_command(one) for one in rows[:20]) else []


def _session(row: dict[str, Any]) -> str:
    named = next((row[key] for key in SESSIONS if isinstance(row.get(key), (str, int))), "")
    return str(named)[: naming.NAME]


def _problem(row: Line, file: str, place: str, reason: str) -> Item:
    return Item(row.number, None, (Problem(file, row.number, place, reason),), row.replaced, row.raw)


def _item(session: _Session, file: str) -> Item:
    first, replaced = session.lines[0], sum(row.replaced for row in session.lines)
    original = b"\n".join(row.raw for row in session.lines)
    try:
        record = _of_cast(session) if session.cast else _of_rows(session)
    except Refused as refused:
        problem = Problem(file, first.number, refused.field, refused.reason)
        return Item(first.number, None, (problem,), replaced, original)
    return Item(first.number, record, (), replaced, original)


def _of_cast(session: _Session) -> TrajectoryRecord:
    head = session.whole
    events = listed(head.get("stdout")) if head.get("version") == 1 else [line.value for line in session.lines[1:]]
    steps = terminal_casts.steps_of(events, timed_only=head.get("version") == 1)
    asked = words(head, "title")
    return TrajectoryRecord(
        task=TaskRecord(external_id=naming.hashed(asked or [step.message for step in steps[:1]]), instruction=asked),
        steps=steps,
        extra={"fields": without(head, "stdout")},
    )


def _of_rows(session: _Session) -> TrajectoryRecord:
    rows = session.rows
    about = session.whole or rows[0]
    asked = next((about[key] for key in ASKED if isinstance(about.get(key), str) and about[key]), "")
    steps = [_step(row, place) for place, row in enumerate(rows, start=1)]
    named = naming.name(about, "task_id")
    opening = [StepRecord("user", 0, asked)] if asked else []
    came = {key: about[key] for key in CAME if key in about} if session.whole else {}
    return TrajectoryRecord(
        task=TaskRecord(
            external_id=named or naming.hashed(asked or [session.name, steps[0].tool_calls]), instruction=asked
        ),
        steps=(*opening, *steps),
        external_id=session.name,
        policy_model=(words(about, "model") or words(about, "model_name"))[:200],
        outcome=came or None,
        extra={"fields": without(session.whole, *LISTS, *CAME, "task_id")} if session.whole else {},
    )


def _step(row: Json, place: int) -> StepRecord:
    if not isinstance(row, dict) or (command := _command(row)) is None:
        raise Refused(f"commands[{place - 1}]", f"found {found(row)}; accepted is an object with command and stdout")
    named = f"command-{place}"
    printed = [(key, row[key]) for key in PRINTED if row.get(key) not in (None, "")]
    code = next((row[key] for key in ENDED if row.get(key) is not None), None)
    if code is not None:
        printed.append(("exit code", str(code) if isinstance(code, (int, float)) else code))
    thought = next((row[key] for key in THOUGHTS if isinstance(row.get(key), str)), "")
    seconds = next((row[key] for key in SECONDS if number(row.get(key))), None)
    values = {"exit_code": code if number(code) else None, "seconds": seconds}
    values = {key: one for key, one in values.items() if one is not None}
    fields = _rest(row, thought)
    return StepRecord(
        source="agent",
        source_index=place,
        message=thought,
        tool_calls=({"id": named, "name": "bash", "arguments": command},),
        observations=tuple(
            {"role": "tool", "tool_call_id": named, "name": key, "content": one} for key, one in printed
        ),
        extra=({"fields": fields} if fields else {}) | ({"values": values} if values else {}),
    )


def _rest(row: dict[str, Any], thought: str) -> dict[str, Json]:
    """What else the row says, and a command that is a list, as it was written."""
    told: Sequence[str] = (*PRINTED, *ENDED, *SESSIONS, "task_id", *ASKED)
    rest = {key: one for key, one in row.items() if key not in told and not (isinstance(one, str) and key in COMMANDS)}
    return {key: one for key, one in rest.items() if not (key in THOUGHTS and one == thought)}
