"""A program in a process of its own that reaches no network, starts no process and ends in time, or is not run.

It gets no environment, can write no file, and what it says is cut. It is not for keeping secrets: a program reads what
its user may read. Where a worker is root, the program is nobody. Without a network namespace nothing is run: there is
no second-best.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import cache
from typing import NamedTuple

SECONDS = 5  # of processor time; waited for is twice that
MEMORY = 512 * 2**20
OUTPUT = 20_000  # bytes that are kept of what a program says
NOBODY = 65534
# Runs before the program, in its process: limits that cannot be raised again. Root would not be held to the number of
# processes, so it is given up; what a program needs is imported before, where nobody may not read it.
BEFORE = """
import ast, json, os, resource, socket, sys, time
if os.getuid() == 0:
    os.setgroups([]), os.setresgid(*[{nobody}] * 3), os.setresuid(*[{nobody}] * 3)
for what, most in ((resource.RLIMIT_CPU, {seconds}), (resource.RLIMIT_AS, {memory}), (resource.RLIMIT_NOFILE, 32),
                   (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NPROC, 0)):
    resource.setrlimit(what, (most, most))
exec(compile(sys.argv[1], "program", "exec"), {{"__name__": "__main__"}})
"""


class NoSandbox(RuntimeError):
    """This machine cannot keep a program from the network, so none is run."""


class Ran(NamedTuple):
    """What a program said, and how it ended: `code` is its exit status, below 0 the signal that ended it, None where it
    was ended because its time was up or it said too much."""

    output: str
    code: int | None


def run(program: str, given: str = "", *, seconds: int = SECONDS, memory: int = MEMORY) -> Ran:
    """Run Python source with `given` as its standard input. NoSandbox where that cannot be done safely."""
    if why := unsafe():
        raise NoSandbox(why)
    before = BEFORE.format(nobody=NOBODY, seconds=seconds, memory=memory)
    with tempfile.TemporaryFile() as told:
        told.write(given.encode(errors="replace"))
        told.seek(0)
        process = subprocess.Popen(
            _alone("-c", before, program), stdin=told, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/",
            env={}, start_new_session=True,
        )  # fmt: skip
        try:
            return _read(process, time.monotonic() + 2 * seconds)
        finally:
            _end(process)


@cache
def unsafe() -> str:
    """Why no program can be run here; "" where one can."""
    if shutil.which("unshare") is None:
        return "there is no `unshare` here, so a program could reach the network"
    tried = subprocess.run(_alone("-c", "pass"), capture_output=True, timeout=30, check=False, cwd="/", env={})
    said = tried.stderr.decode(errors="replace").strip()
    return f"no network namespace can be made here: {said}" if tried.returncode else ""


def _alone(*arguments: str) -> list[str]:
    """The command that runs Python in namespaces of its own. As it is the first there, all end with it."""
    user = [] if os.getuid() == 0 else ["--user", "--map-current-user"]
    own = [shutil.which("unshare") or "unshare", *user, "--net", "--pid", "--fork", "--kill-child"]
    return [*own, "--", getattr(sys, "_base_executable", sys.executable), "-I", "-S", *arguments]


def _read(process: subprocess.Popen[bytes], until: float) -> Ran:
    assert process.stdout is not None  # it was asked for
    said = b""
    while len(said) <= OUTPUT and (left := until - time.monotonic()) > 0:
        if not select.select([process.stdout], [], [], left)[0]:
            break
        piece = os.read(process.stdout.fileno(), OUTPUT)
        if not piece:
            return Ran(said.decode(errors="replace"), process.wait())
        said += piece
    return Ran(said[:OUTPUT].decode(errors="replace"), None)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout:
        process.stdout.close()
