"""Claude Code: the events of its sessions, one JSON object a line, as it keeps them and as it streams them.

A session is a trajectory, and so is every sub-agent (sidechain) in it, named "session/agent": its turns are another
agent's, under another prompt. `source_index` is the line, from 0. A conversation that was rewound is a tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from annotations.formats import claude_code_turns, naming
from annotations.formats.base import Item, LogFormat, Refused, found
from annotations.formats.lines import Line
from annotations.formats.loose import mapping, without
from annotations.formats.turns import words
from annotations.records import Json, Problem, StepRecord, TaskRecord, TrajectoryRecord

TURNS = ("user", "assistant")
KINDS = frozenset([*TURNS, "system", "summary", "result", "file-history-snapshot", "queue-operation", "progress"])
CONSTANT = ("cwd", "version", "gitBranch", "userType", "entrypoint", "slug", "agentId")
NOTES = ("summary", "customTitle", "aiTitle", "agentName", "lastPrompt", "prUrl")


@dataclass
class _Session:
    """The lines of one trajectory, with what is said of it beside its turns."""

    name: str
    sidechain: bool
    lines: list[Line] = field(default_factory=list)
    notes: list[Json] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)
    tools: Json = None


class ClaudeCode(LogFormat):
    name = "claude-code"
    title = "Claude Code sessions (JSONL)"
    keeps = (
        "Turns with thinking, tool calls and results, sub-agents as trajectories of their own, rewound branches, "
        "models, token counts, summaries, ids and times."
    )
    loses = (
        "Signatures of thinking, the program's own copy of a result (toolUseResult), notices of progress, "
        "queues and file snapshots."
    )

    def recognises(self, value: Json) -> bool:
        if not isinstance(value, dict) or words(value, "type") not in KINDS:
            return False
        named = any(isinstance(value.get(key), str) for key in ("sessionId", "session_id"))
        if value["type"] in TURNS:
            return named and isinstance(value.get("message"), dict) and "role" in value["message"]
        return named or isinstance(value.get("leafUuid"), str) or isinstance(value.get("snapshot"), dict)

    def gathered(self, rows: Iterator[Line], file: str) -> Iterator[Item]:
        sorter = _Sorter()
        for row in rows:
            try:
                if row.reason:
                    raise Refused("", row.reason)
                if row.doubled:
                    yield _problem(row, file, row.doubled, "found the key twice in one object; the last one counts")
                sorter.take(row)
            except Refused as refused:
                yield _problem(row, file, refused.field, refused.reason)
        for session in sorter.end():
            yield _item(session, file)


class _Sorter:
    """Puts lines with their sessions. A sub-agent is known by its id, else by the line that its lines go back to."""

    def __init__(self) -> None:
        self.sessions: dict[tuple[str, str], _Session] = {}
        self._of: dict[str, tuple[str, str]] = {}
        self._loose: list[dict[str, Any]] = []

    def take(self, row: Line) -> None:
        value = row.value
        if not isinstance(value, dict):
            raise Refused("", f"found {found(value)}; accepted is a JSON object a line")
        kind = value.get("type")
        if not isinstance(kind, str) or not kind:
            said = found(kind) if "type" in value else "nothing"
            raise Refused("type", f"found {said}; accepted is the kind of event, such as user or assistant")
        if kind in TURNS:
            claude_code_turns.content_of(value)
        if kind not in TURNS and not _session(value):
            self._loose.append(value)  # a summary names the line that it is of, which may come after it
            return
        session = self._session(value)
        session.lines.append(row)
        session.notes.extend({key: value[key]} for key in NOTES if key in value)
        if kind == "result":
            session.result = without(value, "type", "session_id", "uuid")
        if value.get("subtype") == "init":
            session.tools = value.get("tools")

    def end(self) -> list[_Session]:
        for value in self._loose:
            if session := self.sessions.get(self._of.get(words(value, "leafUuid"), ("", ""))):
                session.notes.extend({key: value[key]} for key in NOTES if key in value)
        return list(self.sessions.values())

    def _session(self, value: dict[str, Any]) -> _Session:
        name, agent = _session(value), words(value, "agentId") or words(value, "parent_tool_use_id")
        if not agent and value.get("isSidechain") is True:
            before = self._of.get(words(value, "parentUuid"), (name, ""))
            agent = before[1] or words(value, "uuid") or "sidechain"
        key = (name, agent)
        if uuid := words(value, "uuid"):
            self._of[uuid] = key
        called = f"{name}/{agent}" if agent else name
        return self.sessions.setdefault(key, _Session(called, bool(agent)))


def _session(value: dict[str, Any]) -> str:
    return words(value, "sessionId") or words(value, "session_id")


def _item(session: _Session, file: str) -> Item:
    first = session.lines[0]
    replaced = sum(row.replaced for row in session.lines)
    original = b"\n".join(row.raw for row in session.lines)
    shared = {key: first.value[key] for key in CONSTANT if key in first.value}
    steps = claude_code_turns.steps_of(session.lines, shared)
    if not any(step.source == "agent" for step in steps):
        reason = f"session {session.name[:80] or 'without a name'}: found no message of type assistant; accepted is one"
        return Item(first.number, None, (Problem(file, first.number, "", reason),), replaced, original)
    return Item(first.number, _record(session, steps, shared), (), replaced, original)


def _record(session: _Session, steps: tuple[StepRecord, ...], shared: dict[str, Any]) -> TrajectoryRecord:
    asked = next((step.message for step in steps if step.source == "user" and not _is_meta(step)), "")
    fields = shared | ({"notes": session.notes} if session.notes else {})
    if session.result:
        fields["result"] = without(session.result, "result")
    return TrajectoryRecord(
        task=TaskRecord(
            external_id=naming.hashed(asked) if asked else naming.prompt_id(steps),
            instruction=asked,
            tools=session.tools,
        ),
        steps=steps,
        external_id=session.name[: naming.NAME],
        policy_model=claude_code_turns.model_of(row.value for row in session.lines)[:200],
        outcome=_outcome(session.result),
        meta={"sidechain": True} if session.sidechain else {},
        extra={"fields": fields},
    )


def _outcome(result: dict[str, Any]) -> Json:
    said = {"answer": result.get("result"), "is_error": result.get("is_error"), "cost": result.get("total_cost_usd")}
    return {key: one for key, one in said.items() if one is not None} or None


def _is_meta(step: StepRecord) -> bool:
    return mapping(step.extra.get("fields")).get("isMeta") is True


def _problem(row: Line, file: str, place: str, reason: str) -> Item:
    return Item(row.number, None, (Problem(file, row.number, place, reason),), row.replaced, row.raw)
