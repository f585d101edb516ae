"""Sparing a server that is in trouble: nobody asks it for a while, then one does; and at some time it is given up."""

from __future__ import annotations

import asyncio
import time

from models_service.scorers.remote.server import ServerFault

FAULTS = 5  # in a row, until nobody asks for a while
FIRST_REST, LONGEST_REST = 2.0, 60.0  # seconds
PATIENCE = 300.0  # seconds without one answer, until it is given up


class Breaker:
    """Closed while the server answers; open after FAULTS faults in a row, when all wait; then one asks, and its luck
    decides. Raises ServerFault for everybody once the server has not answered for `patience` seconds."""

    def __init__(self, patience: float = PATIENCE, first_rest: float = FIRST_REST) -> None:
        self.patience, self.first_rest = patience, first_rest
        self.faults, self.last = 0, ""
        self._since = 0.0  # of the first fault since the last answer
        self._until = 0.0
        self._trying = False

    @property
    def is_open(self) -> bool:
        return self.faults >= FAULTS

    async def passed(self) -> None:
        """Wait for one's turn to ask."""
        while self.is_open:
            now = time.monotonic()
            if now - self._since > self.patience:
                raise ServerFault(f"the server has not answered for {self.patience:.0f} s: {self.last}")
            if now >= self._until and not self._trying:
                self._trying = True
                return
            await asyncio.sleep(min(0.2, self.first_rest))

    def good(self) -> None:
        self.faults, self._trying = 0, False

    def bad(self, why: str) -> None:
        """One more fault of the server's."""
        if self.faults == 0:
            self._since = time.monotonic()
        self.faults, self._trying, self.last = self.faults + 1, False, why
        rests = min(self.first_rest * 2.0 ** max(0, self.faults - FAULTS), LONGEST_REST)
        self._until = time.monotonic() + rests
