"""Child processes that end with their parent, and the ones that a killed parent left behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

MARK = "STEPMARK_SUPERVISED"  # in the environment of every child, and so of its children
LONGEST_PAUSE = 10.0
_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Child:
    """A process that is started again when it ends, after a pause that grows while it keeps ending early."""

    name: str
    argv: list[str]
    home: Path
    before: Callable[[], object] = lambda: None
    may_start: Callable[[], bool] = lambda: True
    dies_by: signal.Signals = signal.SIGTERM  # what it is sent by the kernel when we are killed
    keep_open: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    early_ends: int = 0
    not_before: float = 0.0
    started: float = 0.0

    def start(self) -> None:
        self.before()
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.argv,
            env=os.environ | {MARK: str(self.home)},
            stdin=subprocess.DEVNULL,
            pass_fds=self.keep_open,
            process_group=0,  # or Ctrl-C would reach it twice
            preexec_fn=lambda: _libc.prctl(_PR_SET_PDEATHSIG, self.dies_by),
        )

    def ended(self) -> int | None:
        """The exit status, told once; sets when it may start again. What it had started is gone then, too."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process = None
        self.early_ends = self.early_ends + 1 if time.monotonic() - self.started < 30 else 0
        pause = min(0.25 * 2**self.early_ends, LONGEST_PAUSE) if self.early_ends > 1 else 0
        self.not_before = time.monotonic() + pause
        return status

    @property
    def is_due(self) -> bool:
        return self.process is None and time.monotonic() >= self.not_before and self.may_start()


def stop(children: Iterable[Child], patience: float) -> None:
    """Ask all, then wait, then kill, each with everything it started."""
    running = [child.process for child in children if child.process]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + patience
    for process in running:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def leftovers(home: Path) -> list[int]:
    """What a supervisor of this home started, and what that started."""
    mark = f"{MARK}={home}".encode()
    numbers = filter(str.isdigit, os.listdir("/proc"))
    return [int(number) for number in numbers if mark in _environment(Path("/proc", number))]


def sweep(home: Path) -> int:
    """Kill what a killed supervisor left; returns how many. Their ports and files are free when this returns."""
    found = leftovers(home)
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while leftovers(home):
        time.sleep(0.02)
    return len(found)


def _environment(entry: Path) -> list[bytes]:
    try:
        return (entry / "environ").read_bytes().split(b"\0")
    except OSError:  # another user's, or gone
        return []
