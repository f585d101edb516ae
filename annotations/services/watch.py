"""Progress and cancelling of work that reads in one long transaction, whose own eyes are fixed on its snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

from annotations.services.runs import LOOK_EVERY, Claim

Thing = TypeVar("Thing")


class Watch:
    """Counts into the claim and asks now and then, on a connection beside, whether the hold is still good."""

    def __init__(self, claim: Claim | None) -> None:
        self.claim, self._total, self._looked = claim, 0, time.monotonic()

    def expect(self, more: int) -> None:
        """Say that so much more is to be done."""
        self._total += more
        if claim := self.claim:
            _beside(lambda: claim.expect(self._total, already=claim.done))

    def over(self, things: Iterable[Thing]) -> Iterator[Thing]:
        """The same things, counted as they are taken. Raises Cancelled where the run was stopped."""
        for thing in things:
            yield thing
            if claim := self.claim:
                claim.done += 1
                if time.monotonic() - self._looked >= LOOK_EVERY:
                    _beside(claim.check)
                    self._looked = time.monotonic()


def _beside(work: Callable[[], None]) -> None:
    """Do it in another thread, so on another connection, and wait for it."""

    def closing() -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(closing).result()
