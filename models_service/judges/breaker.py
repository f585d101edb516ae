"""Sparing a server that is in trouble: nobody asks it for a while, then one does; and at some time it is given up."""

from __future__ import annotations

import asyncio
import random
import time

from models_service.scorers.remote.server import ServerFault

FAULTS = 5  # in a row, until nobody asks for a while
FIRST_REST, LONGEST_REST = 2.0, 60.0  # seconds
PATIENCE = 300.0  # seconds without one answer, until it is given up


class Breaker:
    """Closed while the server answers; open after FAULTS faults in a row, when all wait; then one asks, and its luck
    decides. Raises ServerFault for everybody once the server has not answered for `patience` seconds. Who asks while
    it is open is the trial, and says so of what came of it."""

    def __init__(self, patience: float = PATIENCE, first_rest: float = FIRST_REST) -> None:
        self.patience, self.first_rest = patience, first_rest
        self.faults, self.last = 0, ""
        self.over: Exception | None = None
        self._since = 0.0  # of the first fault since the last answer
        self._until = 0.0  # when somebody may ask again
        self._trials = 0  # that went wrong, since it opened
        self._trying = False

    @property
    def is_open(self) -> bool:
        return self.faults >= FAULTS

    async def passed(self) -> bool:
        """Wait for one's turn to ask; whether that is the trial."""
        while True:
            now = time.monotonic()
            if self.over:
                raise self.over.with_traceback(None)
            if self.is_open and now - self._since > self.patience:
                raise ServerFault(f"the server has not answered for {self.patience:.0f} s: {self.last}")
            if now >= self._until and not (self.is_open and self._trying):
                self._trying = self.is_open
                return self.is_open
            await asyncio.sleep(min(0.2, self.first_rest))

    def good(self) -> None:
        self.faults, self._trials, self._trying, self._until = 0, 0, False, 0.0

    def bad(self, why: str, *, trial: bool = False, rest: float = 0.0) -> None:
        """One more fault of the server's, which may have said for how many seconds nobody should ask."""
        now, was_open = time.monotonic(), self.is_open
        if self.faults == 0:
            self._since = now
        self.faults, self.last = self.faults + 1, why
        if trial:
            self._trying, self._trials = False, self._trials + 1
        if self.is_open and (trial or not was_open):
            rest = max(rest, min(self.first_rest * 2.0**self._trials, LONGEST_REST))
        self._until = max(self._until, now + rest)

    def pause(self, attempts: int) -> float:
        """Seconds before a question that was asked so often is asked again: growing, and never the same for two."""
        grown = min(self.first_rest / 4 * 2.0 ** min(attempts - 1, 10), 4 * self.first_rest)
        return grown * random.uniform(0.5, 1.0)

    def dropped(self, *, trial: bool) -> None:
        """The trial ended without anything that is known of the server."""
        if trial:
            self._trying = False
