"""Proofs in Lean as their tactics, each with the goals before and after it: plain traces, and LeanDojo's theorems.

A tactic is a step, the goals after it are its observation. `source_index` is the tactic's place counted from 1, since
0 is the theorem. A tactic that names the one it was tried after (`parent`) makes the proof a tree.
"""

from __future__ import annotations

from typing import Any

from annotations.formats import naming
from annotations.formats.base import LineFormat, Refused, found, whole
from annotations.formats.loose import listed, loaded, mapping, objects, without
from annotations.formats.turns import number, words
from annotations.records import Json, StepRecord, TaskRecord, TrajectoryRecord

LISTS = ("traced_tactics", "tactics", "proof_steps", "tactic_steps", "steps", "proof", "trace")
STATEMENTS = ("statement", "theorem_statement", "formal_statement", "theorem", "lean_statement", "goal")
NAMES = ("full_name", "theorem_name", "name", "task_id", "id")
TACTICS = ("tactic", "tactic_text")
BEFORE = ("state_before", "goals_before", "stateBefore", "goalsBefore")
AFTER = ("state_after", "goals_after", "stateAfter", "goalsAfter", "goals", "result")
ERRORS = ("error", "message", "error_message")
THOUGHTS = ("thought", "reasoning", "comment", "explanation")
VALUES = ("score", "logprob", "value", "reward", "visits", "q", "prior", "time", "elapsed")
CAME = ("proved", "success", "complete", "status", "reward", "score")
MODELS = ("model", "prover", "policy_model")


class Lean(LineFormat):
    name = "lean"
    title = "Lean tactics, LeanDojo theorems"
    keeps = "Theorems, tactics, goals before and after, errors, premises, numbers, branches, whether it was proved."
    loses = "Nothing; goals before a tactic stand in the step only where they are not those after the one before."

    def recognises(self, value: Json) -> bool:
        if not isinstance(value, dict):
            return False
        key = _key(value)
        stated = any(isinstance(value.get(one), str) for one in (*STATEMENTS, *NAMES)) or "file_path" in value
        return (
            bool(key)
            and objects(loaded(value[key]))
            and all(_is_tactic(one) for one in loaded(value[key])[:20])
            and (key == "traced_tactics" or stated or _has(loaded(value[key])[0], (*BEFORE, *AFTER)))
        )

    def record(self, row: dict[str, Any]) -> TrajectoryRecord:
        key = _key(row) or "tactics"
        tactics = loaded(row.get(key))
        if not isinstance(tactics, list) or not tactics:
            raise Refused(key, f"found {found(tactics)}; accepted is a list of tactics, one or more")
        statement = next((row[one] for one in STATEMENTS if isinstance(row.get(one), str) and row[one]), "")
        name, model = _used(row, NAMES), _used(row, MODELS)
        named = naming.name(row, name) if name else ""
        begin = _first(tactics[0], BEFORE) if isinstance(tactics[0], dict) else None
        asked = statement or (_goals(begin) if begin is not None else "") or named
        steps = _steps(tactics, key, _goals(begin) if begin is not None else "")
        came = {one: row[one] for one in CAME if one in row}
        return TrajectoryRecord(
            task=TaskRecord(
                external_id=named or naming.hashed(asked),
                source=words(row, "url")[:200],
                instruction=asked,
                reference=row.get("reference_proof"),
            ),
            steps=(StepRecord("user", 0, asked), *steps),
            rollout=whole(row, "rollout", required=False),
            policy_model=words(row, model)[:200],
            outcome=came or None,
            extra={"fields": _rest(row, key, name, model)},
        )


def _rest(row: dict[str, Any], key: str, name: str, model: str) -> dict[str, Json]:
    texts = [one for one in ("url", model) if words(row, one)]
    return without(row, key, *CAME, name, *texts, "reference_proof", "rollout")


def _key(row: dict[str, Any]) -> str:
    """Where the tactics are."""
    return next((key for key in LISTS if isinstance(loaded(row.get(key)), list)), "")


def _is_tactic(value: Json) -> bool:
    return isinstance(value, dict) and any(isinstance(value.get(key), str) for key in TACTICS)


def _has(value: Json, keys: tuple[str, ...]) -> bool:
    return any(key in mapping(value) for key in keys)


def _used(row: dict[str, Any], keys: tuple[str, ...]) -> str:
    """The first of the keys that says something."""
    return next((key for key in keys if row.get(key) not in (None, "")), "")


def _first(row: dict[str, Any], keys: tuple[str, ...]) -> Json:
    return row.get(_used(row, keys))


def _steps(tactics: list[Json], key: str, goals: str) -> list[StepRecord]:
    steps: list[StepRecord] = []
    tree = any(isinstance(one, dict) and one.get("parent") is not None for one in tactics)
    for place, one in enumerate(tactics):
        if not _is_tactic(one):
            raise Refused(f"{key}[{place}]", f"found {found(one)}; accepted is an object with tactic")
        parent = _parent(one, key, place) if tree else None
        steps.append(_step(one, place, goals, parent))
        after = _first(one, AFTER)
        goals = _goals(after) if after is not None else ""
    return steps


def _parent(one: dict[str, Any], key: str, place: int) -> int:
    """The place of the step it was tried after; that of the theorem is 0."""
    said = one.get("parent")
    if said is None or said == -1:
        return 0
    if isinstance(said, bool) or not isinstance(said, int) or not 0 <= said < place:
        raise Refused(f"{key}[{place}].parent", f"found {found(said)}; accepted is the place of a tactic before it")
    return said + 1


def _step(one: dict[str, Any], place: int, known: str, parent: int | None) -> StepRecord:
    said = next(key for key in TACTICS if isinstance(one.get(key), str))
    thought, after = words(one, used := _used(one, THOUGHTS)), _first(one, AFTER)
    fields = without(one, said, _used(one, AFTER), *ERRORS, "parent", used if thought else "")
    fields = {key: value for key, value in fields.items() if key not in BEFORE or _goals(value) != known}
    seen: list[Json] = []
    if after is not None:
        seen.append({"role": "tool", "name": "goals", "content": _goals(after) or "no goals"})
    for key in ERRORS:
        if one.get(key) not in (None, ""):
            seen.append({"role": "tool", "name": key, "content": one[key]})
    values = {key: one[key] for key in VALUES if number(one.get(key))}
    return StepRecord(
        source="agent",
        source_index=place + 1,
        message=one[said],
        reasoning=thought,
        observations=tuple(seen),
        extra=({"fields": fields} if fields else {}) | ({"values": values} if values else {}),
        parent=parent,
    )


def _goals(state: Json) -> str:
    """Goals as Lean prints them, however a trace holds them: a text, a list of texts, or of objects that print."""
    if isinstance(state, str):
        return state
    if isinstance(state, dict):
        return _goals(next((state[key] for key in ("pp", "goals", "goal", "state", "type") if key in state), None))
    return "\n\n".join(one for one in map(_goals, listed(state)) if one)
