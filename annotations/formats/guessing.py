"""A first guess at where things are in JSON that no format knows: what somebody then corrects by pointing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from annotations.formats.loose import loaded
from annotations.formats.pointers import USUAL
from annotations.formats.pointing import at, places
from annotations.records import Json

ROLE = ("role", "from", "speaker", "author", "source", "sender", "type", "name", "agent")
CONTENT = ("content", "value", "text", "message", "utterance", "body", "output", "action", "thought", "step")
REASONING = ("reasoning_content", "reasoning", "thinking", "thought")
CALLS = ("tool_calls", "function_call", "calls")
NAMED: dict[str, Sequence[str]] = {
    "prompt": ("question", "problem", "prompt", "instruction", "query", "task", "input", "goal"),
    "system": ("system", "system_prompt", "system_message"),
    "id": ("id", "uid", "uuid", "trajectory_id", "example_id", "record_id", "idx"),
    "task": ("task_id", "question_id", "problem_id", "instance_id", "query_id"),
    "rollout": ("rollout", "sample_index", "trial", "epoch", "sample", "attempt"),
    "model": ("model", "model_name", "generator", "policy", "policy_model"),
    "source": ("data_source", "dataset", "source", "domain"),
    "tools": ("tools", "functions"),
    "reference": ("reference", "ground_truth", "answer", "target", "gold", "solution"),
    "answer": ("prediction", "final_answer", "answer_text", "response", "completion"),
    "reward": ("reward", "score", "success", "correct"),
    "labels": ("labels", "step_labels", "ratings", "annotations", "step_scores"),
    "first_error": ("first_error", "mistake_index", "error_step", "first_error_step", "label"),
    "final": ("final_label", "outcome_label", "verdict"),
}
STEPS = ("step", "turn", "thought", "action", "move", "solution step")
LABELS = ("label", "rating", "grade", "step label", "step_label", "correct", "score")
WHOLE = ("trajectory", "rollout", "conversation", "dialogue", "session", "run", "episode")
GROUP = (*(f"{of}_id" for of in WHOLE), *WHOLE)
TURN_LABEL = ("label", "step_label", "rating", "grade")
TURN = {"role": ROLE, "content": CONTENT, "reasoning": REASONING, "tool_calls": CALLS}


def guess(value: Json) -> dict[str, Any]:
    """Pointers for a file that begins with this value; empty where nothing in it looks like turns or steps."""
    if columns := _columns(value):
        return columns | _about(value, set(",".join(columns.values()).replace(" ", "").split(",")))
    best = max(_candidates(value), key=lambda one: one[0], default=None)
    if best is None:
        return {}
    _, records, path, turns = best
    row = _first(at(value, records)) if records else value
    found: dict[str, Any] = {"records": records, "turns": path}
    if isinstance(turns[0], dict):
        found |= {name: key for name, names in TURN.items() if (key := _key(turns[0], names, found.values()))}
        if "role" in found and not _speaks(turns, found["role"]):
            del found["role"]
    found |= _about(row, {path.split(".")[0]})
    return found | ({"base": 1} if _from_one(found, row) else {})


def _about(row: Json, taken: set[str]) -> dict[str, str]:
    """What is said of the task, the rollout and its labels, in keys that are not taken."""
    found: dict[str, str] = {}
    for name, names in NAMED.items():
        if (key := _key(row, names, taken)) and _fits(name, at(row, key)):
            found[name] = key
            taken.add(key)
    return found


def _columns(row: Json) -> dict[str, str]:
    """Of a table's row: steps in numbered columns, or a step that names its rollout; nothing where it is neither."""
    if not isinstance(row, dict) or any(isinstance(loaded(one), list | dict) for one in row.values()):
        return {}
    families: dict[str, list[str]] = {}
    for key in row:
        if key != (stem := re.sub(r"[ _.-]*\d+", "", key)):
            families.setdefault(stem, []).append(key)
    steps = next((keys for stem, keys in families.items() if stem.lower() in STEPS and len(keys) > 1), [])
    labels = next((keys for stem, keys in families.items() if stem.lower() in LABELS and len(keys) == len(steps)), [])
    if steps:
        return {"turns": ", ".join(steps)} | ({"labels": ", ".join(labels)} if labels else {})
    group, content = _key(row, GROUP, ()), _key(row, CONTENT, ())
    if not group or not isinstance(row.get(content), str):
        return {}
    role, label = _key(row, ROLE, (group, content)), _key(row, TURN_LABEL, ())
    spoken = {"role": role} if role and _speaks([row], role) else {}
    return {"group": group, "content": content} | spoken | ({"turn_label": label} if label else {})


def _candidates(value: Json) -> Iterator[tuple[float, str, str, list[Json]]]:
    """Lists that may be turns: how well each looks, where its record is, and where it is in that."""
    for path, one in [("", value), *places(value)]:
        one = loaded(one)
        if not isinstance(one, list) or not one or not path:
            continue
        score = _looks(one)
        if not score:
            continue
        parts = path.split(".")
        records, inner = "", path
        if "0" in parts:  # the list lies in an element of a list of records
            cut = parts.index("0")
            records, inner = ".".join(parts[:cut]), ".".join(parts[cut + 1 :])
        if inner and "0" not in inner.split("."):
            yield score - len(parts) / 100, records, inner, one


def _looks(turns: list[Json]) -> float:
    if all(isinstance(one, dict) for one in turns):
        role = _key(turns[0], ROLE, ())
        content = _key(turns[0], CONTENT, (role,))
        return 2.0 * bool(role and _speaks(turns, role)) + bool(content)
    texts = [one for one in turns if isinstance(one, str)]
    return 0.5 + (sum(map(len, texts)) / len(texts) > 20) if len(texts) == len(turns) and len(turns) > 1 else 0


def _speaks(turns: list[Json], key: str) -> bool:
    said = [one.get(key) for one in turns if isinstance(one, dict)]
    return any(isinstance(one, str) and one.lower() in USUAL for one in said)


def _key(row: Json, names: Sequence[str], taken: Any) -> str:
    return next((name for name in names if isinstance(row, dict) and name in row and name not in taken), "")


def _fits(name: str, value: Json) -> bool:
    fits: dict[str, Callable[[Json], bool]] = {
        "labels": lambda one: isinstance(loaded(one), list | dict),
        "first_error": lambda one: one is None or (isinstance(one, int) and not isinstance(one, bool)),
        "tools": lambda one: isinstance(loaded(one), list),
        "rollout": lambda one: isinstance(one, int) and not isinstance(one, bool) and one >= 0,
        "reference": lambda one: one is not None,
        "answer": lambda one: one is not None,
        "reward": lambda one: isinstance(one, int | float | bool),
        "final": lambda one: one is not None,
    }
    return fits.get(name, lambda one: isinstance(one, str | int) and not isinstance(one, bool))(value)


def _first(rows: Json) -> Json:
    rows = loaded(rows)
    if isinstance(rows, dict):
        return next(iter(rows.values()), None)
    return rows[0] if isinstance(rows, list) and rows else None


def _from_one(found: dict[str, Any], row: Json) -> bool:
    """Whether labels are keyed from 1: they name a 1 and no 0."""
    keys = loaded(at(row, found["labels"])) if "labels" in found else None
    return isinstance(keys, dict) and "1" in keys and "0" not in keys
