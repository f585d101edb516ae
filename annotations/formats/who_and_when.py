"""Who&When: the log of a team of agents that failed, and the one step that decided it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from annotations.formats import naming
from annotations.formats.base import LabelRecord, LineFormat, Refused, found, text
from annotations.formats.chat import text_of
from annotations.records import Json, RatingRecord, StepRecord, TaskRecord, TrajectoryRecord

OUTCOMES = ("is_correct", "is_corrected")
REFERENCES = ("ground_truth", "groundtruth")
MAPPED = frozenset(["history", "question", "question_ID", "mistake_step", "mistake_reason", *OUTCOMES, *REFERENCES])
# Who speaks in the logs without being an agent: the person who asks, and what runs code.
OTHERS = re.compile(r"(human|user|user_proxy|system|environment|tool|computer_?terminal|terminal)", re.IGNORECASE)
ASIDE = re.compile(r"\s*\((?:thought|->.*)\)\s*$", re.DOTALL)
ROLES = frozenset(["assistant", "user", "system", "tool", "function"])


class WhoAndWhen(LineFormat):
    """Every entry of an agent is a step; what a person or the terminal says is context, unless the mistake is said to
    be theirs. The data name the decisive mistake, the one without which the run would have succeeded, and nothing
    else. It is the wrong step of the preset processbench, which is about one wrong step and says itself that what
    comes after is not asked. The steps before it get no label here: that a step did not decide the run does not make
    it right. In a project under that preset its own rule fills them in, as filled in by a rule; under any other the
    mistake alone is labelled."""

    name = "who-and-when"
    title = "Who&When"
    keeps = "Every entry with who spoke, the decisive step and why it is that, question, answer, and all other fields."
    loses = "Nothing is written in this format."

    def recognises(self, row: Json) -> bool:
        return isinstance(row, dict) and isinstance(row.get("history"), list) and "mistake_step" in row

    def records(self, value: Any) -> Iterable[TrajectoryRecord | LabelRecord | Refused]:
        if not isinstance(value, dict):
            raise Refused("", f"found {found(value)}; accepted is one JSON object a run")
        record = self.record(value)
        return (record, *_unplaced(value, record))

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        mistake = _number(row.get("mistake_step"))
        steps = _steps(row.get("history"), mistake, text(row, "mistake_agent", 200))
        reference = next((row[key] for key in REFERENCES if row.get(key) is not None), None)
        question = text(row, "question")
        return TrajectoryRecord(
            task=TaskRecord(
                naming.name(row, "question_ID") or naming.hashed(question or steps[0].message),
                source=self.name,
                instruction=question,
                reference=reference,
            ),
            steps=steps,
            outcome={key: row[key] for key in OUTCOMES if key in row} or None,
            extra={"fields": {key: one for key, one in row.items() if key not in MAPPED}},
            rating=_rating(row, mistake, steps),
        )


def _steps(history: Json, mistake: int | None, blamed: str) -> tuple[StepRecord, ...]:
    if not isinstance(history, list) or not history:
        raise Refused("history", f"found {found(history)}; accepted is a list of entries with content and role")
    steps = tuple(_step(one, place, blamed if place == mistake else "") for place, one in enumerate(history))
    if all(step.source != "agent" for step in steps):
        raise Refused("history", "found no entry of an agent; accepted is one at least")
    return steps


def _step(entry: Json, place: int, blamed: str) -> StepRecord:
    at = f"history[{place}]"
    if not isinstance(entry, dict):
        raise Refused(at, f"found {found(entry)}; accepted is an object with content and role")
    role, name = entry.get("role"), entry.get("name")
    if not isinstance(role, str) and not isinstance(name, str):
        raise Refused(f"{at}.role", f"found {found(role)}; accepted is who speaks, as role or name")
    who = name if isinstance(name, str) and name else str(role)
    agent = blamed != "" and _plain(who) == _plain(blamed) or not OTHERS.fullmatch(_plain(who))
    source = "agent" if agent or who == "assistant" else "system" if who == "system" else "user"
    content = entry.get("content")
    fields = {key: one for key, one in entry.items() if key not in ("content", "role", "name")}
    if content is not None and not isinstance(content, str):
        fields["content"] = content
    if isinstance(name, str) and role is not None:
        fields["said_as"] = role
    keys = ["role", "content"]
    if who not in ROLES:
        keys, fields = [*keys, "name"], {"name": who} | fields
    return StepRecord(source, place, text_of(content), extra={"keys": keys, "fields": fields} if fields else {})


def _plain(who: str) -> str:
    """Who it is, without what they are doing: "Orchestrator (thought)" is the Orchestrator."""
    return ASIDE.sub("", who).strip().lower()


def _number(value: Json) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,9}\s*", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _rating(row: dict[str, Any], mistake: int | None, steps: tuple[StepRecord, ...]) -> RatingRecord | None:
    if mistake is None or mistake >= len(steps) or steps[mistake].source != "agent":
        return None
    reason = text(row, "mistake_reason")
    return RatingRecord({mistake: -1}, explanations={mistake: reason} if reason else {}, scheme="processbench")


def _unplaced(row: dict[str, Any], record: TrajectoryRecord) -> list[Refused]:
    """What is to be said of a mistake that is at no step of an agent."""
    if record.rating or row.get("mistake_step") is None:
        return []
    accepted = f"accepted is the place of an agent's entry in the history, 0 to {len(record.steps) - 1}"
    return [Refused("mistake_step", f"found {found(row['mistake_step'])}; {accepted}. The run stays without a label")]
