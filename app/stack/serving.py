"""A language model on this machine, held by a server that is not ours: transformers' own, or llama.cpp's.

A folder as transformers saves models is served by `transformers serve`, a GGUF file by `llama-server`. Both answer
POST /v1/chat/completions and GET /health.
"""

from __future__ import annotations

import importlib.util
import secrets
import shutil
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from app.stack.processes import Child

NEEDED = ("fastapi", "uvicorn", "accelerate")  # by transformers serve, and by nothing of ours
EXTRA = "pip install -r requirements-serving.txt"
HOST = "127.0.0.1"
EVERY = 0.2  # seconds between looks


class CannotServe(RuntimeError):
    """Why no server comes of it, and what would help."""


@dataclass(frozen=True)
class Plan:
    """What is started. `model` is what the server calls the model, `form` the surest way to ask it for an answer's form
    (annotations.judges.servers.Options)."""

    argv: list[str]
    model: str
    form: str
    port: int

    @property
    def root(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.root}/v1"


def plan(path: Path, port: int) -> Plan:
    """How that model is served; CannotServe where it cannot be here."""
    path = path.expanduser().resolve()
    with socket.socket() as probe:
        if not probe.connect_ex((HOST, port)):
            raise CannotServe(f"Something answers at {HOST}:{port} already; --port takes another number.")
    if file := _gguf(path):
        return _by_llama(file, port)
    if (path / "config.json").is_file():
        return _by_transformers(path, port)
    raise CannotServe(
        f"{path} holds no model: accepted are a folder with a config.json, as transformers saves them, and a GGUF file."
    )


def _gguf(path: Path) -> Path | None:
    files = [path] if path.is_file() else sorted(path.glob("*.gguf"))
    files = [one for one in files if one.suffix == ".gguf"]
    if len(files) > 1:
        raise CannotServe(f"{path} holds {len(files)} GGUF files; name one of them: {', '.join(f.name for f in files)}")
    return files[0] if files else None


def _by_llama(file: Path, port: int) -> Plan:
    program = shutil.which("llama-server")
    if not program:
        raise CannotServe("A GGUF file is served by llama.cpp's llama-server, which is not on the PATH here.")
    argv = [program, "--model", str(file), "--alias", file.stem, "--host", HOST, "--port", str(port), "--parallel", "1"]
    return Plan(argv, file.stem, "json_schema", port)


def _by_transformers(folder: Path, port: int) -> Plan:
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise CannotServe(f"transformers serve needs {', '.join(missing)}, not installed here: {EXTRA}")
    if "@" in str(folder):
        raise CannotServe(f"transformers serve takes what follows an @ for a revision: {folder} has to be renamed.")
    program = "from transformers.cli.transformers import main; main()"
    argv = [sys.executable, "-c", program, "serve", str(folder), "--host", HOST, "--port", str(port)]
    return Plan(argv, str(folder), "words", port)  # it takes a response_format and does not heed it


def wait_until_it_answers(child: Child, plan: Plan, patience: float) -> None:
    """CannotServe where it ends, does not answer in time, or answers with the question."""
    deadline = time.monotonic() + patience
    while not _is_well(plan):
        if child.process is None or child.process.poll() is not None:
            raise CannotServe("The server has ended; what it said stands above.")
        if time.monotonic() > deadline:
            raise CannotServe(f"The server did not answer within {patience:.0f} s; --wait takes more.")
        time.sleep(EVERY)
    _try(plan, max(1.0, deadline - time.monotonic()))


def _is_well(plan: Plan) -> bool:
    try:
        return httpx2.get(f"{plan.root}/health", timeout=2.0, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False


def _try(plan: Plan, patience: float) -> None:
    """One token of an answer. transformers serve gives questions back with the answer where it does not know a model's
    way of marking turns, and a text of a trajectory could then pass for what the judge said."""
    mark = secrets.token_hex(16)
    body: dict[str, Any] = {"model": plan.model, "messages": [{"role": "user", "content": mark}]}
    body |= {"temperature": 0.0, "max_tokens": 1}
    try:
        answer = httpx2.post(f"{plan.url}/chat/completions", json=body, timeout=patience, trust_env=False)
        told = answer.json() if answer.is_success else {}
    except (httpx2.HTTPError, ValueError) as exc:
        raise CannotServe(f"The server does not answer a question: {exc or type(exc).__name__}") from exc
    if not told.get("choices"):
        raise CannotServe(f"The server does not answer a question: {answer.status_code} {answer.text[:300]}")
    if mark in answer.text:
        raise CannotServe(
            "The server gives the question back with its answer: it does not know how this model marks turns. "
            "Such answers cannot be told from what the trajectory says; serve the model with vLLM or llama.cpp instead."
        )
