"""What the deployment's scorers need, whether it is here, and whether one of them works: loaded and tried."""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.utils.module_loading import import_string

from annotations.records import StepRecord, TaskRecord, TrajectoryRecord
from models_service.scorers import load
from models_service.scorers.base import CannotScore, Scored, checked
from models_service.scorers.checkpoints import Checkpoint, UnfitModel

FOLDERS = ("model", "reference", "folder")  # options that name a model's folder
LIBRARIES = ("torch", "transformers", "safetensors")  # what such a folder is read with


@dataclass(frozen=True)
class Entry:
    """A scorer of the deployment. `lacks` says what is not here of what it needs; empty where all is."""

    name: str
    title: str
    kind: str
    needs: tuple[str, ...]
    lacks: str


@dataclass(frozen=True)
class Trial:
    """A scorer that was loaded, and what it said of the invented trajectory; times in seconds."""

    provenance: dict[str, Any]
    said: Scored
    loading: float
    scoring: float


def entry_of(name: str, entry: Mapping[str, Any]) -> Entry:
    """What a scorer needs, by its entry. No weights are loaded for it: of folders the heads of files are read."""
    try:
        kind = import_string(entry["class"])
    except ImportError as exc:
        return Entry(name, entry["title"], entry["class"], (), str(exc))
    options = entry.get("options", {})
    folders, servers = _folders(options), _servers(options)
    tokenizers = [str(one["tokenizer"]) for one in servers if one.get("tokenizer")]
    needs = [*(LIBRARIES if folders else LIBRARIES[1:2] if tokenizers else ()), *folders, *tokenizers]
    needs += [f"{one.get('model')} at {_open(str(one['server']))}" for one in servers]
    needs += [f"{one['key_env']} in the environment" for one in servers if one.get("key_env")]
    needs += ["the task's reference"] * kind.reads_reference + ["what came of the trajectory"] * kind.reads_outcome
    needs += ["the rollouts of a task together"] * kind.siblings
    lacks = _lacking(kind, options, folders, tokenizers) or _unreachable(servers)
    return Entry(name, entry["title"], entry["class"], tuple(needs), lacks)


def _parts(options: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The options, and those of the language model among them."""
    language = options.get("language")
    return [options, *([language] if isinstance(language, Mapping) else [])]


def _folders(options: Mapping[str, Any]) -> list[str]:
    """Of models. Beside a server a model is a name there."""
    return [
        str(part[one])
        for part in _parts(options)
        for one in FOLDERS
        if part.get(one) and not (part.get("server") and one == "model")
    ]


def _servers(options: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [part for part in _parts(options) if part.get("server")]


def _open(address: str) -> str:
    """The address without a name, password or query, which it should not hold."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))


def _lacking(kind: type, options: dict[str, Any], folders: list[str], tokenizers: list[str]) -> str:
    """Only what can be seen from outside; `tried` finds the rest."""
    libraries = LIBRARIES if folders else LIBRARIES[1:2] if tokenizers else ()
    if missing := [one for one in libraries if find_spec(one) is None]:
        return f"not installed: {', '.join(missing)}"
    if gone := [one for one in tokenizers if not Path(one).is_dir()]:
        return f"no folder {', '.join(gone)}"
    try:
        inspect.signature(kind).bind(**options)
        for folder in folders:
            Checkpoint(folder)
    except (TypeError, UnfitModel) as exc:
        return str(exc)
    return ""


def _unreachable(servers: list[Mapping[str, Any]]) -> str:
    """What can be known of servers without asking them: that their addresses and keys could be."""
    from models_service.scorers.remote.server import Server

    try:
        for one in servers:
            Server(str(one["server"]), key_env=str(one.get("key_env") or ""))
    except UnfitModel as exc:
        return str(exc)
    return ""


def tried(name: str, entries: Mapping[str, Mapping[str, Any]]) -> Trial:
    """Load the scorer and let it score one trajectory: the first that it can, of an agent, a solution, a search tree.
    Whatever it raises on the way says what is wrong with it."""
    begun = time.perf_counter()
    scorer = load(name, entries)
    loaded = time.perf_counter()
    tries = (checked(record, scorer.score([record])[0]) for record in (invented(), solved(), searched()))
    first = next(tries)
    said = (
        first
        if not isinstance(first, CannotScore)
        else next((s for s in tries if not isinstance(s, CannotScore)), first)
    )
    return Trial(scorer.provenance, said, loaded - begun, time.perf_counter() - loaded)


def invented() -> TrajectoryRecord:
    """Two steps of an agent that adds: a call, and the answer."""
    call = {"id": "call-1", "name": "add", "arguments": '{"a": 2, "b": 2}'}
    steps = (
        StepRecord("user", 0, message="What is 2 + 2?"),
        StepRecord(
            "agent",
            1,
            message="I add the two numbers.",
            tool_calls=(call,),
            observations=({"tool_call_id": "call-1", "content": "4"},),
        ),
        StepRecord("agent", 3, message="2 + 2 is 4."),
    )
    task = TaskRecord("invented", instruction="What is 2 + 2?", reference="4")
    return TrajectoryRecord(task, steps, external_id="invented:0")


def solved() -> TrajectoryRecord:
    """Two steps of a solution that calls no tool, beside a reference solution."""
    steps = (
        StepRecord("user", 0, message="What is 2 + 2?"),
        StepRecord("agent", 1, message="Two and two are two twos."),
        StepRecord("agent", 2, message="2 · 2 = 4, so the answer is 4."),
    )
    reference = {"answer": "4", "solution": ["2 + 2 = 2 · 2.", "2 · 2 = 4."]}
    task = TaskRecord("invented", instruction="What is 2 + 2?", reference=reference)
    return TrajectoryRecord(task, steps, external_id="invented:1")


def searched() -> TrajectoryRecord:
    """A step, and two that were tried after it, each with its reward."""
    steps = (
        StepRecord("user", 0, message="What is 2 + 2?"),
        StepRecord("agent", 1, message="Two and two are two twos.", parent=0),
        StepRecord("agent", 2, message="The answer is 4.", parent=1, extra={"values": {"reward": 1}}),
        StepRecord("agent", 3, message="The answer is 22.", parent=1, extra={"values": {"reward": 0}}),
    )
    task = TaskRecord("invented", instruction="What is 2 + 2?", reference="4")
    return TrajectoryRecord(task, steps, external_id="invented:2")
